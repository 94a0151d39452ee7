/** Runs so small that each takes a second or two. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { seas } from '../../src/data/index.ts'
import type { ModelConfig, UnetConfig } from '../../src/models/index.ts'
import { encodePng } from '../../src/io/index.ts'
import { range } from '../../src/prelude/array.ts'
import { E } from '../../src/prelude/fp.ts'
import type { TE } from '../../src/prelude/fp.ts'
import { configOf, type DiffusionRun } from '../../src/train/index.ts'

/** The settings of the smallest network on 8×8 seas. */
export const tinySettings = {
  height: 8,
  width: 8,
  model: { width: 4, multipliers: [1], heads: 1, headWidth: 4 },
  batch: 2,
  timesteps: 20,
  steps: 6,
  sampleCount: 2,
  sampleSteps: 2,
  sampleEvery: 100,
  heldOutEvery: 100,
  saveEvery: 2,
} as const

/** The settings of lucidrains' U-Net, where a model is one. */
export const unetOf = (model: ModelConfig): UnetConfig => {
  if (model.kind !== undefined && model.kind !== 'lucidrains') throw new Error('expected the U-Net of lucidrains')
  return model
}

/** The Right, or an error that fails the test. */
export const right = <A>(either: E.Either<{ readonly message: string }, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left.message)
  return either.right
}

/** The message of the Left. */
export const leftMessage = (either: E.Either<{ readonly message: string }, unknown>): string => {
  if (E.isRight(either)) throw new Error('expected a Left')
  return either.left.message
}

/** Runs a TaskEither that must succeed. */
export const done = async <A>(task: TE.TaskEither<{ readonly message: string }, A>): Promise<A> => right(await task())

/** The tiny configuration, with changes. */
export const tinyConfig = (out: string, changes: Partial<DiffusionRun> = {}): DiffusionRun =>
  right(configOf({ ...tinySettings, ...changes, out }))

/** Call at the top of a test file: gives a function that names fresh directories, removed at the end. */
export const directories = (): (() => string) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'fathom-train-')))
  afterAll(() => {
    rmSync(root, { recursive: true, force: true })
  })
  let next = 0
  return () => join(root, `run${next++}`)
}

/** A folder of so many pictures of 16×16, which is made. */
export const photographs = (folder: string, count: number): string => {
  mkdirSync(folder)
  const sea = seas({ seed: 5, size: 16 })
  for (const i of range(count))
    writeFileSync(join(folder, `${i}.png`), encodePng({ width: 16, height: 16, channels: 3, pixels: sea.image(i) }))
  return folder
}
