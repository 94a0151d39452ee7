/** The settings of EDM2's U-Net, the stages that they make, and what they must be to one another. */
import { range } from '../../prelude/array.ts'
import type { SettingFault } from '../settingFault.ts'

/** The settings of the network. What is absent has the default that is named, which is that of Karras et al. 2024. */
export interface Edm2Settings {
  /** Channels at the images' size. */
  readonly width: number
  /** Width of each stage in multiples of `width`, from the largest image to the smallest; each but the last halves the image. */
  readonly multipliers: readonly number[]
  /** Residual blocks of each stage on the way down; on the way up there is one more. */
  readonly blocks: number
  /** Stages whose pixels attend to one another, 0 being the largest; default the last two. So do those between the ways down and up, always. */
  readonly attentionAt?: readonly number[]
  /** Channels of a head of attention, default 64. */
  readonly headWidth?: number
  /** Number of steps T of the runs that tell the times, default 1000. */
  readonly times?: number
  /** Length of the vector that says what else an image is; default 0, without one. */
  readonly conditions?: number
  /** Dropout rate in the residual blocks, default 0. */
  readonly dropout?: number
  /** The part of a block's own in its sum, from 0 to 1, default 0.3. */
  readonly residualBalance?: number
  /** The part of attention in its sum, default 0.3. */
  readonly attentionBalance?: number
  /** The part of what the way down has seen in what a block on the way up sees, default 0.5. */
  readonly skipBalance?: number
  /** The part of the condition in the vector that tells it with the time, default 0.5. */
  readonly conditionBalance?: number
}

/** The channels of each stage. */
export const widthsOf = ({ width, multipliers }: Edm2Settings): readonly number[] => multipliers.map((m) => m * width)

/** Whether there is attention in a stage. */
export const isAttentive = ({ multipliers, attentionAt }: Edm2Settings, stage: number): boolean =>
  attentionAt === undefined ? stage >= multipliers.length - 2 : attentionAt.includes(stage)

/** Channels of a head where no others are named. */
const usualHeadWidth = 64

/** Channels of a head. */
export const headWidthOf = ({ headWidth = usualHeadWidth }: Edm2Settings): number => headWidth

/** Channels of a head that fit widths: as many as usual, or the most below; one fits any. */
const fittingHeadWidth = (widths: readonly number[]): number =>
  range(usualHeadWidth)
    .map((i) => usualHeadWidth - i)
    .find((n) => widths.every((width) => width % n === 0)) ?? 1

/** The first setting that does not fit the others. */
export const edm2Fault = (settings: Edm2Settings): SettingFault<Edm2Settings> | undefined => {
  const { attentionAt = [], blocks, headWidth } = settings
  const widths = widthsOf(settings)
  const last = widths.length - 1
  if (attentionAt.some((stage) => stage > last))
    return { setting: 'attentionAt', expected: `a list of stages from 0 to ${last}` }
  const attentive = widths.filter((_, stage) => stage === last || isAttentive(settings, stage))
  const bad = attentive.find((width) => width % headWidthOf(settings) !== 0)
  if (bad !== undefined)
    return {
      setting: 'headWidth',
      expected: `a divisor of the widths with attention, as of ${bad}, for instance ${fittingHeadWidth(attentive)}${headWidth === undefined ? `; its default is ${usualHeadWidth}` : ''}`,
    }
  return blocks >= 1 ? undefined : { setting: 'blocks', expected: 'at least 1' }
}
