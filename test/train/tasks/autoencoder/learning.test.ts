/** How an autoencoder learns: by which losses in which weights, and that neither side's gradient reaches the other. */
import { describe, expect, it } from 'vitest'
import { checkGrad, grad, valueAndGrad } from '../../../../src/autograd/index.ts'
import { adaptiveWeight, adversarialLosses, autoencoderKl, r1Penalty, vqModel } from '../../../../src/models/index.ts'
import type { Autoencoder, AutoencoderParams } from '../../../../src/models/autoencoder/autoencoder.ts'
import { linear, type LinearParams } from '../../../../src/nn/index.ts'
import { concatenate } from '../../../../src/tensor/combine.ts'
import { constant, scalar, tensor } from '../../../../src/tensor/create.ts'
import { key, normal, randint } from '../../../../src/tensor/random.ts'
import { pixelShuffle, pixelUnshuffle } from '../../../../src/tensor/resampling.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../../../src/tensor/tree.ts'
import type { AutoencoderRun } from '../../../../src/train/index.ts'
import type { LearnedBy } from '../../../../src/train/task.ts'
import {
  adversaryOf,
  autoencoderLearning,
  type AutoencoderDraws,
} from '../../../../src/train/tasks/autoencoder/learning.ts'
import { autoencoderLosses, type Crops, type Losses } from '../../../../src/train/tasks/autoencoder/losses.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { tinyAutoencoder } from './tinyAutoencoder.ts'

const device = cpuDevice()

const weights = { pyramid: 0.75, kl: 0.01, equivariance: 0.25, adversary: 0.5 }

const settings = { channels: 3, latentChannels: 2, widths: [4, 4], layers: 1, groups: 2 } as const
const kl = autoencoderKl({ ...settings, shortcuts: 'pixel-unshuffle' })
const vq = vqModel({ ...settings, codes: 8, codeWidth: 2 })

const paramsOf = <Enc, Dec>({ encoder, decoder }: Autoencoder<Enc, Dec>): AutoencoderParams<Enc, Dec> => ({
  encoder: encoder.init(key(1)),
  decoder: decoder.init(key(2)),
})

const directions = 6

/** Parameters away from the zeros at which some begin, moved along six directions as far as `by` says. */
const moved = <T>(tree: T, by: Tensor): T => {
  let stream = 0
  return mapTree(tree, (p) => {
    const k = stream++
    const start = Float64Array.from({ length: p.size }, (_, i) => 0.3 * Math.sin(1.3 * i + k) + 0.05)
    const along = Float64Array.from({ length: p.size * directions }, (_, i) => 0.1 * Math.sin(k + i * i))
    const shift = constant(along, { shape: [p.size, directions] }).matmul(by.reshape([directions, 1]))
    return constant(start, { shape: p.shape }).add(shift.reshape(p.shape))
  })
}

const wave = (shape: readonly number[], a: number, b: number): Tensor =>
  tensor(
    Float64Array.from({ length: shape.reduce((m, n) => m * n, 1) }, (_, i) => 0.9 * Math.sin(a * i + b)),
    { shape },
  )

/** Crops as whole numbers, so that only what they are given to is differentiated. */
interface WholeCrops {
  readonly x: Tensor
  readonly noise: Tensor
  readonly turns: Tensor
}

const wholeCrops = (count: number): WholeCrops => {
  const whole = (x: Tensor): Tensor => x.mul(1000).cast('i32')
  return {
    x: whole(wave([count, 8, 8, 3], 0.37, 0.2)),
    noise: whole(wave([count, 4, 4, 2], 1.9, 0.4)),
    turns: randint(key(5), [count], 0, 4),
  }
}

const asCrops = ({ x, noise, turns }: WholeCrops): Crops => {
  const f64 = (y: Tensor): Tensor => y.cast('f64').div(1000)
  return { x: f64(x), noise: f64(noise), turns }
}

const stepWeights = { kl: 0.01, equivariance: 0.25 }

describe('what an autoencoder loses', () => {
  const nowhere = tensor(new Float64Array(directions))

  /** The losses of both halves, and of a decoder alone, as functions of how far their parameters moved. */
  const lossesOf = <Enc, Dec>(autoencoder: Autoencoder<Enc, Dec>, isSpread: boolean) => {
    const { ofBoth, ofDecoder, encode, names } = autoencoderLosses(autoencoder, weights, isSpread)
    const template = paramsOf(autoencoder)
    return {
      names,
      both: (by: Tensor, given: WholeCrops): Losses => ofBoth(moved(template, by), asCrops(given), stepWeights),
      decoder: (by: Tensor, given: WholeCrops): Losses => {
        const crops = asCrops(given)
        const { kl: _, ...latents } = encode(moved(template, by.mul(0)).encoder, crops)
        return ofDecoder(moved(template, by).decoder, latents, crops, stepWeights)
      },
    }
  }

  it('has the gradients of finite differences, of both halves and of a decoder alone', async () => {
    const { both, decoder } = lossesOf(kl, true)
    for (const f of [both, decoder])
      await checkGrad(device, (by: Tensor, given: WholeCrops) => f(by, given).total, [nowhere, wholeCrops(2)], {
        step: 1e-5,
        relative: 1e-5,
      })
  })

  it.each(['kl', 'vq'] as const)('is told by names, each of which moves the parameters: %s', async (kind) => {
    const { both, decoder, names } = kind === 'kl' ? lossesOf(kl, true) : lossesOf(vq, false)
    expect(names.toSorted()).toEqual(
      ['charbonnier', 'equivariance', 'pyramid', kind === 'kl' ? 'kl' : 'codebook'].toSorted(),
    )
    expect(Object.keys(both(nowhere, wholeCrops(1)).parts).toSorted()).toEqual(names.toSorted())
    expect(Object.keys(decoder(nowhere, wholeCrops(1)).parts)).toEqual(names.filter((name) => name !== 'kl'))
    const slopes = device.compile((by: Tensor, given: WholeCrops) =>
      names.map((name) => grad((own: Tensor) => both(own, given).parts[name] ?? own.sum())(by)),
    )
    for (const [i, slope] of (await slopes(nowhere, wholeCrops(1))).entries())
      expect(
        (await values(slope, device)).some((g) => Math.abs(g) > 1e-4),
        names[i],
      ).toBe(true)
  })

  it('is the weighted sum of its parts, without those whose weight is 0', async () => {
    const own = moved(paramsOf(kl), nowhere)
    const counted = { charbonnier: 1, pyramid: 0.75, equivariance: 0.25, kl: 0.01 }
    const { total, parts } = autoencoderLosses(kl, weights, true).ofBoth(own, asCrops(wholeCrops(1)), stepWeights)
    const terms = Object.entries(counted).map(async ([name, w]) => w * (await device.item(parts[name] ?? total)))
    expect(await device.item(total)).toBeCloseTo(
      (await Promise.all(terms)).reduce((a, b) => a + b),
      12,
    )
    expect(autoencoderLosses(kl, { ...weights, pyramid: 0, kl: 0 }, true).names).toEqual([
      'charbonnier',
      'equivariance',
    ])
  })

  it('keeps its balance where crops are twice as large: no part changes by more than 1 %', async () => {
    const half = linear(12, 4)
    const whole = linear(2, 12)
    // Each 2×2 square by itself, so that a crop has no border.
    const squares: Autoencoder<LinearParams, { readonly head: LinearParams }> = {
      encoder: {
        init: half.init,
        apply: (p, x) => {
          const moments = half.apply(p, pixelUnshuffle(x, 2))
          return { mean: moments.slice([], [], [], [0, 2]), logVariance: moments.slice([], [], [], [2, 4]) }
        },
      },
      decoder: {
        init: (k) => ({ head: whole.init(k) }),
        apply: ({ head }, z) => pixelShuffle(whole.apply(head, z), 2),
      },
      factor: 2,
      latentChannels: 2,
    }
    const { ofBoth, names } = autoencoderLosses(squares, weights, true)
    const own = moved(paramsOf(squares), nowhere)
    const doubled = (x: Tensor): Tensor => {
      const wide = concatenate([x, x], 2)
      return concatenate([wide, wide], 1)
    }
    const { x, noise, turns } = asCrops(wholeCrops(2))
    const [once, twice] = [
      ofBoth(own, { x, noise, turns }, stepWeights),
      ofBoth(own, { x: doubled(x), noise: doubled(noise), turns }, stepWeights),
    ]
    for (const name of names) {
      const [a, b] = [once.parts[name], twice.parts[name]]
      if (a === undefined || b === undefined) throw new Error(`there is no ${name}`)
      expect((await device.item(b)) / (await device.item(a)), name).toBeCloseTo(1, 10)
    }
  })
})

/** A step of a run, on two crops of a tiny autoencoder. */
const stepOf = (config: AutoencoderRun, step: number) => {
  const autoencoder = autoencoderKl({ ...settings, shortcuts: 'pixel-unshuffle' })
  const learning = autoencoderLearning(config, autoencoder)
  const { name, weights } = learning.phaseAt(step)
  const batch = wave([2, 8, 8, 3], 0.37, 0.2).add(1).mul(127).cast('u8')
  const draws = {
    noise: normal(key(8), [2, 4, 4, 2]),
    turns: randint(key(5), [2], 0, 4),
    mirrored: tensor([1, 0], { dtype: 'bool' }),
  }
  const f32 = <T>(tree: T): T =>
    mapTree(moved(tree, tensor(new Float64Array(directions))), (p, path) =>
      p.cast('f32').mul(path.startsWith('adversary.last') ? 2000 : 1),
    )
  const adversary = adversaryOf(config)?.init(key(3))
  const params = f32({
    ...paramsOf(autoencoder),
    // steep, so that the weight of the adversary is below its bound
    ...(adversary !== undefined && { adversary }),
  })
  type Own = typeof params
  const given = Object.fromEntries(Object.entries(weights).map(([k, w]) => [k, scalar(w)]))
  const run = device.compile(
    (own: Own, batch: Tensor, draws: AutoencoderDraws, weights: typeof given): LearnedBy<Own> =>
      learning.gradients(own, {
        phase: name,
        batch,
        draws,
        weights,
        differentiate: (loss, at) => valueAndGrad(loss)(at),
      }),
  )
  return { learning, params, batch, draws, run: async () => run(params, batch, draws, given), phase: name, given }
}

const bitsOf = async (tree: unknown): Promise<ReadonlyMap<string, readonly number[]>> => {
  const read = leavesWithPaths(tree).map(async ([path, x]) => [path, await values(x, device)] as const)
  return new Map(await Promise.all(read))
}

const withAdversary = (changes: Readonly<Record<string, unknown>> = {}): AutoencoderRun =>
  tinyAutoencoder('unused', {
    steps: 100,
    weights,
    adversary: { from: 0.7, penalty: 0.5, ...(changes['adversary'] as object | undefined) },
    ...(changes['weights'] === undefined ? {} : { weights: { ...weights, ...(changes['weights'] as object) } }),
  })

describe('an autoencoder and its adversary', () => {
  it('learn in two phases: first both halves, at last the decoder against the adversary; without one there is one phase', () => {
    const { learning } = stepOf(withAdversary(), 1)
    expect(learning.phases).toEqual({ fit: ['encoder', 'decoder'], against: ['decoder', 'adversary'] })
    expect([1, 70, 71, 100].map((step) => learning.phaseAt(step).name)).toEqual(['fit', 'fit', 'against', 'against'])
    const alone = autoencoderLearning(tinyAutoencoder('unused', { steps: 100 }), kl)
    expect(alone.phases).toEqual({ fit: ['encoder', 'decoder'] })
    expect(alone.phaseAt(100).name).toBe('fit')
  })

  it('each have a rate that comes to its end: of both halves where the adversary begins; its own is the same to the end', () => {
    const rates = (changes: Readonly<Record<string, unknown>>, ...steps: readonly number[]) => {
      const config = { ...withAdversary({ adversary: { learningRate: 3e-4 } }), learningRate: 1e-3, ...changes }
      const { phaseAt } = autoencoderLearning(config, kl)
      return steps.map((step) => phaseAt(step).learningRate)
    }
    const [first, middle, last, ...against] = rates({ rate: 'cosine' }, 1, 36, 70, 71, 85, 100)
    expect([first, against]).toEqual([1e-3, [3e-4, 3e-4, 3e-4]])
    expect(middle).toBeCloseTo(0.5e-3, 12) // half of the way from step 1 to 71
    expect(last).toBeCloseTo(0.5e-3 * (1 + Math.cos((Math.PI * 69) / 70)), 12)
    expect(rates({ rate: 'constant' }, 1, 36, 70, 71, 100)).toEqual([1e-3, 1e-3, 1e-3, 3e-4, 3e-4])
    expect(rates({ rate: 'cosine', steps: 200, phaseSteps: 100 }, 36, 70, 71, 200)).toEqual([middle, last, 3e-4, 3e-4])
    const warmed = rates({ rate: 'constant', steps: 10_000 }, 7000, 7001, 7015, 7030, 7031)
    expect(warmed.map((rate) => Number(rate?.toFixed(9)))).toEqual([1e-3, 1e-5, 1.5e-4, 3e-4, 3e-4])
    const alone = autoencoderLearning(tinyAutoencoder('unused', { steps: 100 }), kl)
    expect(alone.phaseAt(100).learningRate).toBeUndefined()
  })

  it('the divergence counts more and more over a tenth of the steps, and equivariance from there on', () => {
    const { learning } = stepOf(withAdversary(), 1)
    const at = (step: number) => learning.phaseAt(step).weights
    expect([1, 5, 10, 50].map((step) => at(step)['kl'])).toEqual([0.001, 0.005, 0.01, 0.01])
    expect([10, 11].map((step) => at(step)['equivariance'])).toEqual([0, 0.25])
  })

  it('tell all parts of a loss in each phase', async () => {
    for (const step of [1, 90]) {
      const { run, learning } = stepOf(withAdversary(), step)
      const { parts } = await run()
      expect(Object.keys(parts).toSorted()).toEqual(learning.parts.toSorted())
      const told = await bitsOf(parts)
      for (const name of ['discriminator', 'steepness', 'adversaryWeight'])
        expect(told.get(name)?.[0] === 0, `${name} of step ${step}`).toBe(step === 1)
    }
  })

  it('of a step of theirs, the encoder has no gradient, and in the first phase the adversary has none', async () => {
    const [first, last] = [await stepOf(withAdversary(), 1).run(), await stepOf(withAdversary(), 90).run()]
    const moving = async (tree: unknown): Promise<boolean> =>
      [...(await bitsOf(tree)).values()].flat().some((g) => g !== 0)
    expect([await moving(first.gradients.encoder), await moving(first.gradients.adversary)]).toEqual([true, false])
    expect([await moving(last.gradients.encoder), await moving(last.gradients.adversary)]).toEqual([false, true])
    expect([await moving(first.gradients.decoder), await moving(last.gradients.decoder)]).toEqual([true, true])
  })

  it('nothing leaks: what the adversary loses changes no bit of the decoder’s gradient, and the reverse', async () => {
    const plain = await stepOf(withAdversary(), 90).run()
    const steep = await stepOf(withAdversary({ adversary: { penalty: 50 } }), 90).run()
    const blurred = await stepOf(withAdversary({ weights: { pyramid: 7, adversary: 0.1 } }), 90).run()
    expect(await bitsOf(steep.gradients.decoder)).toEqual(await bitsOf(plain.gradients.decoder))
    expect(await bitsOf(steep.gradients.adversary)).not.toEqual(await bitsOf(plain.gradients.adversary))
    expect(await bitsOf(blurred.gradients.adversary)).toEqual(await bitsOf(plain.gradients.adversary))
    expect(await bitsOf(blurred.gradients.decoder)).not.toEqual(await bitsOf(plain.gradients.decoder))
  })

  it('the decoder’s gradient is that of its losses and of the adversary’s, in the weight of the two norms at its last layer', async () => {
    const { run, params, batch, draws, given } = stepOf(withAdversary(), 90)
    const { gradients, parts } = await run()
    const losses = autoencoderLosses(kl, weights, true)
    const judge = adversaryOf(withAdversary())
    const { adversary } = params
    if (judge === undefined || adversary === undefined) throw new Error('there is no adversary')
    const byHand = device.compile(
      (own: typeof params, u8: Tensor, drawn: typeof draws, weights: typeof given, a: typeof adversary) => {
        const x = u8
          .cast('f32')
          .mul(1 / 127.5)
          .sub(1)
        const crops = {
          x: drawn.mirrored.reshape([2, 1, 1, 1]).select(x.reverse([2]), x),
          noise: drawn.noise,
          turns: drawn.turns,
        }
        const { kl: _, ...latents } = losses.encode(own.encoder, crops)
        const fitting = (d: typeof own.decoder): Tensor =>
          losses.ofDecoder(d, latents, crops, { kl: 0, equivariance: weights['equivariance'] ?? 0 }).total
        const fooling = (d: typeof own.decoder): Tensor =>
          adversarialLosses.hinge.generator(judge.apply(a, kl.decoder.apply(d, latents.z)))
        const [toFit, toFool] = [grad(fitting)(own.decoder), grad(fooling)(own.decoder)]
        const w = adaptiveWeight(toFit.head, toFool.head, { factor: 0.5 })
        const D = (y: Tensor): Tensor => judge.apply(a, y)
        return {
          w,
          head: toFit.head.weight.add(toFool.head.weight.mul(w)),
          stem: toFit.stem.weight.add(toFool.stem.weight.mul(w)),
          steepness: r1Penalty(grad, D, crops.x),
        }
      },
    )
    const { w, head, stem, steepness } = await byHand(params, batch, draws, given, adversary)
    const near = async (found: Tensor | undefined, expected: Tensor): Promise<void> => {
      const [a, b] = [await values(found ?? scalar(NaN), device), await values(expected, device)]
      const scale = Math.max(...b.map(Math.abs))
      a.forEach((x, i) => expect(Math.abs(x - (b[i] ?? NaN))).toBeLessThan(1e-5 * scale))
    }
    await near(parts['adversaryWeight'], w)
    expect(await device.item(w)).toBeLessThan(0.49)
    await near(parts['steepness'], steepness)
    await near(gradients.decoder.head.weight, head)
    await near(gradients.decoder.stem.weight, stem)
  })
})
