/** Runs whose time is given. */
import fc from 'fast-check'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { E, TE, pipe } from '../../src/prelude/fp.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { trainingOf, type DiffusionRun, type Task, type TrainEvent } from '../../src/train/index.ts'
import { openDevice } from '../../src/train/openDevice.ts'
import { resumeIn } from '../../src/train/resume.node.ts'
import { fitted, type Measured } from '../../src/train/time/fitted.ts'
import { stepTime } from '../../src/train/time/stepTime.ts'
import { trainIn } from '../../src/train/train.node.ts'
import { cpuDevice } from '../support/device.ts'
import { directories, done, photographs, tinyConfig } from './tinyRun.ts'
import { withCacheHome } from '../support/cacheHome.ts'

const directory = directories()

withCacheHome(directory)

const folder = photographs(directory(), 12)

/** A clock that moves on whenever it is read, which is about once a step. */
const clockOf = (secondsOfReading: () => number) => {
  let time = 0
  return () => (time += 1000 * secondsOfReading())
}

const words = { model: '', goal: '', example: { one: '', many: '', short: '' }, measured: () => [] }

/** A number that learns to be 0; in phases where it has some. */
const number = (phaseAt?: (step: number) => string): Task<{ readonly w: Tensor }, Tensor, object> => ({
  words,
  losses: [],
  init: () => ({ w: tensor([1]) }),
  draws: () => ({}),
  blank: () => scalar(0),
  loss:
    phaseAt === undefined
      ? ({ w }) => w.square().sum()
      : {
          phases: { a: ['w'], b: ['w'] },
          parts: [],
          phaseAt: (step) => ({ name: phaseAt(step), weights: {} }),
          gradients: (params, { differentiate }) => {
            const [loss, gradients] = differentiate((p: typeof params) => p.w.square().sum(), params)
            return { loss, gradients, parts: {} }
          },
        },
})

const timed = (steps: number, secondsOfReading: () => number, phaseAt?: (step: number) => string) =>
  stepTime(
    cpuDevice(),
    { ...trainingOf(tinyConfig('unused', { steps })), task: number(phaseAt), steps },
    { examples: () => scalar(0), seconds: 100, now: clockOf(secondsOfReading) },
  )

describe('The time of a step', () => {
  it('is the mean of some that are made', async () => {
    expect((await timed(1000, () => 0.5)).secondsPerStep).toBeCloseTo(0.5, 0)
  })

  it('is that of each phase, by its part of the run', async () => {
    const one = (await timed(100, () => 1)).secondsPerStep
    const readings = { n: 0 }
    const growing = () => (readings.n++ < 6 ? 1 : 3)
    const { secondsPerStep } = await timed(100, growing, (step) => (step <= 75 ? 'a' : 'b'))
    expect(secondsPerStep).toBeGreaterThan(one)
    expect(secondsPerStep).toBeLessThan(3 * one)
  })
})

const seconds = (max: number) => fc.double({ min: 0, max, noNaN: true })
const cost = fc.record({ first: seconds(60), further: seconds(30) })
const measured: fc.Arbitrary<Measured> = fc.record({
  left: seconds(1e5),
  beginning: seconds(10),
  secondsPerStep: fc.double({ min: 1e-3, max: 10, noNaN: true }),
  costs: fc.record({ heldOutEvery: cost, sampleEvery: cost, saveEvery: cost }),
})

describe('The course that fits into a time', () => {
  it('takes the time that is left where that is enough, and no more', () => {
    fc.assert(
      fc.property(measured, (known) => {
        const { steps, aside } = fitted(known)
        const taken = aside + steps * known.secondsPerStep
        if (known.left > 400) {
          expect(taken).toBeLessThanOrEqual(known.left)
          expect(taken).toBeGreaterThan(0.95 * known.left - known.secondsPerStep)
        }
      }),
    )
  })

  it('counts what is done between steps, also where that is much of it', () => {
    const cost = { first: 4, further: 4 }
    const costs = { heldOutEvery: cost, sampleEvery: cost, saveEvery: cost }
    const { steps, aside } = fitted({ left: 1000, beginning: 0, secondsPerStep: 0.1, costs })
    expect(aside).toBeGreaterThan(120)
    expect(aside + 0.1 * steps).toBeLessThanOrEqual(1000)
  })

  it('has a step at least, and measures, draws and saves between the first and the last', () => {
    fc.assert(
      fc.property(measured, (known) => {
        const { steps, heldOutEvery, sampleEvery, saveEvery } = fitted(known)
        for (const every of [heldOutEvery, sampleEvery, saveEvery]) {
          expect(every).toBeGreaterThanOrEqual(1)
          expect(every).toBeLessThanOrEqual(steps)
        }
      }),
    )
  })

  it('measures, draws and saves the more seldom the longer each takes', () => {
    const none = { first: 0, further: 0 }
    const known = { left: 1000, beginning: 0, secondsPerStep: 0.1 }
    const drawing = (further: number) =>
      fitted({ ...known, costs: { heldOutEvery: none, sampleEvery: { first: further, further }, saveEvery: none } })
    const times = [0, 5, 20, 100].map((further) => {
      const { steps, sampleEvery } = drawing(further)
      return Math.ceil(steps / sampleEvery)
    })
    expect(times).toEqual([8, 8, 3, 1])
  })
})

/** A machine whose clock moves on when something is read from its device: by most for a number alone, as the loss of a step. */
const machine = () => {
  const clock = { time: 1e9, secondsOfReading: 3 }
  const slow = (device: Device): Device => ({
    ...device,
    read: (x) => {
      clock.time += (x.size === 1 ? 1000 : 5) * clock.secondsOfReading
      return device.read(x)
    },
  })
  const open: typeof openDevice = (...given) => pipe(openDevice(...given), TE.map(slow))
  return { clock, surroundings: { open, now: () => clock.time, pause: () => Promise.resolve() } }
}

const stage = {
  preset: 'vae-64',
  autoencoder: { widths: [4, 8], groups: 2, latentChannels: 2 },
  weights: { equivariance: 0, pyramid: 0 },
  crop: 8,
  batch: 2,
  sampleCount: 2,
}

const staged = (out: string, time: number): DiffusionRun =>
  tinyConfig(out, { folder, time, latent: { channels: 2, factor: 2, stage } })

/** Seconds that a run takes by the clock of its machine. @param atStage is called when the second stage begins */
const taken = async (
  config: DiffusionRun,
  atStage: (clock: { secondsOfReading: number }) => void = () => undefined,
) => {
  const { clock, surroundings } = machine()
  const start = clock.time
  const onEvent = (event: TrainEvent): void => {
    if (event._tag === 'Stage' && event.number === 2) atStage(clock)
  }
  await done(trainIn(surroundings)(config, { onEvent }))
  return (clock.time - start) / 1000
}

describe('A run whose time is given', () => {
  it('ends within 5 % of it, with its measurements, sheets and checkpoints', async () => {
    const seconds = await taken(tinyConfig(directory(), { folder, time: 300 }))
    expect(seconds).toBeGreaterThan(285)
    expect(seconds).toBeLessThan(315)
  })

  it('counts what was spent before it', async () => {
    const { clock, surroundings } = machine()
    const start = clock.time
    await done(trainIn(surroundings)(tinyConfig(directory(), { folder, time: 300 }), { since: start - 150_000 }))
    expect((clock.time - start) / 1000).toBeLessThan(165)
  })

  it('of two stages gives the second what the first has left, also on a machine that slows down meanwhile', async () => {
    const slower = (clock: { secondsOfReading: number }): void => {
      clock.secondsOfReading *= 1.5
    }
    const seconds = await taken(staged(directory(), 400), slower)
    expect(seconds).toBeGreaterThan(380)
    expect(seconds).toBeLessThan(420)
  })

  it('of two stages that is stopped in the first counts what that has taken when it goes on', async () => {
    const out = directory()
    const { clock, surroundings } = machine()
    const stop = new AbortController()
    let start = clock.time
    const onEvent = (event: TrainEvent): void => {
      if (event._tag === 'Stepped' && event.step === Math.ceil(event.steps / 2)) stop.abort()
    }
    const stopped = await trainIn(surroundings)(staged(out, 400), { signal: stop.signal, onEvent })()
    expect(E.isRight(stopped) && stopped.right.stage).toBe('the autoencoder')
    const before = (clock.time - start) / 1000
    const path = join(out, 'autoencoder', 'metrics.jsonl')
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const cropsPerSecond = (2 * lines.length) / (0.88 * before) // by this clock, of which the run's metrics know nothing
    const told = lines.map((line) => line.replace(/"cropsPerSecond":[^,}]+/, `"cropsPerSecond":${cropsPerSecond}`))
    writeFileSync(path, `${told.join('\n')}\n`)
    clock.time += 1e8
    start = clock.time
    await done(resumeIn(surroundings)(out, {}, {}))
    const seconds = before + (clock.time - start) / 1000
    expect(seconds).toBeGreaterThan(340)
    expect(seconds).toBeLessThan(460)
  })
})
