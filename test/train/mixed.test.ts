/** Training in mixed precision: it follows f32, a step that overflows changes nothing, and a run that stops goes on bit for bit. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { batchAt, dataOfSeas } from '../../src/data/index.ts'
import { memoryOf } from '../../src/compiler/cost.ts'
import { adam, chain, clipByGlobalNorm, type LossScaleOptions } from '../../src/optim/index.ts'
import { openDevice, type Device } from '../../src/tensor/device.ts'
import { key } from '../../src/tensor/random.ts'
import { leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import {
  configOf,
  decodeConfig,
  initialState,
  overMicroBatches,
  overRanks,
  planTraining,
  recipeOf,
  resume,
  sample,
  load,
  settings,
  stepperOn,
  steps,
  train,
  type Reduce,
  type DiffusionRun,
} from '../../src/train/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { stateFromFiles, stateToFiles } from '../../src/train/stateFiles.ts'
import { requireLeast } from '../../src/train/tasks/diffusion/leastMemory.node.ts'
import { cpuDevice, values } from '../support/device.ts'
import { checkpoints, fingerprints } from './runFiles.ts'
import { directories, done, leftMessage, right, tinyConfig } from './tinyRun.ts'

const fresh = directories()
const device = cpuDevice()
const data = dataOfSeas({ seed: 0, width: 8, height: 8 })

type Tiny = ReturnType<typeof recipeOf>

/** A recipe of the smallest network in mixed precision. */
const mixed = (lossScale: LossScaleOptions = {}, changes: Partial<DiffusionRun> = {}): Tiny => ({
  ...recipeOf(tinyConfig('unused', { precision: 'mixed', ...changes })),
  lossScale,
})

/** All numbers of a state, by their paths. */
const numbersOf = async (state: unknown, on: Device = device): Promise<ReadonlyMap<string, readonly number[]>> =>
  new Map(await Promise.all(leavesWithPaths(state).map(async ([path, x]) => [path, await values(x, on)] as const)))

/** What a step left, in numbers. */
interface Left {
  readonly loss: number
  readonly skipped: number | undefined
  readonly state: ReadonlyMap<string, readonly number[]>
}

/** The numbers of the state before the first step and after each. */
const course = async (recipe: Tiny, count: number, reduce?: Reduce): Promise<readonly Left[]> => {
  const stepper = stepperOn(device, recipe, reduce)
  const begin = await device.realize(initialState(recipe, key(0)))
  const examples = recipe.task.examples((first, n) => batchAt(data, first, n))
  const left: Left[] = [{ loss: NaN, skipped: 0, state: await numbersOf(begin) }]
  for await (const { state, loss, skipped } of steps({ device, stepper, examples, steps: count }, begin))
    left.push({ loss, skipped, state: await numbersOf(state) })
  return left
}

const at = <T>(list: readonly T[], i: number): T => {
  const found = list[i]
  if (found === undefined) throw new Error(`nothing at ${i}`)
  return found
}

/** Those of the parameters, the optimizer and the average. */
const learned = ({ state }: Left): readonly (readonly [string, readonly number[]])[] =>
  [...state].filter(([path]) => !path.startsWith('lossScale'))

const scaleOf = ({ state }: Left): readonly unknown[] =>
  ['scale', 'good', 'skipped'].map((name) => state.get(`lossScale.${name}`)?.[0])

describe('a step that overflows', () => {
  let left: readonly Left[] = []
  beforeAll(async () => {
    left = await course(mixed({ initial: 2 ** 22 }), 12)
  })

  it('changes no bit of parameters, optimizer and average, halves the scale, and is counted; the next ones recover', () => {
    const skipped = left.map((l) => l.skipped ?? NaN)
    const first = skipped.findIndex((n, i) => i > 0 && n === at(skipped, i - 1))
    expect(first).toBeGreaterThan(3)
    expect(first).toBeLessThan(12)
    for (let i = 1; i < first; i++) {
      expect(scaleOf(at(left, i))).toEqual([2 ** (22 - i), 0, i])
      expect(learned(at(left, i))).toEqual(learned(at(left, 0)))
      expect(Number.isFinite(at(left, i).loss)).toBe(true)
    }
    expect(learned(at(left, first))).not.toEqual(learned(at(left, 0)))
    for (const [path, numbers] of at(left, 12).state) expect(numbers.every(Number.isFinite), path).toBe(true)
  })

  it('steps as the first would have: the optimizer’s own count of steps stood still', () => {
    const first = left.findIndex((l, i) => i > 0 && l.skipped === at(left, i - 1).skipped)
    const correction = at(left, first).state.get('opt.1.meanCorrection')?.[0] ?? NaN
    expect(correction).toBeCloseTo(0.1, 6) // 1 − β₁ after one step
  })

  it('is skipped as a whole where one of its micro-batches overflows', async () => {
    const [before, after] = await course(mixed({ initial: 2 ** 40 }, { accumulate: 2 }), 1)
    if (before === undefined || after === undefined) throw new Error('no step was made')
    expect(scaleOf(after)).toEqual([2 ** 39, 0, 1])
    expect(learned(after)).toEqual(learned(before))
  })

  it('is skipped on every rank where it overflows on another', async () => {
    /** The sum over two ranks, where the other brings a gradient that has overflowed. */
    const sum = <P>(own: P): Promise<P> =>
      device.realize(mapTree<P>(own, (x, path) => (path === 'gradients.head.bias' ? x.mul(Infinity) : x)))
    const [before, after] = await course(mixed(), 1, overRanks({ rank: 0, ranks: 2, sum }, overMicroBatches(1)))
    if (before === undefined || after === undefined) throw new Error('no step was made')
    expect(scaleOf(after)).toEqual([2 ** 15, 0, 1])
    expect(learned(after)).toEqual(learned(before))
  })
})

describe('a step in mixed precision', () => {
  it('doubles the scale after so many good steps, and clips gradients that are unscaled: the scale changes next to nothing', async () => {
    const [small, large] = [
      await course(mixed({ initial: 2 ** 8, doubleAfter: 2 }), 4),
      await course(mixed({ initial: 2 ** 14 }), 4),
    ]
    expect(small.map(scaleOf)).toEqual([
      [2 ** 8, 0, 0],
      [2 ** 8, 1, 0],
      [2 ** 9, 0, 0],
      [2 ** 9, 1, 0],
      [2 ** 10, 0, 0],
    ])
    for (const i of [1, 2, 3, 4]) expect(Math.abs(at(small, i).loss / at(large, i).loss - 1)).toBeLessThan(2e-3)
  })

  it('leaves the moments that f32 leaves, as near as halves are: gradients are unscaled before anyone sees them', async () => {
    const optimizer = chain(clipByGlobalNorm(1e9), adam({ beta1: 0.9, beta2: 0.99 })) // clips nothing, scaled or not
    const [wide, narrow] = [
      await course({ ...recipeOf(tinyConfig('unused')), optimizer }, 1),
      await course({ ...mixed(), optimizer }, 1),
    ]
    const momentsOf = (left: Left): readonly number[] =>
      [...left.state].flatMap(([path, numbers]) => (path.startsWith('opt.1.mean.') ? numbers : []))
    const [exact, rounded] = [momentsOf(at(wide, 1)), momentsOf(at(narrow, 1))]
    const norm = (numbers: readonly number[]): number => Math.sqrt(numbers.reduce((sum, n) => sum + n * n, 0))
    expect(norm(exact.map((n, i) => n - at(rounded, i))) / norm(exact)).toBeLessThan(0.1)
  })

  it('in micro-batches arrives where the whole batch does', async () => {
    const [whole, parts] = [
      await course(mixed({}, { batch: 4 }), 2),
      await course(mixed({}, { batch: 2, accumulate: 2 }), 2),
    ]
    for (const i of [1, 2]) expect(Math.abs(at(whole, i).loss / at(parts, i).loss - 1)).toBeLessThan(1e-3)
    expect(scaleOf(at(parts, 2))).toEqual(scaleOf(at(whole, 2)))
  })

  it('refuses a state that was begun by another recipe', async () => {
    const recipe = mixed()
    const { lossScale, ...plain } = initialState(recipe, key(0))
    expect(lossScale).toBeDefined()
    const run = stepperOn(device, recipe).run(await device.realize(plain), recipe.task.examples(batchAt(data, 0, 2)), 1)
    await expect(run).rejects.toThrow(
      'step: the recipe has a loss scale and the state has none; begin with initialState',
    )
  })

  it('of f32 has the plan that it had: no loss scale, no cast', () => {
    const recipe = recipeOf(tinyConfig('unused'))
    const plan = stepperOn(device, recipe).plan(initialState(recipe, key(0)))
    expect(plan.program.nodes.filter((n) => n.dtype === 'f16')).toEqual([])
    expect(Object.keys(initialState(recipe, key(0)))).toEqual(['params', 'opt', 'averages'])
  })

  it('takes less memory, and says so where it is planned', async () => {
    const [wide, narrow] = await Promise.all(
      (['f32', 'mixed'] as const).map(
        async (precision) => (await done(planTraining(tinyConfig('unused', { precision, batch: 32 })))).facts.memory,
      ),
    )
    expect((narrow ?? 0) / (wide ?? 1)).toBeLessThan(0.85)
    const recipe = mixed({}, { batch: 32 })
    const plan = stepperOn(device, recipe).plan(initialState(recipe, key(0)))
    const large = tinyConfig('unused', { precision: 'mixed', batch: 32 })
    right(requireLeast({ name: 'cpu', memoryLimit: memoryOf(plan) }, large)) // the least is no more than the plan
  })
})

/** A network and the seas that it learns. */
interface Small {
  readonly model: { width: number; multipliers: number[]; heads: number; headWidth: number }
  readonly size: number
}

const small: Small = { model: { width: 8, multipliers: [1, 2], heads: 2, headWidth: 4 }, size: 16 }
const smallest: Small = { model: { width: 4, multipliers: [1, 1], heads: 1, headWidth: 4 }, size: 8 }

/** The losses of a network, from the same beginning by the same batches. */
const lossesOf = async (
  on: Device,
  precision: 'f32' | 'mixed',
  { model, size }: Small,
  count: number,
): Promise<readonly number[]> => {
  const sides = { height: size, width: size }
  const recipe = recipeOf(
    right(configOf({ out: 'unused', ...sides, precision, model, batch: 4, learningRate: 1e-3, rate: 'constant' })),
  )
  const seas = dataOfSeas({ seed: 0, size })
  const examples = recipe.task.examples((first, n) => batchAt(seas, first, n))
  const begin = await on.realize(initialState(recipe, key(0)))
  const losses: number[] = []
  for await (const { loss } of steps({ device: on, stepper: stepperOn(on, recipe), examples, steps: count }, begin))
    losses.push(loss)
  return losses
}

/** Means of ten losses, one behind the other. */
const smoothed = (losses: readonly number[]): readonly number[] =>
  Array.from({ length: Math.floor(losses.length / 10) }, (_, i) =>
    losses.slice(10 * i, 10 * i + 10).reduce((sum, loss) => sum + loss / 10, 0),
  )

describe('mixed precision', () => {
  it.each([
    ['wasm', () => openDevice('wasm'), small, 200],
    ['cpu', () => Promise.resolve(cpuDevice()), smallest, 10],
  ] as const)('follows the loss of f32 within 2 % on %s, as means of ten steps', async (_, open, network, count) => {
    const on = await open()
    const wide = smoothed(await lossesOf(on, 'f32', network, count))
    const narrow = smoothed(await lossesOf(on, 'mixed', network, count))
    await on.close()
    expect(narrow.length).toBe(count / 10)
    wide.forEach((loss, i) => {
      expect(Math.abs(at(narrow, i) / loss - 1), `steps ${10 * i + 1} to ${10 * i + 10}`).toBeLessThan(0.02)
    })
    if (count === 200) expect(at(narrow, narrow.length - 1)).toBeLessThan(at(narrow, 0) / 2)
  })
})

describe('a run in mixed precision', () => {
  it('that stopped goes on bit for bit, and says in its metrics how many steps were skipped', async () => {
    const config = tinyConfig(fresh(), { precision: 'mixed' })
    await done(train(config))
    const controller = new AbortController()
    const stopped = { ...config, out: fresh() }
    await done(
      train(stopped, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event._tag === 'Stepped' && event.step === 3) controller.abort()
        },
      }),
    )
    await done(resume(stopped.out))
    const [last = ''] = checkpoints(config.out).slice(-1)
    expect(Object.keys(fingerprints(config.out, last))).toContain('lossScale.safetensors')
    expect(fingerprints(stopped.out, last)).toEqual(fingerprints(config.out, last))
    const lines = readFileSync(join(stopped.out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { skipped?: number }).skipped)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('goes on bit for bit from between two steps that overflow', async () => {
    const recipe = mixed({ initial: 2 ** 22 })
    const stepper = stepperOn(device, recipe)
    const examples = recipe.task.examples((first, n) => batchAt(data, first, n))
    const template = initialState(recipe, key(0))
    const goOn = async (state: typeof template, from: number, to: number): Promise<typeof template> => {
      let last = state
      for await (const report of steps({ device, stepper, examples, from, steps: to }, await device.realize(state)))
        last = report.state
      return last
    }
    const progress = { step: 3, seed: 0, configHash: '', data: '', device: 'cpu' }
    const files = await stateToFiles(device, await goOn(template, 0, 3), progress)
    const restored = right(E.mapLeft((message: string) => ({ message }))(stateFromFiles(template, files)))
    const [whole, parts] = [await goOn(template, 0, 8), await goOn(restored.state, 3, 8)]
    const numbers = await numbersOf(whole)
    expect(numbers.get('lossScale.skipped')?.[0]).toBeGreaterThan(3)
    expect(await numbersOf(parts)).toEqual(numbers)
  })

  it('is sampled from: its average is f32', async () => {
    const config = tinyConfig(fresh(), { precision: 'mixed', steps: 1 })
    await done(train(config))
    const run = await done(load(config.out))
    for (const [path, x] of leavesWithPaths(run.average)) expect(x.dtype, path).toBe('f32')
    expect((await done(sample(run, { count: 1, steps: 1, seed: 0 }))).pictures.length).toBe(1)
  })

  it('cannot go on without its loss scale', async () => {
    const config = tinyConfig(fresh(), { steps: 2 })
    await done(train(config))
    writeFileSync(join(config.out, 'config.json'), JSON.stringify({ ...config, precision: 'mixed' }))
    expect(leftMessage(await resume(config.out)())).toMatch(/lossScale\.safetensors/)
  })
})

describe('the setting', () => {
  it('is f32 where nothing is said, and is then not written down: configurations of before are what they were', () => {
    const plain = tinyConfig('run')
    expect(Object.keys(plain)).not.toContain('precision')
    expect(tinyConfig('run', { precision: 'f32' })).toEqual(plain)
    expect(right(decodeConfig({ ...plain, precision: 'mixed' })).precision).toBe('mixed')
    expect(settings).toContain('precision')
  })

  it('is f32 or mixed', () => {
    expect(leftMessage(configOf({ out: 'run', precision: 'mixd' }))).toBe(
      'precision must be one of f32, mixed, got "mixd"; did you mean mixed?',
    )
  })
})
