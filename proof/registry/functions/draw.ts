/** How inputs of the derived operations are drawn: away from kinks, shapes that broadcast, an axis to work along. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import type { Operand, Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, elementAt, numbers, shapes, stored, type NdArray } from '../../array.ts'
import { badDType, badShape, entry, isFloating, one, table, wide, type Case, type Entry } from '../entry.ts'

/** Numbers in [−2.5, 2.5], none nearer than 0.0025 to a multiple of 0.005: kinks at 0, ±½, ±1 are out of a stencil's reach. */
export const smoothNumbers = (dtype: DType): fc.Arbitrary<number> =>
  isFloating(dtype) ? fc.integer({ min: -500, max: 499 }).map((k) => stored(dtype, (k + 0.5) / 200)) : numbers(dtype)

/** Arrays of {@link smoothNumbers} of up to three axes. */
export const smoothArrays = (dtype: DType, minRank = 0): fc.Arbitrary<NdArray> =>
  shapes(minRank, 3).chain((shape) => arrays(shape, dtype, smoothNumbers(dtype)))

/** What else is said of an operation on elements. */
export type Options = Omit<Partial<Entry>, 'elements'>

/** An operation on each element, in f64 and f32. */
export const pointwise = (
  f: (x: Tensor) => Tensor,
  oracle: (x: number, dtype: DType) => number,
  options: Options & { readonly elements?: (dtype: DType) => fc.Arbitrary<number> } = {},
): Entry => {
  const { elements = smoothNumbers, ...rest } = options
  return entry({
    dtypes: wide,
    cases: (dtype) =>
      shapes(0, 3)
        .chain((shape) => arrays(shape, dtype, elements(dtype)))
        .map((x) => ({
          inputs: [x],
          build: (t) => f(one(t)),
          oracle: (x) => ({ shape: x.shape, data: x.data.map((e) => oracle(e, dtype)) }),
        })),
    differentiableIn: [0],
    slack: 8,
    ...rest,
  })
}

/** An entry of which every graph, right or wrong, is built in another way. */
export const builtBy = (of: Entry, build: Case['build']): Entry => ({
  ...of,
  cases: (d) => of.cases(d).map((c) => ({ ...c, build })),
  ...(of.smooth === undefined ? {} : { smooth: of.smooth.map((c) => ({ ...c, build })) }),
  errors: of.errors.map((e) => ({ ...e, build })),
})

/** An array with an axis that is not empty; the axis counts from the front or from the end. */
export interface AlongAxis {
  readonly x: NdArray
  /** From the front. */
  readonly axis: number
  /** As it is given to the operation. */
  readonly given: number
}

/** Arrays with an axis to work along; other axes may be empty. */
export const alongAxis = (
  input: fc.Arbitrary<NdArray>,
  axisOf: (rank: number) => fc.Arbitrary<number> = (rank) => fc.nat(rank - 1),
): fc.Arbitrary<AlongAxis> =>
  input
    .filter((x) => x.shape.length > 0)
    .chain((x) =>
      fc.tuple(axisOf(x.shape.length), fc.boolean()).map(([axis, fromEnd]) => ({
        x,
        axis,
        given: fromEnd ? axis - x.shape.length : axis,
      })),
    )
    .filter(({ x, axis }) => (x.shape[axis] ?? 0) > 0)

/** The values of the line through `index` along `axis`. */
export const line = (x: NdArray, axis: number, index: readonly number[]): readonly number[] =>
  Array.from({ length: x.shape[axis] ?? 0 }, (_, j) =>
    elementAt(
      x,
      index.map((v, a) => (a === axis ? j : v)),
    ),
  )

const stretchable = (full: readonly number[]): fc.Arbitrary<readonly number[]> =>
  fc
    .tuple(fc.nat(full.length), fc.array(fc.nat(2), { minLength: full.length, maxLength: full.length }))
    .map(([drop, ones]) => full.map((n, i) => (ones[i] === 0 ? 1 : n)).slice(drop > 1 ? 0 : drop))

/** `count` shapes that broadcast with one another. */
export const broadcastable = (count: number): fc.Arbitrary<readonly (readonly number[])[]> =>
  shapes(0, 3).chain((full) => fc.tuple(...Array.from({ length: count }, () => stretchable(full))))

/** What shapes that broadcast become. */
export const stretched = (shapes: readonly (readonly number[])[]): readonly number[] => {
  const rank = Math.max(0, ...shapes.map((s) => s.length))
  return Array.from({ length: rank }, (_, i) => {
    const lengths = shapes.map((s) => s[i - rank + s.length] ?? 1)
    return lengths.find((n) => n !== 1) ?? 1
  })
}

/** The element of `x` that stands at `index` of a shape to which it is stretched. */
export const stretchedAt = (x: NdArray, index: readonly number[]): number => {
  const own = index.slice(index.length - x.shape.length)
  return elementAt(
    x,
    own.map((i, a) => (x.shape[a] === 1 ? 0 : i)),
  )
}

/** How elements of two operands are drawn. */
interface Sides {
  readonly left?: (dtype: DType) => fc.Arbitrary<number>
  readonly right?: (dtype: DType) => fc.Arbitrary<number>
}

/** A function of two operands, which broadcast; the second may be a number. */
export const pairwise = (
  name: string,
  f: (x: Tensor, y: Operand) => Tensor,
  oracle: (x: number, y: number, dtype: DType) => number,
  { left = smoothNumbers, right = left, ...options }: Partial<Entry> & Sides = {},
): Entry => {
  const tensors = (d: DType): fc.Arbitrary<Case> =>
    broadcastable(2)
      .chain(([a = [], b = []]) => fc.tuple(arrays(a, d, left(d)), arrays(b, d, right(d))))
      .map(([x, y]) => ({
        inputs: [x, y],
        build: (s, t) => f(one(s), one(t)),
        oracle: (x, y) => table(stretched([x.shape, y.shape]), (i) => oracle(stretchedAt(x, i), stretchedAt(y, i), d)),
      }))
  const withNumber = (d: DType): fc.Arbitrary<Case> =>
    broadcastable(1)
      .chain(([shape = []]) => fc.tuple(arrays(shape, d, left(d)), isFloating(d) ? right(d) : fc.constant(3)))
      .map(([x, y]) => ({
        inputs: [x],
        build: (s) => f(one(s), y),
        oracle: (x) => ({ shape: x.shape, data: x.data.map((e) => oracle(e, y, d)) }),
      }))
  const apply = (x?: Tensor, y?: Tensor): Tensor => f(one(x), one(y))
  return entry({
    dtypes: wide,
    cases: (d) => fc.oneof({ weight: 3, arbitrary: tensors(d) }, { weight: 1, arbitrary: withNumber(d) }),
    differentiableIn: [0, 1],
    slack: 8,
    errors: [
      badShape(new RegExp(`^${name}: \\[2,3\\] and \\[2,4\\] do not broadcast`), ['f32[2,3]', 'f32[2,4]'], apply),
      badDType(new RegExp(`^${name}: dtypes f32 and f64 differ; cast one of them$`), ['f32[2]', 'f64[2]'], apply),
    ],
    ...options,
  })
}
