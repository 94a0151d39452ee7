/** What a person does next with a run that has learned something, by its task. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { E, pipe } from '../prelude/fp.ts'
import { isRecord } from '../prelude/record.ts'
import { decodeConfig, taskOf, type TaskName } from '../train/index.ts'

/** A path as a shell takes it. */
export const quoted = (path: string): string =>
  /^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`

/** What sheets show, and what may be done. */
const next: {
  readonly [K in TaskName]: { readonly sheets: string; readonly words: string; readonly commands: readonly string[] }
} = {
  diffusion: { sheets: 'samples', words: 'Draw more with', commands: ['sample RUN'] },
  autoencoder: {
    sheets: 'samples',
    words: 'Train a model on its latents, or see what it keeps of more pictures, with',
    commands: ['train FOLDER --latent RUN', 'reconstruct RUN'],
  },
  classification: {
    sheets: 'tables of right and wrong answers',
    words: 'Ask what pictures show with',
    commands: ['classify RUN PICTURE'],
  },
  text: { sheets: 'what it wrote', words: 'Let it write more with', commands: ['write RUN'] },
}

/** The task of the run in a directory; of one that cannot be read, that of most. */
const taskIn = (directory: string): TaskName =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')),
      () => undefined,
    ),
    E.chainW((written) => decodeConfig(isRecord(written) ? { ...written, out: directory } : written)),
    E.match(() => 'diffusion', taskOf),
  )

/** Where a run's curve and sheets lie, and what to do with what it has learned. */
export const seeMore = (directory: string): string => {
  const { sheets, words, commands } = next[taskIn(directory)]
  const lines = commands.map((command) => `    fathom ${command.replace('RUN', quoted(directory))}\n`)
  return `loss curve ${join(directory, 'loss.svg')}, ${sheets} in ${join(directory, 'samples')}. ${words}\n\n${lines.join('')}`
}
