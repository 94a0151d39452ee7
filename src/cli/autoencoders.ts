/** The commands `train-vae` and `reconstruct`. */
import { dirname, join, resolve as absolute } from 'node:path'
import { makeDurableDirectory, replaceFile } from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'
import { autoencoderConfigOf, featuresOfRun, reconstruct, train, type Reconstructions } from '../train/index.ts'
import type { FlagValue } from './parse.ts'
import { failed, failedWith, inFlags, type Outcome } from './outcome.ts'
import { dryRun } from './plan.ts'
import { deviceOptionsOf, freshDirectory, settingsOf, withDevice, writtenIn } from './settings.ts'
import { quoted, watched } from './watched.ts'
import { grouped } from './show.ts'
import { misplaced } from './pictures.ts'
import { note, say } from './terminal.ts'
import { commands } from './spec.ts'

/** `{ 'weights.kl': 1 }` over settings as `{ weights: { kl: 1 } }`: what else is in the record stays. */
const nestedOver = (
  settings: Readonly<Record<string, unknown>>,
  named: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> =>
  Object.entries(named).reduce<Readonly<Record<string, unknown>>>((all, [path, value]) => {
    const [name = path, inner] = path.split('.', 2)
    if (inner === undefined) return { ...all, [name]: value }
    const before = all[name]
    return { ...all, [name]: { ...(isRecord(before) ? before : {}), [inner]: value } }
  }, settings)

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

const seeMore = (directory: string): string =>
  `Train a model on its latents, or see what it keeps of more pictures, with\n\n    fathom train FOLDER --latent ${quoted(directory)}\n    fathom reconstruct ${quoted(directory)}`

/** `fathom train-vae`. */
export const runTrainVae = async (
  folder: string | undefined,
  flags: ReadonlyMap<string, FlagValue>,
): Promise<Outcome> => {
  const spec = commands['train-vae'].flags
  const written = writtenIn(flags)
  if (E.isLeft(written)) return written.left
  const named = folder === undefined ? {} : { folder: absolute(folder) }
  const options = deviceOptionsOf(flags)
  const chosen = await withDevice(nestedOver(written.right, settingsOf(flags, spec)), options)()
  if (E.isLeft(chosen)) return chosen.left
  const { notes } = chosen.right
  const seen = await withFeatures(chosen.right.settings)()
  if (E.isLeft(seen)) return seen.left
  const settings = seen.right
  const config = autoencoderConfigOf({ out: freshDirectory(folder, '-vae'), ...settings, ...named })
  if (E.isLeft(config)) return { code: 2, message: inFlags(config.left, spec) }
  for (const note of notes) say(`  note      ${note}`)
  if (flags.has('dry-run')) return dryRun(config.right, options)
  say(`\n  run       ${config.right.out}`)
  return watched(options, (hooks) => train(config.right, hooks), { seeMore })
}

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
