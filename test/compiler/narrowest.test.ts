/** Kernels that would be too much code are cut: where, for which reason, with the same bits, and in linear time. */
import fc from 'fast-check'
import { showReason } from '../../src/compiler/reason.ts'
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import type { Backend, Memory } from '../../src/backends/backend.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import type { Kernel } from '../../src/compiler/kernel.ts'
import { operationsIn, operationsOf, usualLimits, type Limits } from '../../src/compiler/limits.ts'
import { cutsOf } from '../../src/compiler/narrowest.ts'
import { allPasses, type Passes } from '../../src/compiler/passes.ts'
import { compile } from '../../src/compiler/compile.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { bytesPerElement, viewAs } from '../../src/graph/dtype.ts'
import { sizeOf } from '../../src/graph/shape.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { range } from '../../src/prelude/array.ts'
import { inputsOf, outputsOf, programs } from '../../proof/fuzz/program.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()

const bodiesOf = (kernel: Kernel): readonly number[] => {
  if (kernel.kind === 'elementwise' || kernel.kind === 'reduce') return [operationsIn(kernel.body)]
  const ended = kernel.kind === 'gemm' || kernel.kind === 'conv' ? kernel.epilogue : undefined
  return ended === undefined ? [] : [operationsIn(ended)]
}

const within = ({ program }: Plan, limits: Partial<Limits>, passes: Partial<Passes> = {}): Plan =>
  compile(program, { passes: { ...allPasses, ...passes }, limits: { ...usualLimits, ...limits } })

const sines =
  (n: number) =>
  (x: Tensor): Tensor =>
    range(n).reduce((y) => y.sin(), x)

const planOf = (f: (x: Tensor) => Tensor | readonly Tensor[], x: Tensor): Plan => device.compile(f).plan(x)

/** The bytes of each output, of inputs that are all bytes 1, 2, 3 … taken modulo 60. */
const run = async (backend: Backend, plan: Plan): Promise<readonly number[][]> => {
  const memory = (bytes: number): Memory => backend.allocate(bytes)
  const inputs = plan.arguments.map(({ shape, dtype }, k) => {
    const values = viewAs(dtype, new ArrayBuffer(sizeOf(shape) * bytesPerElement[dtype]), 0, sizeOf(shape))
    values.forEach((_, i) => {
      values[i] = dtype === 'bool' ? i % 2 : ((7 * i + k) % 60) + 1
    })
    const held = memory(values.byteLength)
    backend.write(held, values)
    return held
  })
  const outputs = plan.outputs.map(({ shape, dtype }) => memory(sizeOf(shape) * bytesPerElement[dtype]))
  backend.prepare(plan).run(inputs, outputs)
  return Promise.all(outputs.map(async (m) => Array.from(await backend.read(m))))
}

describe('kernels that would be more code than a backend takes', () => {
  it('800 sines and their gradient run on every backend, with the bits of cpu where functions have them', async () => {
    const slope = grad((x: Tensor) => sines(800)(x).sum())
    for (const backend of [cpuBackend(true), cpuBackend(false), wasmBackend()]) {
      const own = deviceOn(backend)
      const [found] = await own.read(await own.compile(slope)(tensor([0.5])))
      expect(found).toBeCloseTo(0.0016969, 6)
      await own.close()
    }
  }, 60_000)

  it('a chain is cut into stretches as long as they may be, and the reason is recorded', () => {
    const plan = within(planOf(sines(10), zeros([8])), { operations: 3 * operationsOf('sin', 'f32') })
    expect(plan.kernels.map((k) => [k.computes, showReason(k.reason)])).toEqual([
      ...[1, 2, 3].map(() => ['sin sin sin', 'the kernel would be more than 453 operations']),
      ['sin', 'output'],
    ])
  })

  it('a cut is made in the second half of what fits, where the fewest values go on', () => {
    const step = (x: Tensor): Tensor => x.exp().add(x.log()).mul(x.sqrt()) // three values live inside, one between two
    const plan = within(
      planOf((x) => step(step(step(step(x)))), zeros([8])),
      { operations: 2 * 79 + 60 },
    )
    expect(plan.kernels.map((k) => k.computes)).toEqual([
      'exp log add sqrt mul exp log add sqrt mul',
      'exp log add sqrt mul exp log add sqrt mul',
    ])
  })

  it('what is not cut is whole: a kernel of exactly the limit stays one', () => {
    const plan = planOf(sines(3), zeros([8]))
    const counts = [452, 453].map((operations) => within(plan, { operations }).kernels.length)
    expect(counts).toEqual([2, 1])
  })

  it('sums, and what ends a product, are cut too', () => {
    const operations = 2 * operationsOf('sin', 'f32')
    const sum = within(
      planOf((x) => sines(5)(x).sum(), zeros([8])),
      { operations },
    )
    expect(sum.kernels.map((k) => k.computes)).toEqual(['sin sin', 'sin sin', 'sin reduceSum'])
    const product = within(
      planOf((x) => sines(5)(x.matmul(x)), zeros([4, 4])),
      { operations },
    )
    expect(product.kernels.map((k) => k.computes)).toEqual(['dotGeneral sin sin', 'sin sin', 'sin'])
  })

  it('recomputing and joining do not undo the cut', () => {
    const plan = planOf(
      (x) =>
        range(40).map((i) =>
          x
            .mul(i + 2)
            .exp()
            .add(1),
        ),
      zeros([64]),
    )
    const found = within(plan, { operations: 100, buffers: 64 })
    expect(Math.max(...found.kernels.flatMap(bodiesOf))).toBeLessThanOrEqual(100)
    expect(found.kernels.length).toBeLessThan(40)
  })

  it('no bit depends on the limit, and bodies keep to it, but for single operations and what they load', async () => {
    const backend = cpuBackend(true)
    await fc.assert(
      fc.asyncProperty(
        programs(8, 30, ['mixed', 'wild', 'double']),
        fc.constantFrom(1, 40, 200),
        async (program, operations) => {
          const plan = device
            .compile((...inputs: readonly Tensor[]) => outputsOf(program, inputs))
            .plan(...inputsOf(program))
          const [cut, whole] = [within(plan, { operations }), within(plan, { operations: Infinity })]
          expect(await run(backend, cut)).toEqual(await run(backend, whole))
          const loads = 4 * (usualLimits.buffers + 48)
          expect(Math.max(0, ...cut.kernels.flatMap(bodiesOf))).toBeLessThanOrEqual(Math.max(operations, 200) + loads)
        },
      ),
      { seed: 31, numRuns: 60 },
    )
  }, 120_000)

  it('kernels grow with the length of a chain and no faster, and nothing overflows', () => {
    const counts = [1000, 10_000].map((n) => planOf(sines(n), zeros([8])).kernels.length)
    expect(counts).toEqual([38, 371])
    const slope = planOf(
      grad((x: Tensor) => sines(2000)(x).sum()),
      zeros([8]),
    )
    expect(Math.max(...slope.kernels.flatMap(bodiesOf))).toBeLessThanOrEqual(usualLimits.operations)
  }, 60_000)

  it('thousands of operands, literals, results, views and reshapes compile', () => {
    const xs = range(2000).map(() => zeros([2]))
    const sum = device.compile((all: readonly Tensor[]) => all.reduce((a, b) => a.add(b))).plan(xs)
    expect(sum.kernels.length).toBeLessThan(200)
    const x = zeros([64])
    expect(planOf((v) => range(2000).map((i) => v.mul(i)), x).outputs.length).toBe(2000)
    expect(planOf((v) => range(3000).reduce((y, i) => y.mul(i + 0.5).add(i), v), x).kernels.length).toBeLessThan(5)
    const slices = planOf(
      (v) =>
        range(2000)
          .map((i) => v.slice([i % 32, (i % 32) + 32]))
          .reduce((a, b) => a.add(b)),
      x,
    )
    expect(Math.max(...slices.kernels.flatMap(bodiesOf))).toBeLessThanOrEqual(usualLimits.operations)
    const back = (y: Tensor): Tensor => y.reshape([1, 64]).broadcastTo([2, 64]).sum(0)
    expect(planOf((v) => range(1000).reduce((y) => back(y).mul(0.5), v), x).kernels.length).toBeLessThanOrEqual(2000)
  }, 60_000)
})

describe('the narrowest places', () => {
  const nodesOf = (f: (x: Tensor) => Tensor): Plan['program']['nodes'] => planOf(f, zeros([8])).program.nodes.slice(1)

  it('where nothing is too heavy nothing is cut', () => {
    expect(cutsOf(nodesOf(sines(4)), () => 1, 4)).toEqual([])
  })

  it('operations that are too heavy alone are stretches of their own', () => {
    const nodes = nodesOf(sines(4))
    expect(cutsOf(nodes, () => 9, 4)).toEqual(nodes.slice(0, -1))
  })
})
