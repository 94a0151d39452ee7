/** A family of autoencoders: what a trainer, a command and files of weights need to know of one, in one record. */
import type { Shape } from '../../graph/shape.ts'
import type { Decoder, Fault } from '../../prelude/decode.ts'
import type { E } from '../../prelude/fp.ts'
import type { NameMap } from '../../tensor/nameMap.ts'
import type { Autoencoder, AutoencoderParams } from './autoencoder.ts'
import type { LatentScaling } from './scaling.ts'

/** The names and axes of another program's weights. @param found the shapes that lie in the file, where names changed over the years */
export type ForeignNames<Enc, Dec> = (
  template: AutoencoderParams<Enc, Dec>,
  found?: ReadonlyMap<string, Shape>,
) => Required<NameMap>

/** A configuration that was another program's, and the names of its settings that mean nothing here. */
export interface ForeignConfig<C> {
  readonly config: C
  readonly ignored: readonly string[]
}

/** A family of autoencoders over its settings `C`, with parameters `Enc` of the encoder and `Dec` of the decoder. */
export interface AutoencoderFamily<C, Enc, Dec> {
  /** What `kind` of a configuration says. */
  readonly name: string
  /** What a person calls it. */
  readonly title: string
  readonly defaults: C
  /** Left with words about the first setting that is wrong. */
  readonly decode: Decoder<C>
  /** The autoencoder of a configuration. */
  readonly build: (config: C) => Autoencoder<Enc, Dec>
  /** What height and width of the pictures must be divisible by: a power of two. */
  readonly factor: (config: C) => number
  /** Channels of its latents. */
  readonly latentChannels: (config: C) => number
  /** The scale on which its latents are diffused. */
  readonly scaling: (config: C) => LatentScaling
  /** By the program. */
  readonly names: Readonly<Record<string, ForeignNames<Enc, Dec>>>
  /** `_class_name` of diffusers. */
  readonly diffusersClass: string
  /** A configuration from the config.json of diffusers. */
  readonly decodeDiffusersConfig: (json: unknown) => E.Either<Fault, ForeignConfig<C>>
}
