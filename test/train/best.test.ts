import { describe, expect, it } from 'vitest'
import { readSafetensors } from '../../src/io/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { memoryStore, type TrainEvent } from '../../src/train/index.ts'
import { chosenAverage } from '../../src/train/chosenAverage.ts'
import { bestIn, earlySink, keepBest } from '../../src/train/sinks/best.ts'
import { cpuDevice } from '../support/device.ts'
import { done, right } from './tinyRun.ts'

const loss = { name: 'heldOutAverage', about: 'the loss on others', curve: 'others', chooses: true }

const report = (step: number, steps = 100) => {
  const params = { w: scalar(-step) }
  const moments = { mean: params, variance: params, correction1: scalar(1), correction2: scalar(1) }
  return {
    step,
    steps,
    loss: 1,
    examplesPerSecond: 1,
    state: {
      params,
      averages: [{ w: tensor([step]) }, { w: tensor([100 + step]) }] as const,
      opt: { network: [{}, moments] } as never,
    },
  }
}

const single = chosenAverage({ ema: 0.995 })

/** Measures these losses at steps 1, 2, …; gives what is kept and what was told. */
const kept = async (losses: readonly number[], store = memoryStore(), first = 1, chosen = single) => {
  const events: TrainEvent[] = []
  const take = keepBest(store, { device: cpuDevice(), chosen, loss, emit: (event) => events.push(event) })
  for (const [i, value] of losses.entries()) right(await take(report(first + i), { heldOutAverage: value })())
  const bytes = store.files.get('best.safetensors')
  const weights = bytes === undefined ? undefined : right(readSafetensors(bytes)).tensors.get('w')?.bytes
  return {
    store,
    events,
    best: await done(bestIn(store)),
    weights: weights && new Float32Array(weights.slice().buffer)[0],
  }
}

describe('The best weights of a run', () => {
  it('are the averages of the step with the least loss', async () => {
    const { best, weights } = await kept([3, 1, 2])
    expect(best).toEqual({ step: 2, loss: 1 })
    expect(weights).toBe(2)
  })

  it('stay those of before where a run goes on that has kept some', async () => {
    const { store } = await kept([3, 1])
    const { best, weights } = await kept([2, 1.5], store, 3)
    expect(best).toEqual({ step: 2, loss: 1 })
    expect(weights).toBe(2)
  })

  it('are past when the loss has stayed 2 % above theirs for three measurements, which is said once', async () => {
    expect((await kept([2, 1, 1.01, 1.03, 1.03])).events).toEqual([])
    const { events } = await kept([2, 1, 1.03, 1.03, 1.04, 1.05, 1.06])
    expect(events).toEqual([{ _tag: 'Passed', step: 5, best: 2, about: 'the loss on others', loss: 1.04, least: 1 }])
  })

  it('may be bettered after they were past', async () => {
    const { events, best } = await kept([1, 2, 2, 2, 0.5])
    expect(events).toHaveLength(1)
    expect(best).toEqual({ step: 5, loss: 0.5 })
  })

  it('are none where nothing was measured, or their file is no such', async () => {
    const store = memoryStore()
    expect(await done(bestIn(store))).toBeUndefined()
    right(await store.replace('best.safetensors', Uint8Array.of(1, 2, 3))())
    expect(await done(bestIn(store))).toBeUndefined()
    const { best } = await kept([5], store)
    expect(best).toEqual({ step: 1, loss: 5 })
  })
})

describe('The weights of early in a run', () => {
  it('are the averages after a sixteenth of its steps', async () => {
    const store = memoryStore()
    const sink = earlySink<{ readonly w: ReturnType<typeof scalar> }>(store, cpuDevice(), single)
    for (const step of [6, 7, 8]) expect(await sink.take(report(step))()).toEqual(E.right(undefined))
    const { metadata } = right(readSafetensors(store.files.get('early.safetensors') ?? new Uint8Array()))
    expect(metadata.get('step')).toBe('7')
  })
})
