/** Settings of ours as the configuration of diffusers' `UNet2DModel`. */
import { requireKnown } from '../../prelude/options.ts'
import { faultIn, type Fault } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import { unet2dOptions, type Unet2dOptions } from './layers.ts'
import { stageNames } from './diffusersConfig.ts'
import { attendsToTokens, kindsDown, kindsUp, stageKinds, type StageKind } from './stages.ts'

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

/** The stages, and how their size changes; Left where diffusers has no word for them. */
const waysOf = (options: Unet2dOptions) => {
  const kinds = { down: kindsDown(options), up: kindsUp(options) }
  if (attendsToTokens(options)) {
    const way = (['down', 'up'] as const).find((each) => kinds[each].includes('cross-attention'))
    const [path, got] = way === undefined ? ['attention', options.attention] : [way, kinds[way]]
    return E.left(faultIn(path, got, { expected: 'without cross-attention: a UNet2DModel has no tokens' }))
  }
  const [down, up] = [resizingOf(kinds.down), resizingOf(kinds.up)]
  if (down !== undefined && up !== undefined) return E.right({ kinds, resizing: { down, up } })
  const way = down === undefined ? 'down' : 'up'
  const expected = 'attention or residual-attention in all stages of one way, as diffusers has one setting for them'
  return E.left(faultIn(way, kinds[way], { expected }))
}

/** The names of a kind of stages, of those that a UNet2DModel has. */
const namesOf = (kind: StageKind): readonly [down: string, up: string] =>
  stageNames[kind === 'cross-attention' ? 'attention' : kind]

const classesOf = ({ conditions = 0, conditioning = 'linear' }: Unet2dOptions): Readonly<Record<string, unknown>> => {
  if (conditions === 0) return { class_embed_type: null, num_class_embeds: null }
  if (conditioning === 'linear') return { class_embed_type: null, num_class_embeds: conditions }
  return { class_embed_type: conditioning === 'time' ? 'timestep' : 'identity', num_class_embeds: null }
}

/** The options of {@link unet2d} that are not named. */
const usual = {
  channels: 3,
  groups: 32,
  time: 'positional',
  centre: false,
  frequencyShift: 0,
  cosinesFirst: true,
  middleScale: 1,
  downPadding: 1,
  dropout: 0,
  activation: 'silu',
  epsilon: 1e-5,
  scaleShift: false,
  attention: true,
} as const satisfies Partial<Unet2dOptions>

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
  requireKnown('encodeDiffusersUnet2d', options, unet2dOptions)
  const ways = waysOf(options)
  if (E.isLeft(ways)) return ways
  const { kinds, resizing } = ways.right
  const all = { ...usual, ...options }
  return E.right({
    _class_name: 'UNet2DModel',
    _diffusers_version: '0.27.2',
    sample_size: height === width ? height : [height, width],
    in_channels: all.channels,
    out_channels: options.outChannels ?? all.channels,
    center_input_sample: all.centre,
    time_embedding_type: all.time,
    ...(options.timeWidth !== undefined && { time_embedding_dim: options.timeWidth }),
    freq_shift: all.frequencyShift,
    flip_sin_to_cos: all.cosinesFirst,
    down_block_types: kinds.down.map((kind) => namesOf(kind)[0]),
    up_block_types: kinds.up.map((kind) => namesOf(kind)[1]),
    block_out_channels: all.widths,
    layers_per_block: all.layers,
    mid_block_scale_factor: all.middleScale,
    downsample_padding: all.downPadding,
    downsample_type: resizing.down,
    upsample_type: resizing.up,
    dropout: all.dropout,
    act_fn: all.activation,
    attention_head_dim: all.headWidth ?? null,
    norm_num_groups: all.groups === 'quarter' ? null : all.groups,
    attn_norm_num_groups: all.middleGroups ?? null,
    norm_eps: all.epsilon,
    resnet_time_scale_shift: all.scaleShift ? 'scale_shift' : 'default',
    add_attention: all.attention,
    ...classesOf(options),
    num_train_timesteps: all.times ?? null,
  })
}
