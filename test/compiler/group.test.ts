/** Groups: kernels of one structure that do not need each other run as one; what keeps them apart. */
import { describe, expect, it } from 'vitest'
import { openWasm, wasmBackend } from '../../src/backends/wasm/whole.ts'
import { compile } from '../../src/compiler/compile.ts'
import { operandsOf, resultsOf } from '../../src/compiler/kernel.ts'
import { usualLimits } from '../../src/compiler/limits.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { adamW } from '../../src/optim/index.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, stepByStep } from '../support/device.ts'
import { unorderedBackend } from '../support/unordered.ts'

const device = cpuDevice({ passes: { rows: false } })

const planOf = (f: (...xs: readonly Tensor[]) => unknown, ...xs: readonly Tensor[]): Plan =>
  device.compile(f).plan(...xs)

const shown = (plan: Plan): readonly string[] => plan.kernels.map((k) => k.computes)

const x = (size: number): Tensor => tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(i) * 3))

describe('kernels of one structure', () => {
  it('and any size are one, if none needs another', () => {
    const plan = planOf((a, b, c) => [a, b, c].map((y) => (y ?? x(1)).mul(2)), zeros([10]), zeros([3, 4]), zeros([7]))
    expect(shown(plan)).toEqual(['3 × mul'])
    expect(resultsOf(plan.kernels[0] ?? expect.fail())).toHaveLength(3)
    expect(operandsOf(plan.kernels[0] ?? expect.fail())).toHaveLength(3)
  })

  it('with other numbers in them are of another structure', () => {
    expect(shown(planOf((a, b) => [a?.mul(2), b?.mul(3)], zeros([10]), zeros([12])))).toEqual(['mul', 'mul'])
  })

  it('of which one reads what another writes stay apart', () => {
    expect(shown(planOf((a = x(1)) => [a.sum(0), a.sum(0).reshape([1, 4]).sum(1)], zeros([3, 4])))).toHaveLength(2)
  })

  it('move to the first of them, or where that is too early to the last', () => {
    const f = (a: Tensor, b: Tensor, w: Tensor): readonly Tensor[] => {
      const y = a.matmul(w)
      return [a.sum(0), y, y.sum(0), b.sum(0)]
    }
    const plan = planOf((a = x(1), b = x(1), w = x(1)) => f(a, b, w), zeros([3, 3]), zeros([5, 3]), zeros([3, 3]))
    expect(shown(plan)).toEqual(['dotGeneral', '3 × reduceSum'])
  })

  it('stay where much memory would live longer, though there is room', () => {
    const f = (wide: Tensor, w: Tensor, much: Tensor): readonly Tensor[] => {
      const peak = much.exp().reverse(0).mul(much).max()
      const [early, y] = [wide.exp().reverse(0).sum(0), w.matmul(w)]
      return [peak, early, y.matmul(w).exp().reverse(0).sum(0)]
    }
    const kernelsFor = (columns: number): readonly string[] =>
      shown(
        planOf((a = x(1), w = x(1), b = x(1)) => f(a, w, b), zeros([200, columns]), zeros([30, 30]), zeros([300_000])),
      )
    expect(kernelsFor(80).join()).toContain('2 × reduceSum')
    expect(kernelsFor(90).join()).not.toContain('2 × reduceSum')
  })

  it('stay apart where what their stages leave to each other would need more memory together', () => {
    const all = [0, 1, 2].map(() => zeros([300, 300]))
    const f = (...xs: readonly Tensor[]): readonly Tensor[] => xs.map((y) => softmax(y))
    const { kernels, arenaBytes } = cpuDevice()
      .compile(f)
      .plan(...all)
    expect(kernels.map((k) => k.kind)).toEqual(['rows', 'rows', 'rows'])
    expect(arenaBytes).toBe(
      cpuDevice({ passes: { group: false } })
        .compile(f)
        .plan(...all).arenaBytes,
    )
  })

  it('keep to the number of memories that a backend binds', () => {
    const many = Array.from({ length: 20 }, (_, i) => zeros([i + 1]))
    const { program } = planOf((...all) => all.map((y) => y.exp()), ...many)
    const { kernels } = compile(program, { limits: { ...usualLimits, memories: 8 } })
    expect(kernels.map((k) => operandsOf(k).length)).toEqual([4, 4, 4, 4, 4])
  })
})

describe('an optimizer of many tensors', () => {
  const optimizer = adamW({ learningRate: 0.1, weightDecay: 0.01 })
  type Params = readonly Tensor[]
  const step = (params: Params, state: ReturnType<typeof optimizer.init>, gradients: Params) => {
    const [updates, next] = optimizer.update(gradients, state, params)
    return [params.map((p, i) => p.add(updates[i] ?? p)), next] as const
  }
  const sizes = [1, 3, 10, 300, 5000, 17]
  const given = (phase: number): Params => sizes.map((size) => x(size).mul(0.1).add(phase))

  it('is one kernel, and each of its results lies where what it replaces did', () => {
    const compiled = device.compile(step, { donate: [0, 1] })
    const params = given(0)
    const plan = compiled.plan(params, optimizer.init(params), params)
    expect(plan.kernels.filter((k) => k.kind === 'group')).toHaveLength(1)
    expect(plan.kernels.length).toBeLessThanOrEqual(3)
    expect(plan.overwrites.size).toBe(plan.outputs.length)
  })

  it.each([
    ['cpu, members in any order', () => Promise.resolve(unorderedBackend())],
    ['wasm', () => Promise.resolve(wasmBackend())],
    ['wasm, three threads', () => openWasm({ threads: 3, sharing: 'all' })],
  ] as const)('has the bits of one kernel after the other, on %s', async (_, open) => {
    const backend = await open()
    const run = async (on: Device): Promise<unknown> => {
      const f = on.compile(step, { donate: [0, 1] })
      let state = await on.realize([given(0), optimizer.init(given(0))] as const)
      for (let i = 0; i < 3; i++) state = await f(state[0], state[1], given(i))
      return Promise.all([...state[0]].map((t) => on.read(t)))
    }
    expect(await run(deviceOn(backend))).toEqual(await run(deviceOn(backend, { passes: stepByStep })))
    await backend.close()
  })
})

/** Results on a device, of copies of what is given, all of it donated. */
const resultsOn = async (
  on: Device,
  f: (...xs: readonly Tensor[]) => readonly Tensor[],
  given: readonly Tensor[],
): Promise<unknown> => {
  const copies = await on.realize(given.map((t) => t.mul(1)))
  const results = await on.compile(f, { donate: given.map((_, i) => i) })(...copies)
  return Promise.all(results.map((y) => on.read(y)))
}

describe('kernels move, and values stay,', () => {
  const cases: readonly (readonly [string, (...xs: readonly Tensor[]) => readonly Tensor[], readonly Tensor[]])[] = [
    [
      'where an argument is written over behind the first of them',
      (a = x(1), b = x(1)) => [b.mul(2), a.reverse(0).sum(0), a.mul(2)],
      [x(40).reshape([8, 5]), x(7)],
    ],
    [
      'where an argument is written over before the last of them',
      (a = x(1), w = x(1)) => {
        const sum = a.reverse(0).sum(0)
        const updated = a.mul(2)
        return [sum, updated, updated.matmul(w).reverse(1).sum(0)]
      },
      [x(36).reshape([6, 6]), x(36).reshape([6, 6])],
    ],
    [
      'where one of two leaves, and the other still reads what an earlier one makes',
      (a = x(1), w = x(1), much = x(1)) => {
        const peak = much.exp().reverse(0).mul(much).sum() // more memory than all that follows
        const first = a.exp()
        const [leaves, stays] = [first.reverse(1).sum(0), first.reverse(0).sum(0)]
        const later = stays.reshape([1, 6]).matmul(w).reverse(1).exp()
        return [peak, leaves, later.matmul(w).reverse(1).sum(0)]
      },
      [x(24).reshape([4, 6]).mul(0.1), x(36).reshape([6, 6]).mul(0.1), x(5000)],
    ],
    [
      'where each needs memory of its own for partial sums',
      (...all) => all.map((y) => y.sum()),
      [40_000, 50_000, 30_000].map((size) => x(size)),
    ],
  ]
  it.each(cases)('%s', async (_, f, given) => {
    const plain = await resultsOn(cpuDevice({ fused: false }), f, given)
    expect(await resultsOn(device, f, given)).toEqual(plain)
    expect(await resultsOn(cpuDevice(), f, given)).toEqual(plain)
    const [all, apart] = [deviceOn(wasmBackend()), deviceOn(wasmBackend(), { passes: stepByStep })]
    expect(await resultsOn(all, f, given)).toEqual(await resultsOn(apart, f, given))
  })
})
