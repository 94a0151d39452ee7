/**
 * Plans: the compiler's result as plain data. Kernels in order, the buffers that they read and write, and where each lies.
 *
 * Temporary buffers share one arena: each lives from the kernel that writes it to the last that reads it. The largest chooses first, and
 * each takes the lowest offset that is free for as long as it lives (Pisarchyk & Lee 2020, "greedy by size").
 */
import { at } from '../prelude/array.ts'
import { TraceError } from '../prelude/errors.ts'
import { bytesPerElement, type DType } from '../graph/dtype.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { showShape, sizeOf, type Shape } from '../graph/shape.ts'
import { reachable } from '../graph/traverse.ts'
import { canonicalise, type Program } from './canonicalise.ts'
import type { Buffer } from './buffer.ts'
import { withEpilogues } from './epilogue.ts'
import { fuse, keepApart } from './fuse.ts'
import { joined } from './join.ts'
import { operandsOf, resultsOf, type Kernel } from './kernel.ts'
import { usualLimits, type Limits } from './limits.ts'
import { lower } from './lower.ts'
import { overwritesOf } from './overwrite.ts'
import { allPasses, type Passes } from './passes.ts'
import type { View } from './view.ts'

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
  /** Outputs that may be written where a donated argument lies: the argument of each. */
  readonly overwrites: ReadonlyMap<number, number>
}

/** Offsets in the arena are multiples of this: what WebGPU asks of a storage buffer's binding. */
export const alignment = 256

/** Bytes that a buffer takes, rounded up to the alignment. */
export const alignedBytes = (buffer: Pick<Buffer, 'dtype' | 'length'>): number =>
  Math.ceil((buffer.length * bytesPerElement[buffer.dtype]) / alignment) * alignment

/** A temporary with the time for which it lives, from the kernel that writes it to the last that reads it. */
interface Lifetime {
  readonly buffer: number
  readonly bytes: number
  readonly birth: number
  readonly death: number
}

const lifetimesOf = (buffers: readonly Buffer[], kernels: readonly Kernel[], reuse: boolean): readonly Lifetime[] => {
  const last = new Map(kernels.flatMap((kernel, i) => operandsOf(kernel).map((o) => [o.buffer, i] as const)))
  return kernels.flatMap((kernel, birth) =>
    resultsOf(kernel).flatMap(({ buffer: output }) => {
      const buffer = at(buffers, output)
      const death = reuse ? Math.max(birth, last.get(output) ?? birth) : kernels.length
      return buffer.placement.kind === 'temporary'
        ? [{ buffer: output, bytes: alignedBytes(buffer), birth, death }]
        : []
    }),
  )
}

/** A temporary in its place. */
interface Block extends Lifetime {
  readonly start: number
}

/** The lowest offset at which a temporary fits between those placed, which are sorted by offset and may overlap where they never meet. */
const firstFit = (placed: readonly Block[], { bytes, birth, death }: Lifetime): number => {
  let start = 0
  for (const block of placed) {
    if (block.birth > death || block.death < birth) continue
    if (block.start - start >= bytes) return start
    start = Math.max(start, block.start + block.bytes)
  }
  return start
}

/** Where a block belongs in the order of offsets, by bisection. */
const positionOf = (placed: readonly Block[], start: number): number => {
  let [low, high] = [0, placed.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(placed, middle).start < start) low = middle + 1
    else high = middle
  }
  return low
}

/** Gives every temporary its place in the arena; without `reuse`, one that no other has. */
const place = (
  buffers: readonly Buffer[],
  kernels: readonly Kernel[],
  reuse: boolean,
): { readonly buffers: readonly Buffer[]; readonly arenaBytes: number } => {
  const placed: Block[] = []
  // What no kernel writes any more, because its values stay in registers, takes no memory.
  const result = buffers.map((b) => (b.placement.kind === 'temporary' ? { ...b, length: 0 } : b))
  for (const lifetime of lifetimesOf(buffers, kernels, reuse).toSorted((a, b) => b.bytes - a.bytes)) {
    const start = firstFit(placed, lifetime)
    placed.splice(positionOf(placed, start), 0, { ...lifetime, start })
    result[lifetime.buffer] = { ...at(buffers, lifetime.buffer), placement: { kind: 'temporary', offset: start } }
  }
  return { buffers: result, arenaBytes: placed.reduce((end, block) => Math.max(end, block.start + block.bytes), 0) }
}

const slot = ({ shape, dtype }: Node): Slot => ({ shape, dtype })

/** A parameter of another function has no value here: it would be read as one of these. */
const requireBound = (parameters: readonly Node[], outputs: readonly Node[]): void => {
  const bound = new Set(parameters)
  const escaped = reachable(outputs).find((node) => node.op === 'parameter' && !bound.has(node))
  if (escaped !== undefined)
    throw new TraceError(
      `a tensor is used that was made from an argument, ${escaped.dtype}${showShape(escaped.shape)}, while another function was traced, and has no value outside of it: return it from that function, and use what it returned`,
    )
}

/**
 * Compiles the graph that computes `outputs` from `parameters`, with the passes that are asked for, within a backend's limits.
 *
 * @param isDonated which parameters' memory the outputs may take over
 * @throws TraceError where the graph needs a parameter that is none of these
 */
export const compile = (
  parameters: readonly NodeOf<'parameter'>[],
  outputs: readonly Node[],
  passes: Passes = allPasses,
  limits: Limits = usualLimits,
  isDonated: (parameter: number) => boolean = () => false,
): Plan => {
  requireBound(parameters, outputs)
  const program = canonicalise(parameters, outputs, passes)
  const lowered = lower(program, passes.fuse ? fuse(program, passes, limits) : keepApart(program))
  const ended = passes.epilogue ? withEpilogues(lowered.kernels, lowered.buffers, limits) : lowered.kernels
  const kernels = passes.join ? joined(ended, lowered.buffers, limits) : ended
  const { buffers, arenaBytes } = place(lowered.buffers, kernels, passes.reuse)
  return {
    program,
    arguments: program.parameters.map(slot),
    outputs: program.outputs.map(slot),
    buffers,
    kernels,
    arenaBytes,
    overwrites: overwritesOf(kernels, buffers, isDonated),
  }
}

/**
 * Floating-point operations of one run.
 *
 * @example
 * ```ts
 * import { flopsOf, zeros, type Tensor } from 'fathom'
 *
 * const matmul = device.compile((x: Tensor, y: Tensor) => x.matmul(y))
 * flopsOf(matmul.plan(zeros([10, 20]), zeros([20, 30]))) // => 12000
 * ```
 */
export const flopsOf = (plan: Plan): number => plan.kernels.reduce((sum, k) => sum + k.flops, 0)

/** Elements that a view reaches; what it repeats counts once. */
const reach = ({ shape, strides }: View): number =>
  shape.reduce((n, length, a) => (strides[a] === 0 ? n : n * length), 1)

/**
 * Bytes that a kernel reads and writes: of each buffer the part that it sees, once.
 *
 * @example
 * ```ts
 * import { bytesOf, zeros, type Tensor } from 'fathom'
 *
 * const plan = device.compile((x: Tensor) => x.exp()).plan(zeros([1000]))
 * plan.kernels.map((kernel) => bytesOf(plan, kernel)) // => [8000]
 * ```
 */
export const bytesOf = (plan: Plan, kernel: Kernel): number => {
  const elements = new Map(resultsOf(kernel).map((r) => [r.buffer, at(plan.buffers, r.buffer).length]))
  const seen = new Set<string>()
  for (const { buffer, view } of operandsOf(kernel)) {
    const key = `${buffer} ${view.offset} ${view.shape.join()} ${view.strides.join()}`
    if (seen.has(key)) continue
    seen.add(key)
    elements.set(buffer, Math.min(at(plan.buffers, buffer).length, (elements.get(buffer) ?? 0) + reach(view)))
  }
  return [...elements].reduce((sum, [b, n]) => sum + n * bytesPerElement[at(plan.buffers, b).dtype], 0)
}

/** Bytes of the outputs that need memory of their own. */
const outputBytes = ({ outputs, overwrites }: Plan): number =>
  outputs.reduce(
    (sum, { shape, dtype }, i) => sum + (overwrites.has(i) ? 0 : sizeOf(shape) * bytesPerElement[dtype]),
    0,
  )

/**
 * Bytes of arguments, outputs and arena together; an output in the place of a donated argument counts once.
 *
 * @example
 * ```ts
 * import { memoryOf, zeros, type Tensor } from 'fathom'
 *
 * const plan = device.compile((x: Tensor) => x.sum()).plan(zeros([1000]))
 * memoryOf(plan) // => 4004
 * ```
 */
export const memoryOf = (plan: Plan): number =>
  plan.arenaBytes +
  plan.arguments.reduce((sum, s) => sum + sizeOf(s.shape) * bytesPerElement[s.dtype], 0) +
  outputBytes(plan)
