/** Normal numbers within bounds, by inversion of the random words that fall between them: bitwise equal on every backend, and none is drawn twice. */
import { requireKnown } from '../../prelude/options.ts'
import type { DType } from '../../graph/dtype.ts'
import type { Shape } from '../../graph/shape.ts'
import { call } from '../annotate.ts'
import type { Tensor } from '../tensor.ts'
import { normalFromBits, normalOf } from './normal.ts'
import type { Key } from './threefry.ts'
import { randint } from './uniform.ts'

/** Where {@link truncatedNormal} ends. */
export interface TruncatedOptions {
  /** Default −2. */
  readonly low?: number
  /** Default 2. */
  readonly high?: number
  readonly dtype?: DType
}

/** The first random word in [0, 2³²] whose normal number is at least x: they rise with the words. */
const firstWord = (x: number): number => {
  let [below, from] = [-1, 2 ** 32]
  while (from - below > 1) {
    const middle = Math.floor((below + from) / 2)
    if (normalFromBits(middle) >= x) from = middle
    else below = middle
  }
  return from
}

/**
 * Independent numbers of the standard normal distribution between two bounds, as if all others were drawn again.
 *
 * @param options low and high, the bounds, within ±6; dtype, default f32
 * @throws RangeError where no number lies between the bounds
 * @example
 * ```ts
 * import { key, truncatedNormal } from 'fathom'
 *
 * const x = truncatedNormal(key(0), [200_000])
 * x.abs().max() // => 2.00
 * x.square().mean() // => 0.78
 * ```
 */
export const truncatedNormal = (key: Key, shape: Shape, options: TruncatedOptions = {}): Tensor => {
  requireKnown('truncatedNormal', options, ['low', 'high', 'dtype'])
  const { low = -2, high = 2, dtype = 'f32' } = options
  const [first, last] = [firstWord(low), firstWord(high)]
  if (!(first < last))
    throw new RangeError(`truncatedNormal: no number lies in [${low}, ${high}): low is below high, and both within ±6`)
  const signed = randint(key, shape, first - 2 ** 31, last - 2 ** 31)
  return call('truncatedNormal', (words: Tensor) => normalOf(words.bitcast('u32').xor(2 ** 31)).cast(dtype))(signed)
}
