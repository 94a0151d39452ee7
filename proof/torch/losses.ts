/** Losses, as test/golden/torch/losses.py names them. */
import { crossEntropy } from '../../src/nn/crossEntropy.ts'
import { binaryCrossEntropy, huber, l1, mse } from '../../src/nn/losses.ts'
import type { ReductionOptions } from '../../src/nn/lossShapes.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { row, type Rows } from './row.ts'

interface Pair extends ReductionOptions {
  readonly prediction: Tensor
  readonly target: Tensor
}

/** Subject → function. */
export const losses: Rows = {
  mse: row<Pair>(({ prediction, target, ...options }) => mse(prediction, target, options)),
  l1: row<Pair>(({ prediction, target, ...options }) => l1(prediction, target, options)),
  huber: row<Pair & { readonly delta?: number }>(({ prediction, target, ...options }) =>
    huber(prediction, target, options),
  ),
  crossEntropy: row<ReductionOptions & { readonly logits: Tensor; readonly labels: Tensor }>(
    ({ logits, labels, ...options }) => crossEntropy(logits, labels, options),
  ),
  binaryCrossEntropy: row<ReductionOptions & { readonly logits: Tensor; readonly targets: Tensor }>(
    ({ logits, targets, ...options }) => binaryCrossEntropy(logits, targets, options),
  ),
}
