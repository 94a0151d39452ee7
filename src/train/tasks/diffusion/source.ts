/** Pictures as the data of a diffusion model: its batches, its measurement on those held out, and whether they are still the same. */
import { batchAt, conditionsAt, type TrainingData } from '../../../data/batches.ts'
import { changedPictures } from '../../pictures/changedPictures.ts'
import type { Source } from '../../task.ts'
import type { Params } from './diffusion.ts'
import type { Batch, DiffusionTask } from './diffusionTask.ts'
import type { Example } from './space.ts'
import { heldOutOn } from './heldOut.ts'

/** Pictures, and what a person should know of them. */
export interface OpenedPictures extends Pick<Source<Params, Batch>, 'fingerprint' | 'summary' | 'warnings'> {
  /** What is trained on: the pictures, or their latents. */
  readonly data: TrainingData<Example>
}

/**
 * Pictures as the data of a diffusion model: batches of the stream, and the loss on those held out.
 *
 * @example
 * ```ts
 * import { leaves } from 'fathom'
 * import { dataOfSeas } from 'fathom/data'
 * import { diffusionTask, pictureSource, presets } from 'fathom/train'
 *
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const task = diffusionTask({ ...presets.tiny, ...names })
 * const data = dataOfSeas({ seed: 0, size: 16 })
 * const source = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * leaves(source.examples(1_000_000, 4)).map(({ shape }) => shape) // => [[4, 16, 16, 3]]
 * ```
 */
export const pictureSource = (task: DiffusionTask, { data, ...known }: OpenedPictures): Source<Params, Batch> => ({
  ...known,
  examples: task.examples(
    (first, count) => batchAt(data, first, count),
    (first, count) => conditionsAt(data, first, count),
  ),
  measure: async (device) => {
    const measure = await heldOutOn(device, task, data)
    return async (params, average) => {
      const { loss, relative } = await measure(params)
      const averaged = average === undefined ? {} : { heldOutAverage: (await measure(average)).loss }
      return { heldOut: loss, heldOutRelative: relative, ...averaged }
    }
  },
  changes: (then, before) => changedPictures(then, known.fingerprint, task.config.folder, before),
})
