/** Classifiers and text models so small that each is trained in a second, with their data on disk. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodePng } from '../../../src/io/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { classifierConfigOf, textConfigOf, type TrainConfig } from '../../../src/train/index.ts'
import { right } from '../tinyRun.ts'

/** A picture of 16×16: noise in a light that says its class. */
const picture = (light: number, i: number): Uint8Array =>
  encodePng({
    width: 16,
    height: 16,
    channels: 3,
    pixels: Uint8Array.from(range(768), (p) => light + ((p * 7919 + i * 104_729 + ((p * (i + 3)) % 17) * 31) % 60)),
  })

/** A folder of dark and light pictures, so many of each. */
export const classFolder = (folder: string, count = 20): string => {
  for (const [name, light] of [
    ['day', 180],
    ['night', 10],
  ] as const) {
    mkdirSync(join(folder, name), { recursive: true })
    for (const i of range(count)) writeFileSync(join(folder, name, `${i}.png`), picture(light, i))
  }
  return folder
}

const often = { steps: 6, saveEvery: 2, sampleEvery: 3, heldOutEvery: 3, device: 'cpu' } as const

/** Settings of a tiny classifier; without those of its data. */
export const tinyClassifier = {
  ...often,
  height: 8,
  width: 8,
  model: { kind: 'mlp', hidden: [8] },
  batch: 4,
  learningRate: 0.02,
  ema: 0.5,
} as const

/** The settings of a tiny text model; without those of its data. */
export const tinyText = {
  ...often,
  model: { context: 8, width: 8, depth: 1, heads: 2 },
  batch: 4,
  learningRate: 0.02,
  ema: 0.5,
  written: 10,
} as const

/** A text. */
export const rhyme = 'the sea, the sea, the open sea,\nthe blue, the fresh, the ever free.\n'.repeat(8)

/** The configuration of a tiny classifier of a folder. */
export const classifierOf = (folder: string | null, out: string, more: object = {}): TrainConfig =>
  right(classifierConfigOf({ ...tinyClassifier, labels: ['day', 'night'], ...more, folder, out }))

/** The configuration of a tiny text model of a file. */
export const textOf = (file: string, out: string, more: object = {}): TrainConfig =>
  right(textConfigOf({ ...tinyText, alphabet: [...new Set(rhyme)].toSorted().join(''), ...more, folder: file, out }))
