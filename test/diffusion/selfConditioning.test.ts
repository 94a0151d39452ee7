/** What a network is told of its own estimate, in training and step by step in sampling. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import {
  autoguidance,
  classifierFree,
  cosineSchedule,
  ddim,
  diffusionLoss,
  epsilonFromX0,
  guided,
  noiseLevel,
  parameterizations,
  sample,
  selfConditioned,
  selfConditionedDenoise,
  startFrom,
  type Sampler,
} from '../../src/diffusion/index.ts'
import { ones, scalar, tensor, zeros, zerosLike } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const schedule = cosineSchedule(100)
const x = normal(key(1), [4, 3])
const t = tensor(Int32Array.of(5, 20, 50, 80))
const told = tensor([true, false, true, false])

describe('in training', () => {
  const half = (_: Tensor, __: Tensor, estimate: Tensor): Tensor => estimate.mul(0.5).add(0.25)

  it('the images that are told get the estimate of a first pass, and the others zeros', async () => {
    const network = selfConditionedDenoise(half, told, { schedule, prediction: 'x0' })
    const said = await values(network(x, t), device)
    expect(said).toEqual([0.375, 0.375, 0.375, 0.25, 0.25, 0.25, 0.375, 0.375, 0.375, 0.25, 0.25, 0.25])
  })

  it('is told the image that its prediction means, whatever it predicts', async () => {
    const image = tensor([[0.5, -0.5, 0.25]]).broadcastTo([4, 3])
    for (const prediction of ['epsilon', 'v', 'x0', 'flow'] as const) {
      // A network that knows the image, and says so by a prediction in its first pass; then it says what it was told.
      const level = noiseLevel(schedule, t, x)
      const knows = parameterizations[prediction].target(level, image, epsilonFromX0(level, x, image))
      const seen: Tensor[] = []
      const network = selfConditionedDenoise(
        (_, __, estimate) => {
          seen.push(estimate)
          return knows
        },
        tensor([true, true, true, true]),
        { schedule, prediction },
      )
      network(x, t)
      const second = await values(seen[1] ?? zerosLike(x), device)
      const expected = await values(image, device)
      second.forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i] ?? NaN, 4)
      })
    }
  })

  it('keeps the estimate in [−1, 1] unless the images have no bounds', async () => {
    const large = (_: Tensor, __: Tensor, estimate: Tensor): Tensor => estimate.add(3)
    const all = tensor([true, true, true, true])
    const bounded = selfConditionedDenoise(large, all, { schedule, prediction: 'x0' })
    const free = selfConditionedDenoise(large, all, { schedule, prediction: 'x0', clip: false })
    expect([...new Set(await values(bounded(x, t), device))]).toEqual([4])
    expect([...new Set(await values(free(x, t), device))]).toEqual([6])
  })

  it('has no gradient through its first pass', async () => {
    const loss = diffusionLoss({ schedule, prediction: 'x0' })
    const x0 = ones([4, 3])
    const ofScale = (scale: Tensor): Tensor => {
      const network = (_: Tensor, __: Tensor, estimate: Tensor): Tensor => estimate.add(0.5).mul(scale)
      const all = tensor([true, true, true, true])
      return loss(selfConditionedDenoise(network, all, { schedule, prediction: 'x0' }), x0, t, x)
    }
    // With the estimate of the first pass held at 0.5·s it says (0.5·s + 0.5)·s; the derivative to s at 1 counts the outer s alone.
    const held = (scale: Tensor): Tensor => loss(() => ones([4, 3]).mul(scale), x0.mul(0.5), t, x)
    const found = await device.item(grad(ofScale)(scalar(0.8)))
    const weightSum = (await device.item(grad(held)(scalar(1)))) / (2 * 0.5)
    expect(found).toBeCloseTo(weightSum * 2 * (0.9 * 0.8 - 1) * 0.9, 3)
  })

  it('refuses a choice that is not one for each image', () => {
    const network = selfConditionedDenoise(half, tensor([true]), { schedule, prediction: 'x0' })
    expect(() => network(x, t)).toThrow('told is [1] for images [4,3]; it must be one bool for each')
  })
})

describe('a sampler that is self-conditioned', () => {
  /** Says 0.25 more than what it was told. */
  const counts = (_: object, xt: Tensor, __: Tensor, estimate?: Tensor): Tensor => (estimate ?? zerosLike(xt)).add(0.25)
  const walk = { device, denoise: counts, prediction: 'x0', shape: [1, 2], params: {}, key: key(0) } as const

  it('tells each step the estimate of the step before, and nothing at first', async () => {
    const { x: image, trajectory } = await sample({
      ...walk,
      sampler: selfConditioned(ddim(schedule, { steps: 4 })),
      trajectory: true,
    })
    expect(await values(image, device)).toEqual([1, 1])
    const seen = await Promise.all(trajectory.map(async ({ x0 }) => values(x0, device)))
    expect(seen.map(([first]) => first)).toEqual([0.25, 0.5, 0.75, 1])
  })

  it('is told the first estimate of a step that asks twice', async () => {
    const once = ddim(schedule, { steps: 3 })
    const twice: Sampler<Tensor> = {
      ...once,
      step: (x, ask, index, draw) => {
        ask(x, index)
        return once.step(x.mul(2), ask, index, draw)
      },
    }
    const ofImage = (_: object, xt: Tensor, __: Tensor, before?: Tensor): Tensor =>
      xt
        .mul(0.01)
        .add(before ?? zerosLike(xt))
        .mul(0.5)
    const { trajectory } = await sample({
      ...walk,
      denoise: ofImage,
      sampler: selfConditioned(twice),
      trajectory: true,
    })
    const seen = await Promise.all(trajectory.map(async ({ x0 }) => values(x0, device)))
    const met = await Promise.all(trajectory.map(async ({ xt }) => values(xt, device)))
    const before = (i: number): number => seen[i - 1]?.[0] ?? 0
    seen.forEach(([first = NaN], i) => {
      expect(first).toBeCloseTo(0.5 * (0.01 * (met[i]?.[0] ?? NaN) + before(i)), 5)
    })
  })

  it('keeps the estimates of a bounded image in [−1, 1]', async () => {
    const { x: image } = await sample({ ...walk, sampler: selfConditioned(ddim(schedule, { steps: 8 })) })
    expect(await values(image, device)).toEqual([1, 1])
  })

  it('is the same walk where the network does not read what it is told', async () => {
    const plain = (_: object, xt: Tensor): Tensor => xt.mul(0.3)
    const sampler = ddim(schedule, { steps: 5 })
    const [own, other] = [
      await sample({ ...walk, denoise: plain, sampler }),
      await sample({ ...walk, denoise: plain, sampler: selfConditioned(sampler) }),
    ]
    expect(await values(other.x, device)).toEqual(await values(own.x, device))
  })

  it('starts anywhere with nothing', async () => {
    const sampler = selfConditioned(ddim(schedule, { steps: 4 }))
    const from = startFrom(sampler, zeros([1, 2]), normal(key(2), [1, 2]), 0.5)
    const { x: image } = await sample({ ...walk, sampler, from })
    expect(await values(image, device)).toEqual([0.5, 0.5])
  })

  it('tells guides the same', async () => {
    const scaled = (scale: Tensor, _: Tensor, __: Tensor, estimate?: Tensor): Tensor =>
      (estimate ?? scalar(0)).add(1).mul(scale)
    const auto = guided(autoguidance(scaled, scaled), { weight: 2 })
    const [one, before] = [zeros([1, 1]), tensor([[3]])]
    const pair = { params: scalar(1), guide: scalar(0.5) }
    expect(await values(auto(pair, one, zeros([1]), before), device)).toEqual([6]) // 4 + (4 − 2)
    const labelled = (_: object, __: Tensor, ___: Tensor, condition: Tensor, estimate?: Tensor): Tensor =>
      (estimate ?? scalar(0)).mul(condition.add(1))
    const free = guided(classifierFree(labelled), { weight: 2 })
    const params = { params: {}, condition: tensor([[1]]) }
    expect(await values(free(params, one, zeros([1]), before), device)).toEqual([9]) // 6 + (6 − 3)
  })
})
