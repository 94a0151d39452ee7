/**
 * Operations that keep magnitudes: what goes in with a mean square of 1 comes out with one, where it is not correlated (Karras et al. 2024, "Analyzing
 * and Improving the Training Dynamics of Diffusion Models", section 2). Nothing then grows along a network, and no group norm must stop it.
 */
import { silu } from '../../nn/activations.ts'
import { at } from '../../prelude/array.ts'
import { concatenate } from '../../tensor/combine.ts'
import { inSingle } from '../../tensor/precision.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** silu(x)/0.596: √E[silu(z)²] = 0.596 of normal z (Karras et al. 2024, eq. 81). */
export const mpSilu = (x: Tensor): Tensor => silu(x).div(0.596)

/** What (1 − t)·a + t·b of two that are not correlated is divided by, √((1 − t)² + t²). */
const lengthOf = (t: number): number => Math.hypot(1 - t, t)

/** ((1 − t)·a + t·b) / √((1 − t)² + t²) (Karras et al. 2024, eq. 88). @param b absent is the same as zeros */
export const mpSum = (a: Tensor, b: Tensor | undefined, t: number): Tensor => {
  const first = a.mul((1 - t) / lengthOf(t))
  return b === undefined ? first : first.add(b.mul(t / lengthOf(t)))
}

/**
 * The channels of a and b side by side, weighed so that t is b's part of what a layer behind them sees, however many they are, and the mean square stays
 * 1 (Karras et al. 2024, eq. 103):
 *
 *     √((N_a + N_b) / ((1 − t)² + t²)) · [(1 − t)/√N_a · a, t/√N_b · b]
 */
export const mpCat = (a: Tensor, b: Tensor, t: number): Tensor => {
  const [first, second] = [at(a.shape, a.rank - 1), at(b.shape, b.rank - 1)]
  const scale = Math.sqrt(first + second) / lengthOf(t)
  return concatenate([a.mul((scale * (1 - t)) / Math.sqrt(first)), b.mul((scale * t) / Math.sqrt(second))], -1)
}

/** Added to the root of the mean square of a vector, by which it is divided. */
const epsilon = 1e-4

/** x / (10⁻⁴ + √mean(x²)) over the last axis (Karras et al. 2024, "pixel normalization"). Of zeros the gradient is finite, not NaN. */
export const pixelNorm = (x: Tensor): Tensor =>
  inSingle(x, (wide) => wide.div(wide.square().mean(-1, true).maximum(1e-24).sqrt().add(epsilon)))
