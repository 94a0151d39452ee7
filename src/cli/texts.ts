/** The commands `train-text` and `write`. */
import process from 'node:process'
import { pipe, TE } from '../prelude/fp.ts'
import { printable } from '../prelude/printable.ts'
import { alphabetIn, textConfigOf, write, type WriteOptions } from '../train/index.ts'
import { beginBy, type Begin } from './beginning.ts'
import { failed, failedWith, type Outcome } from './outcome.ts'
import type { FlagValue } from './parse.ts'
import { deviceOptionsOf } from './settings.ts'
import { note } from './terminal.ts'

/** `fathom train-text`. */
export const runTrainText: Begin = beginBy({
  command: 'train-text',
  suffix: '-text',
  configOf: textConfigOf,
  complete: (file = '', settings) =>
    pipe(
      alphabetIn(file), // also of bytes, for what is no text is refused here
      TE.bimap(failed, (alphabet) => {
        const { alphabet: _, ...others } = settings
        return { settings: others['tokens'] === 'bytes' ? others : { ...others, alphabet }, notes: [] }
      }),
    ),
})

/** Prints text as it comes: on a terminal, which obeys what it is sent, without what it would obey but ends of lines and tabs. */
const print = (text: string): void => {
  const safe = (part: string): string => printable(part, { lines: true })
  process.stdout.write(process.stdout.isTTY ? text.split('\t').map(safe).join('\t') : text)
}

/** What flags say of how a text is gone on with. */
const optionsOf = (flags: ReadonlyMap<string, FlagValue>): WriteOptions => {
  const [length, temperature, topP, seed] = ['length', 'temperature', 'top-p', 'seed'].map((name) => flags.get(name))
  const [prompt, weights, device] = ['prompt', 'weights', 'device'].map((name) => flags.get(name))
  return {
    ...(typeof length === 'number' && { length }),
    ...(typeof temperature === 'number' && { temperature }),
    ...(typeof topP === 'number' && { topP }),
    ...(typeof seed === 'number' && { seed }),
    ...(typeof prompt === 'string' && { prompt }),
    ...(typeof weights === 'string' && { weights }),
    ...(typeof device === 'string' && { device }),
    deviceOptions: deviceOptionsOf(flags),
  }
}

/** Flags whose faults are wrong usage. */
const ownFlags = ['length', 'temperature', 'top-p', 'seed', 'prompt', 'weights']

/** `fathom write`. */
export const runWrite = (directory: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> =>
  pipe(
    write(directory, { ...optionsOf(flags), onText: print }),
    TE.match(failedWith(ownFlags), ({ text, warnings }): Outcome => {
      if (!text.endsWith('\n')) process.stdout.write('\n')
      for (const warning of warnings) note(warning)
      return { code: 0 }
    }),
  )()
