/** The settings that transformers of images share: the size of the network, and what is wrong with one. */
import { expects, number, optional, whole, type Decoder, type Fields } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import type { SettingFault } from '../settingFault.ts'

/** The size of a transformer of images. */
export interface TransformerSettings {
  /** Pixels of a patch's side, a power of two: an image of H×W is a sequence of H·W/patch² tokens. */
  readonly patch: number
  /** Length of a token, divisible by 4. */
  readonly width: number
  /** Blocks. */
  readonly depth: number
  /** Heads of attention, which share the width. */
  readonly heads: number
  /** Hidden units of a block's perceptron in multiples of `width`; default 4. */
  readonly mlpRatio?: number | undefined
  /** Rate of dropout behind attention and perceptron of each block; default 0. */
  readonly dropout?: number | undefined
  /** Length of the vector that says what else an image is; default 0, none. */
  readonly conditions?: number | undefined
}

/** Settings of a network that is called by itself. */
export interface TransformerOptions extends TransformerSettings {
  /** Channels of the images, default 3. */
  readonly channels?: number
  /** Channels of the result, default `channels`. */
  readonly outChannels?: number
}

/** The names of {@link TransformerOptions}. */
export const transformerOptions = [
  'channels',
  'outChannels',
  'patch',
  'width',
  'depth',
  'heads',
  'mlpRatio',
  'dropout',
  'conditions',
] as const

const isPower = (x: number): boolean => Number.isInteger(Math.log2(x)) && x >= 1

const powerOfTwo: Decoder<number> = (x) =>
  typeof x === 'number' && isPower(x) && x <= 256 ? E.right(x) : expects('a power of two from 1 to 256')

/** How they are decoded. */
export const transformerFields: Fields<TransformerSettings> = {
  patch: powerOfTwo,
  width: whole(4, 65_536),
  depth: whole(1, 1024),
  heads: whole(1, 1024),
  mlpRatio: optional(number('a finite number above 0', (x) => x > 0 && Number.isFinite(x))),
  dropout: optional(number('a number from 0 to below 1', (x) => x >= 0 && x < 1)),
  conditions: optional(whole(0, 4096)),
}

/** Units of a block's perceptron. */
export const hiddenOf = ({ width, mlpRatio = 4 }: TransformerSettings): number => mlpRatio * width

/** What the settings must be to one another: the first that is not. */
export const faultOf = (settings: TransformerSettings): SettingFault<TransformerSettings> | undefined => {
  const { patch, width, heads, mlpRatio = 4 } = settings
  if (!isPower(patch)) return { setting: 'patch', expected: `a power of two, not ${patch}` }
  if (width % 4 !== 0)
    return { setting: 'width', expected: `divisible by 4, for sines and cosines of two axes: ${width} is not` }
  if (width % heads !== 0)
    return { setting: 'heads', expected: `a divisor of the width: ${heads} cannot share ${width}` }
  if (!Number.isInteger(hiddenOf(settings)))
    return {
      setting: 'mlpRatio',
      expected: `such that its product with the width is whole: ${mlpRatio}·${width} is not`,
    }
  return undefined
}

/** Why the side of a patch must divide images, in errors. */
export const inPatches = ({ patch }: Pick<TransformerSettings, 'patch'>): string => `patches of ${patch}×${patch}`

/** Channels at the images' size that hold as many numbers as the tokens do. */
export const widthInPixels = ({ patch, width }: TransformerSettings): number => Math.ceil(width / patch ** 2)
