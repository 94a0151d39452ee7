/** Attention of sequences, without masks: what {@link multiHeadAttention} is at its simplest. */
import type { Tensor } from '../tensor/tensor.ts'
import type { Module } from './module.ts'
import { attentionNamed, type AttentionParams } from './multiHeadAttention.ts'

export type { AttentionParams } from './multiHeadAttention.ts'

/** What an attention layer attends to, and how. */
export interface AttentionOptions {
  /** Heads, which share the width; default 1. */
  readonly heads?: number
  /** Width of the sequence that is attended to, where it is another than the one that asks. */
  readonly contextWidth?: number
  /** Whether a place attends to itself and those before it only; default false. */
  readonly causal?: boolean
  /** Whether queries, keys and values have biases; default true. */
  readonly bias?: boolean
}

/** What cross attention takes: the sequence that asks, [N, T, width], and the one that is attended to, [N, S, contextWidth]. */
export interface AttentionInput {
  readonly x: Tensor
  readonly context: Tensor
}

/**
 * softmax(q·kᵀ / √d)·v in each head, d = width / heads, between four linear layers: `[N, T, width] → [N, T, width]`, or with a
 * `contextWidth` `{ x: [N, T, width], context: [N, S, contextWidth] } → [N, T, width]`. As `MultiheadAttention` of PyTorch, batch first;
 * {@link multiHeadAttention} takes masks too.
 *
 * @throws RangeError for heads that cannot share the width, and for causal attention to a context
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { attention } from 'fathom/nn'
 *
 * const own = attention(8, { heads: 2, causal: true })
 * own.apply(own.init(key(0)), zeros([1, 5, 8])).shape // => [1, 5, 8]
 * const cross = attention(8, { heads: 2, contextWidth: 3 })
 * cross.apply(cross.init(key(0)), { x: zeros([1, 5, 8]), context: zeros([1, 7, 3]) }).shape // => [1, 5, 8]
 * attention(8, { heads: 3 }) // throws RangeError: attention: 3 heads cannot share a width of 8: use 1, 2, 4, 8
 * ```
 */
export function attention(
  width: number,
  options: AttentionOptions & { readonly contextWidth: number },
): Module<AttentionParams, AttentionInput>
export function attention(
  width: number,
  options?: AttentionOptions & { readonly contextWidth?: undefined },
): Module<AttentionParams>
export function attention(
  width: number,
  options: AttentionOptions = {},
): Module<AttentionParams, Tensor | AttentionInput> {
  return attentionNamed('attention', width, options)
}
