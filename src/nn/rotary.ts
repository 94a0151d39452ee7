/** Rotary positions, Su et al. 2021 ("RoFormer"): pairs of channels turned by an angle that grows with the place. */
import { requireKnown } from '../prelude/options.ts'
import { at, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { concatenate, stack } from '../tensor/combine.ts'
import { constant } from '../tensor/create.ts'
import { expectTensor } from '../tensor/expect.ts'
import { halves } from '../tensor/halves.ts'
import { inSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** How channels are turned. */
export interface RotaryOptions {
  /** Pair i turns by base^(−2i/d) a place; default 10,000. */
  readonly base?: number
  /**
   * Which channels are a pair: `'interleaved'` 2i and 2i + 1, as in the paper and GPT-J; `'half'` i and i + d/2, as in GPT-NeoX and the Llama files of
   * Hugging Face. The same weights mean another function under each. Default `'interleaved'`.
   */
  readonly pairing?: 'interleaved' | 'half'
}

/** Refuses an odd number of channels. */
export const requirePairs = (who: string, width: number): void => {
  if (width % 2 !== 0)
    throw new RangeError(
      `${who}: rotary positions turn pairs of channels, and a head has ${width}: choose an even width of heads`,
    )
}

/** The angle of each pair at each place: […, T, d/2]. */
const anglesOf = (position: Tensor, width: number, base: number, dtype: Tensor['dtype']): Tensor => {
  const rates = constant(
    range(width / 2).map((i) => base ** ((-2 * i) / width)),
    { dtype },
  )
  return position.cast(dtype).expandDims(-1).mul(rates)
}

/** (a, b) turned: (a·cos θ − b·sin θ, a·sin θ + b·cos θ) (eq. 34) */
const turned = ([a, b]: readonly [Tensor, Tensor], cos: Tensor, sin: Tensor): readonly Tensor[] => [
  a.mul(cos).sub(b.mul(sin)),
  a.mul(sin).add(b.mul(cos)),
]

/** The even and the odd channels. */
const evenAndOdd = (x: Tensor): readonly [Tensor, Tensor] => {
  const [lead, width] = [x.shape.slice(0, -1), at(x.shape, x.rank - 1)]
  const [even, odd] = halves('rotary', x.reshape([...lead, width / 2, 2]), -1)
  return [even.reshape([...lead, width / 2]), odd.reshape([...lead, width / 2])]
}

/**
 * Vectors turned by their places, so that the product of two depends on the difference of their places only: `[…, T, d] → […, T, d]`. f16 is turned in
 * f32.
 *
 * @param x […, T, d], d even
 * @param position [T], or leading axes with T that broadcast against those of x: the place of each vector, whole or not
 * @throws ShapeError for positions that do not fit; RangeError for an odd d
 * @example
 * ```ts
 * import { iota, tensor } from 'fathom'
 * import { rotary } from 'fathom/nn'
 *
 * const x = tensor([[1, 0], [1, 0]])
 * rotary(x, iota([2], 0)) // => [[1, 0], [0.540, 0.841]]
 * rotary(tensor([[1, 2, 3]]), iota([1], 0)) // throws RangeError: rotary: rotary positions turn pairs of channels, and a head has 3: …
 * ```
 */
export const rotary = (x: Tensor, position: Tensor, options: RotaryOptions = {}): Tensor => {
  requireKnown('rotary', options, ['base', 'pairing'])
  const { base = 10_000, pairing = 'interleaved' } = options
  expectTensor('rotary', x)
  expectTensor('rotary', position)
  if (x.rank < 2 || position.rank < 1 || at(position.shape, position.rank - 1) !== at(x.shape, x.rank - 2))
    throw new ShapeError(
      `rotary: takes vectors […, T, d] and their places [T], got ${showShape(x.shape)} and ${showShape(position.shape)}`,
    )
  const width = at(x.shape, x.rank - 1)
  requirePairs('rotary', width)
  return inSingle(x, (wide) => {
    const angles = anglesOf(position, width, base, wide.dtype)
    const [cos, sin] = [angles.cos(), angles.sin()]
    return pairing === 'half'
      ? concatenate(turned(halves('rotary', wide, -1), cos, sin), -1)
      : stack(turned(evenAndOdd(wide), cos, sin), -1).reshape(x.shape)
  })
}
