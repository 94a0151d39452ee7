/** What a plan costs: floating-point operations, bytes of traffic, and memory. */
import { at } from '../prelude/array.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import { sizeOf } from '../graph/shape.ts'
import { operandsOf, resultsOf, type Kernel, type Routine } from './kernel.ts'
import type { Plan } from './plan.ts'
import type { View } from './view.ts'

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
 * Bytes that a kernel reads and writes: of each buffer the part that it sees, once; of a loop in every turn.
 *
 * @example
 * ```ts
 * import { bytesOf, zeros, type Tensor } from 'fathom'
 *
 * const plan = device.compile((x: Tensor) => x.exp()).plan(zeros([1000]))
 * plan.kernels.map((kernel) => bytesOf(plan, kernel)) // => [8000]
 * ```
 */
export const bytesOf = (plan: Pick<Routine, 'buffers'>, kernel: Kernel): number => {
  if (kernel.kind === 'loop') {
    const { turns, body } = kernel
    return turns * body.kernels.reduce((sum, k) => sum + bytesOf(body, k), 0)
  }
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
