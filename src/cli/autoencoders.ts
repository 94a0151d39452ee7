/** The commands `train-vae` and `reconstruct`. */
import { dirname, join, resolve as absolute } from 'node:path'
import { makeDurableDirectory, replaceFile } from '../io/index.ts'
import { pipe, TE } from '../prelude/fp.ts'
import { autoencoderConfigOf, featuresOfRun, reconstruct, type Reconstructions } from '../train/index.ts'
import type { FlagValue } from './parse.ts'
import { beginBy, type Begin } from './beginning.ts'
import { failed, failedWith, type Outcome } from './outcome.ts'
import { deviceOptionsOf } from './settings.ts'
import { grouped } from './show.ts'
import { misplaced } from './pictures.ts'
import { note, say } from './terminal.ts'

/** Settings in which a run that is named for its features is what the trainer is told of it. */
const withFeatures = (
  settings: Readonly<Record<string, unknown>>,
): TE.TaskEither<Outcome, Readonly<Record<string, unknown>>> => {
  const { features } = settings
  return typeof features !== 'string' || features === 'seas' || features === 'none'
    ? TE.right(settings)
    : pipe(
        featuresOfRun(absolute(features)),
        TE.bimap(failed, (found) => ({ ...settings, features: found })),
      )
}

/** `fathom train-vae`. */
export const runTrainVae: Begin = beginBy({
  command: 'train-vae',
  suffix: '-vae',
  configOf: autoencoderConfigOf,
  complete: (_, settings) =>
    pipe(
      withFeatures(settings),
      TE.map((complete) => ({ settings: complete, notes: [] })),
    ),
})

/** What was found, for a program. */
const asJson = ({ psnr, linearPsnr, ssim, latentShape, latents }: Reconstructions): string =>
  JSON.stringify({ psnr, linearPsnr, ssim: ssim ?? null, latentShape, latents })

/** What was found, for a person. */
const inWords = ({ measured, psnr, meanPsnr, linearPsnr, ssim, latentShape }: Reconstructions): string => {
  const above = psnr - linearPsnr
  const compared =
    above > 0
      ? `${above.toFixed(1)} dB above the best linear code with as many numbers`
      : `${(-above).toFixed(1)} dB below the best linear code with as many numbers: it has learned nothing yet that a table does not know`
  const similarity = ssim === undefined ? '' : `, similarity ${ssim.toFixed(3)}`
  return `  ${grouped(measured)} held-out pictures, latents of ${latentShape.join('×')}: ${psnr.toFixed(1)} dB (mean ${meanPsnr.toFixed(1)})${similarity}, ${compared}`
}

/** `fathom reconstruct`. */
export const runReconstruct = async (directory: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const [count, out, device] = ['count', 'out', 'device'].map((flag) => flags.get(flag))
  const wrong = misplaced(out)
  if (wrong !== undefined) return wrong
  const path = typeof out === 'string' ? out : join(directory, 'reconstructions.png')
  return pipe(
    reconstruct(directory, {
      ...(typeof count === 'number' && { count }),
      ...(typeof device === 'string' && { device }),
      deviceOptions: deviceOptionsOf(flags),
    }),
    TE.chainFirstW(() => makeDurableDirectory(dirname(path))),
    TE.chainFirstW((found) => replaceFile(path, found.sheet.bytes)),
    TE.match(failedWith(['count']), (found): Outcome => {
      for (const warning of found.warnings) note(warning)
      say(flags.has('json') ? asJson(found) : `${inWords(found)}\n  → ${path}`)
      return { code: 0 }
    }),
  )()
}
