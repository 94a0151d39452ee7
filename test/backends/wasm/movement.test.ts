/** Movement on wasm: pad, concatenate, gather, scatter and sort have the specification's bits, in every dtype and at every length of a row. */
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { specification, wasm } from '../../../proof/devices.ts'
import { memoryOf } from '../../../src/compiler/cost.ts'
import type { DType } from '../../../src/graph/dtype.ts'
import { argsort, concatenate, gather, scatterAdd } from '../../../src/tensor/combine.ts'
import { makeNode } from '../../../src/graph/node.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'

const dtypes: readonly DType[] = ['f16', 'f32', 'f64', 'i32', 'u32', 'u8', 'bool']
const numbers: readonly DType[] = ['f16', 'f32', 'f64', 'i32', 'u32', 'u8']

const [plain, device] = [specification.open(), wasm.open()]

/** Numbers that differ from their neighbours; with `special`, some that are infinite, −0 or no numbers. */
const data = (dtype: DType, shape: readonly number[], special = false): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  const odd = [NaN, Infinity, -Infinity, -0, 0]
  const isFloat = dtype.startsWith('f')
  const element = (i: number): number => {
    if (dtype === 'bool') return Number(i % 3 === 0)
    if (special && isFloat && i % 5 === 2) return odd[i % 7] ?? 0
    return ((i * 37) % 101) / (isFloat ? 8 : 1) - (dtype.startsWith('u') ? 0 : 3)
  }
  return tensor(
    Array.from({ length: size }, (_, i) => element(i)),
    { dtype },
  ).reshape(shape)
}

/** The first element that differs, in words. */
const differing = async (got: readonly Tensor[], expected: readonly Tensor[]): Promise<string | undefined> => {
  for (const [k, x] of got.entries()) {
    const y = expected[k] as Tensor
    const [a, b] = [await device.read(x), await plain.read(y)]
    const i = a.findIndex((v, i) => !Object.is(v, b[i]))
    if (i >= 0 || a.length !== b.length || x.dtype !== y.dtype || x.shape.join() !== y.shape.join())
      return `element ${i} of result ${k}, ${x.dtype}[${x.shape.join()}], is ${a[i]} instead of ${b[i]}`
  }
  return undefined
}

/** Compiled on wasm, the function gives what one primitive at a time gives. */
const agree = async (f: (...xs: readonly Tensor[]) => readonly Tensor[], ...xs: readonly Tensor[]): Promise<void> => {
  expect(await differing(await device.compile(f)(...xs), await plain.compile(f)(...xs))).toBeUndefined()
}

const sizes = fc.integer({ min: 1, max: 40 })

describe('pad and concatenate', { timeout: 60_000 }, () => {
  it.each(dtypes)('of %s have the bits of the specification, whatever the length of a row', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.integer({ min: 0, max: 3 }), async (rows, columns, low) => {
        const [x, y] = [data(dtype, [rows, columns]), data(dtype, [rows, 3])]
        const f = (a: Tensor, b: Tensor): readonly Tensor[] => [
          concatenate([a, b, a], 1),
          concatenate([a.transpose(), a.transpose()], 0),
          a.pad([low, 2], [1, low]),
          a.transpose().pad([0, low], [0, 0]),
          a.pad([1, 0], [0, 2], [low, 1]),
          a.reverse(1).slice([0, 0], [rows, columns]),
        ]
        await agree(f, x, y)
      }),
      { numRuns: 25 },
    )
  })

  it('of rows and of whole arrays longer than a unit of work are complete', async () => {
    const long = data('f32', [3, 20_000])
    await agree((x) => [concatenate([x, x], 1), concatenate([x, x], 0), x.pad([0, 3], [1, 0])], long)
  })
})

describe('gather', { timeout: 60_000 }, () => {
  it.each(dtypes)('of %s picks rows, and clamps what is outside', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.array(fc.integer({ min: -3, max: 45 }), { minLength: 1 }), async (n, m, at) => {
        const index = tensor(at, { dtype: 'i32' })
        await agree((x, i) => [gather(x, i, 0), gather(x, i, 1)], data(dtype, [n, m]), index)
      }),
      { numRuns: 25 },
    )
  })

  it.each(dtypes)('of %s moves short rows four at a time, and those that are left', async (dtype) => {
    for (const inner of [1, 2, 4, 8, 16])
      for (const type of ['i32', 'u32'] as const) {
        const at = Array.from({ length: 23 }, (_, i) => (type === 'u32' && i % 7 === 3 ? 2 ** 31 + i : (i * i) % 14))
        const index = tensor(type === 'u32' ? at : at.map((i) => i - 2), { dtype: type })
        await agree((x, i) => [gather(x, i, 0)], data(dtype, [9, inner]), index)
      }
  })

  it('by unsigned indices takes those above 2³¹ as the last row', async () => {
    const index = tensor([0, 2, 4294967295, 2147483648], { dtype: 'u32' })
    await agree((x, i) => [gather(x, i, 0)], data('f32', [3, 5]), index)
  })
})

describe('scatter', { timeout: 60_000 }, () => {
  it.each(numbers)('of %s adds in order, and rounds once', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 150 }),
        async (at, inner) => {
          const index = tensor(at, { dtype: 'i32' })
          const updates = data(dtype, [2, at.length, inner])
          await agree((i, u) => [scatterAdd(i, u, 5, 1)], index, updates)
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('scatter of long rows', { timeout: 60_000 }, () => {
  it('that none, one and many updates fall on is complete, in strips of columns', async () => {
    const at = Array.from({ length: 300 }, (_, i) => (i * i * 31) % 90)
    for (const inner of [8, 16, 23, 1100]) {
      const updates = data('f32', [2, at.length, inner])
      await agree((i, u) => [scatterAdd(i, u, 200, 1)], tensor(at, { dtype: 'i32' }), updates)
    }
  })
})

describe('cumsum', { timeout: 60_000 }, () => {
  const running = (x: Tensor, axis: number, reverse: boolean): Tensor =>
    new Tensor(makeNode('cumsum', { axis, reverse }, [x.node]))

  it.each(numbers)('of %s adds in the order of the axis, and rounds each sum once', async (dtype) => {
    const lines = fc.constantFrom(1, 2, 3, 4, 5, 8, 9, 12, 16, 32, 33)
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 70 }), lines, fc.boolean(), async (n, length, m, special) => {
        await agree(
          (x) => [0, 1, 2].flatMap((axis) => [running(x, axis, false), running(x, axis, true)]),
          data(dtype, [n, length, m], special),
        )
      }),
      { numRuns: 25 },
    )
  })

  it('along a vocabulary takes linear time and memory, of many columns at once', async () => {
    const x = data('f32', [50_257, 32])
    await agree((y) => [running(y, 0, false)], x)
    expect(memoryOf(device.compile((y: Tensor) => running(y, 0, false)).plan(x))).toBe(2 * 4 * x.size)
  })
})

describe('argsort', { timeout: 60_000 }, () => {
  it.each(dtypes)('of %s is stable, with what is no number last', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 130 }), fc.integer({ min: 1, max: 4 }), async (n, m) => {
        await agree((x) => [argsort(x, 0), argsort(x, 1), argsort(x.reshape([n * m]))], data(dtype, [n, m], true))
      }),
      { numRuns: 25 },
    )
  })

  it.each(dtypes)('of %s has the same order where rows are sorted by their digits', async (dtype) => {
    for (const [n, m] of [
      [128, 3],
      [1000, 2],
      [4096, 1],
      [5000, 2],
    ] as const) {
      const mixed = data(dtype, [n, m], true)
      const equal = data(dtype, [1, m], true).broadcastTo([n, m])
      await agree((x, y) => [argsort(x, 0), argsort(y, 0)], mixed, equal)
    }
  })

  it('sorts bit patterns of all magnitudes and both signs', async () => {
    const words = Int32Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 0x9e37_79b1) ^ (i << 7))
    await agree((x) => [argsort(x), argsort(x.bitcast('f32')), argsort(x.bitcast('u32'))], tensor(words))
  })

  it('puts −∞ first and NaN last', async () => {
    const x = tensor([NaN, 1, -Infinity, NaN, Infinity, 0, -0])
    expect([...(await device.read(argsort(x)))]).toEqual([2, 5, 6, 1, 4, 0, 3])
  })
})
