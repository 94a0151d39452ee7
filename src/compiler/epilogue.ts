/**
 * Elementwise kernels as the epilogue of the contraction whose result they alone read: bias, activation, residual, and the products with
 * which a gradient goes on. The result does not go to memory and come back.
 *
 * A backend may run the epilogue on sums in registers, or as a second pass in place ({@link withoutEpilogue}, {@link epilogueKernel}).
 */
import { at } from '../prelude/array.ts'
import {
  loadsOf,
  operandsOf,
  type Body,
  type ConvKernel,
  type ElementwiseKernel,
  type GemmKernel,
  type Kernel,
} from './kernel.ts'
import { boundsOfBuffers, type Limits } from './limits.ts'
import { heldUntil, join, peakOf, type Timeline } from './timeline.ts'
import { isContiguous, type View } from './view.ts'

/** A kernel that sums products. */
export type ContractionKernel = GemmKernel | ConvKernel

/** The contraction alone. */
export const withoutEpilogue = <K extends ContractionKernel>(kernel: K): Omit<K, 'epilogue'> => {
  const { epilogue: _, ...alone } = kernel
  return alone
}

/** The epilogue as a kernel of its own, which works in place on what the contraction has left in its output. */
export const epilogueKernel = ({
  epilogue,
  output,
  dtype,
  computes,
  reason,
}: ContractionKernel): ElementwiseKernel | undefined =>
  epilogue === undefined
    ? undefined
    : { kind: 'elementwise', body: epilogue, output, dtype, computes, reason, flops: 0 }

/** Whether a view over `size` elements walks a whole buffer from its beginning. */
export const isWhole = (view: View, size: number): boolean =>
  view.offset === 0 && isContiguous(view) && view.shape.reduce((a, b) => a * b, 1) === size

/** The body with what it loads from one buffer loaded from another. */
const redirected = (body: Body, from: number, to: number): Body => ({
  ...body,
  instructions: body.instructions.map((i) =>
    i.kind === 'load' && i.from.buffer === from ? { ...i, from: { ...i.from, buffer: to } } : i,
  ),
})

/** Why not: more readers, another dtype, a view of it, too many buffers or memories. */
const canEnd = (
  { buffers, readers }: Timeline,
  producer: Kernel | undefined,
  kernel: ElementwiseKernel,
  limits: Limits,
): producer is ContractionKernel => {
  if (producer?.kind !== 'gemm' && producer?.kind !== 'conv') return false
  const { output, dtype, epilogue } = producer
  const loads = loadsOf(kernel.body)
  // The result of the contraction stays in registers.
  const read = [...operandsOf(producer), ...loads].map((o) => o.buffer).filter((buffer) => buffer !== output)
  return (
    epilogue === undefined &&
    at(buffers, output).placement.kind === 'temporary' &&
    dtype === kernel.dtype &&
    at(buffers, output).length === kernel.body.size && // a beginning of it is not it
    readers.get(output)?.size === 1 &&
    boundsOfBuffers(buffers, limits)([...read, kernel.output]) &&
    loads.every((o) => o.buffer !== output || isWhole(o.view, kernel.body.size))
  )
}

/** Moves every elementwise kernel that can be one into the contraction before it. */
export const appendEpilogues = (timeline: Timeline, limits: Limits): void => {
  const peak = peakOf(timeline)
  timeline.kernels.forEach((kernel, place) => {
    if (kernel?.kind !== 'elementwise' || kernel.body.instructions.at(-1)?.kind !== 'apply') return
    const producers = [...new Set(loadsOf(kernel.body).map((o) => timeline.writer.get(o.buffer)))]
    for (const before of producers.toSorted((a, b) => (b ?? -1) - (a ?? -1))) {
      const producer = timeline.kernels[before ?? -1]
      if (before === undefined || !canEnd(timeline, producer, kernel, limits)) continue
      const whole: Kernel = {
        ...producer,
        epilogue: redirected(kernel.body, producer.output, kernel.output),
        output: kernel.output,
        computes: `${producer.computes} ${kernel.computes}`,
        reason: kernel.reason,
        flops: producer.flops + kernel.flops,
      }
      const extensions = heldUntil(timeline, producer, place)
      if (join(timeline, peak, { kernel: whole, places: [before, place], place, extensions })) return
    }
  })
}
