/** heun, dpmSolver and flowEuler: against plain formulas in f64, against the exact way of normal data, and in walks. */
import { describe, expect, it } from 'vitest'
import { ddim } from '../../src/diffusion/samplers/ddim.ts'
import { dpmSolver } from '../../src/diffusion/samplers/dpmSolver.ts'
import { flowEuler } from '../../src/diffusion/samplers/flowEuler.ts'
import { heun } from '../../src/diffusion/samplers/heun.ts'
import {
  flowLevels,
  karrasLevels,
  levelAt,
  levelsFrom,
  stepsOf,
  timeAt,
  type Levels,
} from '../../src/diffusion/levels.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import type { Estimate } from '../../src/diffusion/prediction.ts'
import { sample, sampling } from '../../src/diffusion/sample.ts'
import type { Sampler } from '../../src/diffusion/sampler.ts'
import { cosineSchedule, linearSchedule } from '../../src/diffusion/index.ts'
import { range } from '../../src/prelude/array.ts'
import { full, ones, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const never = (): Tensor => {
  throw new Error('noise was drawn')
}

/** Pictures of one number, N(0.3, 0.5²): what the best network estimates, as a number and as a tensor. */
const [mean, deviation] = [0.3, 0.5]
const exactX0 = (x: number, a: number, s: number): number =>
  mean + ((a * deviation ** 2) / (a * a * deviation ** 2 + s * s)) * (x - a * mean)
const estimatorOn =
  (levels: Levels) =>
  (x: Tensor, index: Tensor): Estimate => {
    const { signal: a, noise: s } = levelAt(levels, index, x)
    const gain = a.mul(deviation ** 2).div(
      a
        .square()
        .mul(deviation ** 2)
        .add(s.square()),
    )
    const x0 = x.sub(a.mul(mean)).mul(gain).add(mean)
    return { x0, epsilon: x.sub(x0.mul(a)).div(s) }
  }

/** x after each step, from x at the first level, by src in f64. */
const walked = async <S>({ levels, init, step, image }: Sampler<S>, x: number): Promise<readonly number[]> => {
  const advance = device.compile((state: S, index: Tensor) => step(state, estimatorOn(levels), index, never))
  let state = init(tensor([[x]], { dtype: 'f64' }))
  const found: number[] = []
  for (const i of range(stepsOf(levels))) {
    state = await advance(state, scalar(i, 'u32'))
    found.push(...(await values(image(state), device)))
  }
  return found
}

type Point = readonly [a: number, s: number]
const points = ({ signal, noise }: Levels): readonly Point[] => Array.from(signal, (a, i) => [a, noise[i] ?? NaN])

/** Karras et al. 2022, algorithm 1, in x/a and σ = s/a of a variance-exploding path. */
const karras = (levels: Levels, start: number): readonly number[] => {
  const sigmas = points(levels).map(([, s]) => s)
  let x = start
  return sigmas.slice(1).map((next, i) => {
    const sigma = sigmas[i] ?? NaN
    const d = (x - exactX0(x, 1, sigma)) / sigma
    const euler = x + (next - sigma) * d
    x = next === 0 ? euler : x + (next - sigma) * 0.5 * (d + (euler - exactX0(euler, 1, next)) / next)
    return x
  })
}

/** diffusers' dpmsolver_multistep: `multistep_dpm_solver_second_order_update`, midpoint, with its λ, h and r. */
const diffusers = (levels: Levels, start: number): readonly number[] => {
  const path = points(levels)
  const lambda = ([a, s]: Point): number => Math.log(a) - Math.log(s)
  const outputs: number[] = []
  let x = start
  return path.slice(1).map(([a, s], i) => {
    const here = path[i] ?? [NaN, NaN]
    outputs.push(exactX0(x, ...here))
    const [m0 = NaN, m1 = NaN] = [outputs[i], outputs[i - 1]]
    const h = lambda([a, s]) - lambda(here)
    const first = (s / here[1]) * x - a * (Math.exp(-h) - 1) * m0
    if (i === 0 || i === path.length - 2) x = first
    else {
      const r = (lambda(here) - lambda(path[i - 1] ?? [NaN, NaN])) / h
      x = first - 0.5 * a * (Math.exp(-h) - 1) * (1 / r) * (m0 - m1)
    }
    return x
  })
}

const close = (found: readonly number[], expected: readonly number[], digits = 10): void => {
  expect(found).toHaveLength(expected.length)
  found.forEach((x, i) => expect(x).toBeCloseTo(expected[i] ?? NaN, digits))
}

describe('heun', () => {
  it('is algorithm 1 of Karras et al. 2022 on their levels, with Euler’s step at the end', async () => {
    for (const steps of [1, 2, 9]) {
      const levels = karrasLevels({ steps, sigmaMax: 20 })
      close(await walked(heun(levels), 13), karras(levels, 13), 9)
    }
  })

  it('asks the network twice, the second time at the level where the step ends', () => {
    const asked: Tensor[] = []
    const levels = flowLevels(4)
    heun(levels).step(ones([1, 2]), (x, index) => (asked.push(index), { x0: x, epsilon: x }), scalar(1, 'u32'), never)
    expect(asked).toHaveLength(2)
  })

  it('in the last step never asks at the image, and takes nothing from the second answer', async () => {
    const levels = karrasLevels({ steps: 3 })
    const answers = [0.25, NaN]
    const end = heun(levels).step(
      ones([1, 2]),
      (x) => ({ x0: full(x.shape, answers.shift() ?? 0), epsilon: x }),
      scalar(2, 'u32'),
      never,
    )
    expect(await values(end, device)).toEqual([0.25, 0.25])
    const seen = await values(timeAt(levels, tensor(Uint32Array.of(2)), zeros([1])), device)
    expect(seen[0]).toBeGreaterThan(0)
  })
})

describe('dpmSolver', () => {
  it('is the second-order update of diffusers on a schedule and on levels of karras', async () => {
    const cosine = scheduleLevels(cosineSchedule(1000), 12)
    close(await walked(dpmSolver(cosine), 0.8), diffusers(cosine, 0.8), 9)
    const exploding = karrasLevels({ steps: 10, sigmaMax: 20 })
    close(await walked(dpmSolver(exploding), 13), diffusers(exploding, 13), 9)
  })

  it('one step and two are of first order, which is DDIM', async () => {
    for (const steps of [1, 2]) {
      const schedule = linearSchedule(100)
      close(await walked(dpmSolver(scheduleLevels(schedule, steps)), 0.8), await walked(ddim(schedule, { steps }), 0.8))
    }
  })

  it('begins at pure noise as well, where the logarithm of the ratio is −∞', async () => {
    for (const x of await walked(dpmSolver(flowLevels(6)), 0.8)) expect(Number.isFinite(x)).toBe(true)
  })
})

describe('flowEuler', () => {
  it('moves x by the velocity times the time', async () => {
    let x = -0.7
    const expected = range(5).map((i) => {
      const t = 1 - i / 5
      const x0 = exactX0(x, 1 - t, t)
      x -= ((x - (1 - t) * x0) / t - x0) / 5
      return x
    })
    close(await walked(flowEuler(flowLevels(5)), -0.7), expected)
  })

  it('refuses levels off the straight path', () => {
    expect(() => flowEuler(karrasLevels({ steps: 3 }))).toThrow('which is not on the straight path (1 − t, t)')
    expect(() => flowEuler(scheduleLevels(cosineSchedule(10), 3))).toThrow('take flowLevels')
  })
})

/** n steps between fixed ends, evenly in time, on each kind of path; the step to the image is one more. */
const paths: { readonly [name: string]: (t: number) => Point } = {
  preserving: (t) => [Math.cos(t * 1.4), Math.sin(t * 1.4)],
  exploding: (t) => [1, 4 * t ** 2],
  // Not from t = 1: λ = −∞ there, the first steps in λ stay long, and the error of dpmSolver falls as N⁻² ln N.
  flow: (t) => [1 - 0.95 * t, 0.95 * t],
}
const levelsOn = (path: (t: number) => Point, n: number): Levels => {
  const list: readonly Point[] = [...range(n + 1).map((i) => path(1 - (0.8 * i) / n)), [1, 0]]
  return levelsFrom({
    signal: Float64Array.from(list, ([a]) => a),
    noise: Float64Array.from(list, ([, s]) => s),
    time: Float64Array.from(list, (_, i) => -i),
  })
}

/** Of normal data (x − aμ) / √(a²c² + s²) stays the same along the exact way. */
const exactEnd = (levels: Levels, n: number, x: number): number => {
  const [[a0, s0] = [NaN, NaN], [a, s] = [NaN, NaN]] = [points(levels)[0], points(levels)[n]]
  const width = (p: number, q: number): number => Math.hypot(p * deviation, q)
  return a * mean + ((x - a0 * mean) * width(a, s)) / width(a0, s0)
}

/** log₂ of what halving the steps does to the error at the level before the image. */
const orderOf = async <S>(make: (levels: Levels) => Sampler<S>, path: (t: number) => Point): Promise<number> => {
  const errors: number[] = []
  for (const n of [200, 400]) {
    const levels = levelsOn(path, n)
    const found = await walked(make(levels), 0.9)
    errors.push(Math.abs((found[n - 1] ?? NaN) - exactEnd(levels, n, 0.9)))
  }
  return Math.log2((errors[0] ?? NaN) / (errors[1] ?? NaN))
}

describe('the order of convergence on normal data, whose exact way is known', () => {
  it.each(Object.entries(paths))('heun and dpmSolver are of second order on a path that is %s', async (_, path) => {
    expect(await orderOf(heun, path)).toBeCloseTo(2, 0.5)
    expect(await orderOf(dpmSolver, path)).toBeCloseTo(2, 0.5)
  })

  it('flowEuler is of first order', async () => {
    expect(await orderOf(flowEuler, paths['flow'] ?? (() => [NaN, NaN]))).toBeCloseTo(1, 0.5)
  })

  it('ddim is of first order', async () => {
    const schedule = cosineSchedule(2000)
    const errors: number[] = []
    for (const steps of [100, 200]) {
      const sampler = ddim(schedule, { steps })
      const n = stepsOf(sampler.levels)
      // At t = 999, which both walks visit.
      errors.push(Math.abs(((await walked(sampler, 0.9))[n / 2 - 1] ?? NaN) - exactEnd(sampler.levels, n / 2, 0.9)))
    }
    expect(Math.log2((errors[0] ?? NaN) / (errors[1] ?? NaN))).toBeCloseTo(1, 0.5)
  })
})

const schedule = cosineSchedule(200)
const everyone: readonly (readonly [string, Sampler<Tensor> | ReturnType<typeof dpmSolver>])[] = [
  ['heun', heun(scheduleLevels(schedule, 8))],
  ['dpmSolver', dpmSolver(scheduleLevels(schedule, 8))],
  ['flowEuler', flowEuler(flowLevels(8))],
]

describe('walks', () => {
  it('data that is one point is reached, whatever the path', async () => {
    const point = async <S>(sampler: Sampler<S>): Promise<void> => {
      const { x } = await sample({
        device,
        denoise: (_: object, xt: Tensor): Tensor => full(xt.shape, 0.25),
        prediction: 'x0',
        sampler,
        shape: [2, 3, 1],
        params: {},
        key: key(1),
      })
      for (const value of await values(x, device)) expect(value).toBeCloseTo(0.25, 5)
    }
    for (const levels of [scheduleLevels(schedule, 5), karrasLevels({ steps: 5 }), flowLevels(5)]) {
      await point(heun(levels))
      await point(dpmSolver(levels))
    }
    await point(flowEuler(flowLevels(5)))
  })

  it('a network that predicts the velocity of a flow is walked from pure noise', async () => {
    const levels = flowLevels(40)
    const denoise = (_: object, x: Tensor, t: Tensor): Tensor => {
      const time = t.reshape([-1, 1])
      const a = time.neg().add(1)
      const gain = a.mul(deviation ** 2).div(
        a
          .square()
          .mul(deviation ** 2)
          .add(time.square()),
      )
      const x0 = x.sub(a.mul(mean)).mul(gain).add(mean)
      return x.sub(x0).div(time) // u = ε − x₀ = (x − x₀) / t
    }
    const { x } = await sample({
      device,
      denoise,
      prediction: 'flow',
      sampler: heun(levels),
      shape: [4000, 1],
      clip: false,
      params: {},
      key: key(2),
    })
    const found = await values(x, device)
    const m = found.reduce((a, b) => a + b) / found.length
    expect(m).toBeCloseTo(mean, 1)
    expect(Math.sqrt(found.reduce((a, b) => a + (b - m) ** 2, 0) / found.length)).toBeCloseTo(deviation, 1)
  })

  it.each(everyone)(
    '%s: a kept trajectory changes nothing, and a walk from any of its states ends the same',
    async (_, sampler) => {
      const check = async <S>(one: Sampler<S>): Promise<void> => {
        const denoise = (__: object, x: Tensor): Tensor => x.mul(0.4)
        const options = { device, denoise, prediction: 'x0' as const, sampler: one, shape: [2, 3] }
        const kept = await sampling({ ...options, trajectory: true })({}, key(3))
        const lean = sampling(options)
        const image = await values(kept.x, device)
        expect(await values((await lean({}, key(3))).x, device)).toEqual(image)
        expect(kept.trajectory.map(({ time }) => time)).toEqual(Array.from(one.levels.time).slice(0, -1))
        for (const step of [0, 1, 5]) {
          const state = kept.trajectory[step]?.state
          if (state === undefined) throw new Error('eight moments')
          expect(await values((await lean({}, key(3), { from: { state, step } })).x, device)).toEqual(image)
        }
      }
      await ('known' in sampler.init(zeros([1]))
        ? check(sampler as ReturnType<typeof dpmSolver>)
        : check(sampler as Sampler<Tensor>))
    },
  )

  it('dpmSolver goes on from a bare x by a step of first order', async () => {
    const { init, step, image, levels } = dpmSolver(scheduleLevels(schedule, 8))
    const x = normal(key(4), [2, 3], 'f64')
    const estimate = estimatorOn(levels)
    const found = await values(image(step(init(x), estimate, scalar(4, 'u32'), never)), device)
    const { x0, epsilon } = estimate(x, scalar(4, 'u32'))
    const next = await values(x0.mul(levels.signal[5] ?? NaN).add(epsilon.mul(levels.noise[5] ?? NaN)), device)
    close(found, next)
  })

  it.each(everyone)('%s: a network that answers NaN gives NaN, and no number that looks well', async (_, sampler) => {
    const { step, init, image } = sampler as Sampler<unknown>
    const nan = step(
      init(ones([1, 2])),
      (x) => ({ x0: full(x.shape, NaN), epsilon: full(x.shape, NaN) }),
      scalar(2, 'u32'),
      never,
    )
    expect(await values(image(nan), device)).toEqual([NaN, NaN])
  })

  it('one compiled plan serves all steps and batches, with two evaluations in heun’s', async () => {
    const traced: string[] = []
    const denoise = (_: object, x: Tensor, t: Tensor): Tensor => {
      traced.push(`${t.dtype}${JSON.stringify(t.shape)}`)
      return x.mul(0.4)
    }
    const options = { device, denoise, prediction: 'x0' as const, shape: [3, 2, 1] }
    const draw = sampling({ ...options, sampler: heun(flowLevels(6)) })
    await draw({}, key(1))
    await draw({}, key(2))
    expect(traced).toEqual(['f32[3]', 'f32[3]'])
    traced.length = 0
    const solve = sampling({ ...options, sampler: dpmSolver(scheduleLevels(schedule, 6)) })
    await solve({}, key(1))
    await solve({}, key(2))
    expect(traced).toEqual(['i32[3]'])
  })

  it('a prediction that there is not is refused with those that there are', async () => {
    const draw = sampling({
      device,
      denoise: (_: object, x: Tensor): Tensor => x,
      prediction: 'eps' as never,
      sampler: flowEuler(flowLevels(2)),
      shape: [1, 1],
    })
    await expect(draw({}, key(1))).rejects.toThrow("the prediction is 'eps'; it must be epsilon, x0, v, flow")
  })
})
