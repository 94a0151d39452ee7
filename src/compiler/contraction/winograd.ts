/**
 * Winograd's transforms along one axis. F(m, 3) computes m outputs of a filter with three taps from m + 2 inputs with m + 2 products, where the
 * sum itself takes 3·m: y = Aᵀ((G g) ⊙ (Bᵀ d)) for the filter g and the inputs d (Lavin & Gray 2016, section 4). The filter's gradient is the
 * transpose: ḡ = Gᵀ((Bᵀ d) ⊙ (A ȳ)).
 *
 * The matrices evaluate and interpolate polynomials at 0, ±1, ±2 and ∞ (F(2, 3): without ±2). Rows for x and −x have the same even part, and
 * odd parts of opposite sign: so they are computed as a sum and a difference. How a row is summed is a matter of rounding, so a transform is
 * written as its sums, over any values that can be added and scaled: a backend gives expressions of its code, and {@link matrixOf} gives numbers.
 */
import { at, range } from '../../prelude/array.ts'

/** What transforms do with values. */
export interface Arithmetic<V> {
  readonly plus: (x: V, y: V) => V
  readonly minus: (x: V, y: V) => V
  readonly times: (a: number, x: V) => V
  /** a·x + y, rounded once or twice. */
  readonly scaled: (a: number, x: V, y: V) => V
}

/** A linear map. */
export interface Transform {
  readonly from: number
  readonly to: number
  readonly of: <V>(values: readonly V[], arithmetic: Arithmetic<V>) => readonly V[]
}

/** An algorithm F(m, 3). */
export interface Winograd {
  /** m: outputs along an axis. */
  readonly outputs: 2 | 4
  /** m + 2: inputs along an axis, and products. */
  readonly points: 4 | 6
  /** G: taps to points. */
  readonly filter: Transform
  /** Bᵀ: inputs to points. */
  readonly input: Transform
  /** Aᵀ: points to outputs. */
  readonly output: Transform
  /** A: cotangents of outputs to points. */
  readonly outputTransposed: Transform
  /** Gᵀ: points to cotangents of taps. */
  readonly filterTransposed: Transform
}

/** The transforms of an algorithm. */
export type TransformName = Exclude<keyof Winograd, 'outputs' | 'points'>

/** Tuples by their lengths. */
interface Tuples<V> {
  readonly 2: readonly [V, V]
  readonly 3: readonly [V, V, V]
  readonly 4: readonly [V, V, V, V]
  readonly 6: readonly [V, V, V, V, V, V]
}

/** The first values as a tuple. */
const tuples: { readonly [N in keyof Tuples<unknown>]: <V>(values: readonly V[]) => Tuples<V>[N] } = {
  2: (v) => [at(v, 0), at(v, 1)],
  3: (v) => [at(v, 0), at(v, 1), at(v, 2)],
  4: (v) => [at(v, 0), at(v, 1), at(v, 2), at(v, 3)],
  6: (v) => [at(v, 0), at(v, 1), at(v, 2), at(v, 3), at(v, 4), at(v, 5)],
}

/** The arithmetic, and even + odd, even − odd. */
interface Sums<V> extends Arithmetic<V> {
  readonly both: (even: V, odd: V) => readonly [V, V]
}

/** A transform of `from` values, which its sums take as a tuple. */
const transform = <N extends keyof Tuples<unknown>>(
  from: N,
  to: number,
  of: <V>(values: Tuples<V>[N], sums: Sums<V>) => readonly V[],
): Transform => ({
  from,
  to,
  of: <V>(values: readonly V[], arithmetic: Arithmetic<V>) => {
    const { plus, minus } = arithmetic
    const both = (even: V, odd: V): readonly [V, V] => [plus(even, odd), minus(even, odd)]
    return of(tuples[from](values), { ...arithmetic, both })
  },
})

const f2: Winograd = {
  outputs: 2,
  points: 4,
  filter: transform(3, 4, ([g0, g1, g2], { plus, times, both }) => [
    g0,
    ...both(times(1 / 2, plus(g0, g2)), times(1 / 2, g1)),
    g2,
  ]),
  input: transform(4, 4, ([d0, d1, d2, d3], { minus, both }) => [minus(d0, d2), ...both(d2, d1), minus(d1, d3)]),
  output: transform(4, 2, ([m0, m1, m2, m3], { plus, minus, both }) => {
    const [even, odd] = both(m1, m2)
    return [plus(m0, even), minus(odd, m3)]
  }),
  outputTransposed: transform(2, 4, ([y0, y1], { times, both }) => [y0, ...both(y0, y1), times(-1, y1)]),
  filterTransposed: transform(4, 3, ([u0, u1, u2, u3], { plus, scaled, times, both }) => {
    const [even, odd] = both(u1, u2)
    return [scaled(1 / 2, even, u0), times(1 / 2, odd), plus(times(1 / 2, even), u3)]
  }),
}

const f4: Winograd = {
  outputs: 4,
  points: 6,
  filter: transform(3, 6, ([g0, g1, g2], { plus, times, scaled, both }) => [
    times(1 / 4, g0),
    ...both(times(-1 / 6, plus(g0, g2)), times(-1 / 6, g1)),
    ...both(scaled(1 / 6, g2, times(1 / 24, g0)), times(1 / 12, g1)),
    g2,
  ]),
  input: transform(6, 6, ([d0, d1, d2, d3, d4, d5], { minus, times, scaled, both }) => [
    scaled(4, d0, scaled(-5, d2, d4)),
    ...both(scaled(-4, d2, d4), scaled(-4, d1, d3)),
    ...both(minus(d4, d2), times(2, minus(d3, d1))),
    scaled(4, d1, scaled(-5, d3, d5)),
  ]),
  output: transform(6, 4, ([m0, m1, m2, m3, m4, m5], { plus, scaled, both }) => {
    const [[even1, odd1], [even2, odd2]] = [both(m1, m2), both(m3, m4)]
    return [
      plus(m0, plus(even1, even2)),
      scaled(2, odd2, odd1),
      scaled(4, even2, even1),
      plus(scaled(8, odd2, odd1), m5),
    ]
  }),
  outputTransposed: transform(4, 6, ([y0, y1, y2, y3], { plus, times, scaled, both }) => [
    y0,
    ...both(plus(y0, y2), plus(y1, y3)),
    ...both(scaled(4, y2, y0), scaled(8, y3, times(2, y1))),
    y3,
  ]),
  filterTransposed: transform(6, 3, ([u0, u1, u2, u3, u4, u5], { plus, times, scaled, both }) => {
    const [[even1, odd1], [even2, odd2]] = [both(u1, u2), both(u3, u4)]
    return [
      scaled(1 / 4, u0, scaled(-1 / 6, even1, times(1 / 24, even2))),
      scaled(-1 / 6, odd1, times(1 / 12, odd2)),
      plus(scaled(-1 / 6, even1, times(1 / 6, even2)), u5),
    ]
  }),
}

/** The algorithms by their outputs along an axis. */
export const winograds: { readonly [M in 2 | 4]: Winograd } = { 2: f2, 4: f4 }

/** Numbers that a row of a matrix multiplies its inputs by. */
type Row = readonly number[]

const rows: Arithmetic<Row> = {
  plus: (x, y) => x.map((v, i) => v + (y[i] ?? 0)),
  minus: (x, y) => x.map((v, i) => v - (y[i] ?? 0)),
  times: (a, x) => x.map((v) => a * v),
  scaled: (a, x, y) => x.map((v, i) => a * v + (y[i] ?? 0)),
}

/** The matrix of a transform, a row for each result. */
export const matrixOf = ({ from, of }: Transform): readonly (readonly number[])[] =>
  of(
    range(from).map((i): Row => range(from).map((j) => (i === j ? 1 : 0))),
    rows,
  )
