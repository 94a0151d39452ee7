/**
 * A variational autoencoder of digits: pictures become 8 numbers and pictures again, and numbers drawn at random become new pictures
 * (Kingma & Welling 2014). `npm run play examples/cookbook/vae.ts vae.png`
 */
import { writeFileSync } from 'node:fs'
import { foldIn, key, normal, openDevice, split, splitInto, valueAndGrad, type Key, type Tensor } from 'fathom'
import { encodePng, imageGrid } from 'fathom/io'
import { binaryCrossEntropy, compose, conv2d, convTranspose2d, linear, silu, type ParamsOf } from 'fathom/nn'
import { adam, applyUpdates } from 'fathom/optim'
import { heldOut, learned, minibatch, side } from './digits.ts'

const latents = 8

/** Pictures in [0, 1] to what is known of their latents: means and log variances, [N, 16]. */
const encoder = compose(
  {
    first: conv2d(1, 16, 3, { stride: 2, padding: 1 }),
    second: conv2d(16, 32, 3, { stride: 2, padding: 1 }),
    out: linear(7 * 7 * 32, 2 * latents),
  },
  ({ first, second, out }, x: Tensor) => out(silu(second(silu(first(x)))).reshape([-1, 7 * 7 * 32])),
)

/** Latents [N, 8] to the logits of pixels. */
const decoder = compose(
  {
    into: linear(latents, 7 * 7 * 32),
    first: convTranspose2d(32, 16, 4, { stride: 2, padding: 1 }),
    second: convTranspose2d(16, 1, 4, { stride: 2, padding: 1 }),
  },
  ({ into, first, second }, z: Tensor) => second(silu(first(silu(into(z)).reshape([-1, 7, 7, 32])))),
)

interface Params {
  readonly encoder: ParamsOf<typeof encoder>
  readonly decoder: ParamsOf<typeof decoder>
}

/** −ELBO in nats a picture: what the pixels cost given z, and how far the posterior is from N(0, 1). */
const loss = (params: Params, images: Tensor, k: Key): Tensor => {
  const x = images.cast('f32').div(255)
  const [mean, logVariance] = splitInto(encoder.apply(params.encoder, x), 2, -1) as [Tensor, Tensor]
  const z = mean.add(logVariance.mul(0.5).exp().mul(normal(k, mean.shape)))
  const pixels = binaryCrossEntropy(decoder.apply(params.decoder, z), x, { reduction: 'none' }).sum([1, 2, 3])
  const divergence = mean.square().add(logVariance.exp()).sub(1).sub(logVariance).sum(1).mul(0.5)
  return pixels.add(divergence).mean()
}

/** Trains; returns −ELBO of held-out digits, in nats a picture, and 32 digits that never were, bytes [32, 28, 28, 1]. */
export const vae = async ({ steps = 1500, batch = 64 } = {}) => {
  const device = await openDevice()
  const optimizer = adam({ learningRate: 2e-3 })
  const begin = (k: Key) => {
    const params: Params = { encoder: encoder.init(foldIn(k, 'encoder')), decoder: decoder.init(foldIn(k, 'decoder')) }
    return { params, optimizer: optimizer.init(params) }
  }
  type State = ReturnType<typeof begin>
  const step = device.compile(
    (state: State, data: ReturnType<typeof learned>, k: Key) => {
      const [forBatch, forNoise] = split(k)
      const [value, gradients] = valueAndGrad(loss)(state.params, minibatch(data, forBatch, batch).images, forNoise)
      const [updates, next] = optimizer.update(gradients, state.optimizer, state.params)
      return { state: { params: applyUpdates(state.params, updates), optimizer: next }, value }
    },
    { donate: [0] },
  )
  const [data, test] = [await device.realize(learned(4000)), await device.realize(heldOut(500))]
  let state = begin(key(0))
  for (let i = 0; i < steps; i++) state = (await step(state, data, foldIn(key(1), i))).state
  const elbo = await device.item(loss(state.params, test.images, key(2)))
  const drawn = decoder.apply(state.params.decoder, normal(key(3), [32, latents])).sigmoid()
  const samples = await device.read(drawn.mul(255).cast('u8'))
  await device.close()
  return { elbo, samples: Uint8Array.from(samples) }
}

if (import.meta.main) {
  const { elbo, samples } = await vae()
  console.log(`held out: ${elbo.toFixed(1)} nats a picture`)
  const each = Array.from({ length: 32 }, (_, i) => samples.subarray(i * side ** 2, (i + 1) * side ** 2))
  const sheet = imageGrid(each, { height: side, width: side, channels: 1, columns: 8, scale: 2 })
  writeFileSync(process.argv[2] ?? 'vae.png', encodePng(sheet))
}
