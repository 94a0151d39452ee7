/** The commands `sample` and `scan`. */
import { statSync } from 'node:fs'
import { basename, dirname, join, parse } from 'node:path'
import process from 'node:process'
import { formatScan, loadImage, pictureSize, scanFolder, scanToJson } from '../data/index.ts'
import { encodePng, imageGrid, makeDurableDirectory, replaceFile } from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { printableJson } from '../prelude/printable.ts'
import {
  configOf,
  load,
  loadWeights,
  sample,
  whichWeights,
  type DiffusionRun,
  type LoadedRun,
  type LoadedWeights,
  type SampleOptions,
  type TrainError,
} from '../train/index.ts'
import type { FlagValue } from './parse.ts'
import { failed, failedWith, type Outcome } from './outcome.ts'
import { deviceOptionsOf, settingsIn } from './settings.ts'
import { grouped, pictures } from './show.ts'
import { note, say } from './terminal.ts'

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

/** Averaged weights of a run; of its newest checkpoint unless others are named. */
const sourceInRun = (directory: string, weights: FlagValue | undefined): TE.TaskEither<TrainError, Source> =>
  pipe(
    load(directory, typeof weights === 'string' ? weights : undefined),
    TE.chainEitherK(trained(directory)),
    TE.map((loaded) => {
      for (const warning of loaded.warnings) note(warning)
      return { loaded, from: `step ${grouped(loaded.step)}`, place: join(directory, 'samples', 'seed') }
    }),
  )

/** A file of weights, with the configuration of its network; undefined where the file says it itself. */
const sourceInFile = (
  path: string,
  config: Readonly<Record<string, unknown>> | undefined,
  names: FlagValue | undefined,
): TE.TaskEither<TrainError, Source> => {
  const given: E.Either<TrainError, DiffusionRun | undefined> =
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
      ? E.right(sourceInRun(place, flags.get('weights')))
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

/** The guide that a flag names: other weights of the same run, or another run. */
const guideOf = (
  name: FlagValue | undefined,
  place: string,
): TE.TaskEither<TrainError, Pick<SampleOptions, 'guide'>> => {
  if (typeof name !== 'string') return TE.right({})
  const guide = whichWeights.some((which) => which === name) ? load(place, name) : load(name)
  return pipe(
    guide,
    TE.map((loaded) => ({ guide: loaded })),
  )
}

/** The picture that a flag names, at the size of the run. */
const beginningOf = (
  flags: ReadonlyMap<string, FlagValue>,
  { config: { height, width, channels = 3 } }: LoadedWeights,
): TE.TaskEither<{ readonly message: string }, Pick<SampleOptions, 'from' | 'noise'>> => {
  const [photo, to] = [flags.get('from'), flags.get('to')]
  const noise = typeof to === 'number' ? { noise: { to } } : flags.has('seeds') ? { noise: 'seeds' as const } : {}
  if (typeof photo !== 'string') return TE.right(noise)
  return pipe(
    loadImage(photo, { height, width, channels }),
    TE.map(({ pixels }) => ({ ...noise, from: { picture: pixels, strength: numberOf(flags, 'strength', 0.6) } })),
  )
}

/** The picture and the mask that flags name, both cut to the size of the run in the same way. */
const fillingOf = (
  flags: ReadonlyMap<string, FlagValue>,
  { config: { height, width, channels = 3 } }: LoadedWeights,
): TE.TaskEither<{ readonly message: string }, Pick<SampleOptions, 'fill'>> => {
  const [photo, mask, jump, resamples] = ['fill', 'mask', 'jump', 'resamples'].map((flag) => flags.get(flag))
  if (typeof photo !== 'string' || typeof mask !== 'string') return TE.right({})
  const jumps = { ...(typeof jump === 'number' && { jump }), ...(typeof resamples === 'number' && { resamples }) }
  return pipe(
    TE.Do,
    TE.apSW('of', pictureSize(photo)),
    TE.apSW('over', pictureSize(mask)),
    TE.filterOrElseW(
      ({ of, over }) => of.height === over.height && of.width === over.width,
      ({ of, over }) => ({
        message: `the mask ${mask} is ${over.height}×${over.width} and ${photo} is ${of.height}×${of.width} (height×width): give a mask of the picture's size`,
      }),
    ),
    TE.apSW('picture', loadImage(photo, { height, width, channels })),
    TE.apSW('where', loadImage(mask, { height, width, channels: 1 })),
    TE.map(({ picture, where }) => ({ fill: { picture: picture.pixels, mask: where.pixels, ...jumps } })),
  )
}

/** Flags that say by which way pictures are drawn. */
export const wayFlags = ['steps', 'sampler', 'spacing', 'sigmas'] as const

/** What flags say of the way from noise to picture. */
export const wayOfFlags = (
  flags: ReadonlyMap<string, FlagValue>,
): Pick<SampleOptions, 'steps' | 'sampler' | 'spacing' | 'sigmas'> => {
  const [steps, sampler, spacing, sigmas] = wayFlags.map((flag) => flags.get(flag))
  return {
    ...(typeof steps === 'number' && { steps }),
    ...(typeof sampler === 'string' && { sampler }),
    ...(typeof spacing === 'string' && { spacing }),
    ...(typeof sigmas === 'string' && { sigmas }),
  }
}

/** What flags say of how pictures are drawn. */
const drawingOf = (flags: ReadonlyMap<string, FlagValue>): Omit<SampleOptions, 'count' | 'seed'> => {
  const [device, label, guidance, threshold] = ['device', 'class', 'guidance', 'threshold'].map((flag) =>
    flags.get(flag),
  )
  return {
    ...wayOfFlags(flags),
    ...(typeof device === 'string' && { device }),
    ...(typeof label === 'string' && { label }),
    ...(typeof guidance === 'number' && { guidance }),
    ...(typeof threshold === 'number' && { threshold }),
    plusPlus: flags.has('cfgpp'),
    onStep: stepsDone,
    deviceOptions: deviceOptionsOf(flags),
  }
}

/** Flags that say nothing without another, as an error. */
const incomplete = (flags: ReadonlyMap<string, FlagValue>): Outcome | undefined => {
  if (flags.has('strength') && !flags.has('from'))
    return { code: 2, message: '--strength goes with --from: it says how much of that picture is drawn anew' }
  if (flags.has('cfgpp') && !flags.has('guidance'))
    return { code: 2, message: '--cfgpp goes with --guidance: it says how far, from 0 to 1, for instance 0.6' }
  if (flags.has('fill') !== flags.has('mask'))
    return {
      code: 2,
      message:
        '--fill PHOTO and --mask MASK.png go together: the mask is white where the photograph is to be filled in',
    }
  const jumping = ['jump', 'resamples'].find((flag) => flags.has(flag) && !flags.has('fill'))
  if (jumping !== undefined)
    return { code: 2, message: `--${jumping} goes with --fill: it says how the walk that fills in a picture turns` }
  if (flags.has('guide') && !flags.has('guidance'))
    return { code: 2, message: '--guide goes with --guidance: it says how far from the guide, for instance 1.5' }
  return undefined
}

/** Where a sheet goes that a flag names: a PNG file. */
export const misplaced = (out: FlagValue | undefined): Outcome | undefined => {
  if (typeof out !== 'string') return undefined
  if (statSync(out, { throwIfNoEntry: false })?.isDirectory() === true)
    return {
      code: 2,
      message: `--out ${out} is a directory: name a file in it, for instance ${join(out, 'sheet.png')}`,
    }
  return /\.png$/i.test(out) ? undefined : { code: 2, message: `--out must end with .png, got '${out}'` }
}

/** A value of a flag as part of a file's name. */
const inName = (value: string | number): string => String(value).replaceAll(/[^\p{L}\p{N}.-]+/gu, '-')

/** The flags that make another sheet of a seed, and how they stand in its name. */
const nameParts: Readonly<Record<string, (value: string | number) => string>> = {
  count: (value) => `${inName(value)}-pictures`,
  weights: inName,
  sampler: inName,
  steps: (value) => `${inName(value)}-steps`,
  spacing: inName,
  sigmas: inName,
  class: inName,
  guide: (value) => `away-from-${inName(basename(String(value)))}`,
  guidance: (value) => `guidance-${inName(value)}`,
  threshold: (value) => `threshold-${inName(value)}`,
  from: (value) => `from-${inName(parse(String(value)).name)}`,
  strength: (value) => `strength-${inName(value)}`,
  to: (value) => `to-${inName(value)}`,
  fill: (value) => `fill-${inName(parse(String(value)).name)}`,
  mask: (value) => `mask-${inName(parse(String(value)).name)}`,
  jump: (value) => `jump-${inName(value)}`,
  resamples: (value) => `resamples-${inName(value)}`,
}

/** The end of a sheet's name: the seed, and what its pictures were asked for, so that boats are not written over bridges. */
const sheetName = (seed: number, flags: ReadonlyMap<string, FlagValue>): string =>
  [
    String(seed),
    ...(flags.has('seeds') ? ['and-on'] : []),
    ...(flags.has('cfgpp') ? ['cfgpp'] : []),
    ...Object.entries(nameParts).flatMap(([name, part]) => {
      const value = flags.get(name)
      return typeof value === 'string' || typeof value === 'number' ? [part(value)] : []
    }),
  ].join('-')

/** Flags of `sample` that are settings of drawing, whose faults are wrong usage. */
const drawingFlags = [
  'count seed names config weights class guidance threshold strength to fill mask jump resamples'.split(' '),
  wayFlags,
].flat()

/** `fathom sample`. */
export const runSample = async (place: string, flags: ReadonlyMap<string, FlagValue>): Promise<Outcome> => {
  const wrong = incomplete(flags) ?? misplaced(flags.get('out'))
  if (wrong !== undefined) return wrong
  const source = sourceOf(place, flags)
  if (E.isLeft(source)) return source.left
  const [count, seed] = [numberOf(flags, 'count', 16), numberOf(flags, 'seed', 0)]
  const out = flags.get('out')
  return pipe(
    source.right,
    TE.bindTo('source'),
    TE.bindW('begin', ({ source: { loaded } }) => beginningOf(flags, loaded)),
    TE.bindW('filling', ({ source: { loaded } }) => fillingOf(flags, loaded)),
    TE.bindW('guide', () => guideOf(flags.get('guide'), place)),
    TE.bindW('samples', ({ source: { loaded }, begin, filling, guide }) =>
      sample(loaded, { count, seed, ...drawingOf(flags), ...begin, ...filling, ...guide }),
    ),
    TE.let('path', ({ source }) => (typeof out === 'string' ? out : `${source.place}-${sheetName(seed, flags)}.png`)),
    TE.chainFirstW(({ path }) => (out === undefined ? makeDurableDirectory(dirname(path)) : TE.right(undefined))),
    TE.chainFirstW(({ path, samples: { pictures: drawn, height, width, channels } }) =>
      replaceFile(path, encodePng(imageGrid(drawn, { height, width, channels }))),
    ),
    TE.match(failedWith(drawingFlags), ({ source: { from }, path }): Outcome => {
      say(`  ${pictures(count)} from ${from} → ${path}`)
      return { code: 0 }
    }),
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
