/**
 * Convolution as contractions over the padded image, one for each of its phases (compiler/contraction/convolution.ts).
 */
import { at, product, range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import {
  contractionOfPhase,
  marginsOf,
  phasesAlong,
  type ConvPhase,
} from '../../../compiler/contraction/convolution.ts'
import type { ConvKernel } from '../../../compiler/kernel.ts'
import { alignment } from '../../../compiler/arena.ts'
import { elementwise } from '../elementwise/elementwise.ts'
import { epilogueKernel, withoutEpilogue } from '../../../compiler/epilogue.ts'
import { imageOf } from './convImage.ts'
import { depthwise } from './depthwise.ts'
import { contraction, type Ending } from '../gemm/gemm.ts'
import { epilogueOf } from '../gemm/gemmEpilogue.ts'
import { inBuffer } from '../emit/block.ts'
import type { Unsupported } from '../emit/unsupported.ts'
import type { Generated, Machine } from '../emit/kernelCode.ts'

/** A filter for each channel, and an epilogue as a pass behind it; undefined where one of the two has no such code. */
const channelByChannel = (kernel: ConvKernel, machine: Machine): Generated | undefined => {
  const alone = depthwise(withoutEpilogue(kernel), machine)
  const epilogue = epilogueKernel(kernel)
  if (alone === undefined || epilogue === undefined) return alone
  const ending = elementwise(epilogue)
  return E.isLeft(ending)
    ? undefined
    : {
        phases: [...alone.phases, ...ending.right.phases],
        scratch: Math.max(alone.scratch, ending.right.scratch),
        choices: { ...alone.choices, epilogue: 'a pass of its own' },
      }
}

/** The kernel as code, or why it has none. */
export const conv = (kernel: ConvKernel, machine: Machine): E.Either<Unsupported, Generated> => {
  const { x, filter, shape, dtype } = kernel
  if (x.dtype !== 'f32' || filter.dtype !== 'f32' || dtype !== 'f32')
    return E.left({ kind: 'contraction', from: x.dtype, to: dtype })
  if (shape.includes(0)) return E.right({ phases: [], scratch: 0 })
  const own = channelByChannel(kernel, machine)
  if (own !== undefined) return E.right(own)
  const [rows, columns] = [phasesAlong(kernel, 0), phasesAlong(kernel, 1)]
  const margins = [marginsOf(rows), marginsOf(columns)] as const
  const image = imageOf(x, margins, 0)
  const taken = Math.ceil(image.bytes / alignment) * alignment
  const low = [margins[0].low, margins[1].low] as const
  const outputs = at(shape, 3)
  const body = kernel.epilogue
  const ends =
    body === undefined ? E.right(undefined) : epilogueOf(body, kernel.output, [1, product(shape.slice(0, 3)), outputs])
  if (E.isLeft(ends)) return ends
  const epilogue = ends.right
  const each = outputs / kernel.attrs.groups
  const batches = range(kernel.attrs.groups).map((g) => ({ batch: 0, column: g * each }))
  const ending = ([r, c]: ConvPhase): Ending | undefined =>
    epilogue && { epilogue, batches, first: 4 * outputs * (r.first * at(shape, 2) + c.first) }
  const arrays = { x: image.start, y: inBuffer(filter.buffer), out: inBuffer(kernel.output) }
  const parts = rows
    .flatMap((r) => columns.map((c): ConvPhase => [r, c]))
    .map((phase) =>
      contraction(
        contractionOfPhase(kernel, phase, { strides: image.strides, low }),
        arrays,
        machine,
        ending(phase),
        taken,
      ),
    )
  return E.right({
    phases: [...image.phases, ...parts.flatMap((p) => p.phases)],
    scratch: Math.max(taken, ...parts.map((p) => p.scratch)),
    choices: {
      ...(image.phases.length > 0 ? { image: 'a padded copy' } : {}),
      ...(parts.length > 1 ? { phases: parts.length } : {}),
      ...parts[0]?.choices,
    },
  })
}
