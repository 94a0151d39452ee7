/** Settings of ours as the configuration of diffusers' `UNet2DModel`. */
import { faultIn, type Fault } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import type { Unet2dOptions } from './layers.ts'
import { stageNames } from './diffusersConfig.ts'
import { kindsDown, kindsUp, stageKinds, type StageKind } from './stages.ts'

/** How the size changes in stages with attention: one setting of diffusers for all of one way; undefined where they differ. */
const resizingOf = (kinds: readonly StageKind[]): 'conv' | 'resnet' | undefined => {
  const own = new Set(
    kinds
      .filter((kind) => kind === 'attention' || kind === 'residual-attention')
      .map((kind) => stageKinds[kind].resize),
  )
  if (own.size > 1) return undefined
  return own.has('residual') ? 'resnet' : 'conv'
}

const classesOf = ({ conditions = 0, conditioning = 'linear' }: Unet2dOptions): Readonly<Record<string, unknown>> => {
  if (conditions === 0) return { class_embed_type: null, num_class_embeds: null }
  if (conditioning === 'linear') return { class_embed_type: null, num_class_embeds: conditions }
  return { class_embed_type: conditioning === 'time' ? 'timestep' : 'identity', num_class_embeds: null }
}

/**
 * The config.json of diffusers' `UNet2DModel` for options of {@link unet2d}; Left with the first setting that diffusers has no word for.
 *
 * @param sampleSize of the pictures that it was trained on, in pixels: height and width
 * @example
 * ```ts
 * import { decodeDiffusersUnet2d, encodeDiffusersUnet2d } from 'fathom/models'
 *
 * const options = { widths: [32, 64], layers: 1, groups: 8, down: ['plain', 'attention'] } as const
 * const json = encodeDiffusersUnet2d(options, [16, 16])
 * if (json._tag === 'Left') throw new Error(json.left.expected)
 * json.right['block_out_channels'] // => [32, 64]
 * decodeDiffusersUnet2d(json.right) // => right({ settings: { widths: [32, 64], groups: 8, … }, channels: 3, … })
 * ```
 */
export const encodeDiffusersUnet2d = (
  options: Unet2dOptions,
  [height, width]: readonly [height: number, width: number],
): E.Either<Fault, Readonly<Record<string, unknown>>> => {
  const { channels = 3, outChannels = channels, widths, groups = 32, time = 'positional' } = options
  const ways = [kindsDown(options), kindsUp(options)] as const
  const [down, up] = [resizingOf(ways[0]), resizingOf(ways[1])]
  if (down === undefined || up === undefined)
    return E.left(
      faultIn(down === undefined ? 'down' : 'up', down === undefined ? ways[0] : ways[1], {
        expected: 'attention or residual-attention in all stages of one way, as diffusers has one setting for them',
      }),
    )
  return E.right({
    _class_name: 'UNet2DModel',
    _diffusers_version: '0.27.2',
    sample_size: height === width ? height : [height, width],
    in_channels: channels,
    out_channels: outChannels,
    center_input_sample: options.centre ?? false,
    time_embedding_type: time,
    ...(options.timeWidth !== undefined && { time_embedding_dim: options.timeWidth }),
    freq_shift: options.frequencyShift ?? 0,
    flip_sin_to_cos: options.cosinesFirst ?? true,
    down_block_types: ways[0].map((kind) => stageNames[kind][0]),
    up_block_types: ways[1].map((kind) => stageNames[kind][1]),
    block_out_channels: widths,
    layers_per_block: options.layers,
    mid_block_scale_factor: options.middleScale ?? 1,
    downsample_padding: options.downPadding ?? 1,
    downsample_type: down,
    upsample_type: up,
    dropout: options.dropout ?? 0,
    act_fn: options.activation ?? 'silu',
    attention_head_dim: options.headWidth ?? null,
    norm_num_groups: groups === 'quarter' ? null : groups,
    attn_norm_num_groups: options.middleGroups ?? null,
    norm_eps: options.epsilon ?? 1e-5,
    resnet_time_scale_shift: (options.scaleShift ?? false) ? 'scale_shift' : 'default',
    add_attention: options.attention ?? true,
    ...classesOf(options),
    num_train_timesteps: options.times ?? null,
  })
}
