/** Primitives that move elements and compute nothing. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, shapes, type NdArray } from '../../array.ts'
import {
  all,
  axesOf,
  badDType,
  badShape,
  entry,
  inputOf,
  one,
  table,
  type Case,
  type Entry,
  type Expected,
} from '../entry.ts'
import { apply } from './node.ts'

/** Cases of one input and attributes that depend on its shape. */
export const movement =
  <A>(
    attributes: (shape: readonly number[]) => fc.Arbitrary<A>,
    build: (x: Tensor, a: A) => Tensor,
    oracle: (x: NdArray, a: A) => Expected,
    minRank = 0,
  ) =>
  (dtype: DType): fc.Arbitrary<Case> =>
    inputOf(dtype, minRank).chain((x) =>
      attributes(x.shape).map((a) => ({ inputs: [x], build: (t) => build(one(t), a), oracle: (x) => oracle(x, a) })),
    )

const moving = (cases: Entry['cases'], errors: Entry['errors']): Entry =>
  entry({ dtypes: all, cases, differentiableIn: [0], linearIn: [0], errors })

const perAxis = <T>(shape: readonly number[], of: (n: number) => fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.tuple(...shape.map(of))

interface Padding {
  readonly low: number
  readonly high: number
  readonly interior: number
}

const padAttributes = (p: readonly Padding[]) => ({
  low: p.map((a) => a.low),
  high: p.map((a) => a.high),
  interior: p.map((a) => a.interior),
})

/** Amounts of padding for a shape. */
export const paddings = (shape: readonly number[]): fc.Arbitrary<readonly Padding[]> =>
  perAxis(shape, () => fc.record({ low: fc.nat(2), high: fc.nat(2), interior: fc.nat(2) }))

/** Zeros around and between. */
export const padOracle = (x: NdArray, a: readonly Padding[]): Expected => {
  const of = (i: number): Padding => a[i] ?? { low: 0, high: 0, interior: 0 }
  const shape = x.shape.map((n, i) => of(i).low + (n === 0 ? 0 : n + (n - 1) * of(i).interior) + of(i).high)
  return table(shape, (index) =>
    elementAt(
      x,
      index.map((v, i) => (v - of(i).low) / (of(i).interior + 1)),
    ),
  )
}

interface Piece {
  readonly start: number
  readonly limit: number
  readonly stride: number
}

/** Ranges within a shape. */
export const pieces = (shape: readonly number[]): fc.Arbitrary<readonly Piece[]> =>
  perAxis(shape, (n) =>
    fc
      .tuple(fc.nat(n), fc.nat(n), fc.integer({ min: 1, max: 3 }))
      .map(([a, b, stride]) => ({ start: Math.min(a, b), limit: Math.max(a, b), stride })),
  )

/** What lies in the ranges. */
export const sliceOracle = (x: NdArray, a: readonly Piece[]): Expected => {
  const picks = a.map((r) => Array.from({ length: 6 }, (_, k) => r.start + k * r.stride).filter((i) => i < r.limit))
  return table(
    picks.map((p) => p.length),
    (index) =>
      elementAt(
        x,
        index.map((v, i) => picks[i]?.[v] ?? -1),
      ),
  )
}

const sliceAttributes = (p: readonly Piece[]) => ({
  start: p.map((a) => a.start),
  limit: p.map((a) => a.limit),
  stride: p.map((a) => a.stride),
})

const broadcast = (dtype: DType): fc.Arbitrary<Case> =>
  fc.tuple(inputOf(dtype, 0, 3), fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 2 })).map(([x, inserted]) => {
    let tagged: readonly { readonly n: number; readonly fresh: boolean }[] = x.shape.map((n) => ({ n, fresh: false }))
    for (const [position, n] of inserted)
      tagged = [...tagged.slice(0, position), { n, fresh: true }, ...tagged.slice(position)]
    const axes = tagged.flatMap((axis, i) => (axis.fresh ? [i] : []))
    const shape = tagged.map((axis) => axis.n)
    return {
      inputs: [x],
      build: (t) => apply('broadcast', { shape, axes }, t),
      oracle: (x) =>
        table(shape, (index) =>
          elementAt(
            x,
            index.filter((_, i) => !axes.includes(i)),
          ),
        ),
    }
  })

/** Arrays that agree in every axis but one, and that axis. */
export const joinable = (dtype: DType): fc.Arbitrary<{ readonly xs: readonly NdArray[]; readonly axis: number }> =>
  fc
    .tuple(shapes(1, 3), fc.nat(2), fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }))
    .chain(([shape, a, lengths]) => {
      const axis = a % shape.length
      const shapeOf = (n: number): readonly number[] => shape.map((m, i) => (i === axis ? n : m))
      return fc.tuple(...lengths.map((n) => arrays(shapeOf(n), dtype))).map((xs) => ({ xs, axis }))
    })

/** One after the other. */
export const joined = (xs: readonly NdArray[], axis: number): Expected => {
  const total = xs.reduce((sum, v) => sum + (v.shape[axis] ?? 0), 0)
  return table(
    (xs[0]?.shape ?? []).map((n, i) => (i === axis ? total : n)),
    (index) => {
      let position = index[axis] ?? 0
      for (const v of xs) {
        const n = v.shape[axis] ?? 0
        const local = position
        if (local < n)
          return elementAt(
            v,
            index.map((e, i) => (i === axis ? local : e)),
          )
        position -= n
      }
      return NaN
    },
  )
}

/** Elements in reversed order along some axes. */
export const reversed = (x: NdArray, axes: readonly number[]): Expected =>
  table(x.shape, (index) =>
    elementAt(
      x,
      index.map((v, a) => (axes.includes(a) ? (x.shape[a] ?? 0) - 1 - v : v)),
    ),
  )

/** Axes in another order. */
export const permuted = (x: NdArray, p: readonly number[]): Expected =>
  table(
    p.map((a) => x.shape[a] ?? 0),
    (index) =>
      elementAt(
        x,
        x.shape.map((_, a) => index[p.indexOf(a)] ?? 0),
      ),
  )

/** Other shapes of as many elements. */
export const refits = (shape: readonly number[]): fc.Arbitrary<readonly number[]> =>
  fc
    .shuffledSubarray([...shape], { minLength: shape.length })
    .chain((s) => fc.constantFrom(s, [...s, 1], [count(shape)]))

/** All permutations of the axes. */
export const orders = (shape: readonly number[]): fc.Arbitrary<readonly number[]> =>
  fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })

const concatenate: Entry = entry({
  dtypes: all,
  cases: (dtype) =>
    joinable(dtype).map(({ xs, axis }) => ({
      inputs: xs,
      build: (...ts) => apply('concatenate', { axis }, ...ts),
      oracle: (...xs) => joined(xs, axis),
    })),
  differentiableIn: 'floats',
  lacks: ['scalar'],
  errors: [
    badShape(/^concatenate: needs at least one tensor$/, [], () => apply('concatenate', { axis: 0 })),
    badShape(/^concatenate: axes \[2\] must be different axes/, ['f32[2,3]', 'f32[2,3]'], (...xs) =>
      apply('concatenate', { axis: 2 }, ...xs),
    ),
    badShape(/^concatenate: \[2,3\], \[2,4\] must agree in every axis but 0$/, ['f32[2,3]', 'f32[2,4]'], (...xs) =>
      apply('concatenate', { axis: 0 }, ...xs),
    ),
    badDType(/^concatenate: dtypes f32, i32 differ$/, ['f32[2]', 'i32[2]'], (...xs) =>
      apply('concatenate', { axis: 0 }, ...xs),
    ),
  ],
})

/** A row for each. */
export const movements: {
  readonly [K in 'broadcast' | 'reshape' | 'transpose' | 'reverse' | 'pad' | 'slice' | 'concatenate']: Entry
} = {
  broadcast: moving(broadcast, [
    badShape(/^broadcast: \[3\] is not \[2,4\] without axes \[0\]$/, ['f32[3]'], (x) =>
      apply('broadcast', { shape: [2, 4], axes: [0] }, x),
    ),
    badShape(/^broadcast: axes \[2\] must be different axes/, ['f32[3]'], (x) =>
      apply('broadcast', { shape: [2, 3], axes: [2] }, x),
    ),
  ]),
  reshape: moving(
    movement(
      refits,
      (x, shape) => apply('reshape', { shape }, x),
      (x, shape) => ({ shape, data: x.data }),
    ),
    [
      badShape(/^reshape: \[2,3\] has 6 elements, \[4,2\] has 8$/, ['f32[2,3]'], (x) =>
        apply('reshape', { shape: [4, 2] }, x),
      ),
      badShape(/^a shape holds whole numbers ≥ 0, got \[4,1\.5\]$/, ['f32[2,3]'], (x) =>
        apply('reshape', { shape: [4, 1.5] }, x),
      ),
    ],
  ),
  transpose: moving(
    movement(orders, (x, permutation) => apply('transpose', { permutation }, x), permuted),
    [
      badShape(/^transpose: \[1\] does not name every axis of \[2,3\] once$/, ['f32[2,3]'], (x) =>
        apply('transpose', { permutation: [1] }, x),
      ),
      badShape(/^transpose: axes \[0,0\] must be different axes/, ['f32[2,3]'], (x) =>
        apply('transpose', { permutation: [0, 0] }, x),
      ),
    ],
  ),
  reverse: moving(
    movement(
      (shape) => axesOf(shape.length),
      (x, axes) => apply('reverse', { axes }, x),
      reversed,
    ),
    [badShape(/^reverse: axes \[1\] must be different axes/, ['f32[2]'], (x) => apply('reverse', { axes: [1] }, x))],
  ),
  pad: moving(
    movement(paddings, (x, a) => apply('pad', padAttributes(a), x), padOracle),
    [
      badShape(/^pad: amounts are ≥ 0; use slice to crop$/, ['f32[2]'], (x) =>
        apply('pad', { low: [-1], high: [0], interior: [0] }, x),
      ),
      badShape(/^pad: needs one whole number for each axis of \[2\]$/, ['f32[2]'], (x) =>
        apply('pad', { low: [0, 0], high: [0], interior: [0] }, x),
      ),
    ],
  ),
  slice: moving(
    movement(pieces, (x, a) => apply('slice', sliceAttributes(a), x), sliceOracle),
    [
      badShape(/^slice: \[0\] … \[3\] by \[1\] does not lie in \[2\]$/, ['f32[2]'], (x) =>
        apply('slice', { start: [0], limit: [3], stride: [1] }, x),
      ),
      badShape(/^slice: \[1\] … \[0\] by \[1\] does not lie in \[2\]$/, ['f32[2]'], (x) =>
        apply('slice', { start: [1], limit: [0], stride: [1] }, x),
      ),
      badShape(/^slice: \[0\] … \[2\] by \[0\] does not lie in \[2\]$/, ['f32[2]'], (x) =>
        apply('slice', { start: [0], limit: [2], stride: [0] }, x),
      ),
      badShape(/^slice: needs one whole number for each axis of \[2\]$/, ['f32[2]'], (x) =>
        apply('slice', { start: [], limit: [2], stride: [1] }, x),
      ),
    ],
  ),
  concatenate,
}
