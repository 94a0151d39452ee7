/** EDM2's U-Net: every operation keeps magnitudes, weights have no length, and what the family knows of its networks. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad, vjp } from '../../../src/autograd/index.ts'
import { edm2, edm2Family, type DenoiserInput, type Edm2Options, type Edm2Params } from '../../../src/models/index.ts'
import { edm2Features } from '../../../src/models/edm2/edm2.ts'
import { mpCat, mpSilu, mpSum, pixelNorm } from '../../../src/models/edm2/magnitudes.ts'
import { mpFourier } from '../../../src/models/edm2/time.ts'
import { forceWeights, mpConv2d, mpLinear } from '../../../src/models/edm2/weights.ts'
import {
  decodeModel,
  factorOf,
  featuresOf,
  leastWeightsOf,
  modelOf,
  projectOf,
  sourcesOf,
  timesOf,
  titleOf,
  widthOf,
} from '../../../src/models/registry.ts'
import { E } from '../../../src/prelude/fp.ts'
import { ones, tensor, zeros } from '../../../src/tensor/create.ts'
import { key, normal, uniform } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { countElements, leavesWithPaths, mapTree, zipTrees } from '../../../src/tensor/tree.ts'
import { cpuDevice, values } from '../../support/device.ts'
import { relativeError } from '../golden.ts'

const meanSquare = (x: ArrayLike<number>): number => Array.from(x).reduce((sum, v) => sum + v * v, 0) / x.length
const meanSquareOf = async (x: Tensor): Promise<number> => meanSquare(await values(x))

/** Vectors of normal numbers. */
const normals = (seed: number, channels: number, count = 4000): Tensor => normal(key(seed), [count, channels])

const balances = fc.double({ min: 0, max: 1, noNaN: true })
const seeds = fc.integer({ min: 0, max: 1000 })
const runs = { numRuns: 8 }

describe('the mean square stays 1', () => {
  it('in silu: the constant 0.596 is √E[silu(z)²]', async () =>
    expect(Math.abs((await meanSquareOf(mpSilu(normals(0, 50)))) - 1)).toBeLessThan(0.02))

  it('in sums and in channels side by side, whatever their balance', () =>
    fc.assert(
      fc.asyncProperty(balances, seeds, async (t, seed) => {
        const [a, b] = [normals(seed, 8), normals(seed + 5000, 24)]
        expect(Math.abs((await meanSquareOf(mpSum(a, b.slice([], [0, 8]), t))) - 1)).toBeLessThan(0.05)
        expect(Math.abs((await meanSquareOf(mpCat(a, b, t))) - 1)).toBeLessThan(0.05)
      }),
      runs,
    ))

  it('in linear layers and convolutions, whatever their weights are', () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.double({ min: 0.01, max: 50, noNaN: true }), async (seed, scale) => {
        const weights = (shape: readonly number[]) => ({ weight: uniform(key(seed), shape).sub(0.3).mul(scale) })
        const y = mpLinear(16, 12).apply(weights([16, 12]), normals(seed, 16))
        expect(Math.abs((await meanSquareOf(y)) - 1)).toBeLessThan(0.07)
        const image = mpConv2d(6, 5).apply(weights([3, 3, 6, 5]), normal(key(seed + 1), [4, 26, 26, 6]))
        const inside = image.slice([], [1, 25], [1, 25]) // at the border zeros are seen
        expect(Math.abs((await meanSquareOf(inside)) - 1)).toBeLessThan(0.2)
      }),
      runs,
    ))

  it('in the sinusoids of times, and in every pixel that is normalised', async () => {
    const fourier = mpFourier(2000, 1000)
    const told = await values(fourier.apply(fourier.init(key(3)), tensor([0, 400, 999])))
    for (const i of [0, 1, 2]) expect(Math.abs(meanSquare(told.slice(2000 * i, 2000 * (i + 1))) - 1)).toBeLessThan(0.12)
    const pixels = await values(pixelNorm(normals(1, 8, 20).mul(37)))
    for (let i = 0; i < 20; i++) expect(meanSquare(pixels.slice(8 * i, 8 * (i + 1)))).toBeCloseTo(1, 4)
  })

  it('in a whole network with its first weights, nearly: attention takes means', async () => {
    const network = featuresOf({ kind: 'edm2', width: 16, multipliers: [1, 2, 2], blocks: 2, headWidth: 16 }, 3)
    const input = { x: normal(key(1), [4, 16, 16, 3]), t: tensor([0, 300, 600, 999]) }
    for (const image of network.apply(network.init(key(0)), input)) {
      const square = await meanSquareOf(image)
      expect(square).toBeGreaterThan(0.5)
      expect(square).toBeLessThan(1.4)
    }
  })
})

describe('sums and channels', () => {
  it('are weighed by the formula', async () => {
    const [a, b] = [tensor([[1, 2]]), tensor([[10, 20, 30, 40]])]
    const t = 0.3
    const length = Math.sqrt(0.7 ** 2 + t ** 2)
    const near = async (x: Tensor, expected: readonly number[]): Promise<void> =>
      (await values(x)).forEach((v, i) => expect(v).toBeCloseTo(expected[i] ?? NaN, 4))
    await near(
      mpSum(a, b.slice([], [0, 2]), t),
      [1, 2].map((v) => (0.7 * v + t * 10 * v) / length),
    )
    await near(
      mpSum(a, undefined, t),
      [1, 2].map((v) => (0.7 * v) / length),
    )
    const scale = Math.sqrt(6) / length
    await near(mpCat(a, b, t), [
      ...[1, 2].map((v) => (scale * 0.7 * v) / Math.SQRT2),
      ...[10, 20, 30, 40].map((v) => (scale * t * v) / 2),
    ])
  })

  it('of zeros have a finite gradient where a pixel is normalised', async () =>
    expect(await values(grad((x: Tensor) => pixelNorm(x).sum())(zeros([2, 3])))).toEqual(Array(6).fill(1e4)))
})

const small = { width: 4, multipliers: [1, 2], blocks: 1, headWidth: 4, conditions: 2, times: 20 } as const
const model = edm2(small)

/** Parameters in which the gains are not 0. */
const awake = (seed: number) =>
  mapTree(model.init(key(seed)), (x, path) => (path.endsWith('gain') ? ones([]).mul(0.7) : x))

const input = {
  x: normal(key(1), [2, 4, 4, 3]),
  t: tensor([3, 17]),
  condition: tensor([
    [1, 0],
    [0.5, -2],
  ]),
} as const

const largest = async (x: Tensor): Promise<number> => Math.max(...(await values(x.abs())))

describe('weights', () => {
  const device = cpuDevice()
  const network = device.compile((params: Edm2Params, given: DenoiserInput) => model.apply(params, given))

  it('have no length: a network of longer and shorter ones gives the same', () =>
    fc.assert(
      fc.asyncProperty(seeds, fc.double({ min: -6, max: 6, noNaN: true }), async (seed, e) => {
        const params = await device.realize(awake(seed))
        const scaled = mapTree(params, (x, path) => {
          if (!path.endsWith('.weight')) return x
          const factors = uniform(key(seed + path.length), [x.shape.at(-1) ?? 0]).add(0.5) // one for each output
          return x.mul(factors).mul(10 ** e)
        })
        const given = await device.realize(input)
        const [y, z] = [await network(params, given), await network(await device.realize(scaled), given)]
        const found = await values(y, device)
        expect(Math.max(...found.map(Math.abs))).toBeGreaterThan(0.05)
        ;(await values(z, device)).forEach((v, i) => expect(Math.abs(v - (found[i] ?? NaN))).toBeLessThan(2e-5))
      }),
      runs,
    ))

  it('get a gradient that is orthogonal to them, output by output', async () => {
    const compute = device.compile((params: Edm2Params, given: DenoiserInput) => {
      const pull = vjp((p: Edm2Params) => model.apply(p, given), params).pullback(normal(key(5), [2, 4, 4, 3]))[0]
      return zipTrees(params, pull, (w, g) => {
        const flat = (x: Tensor): Tensor =>
          x.rank < 2 ? x : x.reshape([x.size / (x.shape.at(-1) ?? 1), x.shape.at(-1) ?? 1])
        const [a, b] = [flat(w), flat(g)]
        return w.rank < 2 ? w : a.mul(b).sum(0).abs().max().div(a.square().sum().mul(b.square().sum()).sqrt())
      })
    })
    const found = await compute(await device.realize(awake(4)), await device.realize(input))
    const weights = leavesWithPaths(found).filter(([path]) => path.endsWith('.weight'))
    expect(weights.length).toBeGreaterThan(30)
    for (const [path, x] of weights) expect((await values(x, device))[0], path).toBeLessThan(1e-5)
  })

  it('are brought back to a mean square of 1 by the family, which leaves the network and all else as it is', async () => {
    const params = await device.realize(mapTree<Edm2Params>(awake(6), (x) => x.mul(3)))
    const forced = forceWeights(params)
    const squares = (tree: Edm2Params): Edm2Params => mapTree(tree, (x) => x.square().mean())
    const check = async (tree: Edm2Params): Promise<void> => {
      for (const [path, x] of leavesWithPaths(await device.realize(squares(tree))))
        if (path.endsWith('.weight')) expect((await values(x, device))[0], path).toBeCloseTo(1, 4)
    }
    await check(forced)
    await check(model.init(key(0)))
    const before = new Map(leavesWithPaths(params))
    for (const [path, x] of leavesWithPaths(forced)) if (!path.endsWith('.weight')) expect(x).toBe(before.get(path))
    const given = await device.realize(input)
    const y = await values(await network(params, given), device)
    const z = await values(await network(await device.realize(forced), given), device)
    expect(relativeError(z, y)).toBeLessThan(1e-5)
  })

  it('of zeros stay zeros, and get a finite gradient', async () => {
    const params = { weight: zeros([3, 2]) }
    expect(await values(forceWeights({ layer: params }).layer.weight)).toEqual(Array(6).fill(0))
    const g = grad((p: typeof params) =>
      mpLinear(3, 2)
        .apply(p, ones([1, 3]))
        .sum(),
    )(params)
    for (const v of await values(g.weight)) expect(v).toSatisfy(Number.isFinite)
  })
})

describe('edm2', () => {
  const countOf = (options: Edm2Options): number => countElements(edm2(options).init(key(0)))

  it.each([
    [128, 125],
    [192, 280],
    [256, 498],
    [320, 777],
  ])('of width %i has %i million parameters, as in table 2 of Karras et al. 2024', (width, millions) =>
    expect(
      Math.round(countOf({ width, multipliers: [1, 2, 3, 4], blocks: 3, conditions: 1000, channels: 4 }) / 1e6),
    ).toBe(millions),
  )

  it('gives 0 before it is trained', async () => expect(await largest(model.apply(model.init(key(0)), input))).toBe(0))

  it('is told nothing by zeros and by no condition, and something by another; and the time', async () => {
    const params = awake(2)
    const { condition: _, ...untold } = input
    const none = model.apply(params, untold)
    expect(await largest(model.apply(params, { ...untold, condition: zeros([2, 2]) }).sub(none))).toBeLessThan(1e-6)
    expect(await largest(model.apply(params, input).sub(none))).toBeGreaterThan(0.01)
    expect(await largest(model.apply(params, { ...untold, t: tensor([4, 18]) }).sub(none))).toBeGreaterThan(0.001)
  })

  it('gives no gradient to frequencies and phases, and drops out in training alone', async () => {
    const params = awake(3)
    const g = grad((p: typeof params) => model.apply(p, input).square().sum())(params).time.fourier
    expect([await largest(g.frequencies), await largest(g.phases)]).toEqual([0, 0])
    const dropping = edm2({ ...small, dropout: 0.5 })
    const y = dropping.apply(params, input)
    expect(await largest(y.sub(model.apply(params, input)))).toBe(0)
    expect(await largest(dropping.apply(params, input, { train: true, key: key(1) }).sub(y))).toBeGreaterThan(0.01)
  })

  it('cuts values off at ±256', async () => {
    const network = edm2Features({ ...small, multipliers: [1], residualBalance: 1, conditions: 0 })
    const loud = mapTree(network.init(key(0)), (x, path) => (path.endsWith('gain') ? ones([]).mul(1e6) : x))
    const images = network.apply(loud, { x: input.x, t: input.t })
    for (const image of images) expect(await largest(image)).toBe(256)
  })

  it('computes halves as nearly as halves are', async () => {
    const params = awake(2)
    const y = model.apply(
      mapTree<Edm2Params>(params, (x) => x.cast('f16')),
      { ...input, x: input.x.cast('f16') },
    )
    expect(y.dtype).toBe('f16')
    expect(await largest(y.cast('f32').sub(model.apply(params, input)))).toBeLessThan(0.02)
  })
})

describe('the family', () => {
  const config = { kind: 'edm2', ...small } as const

  it('knows its networks', () => {
    expect([factorOf(config), widthOf(config), timesOf(config), titleOf(config)]).toEqual([2, 4, 20, 'EDM2 U-Net'])
    expect(timesOf({ kind: 'edm2', width: 4, multipliers: [1], blocks: 1 })).toBe(1000)
    expect(sourcesOf(config)).toEqual(['fathom'])
    expect(leastWeightsOf(config)).toBe(9 * 3 * (4 ** 2 + 8 ** 2))
    expect(leastWeightsOf(config)).toBeLessThan(countElements(modelOf(config, 3).init(key(0))))
    expect(decodeModel({ kind: 'edm2', ...edm2Family.defaults })).toEqual(
      E.right({ kind: 'edm2', ...edm2Family.defaults }),
    )
  })

  it('shows its middle and its first stage on the way up', () => {
    const network = featuresOf(config, 3)
    const seen = network.apply(network.init(key(0)), input)
    expect(seen.map(({ shape }) => shape)).toEqual([
      [2, 2, 2, 8],
      [2, 2, 2, 8],
    ])
  })

  it('forces weights, and those of others are left alone', () => {
    expect(projectOf(config)).toBe(forceWeights)
    expect(projectOf({ width: 4, multipliers: [1], heads: 1, headWidth: 4 })).toBeUndefined()
    expect(projectOf({ kind: 'unet2d', widths: [4], layers: 1 })).toBeUndefined()
  })

  it.each<readonly [object, string, RegExp]>([
    [{ headWidth: 3 }, 'headWidth', /divisor of the widths with attention, as of 4, for instance 4$/],
    [{ headWidth: undefined }, 'headWidth', /as of 4, for instance 4; its default is 64$/],
    [{ headWidth: 8 }, 'headWidth', /as of 4, for instance 4$/],
    [{ attentionAt: [2] }, 'attentionAt', /a list of stages from 0 to 1/],
    [{ attentionAt: [-1] }, 'attentionAt', /a list of the numbers of stages, of which 0 has the largest images/],
    [{ residualBalance: 1.5 }, 'residualBalance', /a number from 0 to 1/],
    [{ blocks: 0 }, 'blocks', /a whole number from 1 to 64/],
  ])('refuses %j', (changes, path, words) =>
    expect(decodeModel({ ...config, ...changes })).toMatchObject(
      E.left({ inside: { path }, expected: expect.stringMatching(words) }),
    ),
  )

  it('names a width of heads that fits all widths with attention', () => {
    const of = (width: number) => () => edm2({ width, multipliers: [1, 2, 3, 4], blocks: 1, headWidth: 80 })
    expect(of(48)).toThrow('as of 144, for instance 48')
    expect(of(64)).toThrow('as of 192, for instance 64')
    expect(of(1.3)).toThrow('for instance 1')
  })

  it('refuses an estimate, for which it has no place', () =>
    expect(() => model.apply(model.init(key(0)), { ...input, estimate: input.x })).toThrow(
      'edm2: an estimate of the images is given to a network without a place for it: leave it out',
    ))

  it('throws where settings of code do not fit', () => {
    expect(() => edm2({ width: 4, multipliers: [1], blocks: 0, headWidth: 4 })).toThrow(
      /edm2: blocks must be at least 1/,
    )
    expect(() => model.apply(model.init(key(0)), { ...input, condition: zeros([2, 3]) })).toThrow(
      /edm2: the condition is \[2,3\], and must be \[2,2\]/,
    )
  })
})
