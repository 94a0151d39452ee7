/** How pictures are drawn from trained weights, and what of it cannot be meant. */
import {
  defaultSampler,
  isSamplerName,
  isSigmaCurve,
  isSpacing,
  samplerNamed,
  samplers,
  sigmaCurves,
  spacings,
  type AnySampler,
  type SamplerName,
  type WalkLevels,
} from '../../../diffusion/index.ts'
import { product } from '../../../prelude/array.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import { suggestion } from '../../../prelude/nearest.ts'
import type { DeviceChoice } from '../../openDevice.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'
import { pictureOf, type LoadedWeights } from './diffusion.ts'
import { conditionsOf, type DiffusionRun } from './diffusionConfig.ts'
import { misfilled, type Filling } from './filling.ts'

/** A picture that is noised and drawn anew. */
interface Noised {
  readonly picture: Uint8Array
  readonly strength: number
}

/** How to sample. */
export interface SampleOptions {
  readonly count: number
  /** A name of `samplers`; default {@link defaultSampler}. */
  readonly sampler?: string
  /** Steps of the sampler, at most the schedule's; default its usual ones. */
  readonly steps?: number
  /** Which times of the schedule are visited, a name of `spacings`; default even ones. */
  readonly spacing?: string
  /** Along which curve the noise falls instead, a name of `sigmaCurves`. */
  readonly sigmas?: string
  readonly seed: number
  /** What the pictures are told to show, of the labels that the network was trained with; default nothing. */
  readonly label?: string
  /** How far each step moves away from the guide, or from the network that is told no label; default 1, not at all. */
  readonly guidance?: number
  /** Whether only the image that is seen is moved, by CFG++: `guidance` is then a share from 0, the guide alone, to 1; default false. */
  readonly plusPlus?: boolean
  /** Dynamic thresholding: the share of a picture's values that are kept within bounds, the rest scaling them back; absent, estimates are clipped. */
  readonly threshold?: number
  /** Worse weights of the same network, as `load(directory, 'early')` gives them: autoguidance. */
  readonly guide?: LoadedWeights
  /** Seeds of its own for each picture, one after the other from `seed` on; or the way from the noise of `seed` to that of another. */
  readonly noise?: 'seeds' | { readonly to: number }
  /** A picture of the run's size to begin with, bytes [height, width, channels], and for what share of the steps it is noised and drawn anew, in (0, 1]. */
  readonly from?: Noised
  /** A picture of which a part is filled in, by RePaint; no sampler is named then. */
  readonly fill?: Filling
  /** Default: the device of training. */
  readonly device?: string
  /** How it is opened. */
  readonly deviceOptions?: DeviceChoice
  /** Called after each step of the sampler. */
  readonly onStep?: (done: number, total: number) => void
}

/** The names of {@link SampleOptions}. */
export const sampleOptions = [
  'count',
  'sampler',
  'steps',
  'spacing',
  'sigmas',
  'seed',
  'label',
  'guidance',
  'plusPlus',
  'threshold',
  'guide',
  'noise',
  'from',
  'fill',
  'device',
  'deviceOptions',
  'onStep',
] as const

/** What is drawn by, and in how many steps. */
export interface Chosen {
  readonly sampler: SamplerName
  readonly steps: number
  /** Which times are visited, or which curve. */
  readonly walk: WalkLevels
  /** Of the network, f32 [K]; absent where it is told nothing. */
  readonly condition?: Float32Array
}

/** The sampler that RePaint goes down by, and in how many steps unless they are named: each stretch of ten is walked ten times. */
const [repainting, repaintSteps]: readonly [SamplerName, number] = ['ddpm-respaced', 50]

/** A name of a list, as an error where it is none of them. */
const unnamed = (path: string, got: string, names: readonly string[]): TrainError =>
  settingError({
    path,
    expected: `one of ${names.join(', ')}`,
    got: JSON.stringify(got),
    hint: suggestion(got, names),
  })

/** Which levels are visited, or what of it cannot be meant. */
const chosenWalk = (sampler: SamplerName, { spacing, sigmas }: SampleOptions): E.Either<TrainError, WalkLevels> => {
  const given = spacing ?? sigmas
  if (given === undefined) return E.right({})
  if (samplers[sampler].everyStep) {
    const path = spacing === undefined ? 'sigmas' : 'spacing'
    return E.left(settingError({ path, expected: `absent for ${sampler}, which makes every step`, got: given }))
  }
  if (spacing !== undefined && sigmas !== undefined)
    return E.left(
      settingError({
        path: 'sigmas',
        expected: 'absent beside a spacing, which says which times there are',
        got: sigmas,
      }),
    )
  if (spacing !== undefined)
    return isSpacing(spacing) ? E.right({ spacing }) : E.left(unnamed('spacing', spacing, spacings))
  return isSigmaCurve(given) ? E.right({ sigmas: given }) : E.left(unnamed('sigmas', given, sigmaCurves))
}

const chosenSteps = (
  timesteps: number,
  sampler: SamplerName,
  walk: WalkLevels,
  wanted?: number,
): E.Either<TrainError, Chosen> => {
  const { everyStep, usualSteps } = samplers[sampler]
  const steps = wanted ?? usualSteps(timesteps)
  if (everyStep && steps !== timesteps)
    return E.left(
      settingError({
        path: 'steps',
        expected: `${timesteps} for ${sampler}, which makes them all (ddpm-respaced takes fewer)`,
        got: String(steps),
      }),
    )
  return Number.isSafeInteger(steps) && steps >= 1 && steps <= timesteps
    ? E.right({ sampler, steps, walk })
    : E.left(settingError({ path: 'steps', expected: `a whole number from 1 to ${timesteps}`, got: String(steps) }))
}

/** Fields of two networks that must be alike for the one to guide the other: what they see, and what they say. */
const comparable = ({
  height,
  width,
  channels,
  latent,
  objective,
  schedule,
  betas,
  zeroTerminal,
  shift,
  timesteps,
  model,
  labels,
}: DiffusionRun): string =>
  JSON.stringify([
    height,
    width,
    channels,
    latent?.channels,
    latent?.factor,
    objective,
    schedule,
    betas,
    zeroTerminal,
    shift,
    timesteps,
    model,
    labels,
  ])

/** Pictures that are moved farther from their guide are nothing but noise: 1 to 3 is usual. */
const mostGuidance = 100

/** What is wrong with the guide. */
const misguided = (
  { config }: LoadedWeights,
  { label, guidance = 1, guide }: SampleOptions,
): TrainError | undefined => {
  if (!(guidance >= 0 && guidance <= mostGuidance))
    return settingError({
      path: 'guidance',
      expected: `a number from 0 to ${mostGuidance}, 1 for none`,
      got: String(guidance),
    })
  if (guidance !== 1 && guide === undefined && label === undefined)
    return settingError({
      path: 'guidance',
      expected: '1 without a guide and a class: name one of them',
      got: String(guidance),
    })
  return guide === undefined || comparable(guide.config) === comparable(config)
    ? undefined
    : trainError(
        'CFG',
        `the guide ${guide.config.out} is another network, sees other pictures, or was trained on other noise: a guide must have the settings of what it guides`,
      )
}

/** What is wrong with guidance by CFG++. */
const misguidedImage = ({ label, guide, guidance = 1 }: SampleOptions, { sampler }: Chosen): TrainError | undefined => {
  const able = Object.entries(samplers).flatMap(([name, { renoises }]) => (renoises ? [name] : []))
  if (!able.includes(sampler))
    return settingError({ path: 'sampler', expected: `one of ${able.join(', ')} with CFG++`, got: sampler })
  if (!(guidance >= 0 && guidance <= 1))
    return settingError({ path: 'guidance', expected: 'a share from 0 to 1 of CFG++', got: String(guidance) })
  return label === undefined && guide === undefined
    ? settingError({
        path: 'guidance',
        expected: 'absent without a guide and a class: name one of them',
        got: String(guidance),
      })
    : undefined
}

/** What is wrong with dynamic thresholding. */
const misbounded = ({ config }: LoadedWeights, threshold: number): TrainError | undefined => {
  if (!(threshold > 0 && threshold <= 1))
    return settingError({ path: 'threshold', expected: 'a share above 0 and at most 1', got: String(threshold) })
  return config.latent === undefined
    ? undefined
    : settingError({ path: 'threshold', expected: 'absent on latents, which have no bounds', got: String(threshold) })
}

/** What is wrong with how estimates are moved and bounded. */
const misdirected = (loaded: LoadedWeights, options: SampleOptions, way: Chosen): TrainError | undefined => {
  const { plusPlus = false, threshold } = options
  return (
    (plusPlus ? misguidedImage(options, way) : undefined) ??
    (threshold === undefined ? undefined : misbounded(loaded, threshold))
  )
}

/** What is wrong with the noises that pictures begin with. */
const misnoised = ({ count, from, noise }: SampleOptions): TrainError | undefined => {
  if (typeof noise === 'object' && !(Number.isSafeInteger(noise.to) && noise.to >= 0))
    return settingError({ path: 'to', expected: 'a whole number ≥ 0', got: String(noise.to) })
  if (typeof noise === 'object' && count < 2)
    return settingError({ path: 'count', expected: 'at least 2 for the way from one seed to another', got: '1' })
  return from === undefined || noise === undefined
    ? undefined
    : trainError('CFG', 'pictures begin with a picture or with noises that are chosen, not with both')
}

/** What is wrong with the picture that is noised and drawn anew. */
const misbegun = ({ config }: LoadedWeights, { picture, strength }: Noised): TrainError | undefined => {
  const bytes = product(pictureOf(config))
  if (picture.length !== bytes)
    return settingError({
      path: 'from',
      expected: `${bytes} bytes, a picture of the run's size`,
      got: String(picture.length),
    })
  return strength > 0 && strength <= 1
    ? undefined
    : settingError({ path: 'strength', expected: 'a number above 0 and at most 1', got: String(strength) })
}

/** What is wrong with a picture that is filled in, and with what stands beside it. */
const misplacedFill = (
  loaded: LoadedWeights,
  fill: Filling,
  { from, noise, plusPlus = false }: SampleOptions,
  { steps }: Chosen,
): TrainError | undefined => {
  if (from !== undefined || noise !== undefined)
    return trainError('CFG', 'a picture that is filled in begins with noise of the seed: it takes no other beginning')
  if (plusPlus)
    return trainError(
      'CFG',
      'CFG++ moves what ddim and euler see, and a picture is filled in by RePaint: leave one of them out',
    )
  if (fill.jump !== undefined && fill.resamples !== 1 && fill.jump >= steps)
    return settingError({
      path: 'jump',
      expected: `below the steps, ${steps}, or it never goes up`,
      got: String(fill.jump),
    })
  return misfilled(loaded, fill)
}

/** What is wrong with what pictures are made of. */
const mismade = (loaded: LoadedWeights, options: SampleOptions, way: Chosen): TrainError | undefined =>
  misnoised(options) ??
  (options.fill && misplacedFill(loaded, options.fill, options, way)) ??
  (options.from && misbegun(loaded, options.from))

/** What the network is told, added to the way. */
const told = (loaded: LoadedWeights, options: SampleOptions, way: Chosen): E.Either<TrainError, Chosen> => {
  const { labels = [] } = loaded.config
  const { label } = options
  const wrong = mismade(loaded, options, way) ?? misdirected(loaded, options, way) ?? misguided(loaded, options)
  if (wrong !== undefined) return E.left(wrong)
  if (label === undefined) return E.right(way)
  const place = labels.indexOf(label)
  if (place < 0)
    return E.left(
      settingError({
        path: 'class',
        expected: labels.length === 0 ? 'absent: the run was trained without labels' : `one of ${labels.join(', ')}`,
        got: JSON.stringify(label),
        hint: suggestion(label, labels),
      }),
    )
  const condition = new Float32Array(conditionsOf(loaded.config))
  condition[place] = 1
  return E.right({ ...way, condition })
}

/** Left where the sampler cannot walk the run's schedule, such as one that ends in pure noise. */
const walkable = ({ schedule }: LoadedWeights, { sampler, steps, walk }: Chosen): E.Either<TrainError, AnySampler> =>
  E.tryCatch(
    () => samplerNamed(sampler, schedule, steps, walk),
    (error) =>
      trainError(
        'CFG',
        `${sampler} cannot draw from this run: ${error instanceof Error ? error.message : String(error)}`,
      ),
  )

/** What is wrong with how many pictures there are, from which seed. */
const misnumbered = ({ config }: LoadedWeights, { count, seed }: SampleOptions): TrainError | undefined => {
  const most = Math.floor(2 ** 30 / product(pictureOf(config))) // the sheet is encoded as one picture
  if (!Number.isSafeInteger(count) || count < 1 || count > most)
    return settingError({ path: 'count', expected: `a whole number from 1 to ${most}`, got: String(count) })
  return Number.isSafeInteger(seed) && seed >= 0
    ? undefined
    : settingError({ path: 'seed', expected: 'a whole number ≥ 0', got: String(seed) })
}

/** The sampler that is named, or the usual one; Left where there is none of the name, and beside a picture that is filled in. */
const samplerOf = ({ sampler, fill }: SampleOptions): E.Either<TrainError, SamplerName> => {
  if (sampler === undefined) return E.right(fill === undefined ? defaultSampler : repainting)
  if (!isSamplerName(sampler)) return E.left(unnamed('sampler', sampler, Object.keys(samplers)))
  return fill === undefined
    ? E.right(sampler)
    : E.left(
        settingError({ path: 'sampler', expected: 'absent where a picture is filled in, by RePaint', got: sampler }),
      )
}

/** The sampler and its steps, and what the network is told; Left with the first option that is wrong. */
export const chosen = (loaded: LoadedWeights, options: SampleOptions): E.Either<TrainError, Chosen> => {
  const { timesteps } = loaded.config
  const steps = options.steps ?? (options.fill === undefined ? undefined : Math.min(repaintSteps, timesteps))
  const wrong = misnumbered(loaded, options)
  if (wrong !== undefined) return E.left(wrong)
  return pipe(
    samplerOf(options),
    E.chain((sampler) =>
      pipe(
        chosenWalk(sampler, options),
        E.chain((walk) => chosenSteps(timesteps, sampler, walk, steps)),
      ),
    ),
    E.chainFirst((way) => walkable(loaded, way)),
    E.chain((way) => told(loaded, options, way)),
  )
}
