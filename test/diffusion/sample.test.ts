import { describe, expect, it } from 'vitest'
import { ddim } from '../../src/diffusion/samplers/ddim.ts'
import { ddpm } from '../../src/diffusion/samplers/ddpm.ts'
import { epsilonFromX0, noiseLevel, type Prediction } from '../../src/diffusion/prediction.ts'
import { sample, sampling, type SamplingOptions } from '../../src/diffusion/sample.ts'
import type { Sampler } from '../../src/diffusion/sampler.ts'
import { cosineSchedule } from '../../src/diffusion/index.ts'
import { constant, tensor } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const schedule = cosineSchedule(200)
const device = cpuDevice()

/** Normal data in the plane: its mean, and its variances along axes turned by 30°. */
const centre = [0.5, -1]
const variances = [0.25, 1.5]
const [cos, sin] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)]
const rotation = constant([
  [cos, sin],
  [-sin, cos],
])

/**
 * The exact noise of normal data: E[x₀ | x_t] = μ + aΛ / (a²Λ + s²) (x_t − aμ) along the axes of the data, and ε from
 * that.
 */
const exactEpsilon = (_: object, xt: Tensor, t: Tensor): Tensor => {
  const level = noiseLevel(schedule, t, xt)
  const [a2, s2] = [level.signal.square(), level.noise.square()]
  const lambda = constant([variances])
  const offset = xt.sub(constant([centre]).mul(level.signal)).matmul(rotation.transpose())
  const x0 = offset
    .mul(lambda.mul(level.signal).div(lambda.mul(a2).add(s2)))
    .matmul(rotation)
    .add(constant([centre]))
  return epsilonFromX0(level, xt, x0)
}

const base: Omit<SamplingOptions<object, Tensor>, 'sampler' | 'shape'> = {
  device,
  denoise: exactEpsilon,
  prediction: 'epsilon',
  clip: false,
}

const samplers: readonly (readonly [string, Sampler<Tensor>])[] = [
  ['ddpm', ddpm(schedule)],
  ['ddim', ddim(schedule, { steps: 200 })],
  ['ddim, eta = 0.5', ddim(schedule, { steps: 100, eta: 0.5 })],
]

describe('sampling', () => {
  it.each(samplers)('%s with the exact noise of normal data gives their mean and covariance', async (_, sampler) => {
    const n = 4000
    const { x } = await sample({ ...base, sampler, shape: [n, 2], params: {}, key: key(5) })
    const flat = await values(x, device)
    const points = Array.from(
      { length: n },
      (_, i) => [(flat[2 * i] ?? NaN) - (centre[0] ?? 0), (flat[2 * i + 1] ?? NaN) - (centre[1] ?? 0)] as const,
    )
    const alongAxes = points.map(([p, q]) => [cos * p + sin * q, -sin * p + cos * q] as const)
    const mean = (f: (u: number, v: number) => number): number => alongAxes.reduce((s, [u, v]) => s + f(u, v), 0) / n
    const [l1, l2] = [0.25, 1.5]
    expect(Math.abs(mean((u) => u))).toBeLessThan(5 * Math.sqrt(l1 / n) + 0.01)
    expect(Math.abs(mean((_, v) => v))).toBeLessThan(5 * Math.sqrt(l2 / n) + 0.01)
    // Five standard errors, and 3 % for the finite number of steps.
    expect(Math.abs(mean((u) => u * u) - l1)).toBeLessThan(l1 * (5 * Math.sqrt(2 / n) + 0.03))
    expect(Math.abs(mean((_, v) => v * v) - l2)).toBeLessThan(l2 * (5 * Math.sqrt(2 / n) + 0.03))
    expect(Math.abs(mean((u, v) => u * v))).toBeLessThan(5 * Math.sqrt((l1 * l2) / n))
  })

  it('the same key gives the same images, another key others, and one compiled step serves every step and batch', async () => {
    const traced: string[] = []
    const denoise = (p: object, x: Tensor, t: Tensor): Tensor => {
      traced.push(`${x.dtype}${JSON.stringify(x.shape)} ${t.dtype}${JSON.stringify(t.shape)}`)
      return exactEpsilon(p, x, t)
    }
    const draw = sampling({ ...base, denoise, sampler: ddim(schedule, { steps: 10, eta: 1 }), shape: [3, 2] })
    const [a, b, c] = [await draw({}, key(1)), await draw({}, key(1)), await draw({}, key(2))]
    expect(await values(a.x, device)).toEqual(await values(b.x, device))
    expect(await values(a.x, device)).not.toEqual(await values(c.x, device))
    expect(traced).toEqual(['f32[3,2] i32[3]'])
  })

  it('parameters are arguments: new ones need no new plan', async () => {
    let traces = 0
    const denoise = (p: { shift: Tensor }, x: Tensor): Tensor => {
      traces += 1
      return p.shift.broadcastTo(x.shape)
    }
    const draw = sampling({ ...base, denoise, prediction: 'x0', sampler: ddim(schedule, { steps: 5 }), shape: [1, 2] })
    for (const shift of [0.25, -0.5]) {
      const { x } = await draw({ shift: tensor([shift]) }, key(1))
      expect(await values(x, device)).toEqual([shift, shift])
    }
    expect(traces).toBe(1)
  })

  it('the trajectory leads from the noise to the images, holds every estimate, and changes nothing', async () => {
    const options = { ...base, sampler: ddim(schedule, { steps: 8, eta: 1 }), shape: [2, 2] }
    const kept = await sampling({ ...options, trajectory: true })({}, key(3))
    const lean = await sampling(options)({}, key(3))
    expect(lean.trajectory).toEqual([])
    expect(kept.trajectory.map((m) => m.time)).toEqual([199, 174, 149, 124, 99, 74, 49, 24])
    const image = await values(kept.x, device)
    expect(await values(lean.x, device)).toEqual(image)
    const last = kept.trajectory.at(-1)
    expect(last && (await values(last.x0, device))).toEqual(image)
  })

  it('starting from a kept x_t at its step ends at the same images', async () => {
    const draw = sampling({ ...base, sampler: ddpm(schedule), shape: [2, 2], trajectory: true })
    const whole = await draw({}, key(4))
    const middle = whole.trajectory[150]
    if (middle === undefined) throw new Error('200 moments')
    const steps: string[] = []
    const part = await draw({}, key(4), {
      from: { state: middle.xt, step: 150 },
      onStep: (done, total) => steps.push(`${done}/${total}`),
    })
    expect(await values(part.x, device)).toEqual(await values(whole.x, device))
    expect([steps.length, steps[0], steps.at(-1)]).toEqual([50, '1/50', '50/50'])
    await expect(draw({}, key(4), { from: { state: middle.xt, step: 200 } })).rejects.toThrow('steps 0 … 199')
  })

  it.each<Prediction>(['epsilon', 'x0', 'v'])(
    '%s: clipping keeps the images in [−1, 1] whatever the network says',
    async (prediction) => {
      const wild = (_: object, x: Tensor): Tensor => x.mul(40).add(3)
      const { x } = await sample({
        ...base,
        denoise: wild,
        prediction,
        clip: true,
        sampler: ddpm(schedule),
        shape: [2, 2],
        params: {},
        key: key(6),
      })
      for (const value of await values(x, device)) expect(Math.abs(value)).toBeLessThanOrEqual(1)
    },
  )
})
