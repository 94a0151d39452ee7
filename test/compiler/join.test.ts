/** Kernels with several results: what is joined, what is not, and that a joined kernel taken apart is what it was. */
import { describe, expect, it } from 'vitest'
import { operandsOf, resultsOf, type ElementwiseKernel } from '../../src/compiler/kernel.ts'
import { separated } from '../../src/compiler/join.ts'
import { usualLimits } from '../../src/compiler/limits.ts'
import { compile } from '../../src/compiler/compile.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { adam } from '../../src/optim/index.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, stepByStep } from '../support/device.ts'

const device = cpuDevice({ passes: stepByStep })
const long = (phase: number): Tensor => tensor(Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i + phase)))
const [a, b] = [long(0), long(1)]

type Program = (a: Tensor, b: Tensor) => readonly Tensor[]

const planOf = (f: Program): Plan => device.compile(f).plan(a, b)

/** Kernels as `operations → number of results`. */
const shown = (plan: Plan): readonly string[] => plan.kernels.map((k) => `${k.computes} → ${resultsOf(k).length}`)

const expectSameBits = async (f: Program): Promise<void> => {
  const run = async (own: typeof device): Promise<unknown> =>
    Promise.all((await own.compile(f)(...(await own.realize([a.mul(1), b.mul(1)] as const)))).map((t) => own.read(t)))
  const plain = await run(cpuDevice({ fused: false }))
  expect(await run(device)).toEqual(plain)
  expect(await run(deviceOn(cpuBackend(true), { passes: { join: false } }))).toEqual(plain)
}

describe('elementwise kernels', () => {
  it('that read the same are one, and read it once', async () => {
    const f: Program = (x, y) => [x.add(y), x.mul(y), x.exp().mul(y)]
    const plan = planOf(f)
    expect(shown(plan)).toEqual(['add mul exp mul → 3'])
    expect(operandsOf(plan.kernels[0] as ElementwiseKernel).length).toBe(2)
    await expectSameBits(f)
  })

  it('of which one reads what the other writes are one; what nobody else reads is not written', async () => {
    const f: Program = (x) => {
      const gate = x.sigmoid() // dear: not computed twice
      return [x.mul(gate), gate.add(1)]
    }
    expect(shown(planOf(f))).toEqual(['logistic mul add → 2'])
    await expectSameBits(f)
  })

  it('with results of several dtypes, halves among them, are one', async () => {
    const f: Program = (x, y) => [x.less(y), x.cast('f16').add(1), x.add(y), x.mul(y).cast('f16'), x.cast('i32')]
    expect(planOf(f).kernels.length).toBe(1)
    await expectSameBits(f)
  })

  it('of which one reads another order of what the other writes stay apart', async () => {
    const f: Program = (x) => {
      const y = x.exp()
      return [y, y.reverse(0).mul(x)]
    }
    expect(shown(planOf(f))).toEqual(['exp → 1', 'mul → 1'])
    await expectSameBits(f)
  })

  it('with a sum between them stay apart', async () => {
    const f: Program = (x) => {
      const y = x.exp()
      return [y.div(y.sum())]
    }
    expect(shown(planOf(f))).toEqual(['exp → 1', 'reduceSum → 1', 'div → 1'])
    await expectSameBits(f)
  })

  it('of other sizes, and those without a common operand, stay apart', () => {
    expect(shown(planOf((x, y) => [x.mul(2), y.mul(2), x.slice([0, 10]).mul(2)]))).toEqual([
      'mul → 1',
      'mul → 1',
      'mul → 1',
    ])
  })

  it('that compute the same for two results stay apart', async () => {
    const twice = deviceOn(cpuBackend(true), { passes: { merge: false } })
    const f: Program = (x) => [x.exp(), x.exp()]
    const [first, second] = await twice.compile(f)(a, b)
    expect(await twice.read(first ?? a)).toEqual(await twice.read(second ?? b))
  })

  it('are joined up to the number of buffers that a backend binds', () => {
    const { program } = planOf((x, y) => [x.add(y), x.mul(y), x.less(y), x.div(y)])
    const results = (buffers: number): readonly number[] =>
      compile(program, { limits: { ...usualLimits, buffers } }).kernels.map((k) => resultsOf(k).length)
    expect([results(3), results(4), results(6)]).toEqual([[1, 1, 1, 1], [2, 2], [4]])
  })

  it('are Adam: parameters and both moments of a tensor are one kernel', () => {
    const optimizer = adam({ learningRate: 0.1 })
    const params = { w: zeros([300]) }
    const plan = device
      .compile((p: typeof params, g: typeof params, s: ReturnType<typeof optimizer.init>) => optimizer.update(g, s, p))
      .plan(params, params, optimizer.init(params))
    const wide = plan.kernels.filter((k) => plan.buffers[k.output]?.length === 300)
    expect(wide.map((k) => resultsOf(k).length)).toEqual([3])
  })
})

describe('a kernel taken apart', () => {
  it('is a kernel for each result, which loads what those before it have written', () => {
    const [kernel] = planOf((x, y) => [x.add(y), x.add(y).exp(), x.add(y).exp().mul(y)]).kernels
    if (kernel?.kind !== 'elementwise') throw new Error('the plan has no elementwise kernel')
    const parts = separated(kernel)
    expect(parts.map((k) => k.computes)).toEqual(['add', 'exp', 'mul'])
    expect(parts.map((k) => k.output)).toEqual(resultsOf(kernel).map((r) => r.buffer))
    expect(parts.every((k) => resultsOf(k).length === 1)).toBe(true)
    expect(operandsOf(parts[1] ?? kernel).map((o) => o.buffer)).toEqual([parts[0]?.output])
    expect(parts.reduce((sum, k) => sum + k.flops, 0)).toBe(kernel.flops)
  })
})
