/** The commands `sample` and `scan`. */
import { dirname, join } from 'node:path'
import process from 'node:process'
import { formatScan, scanFolder, scanToJson } from '../data/index.ts'
import { encodePng, imageGrid, makeDurableDirectory, replaceFile } from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { printableJson } from '../prelude/printable.ts'
import {
  configOf,
  load,
  loadWeights,
  sample,
  type LoadedRun,
  type LoadedWeights,
  type TrainConfig,
  type TrainError,
} from '../train/index.ts'
import type { FlagValue } from './parse.ts'
import { deviceOptionsOf, failed, failedWith, settingsIn, type Outcome } from './runs.ts'
import { grouped } from './show.ts'
import { complain, say } from './terminal.ts'

/** The number of a flag, or what stands for it. */
export const numberOf = (flags: ReadonlyMap<string, FlagValue>, name: string, otherwise: number): number => {
  const value = flags.get(name)
  return typeof value === 'number' ? value : otherwise
}

/** Tells a person how far the sampler is. */
export const stepsDone = (done: number, total: number): void => {
  if (process.stdout.isTTY) process.stdout.write(`\r  sampling ${done}/${total}${done === total ? '\r\u001b[K' : ''}`)
}

/** The run, if it has weights to draw from: those of step 0, which a run that diverged at once falls back to, make noise. */
export const trained =
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

/** What is drawn from, in words, and where its sheets go. */
interface Source {
  readonly loaded: LoadedWeights
  readonly from: string
  readonly place: string
}

/** The newest checkpoint of a run. */
const sourceInRun = (directory: string): TE.TaskEither<TrainError, Source> =>
  pipe(
    load(directory),
    TE.chainEitherK(trained(directory)),
    TE.map((loaded) => {
      for (const warning of loaded.warnings) complain(warning)
      return { loaded, from: `step ${grouped(loaded.step)}`, place: join(directory, 'samples', 'seed') }
    }),
  )

/** A file of weights, with the configuration of its network; undefined where the file says it itself. */
const sourceInFile = (
  path: string,
  config: Readonly<Record<string, unknown>> | undefined,
  names: FlagValue | undefined,
): TE.TaskEither<TrainError, Source> => {
  const given: E.Either<TrainError, TrainConfig | undefined> =
    config === undefined ? E.right(undefined) : configOf({ ...config, out: dirname(path) })
  return pipe(
    TE.fromEither(given),
    TE.chain((decoded) => loadWeights(path, decoded, typeof names === 'string' ? { names } : {})),
    TE.map((loaded) => ({ loaded, from: path, place: path.replace(/\.safetensors$/, '-seed') })),
  )
}

/** A name that ends like a file of weights is one. */
const sourceOf = (
  place: string,
  flags: ReadonlyMap<string, FlagValue>,
): E.Either<Outcome, TE.TaskEither<TrainError, Source>> => {
  const config = flags.get('config')
  if (!place.endsWith('.safetensors')) {
    const misplaced = ['config', 'names'].find((flag) => flags.has(flag))
    return misplaced === undefined
      ? E.right(sourceInRun(place))
      : E.left({ code: 2, message: `--${misplaced} goes with a file of weights, and ${place} is no *.safetensors` })
  }
  const names = flags.get('names')
  return config === undefined
    ? E.right(sourceInFile(place, undefined, names))
    : pipe(
        settingsIn(config),
        E.map((settings) => sourceInFile(place, settings, names)),
      )
}

/** `fathom sample`. */
export const runSample = async (place: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const source = sourceOf(place, flags)
  if (E.isLeft(source)) return source.left
  const [count, seed] = [numberOf(flags, 'count', 16), numberOf(flags, 'seed', 0)]
  const [out, steps, sampler, device] = ['out', 'steps', 'sampler', 'device'].map((flag) => flags.get(flag))
  return pipe(
    source.right,
    TE.bindTo('source'),
    TE.bind('samples', ({ source: { loaded } }) =>
      sample(loaded, {
        count,
        seed,
        ...(typeof steps === 'number' && { steps }),
        ...(typeof sampler === 'string' && { sampler }),
        ...(typeof device === 'string' && { device }),
        onStep: stepsDone,
        deviceOptions: deviceOptionsOf(flags),
      }),
    ),
    TE.let('path', ({ source }) => (typeof out === 'string' ? out : `${source.place}-${seed}.png`)),
    TE.chainFirstW(({ path }) => (out === undefined ? makeDurableDirectory(dirname(path)) : TE.right(undefined))),
    TE.chainFirstW(({ path, samples: { pictures, height, width, channels } }) =>
      replaceFile(path, encodePng(imageGrid(pictures, { height, width, channels }))),
    ),
    TE.match(
      failedWith(['count', 'steps', 'seed', 'sampler', 'names', 'config']),
      ({ source: { from }, path }): Outcome => {
        say(`  ${grouped(count)} pictures from ${from} → ${path}`)
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
