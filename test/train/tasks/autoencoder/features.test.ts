/** The features of a trained network as a loss of an autoencoder: their gradients, their balance, and the file that a run keeps of the network. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkGrad, grad } from '../../../../src/autograd/index.ts'
import { judgeLayers } from '../../../../src/evaluation/features/network.ts'
import { trainedParams } from '../../../../src/evaluation/features/trained.ts'
import { seas } from '../../../../src/data/index.ts'
import { encodePng } from '../../../../src/io/index.ts'
import { featureLoss } from '../../../../src/nn/index.ts'
import { constant, tensor } from '../../../../src/tensor/create.ts'
import { concatenate } from '../../../../src/tensor/combine.ts'
import { range } from '../../../../src/prelude/array.ts'
import { openDevice } from '../../../../src/tensor/device.ts'
import { key, normal } from '../../../../src/tensor/random.ts'
import type { Tensor } from '../../../../src/tensor/tensor.ts'
import { mapTree } from '../../../../src/tensor/tree.ts'
import {
  autoencoderConfigOf,
  encodeWeights,
  featuresOfRun,
  initialState,
  recipeOf,
  resume,
  train,
  type AutoencoderRun,
  type DiffusionRun,
  type FeaturesConfig,
  type TrainEvent,
} from '../../../../src/train/index.ts'
import { autoencoderLearning } from '../../../../src/train/tasks/autoencoder/learning.ts'
import { autoencoderTask } from '../../../../src/train/tasks/autoencoder/autoencoderTask.ts'
import {
  denoiserIn,
  featuresOfSeas,
  type FrozenFeatures,
} from '../../../../src/train/tasks/autoencoder/frozenFeatures.ts'
import { loadAutoencoder } from '../../../../src/train/tasks/autoencoder/loadAutoencoder.node.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { fingerprints } from '../../runFiles.ts'
import { directories, done, leftMessage, right, tinyConfig } from '../../tinyRun.ts'
import { built, tinyAutoencoder } from './tinyAutoencoder.ts'
import { withCacheHome } from '../../../support/cacheHome.ts'

const device = cpuDevice()
const directory = directories()
withCacheHome(directory)

const wave = (shape: readonly number[], a: number, b: number): Float64Array =>
  Float64Array.from({ length: shape.reduce((m, n) => m * n, 1) }, (_, i) => 0.9 * Math.sin(a * i + b))

/** A tiny denoiser of 8×8 pictures with weights that are not those it begins with. */
const denoiser = async (changes: Partial<DiffusionRun> = {}): Promise<FrozenFeatures> => {
  const config = tinyConfig('unused', changes)
  const params = mapTree(initialState(recipeOf(config), key(3)).params, (x) => x.add(0.02))
  return right(denoiserIn('its file', await encodeWeights(device, config, params))).features
}

const sources = async (): Promise<readonly (readonly [string, FrozenFeatures])[]> => [
  ['seas', featuresOfSeas],
  ['a denoiser', await denoiser()],
  ['a transformer', await denoiser({ model: { kind: 'dit', patch: 4, width: 8, depth: 2, heads: 2 } })],
]

describe('the loss in the features of a frozen network', () => {
  const shape = [2, 8, 8, 3]
  const noise = wave(shape, 1.7, 0.3)
  const target = wave(shape, 0.37, 0.2)
  const distance =
    (sees: FrozenFeatures) =>
    (made: Tensor): Tensor =>
      featureLoss((x) => sees(x, constant(noise, { shape })), made, constant(target, { shape }))

  it('has the gradients of finite differences in pictures', async () => {
    const along = wave([shape.reduce((m, n) => m * n, 1), 4], 2.3, 0.1)
    for (const [, sees] of await sources()) {
      const moved = (by: Tensor): Tensor =>
        constant(wave(shape, 0.41, 0.1), { shape }).add(
          constant(along, { shape: [along.length / 4, 4] })
            .matmul(by.reshape([4, 1]))
            .reshape(shape),
        )
      await checkGrad(device, (by: Tensor) => distance(sees)(moved(by)), [tensor(new Float64Array(4))], {
        step: 1e-5,
        relative: 1e-5,
      })
    }
  })

  it('is 0 for the same picture, grows with blur, and compares under one noise', async () => {
    for (const [name, sees] of await sources()) {
      const same = await device.item(distance(sees)(constant(target, { shape })))
      const far = await device.item(distance(sees)(constant(target, { shape }).mul(0.2)))
      expect(same, name).toBeLessThan(1e-12)
      expect(far, name).toBeGreaterThan(1e-3)
    }
  })

  it('of a denoiser depends on the noise that both pictures are shown with; that of seas does not', async () => {
    for (const [name, sees] of await sources()) {
      const under = (eps: Float64Array): Promise<number> =>
        device.item(
          featureLoss(
            (x) => sees(x, constant(eps, { shape })),
            constant(target, { shape }).mul(0.5),
            constant(target, { shape }),
          ),
        )
      const [one, other] = [await under(noise), await under(wave(shape, 0.9, 2))]
      expect(one === other, name).toBe(name === 'seas')
    }
  })

  it('keeps its share where pictures are twice as large: within a percent, on pictures without a border of their own', async () => {
    // A pattern that goes on without an edge, so that what changes is the size and not the scene.
    const side = 32
    const picture = (a: number): Tensor =>
      tensor(
        Float32Array.from({ length: side * side * 3 }, (_, i) => {
          const [y, x] = [Math.floor(i / 3 / side), Math.floor(i / 3) % side]
          return 0.5 * Math.sin(a * (i % 3) + (2 * Math.PI * 3 * x) / side) * Math.cos((2 * Math.PI * 2 * y) / side)
        }),
        { shape: [1, side, side, 3] },
      )
    const tiled = (x: Tensor, times: number): Tensor => {
      const copies = (y: Tensor, axis: number): Tensor =>
        concatenate(
          Array.from({ length: times }, () => y),
          axis,
        )
      return copies(copies(x, 2), 1)
    }
    const fast = await openDevice('wasm')
    const loss = (times: number): Promise<number> => {
      const [x, made] = [tiled(picture(1), times), tiled(picture(1.2), times)]
      return fast.item(featureLoss((p) => featuresOfSeas(p, p), made, x))
    }
    const [once, twice] = [await loss(4), await loss(8)]
    await fast.close()
    expect(Math.abs(twice / once - 1)).toBeLessThan(0.01)
  })
})

const withSeas = { weights: { features: 0.5 }, features: 'seas' } as const

describe('an autoencoder that is trained by features', () => {
  it('is told their loss by name, from a fifth of the steps on, and more and more over a tenth', () => {
    const config = tinyAutoencoder('unused', { ...withSeas, steps: 100 })
    built(config, ({ autoencoder }) => {
      const learning = autoencoderLearning(config, autoencoder, featuresOfSeas)
      expect(learning.parts).toContain('features')
      expect([1, 20, 25, 30, 100].map((step) => learning.phaseAt(step).weights['features'])).toEqual([
        0, 0, 0.25, 0.5, 0.5,
      ])
      const plain = autoencoderLearning(tinyAutoencoder('unused'), autoencoder)
      expect(plain.parts).not.toContain('features')
      expect(plain.phaseAt(1).weights).not.toHaveProperty('features')
    })
  })

  it('has no other parameters for them: the network that sees does not move', () => {
    const config = tinyAutoencoder('unused', withSeas)
    built(config, (family) => {
      const task = autoencoderTask(config, family, featuresOfSeas)
      expect(Object.keys(task.init(key(0)))).toEqual(['encoder', 'decoder'])
    })
    expect(judgeLayers.apply(trainedParams(), normal(key(1), [1, 8, 8, 3])).map(({ shape }) => shape)).toEqual([
      [1, 4, 4, 32],
      [1, 2, 2, 48],
      [1, 1, 1, 64],
    ])
  })

  it('draws what it drew without them, and noise for them besides, a part of a step its part', async () => {
    const config = tinyAutoencoder('unused', withSeas)
    await built(config, async (family) => {
      const [plain, seeing] = [autoencoderTask(config, family), autoencoderTask(config, family, featuresOfSeas)]
      const [a, b] = [plain.draws(key(5), 4), seeing.draws(key(5), 4)]
      for (const name of ['noise', 'mirrored', 'turns'] as const)
        expect(await values(b[name], device)).toEqual(await values(a[name], device))
      expect(a).not.toHaveProperty('disturbance')
      const part = seeing.draws(key(5), 2, tensor(2, { dtype: 'u32' }))
      if (b.disturbance === undefined || part.disturbance === undefined) throw new Error('there is no noise')
      expect(await values(part.disturbance, device)).toEqual(await values(b.disturbance.slice([2, 4]), device))
    })
  })

  it('learns by them: the gradient of its decoder is another one than without', async () => {
    const gradientOf = (sees?: FrozenFeatures): Promise<readonly number[]> => {
      const config = tinyAutoencoder('unused', sees === undefined ? {} : withSeas)
      return built(config, async ({ autoencoder }) => {
        const learning = autoencoderLearning(config, autoencoder, sees)
        const params = { encoder: autoencoder.encoder.init(key(1)), decoder: autoencoder.decoder.init(key(2)) }
        const moved = mapTree(params, (x) => x.add(0.05))
        const learned = learning.gradients(moved, {
          phase: 'fit',
          batch: tensor(
            Uint8Array.from(wave([2, 8, 8, 3], 0.37, 0), (v) => 127 * (v + 1)),
            { shape: [2, 8, 8, 3] },
          ),
          draws: {
            noise: normal(key(8), [2, 4, 4, 2]),
            turns: tensor(Int32Array.of(0, 1)),
            mirrored: tensor([true, false]),
          },
          weights: sees === undefined ? {} : { features: tensor(0.5) },
          differentiate: (loss, at) => [loss(at), grad(loss)(at)],
        })
        const [first] = Object.values(
          learned.gradients.decoder as Readonly<Record<string, { readonly weight: Tensor }>>,
        )
        return first === undefined ? [] : values(first.weight, device)
      })
    }
    expect(await gradientOf(featuresOfSeas)).not.toEqual(await gradientOf())
  })
})

describe('the setting of features', () => {
  const made = (given: Readonly<Record<string, unknown>>) => autoencoderConfigOf({ out: 'vae', ...given })

  it('counts a tenth where nothing is said, and neither it nor its weight is written where it is none', () => {
    expect(right(made({ features: 'seas' }))).toMatchObject({ features: 'seas', weights: { features: 0.1 } })
    expect(right(made({ features: 'seas', weights: { features: 0.3 } })).weights.features).toBe(0.3)
    for (const given of [{}, { features: 'none' }, { weights: { features: 0 } }]) {
      const config = JSON.parse(JSON.stringify(right(made(given)))) as AutoencoderRun
      expect(config).not.toHaveProperty('features')
      expect(config.weights).not.toHaveProperty('features')
    }
  })

  it('is refused in words where it does not fit', () => {
    expect(leftMessage(made({ features: 'sea' }))).toMatch(
      /features must be one of seas, got "sea"; did you mean seas\?/,
    )
    expect(leftMessage(made({ weights: { features: 1 } }))).toMatch(/features must be seas or a run's/)
    expect(leftMessage(made({ features: 'seas', weights: { features: 0 } }))).toMatch(
      /weights.features must be above 0/,
    )
    expect(leftMessage(made({ features: 'seas', channels: 1, folder: 'photos' }))).toMatch(
      /channels must be 3 for the features of seas/,
    )
  })
})

/** Trains until a step is done, as Ctrl-C would stop it. */
const trainUntil = async (config: AutoencoderRun, step: number): Promise<void> => {
  const controller = new AbortController()
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step === step) controller.abort()
  }
  await done(train(config, { onEvent, signal: controller.signal }))
}

describe('a run by the features of another', () => {
  // A folder of few pictures: of endless seas two thousand would be drawn for the scale of the latents.
  const folder = directory()
  mkdirSync(folder)
  const sea = seas({ seed: 5, size: 16 })
  for (const i of range(12))
    writeFileSync(join(folder, `${i}.png`), encodePng({ width: 16, height: 16, channels: 3, pixels: sea.image(i) }))
  const small = { folder, steps: 4, saveEvery: 2, batch: 2, device: 'cpu', weights: { features: 0.5 } }

  it('keeps the network, goes on without the other run bit for bit, and refuses another network in its place', async () => {
    const [pixels, whole, stopped] = [directory(), directory(), directory()]
    await done(train(tinyConfig(pixels, { folder, device: 'cpu', steps: 2, saveEvery: 2 })))
    const features: FeaturesConfig = await done(featuresOfRun(pixels))
    await done(train(tinyAutoencoder(whole, { ...small, features })))
    await trainUntil(tinyAutoencoder(stopped, { ...small, features }), 1)
    rmSync(pixels, { recursive: true })
    expect(await done(resume(stopped))).toMatchObject({ step: 4, interrupted: false })
    expect(fingerprints(stopped, 'step-000004')).toEqual(fingerprints(whole, 'step-000004'))
    const lines = readFileSync(join(whole, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
    for (const line of lines) expect((JSON.parse(line) as { readonly features: number }).features).toBeGreaterThan(0)
    const kept = join(stopped, 'features.safetensors')
    const bytes = readFileSync(kept)
    bytes.set([bytes.at(-1) === 1 ? 2 : 1], bytes.length - 1)
    writeFileSync(kept, bytes)
    expect(leftMessage(await resume(stopped, {}, { steps: 6 })())).toMatch(
      /features.safetensors has other weights than those by whose features the run is trained: restore/,
    )
  })

  it('says in the file of its autoencoder when eval judges by the same features, and needs no file of that network', async () => {
    const run = directory()
    await done(train(tinyAutoencoder(run, { ...small, steps: 2, features: 'seas' })))
    expect((await done(loadAutoencoder(run))).features).toBe('seas')
    expect(existsSync(join(run, 'features.safetensors'))).toBe(false)
  })

  it('is refused where the other network sees pictures of another size', async () => {
    const pixels = directory()
    const model = { kind: 'uvit', patch: 4, width: 8, depth: 1, heads: 1, size: [16, 16] } as const
    await done(train(tinyConfig(pixels, { folder, device: 'cpu', height: 16, width: 16, model, steps: 2 })))
    const features = await done(featuresOfRun(pixels))
    expect(leftMessage(await train(tinyAutoencoder(directory(), { ...small, features }))())).toMatch(
      /sees pictures of 16×16 alone, and crops are of 8×8; choose another --crop/,
    )
  })

  it('is refused where there is no such run, and where it has learned nothing', async () => {
    const pixels = directory()
    expect(leftMessage(await featuresOfRun(pixels)())).toMatch(/holds no run/)
    await done(train(tinyConfig(pixels, { folder, device: 'cpu' }), { signal: AbortSignal.abort() }))
    expect(leftMessage(await featuresOfRun(pixels)())).toMatch(/has learned nothing yet/)
  })
})
