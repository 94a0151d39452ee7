/** The two contractions, in all their generality. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import type { ConvAttrs, DotAttrs } from '../../../src/graph/ops.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, indices, type NdArray } from '../../array.ts'
import {
  badDType,
  badShape,
  entry,
  floats,
  table,
  type Case,
  type Entry,
  type Expected,
  type Misuse,
} from '../entry.ts'
import { apply } from './node.ts'

/** Axes with the names of their roles: b0, b1 batch, c0 … contracted, r0 … rows, k0 … columns. */
type Layout = readonly (readonly [name: string, length: number])[]

/** Contractions with the roles of axes laid out at random in both operands. */
export interface Contraction {
  readonly x: NdArray
  readonly y: NdArray
  readonly axes: Pick<DotAttrs, 'contract' | 'batch'>
  readonly expected: (x: NdArray, y: NdArray) => Expected
}

const lengthsOf = (layout: Layout): readonly number[] => layout.map(([, n]) => n)

const find = (layout: Layout, role: Layout): readonly number[] =>
  role.map(([name]) => layout.findIndex(([other]) => other === name))

const contracted = (x: Layout, y: Layout, b: Layout, c: Layout, xs: NdArray, ys: NdArray): Expected => {
  const out = [...b, ...x.filter(([n]) => n.startsWith('r')), ...y.filter(([n]) => n.startsWith('k'))]
  return table(lengthsOf(out), (index) => {
    let sum = 0
    for (const inner of indices(lengthsOf(c))) {
      const value = new Map([
        ...out.map(([name], i) => [name, index[i] ?? 0] as const),
        ...c.map(([name], i) => [name, inner[i] ?? 0] as const),
      ])
      const of = (layout: Layout): readonly number[] => layout.map(([name]) => value.get(name) ?? -1)
      sum += elementAt(xs, of(x)) * elementAt(ys, of(y))
    }
    return sum
  })
}

const roles = fc
  .record({
    batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
    contract: fc.array(
      fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: fc.constant(0) }),
      { maxLength: 2 },
    ),
    rows: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
    columns: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }),
  })
  .filter(
    ({ batch, contract, rows, columns }) =>
      count([...batch, ...contract, ...rows]) <= 40 && count([...batch, ...contract, ...columns]) <= 40,
  )

/** Any contraction of small operands. */
export const contractions = (dtype: DType): fc.Arbitrary<Contraction> =>
  roles
    .chain((lengths) => {
      const name = (role: string, of: readonly number[]): Layout => of.map((n, i) => [`${role}${i}`, n])
      const [b, c] = [name('b', lengths.batch), name('c', lengths.contract)]
      const layout = (axes: Layout): fc.Arbitrary<Layout> => fc.shuffledSubarray([...axes], { minLength: axes.length })
      return fc.tuple(
        layout([...b, ...c, ...name('r', lengths.rows)]),
        layout([...b, ...c, ...name('k', lengths.columns)]),
        layout(b),
        layout(c),
      )
    })
    .chain(([x, y, b, c]) =>
      fc.tuple(arrays(lengthsOf(x), dtype), arrays(lengthsOf(y), dtype)).map(([xs, ys]) => ({
        x: xs,
        y: ys,
        axes: { contract: [find(x, c), find(y, c)], batch: [find(x, b), find(y, b)] } as const,
        expected: (left, right) => contracted(x, y, b, c, left, right),
      })),
    )

const dot =
  (contract: DotAttrs['contract'], batch: DotAttrs['batch'] = [[], []]) =>
  (x?: Tensor, y?: Tensor): Tensor =>
    apply('dotGeneral', { contract, batch, dtype: 'f32' }, x, y)

const dotErrors: readonly Misuse[] = [
  badShape(
    /^dotGeneral: cannot contract axes \[1\] of \[2,3\] with axes \[0\] of \[2,3\]: lengths differ$/,
    ['f32[2,3]', 'f32[2,3]'],
    dot([[1], [0]]),
  ),
  badShape(/^dotGeneral: cannot contract axes \[0,1\]/, ['f32[2,3]', 'f32[2,3]'], dot([[0, 1], [0]])),
  badShape(
    /^dotGeneral: batch axes \[0\] of \[2,3\] and \[0\] of \[4,3\] differ$/,
    ['f32[2,3]', 'f32[4,3]'],
    dot([[1], [1]], [[0], [0]]),
  ),
  badShape(/^dotGeneral \(left\): axes \[2\] must be/, ['f32[2,3]', 'f32[2,3]'], dot([[2], [1]])),
  badShape(/^dotGeneral \(right\): axes \[1,1\] must be/, ['f32[2,2]', 'f32[2,2]'], dot([[1], [1]], [[0], [1]])),
  badDType(/^dotGeneral: dtypes f32 and f64 must be the same number type$/, ['f32[2,2]', 'f64[2,2]'], dot([[1], [0]])),
  badDType(
    /^dotGeneral: dtypes bool and bool must be the same number type$/,
    ['bool[2,2]', 'bool[2,2]'],
    dot([[1], [0]]),
  ),
]

type Spatial = readonly [number, number]

const spatial = (low: number, high: number): fc.Arbitrary<Spatial> =>
  fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))

/** How a filter moves, in the terms of the primitive. */
type Moves = Omit<ConvAttrs, 'dtype'>

/** Cross-correlation with NHWC images and HWIO filters, in seven nested loops. */
export const correlated = (x: NdArray, w: NdArray, a: Moves): Expected => {
  const [n = 0, h = 0, width = 0] = x.shape
  const [kh = 0, kw = 0, c = 0, o = 0] = w.shape
  const length = (size: number, kernel: number, i: 0 | 1): number => {
    const dilated = size === 0 ? 0 : (size - 1) * a.inputDilation[i] + 1
    const [padded, reach] = [dilated + a.padLow[i] + a.padHigh[i], (kernel - 1) * a.filterDilation[i] + 1]
    return padded < reach ? 0 : Math.floor((padded - reach) / a.stride[i]) + 1
  }
  return table([n, length(h, kh, 0), length(width, kw, 1), o], (index) => {
    const [b = 0, y = 0, z = 0, channel = 0] = index
    const group = Math.floor(channel / (o / a.groups))
    let sum = 0
    for (const [ky = 0, kx = 0, k = 0] of indices([kh, kw, c])) {
      const row = (y * a.stride[0] + ky * a.filterDilation[0] - a.padLow[0]) / a.inputDilation[0]
      const column = (z * a.stride[1] + kx * a.filterDilation[1] - a.padLow[1]) / a.inputDilation[1]
      sum += elementAt(x, [b, row, column, group * c + k]) * elementAt(w, [ky, kx, k, channel])
    }
    return sum
  })
}

const conv = (dtype: DType): fc.Arbitrary<Case> =>
  fc
    .record({
      stride: spatial(1, 3),
      padLow: spatial(-2, 3),
      padHigh: spatial(-2, 3),
      inputDilation: spatial(1, 3),
      filterDilation: spatial(1, 2),
      groups: fc.integer({ min: 1, max: 2 }),
      size: spatial(1, 4),
      kernel: spatial(1, 3),
      n: fc.integer({ min: 0, max: 2 }),
      c: fc.integer({ min: 1, max: 2 }),
      o: fc.integer({ min: 1, max: 3 }),
    })
    .chain(({ size, kernel, n, c, o, ...moves }) =>
      fc
        .tuple(arrays([n, ...size, c * moves.groups], dtype), arrays([...kernel, c, o * moves.groups], dtype))
        .map(([x, w]) => ({
          inputs: [x, w],
          build: (s, t) => apply('conv', { ...moves, dtype }, s, t),
          oracle: (x, w) => correlated(x, w, moves),
        })),
    )

const plain: ConvAttrs = {
  stride: [1, 1],
  padLow: [0, 0],
  padHigh: [0, 0],
  inputDilation: [1, 1],
  filterDilation: [1, 1],
  groups: 1,
  dtype: 'f32',
}

const convolve =
  (attrs: Partial<ConvAttrs>) =>
  (x?: Tensor, w?: Tensor): Tensor =>
    apply('conv', { ...plain, ...attrs }, x, w)

const image = 'f32[1,4,4,2]'

const convErrors: readonly Misuse[] = [
  badShape(/^conv2d: input must be \[N, H, W, C\] \(x: \[2,3\]/, ['f32[2,3]', 'f32[3,3,2,1]'], convolve({})),
  badShape(/^conv2d: filter must be \[KH, KW, C, O\]/, [image, 'f32[3,3,2]'], convolve({})),
  badShape(/^conv2d: input has 2 channels, filter expects 3 \(x:/, [image, 'f32[3,3,3,1]'], convolve({})),
  badShape(/filter expects 4 \(2 groups of 2\)/, [image, 'f32[3,3,2,2]'], convolve({ groups: 2 })),
  badShape(/^conv2d: 3 output channels do not divide into 2 groups/, [image, 'f32[3,3,1,3]'], convolve({ groups: 2 })),
  ...(['stride', 'inputDilation', 'filterDilation'] as const).map((name) =>
    badShape(
      /^conv2d: strides, dilations and groups are whole numbers ≥ 1/,
      [image, 'f32[3,3,2,1]'],
      convolve({ [name]: [1, 0] }),
    ),
  ),
  badShape(/^conv2d: strides, dilations/, [image, 'f32[3,3,2,1]'], convolve({ stride: [1.5, 1] })),
  badShape(
    /^conv2d: padding is a whole number of pixels, got \[0\.5,0\] and \[0,0\]/,
    [image, 'f32[3,3,2,1]'],
    (x, w) => convolve({ padLow: [0.5, 0] })(x, w),
  ),
  badDType(/^conv2d: input is f32 and filter is f16;/, [image, 'f16[3,3,2,1]'], convolve({})),
  badDType(/^conv2d: input is bool and filter is bool;/, ['bool[1,4,4,2]', 'bool[3,3,2,1]'], convolve({})),
]

const padded =
  'whether padding is multiplied with a NaN or ∞ of the filter is up to the method, and Winograd’s spreads that of a pixel over its tile'

/** Where convolutions are not held to their oracle. */
export const convolutionEnds: Entry['ends'] = { NaN: padded, infinities: padded }

/** A row for each. */
export const contractionEntries: { readonly [K in 'dotGeneral' | 'conv']: Entry } = {
  dotGeneral: entry({
    dtypes: floats,
    cases: (dtype) =>
      contractions(dtype).map(({ x, y, axes, expected }) => ({
        inputs: [x, y],
        build: (s, t) => apply('dotGeneral', { ...axes, dtype }, s, t),
        oracle: expected,
      })),
    differentiableIn: [0, 1],
    linearIn: [0, 1],
    weight: 5,
    errors: dotErrors,
  }),
  conv: entry({
    dtypes: floats,
    cases: conv,
    differentiableIn: [0, 1],
    linearIn: [0, 1],
    lacks: ['scalar'],
    weight: 5,
    ends: convolutionEnds,
    errors: convErrors,
  }),
}
