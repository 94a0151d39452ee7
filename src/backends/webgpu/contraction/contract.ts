/** Which form a contraction takes: tiles of one invocation, or one result each where nothing else is possible. */
import { product } from '../../../prelude/array.ts'
import type { ConvKernel, GemmKernel } from '../../../compiler/kernel.ts'
import { alone, type Generated, type Phase } from '../phase.ts'
import { extentsOf, tilesOfConv, tilesOfGemm, writesPairs, type TileContraction } from './axes.ts'
import { direct } from './direct.ts'
import { plainConv, plainGemm } from './plain.ts'
import { joinParts } from './results.ts'
import { isTileDType, rightOf, type Contracting } from './walk.ts'

/** Whether tiles can be made of a kernel. */
const canTile = (kernel: Contracting, contractions: readonly TileContraction[]): boolean =>
  [kernel.x, rightOf(kernel), kernel].every(({ dtype }) => isTileDType(dtype)) &&
  contractions.every((c) => kernel.dtype === 'f32' || writesPairs(c))

/** Invocations that occupy a GPU, and terms that are worth a part. */
const [enoughInvocations, partLength] = [8192, 128]

/** Parts into which sums are cut, where results are few. */
const partsOf = (contraction: TileContraction): number => {
  const { batch, rows, columns, depth } = extentsOf(contraction)
  const tiles = batch * Math.ceil(rows / 4) * Math.ceil(columns / 4)
  const outermost = contraction.depth[0]?.length ?? 1
  return Math.max(1, Math.min(Math.ceil(enoughInvocations / tiles), Math.floor(depth / partLength), outermost, 256))
}

const inTiles = (kernel: Contracting, contractions: readonly TileContraction[]): Generated => {
  let scratch = 0
  const phases = contractions.map((contraction): readonly Phase[] => {
    const { batch, rows, columns } = extentsOf(contraction)
    if (batch * rows * columns === 0) return []
    const parts = partsOf(contraction)
    if (parts === 1) return [direct(kernel, contraction, 1)]
    scratch = Math.max(scratch, 4 * parts * batch * rows * columns)
    return [direct(kernel, contraction, parts), joinParts(kernel, contraction, parts)]
  })
  const isCut = phases.some((own) => own.length > 1)
  // Phases of a convolution write results of their own; only parts, which have one scratch memory, must wait.
  return { stages: isCut ? phases.flat().map((p) => [p]) : [phases.flat()], scratch }
}

/** A product of matrices. */
export const gemm = (kernel: GemmKernel): Generated => {
  const tiles = tilesOfGemm(kernel)
  return tiles !== undefined && canTile(kernel, [tiles]) ? inTiles(kernel, [tiles]) : alone(plainGemm(kernel))
}

/** A convolution. */
export const conv = (kernel: ConvKernel): Generated => {
  const phases = product(kernel.shape) === 0 ? [] : tilesOfConv(kernel)
  return phases.length > 0 && canTile(kernel, phases) ? inTiles(kernel, phases) : alone(plainConv(kernel))
}
