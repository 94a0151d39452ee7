/** Outputs in the place of donated arguments: where that is allowed, where not, and that values do not depend on it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { operandsOf, resultsOf } from '../../src/compiler/kernel.ts'
import { memoryOf } from '../../src/compiler/cost.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { zeros } from '../../src/tensor/create.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms } from '../support/device.ts'
import { inputsOf, outputsOf, programs } from '../../proof/fuzz/program.ts'

const device = cpuDevice()

const donating = (f: (...xs: readonly Tensor[]) => unknown, ...xs: readonly Tensor[]): Plan =>
  device.compile(f, { donate: xs.map((_, i) => i) }).plan(...xs)

const pairs = ({ overwrites }: Plan): readonly (readonly [output: number, argument: number])[] =>
  [...overwrites].toSorted(([a], [b]) => a - b)

const [x, p, m, v, g] = [zeros([8]), zeros([8]), zeros([8]), zeros([8]), zeros([8])]

/** Adam without its details: two moments and the parameter, from all of them and the gradient. */
const update = (p = x, m = x, v = x, g = x): readonly Tensor[] => {
  const [first, second] = [m.mul(0.9).add(g.mul(0.1)), v.mul(0.99).add(g.square().mul(0.01))]
  return [p.sub(first.div(second.sqrt().add(1e-8))), first, second]
}

describe('overwritesOf', () => {
  it('writes each part of an optimizer’s state over what it replaces, in one kernel', () => {
    const plan = donating(update, p, m, v, g)
    expect(plan.kernels).toHaveLength(1)
    expect(pairs(plan)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ])
  })

  it('overwrites nothing that was not donated', () => {
    expect(pairs(device.compile(update).plan(p, m, v, g))).toEqual([])
    expect(pairs(device.compile(update, { donate: [1] }).plan(p, m, v, g))).toEqual([[1, 1]])
  })

  it('an argument that is read out of step, or by a later kernel, keeps its place', () => {
    expect(pairs(donating((a = x) => a.reverse([0]).add(a), x))).toEqual([])
    expect(pairs(donating((a = x) => [a.mul(2), a.sum().add(a)], x))).toEqual([[1, 0]])
    expect(pairs(donating((a = x) => a.reshape([2, 4]).transpose(), x))).toEqual([])
  })

  it('a part of an argument is not read in step with wider elements in as many bytes', () => {
    const half = (a = x): Tensor => a.reshape([8]).slice([0, 4]).cast('f16')
    expect(pairs(donating(half, zeros([4, 2], 'bool')))).toEqual([])
    expect(pairs(donating((a = x) => a.cast('i32'), zeros([4])))).toEqual([[0, 0]])
  })

  it('of two results that need an argument the later one takes it', () => {
    const plan = donating((a = x) => [a.add(1), a.mul(2)], x)
    expect(plan.kernels).toHaveLength(1)
    const results = plan.kernels.flatMap((k) => resultsOf(k).map((r) => plan.buffers[r.buffer]?.placement))
    expect(pairs(plan)).toEqual([[(results.at(-1) as { readonly index: number }).index, 0]])
  })

  it('a result may lie where an argument did that was read before, though not where one of another size did', () => {
    const square = zeros([8, 8])
    expect(pairs(donating((a = x, b = x) => a.matmul(b).sum(1).exp(), square, square))).toEqual([])
    expect(
      pairs(
        donating(
          (a = x, b = x) =>
            a
              .add(b)
              .sum()
              .add(zeros([8, 8])),
          square,
          square,
        ),
      ),
    ).toHaveLength(1)
  })

  it('no argument has two results, and nothing reads it after it was written over', () => {
    fc.assert(
      fc.property(programs(5, 40), (program) => {
        const given = inputsOf(program)
        const plan = donating((...xs) => outputsOf(program, xs), ...given)
        expect(new Set(plan.overwrites.values()).size).toBe(plan.overwrites.size)
        for (const [output, argument] of plan.overwrites) {
          const place = plan.kernels.findIndex((k) =>
            resultsOf(k).some((r) => {
              const placement = plan.buffers[r.buffer]?.placement
              return placement?.kind === 'output' && placement.index === output
            }),
          )
          for (const kernel of plan.kernels.slice(place + 1))
            for (const { buffer } of operandsOf(kernel)) {
              const placement = plan.buffers[buffer]?.placement
              expect(placement?.kind === 'argument' && placement.index === argument).toBe(false)
            }
        }
      }),
    )
  })

  it('memoryOf counts an output in the place of an argument once', () => {
    expect(memoryOf(donating((a = x) => a.add(1), x))).toBe(32)
    expect(memoryOf(device.compile((a: Tensor) => a.add(1)).plan(zeros([8])))).toBe(64)
  })
})

const values = async (on: Device, tree: readonly Tensor[]): Promise<readonly (readonly number[])[]> => {
  const all = []
  for (const each of tree) all.push([...(await on.read(each))])
  return all
}

const forms: readonly (readonly [string, () => Device])[] = [...cpuForms, ['on wasm', () => deviceOn(wasmBackend())]]

describe.each(forms)('donating changes no value, %s', (_, open) => {
  it('of random programs', async () => {
    const on = open()
    await fc.assert(
      fc.asyncProperty(programs(5, 40), async (program) => {
        const f = (...xs: readonly Tensor[]): readonly Tensor[] => outputsOf(program, xs)
        const given = inputsOf(program)
        const copies = await on.realize(given.map((t) => t.reshape(t.shape)))
        const kept = await values(on, await on.compile(f)(...given))
        const donated = await on.compile(f, { donate: given.map((_, i) => i) })(...copies)
        expect(await values(on, donated)).toEqual(kept)
      }),
      { numRuns: 60 },
    )
    await on.close()
  })
})
