/** Pictures as the data of a diffusion model: its batches, its measurement on those held out, and whether they are still the same. */
import { batchAt, type TrainingData } from '../../../data/batches.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Source } from '../../task.ts'
import type { Params } from './diffusion.ts'
import type { DiffusionTask } from './diffusionTask.ts'
import { heldOutOn } from './heldOut.ts'

/** Pictures, and what a person should know of them. */
export interface OpenedPictures extends Pick<Source<Params, Tensor>, 'fingerprint' | 'summary' | 'warnings'> {
  readonly data: TrainingData
}

/** Marks a fingerprint of contents; checkpoints of before have one of names. */
export const byContents = 'contents '

/**
 * What a person should know of the pictures of a run that goes on: whether they are those that it was trained on.
 *
 * @param then the fingerprint in the checkpoint
 * @param now that of the pictures that there are
 * @param folder in which these lie
 * @param before the folder in which the others lay
 */
export const changedPictures = (
  then: string,
  now: string,
  folder: string | null,
  before: string | null,
): readonly string[] => {
  const words = folder === null ? 'procedural seas' : `the pictures in ${folder}`
  if (then === now)
    return folder === before ? [] : [`${words} are those of the run, by their contents: it goes on with the same bits`]
  if (folder !== null && !then.includes(byContents) && then !== 'seas')
    return [
      `the checkpoint knows ${words} by their names alone, as it was saved by an earlier version: whether their contents have changed cannot be told`,
    ]
  return [
    `${words} have changed (${then} then, ${now} now): the run goes on with those there are, but not as it would have`,
  ]
}

/**
 * Pictures as the data of a diffusion model: batches of the stream, and the loss on those held out.
 *
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 * import { diffusionTask, pictureSource, presets } from 'fathom/train'
 *
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const task = diffusionTask({ ...presets.tiny, ...names })
 * const data = dataOfSeas({ seed: 0, size: 16 })
 * const source = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * source.examples(1_000_000, 4).shape // => [4, 16, 16, 3]
 * ```
 */
export const pictureSource = (task: DiffusionTask, { data, ...known }: OpenedPictures): Source<Params, Tensor> => ({
  ...known,
  examples: task.examples((first, count) => batchAt(data, first, count)),
  measure: async (device) => {
    const measure = await heldOutOn(device, task, data)
    return (params) => measure(params).then(({ loss, relative }) => ({ heldOut: loss, heldOutRelative: relative }))
  },
  changes: (then, before) => changedPictures(then, known.fingerprint, task.config.folder, before),
})
