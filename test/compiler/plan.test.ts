/** Plans: where buffers lie, how wide kernels are, what work is counted, and that large graphs compile in linear time. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { operandsOf, resultsOf, stepsOf } from '../../src/compiler/kernel.ts'
import { usualLimits } from '../../src/compiler/limits.ts'
import { alignedBytes, alignment } from '../../src/compiler/arena.ts'
import { flopsOf } from '../../src/compiler/cost.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { bytesPerElement } from '../../src/graph/dtype.ts'
import { argsort, concatenate } from '../../src/tensor/combine.ts'
import { checkpoint } from '../../src/tensor/annotate.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { iota, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms, stepByStep } from '../support/device.ts'
import { gradientOf } from '../../proof/fuzz/checks.ts'
import { inputsOf, outputsOf, programs } from '../../proof/fuzz/program.ts'

const device = cpuDevice()

const planOf = (f: (...xs: readonly Tensor[]) => unknown, ...xs: readonly Tensor[]): Plan =>
  device.compile(f).plan(...xs)

interface Life {
  readonly buffer: number
  readonly from: number
  readonly to: number
  readonly start: number
  readonly end: number
}

/** From the kernel that writes a temporary to the last that reads it, and the bytes that it holds meanwhile. */
const lives = (plan: Plan): readonly Life[] =>
  plan.kernels.flatMap((kernel, i) =>
    resultsOf(kernel).flatMap(({ buffer: number }) => {
      const buffer = plan.buffers[number]
      if (buffer?.placement.kind !== 'temporary') return []
      const reads = plan.kernels.flatMap((k, j) => (operandsOf(k).some((o) => o.buffer === number) ? [j] : []))
      const start = buffer.placement.offset
      const end = start + buffer.length * bytesPerElement[buffer.dtype]
      return [{ buffer: number, from: i, to: Math.max(i, ...reads), start, end }]
    }),
  )

const expectSound = (plan: Plan, most = usualLimits.buffers): void => {
  const all = lives(plan)
  for (const [i, a] of all.entries()) {
    expect(a.start % alignment).toBe(0)
    expect(a.end).toBeLessThanOrEqual(plan.arenaBytes)
    for (const b of all.slice(i + 1))
      if (a.from <= b.to && b.from <= a.to && a.start < b.end && b.start < a.end) expect([a, b]).toBe('apart')
  }
  const written = new Set<number>()
  plan.kernels.forEach((kernel) => {
    for (const step of stepsOf(kernel)) {
      const touched = new Set([...operandsOf(step), ...resultsOf(step)].map(({ buffer }) => buffer))
      if (step.kind !== 'place') expect(touched.size).toBeLessThanOrEqual(most)
    }
    const reads = new Set(operandsOf(kernel).map((o) => o.buffer))
    const results = resultsOf(kernel).map((r) => r.buffer)
    for (const b of results) expect([reads.has(b), written.has(b)]).toEqual([false, false])
    expect(new Set(results).size).toBe(results.length)
    for (const b of reads) {
      const kind = plan.buffers[b]?.placement.kind
      if (kind === 'temporary' || kind === 'output') expect(written.has(b)).toBe(true)
    }
    for (const b of results) written.add(b)
  })
  const outputs = plan.buffers.flatMap((b, i) =>
    b.placement.kind === 'output' && written.has(i) ? [b.placement.index] : [],
  )
  expect(outputs.toSorted((a, b) => a - b)).toEqual(plan.outputs.map((_, i) => i))
}

it('literals of a plan lie in one block, apart, on aligned offsets', async () => {
  const tables = [3, 100, 0, 1].map((n) => Float32Array.from({ length: n }, (_, i) => i + n))
  const f = device.compile((x: Tensor) => tables.map((values) => tensor(values).mul(x)))
  const plan = f.plan(scalar(2))
  const offsets = plan.buffers.flatMap(({ placement: p }) => (p.kind === 'literal' ? [p.offset] : []))
  expect(offsets.length).toBeGreaterThanOrEqual(3)
  expect(offsets.every((offset) => offset % alignment === 0 && offset <= plan.literalBytes)).toBe(true)
  const results = await f(scalar(2))
  for (const [i, values] of tables.entries()) {
    const result = results[i]
    if (result === undefined) throw new Error('a result is missing')
    expect([...(await device.read(result))]).toEqual([...values].map((v) => 2 * v))
  }
})

describe('plans of random programs', () => {
  it('temporaries that live together lie apart; everything is written once, before it is read; kernels keep to the limit of buffers', () => {
    fc.assert(
      fc.property(programs(5, 60), (program) => {
        expectSound(planOf((...inputs) => outputsOf(program, inputs), ...inputsOf(program)))
      }),
      { seed: 21, numRuns: 200 },
    )
  })

  it('the same holds for values of very different sizes', () => {
    const step = fc.record({ kind: fc.nat(3), a: fc.nat(), b: fc.nat(), size: fc.integer({ min: 1, max: 40 }) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 30 }), (steps) => {
        const run = (x: Tensor): readonly Tensor[] => {
          const values = [x]
          const pick = (i: number): Tensor => values[i % values.length] ?? x
          for (const { kind, a, b, size } of steps) {
            const [p, q] = [pick(a), pick(b)]
            const longer = (y: Tensor): Tensor => y.pad([0], [64 * size]).slice([0, 64 * size])
            if (kind === 0) values.push(longer(p))
            else if (kind === 1) values.push(concatenate([p, q], 0).slice([0, 64 * size]))
            else if (kind === 2) values.push(argsort(p).cast('f32'))
            else values.push(p.sub(p.max(0, true)).exp().mul(q.sum()))
          }
          return [values.reduce((sum, y) => sum.add(y.sum()), x.sum())]
        }
        expectSound(planOf((...[x]) => run(x ?? zeros([64])), zeros([64])))
      }),
      { seed: 23, numRuns: 150 },
    )
  })

  it('the same holds for their gradients', () => {
    fc.assert(
      fc.property(programs(5, 30), (program) => {
        const f = (...inputs: readonly Tensor[]): readonly Tensor[] => outputsOf(program, inputs, 'checkpoint')
        expectSound(planOf(gradientOf(f), ...inputsOf(program)))
      }),
      { seed: 22, numRuns: 100 },
    )
  })
})

describe('fusion', () => {
  const x = zeros([4, 5])
  const device = cpuDevice({ passes: stepByStep })
  const planOf = (f: (...xs: readonly Tensor[]) => unknown, ...xs: readonly Tensor[]): Plan =>
    device.compile(f).plan(...xs)

  it('a chain of elementwise operations and the sum at its end is one kernel', () => {
    const { kernels } = planOf((a) => a.mul(2).add(1).tanh().square().sum(1), x)
    expect(kernels.map((k) => [k.kind, k.computes])).toEqual([['reduce', 'mul add tanh mul reduceSum']])
  })

  it('what is cheap is computed again in each kernel that needs it, and neither written nor read', () => {
    const normalised = (a: Tensor): Tensor => a.div(a.square().sum(1, true).sqrt())
    const plan = planOf((a) => [normalised(a).mul(3).exp().sum(0), normalised(a).exp().sum(1)], zeros([40, 50]))
    expect(plan.kernels.map((k) => k.computes)).toEqual([
      'mul reduceSum',
      'sqrt',
      'div mul exp reduceSum',
      'div exp reduceSum',
    ])
  })

  it('what is dear, or reads more than it is, is written once', () => {
    const kernels = (f: (a: Tensor, b: Tensor) => Tensor): readonly string[] => {
      const both = (a: Tensor, b: Tensor): readonly Tensor[] => [f(a, b).sum(0), f(a, b).sum(1)]
      return planOf((a, b) => both(a ?? x, b ?? x), zeros([40, 50]), zeros([40, 50])).kernels.map((k) => k.computes)
    }
    expect(kernels((a) => a.exp())).toEqual(['exp', 'reduceSum', 'reduceSum'])
    expect(kernels((a, b) => a.add(b))).toEqual(['add', 'reduceSum', 'reduceSum'])
    expect(kernels((a, b) => a.add(b.slice([0, 1])))).toEqual(['add reduceSum', 'add reduceSum'])
  })

  it('what a contraction ends with is written by it, however many use it', () => {
    const f = (a: Tensor, w: Tensor): readonly Tensor[] => {
      const y = a.matmul(w).add(1)
      return [y.sum(0), y.sum(1)]
    }
    const { kernels } = planOf((a, w) => f(a ?? x, w ?? x), zeros([40, 50]), zeros([50, 40]))
    expect(kernels.map((k) => k.computes)).toEqual(['dotGeneral add', 'reduceSum', 'reduceSum'])
  })

  it('movement costs no kernel', () => {
    const { kernels } = planOf((a) => a.transpose().reverse(0).slice([1], [0, 4, 2]).add(1), x)
    expect(kernels.map((k) => k.computes)).toEqual(['add'])
  })

  it('a sum of 24 tensors is cut into kernels within the limit of buffers', () => {
    const many = Array.from({ length: 24 }, () => zeros([5]))
    const plan = planOf((...all) => all.reduce((a, b) => a.add(b)), ...many)
    expectSound(plan)
    expect(plan.kernels.length).toBeLessThanOrEqual(5)
  })

  it.each(Array.from({ length: 14 }, (_, i) => i + 2))(
    'a sum of %i tensors keeps to the limit, and is right',
    async (n) => {
      const many = Array.from({ length: n }, (_, i) => tensor([2 ** i, -1]))
      const sum = (...all: readonly Tensor[]): Tensor => all.reduce((a, b) => a.add(b))
      expectSound(planOf(sum, ...many))
      expect([...(await device.read(await device.compile(sum)(...many)))]).toEqual([2 ** n - 1, -n])
    },
  )

  it('a common subexpression is computed once, in forward and backward passes alike', () => {
    const { program } = planOf((a) => grad((p: Tensor) => p.exp().mul(p.exp()).sum())(a), x)
    expect(program.nodes.filter((n) => n.op === 'exp').length).toBe(1)
  })

  it('memory of values that are no longer needed is used again', () => {
    const chain = (a: Tensor): Tensor => Array.from({ length: 40 }).reduce<Tensor>((h) => softmax(h, 0), a)
    expect(device.compile(chain).plan(zeros([64, 64])).arenaBytes).toBeLessThanOrEqual(
      4 * alignedBytes({ dtype: 'f32', length: 64 * 64 }),
    )
  })
})

describe('work', () => {
  it('a matrix product is 2·M·N·K operations', () => {
    expect(flopsOf(planOf((a, b) => a.matmul(b), zeros([8, 16]), zeros([16, 32])))).toBe(2 * 8 * 16 * 32)
  })

  it('a convolution is 2 · outputs · taps · channels of a group', () => {
    const plan = planOf((a, w) => conv2d(a, w, { padding: 1, groups: 2 }), zeros([2, 10, 12, 8]), zeros([3, 3, 4, 6]))
    expect(flopsOf(plan)).toBe(2 * (2 * 10 * 12 * 6) * (3 * 3 * 4))
  })

  it('the backward pass of a convolution costs twice its forward pass', () => {
    const f = (a: Tensor, w: Tensor): Tensor => conv2d(a, w, { padding: 1 }).sum()
    const convs = (plan: Plan): number => plan.kernels.filter((k) => k.kind === 'conv').reduce((s, k) => s + k.flops, 0)
    const [a, w] = [zeros([2, 10, 12, 4]), zeros([3, 3, 4, 4])]
    const backward = planOf((p, q) => grad(([y, v]: readonly [Tensor, Tensor]) => f(y, v).square())([p, q]), a, w)
    expect(convs(backward) / convs(planOf((p, q) => f(p, q), a, w))).toBeCloseTo(3, 5)
  })
})

describe.each(cpuForms)('large graphs on cpu, %s', (_, open) => {
  const own = open()

  it('a chain of 20,000 operations compiles and runs', async () => {
    const f = own.compile((x: Tensor) => {
      let y = x
      for (let i = 0; i < 10_000; i++) y = y.add(1).reshape(i % 2 === 0 ? [2, 1] : [2])
      return y
    })
    expect([...(await own.read(await f(tensor([0, 0.5]))))]).toEqual([10_000, 10_000.5])
  }, 30_000)

  it('the gradient of a chain of 5,000 operations compiles and runs', async () => {
    const loss = (x: Tensor): Tensor => {
      let y = x
      for (let i = 0; i < 2_500; i++) y = y.mul(-1).sin()
      return y.sum()
    }
    expect([...(await own.read(await own.compile((x: Tensor) => grad(loss)(x))(tensor([0]))))]).toEqual([1])
  }, 30_000)

  it('a sum of 2,000 different values compiles and runs', async () => {
    const f = own.compile((xs: readonly Tensor[]) => xs.reduce((a, b) => a.add(b)))
    expect([...(await own.read(await f(Array.from({ length: 2_000 }, (__, i) => tensor([i, 1])))))]).toEqual([
      1_999_000, 2_000,
    ])
  }, 30_000)

  it('a chain of 1,000 checkpoints is differentiated', async () => {
    const block = checkpoint((y: Tensor): { readonly a: Tensor; readonly b: Tensor } => ({ a: y.sin(), b: y }))
    const loss = (x: Tensor): Tensor => {
      let y = x
      for (let i = 0; i < 1_000; i++) y = block(y).a
      return y.sum()
    }
    expect([...(await own.read(await own.compile((x: Tensor) => grad(loss)(x))(tensor([0]))))]).toEqual([1])
  }, 30_000)

  it('checkpoints in checkpoints, ten deep with two results each, are expanded once each', async () => {
    const nest = (depth: number): ((y: Tensor) => readonly [Tensor, Tensor]) =>
      checkpoint((y: Tensor): readonly [Tensor, Tensor] => {
        if (depth === 0) return [y.sin(), y.cos()]
        const [a, b] = nest(depth - 1)(y)
        return [a.mul(b), b.add(a)]
      })
    const f = own.compile((x: Tensor) => grad((y: Tensor) => nest(10)(y)[0].sum())(x))
    expect((await own.read(await f(tensor([0.5]))))[0]).not.toBeNaN()
    expect((await own.read(grad((y: Tensor) => nest(6)(y)[0].sum())(iota([1], 0).cast('f32'))))[0]).not.toBeNaN()
  }, 30_000)
})
