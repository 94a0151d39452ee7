/** Axes exchanged and moved, elements repeated and rolled. */
import { at, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { normalizeAxes, type Axes } from './axes.ts'
import { concatenate } from './combine.ts'
import { expectTensor } from './expect.ts'
import { sliceAlong } from './sliceAlong.ts'
import type { Tensor } from './tensor.ts'

/**
 * Two axes exchanged; PyTorch's `transpose(x, a, b)`.
 *
 * @example
 * ```ts
 * import { swapAxes, zeros } from 'fathom'
 *
 * swapAxes(zeros([2, 3, 5]), 0, -1).shape // => [5, 3, 2]
 * ```
 */
export const swapAxes = (x: Tensor, a: number, b: number): Tensor => {
  expectTensor('swapAxes', x)
  const [i, j] = [normalizeAxis('swapAxes', a, x.rank), normalizeAxis('swapAxes', b, x.rank)]
  return x.transpose(range(x.rank).map((k) => (k === i ? j : k === j ? i : k)))
}

/**
 * Axes `from` moved to the places `to`; the others keep their order.
 *
 * @example
 * ```ts
 * import { moveAxis, zeros } from 'fathom'
 *
 * moveAxis(zeros([2, 3, 5]), 0, -1).shape // => [3, 5, 2]
 * moveAxis(zeros([2, 3, 5]), [0, 1], [-1, 0]).shape // => [3, 5, 2]
 * ```
 */
export const moveAxis = (x: Tensor, from: number | readonly number[], to: number | readonly number[]): Tensor => {
  expectTensor('moveAxis', x)
  const [sources, targets] = [normalizeAxes('moveAxis', from, x.rank), normalizeAxes('moveAxis', to, x.rank)]
  const areDifferent = [sources, targets].every((axes) => new Set(axes).size === axes.length)
  if (sources.length !== targets.length || !areDifferent)
    throw new ShapeError(
      `moveAxis: ${showShape(sources)} and ${showShape(targets)} must be as many different axes each`,
    )
  const others = range(x.rank).filter((a) => !sources.includes(a))
  const free = range(x.rank).filter((a) => !targets.includes(a))
  return x.transpose(
    range(x.rank).map((place) =>
      targets.includes(place) ? at(sources, targets.indexOf(place)) : at(others, free.indexOf(place)),
    ),
  )
}

const requireCount = (operation: string, n: number): void => {
  if (!Number.isInteger(n) || n < 0) throw new ShapeError(`${operation}: takes whole numbers ≥ 0, got ${n}`)
}

/**
 * The whole tensor so many times along each axis, PyTorch's `repeat`; missing counts are 1, and more counts than axes add axes in front.
 *
 * @example
 * ```ts
 * import { tensor, tile } from 'fathom'
 *
 * tile(tensor([1, 2]), [2]) // => [1, 2, 1, 2]
 * tile(tensor([1, 2]), [2, 2]) // => [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export const tile = (x: Tensor, counts: readonly number[]): Tensor => {
  expectTensor('tile', x)
  for (const n of counts) requireCount('tile', n)
  const rank = Math.max(x.rank, counts.length)
  const shape = [...range(rank - x.rank).map(() => 1), ...x.shape]
  const times = [...range(rank - counts.length).map(() => 1), ...counts]
  return x
    .reshape(shape.flatMap((n) => [1, n]))
    .broadcastTo(shape.flatMap((n, i) => [at(times, i), n]))
    .reshape(shape.map((n, i) => n * at(times, i)))
}

/**
 * Each element `count` times in place along `axis`: PyTorch's `repeat_interleave`, NumPy's `repeat`.
 *
 * @example
 * ```ts
 * import { repeat, tensor } from 'fathom'
 *
 * repeat(tensor([1, 2]), 2, 0) // => [1, 1, 2, 2]
 * repeat(tensor([[1, 2], [3, 4]]), 2, 0) // => [[1, 2], [1, 2], [3, 4], [3, 4]]
 * ```
 */
export const repeat = (x: Tensor, count: number, axis: number): Tensor => {
  expectTensor('repeat', x)
  requireCount('repeat', count)
  const a = normalizeAxis('repeat', axis, x.rank)
  return x
    .expandDims(a + 1)
    .broadcastTo([...x.shape.slice(0, a + 1), count, ...x.shape.slice(a + 1)])
    .reshape(x.shape.map((n, i) => (i === a ? n * count : n)))
}

const rollAxis = (x: Tensor, shift: number, axis: number): Tensor => {
  const n = at(x.shape, axis)
  const by = n === 0 ? 0 : ((shift % n) + n) % n
  if (by === 0) return x
  return concatenate([sliceAlong(x, axis, n - by), sliceAlong(x, axis, 0, n - by)], axis)
}

/**
 * Elements moved by `shifts` places along `axes`; what leaves at the end comes in at the front.
 *
 * @example
 * ```ts
 * import { roll, tensor } from 'fathom'
 *
 * roll(tensor([1, 2, 3, 4]), 1, 0) // => [4, 1, 2, 3]
 * roll(tensor([[1, 2], [3, 4]]), [1, -1], [0, 1]) // => [[4, 3], [2, 1]]
 * ```
 */
export const roll = (x: Tensor, shifts: number | readonly number[], axes: Axes): Tensor => {
  expectTensor('roll', x)
  const [by, along] = [typeof shifts === 'number' ? [shifts] : shifts, normalizeAxes('roll', axes, x.rank)]
  if (by.length !== along.length || !by.every(Number.isInteger))
    throw new ShapeError(
      `roll: needs a whole number of places for each of the axes ${showShape(along)}, got ${showShape(by)}`,
    )
  return along.reduce((y, axis, i) => rollAxis(y, at(by, i), axis), x)
}

/**
 * The coordinates of the points of a grid: for vectors of n₀, n₁, … elements as many tensors [n₀, n₁, …], each of which varies along one axis.
 * `xy` exchanges the first two axes, NumPy's default.
 *
 * @example
 * ```ts
 * import { meshgrid, tensor } from 'fathom'
 *
 * meshgrid([tensor([1, 2]), tensor([10, 20, 30])]) // => [[[1, 1, 1], [2, 2, 2]], [[10, 20, 30], [10, 20, 30]]]
 * ```
 */
export const meshgrid = (xs: readonly Tensor[], indexing: 'ij' | 'xy' = 'ij'): readonly Tensor[] => {
  for (const x of xs) {
    expectTensor('meshgrid', x)
    if (x.rank > 1) throw new ShapeError(`meshgrid: takes vectors, got ${showShape(x.shape)}`)
  }
  const shape = xs.map((x) => x.size)
  const grids = xs.map((x, i) => x.reshape(shape.map((n, j) => (j === i ? n : 1))).broadcastTo(shape))
  return indexing === 'xy' && xs.length > 1 ? grids.map((x) => swapAxes(x, 0, 1)) : grids
}
