/** Derived operations against plain loops, in f64, with their gradients. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkGrad } from '../../src/autograd/index.ts'
import { argmax, argsort, concatenate, gather, sort, splitInto, stack } from '../../src/tensor/combine.ts'
import { averagePool, maxPool } from '../../src/tensor/pooling.ts'
import { conv2d, convTranspose2d } from '../../src/tensor/convolution.ts'
import { pixelShuffle, pixelUnshuffle, upsampleNearest } from '../../src/tensor/resampling.ts'
import { arange, eye, linspace, oneHot, tensor } from '../../src/tensor/create.ts'
import { attention } from '../../src/tensor/attention.ts'
import { cumsum } from '../../src/tensor/cumsum.ts'
import { einsum } from '../../src/tensor/contractions.ts'
import { gelu, geluTanh, leakyRelu, relu, silu, softplus } from '../../src/tensor/activations.ts'
import { logSoftmax, logSumExp, softmax } from '../../src/tensor/softmax.ts'
import { variance } from '../../src/tensor/variance.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import {
  arrays,
  count,
  elementAt,
  indices,
  numbers,
  shapes,
  tabulate,
  toTensor,
  type NdArray,
} from '../../proof/array.ts'
import { cpuForms } from '../support/device.ts'

const nd = (shape: readonly number[], data: readonly number[]): NdArray => ({ shape, dtype: 'f64', data })

const erf = (x: number): number => {
  let [sum, term] = [x, x]
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n
    sum += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * sum
}

const pointwise: readonly (readonly [string, (x: Tensor) => Tensor, (x: number) => number])[] = [
  ['relu', relu, (x) => Math.max(x, 0)],
  ['leakyRelu', (x) => leakyRelu(x, 0.2), (x) => (x > 0 ? x : 0.2 * x)],
  ['silu', silu, (x) => x / (1 + Math.exp(-x))],
  ['gelu', gelu, (x) => (x * (1 + erf(x / Math.SQRT2))) / 2],
  ['geluTanh', geluTanh, (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
  ['softplus', softplus, (x) => Math.log(1 + Math.exp(x))],
  ['abs', (x) => x.abs(), Math.abs],
  ['minimum', (x) => x.minimum(0.05), (x) => Math.min(x, 0.05)],
  ['pow(7)', (x) => x.pow(7), (x) => x ** 7],
  ['pow(-3)', (x) => x.add(5).pow(-3), (x) => (x + 5) ** -3],
  ['greater', (x) => x.greater(0.5).cast('f64'), (x) => Number(x > 0.5)],
]

/** Arrays of at least one axis and one element, with an axis to work along; no element is at a kink. */
const alongAxis = shapes(1, 3)
  .filter((s) => count(s) > 0 && count(s) <= 24)
  .chain((shape) =>
    fc.tuple(
      arrays(
        shape,
        'f64',
        fc.integer({ min: -500, max: 499 }).map((k) => (k + 0.5) / 200),
      ),
      fc.nat(shape.length - 1),
    ),
  )

/** The values of the line through `index` along `axis`. */
const line = (x: NdArray, axis: number, index: readonly number[]): readonly number[] =>
  Array.from({ length: x.shape[axis] ?? 0 }, (_, j) =>
    elementAt(
      x,
      index.map((v, a) => (a === axis ? j : v)),
    ),
  )

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)

type AlongAxis = readonly [string, (x: Tensor, axis: number) => Tensor, (line: readonly number[], i: number) => number]

const keepingShape: readonly AlongAxis[] = [
  ['softmax', softmax, (l, i) => Math.exp(l[i] ?? 0) / sum(l.map(Math.exp))],
  ['logSoftmax', logSoftmax, (l, i) => (l[i] ?? 0) - Math.log(sum(l.map(Math.exp)))],
  ['cumsum', cumsum, (l, i) => sum(l.slice(0, i + 1))],
  ['logSumExp', (x, a) => logSumExp(x, a, true).broadcastTo(x.shape), (l) => Math.log(sum(l.map(Math.exp)))],
  [
    'variance',
    (x, a) => variance(x, a, true).broadcastTo(x.shape),
    (l) => sum(l.map((v) => (v - sum(l) / l.length) ** 2)) / l.length,
  ],
  ['mean', (x, a) => x.mean(a, true).broadcastTo(x.shape), (l) => sum(l) / l.length],
]

describe.each(cpuForms)('on cpu, %s', (form, open) => {
  const device = open()
  const runs = form === 'fused' ? 20 : 5
  const read = async (x: Tensor): Promise<readonly number[]> => [...(await device.read(x))]
  const expectClose = async (x: Tensor, shape: readonly number[], expected: readonly number[]): Promise<void> => {
    expect(x.shape).toEqual(shape)
    const got = await read(x)
    const wrong = expected.findIndex((e, i) => !(Math.abs((got[i] ?? NaN) - e) <= 1e-11 * Math.max(1, Math.abs(e))))
    expect(wrong === -1 ? 'equal' : `element ${wrong}: got ${got[wrong]}, expected ${expected[wrong]}`).toBe('equal')
  }

  it.each(pointwise)('%s', async (_name, f, oracle) => {
    const data = [-3.1, -1.3, -0.4, -0.013, 0.021, 0.6, 1.7, 2.9]
    await expectClose(f(tensor(data, { dtype: 'f64' })), [8], data.map(oracle))
    await checkGrad(device, (x: Tensor) => f(x).mul(x), [tensor(data, { dtype: 'f64' })])
  })

  it.each(keepingShape)('%s along any axis', async (_name, f, oracle) => {
    await fc.assert(
      fc.asyncProperty(alongAxis, async ([x, axis]) => {
        await expectClose(
          f(toTensor(x), axis),
          x.shape,
          tabulate(x.shape, (index) => oracle(line(x, axis, index), index[axis] ?? 0)),
        )
        await checkGrad(device, (t: Tensor) => f(t, axis), [toTensor(x)], { absolute: 1e-8 })
      }),
      { seed: 1, numRuns: runs },
    )
  })

  it.each(['u8', 'u32', 'i32', 'f16'] as const)('%s: a number is taken off, and whole numbers wrap', async (dtype) => {
    const wrapped = { u8: 255, u32: 2 ** 32 - 1, i32: -1, f16: -1 }[dtype]
    expect(await read(tensor([5, 0], { dtype }).sub(1))).toEqual([4, wrapped])
  })

  it('softmax and logSumExp neither overflow nor lose the small', async () => {
    const x = tensor([1000, 1000, -1000], { dtype: 'f64' })
    expect(await read(softmax(x))).toEqual([0.5, 0.5, 0])
    expect((await read(logSumExp(x)))[0]).toBeCloseTo(1000 + Math.log(2), 12)
    expect(await read(softplus(tensor([800, -800], { dtype: 'f64' })))).toEqual([800, 0])
  })

  it('sort, argsort and argmax along an axis; equal elements keep their order', async () => {
    await fc.assert(
      fc.asyncProperty(alongAxis, async ([x, axis]) => {
        const t = toTensor(x)
        const by = (index: readonly number[]): readonly number[] => line(x, axis, index)
        const ranks = (l: readonly number[]): readonly number[] =>
          [...l.keys()].toSorted((a, b) => (l[a] ?? 0) - (l[b] ?? 0))
        await expectClose(
          argsort(t, axis),
          x.shape,
          tabulate(x.shape, (index) => ranks(by(index))[index[axis] ?? 0] ?? -1),
        )
        const without = x.shape.filter((_, a) => a !== axis)
        await expectClose(
          argmax(t, axis),
          without,
          tabulate(without, (index) => {
            const l = by([...index.slice(0, axis), 0, ...index.slice(axis)])
            return l.indexOf(Math.max(...l))
          }),
        )
        const last = x.shape.length - 1
        await expectClose(
          sort(t),
          x.shape,
          tabulate(x.shape, (index) => line(x, last, index).toSorted((a, b) => a - b)[index[last] ?? 0] ?? NaN),
        )
      }),
      { seed: 2, numRuns: runs * 2 },
    )
    await checkGrad(device, (x: Tensor) => sort(x).square(), [
      tensor(
        [
          [3, 1, 2],
          [0.5, -1, 4],
        ],
        { dtype: 'f64' },
      ),
    ])
    expect(await read(argsort(tensor([2, 1, 2, 1])))).toEqual([1, 3, 0, 2])
    expect(await read(argmax(tensor([2, 5, 5])))).toEqual([1])
  })

  it('einsum contracts, batches and transposes as its letters say', async () => {
    const formulas = [
      'ij,jk->ik',
      'ij,kj->ki',
      'bij,bjk->bik',
      'bqd,bkd->bkq',
      'ij,ij->',
      'i,j->ji',
      'bihd,bjhd->bhij',
      'ab,ba->ab',
      'abk,kd->dab', // a rotation of three axes is not its own inverse
      'abk,kd->bda',
    ]
    const letters = new Map([...'abijkqdh'].map((l, i) => [l, 2 + (i % 3)]))
    for (const formula of formulas) {
      const [xs, ys, out] = formula.split(/,|->/).map((s) => [...s]) as [string[], string[], string[]]
      const make = (names: readonly string[], phase: number): NdArray => {
        const shape = names.map((l) => letters.get(l) ?? 1)
        return nd(
          shape,
          tabulate(shape, (index) => Math.sin(phase + index.reduce((s, v) => s * 5 + v, 0))),
        )
      }
      const [x, y] = [make(xs, 0.3), make(ys, 1.1)]
      const all = [...new Set([...xs, ...ys])]
      const value = new Map<string, number>()
      for (const index of indices(all.map((l) => letters.get(l) ?? 1))) {
        const of = (names: readonly string[]): readonly number[] => names.map((l) => index[all.indexOf(l)] ?? -1)
        value.set(of(out).join(), (value.get(of(out).join()) ?? 0) + elementAt(x, of(xs)) * elementAt(y, of(ys)))
      }
      const shape = out.map((l) => letters.get(l) ?? 1)
      await expectClose(
        einsum(formula, toTensor(x), toTensor(y)),
        shape,
        tabulate(shape, (index) => value.get(index.join()) ?? NaN),
      )
    }
  })

  it('attention is the softmax of scaled products, applied to the values', async () => {
    const make = (shape: readonly number[], phase: number): NdArray =>
      nd(
        shape,
        tabulate(shape, (index) => Math.sin(phase + index.reduce((s, v) => s * 3 + v, 0))),
      )
    const [q, k, v] = [make([2, 3, 4], 0), make([2, 5, 4], 1), make([2, 5, 2], 2)]
    const expected = tabulate([2, 3, 2], ([b = 0, i = 0, c = 0]) => {
      const logits = Array.from(
        { length: 5 },
        (_, j) => sum(Array.from({ length: 4 }, (__, d) => elementAt(q, [b, i, d]) * elementAt(k, [b, j, d]))) / 2,
      )
      const total = sum(logits.map(Math.exp))
      return sum(logits.map((l, j) => (Math.exp(l) / total) * elementAt(v, [b, j, c])))
    })
    await expectClose(attention(toTensor(q), toTensor(k), toTensor(v)), [2, 3, 2], expected)
  })

  it('pooling, upsampling and shuffles move the pixels that they should', async () => {
    const x = nd(
      [2, 4, 6, 4],
      tabulate([2, 4, 6, 4], (index) => index.reduce((s, v) => s * 7 + v, 0)),
    )
    const t = toTensor(x)
    const window = (index: readonly number[], [fh, fw]: readonly [number, number]): readonly number[] =>
      indices([fh, fw]).map(([dy = 0, dx = 0]) =>
        elementAt(x, [index[0] ?? 0, (index[1] ?? 0) * fh + dy, (index[2] ?? 0) * fw + dx, index[3] ?? 0]),
      )
    await expectClose(
      averagePool(t),
      [2, 2, 3, 4],
      tabulate([2, 2, 3, 4], (i) => sum(window(i, [2, 2])) / 4),
    )
    await expectClose(
      maxPool(t, [4, 3]),
      [2, 1, 2, 4],
      tabulate([2, 1, 2, 4], (i) => Math.max(...window(i, [4, 3]))),
    )
    await expectClose(
      upsampleNearest(t, 3),
      [2, 12, 18, 4],
      tabulate([2, 12, 18, 4], ([n = 0, h = 0, w = 0, c = 0]) =>
        elementAt(x, [n, Math.floor(h / 3), Math.floor(w / 3), c]),
      ),
    )
    const unshuffled = tabulate([2, 2, 3, 16], ([n = 0, h = 0, w = 0, c = 0]) =>
      elementAt(x, [n, 2 * h + (Math.floor(c / 2) % 2), 2 * w + (c % 2), Math.floor(c / 4)]),
    )
    await expectClose(pixelUnshuffle(t), [2, 2, 3, 16], unshuffled)
    await expectClose(pixelShuffle(pixelUnshuffle(t)), x.shape, x.data)
    await expectClose(
      pixelShuffle(t),
      [2, 8, 12, 1],
      tabulate([2, 8, 12, 1], ([n = 0, h = 0, w = 0]) => elementAt(x, [n, h >> 1, w >> 1, (h % 2) * 2 + (w % 2)])),
    )
  })

  it('convTranspose2d is the adjoint of conv2d, of the size that PyTorch gives it', async () => {
    const options = fc.record({
      stride: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 1 }),
      k: fc.integer({ min: 2, max: 4 }),
      h: fc.integer({ min: 4, max: 7 }),
      w: fc.integer({ min: 4, max: 7 }),
    })
    await fc.assert(
      fc.asyncProperty(options, async ({ stride, padding, k, h, w }) => {
        const values = (shape: readonly number[], phase: number): Tensor =>
          toTensor(
            nd(
              shape,
              tabulate(shape, (index) => Math.sin(phase + index.reduce((s, v) => s * 3 + v, 0))),
            ),
          )
        const [x, filter] = [values([2, h, w, 3], 0), values([k, k, 3, 2], 1)]
        const y = conv2d(x, filter, { stride, padding })
        const ct = values(y.shape, 2)
        const rest = [h, w].map((n) => (n + 2 * padding - k) % stride) as [number, number]
        const back = convTranspose2d(ct, filter.transpose([0, 1, 3, 2]), { stride, padding, outputPadding: rest })
        expect(back.shape).toEqual(x.shape)
        const [a, b] = [await read(y.mul(ct).sum()), await read(back.mul(x).sum())]
        expect(a[0]).toBeCloseTo(b[0] ?? NaN, 9)
      }),
      { seed: 3, numRuns: runs * 2 },
    )
  })

  it('sums of f16 and f32 round once, at the end', async () => {
    const tiny = 2 ** -11 // half a step above 1 in f16: rounded sums would stay at 1
    expect(
      await read(
        concatenate(
          [
            tensor([1], { dtype: 'f16' }),
            tensor(
              Array.from({ length: 1024 }, () => tiny),
              { dtype: 'f16' },
            ),
          ],
          0,
        ).sum(),
      ),
    ).toEqual([1.5])
    const [row, ones] = [
      tensor([[1, ...Array.from({ length: 1024 }, () => tiny)]], { dtype: 'f16' }),
      tensor(
        Array.from({ length: 1025 }, () => [1]),
        { dtype: 'f16' },
      ),
    ]
    expect(await read(row.matmul(ones))).toEqual([1.5])
    expect(await read(tensor([2 ** 24, 1, 1]).sum())).toEqual([2 ** 24 + 2])
  })

  it('the minimum of integers is right at the ends of their range', async () => {
    expect(
      await read(tensor([0, 5, 2 ** 32 - 1], { dtype: 'u32' }).minimum(tensor([5, 0, 1], { dtype: 'u32' }))),
    ).toEqual([0, 0, 1])
    expect(await read(tensor([-(2 ** 31)], { dtype: 'i32' }).minimum(tensor([5], { dtype: 'i32' })))).toEqual([
      -(2 ** 31),
    ])
    expect(await read(tensor([0, 200], { dtype: 'u8' }).minimum(100))).toEqual([0, 100])
  })

  it('tensors from nothing: ranges, identities, classes', async () => {
    expect(await read(eye(2))).toEqual([1, 0, 0, 1])
    expect(await read(arange(3, 'f32'))).toEqual([0, 1, 2])
    expect(await read(linspace(-1, 1, 5))).toEqual([-1, -0.5, 0, 0.5, 1])
    expect(await read(oneHot(tensor([[2], [0]], { dtype: 'i32' }), 3))).toEqual([0, 0, 1, 1, 0, 0])
    const [a, b] = splitInto(arange(4).reshape([2, 2]), 2, 1)
    expect([await read(a ?? arange(0)), await read(stack([b ?? arange(0), a ?? arange(0)], 1))]).toEqual([
      [0, 2],
      [1, 0, 3, 2],
    ])
    expect(await read(gather(arange(4).neg(), arange(3).sub(1).mul(2)))).toEqual([0, 0, -2])
    for (const outside of [-1, 4])
      expect(() => gather(arange(4), tensor([0, outside], { dtype: 'i32' }))).toThrow(
        `gather: the index ${outside} is outside 0 … 3`,
      )
    expect(await read(arange(0).sum())).toEqual([0])
  })

  it('numbers are stored as the dtype stores them', async () => {
    await fc.assert(
      fc.asyncProperty(arrays([5], 'f16', numbers('f16', [-70000, 70000])), async (x) => {
        expect(await read(toTensor(x).cast('f64'))).toEqual(x.data)
      }),
      { seed: 4, numRuns: 20 },
    )
  })
})
