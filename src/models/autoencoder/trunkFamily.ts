/** What the families share that are made of the convolutional trunk: settings, their defaults, names, and the scale of latents. */
import { faultIn, optional, type Fault, type Fields } from '../../prelude/decode.ts'
import { E } from '../../prelude/fp.ts'
import { diffusersNames } from './diffusersNames.ts'
import type { AutoencoderFamily } from './family.ts'
import { scalingFields, trunkFields } from './fields.ts'
import { unscaled, type LatentScaling } from './scaling.ts'
import { factorOfTrunk, faultOfTrunk, type TrunkConfig } from './trunk.ts'

/** The settings of an autoencoder that is made of the trunk. */
export interface TrunkFamilyConfig extends TrunkConfig {
  /** The scale on which latents are diffused, default factor 1. */
  readonly scaling?: LatentScaling
}

/** What each setting must be. */
export const trunkFamilyFields: Fields<TrunkFamilyConfig> = { ...trunkFields, scaling: optional(scalingFields) }

/** Those of a small network. */
export const trunkFamilyDefaults = {
  channels: 3,
  latentChannels: 4,
  widths: [32, 64, 128],
  layers: 1,
  groups: 8,
  shortcuts: 'pixel-unshuffle',
} as const satisfies TrunkFamilyConfig

/** Settings of a record that fit one by one, and are checked together. */
export const fitting = <C extends TrunkConfig>(config: C): E.Either<Fault, C> => {
  const fault = faultOfTrunk(config)
  return fault === undefined ? E.right(config) : E.left(faultIn('widths', config.widths, { expected: fault }))
}

/** The part of a family that is the same for all of them. */
export const trunkFamily = {
  factor: factorOfTrunk,
  scaling: ({ scaling = unscaled }) => scaling,
  names: { diffusers: (_, found) => diffusersNames(found) },
} as const satisfies Partial<AutoencoderFamily<TrunkFamilyConfig, unknown, unknown>>
