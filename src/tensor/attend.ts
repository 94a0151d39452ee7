/** The core of attention, at once or in blocks of queries. */
import { at, range } from '../prelude/array.ts'
import { checkpoint } from './annotate.ts'
import { concatenate } from './combine.ts'
import { dotGeneral } from './contractions.ts'
import { softmax } from './softmax.ts'
import type { Tensor } from './tensor.ts'

/** Logits that are computed at once for each head: 4 MiB of f32. More would be the square of the number of tokens. */
const mostLogits = 2 ** 20

/** Changes the logits of some queries, as a mask does. @param first the number of the first of them */
export type Mask = (logits: Tensor, first: number) => Tensor

/** What is done to the logits of some queries, and to the weights that come of them. */
export interface Between {
  readonly mask?: Mask | undefined
  /** As dropout does. @param first the number of the first query */
  readonly weights?: ((weights: Tensor, first: number) => Tensor) | undefined
}

/** The logits of all queries at once. */
const attendAtOnce = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  first: number,
  { mask, weights = (w) => w }: Between,
): Tensor => {
  const last = query.rank - 1
  const batch = range(last - 1)
  const logits = dotGeneral(query, key, { contract: [[last], [last]], batch: [batch, batch] })
  return weights(softmax(mask === undefined ? logits : mask(logits, first)), first).matmul(value)
}

/**
 * softmax(q·kᵀ)·v, as `attention` without its scale. Where there are many tokens the queries come in blocks, whose logits are computed again for
 * the gradient: then memory grows with the number of tokens, not with its square (Rabe & Staats 2021, with whole rows).
 */
export const attend = (query: Tensor, key: Tensor, value: Tensor, between: Between = {}): Tensor => {
  const axis = query.rank - 2
  const [queries, keys] = [at(query.shape, axis), at(key.shape, axis)]
  if (queries * keys <= mostLogits) return attendAtOnce(query, key, value, 0, between)
  const each = Math.max(1, Math.floor(mostLogits / keys))
  const starts = range(Math.ceil(queries / each)).map((i) => i * each)
  const whole = range(axis).map(() => [] as const)
  return concatenate(
    starts.map((first) => {
      const block = query.slice(...whole, [first, Math.min(first + each, queries)])
      return checkpoint((q: Tensor, k: Tensor, v: Tensor) => attendAtOnce(q, k, v, first, between))(block, key, value)
    }),
    axis,
  )
}
