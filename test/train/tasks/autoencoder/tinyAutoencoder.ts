/** Autoencoders so small that a run of them takes seconds. */
import {
  autoencoderOf,
  type AutoencoderConfig,
  type BuiltAutoencoder,
} from '../../../../src/models/autoencoder/registry.ts'
import { autoencoderConfigOf, type AutoencoderRun } from '../../../../src/train/index.ts'
import { right } from '../../tinyRun.ts'

/** Settings of the smallest autoencoder on 16×16 seas, of 2×2 pixels for a latent. */
export const tinySettings = {
  height: 16,
  width: 16,
  crop: 8,
  batch: 4,
  steps: 6,
  autoencoder: { widths: [4, 4], latentChannels: 2, layers: 1, groups: 2 },
  adversary: { width: 2, layers: 1 },
  weights: { equivariance: 0, adversary: 0 },
  sampleCount: 2,
  saveEvery: 3,
  sampleEvery: 100,
  heldOutEvery: 100,
} as const

/** The tiny configuration, with changes. */
export const tinyAutoencoder = (
  out: string,
  { weights, adversary, autoencoder, ...changes }: Readonly<Record<string, unknown>> = {},
): AutoencoderRun =>
  right(
    autoencoderConfigOf({
      ...tinySettings,
      ...changes,
      weights: { ...tinySettings.weights, ...(weights as object | undefined) },
      adversary: { ...tinySettings.adversary, ...(adversary as object | undefined) },
      autoencoder: { ...tinySettings.autoencoder, ...(autoencoder as object | undefined) },
      out,
    }),
  )

/** Calls a function with the autoencoder of a configuration. */
export const built = <R>(
  config: { readonly autoencoder: AutoencoderConfig },
  use: <Enc, Dec>(built: BuiltAutoencoder<Enc, Dec>) => R,
): R => autoencoderOf(config.autoencoder)(use)
