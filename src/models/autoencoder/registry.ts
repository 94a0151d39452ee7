/**
 * All families of autoencoders, by the `kind` of a configuration. What the parameters of one are is nobody else's business: it is given out to a function
 * that takes any.
 */
import { faultIn, oneOf, type Decoder, type Fault } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { isRecord, keysOf } from '../../prelude/record.ts'
import type { Autoencoder } from './autoencoder.ts'
import type { AutoencoderFamily, ForeignConfig, ForeignNames } from './family.ts'
import { klFamily, type KlConfig } from './kl.ts'
import type { LatentScaling } from './scaling.ts'
import { tinyFamily, type TinyConfig } from './tiny.ts'
import { vqFamily, type VqConfig } from './vq.ts'

/** The configuration of an autoencoder: a union on `kind`. */
export type AutoencoderConfig =
  | (KlConfig & { readonly kind: 'kl' })
  | (TinyConfig & { readonly kind: 'tiny' })
  | (VqConfig & { readonly kind: 'vq' })

/** An autoencoder, and what is known of its configuration. */
export interface BuiltAutoencoder<Enc, Dec> {
  readonly autoencoder: Autoencoder<Enc, Dec>
  /** What a person calls it. */
  readonly title: string
  /** The scale on which its latents are diffused. */
  readonly scaling: LatentScaling
  /** The names and axes of other programs' weights, by the program. */
  readonly names: Readonly<Record<string, ForeignNames<Enc, Dec>>>
}

/** An autoencoder whose parameters nobody else needs to know: give it a function that takes any. */
export type AnyAutoencoder = <R>(use: <Enc, Dec>(built: BuiltAutoencoder<Enc, Dec>) => R) => R

/** The name of a family of autoencoders. */
export type AutoencoderKind = AutoencoderConfig['kind']

/** The names of all of them. */
export const autoencoderKinds: readonly AutoencoderKind[] = ['kl', 'tiny', 'vq']

const entry = <K extends AutoencoderKind, C extends object, Enc, Dec>(
  kind: K,
  family: AutoencoderFamily<C, Enc, Dec>,
) => {
  const named = (config: C): C & { readonly kind: K } => ({ ...config, kind })
  return {
    diffusersClass: family.diffusersClass,
    defaults: named(family.defaults),
    decode: (settings: unknown) => pipe(family.decode(settings), E.map(named)),
    decodeDiffusers: (json: unknown) =>
      pipe(
        family.decodeDiffusersConfig(json),
        E.map(({ config, ignored }) => ({ config: named(config), ignored })),
      ),
    of:
      (config: C): AnyAutoencoder =>
      (use) =>
        use({
          autoencoder: family.build(config),
          title: family.title,
          scaling: family.scaling(config),
          names: family.names,
        }),
  }
}

const kinds = { kl: entry('kl', klFamily), tiny: entry('tiny', tinyFamily), vq: entry('vq', vqFamily) }

/**
 * The configuration of an autoencoder; Left with the first setting that is wrong.
 *
 * @example
 * ```ts
 * import { decodeAutoencoder } from 'fathom/models'
 *
 * decodeAutoencoder({ kind: 'tiny', channels: 3, latentChannels: 4 }) // => right({ kind: 'tiny', channels: 3, latentChannels: 4 })
 * decodeAutoencoder({ kind: 'vae' }) // => left({ expected: 'one of kl, tiny, vq', inside: { path: 'kind', … }, … })
 * ```
 */
export const decodeAutoencoder: Decoder<AutoencoderConfig> = (input) => {
  const { kind, ...settings } = isRecord(input) ? input : {}
  const known = oneOf(...keysOf<AutoencoderKind>(kinds))(kind)
  return E.isLeft(known) ? E.left(faultIn('kind', kind, known.left)) : kinds[known.right].decode(settings)
}

/**
 * The settings of a family that nobody has changed: those of an autoencoder to be trained on photographs.
 *
 * @example
 * ```ts
 * import { autoencoderDefaults } from 'fathom/models'
 *
 * autoencoderDefaults('kl') // => { kind: 'kl', widths: [32, 64, 128], latentChannels: 4, … }
 * ```
 */
export const autoencoderDefaults = (kind: AutoencoderKind): AutoencoderConfig => kinds[kind].defaults

/**
 * The autoencoder of a configuration, for a function that takes any.
 *
 * @example
 * ```ts
 * import { autoencoderDefaults, autoencoderOf } from 'fathom/models'
 *
 * autoencoderOf(autoencoderDefaults('kl'))(({ autoencoder }) => autoencoder.factor) // => 4
 * autoencoderOf(autoencoderDefaults('tiny'))(({ title }) => title) // => 'tiny autoencoder'
 * ```
 */
export const autoencoderOf = (config: AutoencoderConfig): AnyAutoencoder => {
  switch (config.kind) {
    case 'kl':
      return kinds.kl.of(config)
    case 'tiny':
      return kinds.tiny.of(config)
    case 'vq':
      return kinds.vq.of(config)
  }
}

/**
 * A configuration from the config.json of diffusers, by its `_class_name`; the names of settings that mean nothing here come with it, for a warning.
 *
 * @example
 * ```ts
 * import { decodeDiffusersAutoencoder } from 'fathom/models'
 *
 * decodeDiffusersAutoencoder({ _class_name: 'AutoencoderTiny', scaling_factor: 1, frames: 2 }) // => right({ config: { kind: 'tiny', … }, ignored: ['frames'] })
 * decodeDiffusersAutoencoder({ _class_name: 'UNet2DModel' }) // => left({ inside: { path: '_class_name', … }, … })
 * ```
 */
export const decodeDiffusersAutoencoder = (json: unknown): E.Either<Fault, ForeignConfig<AutoencoderConfig>> => {
  const name = isRecord(json) ? json['_class_name'] : undefined
  const found = Object.values(kinds).find(({ diffusersClass }) => diffusersClass === name)
  const classes = Object.values(kinds).map(({ diffusersClass }) => diffusersClass)
  return found === undefined
    ? E.left(faultIn('_class_name', name, { expected: `one of ${classes.join(', ')}` }))
    : found.decodeDiffusers(json)
}
