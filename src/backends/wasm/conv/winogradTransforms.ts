/**
 * Winograd's transforms along one axis, as code. F(m, 3) computes m outputs of a filter with three taps from m + 2 inputs with m + 2 products,
 * where the sum itself takes 3·m: y = Aᵀ((G g) ⊙ (Bᵀ d)) for the filter g and the inputs d (Lavin & Gray 2016, section 4). The filter's
 * gradient is the transpose: ḡ = Gᵀ((Bᵀ d) ⊙ (A ȳ)).
 *
 * The matrices evaluate and interpolate polynomials at 0, ±1, ±2 and ∞ (F(2, 3): without ±2). Rows for x and −x have the same even part, and
 * odd parts of opposite sign: so they are computed as a sum and a difference.
 */
import { apply, type Expression } from '../assembler/code.ts'
import { fadd, fmul, fsub, keep, lanes, type Emitter } from '../emit/emitter.ts'

/** A linear map of vectors whose lanes have nothing to do with one another. */
export interface Transform {
  readonly from: number
  readonly to: number
  /** @param fma whether products may be added in one operation */
  readonly of: (e: Emitter, fma: boolean, values: readonly Expression[]) => readonly Expression[]
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

/** Arithmetic of vectors whose results are named, so that each is computed once. */
const arithmetic = (e: Emitter, fma: boolean) => {
  const named = (x: Expression): Expression => keep(e, 'value', x)
  const plus = (x: Expression, y: Expression): Expression => named(fadd(x, y))
  const minus = (x: Expression, y: Expression): Expression => named(fsub(x, y))
  const times = (a: number, x: Expression): Expression => named(fmul(lanes(e, a), x))
  /** a·x + y. */
  const scaled = (a: number, x: Expression, y: Expression): Expression =>
    fma ? named(apply('f32x4.relaxed_madd', [lanes(e, a), x, y])) : plus(times(a, x), y)
  /** even + odd, even − odd. */
  const both = (even: Expression, odd: Expression): readonly [Expression, Expression] => [
    plus(even, odd),
    minus(even, odd),
  ]
  return { plus, minus, times, scaled, both }
}

type Two = readonly [Expression, Expression]
type Three = readonly [...Two, Expression]
type Four = readonly [...Three, Expression]
type Six = readonly [...Four, Expression, Expression]

/** A transform of `from` vectors, which its code takes as a tuple. */
const transform = <V extends readonly Expression[]>(
  from: V['length'],
  to: number,
  of: (values: V, a: ReturnType<typeof arithmetic>) => readonly Expression[],
): Transform => ({ from, to, of: (e, fma, values) => of(values as V, arithmetic(e, fma)) })

const f2: Winograd = {
  outputs: 2,
  points: 4,
  filter: transform<Three>(3, 4, ([g0, g1, g2], { plus, times, both }) => [
    g0,
    ...both(times(1 / 2, plus(g0, g2)), times(1 / 2, g1)),
    g2,
  ]),
  input: transform<Four>(4, 4, ([d0, d1, d2, d3], { minus, both }) => [minus(d0, d2), ...both(d2, d1), minus(d1, d3)]),
  output: transform<Four>(4, 2, ([m0, m1, m2, m3], { plus, minus, both }) => {
    const [even, odd] = both(m1, m2)
    return [plus(m0, even), minus(odd, m3)]
  }),
  outputTransposed: transform<Two>(2, 4, ([y0, y1], { times, both }) => [y0, ...both(y0, y1), times(-1, y1)]),
  filterTransposed: transform<Four>(4, 3, ([u0, u1, u2, u3], { plus, scaled, times, both }) => {
    const [even, odd] = both(u1, u2)
    return [scaled(1 / 2, even, u0), times(1 / 2, odd), plus(times(1 / 2, even), u3)]
  }),
}

const f4: Winograd = {
  outputs: 4,
  points: 6,
  filter: transform<Three>(3, 6, ([g0, g1, g2], { plus, times, scaled, both }) => [
    times(1 / 4, g0),
    ...both(times(-1 / 6, plus(g0, g2)), times(-1 / 6, g1)),
    ...both(scaled(1 / 6, g2, times(1 / 24, g0)), times(1 / 12, g1)),
    g2,
  ]),
  input: transform<Six>(6, 6, ([d0, d1, d2, d3, d4, d5], { minus, times, scaled, both }) => [
    scaled(4, d0, scaled(-5, d2, d4)),
    ...both(scaled(-4, d2, d4), scaled(-4, d1, d3)),
    ...both(minus(d4, d2), times(2, minus(d3, d1))),
    scaled(4, d1, scaled(-5, d3, d5)),
  ]),
  output: transform<Six>(6, 4, ([m0, m1, m2, m3, m4, m5], { plus, scaled, both }) => {
    const [[even1, odd1], [even2, odd2]] = [both(m1, m2), both(m3, m4)]
    return [
      plus(m0, plus(even1, even2)),
      scaled(2, odd2, odd1),
      scaled(4, even2, even1),
      plus(scaled(8, odd2, odd1), m5),
    ]
  }),
  outputTransposed: transform<Four>(4, 6, ([y0, y1, y2, y3], { plus, times, scaled, both }) => [
    y0,
    ...both(plus(y0, y2), plus(y1, y3)),
    ...both(scaled(4, y2, y0), scaled(8, y3, times(2, y1))),
    y3,
  ]),
  filterTransposed: transform<Six>(6, 3, ([u0, u1, u2, u3, u4, u5], { plus, times, scaled, both }) => {
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
