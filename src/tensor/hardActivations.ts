/** Activations without exponentials: what stands in for σ, silu and tanh where they are dear. */
import { givenTensor } from './expect.ts'
import { customVjp } from './annotate.ts'
import type { Tensor } from './tensor.ts'

const isAtMost = (x: Tensor, bound: number): Tensor => x.less(bound).or(x.equal(bound))
const isAtLeast = (x: Tensor, bound: number): Tensor => x.greater(bound).or(x.equal(bound))

/**
 * min(max(x, 0), 6) (Krizhevsky 2010), with gradient 0 at 0 and at 6; NaN stays NaN.
 *
 * @example
 * ```ts
 * import { relu6, tensor } from 'fathom'
 *
 * relu6(tensor([-2, 3, 7])) // => [0, 3, 6]
 * ```
 */
export const relu6 = (x: Tensor): Tensor => isAtMost(givenTensor('relu6', x), 0).select(0, isAtLeast(x, 6).select(6, x))

/**
 * relu6(x + 3) / 6: σ in three straight pieces (Howard et al. 2019, section 5.2).
 *
 * @example
 * ```ts
 * import { hardsigmoid, tensor } from 'fathom'
 *
 * hardsigmoid(tensor([-4, 0, 1.5, 4])) // => [0, 0.5, 0.75, 1]
 * ```
 */
export const hardsigmoid = (x: Tensor): Tensor =>
  isAtMost(givenTensor('hardsigmoid', x), -3).select(0, isAtLeast(x, 3).select(1, x.add(3).div(6)))

/**
 * x·relu6(x + 3) / 6 (Howard et al. 2019, section 5.2). Its derivative is x/3 + ½ from −3 to 3, both ends included, as in PyTorch; 0 and 1 beyond.
 *
 * @example
 * ```ts
 * import { hardswish, tensor } from 'fathom'
 *
 * hardswish(tensor([-4, -1, 0, 1, 4])) // => [0, -0.333, 0, 0.667, 4]
 * ```
 */
export const hardswish: (x: Tensor) => Tensor = customVjp(
  (x: Tensor): Tensor => x.mul(relu6(x.add(3))).div(6),
  ([x], g): [Tensor] => [g.mul(x.less(-3).select(0, x.greater(3).select(1, x.div(3).add(0.5))))],
)

/**
 * x / (1 + |x|) (Turian et al. 2009).
 *
 * @example
 * ```ts
 * import { softsign, tensor } from 'fathom'
 *
 * softsign(tensor([-3, 0, 1])) // => [-0.75, 0, 0.5]
 * ```
 */
export const softsign = (x: Tensor): Tensor => givenTensor('softsign', x).div(x.abs().add(1))
