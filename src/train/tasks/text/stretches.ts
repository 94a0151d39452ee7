/** What a text model learns from. */
import type { Tensor } from '../../../tensor/tensor.ts'

/** Stretches of a text, i32 [N, context + 1]: what is seen, and what follows each of it. */
export interface Stretches {
  readonly ids: Tensor
}
