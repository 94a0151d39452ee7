/** What a classifier learns from. */
import type { Tensor } from '../../../tensor/tensor.ts'

/** Pictures u8 [N, H, W, C], and what they show, 0 or 1 [N, classes]. */
export interface Labelled {
  readonly pictures: Tensor
  readonly shown: Tensor
}
