/** vmap of loops: one loop over all slices, whatever of it differs from slice to slice. */
import { afterAll, describe, expect, it } from 'vitest'
import { grad, jvp, vmap } from '../../src/autograd/index.ts'
import { lstm } from '../../src/nn/index.ts'
import { stack } from '../../src/tensor/combine.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { scan } from '../../src/tensor/scan.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { range } from '../../src/prelude/array.ts'
import { openDevice } from '../../src/tensor/device.ts'
import { cpuDevice } from '../support/device.ts'

const devices = [
  ['cpu', cpuDevice()],
  ['wasm', await openDevice('wasm', { wasm: { threads: 1 } })],
] as const
afterAll(async () => {
  for (const [, device] of devices) await device.close()
})

const slices = 3
const xs = normal(key(1), [slices, 4, 2])
const inits = normal(key(2), [slices, 2])
const weights = normal(key(3), [slices, 2, 2])
const one = (x: Tensor, i: number): Tensor => x.slice([i, i + 1]).reshape(x.shape.slice(1))

interface Cell {
  readonly xs: Tensor
  readonly init: Tensor
  readonly weight: Tensor
}

/** A small recurrent network: its last state, its states squared, and the sum of all inputs so far, which knows nothing of the weight. */
const network = ({ xs: over, init, weight }: Cell): readonly Tensor[] => {
  const [[last, total], [squares, totals]] = scan(
    ([h, sum]: readonly [Tensor, Tensor], x: Tensor) => {
      const next = h.expandDims(0).matmul(weight).reshape([2]).add(x).tanh()
      const more = sum.add(x.sum())
      return [[next, more] as const, [next.square(), more] as const] as const
    },
    [init, scalar(0)] as const,
    over,
  )
  return [last, total, squares, totals]
}

const given = (which: readonly string[]): Cell => ({
  xs: which.includes('xs') ? xs : one(xs, 0),
  init: which.includes('init') ? inits : one(inits, 0),
  weight: which.includes('weight') ? weights : one(weights, 0),
})
const axesOf = (which: readonly string[]) => ({
  xs: which.includes('xs') ? 0 : null,
  init: which.includes('init') ? 0 : null,
  weight: which.includes('weight') ? 0 : null,
})
const sliceOf = (cell: Cell, which: readonly string[], i: number): Cell => ({
  xs: which.includes('xs') ? one(cell.xs, i) : cell.xs,
  init: which.includes('init') ? one(cell.init, i) : cell.init,
  weight: which.includes('weight') ? one(cell.weight, i) : cell.weight,
})

const combinations = [['xs'], ['init'], ['weight'], ['xs', 'init'], ['init', 'weight'], ['xs', 'init', 'weight']]

const stacked = (f: (i: number) => readonly Tensor[]): readonly Tensor[] => {
  const all = range(slices).map(f)
  return (all[0] ?? []).map((_, k) => stack(all.map((results) => results[k] ?? scalar(NaN))))
}

describe.each(devices)('vmap of a loop, on %s,', (_, device) => {
  const agree = async (a: unknown, b: unknown): Promise<void> => {
    const [found, expected] = [await device.readTree(a), await device.readTree(b)]
    const numbers = (tree: unknown): readonly number[] =>
      (Array.isArray(tree) ? tree : Object.values(tree as object)).flatMap((x: ArrayLike<number>) => Array.from(x))
    const [got, wanted] = [numbers(found), numbers(expected)]
    expect(got.length).toBe(wanted.length)
    expect(wanted.length).toBeGreaterThan(0)
    got.forEach((x, i) => {
      expect(x).toBeCloseTo(wanted[i] ?? NaN, 5)
    })
  }

  it.each(combinations.map((which) => [which.join(' and '), which] as const))(
    'with %s mapped, is the stack of loops',
    async (__, which) => {
      const cell = given(which)
      const all = vmap(network, { in: [axesOf(which)] })(cell)
      await agree(
        all,
        stacked((i) => network(sliceOf(cell, which, i))),
      )
    },
  )

  it.each(combinations.map((which) => [which.join(' and '), which] as const))(
    'with %s mapped, has the gradients of each',
    async (__, which) => {
      const cell = given(which)
      const loss = (c: Cell): Tensor => {
        const [last = scalar(0), , squares = scalar(0)] = network(c)
        return last.sum().add(squares.mul(0.3).sum())
      }
      const gradients = (c: Cell): readonly Tensor[] => {
        const g = grad(loss)(c)
        return [g.xs, g.init, g.weight]
      }
      await agree(
        vmap(gradients, { in: [axesOf(which)] })(cell),
        stacked((i) => gradients(sliceOf(cell, which, i))),
      )
      const summed = grad((c: Cell) => vmap(loss, { in: [axesOf(which)] })(c).sum())(cell)
      const byHand = grad((c: Cell) => stack(range(slices).map((i) => loss(sliceOf(c, which, i)))).sum())(cell)
      await agree([summed.xs, summed.init, summed.weight], [byHand.xs, byHand.init, byHand.weight])
    },
  )

  it('inside a loop, inside another vmap, and forward', async () => {
    const cumulative = (v: Tensor): Tensor =>
      scan((c: Tensor, x: Tensor) => [c.add(x), c.mul(x)] as const, scalar(1), v)[1]
    const table = normal(key(4), [2, 3, 4])
    await agree(
      [vmap(vmap(cumulative))(table)],
      [stack(range(2).map((i) => stack(range(3).map((j) => cumulative(one(one(table, i), j))))))],
    )
    const twice = (m: Tensor): Tensor =>
      scan((c: Tensor, row: Tensor) => [c.add(cumulative(row).sum()), c] as const, scalar(0), m)[1]
    await agree([vmap(twice)(table)], [stack(range(2).map((i) => twice(one(table, i))))])
    const { tangent: forward } = jvp(vmap(cumulative), [one(table, 0)], [one(table, 1)])
    await agree(
      [forward],
      [stack(range(3).map((j) => jvp(cumulative, [one(one(table, 0), j)], [one(one(table, 1), j)]).tangent))],
    )
  })

  it('of an LSTM gives ensembles', async () => {
    const cell = lstm(2, 3)
    const params = vmap((k: Tensor) => cell.init(k))(stack(range(slices).map((i) => key(i))))
    const input = normal(key(9), [1, 4, 2])
    const all = vmap((p: typeof params) => cell.apply(p, input))(params)
    expect(all.shape).toEqual([slices, 1, 4, 3])
    await agree([all], [stack(range(slices).map((i) => cell.apply(cell.init(key(i)), input)))])
  })

  it('of no turns and of one', async () => {
    const sums = (v: Tensor): Tensor => scan((c: Tensor, x: Tensor) => [c.add(x), c] as const, scalar(2), v)[0]
    await agree([vmap(sums)(zeros([3, 0]))], [tensor([2, 2, 2])])
    await agree([vmap(sums)(tensor([[1], [5]]))], [tensor([3, 7])])
  })
})
