/** The loss scale: what counts as overflow, how the scale goes, and that scaling changes no bit. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad, vjp } from '../../src/autograd/grad.ts'
import {
  allFinite,
  initialLossScale,
  nextLossScale,
  selectTree,
  unscaled,
  type LossScaleOptions,
  type LossScaleState,
} from '../../src/optim/lossScale.ts'
import { constant, full, ones, scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms, values } from '../support/device.ts'

const device = cpuDevice()

const numbersOf = async (state: LossScaleState): Promise<readonly number[]> =>
  Promise.all([state.scale, state.good, state.skipped].map((x) => device.item(x)))

describe.each(cpuForms)('allFinite, %s', (_, open) => {
  const own = open()
  const bit = async (tree: unknown): Promise<boolean> => (await own.item(allFinite(tree))) === 1

  it('finds every ∞ and NaN, in any leaf, at any place, of any sign', async () => {
    for (const bad of [Infinity, -Infinity, NaN])
      for (const at of [0, 1, 6]) {
        const x = Float32Array.from({ length: 7 }, (_, i) => (i === at ? bad : i))
        expect(await bit({ a: ones([2]), b: { c: tensor(x, { shape: [7] }) } }), `${bad} at ${at}`).toBe(false)
      }
  })

  it('finds every NaN by its bits, whatever its payload and sign', async () => {
    for (const bits of [0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001, 0xffffffff])
      expect(await bit(tensor(Uint32Array.of(1, bits)).bitcast('f32')), bits.toString(16)).toBe(false)
  })

  it('lets every number pass: the largest, the smallest, and both zeros', async () => {
    expect(await bit(tensor([3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -1e-45, 0, -0]))).toBe(true)
    expect(await bit([])).toBe(true)
    expect(await bit(tensor([], { shape: [0] }))).toBe(true)
  })

  it('looks at halves and doubles by their own range', async () => {
    expect(await bit(full([2], 65504, 'f16'))).toBe(true)
    expect(await bit(full([2], 70_000).cast('f16'))).toBe(false)
    expect(await bit(full([2], 1e300, 'f64'))).toBe(true)
    expect(await bit(full([2], Infinity, 'f64'))).toBe(false)
  })
})

describe('the scale', () => {
  const after = async (finite: readonly boolean[], options: LossScaleOptions): Promise<readonly number[]> =>
    numbersOf(
      finite.reduce<LossScaleState>(
        (state, good) => nextLossScale(state, scalar(good ? 1 : 0).cast('bool'), options),
        initialLossScale(options),
      ),
    )

  it('doubles after so many good steps in a row, and halves at each bad one: as a plain loop has it, for any course', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (course, doubleAfter) => {
          let [scale, good, skipped] = [1024, 0, 0]
          for (const finite of course) {
            good = finite ? good + 1 : 0
            if (!finite) [scale, skipped] = [scale / 2, skipped + 1]
            else if (good === doubleAfter) [scale, good] = [scale * 2, 0]
          }
          expect(await after(course, { initial: 1024, doubleAfter })).toEqual([scale, good, skipped])
        },
      ),
      { seed: 5, numRuns: 40 },
    )
  })

  it('begins at 65,536 and doubles after 2000 steps', async () => {
    expect(await numbersOf(initialLossScale())).toEqual([65_536, 0, 0])
    const almost = { ...initialLossScale(), good: constant(Uint32Array.of(1999), { shape: [] }) }
    expect(await numbersOf(nextLossScale(almost, scalar(1).cast('bool')))).toEqual([131_072, 0, 0])
  })

  it('keeps itself and its inverse normal numbers', async () => {
    expect(await after([true, true], { initial: 2 ** 126, doubleAfter: 1 })).toEqual([2 ** 126, 0, 0])
    expect(await after([false, false], { initial: 2 ** -126 })).toEqual([2 ** -126, 0, 2])
  })

  it('is a power of two, and its options are known', () => {
    for (const initial of [0, -1, 3, 1000, 2 ** 127, NaN, Infinity])
      expect(() => initialLossScale({ initial }), String(initial)).toThrow(
        /^lossScale: the initial scale is .*: use 65536$/,
      )
    expect(() => initialLossScale({ doubleAfter: 0 })).toThrow(
      'lossScale: doubleAfter is 0; it must be a whole number ≥ 1',
    )
    expect(() => initialLossScale({ growth: 2 } as LossScaleOptions)).toThrow("lossScale: there is no option 'growth'")
  })
})

describe('scaled gradients', () => {
  it('are those of the loss, bit for bit, once they are unscaled: for any power of two that keeps them normal', async () => {
    const x = tensor([0.3, -1.7, 2.9])
    const loss = (w: Tensor): Tensor => w.mul(x).sin().square().sum()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -4000, max: 4000 }), { minLength: 3, maxLength: 3 }),
        fc.integer({ min: -30, max: 60 }),
        async (numbers, k) => {
          const w = tensor(numbers.map((n) => n / 1000))
          const state = initialLossScale({ initial: 2 ** k })
          const [scaled] = vjp(loss, w).pullback(state.scale)
          expect(await values(unscaled(scaled, state))).toEqual(await values(grad(loss)(w)))
        },
      ),
      { seed: 6, numRuns: 60 },
    )
  })

  it('of halves come in f32, and those of f64 as such', async () => {
    const state = initialLossScale({ initial: 4 })
    const { half, double } = unscaled({ half: full([1], 2 ** -24, 'f16'), double: full([1], 1e300, 'f64') }, state)
    expect([half.dtype, double.dtype]).toEqual(['f32', 'f64'])
    expect([...(await values(half)), ...(await values(double))]).toEqual([2 ** -26, 1e300 / 4])
  })
})

describe('selectTree', () => {
  it('takes whole trees, and names the leaf that only one of them has', async () => {
    const [a, b] = [
      { v: tensor([1, 2]), n: scalar(3) },
      { v: tensor([NaN, 5]), n: scalar(6) },
    ]
    const yes = selectTree(scalar(1).cast('bool'), a, b)
    const no = selectTree(scalar(0).cast('bool'), b, a)
    for (const tree of [yes, no]) expect([...(await values(tree.v)), await device.item(tree.n)]).toEqual([1, 2, 3])
    expect(() => selectTree<object>(scalar(1).cast('bool'), a, { v: tensor([1, 2]) })).toThrow(
      "selectTree: 'n' is missing in the one before",
    )
  })
})
