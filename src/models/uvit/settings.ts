/** The settings of U-ViT, and what is wrong with them. */
import { expects, optional, type Decoder, type Fields } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import type { SettingFault } from '../settingFault.ts'
import { faultOf as faultOfTransformer, transformerFields, type TransformerSettings } from '../transformers/settings.ts'

/** The size of the network. */
export interface UvitSettings extends TransformerSettings {
  /** Height and width of the only images for which places are learned; default any, whose places are sines and cosines. */
  readonly size?: readonly [height: number, width: number] | undefined
}

const isSide = (x: unknown): x is number => typeof x === 'number' && Number.isInteger(x) && x >= 1 && x <= 65_536

const pair: Decoder<readonly [number, number]> = (x) => {
  const [height, width, ...more]: readonly unknown[] = Array.isArray(x) ? x : []
  return isSide(height) && isSide(width) && more.length === 0
    ? E.right([height, width])
    : expects('[height, width], two whole numbers from 1 to 65536')
}

/** How they are decoded. */
export const uvitFields: Fields<UvitSettings> = { ...transformerFields, size: optional(pair) }

/** Rows of the learned positions: for time and condition, and for the patches of a size. */
export const placesOf = ({ conditions = 0, patch, size }: UvitSettings): number =>
  (conditions === 0 ? 1 : 2) + (size === undefined ? 0 : (size[0] * size[1]) / patch ** 2)

/** What the settings must be to one another: the first that is not. */
export const faultOf = (settings: UvitSettings): SettingFault<UvitSettings> | undefined => {
  const { depth, patch, size } = settings
  if (depth % 2 !== 1)
    return {
      setting: 'depth',
      expected: `odd, for as many blocks before the middle as behind it: ${depth} is not`,
    }
  const wrong = size?.find((side) => side % patch !== 0)
  if (wrong !== undefined)
    return { setting: 'size', expected: `divisible by ${patch}, the side of a patch: ${wrong} is not` }
  return faultOfTransformer(settings)
}
