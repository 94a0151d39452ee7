/**
 * Plans: the compiler's result as plain data. Kernels in order, the buffers that they read and write, and where each lies.
 *
 * Temporary buffers share one arena: each lives from the kernel that writes it to the last that reads it, and takes the lowest
 * offset that is free for that long (first fit, larger buffers first would need the future; the order of the program does well).
 */
import { at } from '../prelude/array.ts'
import { bytesPerElement, type DType } from '../graph/dtype.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { sizeOf, type Shape } from '../graph/shape.ts'
import { canonicalise, type Program } from './canonicalise.ts'
import type { Buffer } from './buffer.ts'
import { fuse, keepApart } from './fuse.ts'
import { operandsOf, type Kernel } from './kernel.ts'
import { lower } from './lower.ts'
import { allPasses, type Passes } from './passes.ts'

/** Shape and dtype of an argument or a result. */
export interface Slot {
  readonly shape: Shape
  readonly dtype: DType
}

/** A compiled program. */
export interface Plan {
  readonly program: Program
  readonly arguments: readonly Slot[]
  readonly outputs: readonly Slot[]
  readonly buffers: readonly Buffer[]
  readonly kernels: readonly Kernel[]
  readonly arenaBytes: number
}

/** Offsets in the arena are multiples of this: what WebGPU asks of a storage buffer's binding. */
export const alignment = 256

/** Bytes that a buffer takes, rounded up to the alignment. */
export const alignedBytes = (buffer: Pick<Buffer, 'dtype' | 'length'>): number =>
  Math.ceil((buffer.length * bytesPerElement[buffer.dtype]) / alignment) * alignment

interface Block {
  readonly buffer: number
  readonly start: number
  readonly end: number
}

/** The lowest offset at which `bytes` fit between the blocks in use, which are sorted, and the position of the gap among them. */
const firstFit = (used: readonly Block[], bytes: number): { readonly start: number; readonly position: number } => {
  let start = 0
  for (const [position, block] of used.entries()) {
    if (block.start - start >= bytes) return { start, position }
    start = Math.max(start, block.end)
  }
  return { start, position: used.length }
}

const lastReads = (kernels: readonly Kernel[]): ReadonlyMap<number, number> =>
  new Map(kernels.flatMap((kernel, i) => operandsOf(kernel).map((o) => [o.buffer, i] as const)))

/** Gives every temporary its place in the arena; without `reuse`, one that no other has. */
const place = (
  buffers: readonly Buffer[],
  kernels: readonly Kernel[],
  reuse: boolean,
): { readonly buffers: readonly Buffer[]; readonly arenaBytes: number } => {
  const last = lastReads(kernels)
  const placed = [...buffers]
  const live: Block[] = [] // sorted by start, at all times
  let arenaBytes = 0
  kernels.forEach((kernel, i) => {
    const buffer = at(buffers, kernel.output)
    if (buffer.placement.kind === 'temporary') {
      const bytes = alignedBytes(buffer)
      const { start, position } = firstFit(live, bytes)
      placed[kernel.output] = { ...buffer, placement: { kind: 'temporary', offset: start } }
      live.splice(position, 0, { buffer: kernel.output, start, end: start + bytes })
      arenaBytes = Math.max(arenaBytes, start + bytes)
    }
    if (!reuse) return
    for (const b of new Set([kernel.output, ...operandsOf(kernel).map((o) => o.buffer)])) {
      const position = (last.get(b) ?? i) <= i ? live.findIndex((block) => block.buffer === b) : -1
      if (position >= 0) live.splice(position, 1)
    }
  })
  return { buffers: placed, arenaBytes }
}

const slot = ({ shape, dtype }: Node): Slot => ({ shape, dtype })

/** Compiles the graph that computes `outputs` from `parameters`. */
export const compile = (
  parameters: readonly NodeOf<'parameter'>[],
  outputs: readonly Node[],
  passes: Passes = allPasses,
): Plan => {
  const program = canonicalise(parameters, outputs, passes)
  const lowered = lower(program, passes.fuse ? fuse(program) : keepApart(program))
  const { buffers, arenaBytes } = place(lowered.buffers, lowered.kernels, passes.reuse)
  return {
    program,
    arguments: program.parameters.map(slot),
    outputs: program.outputs.map(slot),
    buffers,
    kernels: lowered.kernels,
    arenaBytes,
  }
}

/** Floating-point operations of one run. */
export const flopsOf = (plan: Plan): number => plan.kernels.reduce((sum, k) => sum + k.flops, 0)

/** Bytes that a kernel reads and writes, counting each buffer once. */
export const bytesOf = (plan: Plan, kernel: Kernel): number =>
  [...new Set([kernel.output, ...operandsOf(kernel).map((o) => o.buffer)])].reduce((sum, b) => {
    const buffer = at(plan.buffers, b)
    return sum + buffer.length * bytesPerElement[buffer.dtype]
  }, 0)

/** Bytes of arguments, outputs and arena together. */
export const memoryOf = (plan: Plan): number =>
  plan.arenaBytes +
  [...plan.arguments, ...plan.outputs].reduce((sum, s) => sum + sizeOf(s.shape) * bytesPerElement[s.dtype], 0)
