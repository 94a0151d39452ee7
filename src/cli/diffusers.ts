/** The commands `import` and `export`. */
import { join } from 'node:path'
import { pipe, TE } from '../prelude/fp.ts'
import { exportDiffusers, importDiffusers, load } from '../train/index.ts'
import { failed, type Outcome } from './outcome.ts'
import { isSize, type FlagValue } from './parse.ts'
import { trained } from './pictures.ts'
import { freshDirectory } from './settings.ts'
import { note, say } from './terminal.ts'

/** `fathom import`. */
export const runImport = async (folder: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const [out, size] = [flags.get('out'), flags.get('size')]
  const directory = typeof out === 'string' ? out : freshDirectory(folder)
  return pipe(
    importDiffusers(folder, { out: directory, ...(isSize(size) && { height: size[0], width: size[1] }) }),
    TE.match(failed, ({ config, warnings }): Outcome => {
      for (const warning of warnings) note(warning)
      const { height, width, objective, schedule, timesteps, latent } = config
      say(
        `  ${height}×${width}${latent === undefined ? '' : ' through latents'} · predicts ${objective} · ${schedule} schedule of ${timesteps} times\n  → ${directory}\n  draw from it with \`fathom sample ${directory}\``,
      )
      return { code: 0 }
    }),
  )()
}

/** `fathom export`. */
export const runExport = async (directory: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const [to, out, weights] = [flags.get('to'), flags.get('out'), flags.get('weights')]
  if (to !== undefined && to !== 'diffusers')
    return { code: 2, message: `--to must be diffusers, got ${JSON.stringify(to)}` }
  const folder = typeof out === 'string' ? out : join(directory, 'diffusers')
  return pipe(
    load(directory, typeof weights === 'string' ? weights : undefined),
    TE.chainEitherK(trained(directory)),
    TE.chainFirst((run) => exportDiffusers(run, folder)),
    TE.match(failed, ({ warnings }): Outcome => {
      for (const warning of warnings) note(warning)
      say(`  → ${folder}`)
      return { code: 0 }
    }),
  )()
}
