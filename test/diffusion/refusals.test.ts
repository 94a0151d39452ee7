/** What cannot be meant in diffusion: networks, noise and times that do not fit, options that give no schedule. */
import { describe, expect, it } from 'vitest'
import {
  cosineSchedule,
  ddim,
  ddpm,
  diffusionLoss,
  diffusionLosses,
  dpmSolver,
  flowEuler,
  gatherTable,
  heun,
  linearSchedule,
  lossWeights,
  noiseLevel,
  qPosterior,
  qSample,
  samplerNamed,
  scheduleFromBetas,
  scheduleLevels,
  sigmoidSchedule,
} from '../../src/diffusion/index.ts'
import { ones, scalar, tensor, zeros, zerosLike } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuForms, values } from '../support/device.ts'

const schedule = cosineSchedule(100)
const whole = (...times: readonly number[]): Tensor => tensor(Int32Array.from(times))
const table = Float64Array.of(10, 20, 30)

describe('the loss of diffusion', () => {
  const images = zeros([2, 4, 4, 3])
  const losses = [diffusionLoss, diffusionLosses].map((make) => make({ schedule, prediction: 'v' }))

  it('refuses a network of other channels or of another batch, naming both shapes', () => {
    for (const loss of losses)
      for (const shape of [
        [2, 4, 4, 1],
        [1, 4, 4, 3],
        [2, 4, 4, 4],
        [4, 4, 3],
      ])
        expect(() => loss(() => ones(shape), images, whole(1, 2), images)).toThrow(
          `diffusionLosses: the network's output is [${shape.join()}] and its target is [2,4,4,3]`,
        )
  })

  it('refuses noise that is not like the images, and times that are not one for each', () => {
    const [loss] = losses
    expect(() => loss?.(zerosLike, images, whole(1, 2), ones([1, 4, 4, 3]))).toThrow(
      'the noise is [1,4,4,3] and the images are [2,4,4,3]',
    )
    expect(() => loss?.(zerosLike, images, whole(1), images)).toThrow(
      'times [1] for a batch [2,4,4,3]; give one for each sample, [2]',
    )
  })

  it('takes a batch of none', async () => {
    const none = zeros([0, 4, 4, 3])
    expect(diffusionLosses({ schedule, prediction: 'epsilon' })(zerosLike, none, whole(), none).shape).toEqual([0])
  })

  it('refuses options that do not exist', () => {
    expect(() => lossWeights({ schedule, prediction: 'v', gamma: 5 } as never)).toThrow(
      "lossWeights: there is no option 'gamma'",
    )
    expect(() => lossWeights({ schedule, prediction: 'eps' as never })).toThrow(
      "the prediction is 'eps'; it must be epsilon, x0, v, flow",
    )
    expect(() => lossWeights({ schedule, prediction: 'v', weighting: 'snr1' as never })).toThrow(
      "the weighting is 'snr1'",
    )
  })
})

describe.each(cpuForms)('a time outside the schedule on cpu, %s', (_, open) => {
  it('is an error where the host knows it', () => {
    expect(() => gatherTable(table, whole(0, 3), zeros([2]))).toThrow(
      'gatherTable: the time 3 is outside 0 … 2; they are counted from 0',
    )
    expect(() => gatherTable(table, scalar(-1, 'i32'), zeros([2]))).toThrow('the time -1 is outside 0 … 2')
  })

  it('is NaN where only the device knows it, and no neighbour’s value', async () => {
    const device = open()
    const read = device.compile((t: Tensor) => gatherTable(table, t, zeros([5])))
    expect(await values(await read(whole(-1, 0, 2, 3, 2 ** 31 - 2)), device)).toEqual([NaN, 10, 30, NaN, NaN])
    expect(await values(await read(tensor(Uint32Array.of(2 ** 32 - 1, 0, 1, 2, 3))), device)).toEqual([
      NaN,
      10,
      20,
      30,
      NaN,
    ])
  })
})

describe('schedules of noise and samplers', () => {
  it('refuse βs of which f64 leaves no image, or no noise', () => {
    expect(() => scheduleFromBetas(new Float64Array(200).fill(0.99))).toThrow(
      'ᾱ at t = 161 is 0, nothing of the image is left',
    )
    expect(() => scheduleFromBetas(Float64Array.of(1e-17))).toThrow('ᾱ at t = 0 is 1, no noise has come in')
  })

  it('refuse options that give no schedule, or do not exist', () => {
    expect(() => cosineSchedule(10, { offset: -1 })).toThrow('cosineSchedule: offset is -1')
    expect(() => cosineSchedule(10, { offset: NaN })).toThrow('cosineSchedule: offset is NaN')
    expect(() => sigmoidSchedule(10, { tau: 0 })).toThrow('sigmoidSchedule: tau is 0')
    expect(() => sigmoidSchedule(10, { start: 3, end: -3 })).toThrow('start must be below end')
    expect(() => linearSchedule(1000, { begin: 1e-4 } as never)).toThrow("linearSchedule: there is no option 'begin'")
    expect(() => ddim(schedule, { steps: 5, eta: 2 })).toThrow('ddim: eta is 2; it must be in [0, 1]')
    expect(() => ddim(schedule, { steps: 5, noise: 1 } as never)).toThrow("ddim: there is no option 'noise'")
    expect(() => ddpm(schedule, { variance: 'loud' as never })).toThrow(
      "ddpm: the variance is 'loud'; it must be small, large, learned",
    )
    expect(() => linearSchedule(1000, 1e-4 as never)).toThrow(
      'linearSchedule: got 0.0001 where options are expected: write { start, end }, or some of them',
    )
  })

  const levels = scheduleLevels(schedule, 4)
  const [x, t] = [zeros([1, 2]), whole(3)]
  it.each<readonly [name: string, call: string, (wrong: never) => unknown]>([
    ['ddim', 'ddim(schedule, { steps })', (wrong) => ddim(wrong, { steps: 4 })],
    ['ddpm', 'ddpm(schedule)', (wrong) => ddpm(wrong)],
    ['scheduleLevels', 'scheduleLevels(schedule, steps)', (wrong) => scheduleLevels(wrong, 4)],
    ['samplerNamed', "samplerNamed('heun', schedule, steps)", (wrong) => samplerNamed('heun', wrong, 4)],
    [
      'lossWeights',
      'diffusionLoss({ schedule, prediction })',
      (wrong) => diffusionLoss({ schedule: wrong, prediction: 'v' }),
    ],
    ['noiseLevel', 'noiseLevel(schedule, t, batch)', (wrong) => noiseLevel(wrong, t, x)],
    ['qSample', 'qSample(schedule, x0, t, epsilon)', (wrong) => qSample(wrong, x, t, x)],
    ['qPosterior', 'qPosterior(schedule, x0, xt, t)', (wrong) => qPosterior(wrong, x, x, t)],
  ])('%s refuses what is no schedule, and says how it is called', (name, call, made) => {
    const wanted = `where a noise schedule is expected: call ${call}, with schedule = cosineSchedule(1000)`
    expect(() => made({ steps: 4 } as never)).toThrow(`${name}: got an object of steps ${wanted}`)
    expect(() => made(undefined as never)).toThrow(`${name}: got undefined ${wanted}`)
    expect(() => made(1000 as never)).toThrow(`${name}: got 1000 ${wanted}`)
    expect(() => made(levels as never)).toThrow(`${name}: got levels ${wanted}`)
  })

  it.each<readonly [name: string, (wrong: never) => unknown]>([
    ['heun', (wrong) => heun(wrong)],
    ['dpmSolver', (wrong) => dpmSolver(wrong)],
    ['flowEuler', (wrong) => flowEuler(wrong)],
  ])('%s refuses what are no levels, and says where they come from', (name, made) => {
    const wanted = `where levels of noise are expected: call ${name}(levels), with levels = scheduleLevels(schedule, steps)`
    expect(() => made(schedule as never)).toThrow(`${name}: got a schedule ${wanted}`)
    expect(() => made({ steps: 4 } as never)).toThrow(`${name}: got an object of steps ${wanted}`)
  })

  it('refuse options that are missing, and a sampler that does not exist', () => {
    expect(() => ddim(schedule, undefined as never)).toThrow(
      'ddim: got undefined where options are expected: write { steps, eta }',
    )
    expect(() => samplerNamed('hein' as never, schedule, 4)).toThrow(
      "samplerNamed: there is no sampler 'hein'; there are ddim, ddpm, heun, dpm-solver",
    )
  })
})
