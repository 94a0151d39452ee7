/** Kernels that have several forms, in each of them: cpu's results, whatever the views, and the same bits from run to run. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prepareKernel } from '../../../src/backends/cpu/run.ts'
import { generate } from '../../../src/backends/webgpu/generate.ts'
import { launchesOf } from '../../../src/backends/webgpu/launch.ts'
import { contiguous, type View } from '../../../src/compiler/view.ts'
import type {
  CumsumKernel,
  ElementwiseKernel,
  Instruction,
  Kernel,
  ReduceKernel,
  RowsKernel,
  ScatterKernel,
  SortKernel,
  Stage,
} from '../../../src/compiler/kernel.ts'
import { rowMajor, sizeOf } from '../../../src/graph/shape.ts'
import { at, product, range } from '../../../src/prelude/array.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { softmax } from '../../../src/tensor/softmax.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { specification } from '../../../proof/devices.ts'
import { kernelRecord, openForms, type Values } from '../../support/gpuKernels.ts'
import { numbersFrom as numbers, viewOf } from '../../support/views.ts'

const forms = await openForms()

const oracle = specification.open()

const numbersFrom = (seed: number, length: number): Float32Array<ArrayBuffer> => new Float32Array(numbers(seed, length))

const onCpu = (kernel: Kernel, buffers: readonly Values[]): readonly Values[] => {
  const arrays = buffers.map((b) => b.slice())
  prepareKernel(kernel, (buffer) => at(arrays, buffer))()
  return arrays
}

/** Sums of f32 in another order than cpu's, which has doubles. */
const tolerance = 1e-5

/** The largest difference, as a share of the largest number; of what is no number on one side, all of it. */
const worstOf = (found: Values, expected: Values): number => {
  let [scale, worst] = [1, 0]
  for (const x of expected) scale = Math.max(scale, Math.abs(x))
  for (let i = 0; i < expected.length; i++) {
    const distance = Math.abs((found[i] ?? NaN) - (expected[i] ?? NaN))
    worst = Number.isNaN(distance) ? Infinity : Math.max(worst, distance / scale)
  }
  return worst
}

const expectClose = (found: readonly Values[], expected: readonly Values[]): void => {
  expected.forEach((values, b) => {
    expect(worstOf(at(found, b), values), `buffer ${b}`).toBeLessThanOrEqual(tolerance)
  })
}

const load = (buffer: number, view: View): Instruction => ({
  kind: 'load',
  from: { buffer, view, dtype: 'f32' },
  dtype: 'f32',
})

const apply = (op: 'add' | 'mul', ...inputs: readonly number[]): Instruction => ({
  kind: 'apply',
  op,
  inputs,
  dtype: 'f32',
})

/** Σ or max of these instructions over some axes of a shape. */
const reduceOf = (
  [operation, output]: readonly ['sum' | 'max', number],
  instructions: readonly Instruction[],
  shape: readonly number[],
  axes: readonly number[],
): ReduceKernel => {
  const kept = range(shape.length).filter((a) => !axes.includes(a))
  const dense = rowMajor(kept.map((a) => at(shape, a)))
  return {
    ...kernelRecord,
    kind: 'reduce',
    operation,
    output,
    dtype: 'f32',
    body: { size: sizeOf(shape), instructions },
    target: { offset: 0, shape, strides: shape.map((_, a) => (axes.includes(a) ? 0 : at(dense, kept.indexOf(a)))) },
    size: product(kept.map((a) => at(shape, a))),
  }
}

const elementwiseOf = (output: number, size: number, instructions: readonly Instruction[]): ElementwiseKernel => ({
  ...kernelRecord,
  kind: 'elementwise',
  output,
  dtype: 'f32',
  body: { size, instructions },
})

describe.each(forms)('on $name', ({ target, run, configuration }) => {
  const twice = async (kernel: Kernel, buffers: readonly Values[]): Promise<readonly Values[]> => {
    const found = await run([kernel], buffers)
    expect(
      (await run([kernel], buffers)).every((b, i) => Buffer.from(b.buffer).equals(Buffer.from(at(found, i).buffer))),
    ).toBe(true)
    return found
  }

  it.each([
    ['short axes', 7, 4, 8],
    ['longer ones than a subgroup', 90, 2, 12],
    ['long ones', 3000, 2, 8],
  ])('a reduction over any axes of any views is cpu’s: %s', async (_, longest, most, numRuns) => {
    const cases = fc.array(fc.integer({ min: 1, max: longest }), { minLength: 1, maxLength: most }).chain((shape) =>
      fc.record({
        x: viewOf(shape),
        y: viewOf(shape),
        axes: fc.subarray([...range(shape.length)]),
        operation: fc.constantFrom('sum' as const, 'max' as const),
      }),
    )
    await fc.assert(
      fc.asyncProperty(cases, async ({ x, y, axes, operation }) => {
        const { shape } = x.view
        fc.pre(sizeOf(shape) < 2e5)
        const kernel = reduceOf([operation, 2], [load(0, x.view), load(1, y.view), apply('mul', 0, 1)], shape, axes)
        const buffers = [numbersFrom(1, x.length), numbersFrom(2, y.length), new Float32Array(kernel.size)]
        expectClose(await twice(kernel, buffers), onCpu(kernel, buffers))
      }),
      { numRuns, seed: 1 },
    )
  })

  it('sums of so many terms that these are cut into parts are cpu’s', async () => {
    for (const [shape, axis] of [
      [[300_001], 0],
      [[5003, 40], 0],
    ] as const) {
      const one: Instruction = { kind: 'literal', value: 1, dtype: 'f32' } // what lies behind the last is not 0 then
      const kernel = reduceOf(['sum', 1], [load(0, contiguous(shape)), one, apply('add', 0, 1)], shape, [axis])
      expect(generate(kernel, target).scratch).toBeGreaterThan(0)
      const buffers = [numbersFrom(3, sizeOf(shape)), new Float32Array(kernel.size)]
      expectClose(await twice(kernel, buffers), onCpu(kernel, buffers))
    }
  })

  it('operands whose axes cross are added, and summed over axes that cross those of the sum, as cpu does', async () => {
    const x = { offset: 1, shape: [4, 6], strides: [1, 4] }
    const y = { offset: 0, shape: [3, 8], strides: [1, 3] }
    const instructions = [load(0, x), load(1, y), apply('add', 0, 1)]
    for (const kernel of [elementwiseOf(2, 24, instructions), reduceOf(['sum', 2], instructions, [3, 8], [0])]) {
      const buffers = [numbersFrom(1, 25), numbersFrom(2, 24), new Float32Array(kernel.kind === 'reduce' ? 8 : 24)]
      expectClose(await twice(kernel, buffers), onCpu(kernel, buffers))
    }
  })

  /**
   * Rows of [a, b]: sums r over one of the axes, y = x + r, which stages behind it read backwards in each row, maxima of y · r, and what becomes of all.
   * Buffers: x, r, y, z, m, the last.
   */
  const rowsOf = (rows: number, a: number, b: number, axis: 1 | 2): RowsKernel => {
    const shape = [rows, a, b]
    const [size, length] = [sizeOf(shape), a * b]
    const per = axis === 1 ? b : a
    const whole = contiguous(shape)
    const perRow = { offset: 0, shape, strides: axis === 1 ? [per, 0, 1] : [per, 1, 0] }
    const backwards = { offset: length - 1, shape: [rows, length], strides: [length, -1] }
    const stages: readonly Stage[] = [
      reduceOf(['sum', 1], [load(0, whole)], shape, [axis]),
      elementwiseOf(2, size, [load(0, whole), load(1, perRow), apply('add', 0, 1)]),
      elementwiseOf(3, size, [load(2, backwards), load(0, whole), apply('mul', 0, 1)]),
      reduceOf(['max', 4], [load(3, whole), load(2, whole), apply('add', 0, 1)], shape, [1, 2]),
      elementwiseOf(5, size, [
        load(3, backwards),
        load(4, { offset: 0, shape: [rows, length], strides: [1, 0] }),
        apply('mul', 0, 1),
      ]),
    ]
    return { ...kernelRecord, kind: 'rows', rows, stages, output: 5, dtype: 'f32' }
  }
  const buffersOf = ({ stages }: RowsKernel): readonly Values[] => {
    const { body } = at(stages, 1)
    return [
      numbersFrom(3, body.size),
      ...stages.map((s) => new Float32Array(s.kind === 'reduce' ? s.size : s.body.size)),
    ]
  }
  const rowsCases = fc.record({
    rows: fc.integer({ min: 1, max: 30 }),
    a: fc.integer({ min: 1, max: 20 }),
    b: fc.integer({ min: 1, max: 40 }),
    axis: fc.constantFrom<1 | 2>(1, 2),
  })

  it('rows of stages, each of which reads what others of its row have written, are cpu’s', async () => {
    await fc.assert(
      fc.asyncProperty(rowsCases, async ({ rows, a, b, axis }) => {
        const kernel = rowsOf(rows, a, b, axis)
        const buffers = buffersOf(kernel)
        expectClose(await twice(kernel, buffers), onCpu(kernel, buffers))
      }),
      { numRuns: 10, seed: 2 },
    )
  })

  it('rows give the bits of their stages apart, where sums have one order', async () => {
    const kernel = rowsOf(10, 12, 9, 1)
    const buffers = buffersOf(kernel)
    const [apart, atOnce] = [await run(kernel.stages, buffers), await run([kernel], buffers)]
    if (target.software) expect(atOnce).toEqual(apart)
    else expectClose(atOnce, apart)
  })

  it('rows of one length are one launch, and so is a group of them', () => {
    const [one, other] = [rowsOf(16, 3, 50, 2), rowsOf(21, 3, 50, 2)]
    const group: Kernel = { ...one, kind: 'group', members: [one, other] }
    for (const kernel of [one, group])
      expect(generate(kernel, target).stages.map((phases) => launchesOf(phases, () => 0).length)).toEqual([1])
  })

  /** The kernel over buffers with other numbers. */
  const behind = (kernel: RowsKernel, count: number): RowsKernel =>
    JSON.parse(JSON.stringify(kernel), (name, value: unknown) =>
      (name === 'buffer' || name === 'output') && typeof value === 'number' ? value + count : value,
    ) as RowsKernel

  it('rows of several lengths that run side by side are cpu’s', async () => {
    const all = [rowsOf(11, 3, 50, 2), rowsOf(9, 3, 61, 2), rowsOf(30, 3, 52, 2)]
    const buffers = all.flatMap(buffersOf)
    const members = all.map((kernel, i) => behind(kernel, (i * buffers.length) / all.length))
    const group: Kernel = { ...at(members, 0), kind: 'group', members }
    expectClose(await twice(group, buffers), onCpu(group, buffers))
  })

  it.each([
    [2, 40, 3],
    [3, 2500, 1],
    [1, 4097, 2],
  ])('sorts the middle axis of [%i, %i, %i] in cpu’s order: −0 is 0, NaN is last', async (outer, length, inner) => {
    const special = [0, -0, NaN, Infinity, -Infinity, 1e-40, -1e-40]
    const values = numbersFrom(5, outer * length * inner).map((x, i) =>
      i % 9 === 0 ? (special[(i / 9) % special.length] ?? 0) : Math.round(x * 50) / 8,
    )
    const from = { buffer: 0, view: contiguous([outer, length, inner]), dtype: 'f32' } as const
    const kernel: SortKernel = { ...kernelRecord, kind: 'sort', from, outer, length, inner, output: 1, dtype: 'i32' }
    const buffers = [values, new Int32Array(values.length)]
    const found = await twice(kernel, buffers)
    expect(found[1]).toEqual(onCpu(kernel, buffers)[1])
  })

  it.each([
    [2, 40, 3, false],
    [3, 2500, 1, false],
    [1, 4097, 2, true],
    [5, 64, 1, true],
    [2, 65, 3, true],
  ])('sums [%i, %i, %i] up along its middle axis as cpu does; backwards: %s', async (outer, length, inner, reverse) => {
    const from = { buffer: 0, view: contiguous([outer, length, inner]), dtype: 'f32' } as const
    const size = { outer, length, inner, reverse }
    const kernel: CumsumKernel = { ...kernelRecord, kind: 'cumsum', from, ...size, output: 1, dtype: 'f32' }
    const buffers = [numbersFrom(6, outer * length * inner), new Float32Array(outer * length * inner)]
    expectClose(await twice(kernel, buffers), onCpu(kernel, buffers))
  })

  it.each([
    ['few picks', { outer: 2, rows: 5, picks: 20, inner: 3 }],
    ['picks that are sorted by counting', { outer: 1, rows: 900, picks: 1200, inner: 4 }],
    ['picks that are sorted by merging', { outer: 2, rows: 700, picks: 3000, inner: 2 }],
  ])('adds rows up by index as cpu does, with %s', async (_, extent) => {
    const { outer, rows, picks, inner } = extent
    const index = Int32Array.from({ length: picks }, (__, i) => ((i * 7919 + i * i) % (rows + 4)) - 2)
    const kernel: ScatterKernel = {
      ...kernelRecord,
      kind: 'scatter',
      updates: { buffer: 0, view: contiguous([outer, picks, inner]), dtype: 'f32' },
      index: { buffer: 1, view: contiguous([picks]), dtype: 'i32' },
      extent,
      output: 2,
      dtype: 'f32',
    }
    const buffers = [numbersFrom(7, outer * picks * inner), index, new Float32Array(outer * rows * inner)]
    expectClose(await twice(kernel, buffers), onCpu(kernel, buffers))
  })

  it.each(['f32', 'f16'] as const)('a softmax of %s over odd rows is the specification’s', async (dtype) => {
    const device = configuration.open()
    for (const shape of [
      [9, 7],
      [6, 90],
      [12, 33],
      [1, 301],
      [70, 2],
    ]) {
      const values = numbersFrom(9, product(shape)).map((x) => 4 * x)
      const program = (x: Tensor): Tensor => softmax(x.cast(dtype).mul(x.cast(dtype))).cast('f32')
      const [found, expected] = await Promise.all(
        [device, oracle].map(async (d) => d.read(await d.compile(program)(tensor(values, { shape })))),
      )
      expect(worstOf(found as Values, expected as Values)).toBeLessThanOrEqual(dtype === 'f16' ? 2 ** -10 : tolerance)
    }
  })

  it('a row that is written over its argument is read before', async () => {
    const device = configuration.open()
    const shape = [24, 130]
    const values = numbersFrom(4, product(shape))
    const centred = (x: Tensor): Tensor => {
      const mean = x.mul(x).mean(-1).reshape([24, 1]).broadcastTo(shape)
      const largest = x.mul(mean).max(-1).reshape([24, 1]).broadcastTo(shape)
      return x.sub(mean).mul(largest)
    }
    const onDevice = await device.compile(centred, { donate: [0] })(tensor(values, { shape }))
    const onOracle = await oracle.compile(centred)(tensor(values, { shape }))
    expect(worstOf((await device.read(onDevice)) as Values, (await oracle.read(onOracle)) as Values)).toBeLessThan(
      tolerance,
    )
  })
})
