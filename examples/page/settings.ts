/** What a person chooses before training, in the page's fields or in its address; and the configuration of fathom/train that it makes. */
import { configOf, type DiffusionRun } from 'fathom/train'

/** Sizes of the pictures, with the preset that fits each, and how many steps it takes by default. */
export const sizes = {
  16: { preset: 'tiny', steps: 600, words: '16×16 · a minute' },
  32: { preset: 'small', steps: 1800, words: '32×32 · half an hour' },
  64: { preset: 'base', steps: 20_000, words: '64×64 · for a GPU' },
} as const

/** A side of the pictures in pixels. */
export type Side = keyof typeof sizes

/** What may compute; `automatic` is the fastest that works here. */
export const devices = ['automatic', 'webgpu', 'wasm', 'cpu'] as const

/** One of them. */
export type DeviceName = (typeof devices)[number]

/** All that is chosen. */
export interface Settings {
  readonly device: DeviceName
  readonly side: Side
  readonly steps: number
  /** Steps from one sheet of samples to the next. */
  readonly sampleEvery: number
  /** Steps of the sampler. */
  readonly sampleSteps: number
  readonly seed: number
}

/** Pictures on a sheet. */
export const sheetCount = 16

/** Whether a text is one of the names. */
export const isOneOf = <T extends string>(names: readonly T[], text: string): text is T =>
  names.some((name) => name === text)

/** The side that a text names. */
export const sideOf = (text: string): Side | undefined =>
  text === '16' ? 16 : text === '32' ? 32 : text === '64' ? 64 : undefined

/** A whole number in a range, of a parameter of the address. */
const wholeOf = (name: string, text: string | null, usual: number, low: number, high: number): number => {
  if (text === null) return usual
  const value = Number(text)
  if (text !== '' && Number.isInteger(value) && value >= low && value <= high) return value
  throw new RangeError(`The address says ${name}=${text}: it must be a whole number from ${low} to ${high}.`)
}

/**
 * The settings in the page's address, as `?device=wasm&size=32`; what it does not say is as usual.
 *
 * @throws RangeError with a sentence for people, for what cannot be meant
 */
export const settingsIn = (address: string): Settings => {
  const query = new URLSearchParams(address)
  const device = query.get('device') ?? 'automatic'
  if (!isOneOf(devices, device))
    throw new RangeError(`The address says device=${device}: it must be ${devices.join(', ')}.`)
  const side = sideOf(query.get('size') ?? '16')
  if (side === undefined)
    throw new RangeError(`The address says size=${query.get('size')}: it must be ${Object.keys(sizes).join(', ')}.`)
  const steps = wholeOf('steps', query.get('steps'), sizes[side].steps, 1, 1e6)
  return {
    device,
    side,
    steps,
    sampleEvery: wholeOf('every', query.get('every'), Math.max(1, Math.round(steps / 6)), 1, 1e6),
    sampleSteps: wholeOf('sampler', query.get('sampler'), 25, 1, 1000),
    seed: wholeOf('seed', query.get('seed'), 0, 0, 2 ** 32 - 1),
  }
}

/**
 * The configuration of a run. Its pictures are no folder's, yet no seas: they are named as one.
 *
 * @param dropped whether it trains on pictures that were dropped
 */
export const configFor = (settings: Settings, dropped: boolean): DiffusionRun => {
  const { side, steps, sampleSteps, sampleEvery, seed } = settings
  const named = { out: 'page', folder: dropped ? 'dropped pictures' : null, preset: sizes[side].preset }
  const config = configOf({ ...named, height: side, width: side, steps, sampleSteps, sampleEvery, seed })
  if (config._tag === 'Left') throw new RangeError(config.left.message)
  return config.right
}
