/** The commands `sample` and `scan`. */
import { dirname, join } from 'node:path'
import process from 'node:process'
import { formatScan, scanFolder, scanToJson } from '../data/index.ts'
import { encodePng, imageGrid, makeDurableDirectory, replaceFile } from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { printableJson } from '../prelude/printable.ts'
import { load, sample, type LoadedRun, type TrainError } from '../train/index.ts'
import type { FlagValue } from './parse.ts'
import { deviceOptions, failed, type Outcome } from './runs.ts'
import { grouped } from './show.ts'
import { complain, say } from './terminal.ts'

const numberOf = (flags: ReadonlyMap<string, FlagValue>, name: string, otherwise: number): number => {
  const value = flags.get(name)
  return typeof value === 'number' ? value : otherwise
}

const stepsDone = (done: number, total: number): void => {
  if (process.stdout.isTTY) process.stdout.write(`\r  sampling ${done}/${total}${done === total ? '\r\u001b[K' : ''}`)
}

/** The run, if it has weights to draw from: those of step 0, which a run that diverged at once falls back to, make noise. */
const trained =
  (directory: string) =>
  (loaded: LoadedRun): E.Either<TrainError, LoadedRun> =>
    loaded.step > 0
      ? E.right(loaded)
      : E.left({
          _tag: 'TrainError',
          code: 'CKPT',
          message: [
            `${directory} has learned nothing yet: its newest checkpoint with finite weights is step 0, of weights as they were drawn; train it on with \`fathom resume ${directory}\``,
            ...loaded.warnings,
          ].join('; '),
        })

/** `fathom sample`. */
export const runSample = (directory: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const [count, seed] = [numberOf(flags, 'count', 16), numberOf(flags, 'seed', 0)]
  const [out, steps, sampler] = [flags.get('out'), flags.get('steps'), flags.get('sampler')]
  const path = typeof out === 'string' ? out : join(directory, 'samples', `seed-${seed}.png`)
  return pipe(
    load(directory),
    TE.chainEitherK(trained(directory)),
    TE.bindTo('loaded'),
    TE.bind('samples', ({ loaded }) => {
      for (const warning of loaded.warnings) complain(warning)
      return sample(loaded, {
        count,
        seed,
        ...(typeof steps === 'number' && { steps }),
        ...(typeof sampler === 'string' && { sampler }),
        onStep: stepsDone,
        deviceOptions,
      })
    }),
    TE.chainFirstW(() => (out === undefined ? makeDurableDirectory(dirname(path)) : TE.right(undefined))),
    TE.chainFirstW(({ samples: { pictures, height, width } }) =>
      replaceFile(path, encodePng(imageGrid(pictures, { height, width, channels: 3 }))),
    ),
    TE.match(
      (error): Outcome => ({
        ...failed(error),
        code: 'code' in error && error.code === 'CFG' && /^(?:count|steps|seed|sampler) /.test(error.message) ? 2 : 1,
        message: error.message.replace(/^(?=(?:count|steps|seed|sampler) must)/, '--'),
      }),
      ({ loaded }): Outcome => {
        say(`  ${grouped(count)} pictures from step ${grouped(loaded.step)} → ${path}`)
        return { code: 0 }
      },
    ),
  )()
}

/** `fathom scan`. */
export const runScan = (folder: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> =>
  pipe(
    scanFolder(folder),
    TE.match(failed, (report): Outcome => {
      say(flags.has('json') ? printableJson(scanToJson(report)) : formatScan(report))
      return report.usable.length > 0 ? { code: 0 } : { code: 1, message: `no file in ${folder} can be trained on` }
    }),
  )()
