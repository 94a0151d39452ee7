/** Guidance: whose bits it gives when it does nothing, what it combines, when it acts; the way between noises, and walks that begin at a picture. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  autoguidance,
  classifierFree,
  cosineSchedule,
  ddim,
  ddpm,
  dpmSolver,
  flowLevels,
  guided,
  heun,
  noiseLevel,
  parameterizations,
  qSample,
  sampling,
  scheduleLevels,
  slerp,
  startFrom,
  type GuidanceOptions,
  type Prediction,
} from '../../src/diffusion/index.ts'
import { openDevice } from '../../src/index.ts'
import { unet, type UnetInput, type UnetParams } from '../../src/models/index.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()

/** Numbers spread evenly, where doubles of fast-check are mostly near 0. */
const between = (low: number, high: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: 1000 }).map((k) => low + ((high - low) * k) / 1000)
const network = (scale: Tensor, xt: Tensor): Tensor => xt.mul(scale).tanh()
const pair = autoguidance(network, network)
const params = { params: tensor(0.9), guide: tensor(0.5) }
const batch = [2, 3, 3, 2]

const bits = (xs: readonly number[]): readonly number[] => Array.from(new Uint32Array(Float32Array.from(xs).buffer))

describe('a guided denoiser', () => {
  const xt = normal(key(1), batch)
  const t = tensor(Int32Array.of(700, 20))
  const drawn = async (options: GuidanceOptions, given = params): Promise<readonly number[]> =>
    values(guided(pair, options)(given, xt, t), device)
  const own = async (): Promise<readonly number[]> => values(network(params.params, xt), device)

  it('gives the network’s own bits with a weight of 1, as a number and as a tensor, rescaled or not', async () => {
    const expected = bits(await own())
    for (const rescale of [0, 0.7]) {
      expect(bits(await drawn({ weight: 1, rescale }))).toEqual(expected)
      expect(bits(await drawn({ weight: scalar(1), rescale }))).toEqual(expected)
    }
  })

  it('gives the network’s own bits with itself as its guide, for any weight', async () => {
    const same = { params: params.params, guide: params.params }
    for (const weight of [-1, 0, 0.5, 1.5, 3, 1e6])
      for (const rescale of [0, 0.7]) expect(bits(await drawn({ weight, rescale }, same))).toEqual(bits(await own()))
  })

  it('keeps negative zeros with itself as its guide, and with a weight of 1', async () => {
    const identity = (_: object, x: Tensor): Tensor => x
    const denoise = guided(autoguidance(identity, identity), { weight: 2 })
    const result = await values(denoise({ params: {}, guide: {} }, tensor([[-0, 0, 1]]), tensor([0])), device)
    const other = guided(autoguidance(identity, network), { weight: scalar(1) })
    const alone = await values(other({ params: {}, guide: tensor(0.5) }, tensor([[-0, 0, 1]]), tensor([0])), device)
    const ones = guided(
      autoguidance(identity, (_: object, x: Tensor) => x.sub(1)),
      { weight: scalar(1) },
    )
    const far = await values(ones({ params: {}, guide: {} }, tensor([[-0, 0, 1]]), tensor([0])), device)
    for (const found of [result, alone, far]) expect(found.map((x) => Object.is(x, -0))).toEqual([true, false, false])
  })

  it('is G + w·(D − G), and G itself with a weight of 0', async () => {
    await fc.assert(
      fc.asyncProperty(between(-3, 5), async (weight) => {
        const [d, g] = [await own(), await values(network(params.guide, xt), device)]
        const result = await drawn({ weight })
        for (const [i, y] of result.entries())
          expect(y).toBeCloseTo((g[i] ?? 0) + weight * ((d[i] ?? 0) - (g[i] ?? 0)), 5)
      }),
      { numRuns: 15 },
    )
  })

  it('moves the image that is estimated as it moves the output, whatever is predicted', async () => {
    const schedule = cosineSchedule(1000)
    const predictions: readonly Prediction[] = ['epsilon', 'x0', 'v', 'flow']
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...predictions),
        fc.integer({ min: 0, max: 999 }),
        between(-2, 4),
        fc.integer({ min: 0, max: 1000 }),
        async (prediction, time, weight, seed) => {
          const [x, d, g] = [1, 2, 3].map((k) => normal(key(seed + k), [1, 4], 'f64'))
          if (x === undefined || d === undefined || g === undefined) throw new Error('three tensors')
          const level = noiseLevel(schedule, scalar(time, 'i32'), x)
          const image = (output: Tensor): Tensor => parameterizations[prediction].estimate(level, x, output).x0
          const byOutputs = await values(image(d.add(d.sub(g).mul(weight - 1))), device)
          const byImages = await values(
            image(d).add(
              image(d)
                .sub(image(g))
                .mul(weight - 1),
            ),
            device,
          )
          for (const [i, y] of byOutputs.entries())
            expect(Math.abs(y - (byImages[i] ?? NaN))).toBeLessThan(1e-9 * Math.max(1, ...byImages.map(Math.abs)))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('acts only within its interval, ends included, for each image by its own time', async () => {
    const half = 18
    const [everywhere, nowhere] = [await drawn({ weight: 2 }), await own()]
    const late = await drawn({ weight: 2, interval: [20, 100] })
    expect(bits(late.slice(0, half))).toEqual(bits(nowhere.slice(0, half))) // time 700
    expect(late.slice(half)).toEqual(everywhere.slice(half)) // time 20
    expect(late.slice(half)).not.toEqual(nowhere.slice(half))
    expect((await drawn({ weight: 2, interval: [700, 700] })).slice(0, half)).toEqual(everywhere.slice(0, half))
    expect(bits(await drawn({ weight: 2, interval: [100, 600] }))).toEqual(bits(nowhere))
  })

  it('has the spread of the network’s own prediction when it is rescaled wholly, and part of it otherwise', async () => {
    const spread = (xs: readonly number[]): number => {
      const mean = xs.reduce((a, b) => a + b, 0) / xs.length
      return Math.sqrt(xs.reduce((sum, x) => sum + (x - mean) ** 2, 0) / xs.length)
    }
    const [mine, none] = [await own(), await drawn({ weight: 4 })]
    const [all, some] = [await drawn({ weight: 4, rescale: 1 }), await drawn({ weight: 4, rescale: 0.25 })]
    for (const image of [0, 18]) {
      const of = (xs: readonly number[]): readonly number[] => xs.slice(image, image + 18)
      expect(spread(of(all))).toBeCloseTo(spread(of(mine)), 5)
      expect(spread(of(none))).toBeGreaterThan(1.1 * spread(of(mine)))
    }
    for (const [i, y] of some.entries()) expect(y).toBeCloseTo(0.25 * (all[i] ?? NaN) + 0.75 * (none[i] ?? NaN), 5)
  })

  it('of one colour stays a number when it is rescaled', async () => {
    const denoise = guided(autoguidance(network, network), { weight: 3, rescale: 1 })
    const result = await values(denoise(params, zeros([1, 2, 2, 1]).add(1), tensor([0])), device)
    expect(result.every(Number.isFinite)).toBe(true)
  })

  it('refuses what cannot be meant', () => {
    const wrong = (options: GuidanceOptions) => () => guided(pair, options)
    expect(wrong({ weight: NaN })).toThrow('the weight is NaN; it must be finite, and 1 for no guidance')
    expect(wrong({ weight: 2, interval: [5, 4] })).toThrow('it must be the least time and the greatest')
    expect(wrong({ weight: 2, rescale: 1.5 })).toThrow('it must be a share from 0 to 1')
    expect(wrong({ weight: 2, phi: 1 } as GuidanceOptions)).toThrow(/phi/)
  })
})

describe('classifier-free guidance', () => {
  const model = unet({ width: 8, multipliers: [1, 2], heads: 1, headWidth: 4, conditions: 3 })
  const denoise = (p: UnetParams, xt: Tensor, t: Tensor, condition: Tensor): Tensor =>
    model.apply(p, { x: xt, t, condition } satisfies UnetInput)

  it.each(['cpu', 'wasm'] as const)(
    'on %s gives the bits of the network alone where there is nothing to be told',
    async (name) => {
      const one = await openDevice(name)
      const given = await one.realize({
        params: { params: model.init(key(0)), condition: zeros([2, 3]) },
        xt: normal(key(2), [2, 8, 8, 3]),
        t: tensor(Int32Array.of(10, 900)),
      })
      const run = async (weight: number): Promise<readonly number[]> => {
        const step = one.compile((g: typeof given) => guided(classifierFree(denoise), { weight })(g.params, g.xt, g.t))
        return values(await step(given), one)
      }
      const alone = await values(
        await one.compile((g: typeof given) => model.apply(g.params.params, { x: g.xt, t: g.t }))(given),
        one,
      )
      expect(bits(await run(3))).toEqual(bits(alone))
      await one.close()
    },
  )

  it('is the same in one pass of twice the batch as in two passes', async () => {
    const weights = model.init(key(0))
    const condition = tensor([
      [1, 0, 0],
      [0, 0, 1],
    ])
    const [xt, t] = [normal(key(2), [2, 4, 4, 3]), tensor(Int32Array.of(10, 900))]
    const once = guided(classifierFree(denoise), { weight: 2.5 })({ params: weights, condition }, xt, t)
    const told = denoise(weights, xt, t, condition)
    const untold = model.apply(weights, { x: xt, t })
    const [a, b] = [await values(once, device), await values(untold.add(told.sub(untold).mul(2.5)), device)]
    for (const [i, y] of a.entries()) expect(y).toBeCloseTo(b[i] ?? NaN, 4)
  })

  it('needs a condition for each image', () => {
    const one = classifierFree((_: object, xt: Tensor) => xt)
    expect(() =>
      guided(one, { weight: 2 })({ params: {}, condition: zeros([3, 1]) }, zeros([2, 1]), zeros([2])),
    ).toThrow('the condition is [3,1] for 2 images; it must be [2, K]')
  })

  it('is a denoiser for sampling, whose weight as a tensor needs no other plan', async () => {
    const sampler = ddim(cosineSchedule(100), { steps: 4 })
    const toward = classifierFree((_: object, xt: Tensor, __: Tensor, condition: Tensor) =>
      condition.reshape([condition.size, 1, 1, 1]).broadcastTo(xt.shape),
    )
    const draw = sampling({
      device,
      denoise: ({ condition, weight }: { condition: Tensor; weight: Tensor }, xt, t) =>
        guided(toward, { weight })({ params: {}, condition }, xt, t),
      prediction: 'x0',
      sampler,
      shape: [2, 2, 2, 1],
    })
    const condition = tensor([[0.1], [-0.2]])
    for (const weight of [1, 3]) {
      const { x } = await draw({ condition, weight: scalar(weight) }, key(0))
      const result = await values(x, device)
      expect(result[0]).toBeCloseTo(0.1 * weight, 6)
      expect(result[7]).toBeCloseTo(-0.2 * weight, 6)
    }
  })
})

describe('slerp', () => {
  const lengths = async (x: Tensor): Promise<readonly number[]> =>
    values(x.square().sum([1], true).sqrt().reshape([-1]), device)

  it('keeps the length of noises of one length, and divides the angle between them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 500 }), between(0, 1), async (seed, share) => {
        const unit = (k: number): Tensor => {
          const x = normal(key(2 * seed + k), [3, 6], 'f64')
          return x.div(x.square().sum([1], true).sqrt())
        }
        const [a, b] = [unit(0), unit(1)]
        const onTheWay = slerp(a, b, share)
        for (const length of await lengths(onTheWay)) expect(length).toBeCloseTo(1, 6)
        const cosines = async (x: Tensor, y: Tensor) => values(x.mul(y).sum([1]), device)
        const [whole, part] = [await cosines(a, b), await cosines(a, onTheWay)]
        for (const [i, cosine] of part.entries())
          expect(cosine).toBeCloseTo(Math.cos(share * Math.acos(whole[i] ?? NaN)), 6)
      }),
      { numRuns: 25 },
    )
  })

  it('ends at both noises, and is a straight line where they point one way, opposite ways, or nowhere', async () => {
    const [a, b] = [normal(key(1), [2, 5]), normal(key(2), [2, 5])]
    for (const [share, end] of [
      [0, a],
      [1, b],
    ] as const) {
      const [x, y] = [await values(slerp(a, b, share), device), await values(end, device)]
      for (const [i, v] of x.entries()) expect(v).toBeCloseTo(y[i] ?? NaN, 6)
    }
    const close = async (x: Tensor, expected: readonly number[]) =>
      (await values(x, device)).forEach((v, i) => expect(v).toBeCloseTo(expected[i] ?? NaN, 6))
    await close(slerp(tensor([[1, 2]]), tensor([[2, 4]]), 0.5), [1.5, 3])
    await close(slerp(tensor([[1, 2]]), tensor([[-1, -2]]), 0.25), [0.5, 1])
    await close(slerp(tensor([[0, 0]]), tensor([[2, 4]]), 0.5), [1, 2])
  })

  it('refuses noises of two shapes, and shares outside [0, 1]', () => {
    expect(() => slerp(zeros([1, 2]), zeros([1, 3]), 0.5)).toThrow('slerp: a [1,2] and b [1,3] must have one shape')
    expect(() => slerp(zeros([1, 2]), zeros([1, 2]), 1.5)).toThrow('the share is 1.5')
  })
})

describe('a walk that begins at a picture', () => {
  const schedule = cosineSchedule(1000)
  const [picture, noise] = [normal(key(1), [2, 3]).mul(0.3), normal(key(2), [2, 3])]

  it.each([
    [1, 0],
    [0.75, 5],
    [0.5, 10],
    [0.3, 14],
    [0.01, 19],
  ])('of strength %f starts at step %i of 20, with the noise of its level', async (strength, step) => {
    const sampler = ddim(schedule, { steps: 20 })
    const start = startFrom(sampler, picture, noise, strength)
    expect(start.step).toBe(step)
    const t = tensor(Int32Array.of(sampler.levels.time[step] ?? NaN, sampler.levels.time[step] ?? NaN))
    const [ours, noised] = [
      await values(start.state, device),
      await values(qSample(schedule, picture, t, noise), device),
    ]
    for (const [i, x] of ours.entries()) expect(x).toBeCloseTo(noised[i] ?? NaN, 5)
  })

  it('gives the picture back where the network knows it, with every sampler', async () => {
    const check = async (make: (use: { from: number }) => Promise<readonly number[]>) => {
      const [result, expected] = [await make({ from: 0.4 }), await values(picture, device)]
      for (const [i, x] of result.entries()) expect(x).toBeCloseTo(expected[i] ?? NaN, 4)
    }
    const walked = async <S>(sampler: Parameters<typeof startFrom<S>>[0], from: number): Promise<readonly number[]> => {
      const draw = sampling({
        device,
        denoise: (p: { picture: Tensor }, xt) => p.picture.broadcastTo(xt.shape),
        prediction: 'x0',
        sampler,
        shape: [2, 3],
      })
      const steps: string[] = []
      const { x } = await draw({ picture }, key(0), {
        from: startFrom(sampler, picture, noise, from),
        onStep: (done, total) => steps.push(`${done}/${total}`),
      })
      expect(steps[0]).toBe('1/4')
      return values(x, device)
    }
    await check(async ({ from }) => walked(ddim(schedule, { steps: 10 }), from))
    await check(async ({ from }) => walked(heun(flowLevels(10)), from))
    await check(async ({ from }) => walked(dpmSolver(scheduleLevels(schedule, 10)), from))
    await check(async ({ from }) => walked(ddpm(cosineSchedule(10)), from))
  })

  it('refuses a strength outside (0, 1], and noise of another shape', () => {
    const sampler = ddim(schedule, { steps: 20 })
    expect(() => startFrom(sampler, picture, noise, 0)).toThrow('it must be above 0 and at most 1')
    expect(() => startFrom(sampler, picture, noise, 1.1)).toThrow('the strength is 1.1')
    expect(() => startFrom(sampler, picture, zeros([2, 4]), 0.5)).toThrow('the picture [2,3] and the noise [2,4]')
  })
})
