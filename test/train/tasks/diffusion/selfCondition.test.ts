/** A run whose network reads its own estimates: what it is told in training, when it is measured, and when it draws. */
import { describe, expect, it } from 'vitest'
import { dataOfSeas, seas } from '../../../../src/data/index.ts'
import { range } from '../../../../src/prelude/array.ts'
import { key } from '../../../../src/tensor/random.ts'
import { tensor } from '../../../../src/tensor/create.ts'
import {
  configOf,
  diffusionTask,
  heldOutOn,
  initialState,
  load,
  recipeOf,
  resume,
  sample,
  train,
  type DiffusionRun,
  type LoadedWeights,
  type TrainEvent,
} from '../../../../src/train/index.ts'
import { chunksOf } from '../../../../src/train/tasks/diffusion/heldOut.ts'
import { everySecond } from '../../../../src/train/tasks/diffusion/denoise.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { directories, done, right, tinyConfig, tinySettings } from '../../tinyRun.ts'

const device = cpuDevice()
const model = { ...tinySettings.model, selfCondition: true } as const
const fresh = directories()

const weightsOf = (changes: Partial<DiffusionRun> = {}, seed = 1): LoadedWeights => {
  const config = right(configOf({ ...tinySettings, device: 'cpu', out: 'run', model, ...changes }))
  const recipe = recipeOf(config)
  return {
    config,
    model: recipe.task.model,
    schedule: recipe.task.schedule,
    average: initialState(recipe, key(seed)).params,
  }
}

describe('a run with selfCondition', () => {
  const task = diffusionTask(tinyConfig('unused', { model }))

  it('throws a coin for each picture, the same whatever the parts of the step', async () => {
    const all = await values(task.draws(key(3), 400).estimated ?? tensor([]), device)
    const share = all.reduce((sum, v) => sum + v, 0) / 400
    expect(Math.abs(share - 0.5)).toBeLessThan(0.1)
    const part = await values(task.draws(key(3), 100, tensor(300, { dtype: 'u32' })).estimated ?? tensor([]), device)
    expect(part).toEqual(all.slice(300))
    expect('estimated' in diffusionTask(tinyConfig('unused')).draws(key(3), 4)).toBe(false)
  })

  it('has another loss where the network is told, and that of no estimate where none is', async () => {
    const params = task.init(key(0))
    const pictures = tensor(
      Uint8Array.from({ length: 384 }, (_, i) => (97 * i) % 256),
      { shape: [2, 8, 8, 3], dtype: 'u8' },
    )
    const { estimated, ...draws } = task.draws(key(4), 2)
    const loss = async (which?: readonly boolean[]): Promise<number> =>
      device.item(task.loss(params, pictures, { ...draws, ...(which && { estimated: tensor([...which]) }) }))
    expect(estimated?.shape).toEqual([2])
    const none = await loss()
    expect(await loss([false, false])).toBe(none)
    expect(new Set([none, await loss([true, false]), await loss([true, true])]).size).toBe(3)
  })

  it('is measured on held-out pictures of which every second is told', async () => {
    expect(await values(everySecond(task, range(5)) ?? tensor([]), device)).toEqual([0, 1, 0, 1, 0])
    const data = dataOfSeas(seas({ seed: 0, size: 8 }))
    const measure = await heldOutOn(device, task, data)
    const { loss } = await measure(task.init(key(0)))
    expect(Number.isFinite(loss)).toBe(true)
  })

  it.each([1, 2, 3])('tells each picture in half of its draws, in parts of %i', async (batch) => {
    const pictures = 3
    const data = { ...dataOfSeas(seas({ seed: 0, size: 8 })), heldOutCount: pictures }
    const chunks = chunksOf({ ...task, config: { ...task.config, batch } }, data)
    const told = await Promise.all(
      chunks.map(async ({ estimated, count }) => (await values(estimated ?? tensor([]), device)).slice(0, count)),
    )
    const flat = told.flat()
    expect(flat.length).toBeGreaterThanOrEqual(128)
    for (const p of range(pictures)) {
      const own = flat.filter((_, i) => i % pictures === p)
      expect(Math.abs(own.filter((x) => x === 1).length - own.length / 2)).toBeLessThanOrEqual(0.5)
    }
  })

  it('draws with its own estimates: other pictures than one that is told nothing', async () => {
    const weights = weightsOf()
    const drawn = async (given: LoadedWeights, options = {}): Promise<readonly string[]> =>
      (await done(sample(given, { count: 2, steps: 3, seed: 0, ...options }))).pictures.map((p) =>
        Buffer.from(p).toString('hex'),
      )
    const { apply, init } = weights.model
    const deaf: LoadedWeights = { ...weights, model: { init, apply: (params, { x, t }) => apply(params, { x, t }) } }
    expect(await drawn(weights)).not.toEqual(await drawn(deaf))
    expect(await drawn(weights, { steps: 1 })).toEqual(await drawn(deaf, { steps: 1 })) // the first step is told nothing
    expect(await drawn(weights, { guide: weightsOf({}, 7), guidance: 1 })).toEqual(await drawn(weights))
    expect(await drawn(weights, { guide: weightsOf({}, 7), guidance: 2 })).not.toEqual(await drawn(weights))
    const labelled = weightsOf({ labels: ['fog', 'rain'] })
    expect(await drawn(labelled, { label: 'fog', guidance: 3 })).not.toEqual(await drawn(labelled, { label: 'fog' }))
    for (const sampler of ['heun', 'dpm-solver', 'euler-ancestral'] as const)
      expect(await drawn(weights, { sampler })).toHaveLength(2)
  })

  it('trains, stops, resumes to the same bits, and draws', async () => {
    const [whole, parts] = [fresh(), fresh()]
    const changes = { model, device: 'cpu' as const, watch: 'off' as const }
    await done(train(tinyConfig(whole, changes)))
    const stop = new AbortController()
    const onEvent = (event: TrainEvent): void => {
      if (event._tag === 'Stepped' && event.step === 3) stop.abort()
    }
    await done(train(tinyConfig(parts, changes), { onEvent, signal: stop.signal }))
    await done(resume(parts))
    const pictures = await Promise.all(
      [whole, parts].map(
        async (run) => (await done(sample(await done(load(run)), { count: 1, steps: 2, seed: 0 }))).pictures,
      ),
    )
    expect(pictures[0]).toEqual(pictures[1])
  })
})
