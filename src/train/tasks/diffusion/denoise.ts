/** The network of a run in training and when it is measured: what it is told beside the noisy pictures and their times. */
import { predictionIn, selfConditionedDenoise, type Denoise } from '../../../diffusion/index.ts'
import { takesEstimate } from '../../../models/registry.ts'
import { at, range } from '../../../prelude/array.ts'
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
 * Of which pictures of a measurement the network is told its estimate: every second, so that it is the expectation of training without its coins;
 * undefined where the network has no place for one.
 *
 * @param t [N]
 */
export const everySecond = ({ config }: Pick<Diffusion, 'config'>, t: Tensor): Tensor | undefined =>
  takesEstimate(config.model) ? tensor(range(at(t.shape, 0)).map((i) => i % 2 === 1)) : undefined
