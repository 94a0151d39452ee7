/** The noise of a run as diffusers writes it down, in `scheduler_config.json`, and back. */
import type { Prediction } from '../../../diffusion/index.ts'
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
import type { ScheduleName } from './noiseSchedule.ts'

/** What of a run's noise a scheduler says. */
export type ScheduledNoise = Pick<
  NoiseConfig,
  'objective' | 'schedule' | 'betas' | 'zeroTerminal' | 'shift' | 'timesteps'
>

/** Predictions by diffusers' names. */
const predictions = {
  epsilon: 'epsilon',
  sample: 'x0',
  v_prediction: 'v',
  flow_prediction: 'flow',
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
  readonly trained_betas?: undefined
  readonly variance_type?: string
}

const beta = number('a number between 0 and 1', (x) => x > 0 && x < 1)
const times = whole(2, 100_000)
const yesOrNo: Decoder<boolean> = (x) => (typeof x === 'boolean' ? E.right(x) : expects('true or false'))

const betaFields: Fields<BetaScheduler> = {
  num_train_timesteps: times,
  beta_start: beta,
  beta_end: beta,
  beta_schedule: oneOf(...keysOf(schedules)),
  prediction_type: oneOf(...keysOf(predictions)),
  rescale_betas_zero_snr: yesOrNo,
  trained_betas: (x) =>
    x === undefined
      ? E.right(x)
      : expects('null: a list of β of its own is not taken over, only schedules that have a name'),
  variance_type: optional((x) =>
    typeof x === 'string' && !x.startsWith('learned')
      ? E.right(x)
      : expects('a fixed one: variances that the network has learned are not built here'),
  ),
}

/** diffusers' defaults; those of its flow scheduler. */
const betaDefaults: BetaScheduler = {
  num_train_timesteps: 1000,
  beta_start: 0.0001,
  beta_end: 0.02,
  beta_schedule: 'linear',
  prediction_type: 'epsilon',
  rescale_betas_zero_snr: false,
}

interface FlowScheduler {
  readonly num_train_timesteps: number
  readonly shift: number
  readonly use_dynamic_shifting: false
}

const flowFields: Fields<FlowScheduler> = {
  num_train_timesteps: times,
  shift: number('a number above 0 and at most 100', (x) => x > 0 && x <= 100),
  use_dynamic_shifting: (x) =>
    x === false ? E.right(x) : expects('false: a run has one size of pictures, and one shift'),
}

const flowDefaults: FlowScheduler = { num_train_timesteps: 1000, shift: 1, use_dynamic_shifting: false }

const readBetas = overDefaults(betaFields, betaDefaults)
const readFlow = overDefaults(flowFields, flowDefaults)

const isFlow = (json: unknown): boolean =>
  isRecord(json) && typeof json['_class_name'] === 'string' && json['_class_name'].startsWith('FlowMatch')

/** Schedulers that mean another noise than levels of a schedule of β or of a flow. */
const foreign = /^(?:EDM|KarrasVe|ScoreSde|CMStochastic|VQDiffusion|SCM|Helios|MiniMax)/

const betasOf = ({
  beta_schedule,
  beta_start,
  beta_end,
}: BetaScheduler): Pick<ScheduledNoise, 'schedule' | 'betas'> => {
  const schedule = schedules[beta_schedule]
  const isByBetas = schedule === 'linear' || schedule === 'scaled-linear' || schedule === 'sigmoid-beta'
  return { schedule, ...(isByBetas && { betas: [beta_start, beta_end] as const }) }
}

/**
 * The noise that a `scheduler_config.json` of diffusers says; what it says of sampling alone is passed over.
 *
 * @returns Left with the first setting that is wrong, or that is not built here
 */
export const decodeDiffusersScheduler = (json: unknown): E.Either<Fault, ScheduledNoise> => {
  const name = isRecord(json) ? json['_class_name'] : undefined
  if (typeof name === 'string' && foreign.test(name))
    return E.left(faultIn('_class_name', name, { expected: 'a scheduler over a schedule of β, or of a flow' }))
  if (isFlow(json))
    return pipe(
      readFlow(json),
      E.map(({ settings: { num_train_timesteps: timesteps, shift } }) => ({
        objective: 'flow',
        schedule: 'flow',
        timesteps,
        ...(shift !== 1 && { shift }),
      })),
    )
  return pipe(
    readBetas(json),
    E.map(({ settings }) => ({
      objective: predictions[settings.prediction_type],
      ...betasOf(settings),
      timesteps: settings.num_train_timesteps,
      ...(settings.rescale_betas_zero_snr && { zeroTerminal: true as const }),
    })),
  )
}

const theirName = <T extends string>(names: Readonly<Record<string, T>>, ours: T): string | undefined =>
  keysOf(names).find((name) => names[name] === ours)

/**
 * A run's noise as `scheduler_config.json` of diffusers' DDIM, or of its Euler scheduler for a flow.
 *
 * @param betas of the schedule, for those that diffusers has no name for
 * @returns Left with the first setting that diffusers has no word for
 */
export const encodeDiffusersScheduler = (
  { objective, schedule, betas, zeroTerminal, shift = 1, timesteps }: ScheduledNoise,
  trained: Float64Array | undefined,
): E.Either<Fault, Readonly<Record<string, unknown>>> => {
  const shared = { _diffusers_version: '0.27.2', num_train_timesteps: timesteps }
  if (schedule === 'flow')
    return objective === 'flow'
      ? E.right({ _class_name: 'FlowMatchEulerDiscreteScheduler', ...shared, shift })
      : E.left(
          faultIn('objective', objective, { expected: 'flow with the schedule flow, for diffusers has nothing else' }),
        )
  const name = shift === 1 ? theirName(schedules, schedule) : undefined
  const [first, last] = betas ?? (schedule === 'scaled-linear' ? [0.00085, 0.012] : [0.0001, 0.02])
  return E.right({
    _class_name: 'DDIMScheduler',
    ...shared,
    ...(name === undefined
      ? { beta_schedule: 'linear', trained_betas: [...(trained ?? [])] }
      : { beta_schedule: name, beta_start: first, beta_end: last }),
    prediction_type: theirName(predictions, objective) ?? objective,
    rescale_betas_zero_snr: zeroTerminal === true && name !== undefined,
    clip_sample: false,
    set_alpha_to_one: true,
    steps_offset: 0,
    timestep_spacing: 'trailing',
  })
}
