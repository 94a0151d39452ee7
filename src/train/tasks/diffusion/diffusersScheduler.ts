/** The noise of a run as diffusers writes it down, in `scheduler_config.json`, and back. */
import { isChain, type NoiseSchedule, type Prediction } from '../../../diffusion/index.ts'
import {
  expects,
  faultIn,
  number,
  oneOf,
  optional,
  whole,
  type Decoder,
  type Fault,
  type Fields,
} from '../../../prelude/decode.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import { isRecord, keysOf } from '../../../prelude/record.ts'
import { overDefaults } from '../../../models/diffusersSettings.ts'
import type { NoiseConfig } from './noiseConfig.ts'
import { betasOf, namesByBetas, scheduleOf, type ScheduleName } from './noiseSchedule.ts'

/** What of a run's noise a scheduler says. */
export type ScheduledNoise = Pick<
  NoiseConfig,
  'objective' | 'schedule' | 'betas' | 'zeroTerminal' | 'shift' | 'timesteps'
>

/** Predictions by diffusers' names: of a flow its pipelines without a text know nothing. */
const predictions = {
  epsilon: 'epsilon',
  sample: 'x0',
  v_prediction: 'v',
} as const satisfies Readonly<Record<string, Prediction>>

/** Schedules of β by diffusers' names. */
const schedules = {
  linear: 'linear',
  scaled_linear: 'scaled-linear',
  squaredcos_cap_v2: 'cosine',
  sigmoid: 'sigmoid-beta',
  laplace: 'laplace',
  exp: 'exponential',
} as const satisfies Readonly<Record<string, ScheduleName>>

/** The settings of a scheduler over a schedule of β, by diffusers' names. */
interface BetaScheduler {
  readonly num_train_timesteps: number
  readonly beta_start: number
  readonly beta_end: number
  readonly beta_schedule: keyof typeof schedules
  readonly prediction_type: keyof typeof predictions
  readonly rescale_betas_zero_snr: boolean
  readonly trained_betas?: readonly number[]
  readonly variance_type?: string
}

const beta = number('a number between 0 and 1', (x) => x > 0 && x < 1)
const times = whole(2, 100_000)
const yesOrNo: Decoder<boolean> = (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false'))

const listOfBetas: Decoder<readonly number[]> = (x) =>
  Array.isArray(x) && x.length > 1 && x.every((b): b is number => typeof b === 'number' && b > 0 && b <= 1)
    ? E.right(x)
    : expects('a list of β, each above 0 and at most 1')

const betaFields: Fields<BetaScheduler> = {
  num_train_timesteps: times,
  beta_start: beta,
  beta_end: beta,
  beta_schedule: oneOf(...keysOf(schedules)),
  prediction_type: oneOf(...keysOf(predictions)),
  rescale_betas_zero_snr: yesOrNo,
  trained_betas: optional(listOfBetas),
  variance_type: optional((x) =>
    typeof x === 'string' && !x.startsWith('learned')
      ? E.right(x)
      : expects('a fixed one: variances that the network has learned are not built here'),
  ),
}

/** diffusers' defaults. */
const betaDefaults: BetaScheduler = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: 'linear',
  prediction_type: 'epsilon',
  rescale_betas_zero_snr: false,
}

const readBetas = overDefaults(betaFields, betaDefaults)

/** Schedulers that mean another noise than that of a schedule of β; networks of a flow are told σ there, and numbers of times here. */
const foreign = /^(?:FlowMatch|EDM|KarrasVe|ScoreSde|CMStochastic|VQDiffusion|SCM|Helios|MiniMax)/

const scheduleIn = ({
  beta_schedule,
  beta_start,
  beta_end,
}: BetaScheduler): Pick<ScheduledNoise, 'schedule' | 'betas'> => {
  const schedule = schedules[beta_schedule]
  return { schedule, ...(namesByBetas.includes(schedule) && { betas: [beta_start, beta_end] as const }) }
}

/** Schedules that have no name there, and are written as their β. */
const unnamed: readonly ScheduleName[] = [
  'sigmoid',
  'cosine',
  'linear',
  'scaled-linear',
  'sigmoid-beta',
  'laplace',
  'exponential',
]

/** The schedule of ours, with its shift, that has these β; undefined where there is none. */
const scheduleWith = (
  betas: readonly number[],
): Pick<ScheduledNoise, 'schedule' | 'shift' | 'timesteps'> | undefined => {
  const timesteps = betas.length
  const first = betas[0] ?? NaN
  const made = (schedule: ScheduleName, shift: number): NoiseSchedule | undefined =>
    E.match(
      () => undefined,
      (found: NoiseSchedule) => found,
    )(
      E.tryCatch(
        () => scheduleOf({ schedule, timesteps, shift }),
        () => undefined,
      ),
    )
  const isAlike = (found: NoiseSchedule | undefined): boolean =>
    found !== undefined && isChain(found) && found.betas.every((b, t) => Math.abs(b - (betas[t] ?? NaN)) < 1e-9)
  for (const schedule of unnamed) {
    const snr = made(schedule, 1)?.snr[0] ?? NaN
    const shift = Number(Math.sqrt((snr * first) / (1 - first)).toPrecision(9)) // of the first noise to that of the schedule
    if (shift > 0 && isAlike(made(schedule, shift))) return { schedule, timesteps, ...(shift !== 1 && { shift }) }
  }
  return undefined
}

/**
 * The noise that a `scheduler_config.json` of diffusers says; what it says of sampling alone is passed over.
 *
 * @returns Left with the first setting that is wrong, or that is not built here
 */
export const decodeDiffusersScheduler = (json: unknown): E.Either<Fault, ScheduledNoise> => {
  const name = isRecord(json) ? json['_class_name'] : undefined
  if (typeof name === 'string' && foreign.test(name))
    return E.left(faultIn('_class_name', name, { expected: 'a scheduler over a schedule of β' }))
  return pipe(
    readBetas(json),
    E.chain(({ settings }) => {
      const { trained_betas: trained, num_train_timesteps, prediction_type, rescale_betas_zero_snr } = settings
      const named =
        trained === undefined ? { ...scheduleIn(settings), timesteps: num_train_timesteps } : scheduleWith(trained)
      return named === undefined
        ? E.left(faultIn('trained_betas', trained, { expected: 'those of a schedule that fathom knows' }))
        : E.right({
            objective: predictions[prediction_type],
            ...named,
            ...(rescale_betas_zero_snr && { zeroTerminal: true as const }),
          })
    }),
  )
}

const theirName = <T extends string>(names: Readonly<Record<string, T>>, ours: T): string | undefined =>
  keysOf(names).find((name) => names[name] === ours)

/**
 * A run's noise as `scheduler_config.json` of diffusers' DDIM.
 *
 * @param trained β of the schedule, for those that diffusers has no name for
 * @param bounded whether estimates are clipped to [−1, 1], as they are of pixels
 * @returns Left with the first setting that diffusers has no word for
 */
export const encodeDiffusersScheduler = (
  noise: ScheduledNoise,
  trained: Float64Array | undefined,
  bounded = true,
): E.Either<Fault, Readonly<Record<string, unknown>>> => {
  const { objective, schedule, zeroTerminal, shift = 1, timesteps } = noise
  const prediction = theirName(predictions, objective)
  if (schedule === 'flow')
    return E.left(
      faultIn('schedule', schedule, { expected: 'one of β: diffusers has no pipeline of a flow without a text' }),
    )
  if (prediction === undefined)
    return E.left(
      faultIn('objective', objective, {
        expected: `one of ${Object.values(predictions).join(', ')}, for diffusers has no other`,
      }),
    )
  const name = shift === 1 ? theirName(schedules, schedule) : undefined
  const [first, last] = betasOf(noise)
  return E.right({
    _class_name: 'DDIMScheduler',
    _diffusers_version: '0.27.2',
    num_train_timesteps: timesteps,
    ...(name === undefined
      ? { beta_schedule: 'linear', trained_betas: [...(trained ?? [])] }
      : { beta_schedule: name, beta_start: first, beta_end: last }),
    prediction_type: prediction,
    rescale_betas_zero_snr: zeroTerminal === true && name !== undefined,
    clip_sample: bounded,
    set_alpha_to_one: true,
    steps_offset: 0,
    timestep_spacing: 'trailing',
  })
}
