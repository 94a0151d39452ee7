/** The noise that a configuration names: which times it has, which noise each picture, and that a step in parts draws the same. */
import { describe, expect, it } from 'vitest'
import {
  diffusionLosses,
  flowSchedule,
  isChain,
  nearestNoise,
  noiseLevel,
  shiftedSchedule,
  zeroTerminalSnr,
  cosineSchedule,
} from '../../../../src/diffusion/index.ts'
import { at, range } from '../../../../src/prelude/array.ts'
import { stack } from '../../../../src/tensor/combine.ts'
import { scalar, tensor } from '../../../../src/tensor/create.ts'
import { key } from '../../../../src/tensor/random.ts'
import { load, sample, train, type DiffusionRun } from '../../../../src/train/index.ts'
import { cpuDevice, values } from '../../../support/device.ts'
import { paramsOf, recipeWith } from '../../plainNetwork.ts'
import { directories, done, leftMessage, right, tinyConfig } from '../../tinyRun.ts'

const device = cpuDevice()
const count = 4
const pictures = tensor(
  Uint8Array.from({ length: count * 192 }, (_, i) => (97 * i + 31) % 256),
  { shape: [count, 8, 8, 3], dtype: 'u8' },
)

/** A network that answers half of what it sees: its loss depends on the noise. */
const taskOf = (changes: Partial<DiffusionRun>) =>
  recipeWith((_, x) => x.mul(0.5), { flip: false, minSnr: null, timesteps: 50, batch: count, ...changes }).task

const lossOf = async (changes: Partial<DiffusionRun>): Promise<number> => {
  const task = taskOf(changes)
  return device.item(task.loss(paramsOf(tensor(new Float32Array(3))), pictures, task.draws(key(5), count)))
}

describe('the schedule of a run', () => {
  it('is that of its name, stretched to pure noise and shifted where that is asked', () => {
    expect(taskOf({ schedule: 'flow', objective: 'flow', shift: 3 }).schedule).toEqual(
      shiftedSchedule(flowSchedule(50), 3),
    )
    expect(taskOf({ schedule: 'cosine', objective: 'v', zeroTerminal: true }).schedule).toEqual(
      zeroTerminalSnr(cosineSchedule(50)),
    )
  })

  it('has the ends of β that are named, whatever the number of times', () => {
    for (const schedule of ['linear', 'scaled-linear', 'sigmoid-beta'] as const)
      for (const timesteps of [50, 1000]) {
        const found = taskOf({ schedule, timesteps, betas: [0.0015, 0.0195] }).schedule
        if (!isChain(found)) throw new Error('a schedule of β is a chain')
        const far = schedule === 'sigmoid-beta' ? (0.0195 - 0.0015) / (1 + Math.exp(6)) : 0 // from its ends, which a sigmoid does not reach
        expect(found.betas[0]).toBeCloseTo(0.0015 + far, 12)
        expect(found.betas.at(-1)).toBeCloseTo(0.0195 - far, 12)
      }
  })

  it('as a flow with plain weights has the loss of rectified flows: the mean square of what is said less ε − x₀', async () => {
    const task = taskOf({ schedule: 'flow', objective: 'flow', weighting: 'plain' })
    const { t, epsilon } = task.draws(key(5), count)
    const x0 = task.space.x0(pictures)
    const { signal, noise } = noiseLevel(task.schedule, t, x0)
    const said = x0.mul(signal).add(epsilon.mul(noise)).mul(0.5)
    const expected = await device.item(said.sub(epsilon.sub(x0)).square().mean())
    expect(await lossOf({ schedule: 'flow', objective: 'flow', weighting: 'plain' })).toBeCloseTo(expected, 5)
  })
})

describe('the times of a run', () => {
  it('have its density: of a narrow logit-normal one they are in the middle', async () => {
    const { t } = taskOf({ times: { density: 'logit-normal', deviation: 0.01 } }).draws(key(1), 300)
    expect((await values(t, device)).every((time) => time === 24 || time === 25)).toBe(true)
  })
})

describe('the noise of a run', () => {
  it('without settings is as it was: to the bit', async () => {
    const plain = taskOf({}).draws(key(5), count)
    expect('others' in plain).toBe(false)
    const { epsilon } = taskOf({ noise: { candidates: 3, choice: 'nearest' } }).draws(key(5), count)
    expect(await values(epsilon, device)).toEqual(await values(plain.epsilon, device))
  })

  it('with an offset differs from that without by one number for each picture and channel', async () => {
    const [plain, moved] = await Promise.all(
      [{}, { noise: { offset: 0.3 } }].map((changes) => values(taskOf(changes).draws(key(5), count).epsilon, device)),
    )
    const offsets = new Set(
      range(count * 192).map(
        (i) => `${Math.floor(i / 192)} ${i % 3} ${((moved?.[i] ?? NaN) - (plain?.[i] ?? NaN)).toFixed(5)}`,
      ),
    )
    expect(offsets.size).toBe(count * 3)
  })

  it('is the nearest of the candidates where that is chosen', async () => {
    const changes = { noise: { candidates: 4, choice: 'nearest' } } as const
    const task = taskOf(changes)
    const { t, epsilon, others = [] } = task.draws(key(5), count)
    expect(others.length).toBe(3)
    const x0 = task.space.x0(pictures)
    const chosen = nearestNoise(x0, stack([epsilon, ...others]))
    const expected = await device.item(diffusionLosses(task.lossOptions)((x) => x.mul(0.5), x0, t, chosen).mean())
    expect(await lossOf(changes)).toBeCloseTo(expected, 5)
    expect(await lossOf({})).not.toBeCloseTo(expected, 3)
  })

  it('is for each picture that with the least loss where the best is chosen', async () => {
    const changes = { noise: { candidates: 4, choice: 'best' } } as const
    const task = taskOf(changes)
    const { t, epsilon, others = [] } = task.draws(key(5), count)
    const x0 = task.space.x0(pictures)
    const each = await Promise.all(
      [epsilon, ...others].map((own) =>
        values(
          diffusionLosses(task.lossOptions)((x) => x.mul(0.5), x0, t, own),
          device,
        ),
      ),
    )
    const least = range(count).map((i) => Math.min(...each.map((losses) => at(losses, i))))
    expect(await lossOf(changes)).toBeCloseTo(least.reduce((a, b) => a + b) / count, 5)
  })

  it('of a part of a step is that part of the whole step’s, in every candidate', async () => {
    const { draws } = taskOf({ noise: { candidates: 2, choice: 'nearest', offset: 0.1 }, times: { density: 'cosmap' } })
    const [whole, part] = [draws(key(2), 6), draws(key(2), 2, scalar(3, 'u32'))]
    const [all, some] = await Promise.all(
      [whole, part].map(({ t, epsilon, others = [] }) =>
        Promise.all([t, epsilon, ...others].map((x) => values(x, device))),
      ),
    )
    expect(some?.length).toBe(3)
    some?.forEach((own, i) => {
      const each = own.length / 2
      expect(own).toEqual(all?.[i]?.slice(3 * each, 5 * each))
    })
  })
})

describe('a run of a flow', () => {
  const directory = directories()

  it('is trained, measured, and drawn from by any sampler that can begin at pure noise', async () => {
    const flow = { schedule: 'flow', objective: 'flow', weighting: 'plain', minSnr: null } as const
    const config = tinyConfig(directory(), { ...flow, steps: 2, sampleEvery: 2, heldOutEvery: 2, device: 'wasm' })
    await done(train(config))
    const run = await done(load(config.out))
    const drawn = async (sampler: string) => sample(run, { count: 2, steps: 3, seed: 0, sampler, device: 'wasm' })()
    for (const sampler of ['ddim', 'heun', 'dpm-solver', 'unipc']) {
      const { pictures } = right(await drawn(sampler))
      expect(
        pictures.map(({ length }) => length),
        sampler,
      ).toEqual([192, 192])
    }
    expect(leftMessage(await drawn('dpm-solver-noise'))).toContain('dpm-solver-noise cannot draw from this run: ')
  })
})
