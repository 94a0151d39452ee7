/** Multi-head attention (Vaswani et al. 2017, section 3.2): of a sequence with itself, with what came before in it, or with another. */
import { at, range } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { iota } from '../tensor/create.ts'
import { expectTensor } from '../tensor/expect.ts'
import { attend } from '../tensor/attend.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectSizes } from './expectSizes.ts'
import { joinHeads, splitHeads } from './heads.ts'
import { linear, type LinearParams } from './linear.ts'
import { compose, type Module } from './module.ts'

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

/** The parameters of {@link attention}. */
export interface AttentionParams {
  readonly query: LinearParams
  readonly key: LinearParams
  readonly value: LinearParams
  readonly out: LinearParams
}

const requireSequence = (what: string, x: Tensor, width: number): void => {
  expectTensor('attention', x)
  if (x.rank !== 3 || at(x.shape, 2) !== width)
    throw new ShapeError(
      `attention: takes ${what} [N, T, ${width}], got ${showShape(x.shape)}${x.rank === 4 ? '; for images, x.reshape([N, H·W, C])' : ''}`,
    )
}

/** −∞ where a place would attend to one that comes after it. @param logits [N, heads, T′, T] of T′ places from the first on */
const masked = (logits: Tensor, first: number): Tensor => {
  const size = logits.shape.slice(2)
  const isLater = iota(size, 1).greater(first === 0 ? iota(size, 0) : iota(size, 0).add(first))
  return isLater.broadcastTo(logits.shape).select(-Infinity, logits)
}

const requireOptions = (width: number, { heads = 1, contextWidth, causal = false }: AttentionOptions): void => {
  if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
    const fitting = range(width).flatMap((i) => (width % (i + 1) === 0 ? [i + 1] : []))
    throw new RangeError(`attention: ${heads} heads cannot share a width of ${width}: use ${fitting.join(', ')}`)
  }
  if (causal && contextWidth !== undefined)
    throw new RangeError('attention: causal attention is of a sequence with itself: leave contextWidth or causal out')
}

/**
 * softmax(q·kᵀ / √d)·v in each head, d = width / heads, between four linear layers: `[N, T, width] → [N, T, width]`, or with a
 * `contextWidth` `{ x: [N, T, width], context: [N, S, contextWidth] } → [N, T, width]`. As `MultiheadAttention` of PyTorch, batch first.
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
  expectSizes('attention', [width], 'attention(query, key, value)')
  requireOptions(width, options)
  const { heads = 1, contextWidth, causal = false, bias = true } = options
  const attended = contextWidth ?? width
  const children = {
    query: linear(width, width, { bias }),
    key: linear(attended, width, { bias }),
    value: linear(attended, width, { bias }),
    out: linear(width, width),
  }
  return compose(children, ({ query, key, value, out }, input: Tensor | AttentionInput) => {
    const isCross = typeof input === 'object' && 'context' in input
    if (isCross !== (contextWidth !== undefined))
      throw new ShapeError(
        isCross
          ? 'attention: a context needs its contextWidth in the options'
          : 'attention: with a contextWidth it takes { x, context }',
      )
    const [x, context] = isCross ? [input.x, input.context] : [input, input]
    requireSequence('a sequence', x, width)
    requireSequence('a context', context, attended)
    const scaled = splitHeads(query(x), heads).mul(1 / Math.sqrt(width / heads))
    const [keys, values] = [splitHeads(key(context), heads), splitHeads(value(context), heads)]
    return out(joinHeads(attend(scaled, keys, values, causal ? masked : undefined)))
  })
}
