/**
 * A variational autoencoder of digits: pictures become 8 numbers and pictures again, and numbers drawn at random become new pictures
 * (Kingma & Welling 2014). `npm run play examples/cookbook/vae.ts vae.png`
 */
import { writeFileSync } from 'node:fs'
import { foldIn, key, normal, openDevice, splitInto, type Key, type Tensor } from 'fathom'
import { binaryCrossEntropy, compose, conv2d, convTranspose2d, linear, silu, type ParamsOf } from 'fathom/nn'
import { adam } from 'fathom/optim'
import { trainStep } from 'fathom/train'
import { heldOut, learned, minibatch, type Digits } from './digits.ts'
import { sheetOf } from './sheet.ts'

export const latents = 8

/** Pictures in [0, 1] to what is known of their latents: means and log variances, [N, 16]. */
export const encoder = compose(
  {
    first: conv2d(1, 16, 3, { stride: 2, padding: 1 }),
    second: conv2d(16, 32, 3, { stride: 2, padding: 1 }),
    out: linear(7 * 7 * 32, 2 * latents),
  },
  ({ first, second, out }, x: Tensor) => out(silu(second(silu(first(x)))).reshape([-1, 7 * 7 * 32])),
)

/** Latents [N, 8] to the logits of pixels. */
export const decoder = compose(
  {
    into: linear(latents, 7 * 7 * 32),
    first: convTranspose2d(32, 16, 4, { stride: 2, padding: 1 }),
    second: convTranspose2d(16, 1, 4, { stride: 2, padding: 1 }),
  },
  ({ into, first, second }, z: Tensor) => second(silu(first(silu(into(z)).reshape([-1, 7, 7, 32])))),
)

/** Those of both. */
export interface VaeParams {
  readonly encoder: ParamsOf<typeof encoder>
  readonly decoder: ParamsOf<typeof decoder>
}

/** −ELBO in nats a picture: what the pixels x in [0, 1] cost given z, and how far the posterior is from N(0, 1). */
export const vaeLoss = (params: VaeParams, x: Tensor, noise: Tensor): Tensor => {
  const [mean, logVariance] = splitInto(encoder.apply(params.encoder, x), 2, -1) as [Tensor, Tensor]
  const z = mean.add(logVariance.mul(0.5).exp().mul(noise))
  const pixels = binaryCrossEntropy(decoder.apply(params.decoder, z), x, { reduction: 'none' }).sum([1, 2, 3])
  const divergence = mean.square().add(logVariance.exp()).sub(1).sub(logVariance).sum(1).mul(0.5)
  return pixels.add(divergence).mean()
}

const lossOf = (params: VaeParams, { images }: Digits, k: Key): Tensor =>
  vaeLoss(params, images.cast('f32').div(255), normal(k, [images.shape[0] ?? 0, latents]))

/** Trains; returns −ELBO of held-out digits, in nats a picture, and 32 digits that never were, bytes [32, 28, 28, 1]. */
export const vae = async ({ steps = 1500, batch = 64 } = {}) => {
  const device = await openDevice()
  const training = trainStep({
    loss: (params: VaeParams, data: Digits, { key }) =>
      lossOf(params, minibatch(data, foldIn(key, 'batch'), batch), foldIn(key, 'noise')),
    optimizer: adam({ learningRate: 2e-3 }),
  })
  const [data, test] = await device.realize([learned(4000), heldOut(500)] as const)
  const step = training.on(device)
  let state = training.init({ encoder: encoder.init(foldIn(key(0), 1)), decoder: decoder.init(foldIn(key(0), 2)) })
  for (let i = 0; i < steps; i++) [state] = await step(state, data)
  const elbo = await device.item(lossOf(state.params, test, key(2)))
  const drawn = decoder.apply(state.params.decoder, normal(key(3), [32, latents])).sigmoid()
  const samples = await device.read(drawn.mul(255).cast('u8'))
  await device.close()
  return { elbo, samples: Uint8Array.from(samples) }
}

if (import.meta.main) {
  const { elbo, samples } = await vae()
  console.log(`held out: ${elbo.toFixed(1)} nats a picture`)
  writeFileSync(process.argv[2] ?? 'vae.png', sheetOf(samples))
}
