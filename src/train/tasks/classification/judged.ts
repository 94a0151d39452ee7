/** How right a classifier is. */
import { binaryCrossEntropy, crossEntropy } from '../../../nn/index.ts'
import { argmax } from '../../../tensor/combine.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** What was judged: scalars. */
interface Judged {
  readonly loss: Tensor
  /** The share of right answers. */
  readonly right: Tensor
}

/** Loss and share of right answers of logits. */
export const judged = (logits: Tensor, shown: Tensor, several: boolean): Judged => {
  if (several)
    return {
      loss: binaryCrossEntropy(logits, shown),
      right: logits.greater(0).equal(shown.greater(0.5)).cast('f32').mean(),
    }
  const labels = argmax(shown)
  return { loss: crossEntropy(logits, labels), right: argmax(logits).equal(labels).cast('f32').mean() }
}
