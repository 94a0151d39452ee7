/** The stages of diffusers' `UNet2DModel`: what kinds there are, and the widths and groups of their blocks. */
import { at, range } from '../../prelude/array.ts'
import type { ActivationName } from '../activations.ts'

/** How the stages of a kind change an image's size, and whether attention follows their blocks. */
export interface StageShape {
  readonly attention: boolean
  /** By a 3×3 convolution, by a residual block, or by one with the smooth filter of `fir.ts` beside a small image. */
  readonly resize: 'convolution' | 'residual' | 'fir'
}

/** The kinds of stages. */
export const stageKinds = {
  plain: { attention: false, resize: 'convolution' },
  attention: { attention: true, resize: 'convolution' },
  residual: { attention: false, resize: 'residual' },
  'residual-attention': { attention: true, resize: 'residual' },
  skip: { attention: false, resize: 'fir' },
  'skip-attention': { attention: true, resize: 'fir' },
  'cross-attention': { attention: false, resize: 'convolution' }, // its transformers have attention of their own
} as const satisfies Readonly<Record<string, StageShape>>

/** The name of a kind. */
export type StageKind = keyof typeof stageKinds

/** The settings of the network: those of diffusers, by general names. What is absent has the default that is named. */
export interface Unet2dSettings {
  /** Width of each stage, from the largest image to the smallest; each but the last halves the image. */
  readonly widths: readonly number[]
  /** Residual blocks of each stage on the way down; on the way up there is one more. */
  readonly layers: number
  /** The kind of each stage on the way down; default plain, and attention in the last. */
  readonly down?: readonly StageKind[]
  /** The kind of each stage on the way up, from the smallest image; default those on the way down, the last one first. */
  readonly up?: readonly StageKind[]
  /** Whether pixels attend to one another between the ways down and up, or, where it is cross, to tokens too; default true. */
  readonly attention?: boolean | 'cross'
  /** Channels of a head of attention; default all, in one head. */
  readonly headWidth?: number
  /** Channels of the tokens that stages with cross-attention attend to; there where there are such, and only there. */
  readonly tokenWidth?: number
  /** Heads of cross-attention, of all stages or of each from the largest image on; default 8. */
  readonly heads?: number | readonly number[]
  /** Blocks of each transformer with cross-attention, default 1. */
  readonly transformerLayers?: number
  /** Whether transformers begin and end with linear layers; default false, with 1×1 convolutions, which are the same by another shape. */
  readonly linearProjection?: boolean
  /** Groups of a norm, default 32; `quarter` is a quarter of the channels, at most 32. */
  readonly groups?: number | 'quarter'
  /** Groups of the norm of the attention in the middle; default `groups`, and without a norm where `scaleShift` is. */
  readonly middleGroups?: number
  /** Added to the variance of a norm, default 10⁻⁵. */
  readonly epsilon?: number
  /** Default silu. */
  readonly activation?: ActivationName
  /** Pixels of zeros around an image that a convolution halves, default 1; 0 is for one row and one column at the right and below. */
  readonly downPadding?: 0 | 1
  /** Whether the time scales and shifts behind a block's second norm; default false, where it is added in front of it. */
  readonly scaleShift?: boolean
  /** What the results of the blocks in the middle are divided by, default 1. */
  readonly middleScale?: number
  /** How the time is told: by sinusoids, by those of log σ at random frequencies, or by a learned vector for each; default positional. */
  readonly time?: 'positional' | 'fourier' | 'learned'
  /** Times for which there are learned vectors. */
  readonly times?: number
  /** Length of the vector that tells the time, default 4·widths[0]. */
  readonly timeWidth?: number
  /** s of the frequencies 10⁴^(−i / (half − s)) of positional times, default 0. */
  readonly frequencyShift?: number
  /** Whether cosines stand before sines in positional times; default true. */
  readonly cosinesFirst?: boolean
  /** Whether images in [0, 1] are moved to [−1, 1] first; default false. */
  readonly centre?: boolean
  /** Length of the vector that says what else an image is; default 0, without one. */
  readonly conditions?: number
  /** How a condition is told: by a linear map, as one number like a time, or as a vector like the time's; default linear. */
  readonly conditioning?: 'linear' | 'time' | 'vector'
  /** Dropout rate in the residual blocks, default 0. */
  readonly dropout?: number
}

/** The widths of a residual block, and the groups of its two norms. */
export interface BlockSize {
  readonly inputs: number
  readonly outputs: number
  readonly groups: readonly [number, number]
}

/** What a stage is made of, on the way down or up. */
export interface Stage {
  readonly kind: StageKind
  readonly width: number
  readonly blocks: readonly BlockSize[]
  /** Groups of the norms of its attention. */
  readonly attentionGroups: number
  /** Heads of its cross-attention. */
  readonly heads: number
  /** The block that changes the size, if it is one. */
  readonly resizing: BlockSize
  /** Whether the size is changed: not in the last stage. */
  readonly resizes: boolean
}

/** A quarter of the channels, at most 32. */
const quarter = (channels: number): number => Math.min(Math.floor(channels / 4), 32)

/** Groups of a norm of so many channels. */
export const groupsOf = ({ groups = 32 }: Unet2dSettings, channels: number): number =>
  groups === 'quarter' ? quarter(channels) : groups

/** The kinds on the way down. */
export const kindsDown = ({ widths, down }: Unet2dSettings): readonly StageKind[] =>
  down ?? widths.map((_, i) => (i === widths.length - 1 ? 'attention' : 'plain'))

/** The kinds on the way up. */
export const kindsUp = (settings: Unet2dSettings): readonly StageKind[] =>
  settings.up ?? kindsDown(settings).toReversed()

/** Heads of the cross-attention of a stage, counted from the largest image on. */
export const headsOf = ({ heads = 8 }: Unet2dSettings, stage: number): number =>
  typeof heads === 'number' ? heads : at(heads, stage)

/** Whether anything in the network attends to tokens. */
export const attendsToTokens = (settings: Unet2dSettings): boolean =>
  settings.attention === 'cross' || [...kindsDown(settings), ...kindsUp(settings)].includes('cross-attention')

/** The length of the vector that tells the time. */
export const timeWidthOf = ({ widths, timeWidth = 4 * at(widths, 0) }: Unet2dSettings): number => timeWidth

/**
 * Groups of the first norm of a block. Stages with a small image have groups of their own; where attention is in them on the way up, the sum of the
 * widths is not what diffusers takes a quarter of.
 */
const firstGroups = (settings: Unet2dSettings, kind: StageKind, x: number, skip: number): number => {
  if (stageKinds[kind].resize !== 'fir') return groupsOf(settings, x + skip)
  return kind === 'skip-attention' && skip > 0 ? Math.min(x + Math.floor(skip / 4), 32) : quarter(x + skip)
}

const stageOf = (
  settings: Unet2dSettings,
  kind: StageKind,
  stage: number,
  inputs: readonly (readonly [x: number, skip: number])[],
  resizes: boolean,
): Stage => {
  const width = at(settings.widths, stage)
  const isFir = stageKinds[kind].resize === 'fir'
  const own = isFir ? quarter(width) : groupsOf(settings, width)
  return {
    kind,
    width,
    blocks: inputs.map(([x, skip]) => ({
      inputs: x + skip,
      outputs: width,
      groups: [firstGroups(settings, kind, x, skip), own],
    })),
    attentionGroups: isFir ? 32 : own,
    heads: headsOf(settings, stage),
    resizing: { inputs: width, outputs: width, groups: [own, own] },
    resizes,
  }
}

/** The stages on the way down, from the largest image to the smallest. */
export const stagesDown = (settings: Unet2dSettings): readonly Stage[] => {
  const { widths, layers } = settings
  return kindsDown(settings).map((kind, i) => {
    const width = at(widths, i)
    const before = widths[i - 1] ?? width
    const inputs = range(layers).map((j) => [j === 0 ? before : width, 0] as const)
    return stageOf(settings, kind, i, inputs, i < widths.length - 1)
  })
}

/** The stages on the way up, from the smallest image to the largest. Their blocks see what was there on the way down, the last first. */
export const stagesUp = (settings: Unet2dSettings): readonly Stage[] => {
  const { layers } = settings
  const widths = settings.widths.toReversed()
  return kindsUp(settings).map((kind, i) => {
    const width = at(widths, i)
    const [before, after] = [widths[i - 1] ?? width, widths[i + 1] ?? width]
    const inputs = range(layers + 1).map((j) => [j === 0 ? before : width, j === layers ? after : width] as const)
    return stageOf(settings, kind, widths.length - 1 - i, inputs, i < widths.length - 1)
  })
}
