/**
 * Two networks against one another: a generator draws digits, a discriminator tells them from real ones (Goodfellow et al. 2014), with the loss
 * that does not saturate and the penalty R1 (Mescheder et al. 2018), which is a gradient inside of a loss. `npm run play examples/cookbook/gan.ts gan.png`
 */
import { writeFileSync } from 'node:fs'
import {
  foldIn,
  grad,
  key,
  leakyRelu,
  normal,
  openDevice,
  relu,
  split,
  valueAndGrad,
  type Key,
  type Tensor,
} from 'fathom'
import { adversarialLosses, r1Penalty } from 'fathom/models'
import { compose, conv2d, convTranspose2d, groupNorm, linear, type ParamsOf } from 'fathom/nn'
import { adam, applyUpdates, ema } from 'fathom/optim'
import { heldOut, learned, minibatch, side, type Digits } from './digits.ts'
import { sheetOf } from './sheet.ts'

const latents = 32

/** Noise [N, 32] to pictures in [−1, 1]. */
export const generator = compose(
  {
    into: linear(latents, 7 * 7 * 48),
    norm: groupNorm(8, 48),
    first: convTranspose2d(48, 24, 4, { stride: 2, padding: 1 }),
    firstNorm: groupNorm(8, 24),
    second: convTranspose2d(24, 1, 4, { stride: 2, padding: 1 }),
  },
  ({ into, norm, first, firstNorm, second }, z: Tensor) =>
    second(relu(firstNorm(first(relu(norm(into(z).reshape([-1, 7, 7, 48]))))))).tanh(),
)

/** Pictures to logits: above 0 where they seem real, [N, 1]. */
export const discriminator = compose(
  {
    first: conv2d(1, 24, 4, { stride: 2, padding: 1 }),
    second: conv2d(24, 48, 4, { stride: 2, padding: 1 }),
    out: linear(7 * 7 * 48, 1),
  },
  ({ first, second, out }, x: Tensor) =>
    out(leakyRelu(second(leakyRelu(first(x), 0.2)), 0.2).reshape([-1, 7 * 7 * 48])),
)

type G = ParamsOf<typeof generator>
type D = ParamsOf<typeof discriminator>

const optimizer = adam({ learningRate: 5e-4, beta1: 0.5 })

/** Both before the first step. */
export const startGan = (g: G, d: D) => ({ g, d, forG: optimizer.init(g), forD: optimizer.init(d), average: g })
const begin = (k: Key) =>
  startGan(generator.init(foldIn(k, 'generator')), discriminator.init(foldIn(k, 'discriminator')))
/** Both networks, their optimizers, and an average of the generator. */
export type GanState = ReturnType<typeof startGan>

const toSigned = (images: Tensor): Tensor => images.cast('f32').div(127.5).sub(1)

/** One step of the discriminator at real pictures in [−1, 1], then one of the generator against it, from noise [N, 32] for each. */
export const updateBoth = (state: GanState, real: Tensor, noiseD: Tensor, noiseG: Tensor) => {
  const made = generator.apply(state.g, noiseD) // a constant here: it is the discriminator that is differentiated
  const [lossD, slopesD] = valueAndGrad((d: D) => {
    const judge = (x: Tensor): Tensor => discriminator.apply(d, x)
    return adversarialLosses.vanilla.discriminator(judge(real), judge(made)).add(r1Penalty(grad, judge, real).mul(0.05))
  })(state.d)
  const [updatesD, nextD] = optimizer.update(slopesD, state.forD, state.d)
  const d = applyUpdates(state.d, updatesD)
  const [lossG, slopesG] = valueAndGrad((g: G) =>
    adversarialLosses.vanilla.generator(discriminator.apply(d, generator.apply(g, noiseG))),
  )(state.g)
  const [updatesG, nextG] = optimizer.update(slopesG, state.forG, state.g)
  const g = applyUpdates(state.g, updatesG)
  return { state: { g, d, forG: nextG, forD: nextD, average: ema(0.99, state.average, g) }, lossD, lossG }
}

/** The mean distance of all pairs of pictures. */
const distance = (a: Tensor, b: Tensor): Tensor => {
  const [x, y] = [a.reshape([-1, side * side]), b.reshape([-1, side * side])]
  const squares = x.square().sum(1, true).add(y.square().sum(1)).sub(x.matmul(y.transpose()).mul(2))
  return squares.maximum(0).sqrt().mean()
}
/** How far two sets of pictures are from one another as distributions, 0 for the same (Székely & Rizzo 2013, the energy distance). */
const energy = (a: Tensor, b: Tensor): Tensor => distance(a, b).mul(2).sub(distance(a, a)).sub(distance(b, b))

/** Trains; returns how far what is drawn, real digits and first drawings are from held-out digits, and 32 drawings, bytes [32, 28, 28, 1]. */
export const gan = async ({ steps = 2000, batch = 32 } = {}) => {
  const device = await openDevice()
  const step = device.compile(
    (state: GanState, data: Digits, k: Key) => {
      const [forBatch, forD, forG] = split(k, 3)
      const real = toSigned(minibatch(data, forBatch, batch).images)
      return updateBoth(state, real, normal(forD, [batch, latents]), normal(forG, [batch, latents]))
    },
    { donate: [0] },
  )
  const [data, test] = [await device.realize(learned(4000)), await device.realize(toSigned(heldOut(500).images))]
  const draw = (params: G): Tensor => generator.apply(params, normal(key(3), [500, latents]))
  const first = await device.item(energy(draw(begin(key(0)).g), test))
  let state = begin(key(0))
  for (let i = 0; i < steps; i++) state = (await step(state, data, foldIn(key(1), i))).state
  const drawn = await device.realize(draw(state.average))
  const far = await device.item(energy(drawn, test))
  const real = await device.item(energy(toSigned(data.images.slice([0, 500])), test))
  const samples = await device.read(drawn.slice([0, 32]).add(1).mul(127.5).cast('u8'))
  await device.close()
  return { far, real, first, samples: Uint8Array.from(samples) }
}

if (import.meta.main) {
  const { far, real, first, samples } = await gan()
  console.log(
    `distance to held-out digits: drawn ${far.toFixed(2)}, at first ${first.toFixed(1)}, real digits ${real.toFixed(2)}`,
  )
  writeFileSync(process.argv[2] ?? 'gan.png', sheetOf(samples))
}
