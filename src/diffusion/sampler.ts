/**
 * What a sampler is: an optimizer of x. It has a state, and a step from one noise level to the next that may ask the
 * network as often as it likes. `samplers/` holds them, `sample.ts` runs them.
 */
import type { Tensor } from '../tensor/tensor.ts'
import type { Levels } from './levels.ts'
import type { Estimate } from './prediction.ts'

/**
 * What the network makes of x at a level: the image and the noise in it.
 *
 * @param index [], i32 or u32: the number of the level, from 0; not that of the image
 * @param before what was thought of the image before, like x, for a network that reads it; absent for nothing
 */
export type Estimator = (x: Tensor, index: Tensor, before?: Tensor) => Estimate

/** A walk from noise to an image, whose state is a tree of tensors. */
export interface Sampler<S> {
  /** The levels it visits; a step leads from one to the next. */
  readonly levels: Levels
  /** The state at any level, from x alone. */
  readonly init: (x: Tensor) => S
  /**
   * From the state at a level to that at the next. Which level it is enters as a tensor, so that one compiled plan
   * serves all steps.
   *
   * @param index [], i32 or u32: the number of the step, which is that of the level it starts from
   * @param draw standard normal noise like x, in the graph only if it is called; the same noise however often in one step
   */
  readonly step: (state: S, estimate: Estimator, index: Tensor, draw: () => Tensor) => S
  /** Whether states hold data beside x, as a picture: then they are made before anything is compiled. */
  readonly holds?: true
  /** x in a state; after the last step it is the image. */
  readonly image: (state: S) => Tensor
  /** What the questions of the next step are told of the images; absent for nothing. */
  readonly told?: (state: S) => Tensor
}

/** A sampler whose state nobody else needs to know: give it a function that takes a sampler of any state. */
export type AnySampler = <R>(use: <S>(sampler: Sampler<S>) => R) => R
