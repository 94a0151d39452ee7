/**
 * Everything that a training run is made of, as numbers for train.py: pictures, the split, the noise schedule, and the rates of each step.
 *
 *     node scripts/node24.mjs bench/peers/training/export.ts FILE '{"folder": "photos", "size": 32, "batch": 32, "steps": 1000}'
 *
 * Times and noise of the measurement on held-out pictures are fathom's own, so that both sides measure the same.
 */
import { resolve } from 'node:path'
import process from 'node:process'
import { key, open, type Tensor } from '../../../src/index.ts'
import { lossWeights } from '../../../src/diffusion/index.ts'
import { writeSafetensorsFile, type ArrayRecord } from '../../../src/io/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { E } from '../../../src/prelude/fp.ts'
import { collate } from '../../../src/data/index.ts'
import { openPictures } from '../../../src/train/pictures/openPictures.node.ts'
import { chunksOf, noiseOf } from '../../../src/train/tasks/diffusion/heldOut.ts'
import { configOf, recipeOf } from '../../../src/train/index.ts'

const right = <T>(result: E.Either<{ readonly message: string }, T>): T => {
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const [, , file = '', json = '{}'] = process.argv
const { size, folder, ...settings } = JSON.parse(json) as { size: number; folder: string } & Record<string, unknown>
const config = right(configOf({ out: 'runs/peer', ...settings, folder: resolve(folder), height: size, width: size }))
const recipe = recipeOf(config)
const { data } = right(await openPictures(config)())
const device = right(await open('cpu')())

const floats = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): ArrayRecord => ({
  dtype: 'f32',
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
})

const chunks = chunksOf(recipe.task, data)
const joined = async (of: (chunk: (typeof chunks)[number]) => Tensor): Promise<number[]> => {
  const parts = []
  for (const chunk of chunks) {
    const x = of(chunk)
    const each = x.size / (x.shape[0] ?? 1)
    parts.push(...(await device.read(x)).slice(0, chunk.count * each))
  }
  return parts
}
const images = await joined(({ images }) => images)
const pixel = [config.height, config.width, 3]
const count = images.length / (config.height * config.width * 3)
const { schedule, lossOptions } = recipe.task

// The stream's first epoch is every training picture once.
const training = collate(range(data.count).map((i) => data.picture(i)))
const steps = range(config.steps).map((i) => i + 1)
const tensors: readonly (readonly [string, ArrayRecord])[] = [
  ['training', { dtype: 'u8', shape: [data.count, ...pixel], bytes: training }],
  ['heldOut.images', { dtype: 'u8', shape: [count, ...pixel], bytes: Uint8Array.from(images) }],
  ['heldOut.t', floats(await joined(({ t }) => t))],
  [
    'heldOut.noise',
    floats(await joined(({ index, images }) => noiseOf(key(config.seed), index, images.shape)), [count, ...pixel]),
  ],
  ['signal', floats(schedule.signal)],
  ['noise', floats(schedule.noise)],
  ['weight', floats(lossWeights(lossOptions))],
  ['rate', floats(steps.map(recipe.rateAt))],
  ['decay', floats(steps.map(recipe.decays[0]))],
]
right(await writeSafetensorsFile(file, tensors, new Map([['config', JSON.stringify(config)]]))())
await device.close()
process.stdout.write(
  `${file}: ${data.count} pictures to train on, ${data.heldOutCount} held out (${count} draws), ${config.steps} steps of ${config.batch}\n`,
)
