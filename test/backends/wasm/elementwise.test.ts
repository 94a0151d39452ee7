/** Elementwise kernels on wasm: bodies over any views have cpu's bits, in whatever order units run, and so has every dtype that has lanes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '../../../src/prelude/fp.ts'
import { at } from '../../../src/prelude/array.ts'
import { sizeOf } from '../../../src/graph/shape.ts'
import type { DType } from '../../../src/graph/dtype.ts'
import type { ElementwiseOp } from '../../../src/graph/ops.ts'
import type { ElementwiseKernel, Instruction } from '../../../src/compiler/kernel.ts'
import { contiguous, type View } from '../../../src/compiler/view.ts'
import { elementwise } from '../../../src/backends/wasm/elementwise/elementwise.ts'
import type { Generated } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { iota, tensor } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { specification, wasm } from '../../../proof/devices.ts'
import { runOnCpu, runPhases } from '../../support/phases.ts'
import { numbersFrom, viewOf } from '../../support/views.ts'

const load = (buffer: number, view: View): Instruction => ({
  kind: 'load',
  from: { buffer, view, dtype: 'f32' },
  dtype: 'f32',
})

const step = (op: ElementwiseOp, inputs: readonly number[], dtype: DType = 'f32'): Instruction => ({
  kind: 'apply',
  op,
  inputs,
  dtype,
})

/** Buffers 0 and 1 through views into buffer 2, and a value on the way into buffer 3: x·y + 3, and where x < y, that or x. */
const kernelOf = (x: View, y: View): ElementwiseKernel => ({
  kind: 'elementwise',
  output: 2,
  dtype: 'f32',
  computes: 'a test',
  reason: 'output',
  flops: 0,
  body: {
    size: sizeOf(x.shape),
    instructions: [
      load(0, x),
      load(1, y),
      { kind: 'literal', value: 3, dtype: 'f32' },
      step('mul', [0, 1]),
      step('add', [3, 2]),
      step('less', [0, 1], 'bool'),
      step('where', [5, 4, 0]),
    ],
  },
  further: [{ buffer: 3, dtype: 'f32', instruction: 4 }],
})

const codeFor = (kernel: ElementwiseKernel): Generated => {
  const code = elementwise(kernel)
  if (E.isLeft(code)) throw new Error(code.left.kind)
  return code.right
}

const expectBitsOfCpu = (kernel: ElementwiseKernel, buffers: readonly Float32Array[]): void => {
  const code = codeFor(kernel)
  for (const output of [2, 3]) {
    const { values } = runPhases(code, buffers, output)
    expect(firstDifference(values, runOnCpu(kernel, buffers, output))).toBe(-1)
    expect(firstDifference(runPhases(code, buffers, output, 'backwards').values, values)).toBe(-1)
  }
}

/** The first element that is another number; −1 where none is. */
const firstDifference = (found: Float32Array, expected: Float32Array): number =>
  found.findIndex((x, i) => !Object.is(x, expected[i]))

const shapes = (longest: number, axes: number): fc.Arbitrary<readonly number[]> =>
  fc.array(fc.integer({ min: 1, max: longest }), { minLength: 1, maxLength: axes })

describe('a body over views', () => {
  it.each([
    ['many short axes', 6, 5, 150],
    ['axes longer than vectors', 40, 3, 60],
  ])('has the bits of cpu for all its results, in any order of units: %s', (_, longest, axes, numRuns) => {
    fc.assert(
      fc.property(
        shapes(longest, axes).chain((shape) => fc.tuple(viewOf(shape), viewOf(shape))),
        ([x, y]) => {
          const size = sizeOf(x.view.shape)
          const buffers = [numbersFrom(1, x.length), numbersFrom(2, y.length)]
          expectBitsOfCpu(kernelOf(x.view, y.view), [...buffers, new Float32Array(size), new Float32Array(size)])
        },
      ),
      { numRuns },
    )
  })

  it('has them where rows are longer than a unit', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 9000 }))
          .chain((shape) => fc.tuple(viewOf(shape), viewOf(shape))),
        ([x, y]) => {
          const size = sizeOf(x.view.shape)
          const buffers = [numbersFrom(1, x.length), numbersFrom(2, y.length)]
          expectBitsOfCpu(kernelOf(x.view, y.view), [...buffers, new Float32Array(size), new Float32Array(size)])
        },
      ),
      { numRuns: 20 },
    )
  })

  it('turns blocks of an operand that lies across the output, and what blocks leave over', () => {
    const side = fc.integer({ min: 1, max: 150 })
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 3 }), (rows, columns, times) => {
        const shape = [times, rows, columns]
        const across: View = { offset: 0, shape, strides: [rows * columns, 1, rows] }
        const size = sizeOf(shape)
        const empty = (): Float32Array => new Float32Array(size)
        const kernel = kernelOf(across, contiguous(shape))
        expectBitsOfCpu(kernel, [numbersFrom(3, size), numbersFrom(4, size), empty(), empty()])
      }),
      { numRuns: 25 },
    )
  })

  it('has no phases where it has no elements', () => {
    expect(codeFor(kernelOf(contiguous([0, 3]), contiguous([0, 3]))).phases).toEqual([])
  })

  it('says why there is no vector code', () => {
    const kernel = kernelOf(contiguous([2]), contiguous([2]))
    expect(elementwise({ ...kernel, dtype: 'f64' })).toEqual(E.left({ kind: 'dtype', dtype: 'f64' }))
  })
})

const [plain, device] = [specification.open(), wasm.open()]

const whole = [0, 1, -1, 2, -(2 ** 31), 2 ** 31 - 1, 7, -7, 33, 31, 255, 256, -256, 100_000, 128, -3]
const real = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-45, 3e38, -3e38, 1, -1, 0.5, 2 ** 31, -(2 ** 31), 2 ** 32]
const large = [2 ** 33 + 1024, -(2 ** 40), 255.5, -0.99, 1e20, -2.5, 2.5, 127.9]

type Binary = (x: Tensor, y: Tensor) => Tensor

const ofIntegers: Readonly<Record<string, Binary>> = {
  add: (x, y) => x.add(y),
  mul: (x, y) => x.mul(y),
  div: (x, y) => x.div(y),
  neg: (x) => x.neg(),
  maximum: (x, y) => x.maximum(y),
  less: (x, y) => x.less(y),
  equal: (x, y) => x.equal(y),
  and: (x, y) => x.and(y),
  xor: (x, y) => x.xor(y),
  not: (x) => x.not(),
  shiftLeft: (x, y) => x.shiftLeft(y),
  shiftRight: (x, y) => x.shiftRight(y),
  'a shift by 5': (x) => x.shiftLeft(5).or(x.shiftRight(27)),
  select: (x, y) => x.less(y).and(y.equal(7).not()).select(x, y),
}

const ofFloats: Readonly<Record<string, Binary>> = {
  add: (x, y) => x.add(y),
  div: (x, y) => x.div(y),
  maximum: (x, y) => x.maximum(y),
  less: (x, y) => x.less(y),
  equal: (x, y) => x.equal(y),
  floor: (x) => x.floor(),
  sqrt: (x) => x.sqrt(),
  neg: (x) => x.neg(),
}

const agree = async (f: Binary, x: Tensor, y: Tensor): Promise<void> => {
  const [found, expected] = [await device.compile(f)(x, y), await plain.compile(f)(x, y)]
  expect(found.dtype).toBe(expected.dtype)
  expect(await device.read(found)).toEqual(await plain.read(expected))
}

const from = (list: readonly number[], dtype: DType, turn = 0): Tensor =>
  tensor(
    list.map((_, i) => at(list, (i + turn) % list.length)),
    { dtype: dtype === 'f32' ? 'f32' : 'i32' },
  ).cast(dtype)

describe.each(['i32', 'u32', 'u8'] as const)('%s in lanes', (dtype) => {
  it.each(Object.entries(ofIntegers))('%s wraps as cpu does, for every pair of edges', async (_, f) => {
    for (let k = 0; k < whole.length; k++) await agree(f, from(whole, dtype), from(whole, dtype, k))
  })
})

describe('f32 in lanes', () => {
  const edges = [...real, ...large]

  it.each(Object.entries(ofFloats))('%s has the bits of cpu for every pair of edges', async (_, f) => {
    for (let k = 0; k < edges.length; k++) await agree(f, from(edges, 'f32'), from(edges, 'f32', k))
  })

  it.each(['i32', 'u32', 'u8', 'bool'] as const)('becomes %s as JavaScript wraps numbers', async (dtype) => {
    await agree((x) => x.cast(dtype), from(edges, 'f32'), from(edges, 'f32'))
    await agree((x) => x.mul(1000.3).cast(dtype).cast('f32'), from(edges, 'f32'), from(edges, 'f32'))
  })
})

describe('bytes in memory', () => {
  it.each(['u8', 'bool'] as const)('of %s are read and written through any view', async (dtype) => {
    const x = tensor(
      Array.from({ length: 7 * 5 * 9 }, (_, i) => ((i * 37) % 256) & (dtype === 'bool' ? 1 : 255)),
      { dtype },
    ).reshape([7, 5, 9])
    const same: Binary = (a, b) => (dtype === 'bool' ? a.xor(b) : a.add(b))
    await agree((a) => same(a, a.slice([0, 7], [0, 5], [0, 1]).broadcastTo([7, 5, 9])), x, x)
    await agree((a) => same(a.transpose([2, 0, 1]), a.transpose([2, 0, 1]).reverse([0])), x, x)
    await agree((a) => a.reverse([2]).cast('f32').mul(0.5), x, x)
  })
})

describe('words that come in pairs', () => {
  const [plain, device] = [specification.open(), wasm.open()]
  const mixed = (x: Tensor): Tensor => x.mul(0x9e37_79b1).xor(x.shiftRight(7)).add(11).mul(5).xor(x.shiftLeft(9)).add(x)

  it.each([1, 2, 7, 8, 9, 4095, 4096, 4097, 20_001])(
    'are those of each element by itself, of %i elements: halves, quarters, their neighbours, and others beside them',
    async (n) => {
      const program = (key: Tensor): readonly Tensor[] => {
        const i = iota([n], 0, 'u32')
        const pair = mixed(i.shiftRight(1).xor(key.slice([0, 1]).broadcastTo([n])))
        const odd = iota([n + 1], 0, 'u32').slice([1, n + 1])
        const four = mixed(i.shiftRight(2))
        return [pair, i.and(1).equal(0).select(pair, four), pair.add(i), mixed(i), mixed(odd.shiftRight(1))]
      }
      const key = tensor([12_345, 1], { dtype: 'u32' })
      const [found, expected] = [await device.compile(program)(key), await plain.compile(program)(key)]
      for (const [k, x] of found.entries()) expect(await device.read(x)).toEqual(await plain.read(at(expected, k)))
    },
  )
})
