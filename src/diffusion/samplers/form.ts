/**
 * Forms: sums over what is known in a step, by their factors.
 *
 * Every sampler's step is linear in what it knows: the network's estimates x̂₀ and ε̂, x, what was kept of earlier steps, and fresh noise
 * z. So that a step can be written as its paper writes it, the formula is computed on the host in f64 with forms in the place of pictures;
 * what comes out are the factors, and only they enter the program.
 */
import { range } from '../../prelude/array.ts'
import type { Point } from '../point.ts'

/** The factors of x̂₀, ε̂ and x, then of what is kept, and of z at the end. */
export type Form = readonly number[]

/** What is known in a step, each as the form that is itself. */
export interface Terms {
  /** The image that the network sees in x. */
  readonly x0: Form
  /** The noise that it sees. */
  readonly epsilon: Form
  readonly x: Form
  /** What was kept of the steps before. */
  readonly kept: readonly Form[]
  /** Fresh standard normal noise. */
  readonly z: Form
}

/** The terms of a step that keeps so many pictures. */
export const termsOf = (kept: number): Terms => {
  const length = kept + 4
  const unit = (i: number): Form => range(length).map((j) => (i === j ? 1 : 0))
  return { x0: unit(0), epsilon: unit(1), x: unit(2), kept: range(kept).map((i) => unit(3 + i)), z: unit(length - 1) }
}

/** Σ factor · form. */
export const sum = (
  first: readonly [factor: number, form: Form],
  ...rest: readonly (readonly [factor: number, form: Form])[]
): Form =>
  first[1].map((x, i) => rest.reduce((total, [factor, form]) => total + factor * (form[i] ?? NaN), first[0] * x))

/** (p − q) · factor. */
export const difference = (p: Form, q: Form, factor = 1): Form => sum([factor, p], [-factor, q])

/** a′·x̂₀ + s′·ε̂: the step of first order to a point, which divides by nothing (Song et al. 2021, eq. 12 with σ = 0). */
export const straight = ({ x0, epsilon }: Pick<Terms, 'x0' | 'epsilon'>, to: Point): Form =>
  sum([to.a, x0], [to.s, epsilon])

/**
 * (a′/a)·x + (s′ − s·a′/a)·e: x carried from one point to another by a noise e that need not be its own; with its own it is {@link straight}.
 * That is formula 9 of Liu et al. 2022, whose denominator is the same difference made rational. From pure noise it cannot be written.
 */
export const carried = (x: Form, e: Form, from: Point, to: Point): Form =>
  sum([to.a / from.a, x], [to.s - (from.s * to.a) / from.a, e])
