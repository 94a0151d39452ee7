/** Attention over pixels, in plain loops: norm, heads, memory, and what every query collects. */
import fc from 'fast-check'
import { attention, linearAttention } from '../../../src/nn/index.ts'
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

/** A row for each. */
export const attentionLayers: { readonly [K in 'attention' | 'linearAttention']: Entry } = {
  attention: layer(
    options,
    ({ lead, c, ...heads }, dtype) => ({
      layer: attention(c, heads),
      inputs: [sizeableArrays([...lead, c], dtype)],
      oracle: (params, x) => attended(given(x), params, heads, full),
    }),
    {
      errors: [
        badShape(/^norm: mul: \[1,2,2,3\] and \[2\] do not broadcast/, ['f32[1,2,2,3]'], (x) =>
          applied(attention(2, { heads: 1, headWidth: 2 }))(one(x)),
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
