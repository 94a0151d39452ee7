/** A step that several ranks share: each computes a part of it, and all arrive where one alone would. */
import { describe, expect, it } from 'vitest'
import { batchAt, dataOfSeas } from '../../src/data/index.ts'
import { range } from '../../src/prelude/array.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import {
  initialState,
  overMicroBatches,
  overRanks,
  recipeOf,
  stepperOn,
  steps,
  type Gradients,
  type DiffusionRun,
} from '../../src/train/index.ts'
import { cpuDevice, values } from '../support/device.ts'
import { tinyConfig } from './tinyRun.ts'

const device = cpuDevice()
const data = dataOfSeas({ seed: 0, width: 8, height: 8 })

/** The sum over ranks in one process: each waits for all, and numbers are added in the order of the ranks. */
const summing = (ranks: number) => {
  let given: (readonly ArrayLike<number>[])[] = []
  let arrived: (() => void) | undefined
  let all = new Promise<void>((resolve) => (arrived = resolve))
  return (rank: number) =>
    async <P>(own: Gradients<P>): Promise<Gradients<P>> => {
      const [mine, turn] = [given, all]
      mine[rank] = await Promise.all(leaves(own).map((x) => device.read(x)))
      if (Object.keys(mine).length === ranks) {
        arrived?.()
        given = []
        all = new Promise((resolve) => (arrived = resolve))
      }
      await turn
      let leaf = 0
      return mapTree(own, ({ shape }) => {
        const at = leaf++
        const sum = Float32Array.from(mine[0]?.[at] ?? [], (_, i) =>
          mine.reduce((total, part) => Math.fround(total + (part[at]?.[i] ?? NaN)), 0),
        )
        return tensor(sum, { shape })
      })
    }
}

/** All numbers of the state after two steps, and the losses of both; on each of so many ranks. */
const trained = async (changes: Partial<DiffusionRun>, ranks: number) => {
  const recipe = recipeOf(tinyConfig('unused', changes))
  const sum = summing(ranks)
  const examples = recipe.task.examples((first, count) => batchAt(data, first, count))
  return Promise.all(
    range(ranks).map(async (rank) => {
      const inner = overMicroBatches(recipe.accumulate)
      const reduce = ranks === 1 ? inner : overRanks({ rank, ranks, sum: sum(rank) }, inner)
      const begin = await device.realize(initialState(recipe, key(0)))
      const losses: number[] = []
      let state = begin
      const course = { device, stepper: stepperOn(device, recipe, reduce), examples, steps: 2 }
      for await (const report of steps(course, begin)) {
        losses.push(report.loss)
        state = report.state
      }
      const numbers = new Map<string, readonly number[]>()
      for (const [path, x] of leavesWithPaths(state.opt)) numbers.set(path, await values(x, device))
      return { losses, numbers }
    }),
  )
}

describe('a step that two ranks share', () => {
  it('draws on each the random numbers that its examples have in the whole step, bit for bit', async () => {
    const { draws } = recipeOf(tinyConfig('unused')).task
    const whole = draws(key(7), 4)
    for (const rank of [0, 1]) {
      const half = draws(key(7), 2, scalar(2 * rank, 'u32'))
      for (const name of ['t', 'epsilon', 'mirrored'] as const) {
        const part = (x: Tensor): Tensor => x.cast('f32').slice([2 * rank, 2 * rank + 2])
        expect(await values(half[name].cast('f32'), device), name).toEqual(await values(part(whole[name]), device))
      }
    }
  })

  it.each([
    [1, { batch: 4 }, { batch: 2 }],
    [2, { batch: 4 }, { batch: 1 }],
  ] as const)(
    'with %i micro-batches each, learns what one learns of the whole batch, within rounding',
    async (accumulate, one, two) => {
      const [alone] = await trained(one, 1)
      const [first, second] = await trained({ ...two, accumulate }, 2)
      expect(second).toEqual(first) // both ranks know the same, bit for bit
      first?.losses.forEach((loss, i) => expect(loss).toBeCloseTo(alone?.losses[i] ?? NaN, 5))
      for (const [path, expected] of alone?.numbers ?? []) {
        const scale = Math.max(...expected.map(Math.abs), 1e-30)
        first?.numbers.get(path)?.forEach((x, i) => {
          expect(Math.abs(x - (expected[i] ?? NaN)), `${path}[${i}]`).toBeLessThan(2e-5 * scale)
        })
      }
    },
  )

  it('has the bits of one rank that accumulates as many micro-batches', async () => {
    const [alone] = await trained({ batch: 2, accumulate: 2 }, 1)
    const [first] = await trained({ batch: 2 }, 2)
    expect(first).toEqual(alone)
  })
})

describe('a step of nothing', () => {
  it.each([
    ['no micro-batches', () => overMicroBatches(0), 'overMicroBatches: count is 0; it must be a whole number ≥ 1'],
    [
      'a rank that there is not',
      () => overRanks({ rank: 5, ranks: 2, sum: async (own) => Promise.resolve(own) }, overMicroBatches(1)),
      'overRanks: rank 5 is none of 2, which are counted from 0',
    ],
    ['no pictures', () => stepperOn(device, { ...recipeOf(tinyConfig('unused')), batch: 0 }), 'stepperOn: batch is 0'],
  ])('is refused: %s', (_, make, words) => {
    expect(make).toThrow(words)
  })
})
