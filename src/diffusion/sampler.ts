/**
 * What a sampler is: the times it visits, and the step from one to the next. `ddpm.ts` and `ddim.ts` are samplers,
 * `sample.ts` runs them.
 */
import type { Tensor } from '../tensor/tensor.ts'
import type { Estimate } from './prediction.ts'
import type { Schedule } from './schedule.ts'

/** A sampler made ready for one schedule. */
export interface SamplingPlan {
  /** The time t of each step, from noise to image. */
  readonly times: readonly number[]
  /**
   * From x_t and what the network makes of it to the next x. Which step it is enters as a tensor, so that one compiled
   * plan serves all.
   *
   * @param index [], i32 or u32: the number of the step, from 0
   * @param draw standard normal noise like xt, in the graph only if it is called
   */
  readonly step: (xt: Tensor, estimate: Estimate, index: Tensor, draw: () => Tensor) => Tensor
}

/** A way to walk from noise to an image. */
export type Sampler = (schedule: Schedule) => SamplingPlan
