import { describe, expect, it } from 'vitest'
import { givenAt, initialState, stepperOn, trainingOf, type Task, type TrainState } from '../../src/train/index.ts'
import { overMicroBatches } from '../../src/train/reduce.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice } from '../support/device.ts'
import { tinyConfig } from './tinyRun.ts'

interface Game {
  readonly encoder: Tensor
  readonly model: Tensor
  readonly adversary: { readonly w: Tensor }
}

/** A model that learns 3 in its first phase; in the second it is told by an adversary, and its encoder rests. */
const game = (scale = 1): Task<Game, Tensor, object> => ({
  words: {
    model: 'a game',
    goal: 'of two',
    example: { one: 'a number', many: 'numbers', short: 'n' },
    measured: () => [],
  },
  init: () => ({ encoder: tensor([1]), model: tensor([0.5, 0.5]), adversary: { w: tensor([0.1, 0.2]) } }),
  draws: () => ({}),
  losses: [],
  blank: (count) => zeros([count, 2]),
  loss: {
    phases: { alone: ['encoder', 'model'], against: ['model', 'adversary'] },
    phaseAt: (step) => ({
      name: step <= 2 ? 'alone' : 'against',
      weights: { fit: 1, fooling: step <= 2 ? 0 : 0.1 * step },
    }),
    parts: ['fit', 'fooling'],
    gradients: (params, { phase, batch, weights, differentiate }) => {
      const made = ({ encoder, model }: Omit<Game, 'adversary'>): Tensor => model.mul(encoder).add(batch)
      const fit = (p: Omit<Game, 'adversary'>): Tensor =>
        made(p)
          .sub(3)
          .square()
          .mean()
          .mul(weights['fit'] ?? 1)
      const fooling = (p: Omit<Game, 'adversary'>, w: Tensor): Tensor => made(p).mul(w).mean().neg()
      const { adversary, ...own } = params
      const [loss, gradient] = differentiate(
        (p: Omit<Game, 'adversary'>) =>
          phase === 'alone' ? fit(p) : fit(p).add(fooling(p, adversary.w).mul(weights['fooling'] ?? 0)),
        own,
      )
      const [, against] = differentiate(
        (a: Game['adversary']) =>
          fooling(own, a.w)
            .neg()
            .mul(1000 * scale),
        adversary,
      )
      return {
        gradients: { ...gradient, adversary: against },
        loss,
        parts: { fit: fit(own), fooling: fooling(own, adversary.w) },
      }
    },
  },
})

const trained = async (steps: number, { scale = 1, accumulate = 1 } = {}) => {
  const device = cpuDevice()
  const recipe = {
    ...trainingOf(tinyConfig('unused', { steps: 10, learningRate: 0.1, batch: 2, accumulate })),
    task: game(scale),
  }
  const stepper = stepperOn(device, recipe, overMicroBatches(accumulate))
  const states: ReadonlyMap<string, readonly number[]>[] = []
  const told: Readonly<Record<string, number>>[] = []
  const kept = async (state: TrainState<Game>) => {
    const read = leavesWithPaths(state).map(async ([path, x]) => [path, [...(await device.read(x))]] as const)
    states.push(new Map(await Promise.all(read)))
  }
  let state = await device.realize(initialState(recipe, key(0)))
  await kept(state)
  for (let step = 1; step <= steps; step++) {
    const [next, { parts = {} }] = await stepper.run(
      state,
      (first, count) => tensor(new Float32Array(2 * count).fill(first / 10), { shape: [count, 2] }),
      step,
    )
    state = next
    const read = Object.entries(parts).map(async ([name, x]) => [name, (await device.read(x))[0] ?? NaN] as const)
    told.push(Object.fromEntries(await Promise.all(read)))
    await kept(state)
  }
  return { states, told, recipe }
}

const of = (state: ReadonlyMap<string, readonly number[]> | undefined, ...branches: readonly string[]) =>
  [...(state ?? [])].filter(
    ([path]) => branches.some((branch) => path.split('.').includes(branch)) && !path.startsWith('average'),
  )

describe('A task that learns in phases', () => {
  it('has the learning rate of its phase, and where that has none the run’s', async () => {
    const recipe = { ...trainingOf(tinyConfig('unused', { steps: 10, learningRate: 0.1 })), task: game() }
    const { loss } = recipe.task
    if (typeof loss === 'function' || 'lossAndState' in loss) throw new Error('it has no phases')
    const phaseAt = (step: number) => ({ ...loss.phaseAt(step), ...(step > 2 && { learningRate: 0.03 }) })
    const task = { ...recipe.task, loss: { ...loss, phaseAt } }
    const device = cpuDevice()
    const rateAt = async (step: number) => device.item(givenAt({ ...recipe, task }, step).learningRate)
    expect(await rateAt(2)).toBe(Math.fround(recipe.rateAt(2)))
    expect(await rateAt(3)).toBe(Math.fround(0.03))
    expect(recipe.rateAt(3)).not.toBeCloseTo(0.03)
  })

  it('moves the branches of the phase, and leaves the others and their moments bit for bit', async () => {
    const { states } = await trained(4)
    expect(of(states[2], 'adversary')).toEqual(of(states[0], 'adversary'))
    expect(of(states[4], 'encoder')).toEqual(of(states[2], 'encoder'))
    for (const [before, after, branch] of [
      [0, 2, 'encoder'],
      [0, 2, 'model'],
      [2, 4, 'model'],
      [2, 4, 'adversary'],
    ] as const)
      expect(of(states[after], branch)).not.toEqual(of(states[before], branch))
  })

  it('moves a network by the gradients that are given for it alone: those of its adversary may be of any size', async () => {
    const [one, other] = [await trained(3), await trained(3, { scale: 1e6 })]
    expect(of(one.states[3], 'encoder', 'model')).toEqual(of(other.states[3], 'encoder', 'model'))
  })

  it('begins the count of a network’s moments with its own first step', async () => {
    const { states, recipe } = await trained(3)
    const moved = states[3]
      ?.get('params.adversary.w')
      ?.map((w, i) => w - (states[2]?.get('params.adversary.w')?.[i] ?? 0))
    for (const step of moved ?? []) expect(Math.abs(step)).toBeCloseTo(recipe.rateAt(3), 5) // Adam's first step is its learning rate
  })

  it('tells the parts of its loss, each the mean over the micro-batches', async () => {
    const { told } = await trained(1, { accumulate: 2 })
    const fit = (batch: number): number => (0.5 + batch - 3) ** 2
    expect(told[0]?.['fit']).toBeCloseTo((fit(0) + fit(0.2)) / 2, 5)
  })

  it('is given the weights of the step as buffers', async () => {
    const { recipe } = await trained(0)
    expect(Object.keys(givenAt(recipe, 5).weights ?? {})).toEqual(['fit', 'fooling'])
  })

  it('says which phases there are where a step is in none', async () => {
    const task = game()
    const { loss } = task
    if (typeof loss === 'function') throw new Error('the game has one loss')
    const lost = { ...task, loss: { ...loss, phaseAt: () => ({ name: 'lost', weights: {} }) } }
    const recipe = { ...trainingOf(tinyConfig('unused')), task: lost }
    const device = cpuDevice()
    const run = async () =>
      stepperOn(device, recipe).run(await device.realize(initialState(recipe, key(0))), () => zeros([2, 2]), 1)
    await expect(run()).rejects.toThrow("step 1 is in phase 'lost', and the task has alone, against")
  })
})
