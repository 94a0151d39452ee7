/** Sheets of pictures as PNG files: apart from what draws them, for a page has no PNG of Node's. */
import type { TrainingData } from '../../../data/batches.ts'
import { imageGrid } from '../../../io/imageGrid.ts'
import { encodePng } from '../../../io/png.ts'
import { range } from '../../../prelude/array.ts'
import { pipe, TE } from '../../../prelude/fp.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Device } from '../../../tensor/device.ts'
import type { Sheet, SheetWatch, Source, Task } from '../../task.ts'
import { pictureOf, type Diffusion, type Params } from './diffusion.ts'
import type { DiffusionConfig } from './diffusionConfig.ts'
import type { Batch } from './diffusionTask.ts'
import { drawerOn } from './draw.ts'
import type { Watch } from './watch.ts'

/** Pictures side by side. */
const sheetOf = (config: DiffusionConfig, pictures: readonly Uint8Array[]): Sheet => {
  const [height, width, channels] = pictureOf(config)
  return { extension: 'png', bytes: encodePng(imageGrid(pictures, { height, width, channels })) }
}

/** Pictures of the first batch that are shown, at most. */
const mostShown = 64

/**
 * Shows the first pictures of training, as a PNG file: what their source has as `preview` where there is Node.
 *
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 * import { diffusionTask, pictureSource, presets, previewOf } from 'fathom/train'
 *
 * const task = diffusionTask({ ...presets.tiny, folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' })
 * const data = dataOfSeas({ seed: 0, size: 16 })
 * const pictures = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * const source = { ...pictures, preview: previewOf(task, data) }
 * source.preview().extension // => 'png'
 * ```
 */
export const previewOf =
  ({ config }: Pick<Diffusion, 'config'>, data: TrainingData): NonNullable<Source<Params, Batch>['preview']> =>
  () =>
    sheetOf(
      config,
      range(Math.min(config.batch, mostShown)).map((i) => data.picture(i)),
    )

/** The noise of the sheets of samples: always the same, so that sheets compare. */
const sheetSeed = 0

/** Prepares a watch when it is first asked for: a run that draws no sheet needs none. */
const watching = (device: Device, watch: Watch): ((pictures: readonly Uint8Array[]) => Promise<SheetWatch>) => {
  let prepared: ReturnType<Watch['on']> | undefined
  return async (pictures) => (await (prepared ??= watch.on(device)))(pictures)
}

/**
 * Draws the sheets of a run, as PNG files: what a diffusion task has as `sheets` where there is Node.
 *
 * @param watch over what is drawn; absent for none
 * @example
 * ```ts
 * import { diffusionTask, presets, sheetsOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const plain = diffusionTask({ ...presets.tiny, ...names })
 * const task = { ...plain, sheets: sheetsOf(plain) }
 * typeof task.sheets // => 'function'
 * ```
 */
export const sheetsOf =
  (diffusion: Diffusion, watch?: Watch): NonNullable<Task<Params, Tensor, unknown>['sheets']> =>
  (device) => {
    const { config } = diffusion
    const { sampleCount, sampleSteps: steps } = config
    // The batch of the sheet alone, so that its pictures are the same with more drawn after them.
    const batch = Math.min(config.batch, sampleCount)
    const draw = drawerOn(device, diffusion, { count: watch?.count ?? sampleCount, steps, seed: sheetSeed, batch })
    const look = watch && watching(device, watch)
    return (params) =>
      pipe(
        draw(params),
        TE.bindTo('pictures'),
        TE.bind('seen', ({ pictures }) => TE.fromTask(async () => look?.(pictures))),
        TE.map(({ pictures, seen }) => ({
          ...sheetOf(config, pictures.slice(0, sampleCount)),
          ...(seen !== undefined && { watch: seen }),
        })),
      )
  }
