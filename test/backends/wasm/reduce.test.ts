/** Reductions on wasm: sums within one rounding of cpu's, maxima with its bits, whatever the views, and whatever the order of units. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '../../../src/prelude/fp.ts'
import { at, product, range } from '../../../src/prelude/array.ts'
import { makeNode } from '../../../src/graph/node.ts'
import { rowMajor, sizeOf } from '../../../src/graph/shape.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'
import type { ReduceKernel } from '../../../src/compiler/kernel.ts'
import { contiguous, type View } from '../../../src/compiler/view.ts'
import { reduce } from '../../../src/backends/wasm/reduce/reduce.ts'
import type { Generated } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { specification, wasm } from '../../../proof/devices.ts'
import { runOnCpu, runPhases } from '../../support/phases.ts'
import { numbersFrom, viewOf } from '../../support/views.ts'

type Operation = ReduceKernel['operation']

/** Σ or max of x·y, buffers 0 and 1 through views, over some axes, into buffer 2. */
const kernelOf = (operation: Operation, x: View, y: View, axes: readonly number[]): ReduceKernel => {
  const { shape } = x
  const kept = range(shape.length).filter((a) => !axes.includes(a))
  const dense = rowMajor(kept.map((a) => at(shape, a)))
  const load = (buffer: number, view: View) =>
    ({ kind: 'load', from: { buffer, view, dtype: 'f32' }, dtype: 'f32' }) as const
  return {
    kind: 'reduce',
    operation,
    output: 2,
    dtype: 'f32',
    computes: 'a test',
    reason: 'output',
    flops: 0,
    body: {
      size: sizeOf(shape),
      instructions: [load(0, x), load(1, y), { kind: 'apply', op: 'mul', inputs: [0, 1], dtype: 'f32' }],
    },
    target: { offset: 0, shape, strides: shape.map((_, a) => (axes.includes(a) ? 0 : at(dense, kept.indexOf(a)))) },
    size: product(kept.map((a) => at(shape, a))),
  }
}

const codeFor = (kernel: ReduceKernel): Generated => {
  const code = reduce(kernel)
  if (E.isLeft(code)) throw new Error(code.left.kind)
  return code.right
}

/** Half a unit in the last place of f32, and a little: both sides are sums in doubles, rounded once, in different orders. */
const oneRounding = 1.2e-7

const expectRight = (kernel: ReduceKernel, buffers: readonly Float32Array[]): void => {
  const code = codeFor(kernel)
  const { values } = runPhases(code, buffers, 2)
  const expected = runOnCpu(kernel, buffers)
  if (kernel.operation === 'max') expect(values).toEqual(expected)
  else
    values.forEach((x, i) => {
      const y = expected[i] as number
      expect(Math.abs(x - y)).toBeLessThanOrEqual(oneRounding * Math.abs(y) + 1e-13)
    })
  expect(runPhases(code, buffers, 2, 'backwards').values).toEqual(values)
}

const cases = (longest: number, axes: number) =>
  fc.array(fc.integer({ min: 1, max: longest }), { minLength: 1, maxLength: axes }).chain((shape) =>
    fc.record({
      x: viewOf(shape),
      y: viewOf(shape),
      axes: fc.subarray([...range(shape.length)]),
      operation: fc.constantFrom<Operation>('sum', 'max'),
    }),
  )

describe('a reduction over any axes of any views', () => {
  it.each([
    ['many short axes', 6, 5, 200],
    ['axes longer than vectors', 40, 3, 100],
    ['axes that are cut into parts', 300, 3, 12],
  ])('is what cpu computes, in any order of units: %s', (_, longest, most, numRuns) => {
    fc.assert(
      fc.property(cases(longest, most), ({ x, y, axes, operation }) => {
        fc.pre(sizeOf(x.view.shape) < 3e5)
        const kernel = kernelOf(operation, x.view, y.view, axes)
        expectRight(kernel, [numbersFrom(1, x.length), numbersFrom(2, y.length), new Float32Array(kernel.size)])
      }),
      { numRuns },
    )
  })

  it.each([
    ['to a number', [1_000_000], [0]],
    ['of long rows', [3, 300_000], [1]],
    ['of long columns', [50_000, 19], [0]],
    ['of a middle axis', [2, 40_000, 12], [1]],
    ['of all axes but the middle one', [300, 7, 400], [0, 2]],
  ])('of a million terms is exact but for one rounding: %s', (_, shape, axes) => {
    const view = contiguous(shape)
    const size = sizeOf(shape)
    const kernel = kernelOf('sum', view, view, axes)
    const tenths = new Float32Array(size).fill(Math.sqrt(0.1)) // equal terms: rounding errors of f32 would all have one sign
    expectRight(kernel, [tenths, tenths, new Float32Array(kernel.size)])
    expectRight(kernel, [numbersFrom(1, size), numbersFrom(2, size), new Float32Array(kernel.size)])
  })
})

it('cuts a long sum to few results by sizes alone, and short ones not at all', () => {
  const phasesOf = (shape: readonly number[], axes: readonly number[]): readonly number[] =>
    codeFor(kernelOf('sum', contiguous(shape), contiguous(shape), axes)).phases.map((p) => p.units)
  expect(phasesOf([16_384, 32], [0])).toEqual([16, 1])
  expect(phasesOf([524_288], [0])).toEqual([16, 1])
  expect(phasesOf([1000], [0])).toEqual([1])
  expect(phasesOf([16, 1024, 32], [1])).toEqual([32])
  expect(phasesOf([4096, 32], [1])).toEqual([1024])
})

const [plain, device] = [specification.open(), wasm.open()]

describe('a maximum', () => {
  it('is NaN where a term is, −∞ of infinities below, and 0 of zeros of both signs', async () => {
    const rows = [
      [NaN, 1, 2, 3, 4],
      [1, 2, 3, 4, NaN],
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [-0, 0, -0, -0, -0],
      [-0, -0, -0, -0, -0],
      [1, 2, Infinity, -3, 4],
    ]
    for (const axis of [0, 1]) {
      const x = axis === 1 ? tensor(rows) : tensor(rows).transpose()
      expect(await device.read(x.max([axis]))).toEqual(await plain.read(x.max([axis])))
    }
  })
})

describe('a reduction of nothing', () => {
  it('is 0, or the least number; of no results, nothing', async () => {
    const x = tensor(new Float32Array(0), { shape: [3, 0, 2] })
    const greatest = new Tensor(makeNode('reduceMax', { axes: [1] }, [x.node])) // the method refuses it
    for (const f of [x.sum([1]), greatest, x.sum([0]), x.sum()])
      expect(await device.read(f)).toEqual(await plain.read(f))
  })
})

describe.each(['i32', 'u32', 'u8'] as const)('%s', (dtype) => {
  const x = tensor(
    Array.from({ length: 9 * 33 * 70 }, (_, i) => Math.imul(i, 2654435761) | 0),
    { dtype: 'i32' },
  )
    .cast(dtype)
    .reshape([9, 33, 70])

  it.each([[[0]], [[1]], [[2]], [[0, 2]], [[0, 1, 2]], [[]]])(
    'is reduced over %j as cpu does, and wraps',
    async (axes) => {
      for (const f of [x.sum(axes), x.max(axes), x.transpose([2, 0, 1]).sum(axes)])
        expect(await device.read(f)).toEqual(await plain.read(f))
    },
  )
})
