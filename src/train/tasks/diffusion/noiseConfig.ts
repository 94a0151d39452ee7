/** The settings of a diffusion model that say what noise pictures are mixed with, and what is to be learned of it. */
import { weightings, type Prediction, type TimeDensity, type Weighting } from '../../../diffusion/index.ts'
import { expects, number, oneOf, optional, record, whole, type Decoder, type Fields } from '../../../prelude/decode.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import { isRecord, keysOf } from '../../../prelude/record.ts'
import { settingError, trainError, type TrainError } from '../../trainError.ts'
import { namesByBetas, scheduleNames, scheduleOf, type Betas, type ScheduleConfig } from './noiseSchedule.ts'

/** Noise that is more than one draw for each picture. */
export interface DrawnNoise {
  /** Strength of an offset for each picture and channel (`offsetNoise`); absent for none. */
  readonly offset?: number
  /** Draws for each picture, of which one is taken; absent for 1. */
  readonly candidates?: number
  /** Which, where there are several: the nearest to the picture (`nearestNoise`), or that of which the network is least wrong. */
  readonly choice?: 'nearest' | 'best'
}

/** What noise there is, and what is learned of it. */
export interface NoiseConfig extends ScheduleConfig {
  readonly objective: Prediction
  /** Which times are trained at, and how often; absent for all as often. */
  readonly times?: TimeDensity
  /** What pictures are mixed with; absent for one normal noise each. */
  readonly noise?: DrawnNoise
  /** γ of the min-SNR weights: times with less noise than this ratio count no more (Hang et al. 2023); null for no bound. */
  readonly minSnr: number | null
  /** What the error of a picture counts at each time, by its signal-to-noise ratio. */
  readonly weighting: Weighting
}

const above = (least: number, most: number, example: string): Decoder<number> =>
  number(`a number above ${least} and at most ${most}, for instance ${example}`, (x) => x > least && x <= most)

const densityFields = {
  mean: optional(number('a number', Number.isFinite)),
  deviation: optional(above(0, 100, '1')),
  scale: optional(number('a number from −1 to 1.75', (x) => x >= -1 && x <= 1.75)),
}

type Normal = Extract<TimeDensity, { readonly mean?: number }>

const normal = (density: Normal['density']): Decoder<Normal> =>
  record<Normal>({ density: oneOf(density), mean: densityFields.mean, deviation: densityFields.deviation })

const plain = (density: 'uniform' | 'cosmap'): Decoder<TimeDensity> =>
  record<TimeDensity & { readonly density: 'uniform' | 'cosmap' }>({ density: oneOf(density) })

/** The numbers of each density of times. */
const densities: { readonly [D in TimeDensity['density']]: Decoder<TimeDensity> } = {
  uniform: plain('uniform'),
  cosmap: plain('cosmap'),
  'logit-normal': normal('logit-normal'),
  'log-normal': normal('log-normal'),
  mode: record<Extract<TimeDensity, { readonly scale?: number }>>({
    density: oneOf('mode'),
    scale: densityFields.scale,
  }),
}

const times: Decoder<TimeDensity> = (x) => {
  const known = keysOf(densities).find((name) => isRecord(x) && x['density'] === name)
  return known === undefined
    ? expects(`a record with a density, one of ${keysOf(densities).join(', ')}`)
    : densities[known](x)
}

const isBeta = (x: unknown): x is number => typeof x === 'number' && x > 0 && x < 1

const betas: Decoder<Betas> = (x) =>
  Array.isArray(x) && x.length === 2 && isBeta(x[0]) && isBeta(x[1])
    ? E.right([x[0], x[1]])
    : expects('the first β and the last, each between 0 and 1, for instance [0.0001, 0.02]')

/** What each setting must be. */
export const noiseFields: Fields<NoiseConfig> = {
  objective: oneOf('epsilon', 'x0', 'v', 'flow'),
  schedule: oneOf(...scheduleNames),
  betas: optional(betas),
  zeroTerminal: optional((x) => (x === true ? E.right(x) : expects('true, or absent'))),
  shift: optional(above(0, 100, '3')),
  timesteps: whole(2, 100_000),
  times: optional(times),
  noise: optional(
    record<DrawnNoise>({
      offset: optional(above(0, 1, '0.1')),
      candidates: optional(whole(2, 64)),
      choice: optional(oneOf('nearest', 'best')),
    }),
  ),
  minSnr: (x) =>
    x === null || (typeof x === 'number' && x > 0) ? E.right(x) : expects('a number above 0, for instance 5, or null'),
  weighting: oneOf(...weightings),
}

/** A schedule that cannot be made, as an error. */
const impossible = (config: NoiseConfig): TrainError | undefined => {
  const { schedule, betas: ends, zeroTerminal } = config
  if (ends !== undefined && !namesByBetas.includes(schedule))
    return settingError({
      path: 'betas',
      expected: `absent with the schedule ${schedule}: only ${namesByBetas.join(', ')} are given by β`,
      got: JSON.stringify(ends),
    })
  if (zeroTerminal === true && schedule === 'flow')
    return settingError({
      path: 'zeroTerminal',
      expected: 'absent with the schedule flow, which ends in noise',
      got: 'true',
    })
  return pipe(
    E.tryCatch(
      () => scheduleOf(config),
      (error) =>
        trainError(
          'CFG',
          `the noise schedule cannot be made: ${error instanceof Error ? error.message : String(error)}`,
        ),
    ),
    E.match(
      (error) => error,
      () => undefined,
    ),
  )
}

/** Settings of noise that do not go together, as an error. */
export const mismatchedNoise = (config: NoiseConfig): TrainError | undefined => {
  const { objective, schedule, zeroTerminal, weighting, minSnr, noise = {} } = config
  const refused = impossible(config)
  if (refused !== undefined) return refused
  if (objective === 'epsilon' && (zeroTerminal === true || schedule === 'flow'))
    return settingError({
      path: 'objective',
      expected: 'v, x0 or flow where the schedule ends in pure noise, which says nothing of a picture',
      got: 'epsilon',
    })
  if (weighting === 'plain' && minSnr !== null)
    return settingError({ path: 'minSnr', expected: 'null with the weighting plain', got: String(minSnr) })
  if ((noise.candidates === undefined) === (noise.choice === undefined)) return undefined
  return noise.choice === undefined
    ? settingError({ path: 'noise.choice', expected: 'nearest or best, with candidates', got: 'none' })
    : settingError({ path: 'noise.candidates', expected: 'a whole number from 2 to 64, with a choice', got: 'none' })
}
