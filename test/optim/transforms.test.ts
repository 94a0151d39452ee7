import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accumulate, emptyAccumulation } from '../../src/optim/accumulate.ts'
import { chain } from '../../src/optim/chain.ts'
import { ema } from '../../src/optim/ema.ts'
import { clipByGlobalNorm, globalNorm } from '../../src/optim/globalNorm.ts'
import { applyUpdates, stateless } from '../../src/optim/transform.ts'
import { grad } from '../../src/autograd/index.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { mapTree } from '../../src/tensor/tree.ts'
import { cpuDevice, cpuForms, values } from '../support/device.ts'

const device = cpuDevice()
const numbers = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 6 })

describe('globalNorm', () => {
  it('is the Euclidean norm of all leaves as one vector', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, numbers, async (a, b) => {
        const [norm] = await values(
          globalNorm({ a: tensor(a, { dtype: 'f64' }), inner: [tensor(b, { dtype: 'f64' })] }),
          device,
        )
        expect(norm).toBeCloseTo(Math.hypot(...a, ...b), 9)
      }),
      { numRuns: 25 },
    )
  })

  it('sums f16 leaves in f32, and an empty tree has norm 0', async () => {
    const large = globalNorm([tensor([300, 400], { dtype: 'f16' })])
    expect(large.dtype).toBe('f32')
    expect(await values(large, device)).toEqual([500])
    expect(await values(globalNorm({}), device)).toEqual([0])
  })
})

/** Gradients whose squares leave the range of their dtype, and their norm. */
const far = [
  ['f32', [3e20, 4e20], 5e20],
  ['f32', [3e-30, 4e-30], 5e-30],
  ['f32', [3e38, 1, -1e-30], 3e38],
  ['f32', [2 ** -149, 0], 2 ** -149],
  ['f64', [3e300, 4e300], 5e300],
  ['f64', [3e-300, 4e-300], 5e-300],
] as const

describe.each(cpuForms)('norms at the ends of the range on cpu, %s', (_, open) => {
  it.each(far)('globalNorm in %s of %j is %d', async (dtype, xs, expected) => {
    const [norm] = await values(globalNorm(xs.map((x) => tensor([x], { dtype }))), open())
    expect((norm ?? NaN) / expected).toBeCloseTo(1, 6)
  })

  it('NaN and ∞ in one leaf of many are in the norm', async () => {
    const device = open()
    expect(await values(globalNorm([tensor([1, 2]), tensor([NaN, 3e30])]), device)).toEqual([NaN])
    expect(await values(globalNorm([tensor([-Infinity, 2]), tensor([1])]), device)).toEqual([Infinity])
    expect(await values(globalNorm([tensor([]), tensor([3])]), device)).toEqual([3])
  })

  it('the norm has the gradient g / ‖g‖, also where squares overflow, and 0 at 0', async () => {
    const device = open()
    const at = async (xs: readonly number[]): Promise<number[]> =>
      values(grad((x: Tensor) => globalNorm(x))(tensor(xs)), device)
    ;(await at([3e20, 4e20])).forEach((g, i) => expect(g).toBeCloseTo([0.6, 0.8][i] ?? NaN, 6))
    expect(await at([0, 0])).toEqual([0, 0])
  })

  it('clipByGlobalNorm shortens finite gradients of any length, also where their norm is no number', async () => {
    const device = open()
    const clip = async (xs: readonly number[]): Promise<number[]> =>
      values(clipByGlobalNorm(1).update(tensor(xs), {}, tensor(xs))[0], device)
    ;(await clip([3e20, 4e20])).forEach((g, i) => expect(g).toBeCloseTo([0.6, 0.8][i] ?? NaN, 6))
    ;(await clip([3e38, 3e38])).forEach((g) => expect(g).toBeCloseTo(Math.SQRT1_2, 5)) // ‖g‖ = 4.2e38
    expect(await clip([2 ** -149, 1e-30])).toEqual([2 ** -149, Math.fround(1e-30)])
    expect(await clip([1, NaN])).toEqual([NaN, NaN])
  })
})

describe('clipByGlobalNorm', () => {
  const clipped = (gradients: { readonly a: readonly number[]; readonly b: readonly number[] }, most: number) => {
    const g = { a: tensor(gradients.a, { dtype: 'f64' }), b: tensor(gradients.b, { dtype: 'f64' }) }
    return clipByGlobalNorm(most).update(g, {}, g)[0]
  }

  it('shortens what is longer to the bound, keeps its direction, and leaves the rest alone', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, numbers, fc.double({ min: 0.1, max: 20, noNaN: true }), async (a, b, most) => {
        const norm = Math.hypot(...a, ...b)
        const factor = Math.min(1, most / (norm + 1e-6))
        const { a: x, b: y } = clipped({ a, b }, most)
        const found = [...(await values(x, device)), ...(await values(y, device))]
        ;[...a, ...b].forEach((g, i) => expect(found[i]).toBeCloseTo(g * factor, 9))
      }),
      { numRuns: 25 },
    )
  })

  it('gradients of zero stay zero, and a bound that is not positive is refused', async () => {
    expect(await values(clipped({ a: [0, 0], b: [0] }, 1).a, device)).toEqual([0, 0])
    expect(() => clipByGlobalNorm(0)).toThrow('the largest norm is 0')
  })
})

describe('chain', () => {
  it('passes the updates on in order, and gives each transform its own state', () => {
    const add = (n: number) => stateless((updates) => mapTree(updates, (u) => u.add(n)))
    const optimizer = chain(add(1), add(2), {
      init: () => ({ count: scalar(0) }),
      update: (u, { count }: { readonly count: ReturnType<typeof scalar> }) => [u, { count: count.add(1) }],
    })
    const state = optimizer.init({})
    expect(state).toHaveLength(3)
    const [, [, , third]] = optimizer.update({}, state, {})
    expect(third.count.shape).toEqual([])
  })

  it('of none changes nothing', async () => {
    const g = { w: tensor([1, 2]) }
    const [updates, state] = chain().update(g, [], g)
    expect(state).toEqual([])
    expect(await values(applyUpdates(g, updates).w, device)).toEqual([2, 4])
  })
})

describe('accumulate', () => {
  it('the sum over k micro-batches is the mean of their gradients', async () => {
    const parts = [
      [1, 2],
      [3, -4],
      [5, 8],
      [-1, 2],
    ]
    const sum = parts.reduce((s, g) => accumulate(s, { w: tensor(g) }, 4), emptyAccumulation({ w: tensor([9, 9]) }))
    expect(await values(sum.w, device)).toEqual([2, 2])
    expect(() => accumulate(sum, sum, 0)).toThrow('0 micro-batches')
  })
})

describe('ema', () => {
  const average = { w: tensor([0.1, -7.3, 1e-20]), steps: tensor(Int32Array.of(1)) }
  const params = { w: tensor([0.7, 2.1, 3]), steps: tensor(Int32Array.of(5)) }

  it('decay 0 copies the parameters and decay 1 keeps the average, bit for bit, as number or buffer', async () => {
    for (const decay of [(x: number) => x, (x: number) => scalar(x)]) {
      expect(await values(ema(decay(0), average, params).w, device)).toEqual(await values(params.w, device))
      expect(await values(ema(decay(1), average, params).w, device)).toEqual(await values(average.w, device))
    }
  })

  it('decay 0 copies and decay 1 keeps, whatever is not finite in the other, in one compiled function', async () => {
    const step = device.compile((decay: Tensor, a: Tensor, p: Tensor) => ema(decay, a, p))
    const [finite, ruined] = [tensor([1, 2]), tensor([NaN, -Infinity])]
    expect(await values(await step(scalar(0), ruined, finite), device)).toEqual([1, 2])
    expect(await values(await step(scalar(1), finite, ruined), device)).toEqual([1, 2])
    expect(await values(await step(scalar(0.5), finite, ruined), device)).toEqual([NaN, -Infinity])
    expect(await values(ema(0, ruined, finite), device)).toEqual([1, 2])
    expect(await values(ema(1, finite, ruined), device)).toEqual([1, 2])
  })

  it('moves by 1 − decay towards the parameters; what is no float is copied', async () => {
    const next = ema(scalar(0.75), average, params)
    const found = await values(next.w, device)
    ;[0.25, -4.95, 0.75].forEach((x, i) => expect(found[i]).toBeCloseTo(x, 6))
    expect(await values(next.steps, device)).toEqual([5])
  })
})
