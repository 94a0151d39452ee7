/** Pictures that are filled in: what is known has its bytes, and the rest is drawn. */
import { describe, expect, it } from 'vitest'
import { range } from '../../../../src/prelude/array.ts'
import { key } from '../../../../src/tensor/random.ts'
import {
  configOf,
  initialState,
  recipeOf,
  sample,
  type Filling,
  type LoadedWeights,
  type SampleOptions,
} from '../../../../src/train/index.ts'
import { fillOf, withKnown } from '../../../../src/train/tasks/diffusion/filling.ts'
import { spaceOf } from '../../../../src/train/tasks/diffusion/space.ts'
import { done, leftMessage, right, tinySettings } from '../../tinyRun.ts'

const config = right(configOf({ ...tinySettings, device: 'cpu', out: 'run' }))
const weights = ((): LoadedWeights => {
  const recipe = recipeOf(config)
  const { model, schedule } = recipe.task
  return { config, model, schedule, average: initialState(recipe, key(1)).params }
})()
const { height, width } = config
const pixels = height * width
const picture = Uint8Array.from(range(pixels * 3), (i) => (i * 37) % 256)
const mask = (isFilled: (pixel: number) => boolean): Uint8Array =>
  Uint8Array.from(range(pixels), (i) => (isFilled(i) ? 255 : 0))

const drawn = async (fill: Filling, options: Partial<SampleOptions> = {}): Promise<readonly Uint8Array[]> =>
  (await done(sample(weights, { count: 2, steps: 4, seed: 0, fill, ...options }))).pictures

const jumps = { jump: 2, resamples: 2 }

describe('a picture that is filled in', () => {
  it('is itself, byte for byte, where the mask is black', async () => {
    const black = mask(() => false)
    for (const found of await drawn({ picture, mask: black, ...jumps })) expect(found).toEqual(picture)
  })

  it('is what ddpm-respaced draws where the mask is white, and nothing is walked twice', async () => {
    const white = mask(() => true)
    const { pictures } = await done(sample(weights, { count: 2, steps: 4, seed: 0, sampler: 'ddpm-respaced' }))
    expect(await drawn({ picture, mask: white, resamples: 1 })).toEqual(pictures)
  })

  it('keeps the bytes of what is known, and differs from picture to picture in the rest', async () => {
    const half = mask((i) => i % width >= width / 2)
    const [first = picture, second = picture] = await drawn({ picture, mask: half, ...jumps })
    const known = range(pixels * 3).filter((i) => Math.floor(i / 3) % width < width / 2)
    for (const i of known) expect([first[i], second[i]]).toEqual([picture[i], picture[i]])
    expect(first).not.toEqual(picture)
    expect(first).not.toEqual(second)
  })
})

describe('a mask', () => {
  it('fills a place of latents where any pixel is white that it stands for', () => {
    const one = mask((i) => i === width + 3) // row 1, column 3: place (0, 1)
    const space = spaceOf({ height, width, latent: { channels: 4, factor: 2 } })
    const found = fillOf({ config, space }, { picture, mask: one })
    expect([...found].flatMap((x, i) => (x === 1 ? [i] : []))).toEqual([1])
  })

  it('is white from half on', () => {
    const greys = Uint8Array.of(127, 128)
    const grey = { picture: Uint8Array.of(1, 2), mask: greys }
    expect(withKnown(grey)(Uint8Array.of(8, 9))).toEqual(Uint8Array.of(1, 9))
  })
})

it('what cannot be filled in is refused by name', async () => {
  const refused = async (options: Partial<SampleOptions>): Promise<string> =>
    leftMessage(await sample(weights, { count: 1, steps: 2, seed: 0, ...options })())
  const all = { picture, mask: mask(() => true) }
  expect(await refused({ fill: { ...all, picture: picture.subarray(1) } })).toMatch(
    /^fill must be .* bytes, a picture/u,
  )
  expect(await refused({ fill: { ...all, mask: picture } })).toMatch(/^mask must be .* bytes, one for each pixel/u)
  expect(await refused({ fill: { ...all, jump: 0 } })).toBe('jump must be a whole number ≥ 1, got 0')
  expect(await refused({ fill: { ...all, jump: 5 }, steps: 5 })).toBe(
    'jump must be below the steps, 5, or it never goes up, got 5',
  )
  expect(await refused({ fill: all, plusPlus: true })).toMatch(/^CFG\+\+ .* leave one of them out$/)
  expect(await refused({ fill: { ...all, resamples: 1.5 } })).toBe('resamples must be a whole number ≥ 1, got 1.5')
  expect(await refused({ fill: all, noise: 'seeds' })).toMatch(/takes no other beginning/u)
  expect(await refused({ fill: all, sampler: 'heun' })).toMatch(/^sampler must be absent where a picture is filled in/u)
})
