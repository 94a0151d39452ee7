/** Slices whose place is computed by the program, as in a cache of keys and values; their size is fixed. */
import { at } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { showShape, type Shape } from '../graph/shape.ts'
import { gather } from './combine.ts'
import { iota } from './create.ts'
import { expectTensor } from './expect.ts'
import { Tensor, type Operand } from './tensor.ts'

const requireStarts = (operation: string, x: Tensor, starts: readonly Operand[], sizes: Shape): void => {
  if (starts.length !== x.rank || sizes.length !== x.rank)
    throw new ShapeError(
      `${operation}: needs a start and a length for each axis of ${showShape(x.shape)}, got ${starts.length} and ${sizes.length}`,
    )
  const wrong = sizes.findIndex((n, a) => !Number.isInteger(n) || n < 0 || n > at(x.shape, a))
  if (wrong !== -1)
    throw new ShapeError(
      `${operation}: a slice of ${sizes[wrong]} does not lie in axis ${wrong} of ${showShape(x.shape)}`,
    )
  for (const start of starts) requireStart(operation, start)
}

/** Starts as they are computed with: a number that a compiled function was given is an i32. */
const startsOf = (starts: readonly Operand[]): readonly Operand[] =>
  starts.map((start) => (start instanceof Tensor ? iota([1], 0).operand(start) : start))

const requireStart = (operation: string, start: Operand): void => {
  if (typeof start === 'number') {
    if (!Number.isInteger(start)) throw new ShapeError(`${operation}: a start is a whole number, got ${start}`)
    return
  }
  expectTensor(operation, start)
  if (start.rank !== 0)
    throw new ShapeError(`${operation}: a start has no axes, got ${showShape(start.shape)}; a.at(0, i) picks one`)
  if (start.dtype !== 'i32' && start.dtype !== 'u32')
    throw new DTypeError(`${operation}: starts are i32 or u32, got ${start.dtype}; cast it first`)
}

/** A start moved so that the slice lies within the axis. */
const heldNumber = (start: number, room: number): number => Math.min(Math.max(start, 0), room)
const heldTensor = (start: Tensor, room: number): Tensor => start.clamp(0, room).cast('i32')

/**
 * The part of `x` of lengths `sizes` that begins at `starts`, numbers or tensors without axes. A start is not counted from the end:
 * it is moved so that the part lies within: 9 of an axis of 10 with a length of 3 becomes 7. A number costs nothing; each start that is a tensor is a gather of the part alone, unless the
 * length is the whole axis.
 *
 * @param given the starts, one for each axis: numbers, or i32 or u32 without axes
 * @example
 * ```ts
 * import { dynamicSlice, scalar, tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 3, 4], [5, 6, 7, 8]])
 * dynamicSlice(x, [0, scalar(1, 'i32')], [2, 2]) // => [[2, 3], [6, 7]]
 * dynamicSlice(x, [1, scalar(9, 'i32')], [1, 2]) // => [[7, 8]]
 * ```
 */
export const dynamicSlice = (x: Tensor, given: readonly Operand[], sizes: Shape): Tensor => {
  expectTensor('dynamicSlice', x)
  const starts = startsOf(given)
  requireStarts('dynamicSlice', x, starts, sizes)
  const fixed = x.slice(
    ...x.shape.map((n, a) => {
      const [start, size] = [at(starts, a), at(sizes, a)]
      const from = typeof start === 'number' ? heldNumber(start, n - size) : 0
      return [from, typeof start === 'number' ? from + size : n] as const
    }),
  )
  return starts.reduce<Tensor>((y, start, a) => {
    const room = at(x.shape, a) - at(sizes, a)
    if (typeof start === 'number' || room === 0) return y
    return gather(y, heldTensor(start, room).add(iota([at(sizes, a)], 0)), a)
  }, fixed)
}

/**
 * `x` with `update` in place of the part that begins at `starts`, which are moved as those of {@link dynamicSlice}. One pass over `x`, in place where `x` is
 * donated and nothing else reads it; an update with one element along an axis, such as the next key of a cache, is repeated and not gathered.
 *
 * @param given the starts, one for each axis: numbers, or i32 or u32 without axes
 * @example
 * ```ts
 * import { dynamicUpdateSlice, scalar, tensor, zeros } from 'fathom'
 *
 * const cache = zeros([4, 2]) // 4 positions
 * dynamicUpdateSlice(cache, tensor([[7, 8]]), [scalar(2, 'i32'), 0]) // => [[0, 0], [0, 0], [7, 8], [0, 0]]
 * ```
 */
export const dynamicUpdateSlice = (x: Tensor, update: Tensor, given: readonly Operand[]): Tensor => {
  for (const t of [x, update]) expectTensor('dynamicUpdateSlice', t)
  const starts = startsOf(given)
  requireStarts('dynamicUpdateSlice', x, starts, update.shape)
  const { mask, values } = starts.reduce<{ readonly mask: Tensor | undefined; readonly values: Tensor }>(
    ({ mask, values }, start, a) => {
      const [n, size] = [at(x.shape, a), at(update.shape, a)]
      if (size === n || size === 0) return { mask, values }
      const from = typeof start === 'number' ? heldNumber(start, n - size) : heldTensor(start, n - size)
      const place = iota([n], 0).sub(from)
      const isIn = place.greaterEqual(0).and(place.less(size))
      const along = isIn.reshape(x.shape.map((_, i) => (i === a ? n : 1)))
      return {
        mask: mask === undefined ? along : mask.and(along),
        values: size === 1 ? values : gather(values, place.clamp(0, size - 1), a),
      }
    },
    { mask: undefined, values: update },
  )
  if (update.size === 0) return x
  return mask === undefined ? values : mask.select(values, x)
}
