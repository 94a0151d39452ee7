/** The diffusion transformer, Peebles & Xie 2023 ("Scalable diffusion models with transformers"): a ViT over patches, told the time by its norms. */
import { requireKnown } from '../../prelude/options.ts'
import { at, range } from '../../prelude/array.ts'
import { silu } from '../../nn/activations.ts'
import { zeros } from '../../nn/init.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'
import { sinusoidalTimeEmbedding } from '../../nn/timeEmbedding.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { DenoiserInput } from '../family.ts'
import { mlp, type MlpParams } from '../mlp.ts'
import { requireDivisible, requireInput } from '../requireInput.ts'
import { requireFaultless } from '../settingFault.ts'
import { tellableTimes } from '../tellableTimes.ts'
import { beginning, glorot, small } from '../transformers/beginning.ts'
import { gridOf, mapOf, patchify, unpatchify } from '../transformers/patches.ts'
import { sinCosPositions } from '../transformers/positions.ts'
import { faultOf, inPatches, transformerOptions, type TransformerOptions } from '../transformers/settings.ts'
import { ditBlock, modulate, modulation, partsOf, type DitBlockParams } from './block.ts'

/** The settings of `dit`. */
export type DitOptions = TransformerOptions

/** The parameters of {@link dit}. */
export interface DitParams {
  readonly patches: LinearParams
  readonly time: MlpParams
  readonly condition: LinearParams | undefined
  readonly blocks: readonly DitBlockParams[]
  readonly modulation: LinearParams
  readonly head: LinearParams
}

/** Sines and cosines by which a time is told. */
const timeWidth = 256

/** What a network gives: its image, and what the tokens are after each block, as images. */
interface Seen {
  readonly maps: readonly Tensor[]
  readonly image: Tensor
}

/** The network, which gives its image, and on the way to it what its tokens are. */
const build = (options: DitOptions): Module<DitParams, DenoiserInput, Seen> => {
  requireKnown('dit', options, transformerOptions)
  requireFaultless('dit', faultOf, options)
  const { channels = 3, outChannels = channels, patch, width, depth, conditions = 0 } = options
  const embed = sinusoidalTimeEmbedding(timeWidth, { shift: 0, cosinesFirst: true })
  return compose(
    {
      patches: beginning(glorot, linear(patch ** 2 * channels, width)),
      time: beginning(small, mlp([timeWidth, width, width])),
      condition: conditions === 0 ? undefined : beginning(small, linear(conditions, width, { bias: false })),
      blocks: range(depth).map(() => ditBlock(options)),
      modulation: modulation(width, 2),
      head: beginning(zeros, linear(width, patch ** 2 * outChannels)),
    },
    ({ patches, time, condition, blocks, modulation, head }, input: DenoiserInput): Seen => {
      const { x } = input
      requireDivisible('dit', x, channels, patch, inPatches(options))
      requireInput('dit', input, { conditions })
      const grid = gridOf(x, patch)
      const sinusoids = embed.apply({}, tellableTimes(input))
      const ofTime = time(sinusoids.cast(x.dtype))
      const ofCondition = input.condition && condition?.(input.condition.cast(x.dtype))
      const told = silu(ofCondition === undefined ? ofTime : ofTime.add(ofCondition))
      const tokens = patches(patchify(x, patch)).add(sinCosPositions(grid, width, x.dtype))
      const all = blocks.reduce<readonly Tensor[]>(
        (done, block) => [...done, block({ x: at(done, done.length - 1), told })],
        [tokens],
      )
      const [shift, scale] = partsOf(modulation(told), 2)
      const last = modulate(at(all, depth), shift ?? told, scale ?? told)
      return { maps: all.slice(1).map((y) => mapOf(y, grid)), image: unpatchify(head(last), grid, patch) }
    },
  )
}

/**
 * A transformer that reads noisy images and their times, and gives images of the same size: `x [N, H, W, channels], t [N] → [N, H, W, outChannels]`.
 * With `conditions: K` it also reads what each image is, a vector `condition [N, K]`. Height and width are any that `patch` divides: a patch is a
 * token, whose place is told by sines and cosines. At the start every block is the identity, and the result is zero.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for images of another size, naming the ones that fit
 * @example
 * ```ts
 * import { countElements, key, tensor, zeros } from 'fathom'
 * import { dit, ditSizes } from 'fathom/models'
 *
 * // DiT-S/2 on latents of four channels
 * const model = dit({ ...ditSizes.S, patch: 2, channels: 4 })
 * const params = model.init(key(0)) // nothing is computed yet
 * countElements(params) // => 32474512
 * model.apply(params, { x: zeros([2, 32, 32, 4]), t: tensor(Int32Array.of(0, 999)) }).shape // => [2, 32, 32, 4]
 * dit({ patch: 4, width: 64, depth: 2, heads: 3 }) // throws RangeError: dit: heads must be a divisor of the width: 3 cannot share 64
 * ```
 */
export const dit = (options: DitOptions): Module<DitParams, DenoiserInput> => {
  const { init, apply } = build(options)
  return { init, apply: (params, input, mode) => apply(params, input, mode).image }
}

/**
 * What the network sees in images: its tokens after half and three quarters of its blocks, `[N, H/patch, W/patch, width]` each.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for images of another size, naming the ones that fit
 */
export const ditFeatures = (options: DitOptions): Module<DitParams, DenoiserInput, readonly Tensor[]> => {
  const { init, apply } = build(options)
  return {
    init,
    apply: (params, input, mode) => {
      const { maps } = apply(params, input, mode)
      return [0.5, 0.75].map((share) => at(maps, Math.ceil(share * maps.length) - 1))
    },
  }
}
