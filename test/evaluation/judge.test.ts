/** The judge is judged, on seas: real ones raise no alarm, and planted faults the one that is meant for them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withCopies } from './faults.ts'
import { blurredPictures } from '../../src/evaluation/anchors.ts'
import {
  featureSpaces,
  judge,
  judgementPage,
  sentencesOf,
  type JudgeOptions,
  type Judgement,
} from '../../src/evaluation/index.ts'
import { openDevice, type Device } from '../../src/tensor/device.ts'
import { greys, seaPictures } from './pictures.ts'

const [count, size] = [48, 16] as const
const training = seaPictures(0, 3 * count, size)
const heldOut = seaPictures(5000, 24, size)
const real = seaPictures(9000, count, size)

let device: Device
beforeAll(async () => {
  device = await openDevice('wasm')
})
afterAll(() => device.close())

const judged = (changes: Partial<JudgeOptions> = {}): Promise<Judgement> =>
  judge(device, { generated: real, training, heldOut, permutations: 149, anchors: false, ...changes })

describe('pictures that are as good as real ones', () => {
  let judgement: Judgement
  beforeAll(async () => {
    judgement = await judged({ anchors: true })
  })

  it('raise no alarm', () => {
    expect(judgement.tests.filter(({ adjusted }) => adjusted < 0.05)).toEqual([])
    expect(judgement.tests.length).toBeGreaterThan(14)
  })

  it('sets of known quality show what the tests see: blur in the finest texture', () => {
    expect(judgement.sets.blurred?.levels[0]?.p).toBe(1 / 150)
    expect(judgement.sets.real.levels[0]?.p).toBeGreaterThan(0.01)
    expect(Object.keys(judgement.sets)).toEqual(expect.arrayContaining(['gaussian', 'copied']))
  })

  it('are a page that shows the numbers, the sentences and the pictures, and needs nothing else', () => {
    const page = judgementPage({ title: 'Seas & <sails>', facts: 'for a test', judgement, generated: real, training })
    expect(page).toContain('<h1>Seas &#38; &#60;sails&#62;</h1>')
    expect(page.match(/<figure/gu)).toHaveLength(48)
    expect(page.match(/data:image\/png;base64,/gu)?.length).toBe(3 * 48)
    expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/u)
    for (const sentence of sentencesOf(judgement)) expect(page).toContain(sentence.slice(0, 40))
  })

  it('have the same record a second time, and another with another seed', async () => {
    const few: Partial<JudgeOptions> = { permutations: 19, spaces: [featureSpaces.random] }
    const first = await judged(few)
    expect(await judged(few)).toEqual(first)
    expect((await judged({ ...few, seed: 1 })).sets.real).not.toEqual(first.sets.real)
  })

  it('are a record that JSON holds', () => {
    expect(JSON.parse(JSON.stringify(judgement))).toEqual(judgement)
  })
})

describe('a planted fault is found by the score that is meant for it', () => {
  // The smaller faults need the 256 pictures of bench/judge.ts.
  const found = async (generated: JudgeOptions['generated'], meant: (test: string) => boolean): Promise<number> => {
    const { tests } = await judged({ generated, spaces: [featureSpaces.random] })
    return Math.min(...tests.filter(({ name }) => meant(name)).map(({ p }) => p))
  }

  it('blur of 0.7 pixels, by the finest texture', async () => {
    expect(await found(blurredPictures(real, 0.7), (test) => test.startsWith('patches'))).toBeLessThan(0.01)
  })

  it('a fifth of copies of training', async () => {
    expect(await found(withCopies(real, training, 0.2), (test) => test === 'copies')).toBeLessThan(0.01)
  })

  it('a quarter that is drawn twice', async () => {
    const twice = { ...real, pictures: real.pictures.toReversed() }
    expect(await found(withCopies(real, twice, 0.25), (test) => test === 'repeats')).toBeLessThan(0.01)
  })

  it('an autoencoder’s pictures stand among the sets of known quality', async () => {
    const { sets } = await judged({
      anchors: true,
      permutations: 19,
      spaces: [featureSpaces.random],
      reconstruct: (pictures) => Promise.resolve(pictures),
    })
    expect(sets.reconstructed).toEqual(sets.real)
  })
})

describe('what cannot be judged is an error that says what to do', () => {
  it('too few pictures', async () => {
    await expect(judged({ training: seaPictures(0, 40, size) })).rejects.toThrow(
      'judge: 48 generated pictures and 40 of training are too few to judge by: at least 16 and 48 are needed, and 256 and 768 are good',
    )
  })

  it('pictures of another size', async () => {
    await expect(judged({ heldOut: greys([1, 2, 3], 8) })).rejects.toThrow(
      'judge: the pictures of heldOut are 8×8 and the generated ones 16×16: open them at the size of the model',
    )
  })

  it('nothing held out', async () => {
    await expect(judged({ heldOut: { ...heldOut, pictures: [] } })).rejects.toThrow(
      'judge: no picture is held out: give some that the model has not seen',
    )
  })

  it('a picture that is not of its set', async () => {
    const broken = { ...real, pictures: [new Uint8Array(5), ...real.pictures] }
    await expect(judged({ generated: broken })).rejects.toThrow('a picture of 5 bytes is not 16×16×3')
  })
})
