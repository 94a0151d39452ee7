/** What every autoencoder is: an encoder from pictures to a distribution of latents, and a decoder from latents to pictures. */
import type { Module } from '../../nn/module.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Posterior } from './posterior.ts'

/** The parameters of an autoencoder. */
export interface AutoencoderParams<E, D> {
  readonly encoder: E
  readonly decoder: D
}

/** An autoencoder of pictures [N, H, W, channels] in [−1, 1]; its latents are [N, H / factor, W / factor, latentChannels]. */
export interface Autoencoder<E, D> {
  readonly encoder: Module<E, Tensor, Posterior>
  readonly decoder: Module<D>
  /** Pixels of a picture per side of one latent: a power of two. */
  readonly factor: number
  readonly latentChannels: number
  /** The loss that moves codes to latents and latents to codes, where latents are quantized; see `codebookLoss`. */
  readonly codebookLoss?: (decoder: D, latents: Tensor) => Tensor
}
