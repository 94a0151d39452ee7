/** Drawing with guides, classes and chosen beginnings, from weights that nobody has trained. */
import { describe, expect, it } from 'vitest'
import { dataOfSeas, seaLabels, seas } from '../../../../src/data/index.ts'
import { range } from '../../../../src/prelude/array.ts'
import { key } from '../../../../src/tensor/random.ts'
import { mapTree } from '../../../../src/tensor/tree.ts'
import {
  configOf,
  initialState,
  labelsIn,
  recipeOf,
  sample,
  type DiffusionRun,
  type LoadedWeights,
  type SampleOptions,
} from '../../../../src/train/index.ts'
import { conditionsOf } from '../../../../src/train/tasks/diffusion/diffusionConfig.ts'
import { openPictures } from '../../../../src/train/pictures/openPictures.node.ts'
import { done, leftMessage, right, tinySettings } from '../../tinyRun.ts'

const labels = ['boat', 'bridge', 'fog']

const weightsOf = (changes: Partial<DiffusionRun> = {}, seed = 1): LoadedWeights => {
  const config = right(configOf({ ...tinySettings, device: 'cpu', out: 'run', ...changes }))
  const recipe = recipeOf(config)
  const { model, schedule } = recipe.task
  return { config, model, schedule, average: initialState(recipe, key(seed)).params }
}

const plain = weightsOf()
const labelled = weightsOf({ labels })

const drawn = async (weights: LoadedWeights, options: Partial<SampleOptions> = {}): Promise<readonly string[]> => {
  const { pictures } = await done(sample(weights, { count: 2, steps: 3, seed: 0, ...options }))
  return pictures.map((picture) => Buffer.from(picture).toString('base64'))
}

describe('Autoguidance', () => {
  it('with weight 1 gives the bits of none', async () => {
    expect(await drawn(plain, { guide: weightsOf({}, 7), guidance: 1 })).toEqual(await drawn(plain))
  })

  it('by the network itself gives the bits of none, whatever the weight', async () => {
    expect(await drawn(plain, { guide: plain, guidance: 2.5 })).toEqual(await drawn(plain))
  })

  it('by another network moves the pictures, the further the greater its weight', async () => {
    const [none, some, more] = await Promise.all(
      [1, 1.5, 3].map((guidance) => drawn(plain, { guide: weightsOf({}, 7), guidance })),
    )
    expect(new Set([none?.[0], some?.[0], more?.[0]]).size).toBe(3)
  })

  it.each<Partial<DiffusionRun>>([{ timesteps: 30 }, { shift: 2 }, { zeroTerminal: true }])(
    'is refused by a network of other settings: %j',
    async (changes) => {
      const other = weightsOf(changes)
      expect(leftMessage(await sample(plain, { count: 1, seed: 0, guide: other, guidance: 2 })())).toMatch(
        /^the guide run is another network/,
      )
    },
  )
})

describe('A class', () => {
  it('changes what is drawn, and with guidance moves away from what is drawn without', async () => {
    const [none, boat, bridge, guided] = [
      await drawn(labelled),
      await drawn(labelled, { label: 'boat' }),
      await drawn(labelled, { label: 'bridge' }),
      await drawn(labelled, { label: 'boat', guidance: 3 }),
    ]
    expect(new Set([none[0], boat[0], bridge[0], guided[0]]).size).toBe(4)
  })

  it('with guidance 1 is the network that is told it, alone', async () => {
    expect(await drawn(labelled, { label: 'boat', guidance: 1 })).toEqual(await drawn(labelled, { label: 'boat' }))
  })

  it.each([
    [labelled, { label: 'boot' }, 'class must be one of boat, bridge, fog, got "boot"; did you mean boat?'],
    [plain, { label: 'boat' }, 'class must be absent: the run was trained without labels, got "boat"'],
    [plain, { guidance: 2 }, 'guidance must be 1 without a guide and a class: name one of them, got 2'],
    [plain, { guidance: NaN }, 'guidance must be a number from 0 to 100, 1 for none, got NaN'],
    [plain, { noise: { to: -1 } }, 'to must be a whole number ≥ 0, got -1'],
    [
      plain,
      { from: { picture: new Uint8Array(3), strength: 0.5 } },
      "from must be 192 bytes, a picture of the run's size, got 3",
    ],
    [
      plain,
      { from: { picture: new Uint8Array(192), strength: 0 } },
      'strength must be a number above 0 and at most 1, got 0',
    ],
    [
      plain,
      { from: { picture: new Uint8Array(192), strength: 1 }, noise: 'seeds' as const },
      'pictures begin with a picture or with noises that are chosen, not with both',
    ],
  ])('or a guide or a beginning that cannot be meant is one clear line', async (weights, options, message) => {
    expect(leftMessage(await sample(weights, { count: 1, seed: 0, ...options })())).toBe(message)
  })
})

describe('Pictures', () => {
  it('of seeds of their own are each what that seed draws alone', async () => {
    const grid = await drawn(plain, { noise: 'seeds', seed: 5, count: 3 })
    const alone = await Promise.all([5, 6, 7].map((seed) => drawn(plain, { seed, count: 1 })))
    expect(grid).toEqual(alone.flat())
  })

  it('between two seeds begin with the one and end with the other', async () => {
    const way = await drawn(plain, { noise: { to: 9 }, seed: 5, count: 4 })
    const [[first], [last]] = [await drawn(plain, { seed: 5, count: 1 }), await drawn(plain, { seed: 9, count: 1 })]
    expect([way[0], way[3]]).toEqual([first, last])
    expect(new Set(way).size).toBe(4)
  })

  it('that begin with a picture are the nearer to it the less it is noised', async () => {
    const picture = seas({ seed: 3, size: 8 }).image(0)
    const distance = async (strength: number): Promise<number> => {
      const { pictures } = await done(sample(plain, { count: 2, steps: 10, seed: 0, from: { picture, strength } }))
      return pictures.reduce((sum, p) => sum + p.reduce((d, byte, i) => d + Math.abs(byte - (picture[i] ?? 0)), 0), 0)
    }
    const [little, much] = [await distance(0.1), await distance(1)]
    expect(little).toBeLessThan(much)
  })
})

describe('What a network is told', () => {
  it('is as many numbers as there are labels and changes', () => {
    expect(conditionsOf({})).toBe(0)
    expect(conditionsOf({ labels, augment: 0.1 })).toBe(8)
    expect(labelled.config.model.conditions).toBe(3)
    expect(right(configOf({ ...tinySettings, out: 'r', augment: 0.1 }))).toMatchObject({
      flip: false,
      model: { conditions: 5 },
    })
  })

  it.each([
    [{ labels: [] }, 'labels must be a list of 1 to 1000 different names, got []'],
    [{ labels: ['a', 'a'] }, 'labels must be a list of 1 to 1000 different names, got ["a","a"]'],
    [{ augment: 2 }, 'augment must be a number in [0, 1], got 2'],
    [
      { augment: 0.1, flip: true },
      'flip must be false with augment, which mirrors too and tells the network, got true',
    ],
    [
      { labels, model: { conditions: 1 } },
      'model.conditions must be 3, for the labels and changes that the network is told, got 1',
    ],
    [
      { augment: 0.1, latent: { channels: 4, factor: 4 } },
      'augment changes pictures, and a run on latents encodes each once: train the autoencoder on crops, and leave it out here',
    ],
  ])('and that cannot be meant is one clear line: %j', (given, message) => {
    expect(leftMessage(configOf({ ...tinySettings, ...given, out: 'r' }))).toBe(message)
  })

  it('comes with the pictures of a stream: labels first, then changes', async () => {
    const config = right(configOf({ ...tinySettings, out: 'r', labels, augment: 1 }))
    const { data } = await done(openPictures(config))
    const { names, of } = seaLabels(seas({ seed: 0, size: 8 }))
    for (const i of range(5)) {
      const condition = data.condition?.(i)
      expect(condition).toHaveLength(8)
      expect([...(condition?.slice(0, 3) ?? [])]).toEqual(labels.map((label) => of(i)[names.indexOf(label)]))
      expect(condition?.[3]).toBe(1) // every picture is mirrored
    }
    expect([...(data.heldOutCondition?.(0).slice(3) ?? [])]).toEqual([0, 0, 0, 0, 0])
  })

  it('has labels that the data know, or the run is refused', async () => {
    const config = right(configOf({ ...tinySettings, out: 'r', labels: ['boat', 'whale'] }))
    expect(leftMessage(await openPictures(config)())).toMatch(
      /^procedural seas has no label 'whale', of which the network is to be told; there are 'boat', /,
    )
    expect((await done(labelsIn(null))).slice(0, 2)).toEqual(['boat', 'bridge'])
  })

  it('is kept from it as often as labels are dropped, and changes never are', async () => {
    const config = right(configOf({ ...tinySettings, out: 'r', labels, augment: 0.5, labelDropout: 1 }))
    const { task } = recipeOf(config)
    const data = dataOfSeas({ seed: 0, size: 8 })
    const batch = (of: (i: number) => number) =>
      task.examples(
        (first, count) => Uint8Array.from(range(count).flatMap((i) => [...data.picture(first + i)])),
        (_, count) => Float32Array.from(range(8 * count), (i) => of(i % 8)),
      )(0, 2)
    const { cpuDevice } = await import('../../../support/device.ts')
    const device = cpuDevice()
    const told = mapTree(initialState(recipeOf(config), key(0)).params, (x) => x.add(0.01)) // what is told counts from the first step on
    const lossOf = async (of: (i: number) => number) => device.item(task.loss(told, batch(of), task.draws(key(3), 2)))
    const [none, labelsTold, changesTold] = [
      await lossOf(() => 0),
      await lossOf((i) => (i < 3 ? 1 : 0)),
      await lossOf((i) => (i < 3 ? 0 : 1)),
    ]
    expect(labelsTold).toBe(none)
    expect(changesTold).not.toBe(none)
  })
})

describe('CFG++', () => {
  const way = { label: 'boat', plusPlus: true, steps: 5 }

  it('with the share 0 draws what is drawn without a class, and with more another picture', async () => {
    expect(await drawn(labelled, { ...way, guidance: 0 })).toEqual(await drawn(labelled, { steps: 5 }))
    const [plusPlus, usual] = [
      await drawn(labelled, { ...way, guidance: 0.6 }),
      await drawn(labelled, { ...way, plusPlus: false, guidance: 0.6 }),
    ]
    expect(plusPlus).not.toEqual(usual)
  })

  it('is refused beyond 1, without a class, and by samplers that do not add the noise that is seen', async () => {
    const refused = async (options: Partial<SampleOptions>): Promise<string> =>
      leftMessage(await sample(labelled, { count: 1, seed: 0, ...options })())
    expect(await refused({ ...way, guidance: 1.5 })).toBe('guidance must be a share from 0 to 1 of CFG++, got 1.5')
    expect(await refused({ plusPlus: true, guidance: 1 })).toMatch(
      /^guidance must be absent without a guide and a class/,
    )
    expect(await refused({ ...way, guidance: 0.5, sampler: 'heun' })).toBe(
      'sampler must be one of ddim, euler, euler-ancestral with CFG++, got heun',
    )
    expect(await refused({ plusPlus: true, guidance: 0.5, sampler: 'ddpm-respaced', label: 'boat' })).toMatch(
      /^sampler/,
    )
  })
})

describe('Dynamic thresholding', () => {
  it('draws other pictures than clipping where guidance is strong, and is refused where it cannot be meant', async () => {
    const strong = { label: 'boat', guidance: 20, steps: 5 }
    expect(await drawn(labelled, { ...strong, threshold: 0.9 })).not.toEqual(await drawn(labelled, strong))
    for (const threshold of [0, 1.1])
      expect(leftMessage(await sample(plain, { count: 1, seed: 0, threshold })())).toBe(
        `threshold must be a share above 0 and at most 1, got ${threshold}`,
      )
  })
})
