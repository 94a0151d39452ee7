/**
 * All families, by the `kind` of a configuration's model. Whoever trains or draws asks here, and names no model.
 *
 * A new family is an entry of the table, and a member of the union of configurations. The parameters of all are sealed.
 */
import { faultIn, oneOf, type Decoder, type Fault } from '../prelude/decode.ts'
import { E } from '../prelude/fp.ts'
import { isRecord, keysOf } from '../prelude/record.ts'
import type { Module } from '../nn/module.ts'
import type { Shape } from '../graph/shape.ts'
import type { NameMap } from '../tensor/nameMap.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { edm2Family, type Edm2Config } from './edm2/family.ts'
import type { DenoiserInput, Family } from './family.ts'
import { ditFamily, type DitConfig } from './dit/family.ts'
import { lucidrainsFamily, type UnetConfig } from './lucidrains/family.ts'
import { sealed, type DenoiserParams } from './sealed.ts'
import { unet2dFamily, type Unet2dConfig } from './unet2d/family.ts'
import { uvitFamily, type UvitConfig } from './uvit/family.ts'

/** The network of a configuration: a union on `kind`. */
export type ModelConfig =
  | UnetConfig
  | (Unet2dConfig & { readonly kind: 'unet2d' })
  | (Edm2Config & { readonly kind: 'edm2' })
  | (DitConfig & { readonly kind: 'dit' })
  | (UvitConfig & { readonly kind: 'uvit' })

/** The kind of the runs that name none: they were written when there was one. */
const defaultKind = 'lucidrains'

/** The families. `train` and the command reach them through the functions below. */
export const families: { readonly [K in NonNullable<ModelConfig['kind']>]: Family<ModelConfig, DenoiserParams> } = {
  lucidrains: sealed(lucidrainsFamily),
  unet2d: sealed(unet2dFamily),
  edm2: sealed(edm2Family),
  dit: sealed(ditFamily),
  uvit: sealed(uvitFamily),
}

const familyOf = ({ kind = defaultKind }: ModelConfig) => families[kind]

/** Settings that say the same as their absence: they came after the first runs, whose configurations lack them. */
const silent: Readonly<Record<string, unknown>> = {
  kind: defaultKind,
  dropout: 0,
  conditions: 0,
  selfCondition: false,
  time: 'sinusoidal',
  learnedVariance: false,
}

/**
 * The model of a configuration without the settings that say what their absence says: its kind, where that is the kind of the runs that name none,
 * dropout and conditions of 0, no estimate, sinusoids of the time, no variances. So a network of that kind has one configuration, and one hash of it;
 * a model of another kind stays as it is, with or without its defaults.
 */
export const withoutDefaults = (model: unknown): unknown => {
  if (!isRecord(model)) return model
  const { kind = defaultKind } = model
  if (kind !== defaultKind) return model // the same names may mean something else there
  const says = ([name, value]: readonly [string, unknown]): boolean => !(name in silent && silent[name] === value)
  return Object.fromEntries(Object.entries(model).filter(says))
}

/** A configuration with its kind, where its settings without it are one of the kind's family. */
const isDecoded = (_: unknown, settings: E.Either<Fault, ModelConfig>): _ is ModelConfig => E.isRight(settings)

/** The model of a configuration; Left with the first setting that is wrong. */
export const decodeModel: Decoder<ModelConfig> = (input) => {
  if (!isRecord(input)) return families[defaultKind].decode(input)
  const { kind = defaultKind, ...settings } = input
  const known = oneOf(...keysOf(families))(kind)
  if (E.isLeft(known)) return E.left(faultIn('kind', kind, known.left))
  const decoded = families[known.right].decode(settings)
  return E.isLeft(decoded) || !isDecoded(input, decoded) ? decoded : E.right(input)
}

/**
 * The model that some settings make of another: over that one's where they name its kind or none, and over the defaults of their own family where
 * they name another kind, whose settings mean other things. What is no record, or of no known kind, stays as it is, for `decodeModel` to refuse.
 *
 * @param given settings of a model; those that are undefined count as absent
 */
export const modelWith = (base: ModelConfig, given: unknown): unknown => {
  if (given === undefined) return base
  if (!isRecord(given)) return given
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const another = keysOf(families).find((kind) => kind === named['kind'] && families[kind] !== familyOf(base))
  return { ...(another === undefined ? base : families[another].defaults), ...named }
}

/** The network of a configuration, for images of so many channels. */
export const modelOf = (config: ModelConfig, channels: number): Module<DenoiserParams, DenoiserInput> =>
  familyOf(config).build(config, channels)

/** Whether the network of a configuration has a place for an estimate of the image, beside x. */
export const takesEstimate = (config: ModelConfig): boolean => familyOf(config).takesEstimate?.(config) ?? false

/** Whether the network of a configuration learns variances. */
export const learnsVariance = (config: ModelConfig): boolean => familyOf(config).learnsVariance?.(config) ?? false

/** Whether the network of a configuration is told times as shares of the schedule. */
export const takesShares = (config: ModelConfig): boolean => familyOf(config).takesShares?.(config) ?? false

/** The layers by which the network of a configuration sees what images show. */
export const featuresOf = (
  config: ModelConfig,
  channels: number,
): Module<DenoiserParams, DenoiserInput, readonly Tensor[]> => familyOf(config).features(config, channels)

/** What a person calls the network. */
export const titleOf = (config: ModelConfig): string => familyOf(config).title

/** What height and width of the images must be divisible by. */
export const factorOf = (config: ModelConfig): number => familyOf(config).factor(config)

/** Why the factor is what it is, in words of errors; undefined where images are halved until they are as small. */
export const factorReasonOf = (config: ModelConfig): string | undefined => familyOf(config).factorReason?.(config)

/** The only height and width of images that the network takes; undefined where its factor alone decides. */
export const sizeOf = (config: ModelConfig): readonly [height: number, width: number] | undefined =>
  familyOf(config).size(config)

/** Channels at the images' size. */
export const widthOf = (config: ModelConfig): number => familyOf(config).width(config)

/** What every step of training does with parameters behind the optimizer; undefined for nothing. */
export const projectOf = (config: ModelConfig): Family<ModelConfig, DenoiserParams>['project'] =>
  familyOf(config).project

/** How many times the network can be told, from 0 on; ∞ where any. */
export const timesOf = (config: ModelConfig): number => familyOf(config).times(config)

/** A number of parameters that the network has at least. */
export const leastWeightsOf = (config: ModelConfig): number => familyOf(config).leastWeights(config)

/** All programs whose weights some network can take, for help. */
export const allSources: readonly string[] = [
  'fathom',
  ...Object.values(families).flatMap(({ names }) => Object.keys(names)),
]

/** The programs whose weights the network can take: fathom itself, and those whose names its family knows. */
export const sourcesOf = (config: ModelConfig): readonly string[] => ['fathom', ...Object.keys(familyOf(config).names)]

/**
 * The names and axes of a program's weights; those of fathom are the parameters' paths.
 *
 * @param found the shapes that lie in the file, which can say how old its names are
 */
export const namesOf = (
  config: ModelConfig,
  source: string,
  template: DenoiserParams,
  found?: ReadonlyMap<string, Shape>,
): NameMap => familyOf(config).names[source]?.(template, found) ?? {}
