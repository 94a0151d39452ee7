/** The commands `train` and `resume`. */
import { resolve as absolute } from 'node:path'
import { E } from '../prelude/fp.ts'
import { configOf, resume, train } from '../train/index.ts'
import { failedWith, inFlags, type Outcome } from './outcome.ts'
import type { FlagValue } from './parse.ts'
import { dryRun } from './plan.ts'
import {
  choiceFor,
  deviceOptionsOf,
  freshDirectory,
  labelsOf,
  latentOf,
  settingsOf,
  withDevice,
  writtenIn,
} from './settings.ts'
import { say } from './terminal.ts'
import { watched } from './watched.ts'

/** `fathom train`. */
export const runTrain = async (folder: string | undefined, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const written = writtenIn(flags)
  if (E.isLeft(written)) return written.left
  const named = folder === undefined ? {} : { folder: absolute(folder) }
  const options = deviceOptionsOf(flags)
  const chosen = await withDevice({ ...written.right, ...settingsOf(flags) }, options)()
  if (E.isLeft(chosen)) return chosen.left
  const { settings, notes } = chosen.right
  const latent = await latentOf(flags.get('latent'))()
  if (E.isLeft(latent)) return latent.left
  const labels = await labelsOf(folder, flags)()
  if (E.isLeft(labels)) return labels.left
  const choice = await choiceFor(folder, flags, { ...settings, ...latent.right }, options)()
  if (E.isLeft(choice)) return choice.left
  const over = { ...settings, ...latent.right, ...labels.right, ...named }
  const config = configOf({ out: freshDirectory(folder), ...choice.right.settings, ...over })
  if (E.isLeft(config)) return { code: 2, message: inFlags(config.left) }
  for (const note of [...notes, ...choice.right.notes]) say(`  note      ${note}`)
  choice.right.reasons.forEach((reason, i) => say(`  ${i === 0 ? 'chosen' : '      '}    ${reason}`))
  if (flags.has('dry-run')) return dryRun(config.right, options)
  say(`\n  run       ${config.right.out}`)
  return watched(options, (hooks) => train(config.right, hooks))
}

/** `fathom resume`. */
export const runResume = async (directory: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const [steps, data, device] = [flags.get('steps'), flags.get('data'), flags.get('device')]
  return watched(
    deviceOptionsOf(flags),
    (hooks) =>
      resume(directory, hooks, {
        ...(typeof steps === 'number' && { steps }),
        ...(typeof data === 'string' && { folder: absolute(data) }),
        ...(typeof device === 'string' && { device }),
      }),
    { fail: failedWith(['steps']) },
  )
}
