/** Choices: Gumbel numbers, categories from logits, permutations. */
import { expectTensor } from '../expect.ts'
import { DTypeError } from '../../prelude/errors.ts'
import { isFloat, type DType } from '../../graph/dtype.ts'
import type { Shape } from '../../graph/shape.ts'
import { call } from '../annotate.ts'
import { argmax, argsort } from '../combine.ts'
import { constant } from '../create.ts'
import type { Tensor } from '../tensor.ts'
import {
  interpolate,
  interpolateOnHost,
  lazily,
  locate,
  locateOnHost,
  segmentOf,
  segmentsPerHalf,
  sideOf,
  tabulate,
} from './quantile.ts'
import type { Key } from './threefry.ts'
import { bits } from './uniform.ts'

/** −ln(−ln u) reaches 22.2 for 32 bits; 22.2 · 2¹⁹ < 2²⁴. */
const scale = 2 ** 19

/** Both halves one after the other: u = p, then u = 1 − p. */
const halves = lazily(
  () =>
    new Int32Array([
      ...tabulate((p) => -Math.log(-Math.log(p)), scale),
      ...tabulate((p) => -Math.log(-Math.log1p(-p)), scale),
    ]),
)
const table = lazily(() => constant(halves(), { shape: [2 * segmentsPerHalf, 2] }))

const fromBits = (words: Tensor): Tensor => {
  const place = locate(words)
  const row = segmentOf(place).add(sideOf(place).and(segmentsPerHalf))
  return interpolate(table(), row, place)
    .cast('f32')
    .mul(1 / scale)
}

/**
 * Independent standard Gumbel numbers −ln(−ln u), bitwise equal on every backend (the quantile is interpolated in integers, as for the
 * normal): absolute error below 2⁻¹⁷, values in [−3.1, 22.2].
 *
 * @returns a float tensor of `shape`
 *
 * @example
 * ```ts
 * import { gumbel, key } from 'fathom'
 *
 * gumbel(key(0), [3]) // => [0.138, 0.673, -0.426]
 * gumbel(key(1), [10_000]).mean() // => 0.57
 * ```
 */
export const gumbel = (key: Key, shape: Shape, dtype: DType = 'f32'): Tensor =>
  call('gumbel', (words: Tensor) => fromBits(words).cast(dtype))(bits(key, shape))

/** The number that {@link gumbel} makes of a random word in [0, 2³²), computed on the host: equal bit for bit. */
export const gumbelFromBits = (word: number): number => {
  const { side, segment, fraction } = locateOnHost(word)
  return interpolateOnHost(halves(), segment + (side & segmentsPerHalf), fraction) / scale
}

/**
 * One category for each row of logits, with probability softmax(logits): the argmax of logits + Gumbel noise (Gumbel 1954; Maddison, Tarlow,
 * Minka 2014, section 2). Equal logits give equal choices on every backend: the noise is exact and the sum rounds once.
 *
 * Where logits are no distribution, the choice says so as far as an index can: with a NaN it is the first class whose logit is NaN, with ∞
 * the first of those, and with nothing but −∞ class 0. A class of −∞ is chosen in no other case.
 *
 * @param logits float […, classes], finite or −∞ for what may not be chosen
 * @returns i32 […]
 * @throws DTypeError if the logits are no floats
 *
 * @example
 * ```ts
 * import { categorical, key, tensor } from 'fathom'
 *
 * const logits = tensor([0.2, 0.3, 0.5]).log()
 * categorical(key(0), logits) // => 1
 * const many = categorical(key(1), logits.broadcastTo([10_000, 3]))
 * many.equal(2).cast('f32').mean() // => 0.49
 * ```
 */
export const categorical = (key: Key, logits: Tensor): Tensor => {
  expectTensor('categorical', logits)
  if (!isFloat(logits.dtype))
    throw new DTypeError(`categorical: takes float logits, got ${logits.dtype}; for probabilities pass their logarithm`)
  return argmax(logits.add(gumbel(key, logits.shape, logits.dtype)))
}

/**
 * The numbers 0 … n − 1 in random order: the argsort of n random words. Equal words keep their order, so each pair stays in order with
 * probability ½ + 2⁻³³.
 *
 * @returns i32 [n]
 *
 * @example
 * ```ts
 * import { key, permutation } from 'fathom'
 *
 * permutation(key(0), 6) // => [2, 0, 1, 5, 3, 4]
 * ```
 */
export const permutation = (key: Key, n: number): Tensor => argsort(bits(key, [n]))
