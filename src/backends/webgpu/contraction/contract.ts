/** Contractions as shaders: in tiles, by the form that was chosen; or one result an invocation, where tiles cannot be. */
import { at, product } from '../../../prelude/array.ts'
import type { ConvKernel, GemmKernel } from '../../../compiler/kernel.ts'
import { alone, type Generated, type Phase } from '../phase.ts'
import type { Target } from '../target.ts'
import { extentsOf, tilesOfConv, tilesOfGemm, writesPairs, type TileContraction } from './axes.ts'
import { direct } from './direct.ts'
import { formsOf, nameOfForm, shapeClassOf, type Form } from './forms.ts'
import { plainConv, plainGemm } from './plain.ts'
import { joinParts } from './results.ts'
import { shared } from './shared.ts'
import { isTileDType, rightOf, type Contracting } from './walk.ts'

/** The contractions of a kernel that can be computed in tiles; none where it cannot. */
export const tilesOf = (kernel: Contracting): readonly TileContraction[] => {
  if ([kernel.x, rightOf(kernel), kernel].some(({ dtype }) => !isTileDType(dtype))) return []
  const one = kernel.kind === 'gemm' ? tilesOfGemm(kernel) : undefined
  const all =
    kernel.kind === 'gemm' ? (one === undefined ? [] : [one]) : product(kernel.shape) === 0 ? [] : tilesOfConv(kernel)
  return all.every((c) => kernel.dtype === 'f32' || writesPairs(c)) ? all : []
}

/** One contraction in one form: its phases, and the bytes of scratch memory between them. */
export const inForm = (kernel: Contracting, contraction: TileContraction, { shape, parts }: Form): Generated => {
  const { batch, rows, columns } = extentsOf(contraction)
  const results = batch * rows * columns
  if (results === 0) return { stages: [], scratch: 0 }
  const sums = shape === undefined ? direct(kernel, contraction, parts) : shared(kernel, contraction, shape, parts)
  return parts === 1
    ? alone(sums)
    : { stages: [[sums], [joinParts(kernel, contraction, parts)]], scratch: 4 * parts * results }
}

/** The form that was measured to be the fastest, or the best guess. */
const chosenForm = (kernel: Contracting, contraction: TileContraction, target: Target): Form => {
  const forms = formsOf(contraction, target)
  const chosen = target.choose?.(shapeClassOf(kernel, contraction), forms.map(nameOfForm))
  const form = forms.find((f) => nameOfForm(f) === chosen) ?? forms[0]
  if (form === undefined) throw new TypeError('webgpu: a contraction has no form')
  return form
}

const inTiles = (kernel: Contracting, contractions: readonly TileContraction[], target: Target): Generated => {
  const forms = contractions.map((contraction) => chosenForm(kernel, contraction, target))
  const made = forms.map((form, i) => inForm(kernel, at(contractions, i), form))
  const scratch = Math.max(...made.map((g) => g.scratch))
  // Phases of a convolution write results of their own; only parts of sums, which share scratch memory, must wait.
  const stages: readonly (readonly Phase[])[] =
    scratch > 0 ? made.flatMap((g) => g.stages) : [made.flatMap((g) => g.stages.flat())]
  return { stages, scratch, choices: { form: [...new Set(forms.map(nameOfForm))].join('; ') } }
}

/** A product of matrices. */
export const gemm = (kernel: GemmKernel, target: Target): Generated => {
  const tiles = tilesOf(kernel)
  return tiles.length > 0 ? inTiles(kernel, tiles, target) : alone(plainGemm(kernel))
}

/** A convolution. */
export const conv = (kernel: ConvKernel, target: Target): Generated => {
  const tiles = tilesOf(kernel)
  return tiles.length > 0 ? inTiles(kernel, tiles, target) : alone(plainConv(kernel))
}
