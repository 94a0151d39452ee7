/** The network of a run in training and when it is measured: what it is told beside the noisy pictures and their times. */
import { predictionIn, selfConditionedDenoise, type Denoise } from '../../../diffusion/index.ts'
import { takesEstimate } from '../../../models/registry.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Diffusion, Params } from './diffusion.ts'

/** What the network is told of the pictures of a batch. */
interface ToldOf {
  /** [N, K]; absent for nothing. */
  readonly condition?: Tensor | undefined
  /** Of which pictures it is told its own estimate, [N] bool; absent for none. */
  readonly estimated?: Tensor | undefined
}

/** The network with these parameters, as a loss asks it: with the variances, where it learns them. */
export const denoiseOf = (
  { model, space, lossOptions: { schedule, prediction } }: Diffusion,
  params: Params,
  { condition, estimated }: ToldOf,
): Denoise =>
  estimated === undefined
    ? (x, t) => model.apply(params, { x, t, condition })
    : selfConditionedDenoise((x, t, estimate) => model.apply(params, { x, t, condition, estimate }), estimated, {
        schedule,
        prediction,
        clip: space.bounded,
      })

/** The same without the variances: its prediction alone, as a measurement asks it. */
export const predictionOf = (diffusion: Diffusion, params: Params, told: ToldOf): Denoise => {
  const denoise = denoiseOf(diffusion, params, told)
  return (x, t) => predictionIn(denoise(x, t), x)
}

/**
 * Which draws of a measurement are told the network's estimate: every second, so that it is the expectation of training without its coins. Undefined
 * where the network has no place for one.
 *
 * @param numbers of the draws: of those of one picture every second is told, however they are cut into parts
 */
export const everySecond = ({ config }: Pick<Diffusion, 'config'>, numbers: readonly number[]): Tensor | undefined =>
  takesEstimate(config.model) ? tensor(numbers.map((i) => i % 2 === 1)) : undefined
