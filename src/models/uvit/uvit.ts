/**
 * U-ViT, Bao et al. 2023 ("All are worth words"): a ViT to which time, condition and patches are tokens alike, with long skips from its first half
 * to its second, as a U-Net has them.
 */
import { requireKnown } from '../../prelude/options.ts'
import { at, range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { layerNorm, type LayerNormParams } from '../../nn/layerNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, parameter, type Module } from '../../nn/module.ts'
import { sinusoidalTimeEmbedding } from '../../nn/timeEmbedding.ts'
import { concatenate } from '../../tensor/combine.ts'
import { zeros } from '../../tensor/create.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { DenoiserInput } from '../family.ts'
import { requireDivisible, requireInput } from '../requireInput.ts'
import { requireFaultless } from '../settingFault.ts'
import { tellableTimes } from '../tellableTimes.ts'
import { beginning, glorot, small } from '../transformers/beginning.ts'
import { gridOf, mapOf, patchify, unpatchify, type Grid } from '../transformers/patches.ts'
import { sinCosPositions } from '../transformers/positions.ts'
import { inPatches, transformerOptions } from '../transformers/settings.ts'
import { uvitBlock, type UvitBlockParams } from './block.ts'
import { faultOf, placesOf, type UvitSettings } from './settings.ts'

/** The settings of `uvit`. */
export interface UvitOptions extends UvitSettings {
  /** Channels of the images, default 3. */
  readonly channels?: number
  /** Channels of the result, default `channels`. */
  readonly outChannels?: number
}

/** The parameters of {@link uvit}; `positions` are vectors for time and condition, and for the patches where `size` is given. */
export interface UvitParams {
  readonly patches: LinearParams
  readonly condition: LinearParams | undefined
  readonly positions: Tensor
  readonly down: readonly UvitBlockParams[]
  readonly middle: UvitBlockParams
  readonly up: readonly UvitBlockParams[]
  readonly norm: LayerNormParams
  readonly head: LinearParams
  readonly conv: Conv2dParams
}

/** What a network gives: its image, and what the tokens are after its middle and after the block behind that, as images. */
interface Seen {
  readonly maps: readonly Tensor[]
  readonly image: Tensor
}

/** Refuses images of another size than the one whose positions are learned. */
const requireLearned = (x: Tensor, size: UvitOptions['size']): void => {
  const [height, width] = [at(x.shape, 1), at(x.shape, 2)]
  if (size !== undefined && (size[0] !== height || size[1] !== width))
    throw new ShapeError(
      `uvit: images of ${height}×${width} do not fit: the positions are learned for ${size.join('×')}; without the setting size they are sines and cosines, of any size`,
    )
}

/** The parts of the network. */
const partsOf = (options: UvitOptions) => {
  const { channels = 3, outChannels = channels, patch, width, depth, conditions = 0 } = options
  const halves = range((depth - 1) / 2)
  return {
    patches: beginning(glorot, linear(patch ** 2 * channels, width)),
    condition: conditions === 0 ? undefined : beginning(small, linear(conditions, width, { bias: false })),
    positions: parameter(small([placesOf(options), width])),
    down: halves.map(() => uvitBlock(options, false)),
    middle: uvitBlock(options, false),
    up: halves.map(() => uvitBlock(options, true)),
    norm: layerNorm(width),
    head: beginning(small, linear(width, patch ** 2 * outChannels)),
    conv: conv2d(outChannels, outChannels, 3, { padding: 1 }),
  }
}

/** The network, which gives its image, and on the way to it what its tokens are. */
const build = (options: UvitOptions): Module<UvitParams, DenoiserInput, Seen> => {
  requireKnown('uvit', options, [...transformerOptions, 'size'])
  requireFaultless('uvit', faultOf, options)
  const { channels = 3, patch, width, conditions = 0, size } = options
  const embed = sinusoidalTimeEmbedding(width, { shift: 0, cosinesFirst: true })
  const told = conditions === 0 ? 1 : 2
  const placed = (learned: Tensor, grid: Grid, { dtype }: Tensor): Tensor =>
    size === undefined ? concatenate([learned, sinCosPositions(grid, width, dtype)], 0) : learned
  return compose(
    partsOf(options),
    ({ patches, condition, positions, down, middle, up, norm, head, conv }, input: DenoiserInput): Seen => {
      const { x } = input
      requireDivisible('uvit', x, channels, patch, inPatches(options))
      requireLearned(x, size)
      requireInput('uvit', input, { conditions })
      const [grid, n] = [gridOf(x, patch), at(x.shape, 0)]
      const ofTime = embed.apply({}, tellableTimes(input))
      const given = input.condition ?? zeros([n, conditions])
      const vectors = [ofTime.cast(x.dtype), ...(condition === undefined ? [] : [condition(given.cast(x.dtype))])]
      const words = concatenate([...vectors.map((v) => v.expandDims(1)), patches(patchify(x, patch))], 1)
      const first = words.add(placed(positions(), grid, x))
      const skips = down.reduce<readonly Tensor[]>(
        (done, block) => [...done, block({ x: at(done, done.length - 1), skip: undefined })],
        [first],
      )
      const bottom = middle({ x: at(skips, skips.length - 1), skip: undefined })
      const rises = up.reduce<readonly Tensor[]>(
        (done, block, i) => [...done, block({ x: at(done, i), skip: at(skips, skips.length - 1 - i) })],
        [bottom],
      )
      const onlyPatches = (tokens: Tensor): Tensor => tokens.slice([], [told, at(tokens.shape, 1)])
      const last = onlyPatches(at(rises, rises.length - 1))
      return {
        maps: rises.slice(0, 2).map((tokens) => mapOf(onlyPatches(tokens), grid)),
        image: conv(unpatchify(head(norm(last)), grid, patch)),
      }
    },
  )
}

/**
 * A transformer with long skips that reads noisy images and their times, and gives images of the same size: `x [N, H, W, channels], t [N] →
 * [N, H, W, outChannels]`. With `conditions: K` it also reads what each image is, a vector `condition [N, K]`, as one more token. `depth` is odd.
 * Places of patches are learned for one `size`, or else told by sines and cosines, for any that `patch` divides.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for images of another size, naming the ones that fit
 * @example
 * ```ts
 * import { countElements, key, tensor, zeros } from 'fathom'
 * import { uvit, uvitSizes } from 'fathom/models'
 *
 * // U-ViT-S/2 of the paper, for CIFAR-10
 * const model = uvit({ ...uvitSizes.S, patch: 2, size: [32, 32] })
 * const params = model.init(key(0)) // nothing is computed yet
 * countElements(params) // => 44255328
 * model.apply(params, { x: zeros([2, 32, 32, 3]), t: tensor(Int32Array.of(0, 999)) }).shape // => [2, 32, 32, 3]
 * uvit({ patch: 4, width: 64, depth: 4, heads: 4 }) // throws RangeError: uvit: depth must be odd, for as many blocks before the middle as behind it: 4 is not
 * ```
 */
export const uvit = (options: UvitOptions): Module<UvitParams, DenoiserInput> => {
  const { init, apply } = build(options)
  return { init, apply: (params, input, mode) => apply(params, input, mode).image }
}

/**
 * What the network sees in images: its tokens of patches after its middle and after the block behind that, `[N, H/patch, W/patch, width]` each.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for images of another size, naming the ones that fit
 */
export const uvitFeatures = (options: UvitOptions): Module<UvitParams, DenoiserInput, readonly Tensor[]> => {
  const { init, apply } = build(options)
  return { init, apply: (params, input, mode) => apply(params, input, mode).maps }
}
