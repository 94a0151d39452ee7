/**
 * Multi-head attention for sequences: with masks, in causal order, to a context, with fewer heads of keys than of queries, with rotary positions, and
 * token by token with what came before in a cache.
 */
import { at, range } from '../prelude/array.ts'
import { ShapeError, typeError } from '../prelude/errors.ts'
import { requireKnown, requireShare } from '../prelude/options.ts'
import { isRecord } from '../prelude/record.ts'
import { zeros } from '../tensor/create.ts'
import { expectTensor } from '../tensor/expect.ts'
import { attend } from '../tensor/attend.ts'
import { foldIn } from '../tensor/random.ts'
import { Tensor } from '../tensor/tensor.ts'
import { checkedMasks, hide, zeroWhereBlind, type Masks } from './attentionMask.ts'
import { nanBeyond, placesFrom, requireRoom, withPlaces } from './cache.ts'
import { dropout as dropoutLayer } from './dropout.ts'
import { expectSizes } from './expectSizes.ts'
import { joinHeads, splitHeads } from './heads.ts'
import { linear, type LinearParams } from './linear.ts'
import type { Mode } from './mode.ts'
import { compose, type Module } from './module.ts'
import { requireSequence } from './requireSequence.ts'
import { requirePairs, rotary, type RotaryOptions } from './rotary.ts'
import { tensorIn, type CacheSize, type ModelState, type StateScope } from './stateScope.ts'

/** What an attention layer attends to, and how. */
export interface MultiHeadOptions {
  /** Heads, which share the width; default 1. */
  readonly heads?: number
  /** Heads of keys and values, each for as many heads of queries (grouped-query attention, Ainslie et al. 2023); default as many as heads. */
  readonly keyValueHeads?: number
  /** Width of the sequence that is attended to, where it is another than the one that asks. */
  readonly contextWidth?: number
  /** Whether a place attends to itself and those before it only; default false. */
  readonly causal?: boolean
  /** How queries and keys are turned by their places; absent for not at all. */
  readonly positions?: 'rotary' | RotaryOptions
  /** The share of the weights that are dropped in training; default 0. */
  readonly dropout?: number
  /** Whether queries, keys and values have biases; default true. */
  readonly bias?: boolean
}

/** A sequence [N, T, width] with masks over the T keys. */
export interface MaskedInput extends Masks {
  readonly x: Tensor
}

/** The sequence that asks, [N, T, width], the one that is attended to, [N, S, contextWidth], and masks over its S keys. */
export interface MultiHeadInput extends MaskedInput {
  readonly context: Tensor
}

/** The parameters of {@link multiHeadAttention}. */
export interface AttentionParams {
  readonly query: LinearParams
  readonly key: LinearParams
  readonly value: LinearParams
  readonly out: LinearParams
}

type AnyInput = Tensor | (MaskedInput & { readonly context?: Tensor })

const divisorsOf = (n: number): string =>
  range(n)
    .flatMap((i) => (n % (i + 1) === 0 ? [i + 1] : []))
    .join(', ')

const divides = (part: number, whole: number): boolean => Number.isInteger(part) && part >= 1 && whole % part === 0

/** The names of the options of attention of a sequence to itself. */
export const selfAttentionOptions = ['heads', 'keyValueHeads', 'causal', 'positions', 'dropout', 'bias'] as const

/** Refuses positions that are none. */
const requirePositions = (who: string, positions: MultiHeadOptions['positions']): void => {
  if (positions === undefined || positions === 'rotary') return
  if (typeof positions !== 'object')
    throw new RangeError(`${who}: positions must be 'rotary' or its options, got ${String(positions)}`)
  requireKnown(`${who}, positions`, positions, ['base', 'pairing'])
  if (!['interleaved', 'half', undefined].includes(positions.pairing))
    throw new RangeError(`${who}: the pairing must be interleaved or half, got '${String(positions.pairing)}'`)
}

const requireOptions = (who: string, width: number, options: MultiHeadOptions): void => {
  requireKnown(who, options, [...selfAttentionOptions, 'contextWidth'])
  requirePositions(who, options.positions)
  const { heads = 1, keyValueHeads = heads, contextWidth, causal = false, positions, dropout = 0 } = options
  if (!divides(heads, width))
    throw new RangeError(`${who}: ${heads} heads cannot share a width of ${width}: use ${divisorsOf(width)}`)
  if (!divides(keyValueHeads, heads))
    throw new RangeError(`${who}: ${heads} heads cannot share ${keyValueHeads} heads of keys: use ${divisorsOf(heads)}`)
  if (causal && contextWidth !== undefined)
    throw new RangeError(`${who}: causal attention is of a sequence with itself: leave contextWidth or causal out`)
  requireShare(who, 'dropout', dropout)
  if (positions === undefined) return
  if (contextWidth !== undefined)
    throw new RangeError(`${who}: rotary positions are of one sequence: leave contextWidth or positions out`)
  requirePairs(who, width / heads)
}

/** What was given, by name. */
const named = (who: string, input: AnyInput): Exclude<AnyInput, Tensor> => {
  if (!(input instanceof Tensor) && isRecord(input) && 'x' in input) return input
  expectTensor(who, input)
  return { x: input }
}

/** The context that is attended to, if the options say that there is one. */
const contextOf = (who: string, context: Tensor | undefined, contextWidth: number | undefined): Tensor | undefined => {
  if ((context === undefined) === (contextWidth === undefined)) return context
  throw new ShapeError(
    context === undefined
      ? `${who}: with a contextWidth it takes { x, context }`
      : `${who}: a context needs its contextWidth in the options`,
  )
}

/** Keys and values of a sequence up to a place. */
interface Kept {
  readonly key: Tensor
  readonly value: Tensor
  readonly position: Tensor
}

/** What the scope of a mode keeps of the sequence, if it keeps any. */
const keptIn = (who: string, scope: StateScope | undefined): Kept | undefined => {
  const found = scope?.read()
  if (found === undefined) return undefined
  const [key, value, position] = [tensorIn(found, 'key'), tensorIn(found, 'value'), tensorIn(found, 'position')]
  if (key !== undefined && value !== undefined && position !== undefined) return { key, value, position }
  if (Object.keys(found).length === 0) return undefined // a model that keeps nothing of a sequence
  throw typeError(
    `${who}: the state has something else than keys, values and a position for it: begin with cacheOf(model, { batch, length })`,
  )
}

/** [N, few, T, d] → [N, heads, T, d]: each head of keys for as many heads of queries, neighbours. */
const repeatHeads = (x: Tensor, heads: number): Tensor => {
  const [n = 0, few = 0, length = 0, d = 0] = x.shape
  if (few === heads) return x
  return x
    .expandDims(2)
    .broadcastTo([n, few, heads / few, length, d])
    .reshape([n, heads, length, d])
}

/** Drops some weights in training. @param mode of the layer */
const dropping = (rate: number, mode: Mode): ((weights: Tensor, first: number) => Tensor) | undefined => {
  if (!mode.train || rate === 0) return undefined
  const layer = dropoutLayer(rate)
  const { key } = mode
  return (weights, first) => layer.apply({}, weights, { train: true, key: foldIn(foldIn(key, 'dropout'), first) })
}

/** Keys and values that are attended to, and what is kept of them for the next tokens. */
interface Attended {
  readonly key: Tensor
  readonly value: Tensor
  /** The place of the first query. */
  readonly start: Tensor | undefined
  readonly finish: (y: Tensor) => Tensor
}

/** The keys and values of these tokens, behind those that a cache holds. */
const withKept = (
  who: string,
  key: Tensor,
  value: Tensor,
  kept: Kept | undefined,
  scope: StateScope | undefined,
): Attended => {
  if (kept === undefined) return { key, value, start: undefined, finish: (y) => y }
  const { position } = kept
  const [count, length] = [at(key.shape, 2), at(kept.key.shape, 2)]
  if (at(kept.key.shape, 0) !== at(key.shape, 0))
    throw new ShapeError(
      `${who}: the cache is of ${at(kept.key.shape, 0)} sequences, and x of ${at(key.shape, 0)}: give cacheOf that batch`,
    )
  requireRoom(who, position, count, length)
  const next = { key: withPlaces(kept.key, key, position), value: withPlaces(kept.value, value, position) }
  scope?.write({ ...next, position: position.add(count) })
  return {
    key: next.key.cast(key.dtype),
    value: next.value.cast(value.dtype),
    start: position,
    finish: (y) => nanBeyond(y, position, count, length),
  }
}

/** The layer under a name, by which errors call it. */
export const attentionNamed = (
  who: string,
  width: number,
  options: MultiHeadOptions,
): Module<AttentionParams, AnyInput> => {
  expectSizes(who, { width }, 'attention(query, key, value)')
  requireOptions(who, width, options)
  const {
    heads = 1,
    keyValueHeads = heads,
    contextWidth,
    causal = false,
    positions,
    dropout = 0,
    bias = true,
  } = options
  const [attended, each] = [contextWidth ?? width, width / heads]
  const children = {
    query: linear(width, width, { bias }),
    key: linear(attended, keyValueHeads * each, { bias }),
    value: linear(attended, keyValueHeads * each, { bias }),
    out: linear(width, width),
  }
  const placed = (x: Tensor, start: Tensor | undefined): Tensor => {
    if (positions === undefined) return x
    const places = placesFrom(start ?? zeros([], 'i32'), at(x.shape, 2))
    return rotary(x, places, positions === 'rotary' ? {} : positions)
  }
  const module = compose(children, ({ query, key, value, out }, input: AnyInput, mode) => {
    const { x, context: given, ...masks } = named(who, input)
    const context = contextOf(who, given, contextWidth) ?? x
    requireSequence(who, x, width)
    requireSequence(who, context, attended, 'a context')
    const scope = causal ? mode.state : undefined
    const kept = keptIn(who, scope)
    const queries = placed(splitHeads(query(x), heads), kept?.position).mul(1 / Math.sqrt(each))
    const own = placed(splitHeads(key(context), keyValueHeads), kept?.position)
    const keys = withKept(who, own, splitHeads(value(context), keyValueHeads), kept, scope)
    const logits = [at(x.shape, 0), heads, at(x.shape, 1), at(keys.key.shape, 2)]
    const checked = checkedMasks(who, masks, logits, x.dtype)
    const hiding = { ...checked, ...(causal && { after: keys.start ?? 0 }) }
    const isHidden = causal || checked.mask !== undefined || checked.keyMask !== undefined
    const y = attend(queries, repeatHeads(keys.key, heads), repeatHeads(keys.value, heads), {
      ...(isHidden && { mask: hide(hiding) }),
      weights: dropping(dropout, mode),
    })
    return out(keys.finish(joinHeads(zeroWhereBlind(y, hiding, at(logits, 3)))))
  })
  if (contextWidth !== undefined) return module
  const cache = ({ batch, length, dtype = 'f32' }: CacheSize): ModelState => {
    if (!causal)
      throw new RangeError(
        `${who}: a place that attends to later ones changes when they come, so nothing is kept for them: give { causal: true }`,
      )
    const kept = (): Tensor => zeros([batch, keyValueHeads, length, each], dtype)
    return { key: kept(), value: kept(), position: zeros([], 'i32') }
  }
  return { ...module, cache }
}

/**
 * softmax(q·kᵀ / √d)·v in each head, d = width / heads, between four linear layers: `[N, T, width] → [N, T, width]`, or with a
 * `contextWidth` `{ x: [N, T, width], context: [N, S, contextWidth] } → [N, T, width]` (Vaswani et al. 2017, section 3.2). As
 * `MultiheadAttention` of PyTorch, batch first, save that true in a mask is attended to.
 *
 * Masks are given with the input: `{ x, mask, keyMask }`. A query that sees no key of a bool mask collects nothing, zeros; where a
 * float mask is −∞ for all its keys it is NaN, as in PyTorch: give a bool mask there. A causal layer goes on where it was with
 * a cache: {@link cacheOf}; masks are then over the keys of the whole cache.
 *
 * @throws RangeError for heads that do not divide, for causal attention or positions with a context; ShapeError for inputs and masks of other shapes;
 * DTypeError for masks of integers
 * @example
 * ```ts
 * import { key, normal, tensor, zeros } from 'fathom'
 * import { multiHeadAttention } from 'fathom/nn'
 *
 * const own = multiHeadAttention(8, { heads: 4, keyValueHeads: 2, causal: true, positions: 'rotary' })
 * own.apply(own.init(key(0)), zeros([1, 5, 8])).shape // => [1, 5, 8]
 * const layer = multiHeadAttention(4, { heads: 2 })
 * const params = layer.init(key(0))
 * const x = normal(key(1), [1, 3, 4])
 * const padded = layer.apply(params, { x, keyMask: tensor([[1, 1, 0]]).greater(0) }) // the third token is padding
 * const short = layer.apply(params, x.slice([], [0, 2]))
 * padded.slice([], [0, 2]).sub(short).abs().max().less(1e-5) // => true
 * multiHeadAttention(8, { heads: 4, keyValueHeads: 3 }) // throws RangeError: multiHeadAttention: 4 heads cannot share 3 heads of keys: use 1, 2, 4
 * ```
 */
export function multiHeadAttention(
  width: number,
  options: MultiHeadOptions & { readonly contextWidth: number },
): Module<AttentionParams, MultiHeadInput>
export function multiHeadAttention(
  width: number,
  options?: MultiHeadOptions & { readonly contextWidth?: undefined },
): Module<AttentionParams, Tensor | MaskedInput>
export function multiHeadAttention(width: number, options: MultiHeadOptions = {}): Module<AttentionParams, AnyInput> {
  return attentionNamed('multiHeadAttention', width, options)
}
