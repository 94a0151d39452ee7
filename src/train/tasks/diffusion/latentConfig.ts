/** The setting of a diffusion model that works on latents: of which autoencoder. */
import { optional, record, text, whole, type Decoder, type Fields } from '../../../prelude/decode.ts'

/** The latents of an autoencoder, as a configuration holds them; the autoencoder itself lies with the run. */
export interface LatentConfig {
  readonly channels: number
  /** Pixels of a picture's side for one of its latents. */
  readonly factor: number
  /** SHA-256 of the autoencoder's weights and settings; absent while it is yet to be trained, as the first stage of the run. */
  readonly autoencoder?: string
  /** Where it was read from when the run began; the run keeps a copy of its own. */
  readonly from?: string
}

const fields: Fields<LatentConfig> = {
  channels: whole(1, 4096),
  factor: whole(1, 64),
  autoencoder: optional(text),
  from: optional(text),
}

/** Decodes the setting. */
export const decodeLatent: Decoder<LatentConfig> = record(fields)
