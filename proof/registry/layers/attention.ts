/** Attention, in plain loops: of sequences, and over pixels with norm, heads, memory, and what every query collects. */
import fc from 'fast-check'
import { linearAttention, pixelAttention } from '../../../src/models/index.ts'
import { attention, type AttentionInput, type AttentionParams, type Module } from '../../../src/nn/index.ts'
import { elementAt, type NdArray } from '../../array.ts'
import { badShape, one, table, type Entry } from '../entry.ts'
import { sum } from '../primitives/reduction.ts'
import { applied, layer, size, sizeableArrays, type Params } from './module.ts'
import { affine, nd, rms, softmaxOf } from './plain.ts'

interface Heads {
  readonly heads: number
  readonly headWidth: number
  readonly memory: number
}

/** Queries, keys and values of one head of one image: a row for each pixel, and first a row for each memory in the last two. */
interface Head {
  readonly query: readonly (readonly number[])[]
  readonly key: readonly (readonly number[])[]
  readonly value: readonly (readonly number[])[]
}

const headOf = (x: NdArray, params: Params, options: Heads, n: number, head: number): Head => {
  const [, h = 0, w = 0] = x.shape
  const { heads, headWidth, memory } = options
  const projected = affine(rms(x, params('norm.gain')), params('queryKeyValue.weight'))
  const channels = Array.from({ length: headWidth }, (_, d) => d)
  const pixels = Array.from({ length: h * w }, (_, p) => [n, Math.floor(p / w), p % w])
  const part = (which: number): readonly (readonly number[])[] =>
    pixels.map((p) => channels.map((d) => elementAt(projected, [...p, (which * heads + head) * headWidth + d])))
  const learned = (which: number): readonly (readonly number[])[] =>
    Array.from({ length: memory }, (_, m) => channels.map((d) => elementAt(params('memory'), [which, head, m, d])))
  return { query: part(0), key: [...learned(0), ...part(1)], value: [...learned(1), ...part(2)] }
}

const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((v, i) => v * (b[i] ?? NaN)))

/** Σⱼ softmaxⱼ(q·kⱼ / √d)·vⱼ[d] of pixel `p`. */
const full = ({ query, key, value }: Head, p: number, d: number): number => {
  const q = query[p] ?? []
  const weights = softmaxOf(key.map((k) => dot(q, k) / Math.sqrt(q.length)))
  return sum(weights.map((w, j) => w * (value[j]?.[d] ?? NaN)))
}

/** Σᵢ softmaxᵢ(q)/√d · Σⱼ softmaxⱼ(k[·, i])·vⱼ[d] of pixel `p`. */
const linear = ({ query, key, value }: Head, p: number, d: number): number => {
  const q = softmaxOf(query[p] ?? [])
  const collected = q.map((_, i) => {
    const weights = softmaxOf(key.map((k) => k[i] ?? NaN))
    return sum(weights.map((w, j) => w * (value[j]?.[d] ?? NaN)))
  })
  return dot(q, collected) / Math.sqrt(q.length)
}

const attended = (x: NdArray, params: Params, options: Heads, one: typeof full): NdArray => {
  const [n = 0, h = 0, w = 0] = x.shape
  const { heads, headWidth } = options
  const made = Array.from({ length: n }, (_, b) =>
    Array.from({ length: heads }, (__, head) => headOf(x, params, options, b, head)),
  )
  const joined = table([n, h, w, heads * headWidth], ([b = 0, y = 0, z = 0, c = 0]) => {
    const head = made[b]?.[Math.floor(c / headWidth)]
    return head === undefined ? NaN : one(head, y * w + z, c % headWidth)
  })
  return affine(nd(joined), params('out.weight'), params('out.bias'))
}

const options = fc.record({
  lead: fc.tuple(size(2), size(2), size(2)),
  c: size(3, 2),
  heads: size(2),
  headWidth: size(2),
  memory: size(2, 0),
})

const given = (x: NdArray | undefined): NdArray => {
  if (x === undefined) throw new Error('the oracle has no input')
  return x
}

interface Sequences {
  readonly n: number
  readonly length: number
  readonly other: number
  readonly heads: number
  readonly each: number
  readonly kind: 'self' | 'causal' | 'cross'
}

const sequences: fc.Arbitrary<Sequences> = fc.record({
  n: size(2),
  length: size(3),
  other: size(3),
  heads: size(2),
  each: size(2),
  kind: fc.constantFrom('self', 'causal', 'cross'),
})

/** Σⱼ softmaxⱼ(q·kⱼ / √d)·vⱼ over the places j that place `t` may see. */
const sequenceAttention = (params: Params, { heads, each, kind }: Sequences, x: NdArray, context: NdArray): NdArray => {
  const projected = (of: NdArray, name: string): NdArray => affine(of, params(`${name}.weight`), params(`${name}.bias`))
  const [query, key, value] = [projected(x, 'query'), projected(context, 'key'), projected(context, 'value')]
  const [n = 0, length = 0] = x.shape
  const joined = table([n, length, heads * each], ([b = 0, t = 0, c = 0]) => {
    const first = c - (c % each)
    const head = (of: NdArray, place: number): readonly number[] =>
      Array.from({ length: each }, (_, d) => elementAt(of, [b, place, first + d]))
    const seen = Array.from({ length: kind === 'causal' ? t + 1 : (context.shape[1] ?? 0) }, (_, j) => j)
    const weights = softmaxOf(seen.map((j) => dot(head(query, t), head(key, j)) / Math.sqrt(each)))
    return sum(weights.map((w, j) => w * elementAt(value, [b, j, c])))
  })
  return affine(nd(joined), params('out.weight'), params('out.bias'))
}

/** The layer of a kind; one without a context does not look at it. */
const sequenceLayer = ({ heads, each, kind }: Sequences): Module<AttentionParams, AttentionInput> => {
  if (kind === 'cross') return attention(heads * each, { heads, contextWidth: 3 })
  const own = attention(heads * each, { heads, causal: kind === 'causal' })
  return { init: own.init, apply: (params, { x }) => own.apply(params, x) }
}

/** A row for each. */
export const attentionLayers: { readonly [K in 'attention' | 'pixelAttention' | 'linearAttention']: Entry } = {
  attention: layer(
    sequences,
    (chosen, dtype) => ({
      layer: sequenceLayer(chosen),
      inputs: [
        sizeableArrays([chosen.n, chosen.length, chosen.heads * chosen.each], dtype),
        ...(chosen.kind === 'cross' ? [sizeableArrays([chosen.n, chosen.other, 3], dtype)] : []),
      ],
      input: (x, context) => ({ x: one(x), context: one(context ?? x) }),
      oracle: (params, x, context) => sequenceAttention(params, chosen, given(x), given(context ?? x)),
    }),
    {
      errors: [
        badShape(/^attention: takes a sequence \[N, T, 4\], got \[1,2,3\]/, ['f32[1,2,3]'], (x) =>
          applied(attention(4, { heads: 2 }))(one(x)),
        ),
      ],
    },
  ),
  pixelAttention: layer(
    options,
    ({ lead, c, ...heads }, dtype) => ({
      layer: pixelAttention(c, heads),
      inputs: [sizeableArrays([...lead, c], dtype)],
      oracle: (params, x) => attended(given(x), params, heads, full),
    }),
    {
      errors: [
        badShape(/^norm: mul: \[1,2,2,3\] and \[2\] do not broadcast/, ['f32[1,2,2,3]'], (x) =>
          applied(pixelAttention(2, { heads: 1, headWidth: 2 }))(one(x)),
        ),
      ],
    },
  ),
  linearAttention: layer(
    options,
    ({ lead, c, ...heads }, dtype) => ({
      layer: linearAttention(c, heads),
      inputs: [sizeableArrays([...lead, c], dtype)],
      oracle: (params, x) => rms(attended(given(x), params, heads, linear), params('outNorm.gain')),
    }),
    {
      errors: [
        badShape(/^norm: mul: \[1,2,2,3\] and \[2\] do not broadcast/, ['f32[1,2,2,3]'], (x) =>
          applied(linearAttention(2, { heads: 1, headWidth: 2 }))(one(x)),
        ),
      ],
    },
  ),
}
