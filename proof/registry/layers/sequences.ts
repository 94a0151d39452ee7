/** Attention with masks and shared heads, positions and the block of a transformer, in plain loops. */
import fc from 'fast-check'
import {
  learnedPositions,
  multiHeadAttention,
  rotary,
  transformerBlock,
  type MaskedInput,
  type Module,
} from '../../../src/nn/index.ts'
import { constant, iota } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { elementAt, type NdArray } from '../../array.ts'
import { badRange, badShape, one, table, type Entry, type Expected } from '../entry.ts'
import { sum } from '../primitives/reduction.ts'
import { applied, layer, size, sizeableArrays, type Params } from './module.ts'
import { affine, mapped, nd, softmaxOf, standardized, vectorAt, zipped } from './plain.ts'

const given = (x: NdArray | undefined): NdArray => {
  if (x === undefined) throw new Error('the oracle has no input')
  return x
}

interface Shape {
  readonly n: number
  readonly length: number
  /** Heads of keys. */
  readonly few: number
  /** Heads of queries for each. */
  readonly group: number
  /** Half the width of a head. */
  readonly pairs: number
}

interface Sequences extends Shape {
  readonly causal: boolean
  readonly masked: 'mask' | 'keyMask' | 'added' | 'not'
  readonly pairing: 'interleaved' | 'half' | undefined
}

const shape = { n: size(2), length: size(3), few: size(2), group: size(2), pairs: size(2) }

const sequences: fc.Arbitrary<Sequences> = fc.record({
  ...shape,
  causal: fc.boolean(),
  masked: fc.constantFrom('mask', 'keyMask', 'added', 'not'),
  pairing: fc.constantFrom('interleaved', 'half', undefined),
})

const isSeen = (t: number, s: number): boolean => (t + 2 * s) % 3 !== 1
const added = (t: number, s: number): number => (t - s) / 4

/** [T, T] */
const square = (length: number, f: (t: number, s: number) => number): readonly (readonly number[])[] =>
  Array.from({ length }, (_, t) => Array.from({ length }, (__, s) => f(t, s)))

const masksOf = ({ n, length, masked }: Sequences, x: Tensor): Partial<MaskedInput> => {
  if (masked === 'not') return {}
  if (masked === 'added') return { mask: constant(square(length, added), { dtype: x.dtype }) }
  if (masked === 'mask') return { mask: constant(square(length, (t, s) => Number(isSeen(t, s)))).greater(0) }
  return {
    keyMask: constant(Array.from({ length: n }, () => Array.from({ length }, (_, s) => Number(isSeen(0, s))))).greater(
      0,
    ),
  }
}

/** Whether place t looks at place s. */
const sees = ({ causal, masked }: Sequences, t: number, s: number): boolean =>
  !(causal && s > t) && (masked === 'mask' ? isSeen(t, s) : masked === 'keyMask' ? isSeen(0, s) : true)

/** The vector of a head, turned by its place: channels 2i and 2i + 1, or i and i + d/2, by place·10⁴^(−2i/d). */
const turned = (v: readonly number[], place: number, pairing: Sequences['pairing']): readonly number[] => {
  if (pairing === undefined) return v
  const half = v.length / 2
  return v.map((x, c) => {
    const [i, isFirst] = pairing === 'half' ? [c % half, c < half] : [Math.floor(c / 2), c % 2 === 0]
    const other = v[pairing === 'half' ? (c + half) % v.length : isFirst ? c + 1 : c - 1] ?? NaN
    const angle = place * 10_000 ** ((-2 * i) / v.length)
    return x * Math.cos(angle) + (isFirst ? -other : other) * Math.sin(angle)
  })
}

const attended = (params: Params, chosen: Sequences, x: NdArray, at = ''): NdArray => {
  const { few, group, pairs, pairing, masked, length, n } = chosen
  const each = 2 * pairs
  const projected = (name: string): NdArray => affine(x, params(`${at}${name}.weight`), params(`${at}${name}.bias`))
  const [query, key, value] = [projected('query'), projected('key'), projected('value')]
  const vector = (of: NdArray, b: number, place: number, head: number): readonly number[] =>
    Array.from({ length: each }, (_, d) => elementAt(of, [b, place, head * each + d]))
  const joined = table([n, length, few * group * each], ([b = 0, t = 0, c = 0]) => {
    const head = Math.floor(c / each)
    const own = Math.floor(head / group)
    const q = turned(vector(query, b, t, head), t, pairing)
    const places = Array.from({ length }, (_, s) => s).filter((s) => sees(chosen, t, s))
    const logits = places.map((s) => {
      const k = turned(vector(key, b, s, own), s, pairing)
      return sum(q.map((v, i) => v * (k[i] ?? NaN))) / Math.sqrt(each) + (masked === 'added' ? added(t, s) : 0)
    })
    return sum(softmaxOf(logits).map((w, i) => w * (vector(value, b, places[i] ?? NaN, own)[c % each] ?? NaN)))
  })
  return affine(nd(joined), params(`${at}out.weight`), params(`${at}out.bias`))
}

const widthOf = ({ few, group, pairs }: Shape): number => few * group * 2 * pairs

const attention = (chosen: Sequences): Module<object> => {
  const { few, group, causal, pairing } = chosen
  const own = multiHeadAttention(widthOf(chosen), {
    heads: few * group,
    keyValueHeads: few,
    causal,
    ...(pairing !== undefined && { positions: { pairing } }),
  })
  return { init: own.init, apply: (params, x) => own.apply(params as never, { x, ...masksOf(chosen, x) }) }
}

/** norm(x)·weight + bias over the last axis. */
const norm = (x: NdArray, params: Params, path: string): NdArray =>
  nd(
    table(x.shape, (index) => {
      const c = index.slice(-1)
      const y = standardized(elementAt(x, index), vectorAt(x, index), 0.3)
      return y * elementAt(params(`${path}.weight`), c) + elementAt(params(`${path}.bias`), c)
    }),
  )

const plus = (x: NdArray, y: NdArray): NdArray => zipped(x, y, (a, b) => a + b)

const block = (params: Params, chosen: Sequences, x: NdArray): Expected => {
  const h = plus(x, attended(params, chosen, norm(x, params, 'norm1'), 'attention.'))
  const hidden = affine(norm(h, params, 'norm2'), params('mlp.expand.weight'), params('mlp.expand.bias'))
  return plus(h, affine(mapped(hidden, Math.tanh), params('mlp.contract.weight'), params('mlp.contract.bias')))
}

const plainly = { masked: 'not', pairing: undefined } as const

/** A row for each. */
export const sequenceLayers: {
  readonly [K in 'multiHeadAttention' | 'rotary' | 'learnedPositions' | 'transformerBlock']: Entry
} = {
  multiHeadAttention: layer(
    sequences,
    (chosen, dtype) => ({
      layer: attention(chosen),
      inputs: [sizeableArrays([chosen.n, chosen.length, widthOf(chosen)], dtype)],
      oracle: (params, x) => attended(params, chosen, given(x)),
    }),
    {
      errors: [
        badShape(/^multiHeadAttention: takes a sequence \[N, T, 4\], got \[1,2,3\]/, ['f32[1,2,3]'], (x) =>
          applied(multiHeadAttention(4))(one(x)),
        ),
        badRange(/^multiHeadAttention: 3 heads cannot share a width of 4/, [], () =>
          multiHeadAttention(4, { heads: 3 }),
        ),
      ],
    },
  ),
  rotary: layer(
    fc.record({ n: size(2), length: size(4), pairs: size(3), pairing: fc.constantFrom('interleaved', 'half') }),
    ({ n, length, pairs, pairing }, dtype) => ({
      layer: { init: () => ({}), apply: (_, x: Tensor) => rotary(x, iota([length], 0), { pairing }) },
      inputs: [sizeableArrays([n, length, 2 * pairs], dtype)],
      oracle: (_, x) =>
        table(
          given(x).shape,
          (index) => turned(vectorAt(given(x), index), index[1] ?? NaN, pairing)[index[2] ?? NaN] ?? NaN,
        ),
    }),
    {
      errors: [
        badShape(/^rotary: takes vectors .* got \[3,4\] and \[2\]/, ['f32[3,4]', 'f32[2]'], (x, t) =>
          rotary(one(x), one(t)),
        ),
      ],
    },
  ),
  learnedPositions: layer(fc.tuple(size(2), size(3), size(2), size(3)), ([n, length, more, width], dtype) => ({
    layer: learnedPositions(length + more, width),
    inputs: [sizeableArrays([n, length, width], dtype)],
    oracle: (params, x) =>
      table(given(x).shape, (index) => elementAt(given(x), index) + elementAt(params('weight'), index.slice(1))),
  })),
  transformerBlock: layer(fc.record(shape), (sizes, dtype) => {
    const [chosen, width] = [{ ...sizes, ...plainly, causal: true }, widthOf(sizes)]
    return {
      layer: transformerBlock(width, {
        heads: sizes.few * sizes.group,
        keyValueHeads: sizes.few,
        causal: true,
        hiddenWidth: 3,
        epsilon: 0.3,
        activation: (x) => x.tanh(),
      }),
      inputs: [sizeableArrays([sizes.n, sizes.length, width], dtype)],
      oracle: (params, x) => block(params, chosen, given(x)),
    }
  }),
}
