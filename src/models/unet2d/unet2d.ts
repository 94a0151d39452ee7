/**
 * diffusers' `UNet2DModel` (0.27.2): the U-Net of Ho et al. 2020 (DDPM), and with other stages that of guided diffusion (Dhariwal & Nichol 2021)
 * and NCSN++ (Song et al. 2021). Group norms, attention at the sizes that are named, and the time added, or as a scale and a shift.
 */
import { requireKnown } from '../../prelude/options.ts'
import { at } from '../../prelude/array.ts'
import { silu } from '../../nn/activations.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { groupNorm, type GroupNormParams } from '../../nn/groupNorm.ts'
import { compose, type Module } from '../../nn/module.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { DenoiserInput } from '../family.ts'
import { requireInput, requireSize } from '../requireInput.ts'
import { requireFaultless } from '../settingFault.ts'
import { tellableTimes } from '../tellableTimes.ts'
import { faultOf } from './faults.ts'
import { layersOf, type Descent, unet2dOptions, type Unet2dOptions, type Unet2dStageParams } from './layers.ts'
import { middleOf, type Unet2dMiddleParams } from './middle.ts'
import { groupsOf, stagesDown, stagesUp } from './stages.ts'
import { timeNetwork, type TimeParams } from './time.ts'
import { downStage, type SmallImageParams } from './wayDown.ts'
import { upStage, type ImageHeadParams, type Rise } from './wayUp.ts'

/** The parameters of {@link unet2d}. */
export interface Unet2dParams {
  readonly stem: Conv2dParams
  readonly time: TimeParams
  readonly down: readonly Unet2dStageParams<SmallImageParams>[]
  readonly middle: Unet2dMiddleParams
  readonly up: readonly Unet2dStageParams<ImageHeadParams>[]
  readonly norm: GroupNormParams
  readonly head: Conv2dParams
}

/** Images that lie on the way up: what the middle and the first stage give, and the result. */
interface Seen {
  readonly bottom: Tensor
  readonly rises: readonly Tensor[]
  readonly image: Tensor
}

/** The network, which gives its image, and on the way to it what its middle and each stage on the way up give. */
const build = (options: Unet2dOptions): Module<Unet2dParams, DenoiserInput, Seen> => {
  requireKnown('unet2d', options, unet2dOptions)
  requireFaultless('unet2d', faultOf, options)
  const {
    channels = 3,
    outChannels = channels,
    widths,
    layers: count,
    conditions = 0,
    tokenWidth = 0,
    time: timeKind,
  } = options
  const layers = layersOf(options)
  const first = at(widths, 0)
  return compose(
    {
      stem: conv2d(channels, first, 3, { padding: 1 }),
      time: timeNetwork(options),
      down: stagesDown(options).map((stage) => downStage(stage, options, layers)),
      middle: middleOf(options, layers),
      up: stagesUp(options).map((stage) => upStage(stage, options, layers)),
      norm: groupNorm(groupsOf(options, first), first, { epsilon: layers.epsilon }),
      head: conv2d(first, outChannels, 3, { padding: 1 }),
    },
    (net, input: DenoiserInput): Seen => {
      requireSize('unet2d', input.x, channels, widths.length - 1)
      requireInput('unet2d', input, { conditions, tokenWidth })
      const { dtype } = input.x
      const t = tellableTimes(input)
      const tokens = input.tokens?.cast(dtype)
      const time = net.time({ t, condition: input.condition?.cast(dtype), dtype })
      const x = options.centre === true ? input.x.mul(2).sub(1) : input.x
      const start: Descent = { x: net.stem(x), small: x, skips: [] }
      const descents = net.down.reduce<readonly Descent[]>(
        (done, stage) => [...done, stage({ ...at(done, done.length - 1), time, tokens })],
        [start],
      )
      const skips = descents.flatMap((descent, i) => (i === 0 ? [descent.x] : descent.skips))
      const bottom = net.middle({ x: at(descents, descents.length - 1).x, time, tokens })
      const rises = net.up.reduce<readonly Rise[]>(
        (done, stage, i) => {
          const seen = skips.slice(0, skips.length - i * (count + 1)) // from here back
          return [...done, stage({ ...at(done, done.length - 1), time, tokens, skips: seen })]
        },
        [{ x: bottom, small: undefined }],
      )
      const { x: top, small } = at(rises, rises.length - 1)
      const made = net.head(silu(net.norm(top))) // silu whatever the activation of the blocks is, as diffusers has it
      const y = small === undefined ? made : made.add(small)
      return {
        bottom,
        rises: rises.slice(1).map((rise) => rise.x),
        image: timeKind === 'fourier' ? y.div(t.reshape([at(t.shape, 0), 1, 1, 1]).cast(dtype)) : y,
      }
    },
  )
}

/**
 * A U-Net that reads noisy images and their times, and gives images of the same size: `x [N, H, W, channels], t [N] → [N, H, W, outChannels]`.
 * With `conditions: K` it also reads what each image is, a vector `condition [N, K]`. Height and width are divisible by 2^(widths − 1). Times are
 * numbers of steps, and with `time: 'fourier'` deviations σ of the noise, by which the result is divided. With stages of `cross-attention` it reads a
 * sequence too, `tokens [N, L, tokenWidth]`.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for images of another size, naming the ones that fit
 * @example
 * ```ts
 * import { countElements, key, tensor, zeros } from 'fathom'
 * import { unet2d } from 'fathom/models'
 *
 * // of Ho et al. 2020, for CIFAR-10
 * const model = unet2d({ widths: [128, 256, 256, 256], layers: 2, down: ['plain', 'attention', 'plain', 'plain'], downPadding: 0, frequencyShift: 1, cosinesFirst: false })
 * const params = model.init(key(0)) // nothing is computed yet
 * countElements(params) // => 35746307
 * model.apply(params, { x: zeros([2, 32, 32, 3]), t: tensor(Int32Array.of(0, 999)) }).shape // => [2, 32, 32, 3]
 * unet2d({ widths: [48], layers: 1, down: ['plain'] }) // throws RangeError: unet2d: groups must be a number that divides the channels of every norm: 32 groups do not divide 48
 * ```
 */
export const unet2d = (options: Unet2dOptions): Module<Unet2dParams, DenoiserInput> => {
  const { init, apply } = build(options)
  return { init, apply: (params, input, mode) => apply(params, input, mode).image }
}

/**
 * What the network sees in images: its middle, and its first stage on the way up, as `unetFeatures`.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for images of another size, naming the ones that fit
 */
export const unet2dFeatures = (options: Unet2dOptions): Module<Unet2dParams, DenoiserInput, readonly Tensor[]> => {
  const { init, apply } = build(options)
  return {
    init,
    apply: (params, input, mode) => {
      const { bottom, rises } = apply(params, input, mode)
      return [bottom, at(rises, 0)]
    },
  }
}
