/** The command `eval`: pictures are drawn from a run, and judged by those it was trained on and those it has not seen. */
import { join } from 'node:path'
import type { TrainingData } from '../data/index.ts'
import {
  judge,
  judgementPage,
  sentencesOf,
  type FeatureSpace,
  type Judgement,
  type LevelLoss,
  type Pictures,
} from '../evaluation/index.ts'
import { makeDurableDirectory, replaceFile } from '../io/index.ts'
import { range } from '../prelude/array.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { printableJson } from '../prelude/printable.ts'
import type { Device } from '../tensor/device.ts'
import {
  load,
  lossByLevelOn,
  sample,
  type DiffusionRun,
  type LoadedRun,
  type Samples,
  type TrainError,
} from '../train/index.ts'
import { orDeviceError } from '../train/deviceErrors.ts'
import { ensuring } from '../train/ensuring.ts'
import { realSurroundings } from '../train/recovery.ts'
import { openPictures } from '../train/pictures/openPictures.node.ts'
import { asBytes, eachPicture } from '../train/tasks/autoencoder/reconstructing.ts'
import { diffusionOf } from '../train/tasks/diffusion/diffusion.ts'
import { openExamples, type OpenedExamples } from '../train/tasks/diffusion/open.node.ts'
import { spacesOf } from './featureSpaces.ts'
import type { FlagValue } from './parse.ts'
import { numberOf, stepsDone, trained, wayFlags, wayOfFlags } from './pictures.ts'
import { failedWith, type Outcome } from './outcome.ts'
import { deviceOptionsOf } from './settings.ts'
import { grouped } from './show.ts'
import { note, say } from './terminal.ts'

type Flags = ReadonlyMap<string, FlagValue>

/** Which numbers say nothing of a run where its pictures are others than those that it was trained on. */
const othersInWords =
  'what is said of copies, of pictures of training, and of learning by heart is said of the folder that is named'

/** Training pictures that are looked at, at most: more would take longer and tell little. */
const mostTraining = 2500

/** Everything that is judged, and how it was made. */
export interface Drawn {
  readonly run: LoadedRun
  readonly samples: Samples
  readonly data: TrainingData
  readonly training: Pictures
}

/** What was found. */
interface Found {
  readonly judgement: Judgement
  readonly lossByLevel: readonly LevelLoss[]
}

const tooFew = (message: string): TrainError => ({ _tag: 'TrainError', code: 'DATA', message })

/** Pictures with their groups, where these are known. */
const picturesOf = (
  { height, width, channels }: TrainingData,
  count: number,
  picture: (i: number) => Uint8Array,
  group: ((i: number) => number) | undefined,
): Pictures => ({
  height,
  width,
  channels,
  pictures: range(count).map(picture),
  ...(group !== undefined && { groups: range(count).map(group) }),
})

/** The training pictures to judge by; Left where they are too few to say anything. */
const trainingOf = (data: TrainingData, count: number): E.Either<TrainError, Pictures> => {
  // Of endless seas as many as are compared, thrice; of a folder all that there are, because any may have been copied.
  const wanted = Number.isFinite(data.count) ? data.count : Math.max(768, 3 * count)
  const all = Math.min(mostTraining, wanted)
  if (all < 48 || count < 16)
    return E.left(
      tooFew(
        `${grouped(all)} pictures of training and ${grouped(count)} drawn are too few to judge by: it takes 48 and 16 at least (--count), and 768 and 256 are good`,
      ),
    )
  const training = picturesOf(data, all, data.picture, data.group)
  return training.groups !== undefined && new Set(training.groups).size < 2
    ? E.left(
        tooFew('all pictures of training show the same, so none can be told from a copy: give more of other scenes'),
      )
    : E.right(training)
}

/** The configuration whose pictures are those that there are, none of them changed. */
const asTheyAre = (config: DiffusionRun): DiffusionRun => {
  const { augment: _, labels: __, ...same } = config
  return same
}

/** What a person should know where the network that judges has also trained. */
const notApart = ({ autoencoder }: LoadedRun): readonly string[] =>
  autoencoder?.features === 'seas'
    ? [
        "the autoencoder was trained by the features of seas, which are the feature space 'trained' here: it flatters these pictures; go by the others (--features random)",
      ]
    : []

/** The run with the pictures that are named, where some are: those of training may have moved, or never been here. */
const judgedBy =
  (flags: Flags) =>
  (run: LoadedRun): LoadedRun => {
    const folder = flags.get('data')
    return typeof folder === 'string' ? { ...run, config: { ...run.config, folder } } : run
  }

/** What a person should know where the pictures are others than those of the run. */
const notItsOwn = (flags: Flags): readonly string[] =>
  flags.has('data') ? [`${othersInWords}: this holds if it was trained on them`] : []

/** What to do where a run's own pictures cannot be used. */
const orNameOthers =
  (flags: Flags) =>
  (error: TrainError): TrainError =>
    error.code === 'DATA' && !flags.has('data')
      ? { ...error, message: `${error.message}; \`--data FOLDER\` names other pictures to compare with` }
      : error

/** Which averaged weights are drawn from. */
const weightsNamed = (flags: Flags): string => {
  const named = flags.get('weights')
  return typeof named === 'string' ? named : 'last'
}

/** RGB as pictures of so many channels: grey is the first, opacity is full. */
const inChannels = (rgb: Uint8Array, channels: number): Uint8Array =>
  channels === 3
    ? rgb
    : Uint8Array.from({ length: (rgb.length / 3) * channels }, (_, i) =>
        i % channels === 3 ? 255 : (rgb[3 * Math.floor(i / channels) + (i % channels)] ?? 0),
      )

/** What the autoencoder of a run makes of pictures; undefined for a run on pixels. */
const reconstructOn = (
  device: Device,
  { autoencoder }: LoadedRun,
  channels: number,
): ((set: Pictures) => Promise<Pictures>) | undefined => {
  if (autoencoder === undefined) return undefined
  const [encode, decode] = [autoencoder.encoderOn(device), autoencoder.decoderOn(device)]
  return async ({ height, width, pictures }) => {
    const size = { height, width, channels }
    const own = pictures.map((rgb) => inChannels(rgb, channels))
    const made = await eachPicture(device, size, own, async (batch) => decode(await encode(batch)))
    return { ...size, pictures: made.map(asBytes) }
  }
}

/** Loads, opens and draws; data are opened first, so that nothing is drawn in vain. */
export const drawn = (directory: string, flags: Flags): TE.TaskEither<TrainError, Drawn> => {
  const [count, seed] = [numberOf(flags, 'count', 256), numberOf(flags, 'seed', 0)]
  const device = flags.get('device')
  return pipe(
    load(directory, weightsNamed(flags)),
    TE.chainEitherK(trained(directory)),
    TE.map(judgedBy(flags)),
    TE.bindTo('run'),
    TE.bind('data', ({ run }) =>
      pipe(
        openPictures(asTheyAre(run.config)),
        TE.map(({ data, warnings }) => {
          for (const warning of [...run.warnings, ...warnings, ...notApart(run), ...notItsOwn(flags)]) note(warning)
          return data
        }),
        TE.mapLeft(orNameOthers(flags)),
      ),
    ),
    TE.bind('training', ({ data }) => TE.fromEither(trainingOf(data, count))),
    TE.bind('samples', ({ run }) =>
      sample(run, {
        count,
        seed,
        ...wayOfFlags(flags),
        ...(typeof device === 'string' && { device }),
        onStep: flags.has('json') ? () => undefined : stepsDone,
        deviceOptions: deviceOptionsOf(flags),
      }),
    ),
  )
}

/** Judges on a device that is opened for it. */
const judged = (
  { run, samples, data, training }: Drawn,
  spaces: readonly FeatureSpace[],
  flags: Flags,
): TE.TaskEither<TrainError, Found> => {
  const { config, average } = run
  const device = flags.get('device')
  const tell = (doing: string): void => {
    if (!flags.has('json')) say(`  ${doing} …`)
  }
  const heldOut = picturesOf(data, data.heldOutCount, data.heldOut, data.heldOutGroup)
  const work = async (opened: Device, examples: OpenedExamples): Promise<Found> => {
    tell('measuring the loss by level of noise')
    const params = await opened.realize(average)
    const lossByLevel = await lossByLevelOn(opened, diffusionOf(config), examples.data)(params)
    const seed = numberOf(flags, 'seed', 0)
    const reconstruct = reconstructOn(opened, run, data.channels)
    const judgement = await judge(opened, {
      generated: samples,
      training,
      heldOut,
      spaces,
      seed,
      onProgress: tell,
      ...(reconstruct !== undefined && { reconstruct }),
    })
    return { judgement, lossByLevel }
  }
  return pipe(
    realSurroundings.open(typeof device === 'string' ? device : config.device, deviceOptionsOf(flags)),
    TE.chain((opened) =>
      pipe(
        openExamples(asTheyAre(config), opened, () => undefined),
        TE.chain((examples) => TE.fromTask<Found, TrainError>(() => work(opened, examples))),
        orDeviceError(opened.name),
        ensuring(() => opened.close()),
      ),
    ),
  )
}

/** Writes report.json and report.html. */
const written = (
  directory: string,
  out: string,
  { run, samples, training }: Drawn,
  { judgement, lossByLevel }: Found,
  { weights, others }: { readonly weights: string; readonly others: boolean },
): TE.TaskEither<{ readonly message: string }, void> => {
  const pictures = run.config.folder ?? 'procedural seas'
  const facts = `${directory}, the ${weights} weights, of step ${grouped(run.step)} · ${pictures}${others ? ` (${othersInWords})` : ''}`
  const title = 'How good are the pictures?'
  const page = judgementPage({ title, facts, judgement, generated: samples, training, lossByLevel })
  const json = `${JSON.stringify({ run: directory, weights, step: run.step, pictures, others, judgement, lossByLevel }, null, 2)}\n`
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  return pipe(
    makeDurableDirectory(out),
    TE.chainW(() => replaceFile(join(out, 'report.json'), encode(json))),
    TE.chainW(() => replaceFile(join(out, 'report.html'), encode(page))),
  )
}

/** `fathom eval`. */
export const runEval = async (directory: string, flags: Flags): Promise<Outcome> => {
  const spaces = await spacesOf(flags.get('features'))()
  if (E.isLeft(spaces)) return spaces.left
  const named = flags.get('out')
  const out = typeof named === 'string' ? named : join(directory, 'eval')
  const start = performance.now()
  return pipe(
    drawn(directory, flags),
    TE.bindTo('drawn'),
    TE.bind('found', (all) => judged(all.drawn, spaces.right, flags)),
    TE.chainFirstW((all) =>
      written(directory, out, all.drawn, all.found, { weights: weightsNamed(flags), others: flags.has('data') }),
    ),
    TE.match(failedWith(['count', 'seed', 'weights', ...wayFlags]), ({ found: { judgement } }): Outcome => {
      if (flags.has('json')) say(printableJson(JSON.stringify(judgement, null, 2)))
      else {
        say(
          `\n${sentencesOf(judgement)
            .map((sentence) => `  ${sentence}`)
            .join('\n\n')}\n`,
        )
        say(`  ${join(out, 'report.html')} shows all of it · ${((performance.now() - start) / 1000).toFixed(0)} s`)
      }
      return { code: 0 }
    }),
  )()
}
