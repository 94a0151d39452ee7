/** DiT and U-ViT: their sizes, their settings, and the laws that hold whatever their parameters are. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dit, ditFamily, ditSizes, uvit, uvitFamily, uvitSizes } from '../../src/models/index.ts'
import { ditBlock } from '../../src/models/dit/block.ts'
import {
  decodeModel,
  factorOf,
  featuresOf,
  leastWeightsOf,
  modelOf,
  sourcesOf,
  titleOf,
  widthOf,
} from '../../src/models/registry.ts'
import { mapOf, patchify, unpatchify } from '../../src/models/transformers/patches.ts'
import { sinCosPositions } from '../../src/models/transformers/positions.ts'
import { uvitBlock } from '../../src/models/uvit/block.ts'
import type { AnyModule, Module } from '../../src/nn/module.ts'
import { E } from '../../src/prelude/fp.ts'
import { keysOf } from '../../src/prelude/record.ts'
import { range } from '../../src/prelude/array.ts'
import { gather } from '../../src/tensor/combine.ts'
import { arange, tensor, zeros } from '../../src/tensor/create.ts'
import { foldIn, key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { countElements, mapTree } from '../../src/tensor/tree.ts'
import { values } from '../support/device.ts'

const size = { patch: 2, width: 16, depth: 3, heads: 2 } as const

/** Parameters of which none is zero. */
const drawn = <P, In, Out>({ init }: Module<P, In, Out>): P =>
  mapTree<P, P>(init(key(0)), (x, path) => normal(foldIn(key(7), path), x.shape).mul(0.3))

const near = async (actual: Tensor, expected: Tensor, digits = 4): Promise<void> => {
  const [a, e] = [await values(actual), await values(expected)]
  expect(a.length).toBe(e.length)
  for (const [i, x] of a.entries()) expect(x).toBeCloseTo(e[i] ?? NaN, digits)
}

const networks = { dit, uvit } as const
const kinds = ['dit', 'uvit'] as const

describe('patches', () => {
  const grids = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(1, 2, 4), fc.nat(3), fc.nat(3), fc.nat(2))

  it('of an image of any size are the image again', async () => {
    await fc.assert(
      fc.asyncProperty(grids, async ([n, patch, rows, columns, c]) => {
        const [h, w] = [rows + 1, columns + 1]
        const x = arange(n * h * patch * w * patch * (c + 1)).reshape([n, h * patch, w * patch, c + 1])
        const tokens = patchify(x, patch)
        expect(tokens.shape).toEqual([n, h * w, patch * patch * (c + 1)])
        expect(await values(unpatchify(tokens, [h, w], patch))).toEqual(await values(x))
      }),
      { numRuns: 40 },
    )
  })

  it('stand row by row, and in each of them its pixels', async () => {
    const x = arange(24).reshape([1, 4, 6, 1])
    expect(await values(patchify(x, 2).slice([], [1, 2]))).toEqual([2, 3, 8, 9])
    expect(await values(patchify(x, 2).slice([], [3, 4]))).toEqual([12, 13, 18, 19])
    expect(await values(mapOf(patchify(x, 2), [2, 3]).slice([], [1, 2], [0, 1]))).toEqual([12, 13, 18, 19])
  })
})

describe('positions', () => {
  it('say the column in their first half and the row in their second, sines first', async () => {
    const position = await values(sinCosPositions([3, 4], 8, 'f64').slice([2 * 4 + 3, 2 * 4 + 4]))
    const axis = (i: number) => [Math.sin(i), Math.sin(i / 100), Math.cos(i), Math.cos(i / 100)]
    for (const [i, x] of [...axis(3), ...axis(2)].entries()) expect(position[i]).toBeCloseTo(x, 12)
  })

  it('differ from patch to patch', async () => {
    const all = await values(sinCosPositions([7, 9], 8, 'f32'))
    expect(new Set(range(63).map((i) => all.slice(8 * i, 8 * i + 8).join(' '))).size).toBe(63)
  })
})

describe('the sizes of the papers', () => {
  const count = (model: AnyModule): number => countElements(model.init(key(0)))
  const millions = (x: number): number => Math.round(x / 1e6)

  // The paper's networks also give a variance, are told one of 1000 classes or none of them, and count their fixed positions.
  it('of DiT, for latents of 32×32, have the parameters of the paper', () => {
    const of = (name: keyof typeof ditSizes): number => {
      const settings = ditSizes[name]
      return count(dit({ ...settings, patch: 2, channels: 4, outChannels: 8, conditions: 1001 })) + 256 * settings.width
    }
    expect(of('XL')).toBe(675_129_632)
    const paper = { S: 33e6, B: 130e6, L: 458e6, XL: 675e6 } as const
    for (const name of keysOf(paper)) expect(Math.abs(of(name) - paper[name]), name).toBeLessThan(6e5)
  })

  it('of DiT without variance and classes have what a formula says', () => {
    for (const patch of [2, 4, 8]) {
      const { width: w, depth, heads } = ditSizes.S
      const block = 4 * (w * w + w) + (8 * w * w + 5 * w) + 6 * (w * w + w)
      const ends = 4 * patch ** 2 * (2 * w + 1) + w + (256 * w + w + w * w + w) + 2 * (w * w + w)
      expect(count(dit({ width: w, depth, heads, patch, channels: 4 }))).toBe(depth * block + ends)
    }
  })

  it('of U-ViT, of 32×32 and 64×64 pixels and of latents of 32×32, have the parameters of the paper', () => {
    const pixels = { patch: 2, size: [32, 32] } as const
    const larger = { patch: 4, size: [64, 64], conditions: 1000 } as const
    const latents = { patch: 2, size: [32, 32], channels: 4, conditions: 1001 } as const
    expect([
      millions(count(uvit({ ...uvitSizes.S, ...pixels }))),
      millions(count(uvit({ ...uvitSizes.M, ...larger }))),
      millions(count(uvit({ ...uvitSizes.L, ...latents }))),
      millions(count(uvit({ ...uvitSizes.H, ...latents }))),
    ]).toEqual([44, 131, 287, 501])
    expect(millions(count(uvit({ ...uvitSizes.deepS, ...pixels })))).toBe(58)
  })
})

describe('a block of DiT', () => {
  const block = ditBlock(size)
  const [x, told] = [normal(key(1), [2, 6, 16]), normal(key(2), [2, 16])]

  it('is the identity at the start', async () => {
    expect(await values(block.apply(block.init(key(0)), { x, told }))).toEqual(await values(x))
  })

  it('leaves its tokens alone where it is told sizes of zero, and shifts by what it is told', async () => {
    const params = drawn(block)
    const sizes = tensor(range(96).map((i) => (Math.floor(i / 16) % 3 === 2 ? 0 : 1)))
    const { weight, bias } = params.modulation
    const modulation = { weight: weight.mul(sizes), bias: bias?.mul(sizes) ?? sizes }
    expect(await values(block.apply({ ...params, modulation }, { x, told }))).toEqual(await values(x))
    expect(await values(block.apply(params, { x, told }))).not.toEqual(await values(x))
  })
})

describe('blocks do not know the order of tokens', () => {
  const order = tensor([4, 0, 5, 2, 1, 3], { dtype: 'i32' })
  const x = normal(key(1), [2, 6, 16]).add(sinCosPositions([2, 3], 16, 'f32'))
  const permuted = (y: Tensor): Tensor => gather(y, order, 1)

  it('of DiT: permuted tokens, each with its position, give the permuted result', async () => {
    const block = ditBlock(size)
    const [params, told] = [drawn(block), normal(key(2), [2, 16])]
    await near(block.apply(params, { x: permuted(x), told }), permuted(block.apply(params, { x, told })))
  })

  it('of U-ViT: permuted tokens and skips give the permuted result', async () => {
    const block = uvitBlock(size, true)
    const [params, skip] = [drawn(block), normal(key(3), [2, 6, 16])]
    const moved = block.apply(params, { x: permuted(x), skip: permuted(skip) })
    await near(moved, permuted(block.apply(params, { x, skip })))
  })
})

describe('dit', () => {
  it('gives zero at the start', async () => {
    const model = dit({ ...size, conditions: 2 })
    const input = { x: normal(key(1), [1, 4, 6, 3]), t: tensor([5]), condition: tensor([[1, 0]]) }
    expect((await values(model.apply(model.init(key(0)), input))).every((v) => v === 0)).toBe(true)
  })
})

describe('uvit', { timeout: 60_000 }, () => {
  it('does not see what it skips where the matrix of the skip is zero there', async () => {
    const block = uvitBlock(size, true)
    const params = drawn(block)
    const seen = arange(32).expandDims(-1).less(16).cast('f32')
    const skip = { weight: (params.skip?.weight ?? seen).mul(seen), bias: zeros([16]) }
    const x = normal(key(1), [1, 3, 16])
    const on = (p: typeof params, seed: number) => values(block.apply(p, { x, skip: normal(key(seed), [1, 3, 16]) }))
    expect(await on({ ...params, skip }, 1)).toEqual(await on({ ...params, skip }, 2))
    expect(await on(params, 1)).not.toEqual(await on(params, 2))
  })

  it('takes images of any size where places are sines, and refuses other sizes where they are learned', () => {
    const any = uvit({ ...size, channels: 1 })
    const learned = uvit({ ...size, channels: 1, size: [4, 6] })
    const on = (model: typeof any, h: number, w: number) =>
      model.apply(model.init(key(0)), { x: zeros([1, h, w, 1]), t: zeros([1]) }).shape
    expect([on(any, 4, 6), on(any, 8, 2), on(learned, 4, 6)]).toEqual([
      [1, 4, 6, 1],
      [1, 8, 2, 1],
      [1, 4, 6, 1],
    ])
    expect(() => on(learned, 6, 6)).toThrow(/^uvit: images of 6×6 do not fit/)
    expect(() => on(learned, 4, 4)).toThrow(/^uvit: images of 4×4 do not fit/)
    expect(() => on(learned, 6, 4)).toThrow(/^uvit: images of 6×4 do not fit: the positions are learned for 4×6/)
  })
})

describe.each(kinds)('%s', { timeout: 60_000 }, (kind) => {
  const make = networks[kind]
  const input = { x: normal(key(1), [2, 4, 6, 3]), t: tensor(Int32Array.of(0, 999)) }

  it('is told nothing by zeros and by no condition, and something by another', async () => {
    const model = make({ ...size, conditions: 2 })
    const params = drawn<unknown, typeof input, Tensor>(model as never)
    const told = (condition?: readonly (readonly number[])[]) =>
      values(model.apply(params as never, { ...input, condition: condition && tensor(condition.map((v) => [...v])) }))
    const nothing = await told()
    const zero = [0, 0]
    expect(await told([zero, zero])).toEqual(nothing)
    const [first, second] = [await told([[1, 0], zero]), await told([[0, 1], zero])]
    expect(first).not.toEqual(nothing)
    expect(second).not.toEqual(first)
    expect(first.slice(72)).toEqual(nothing.slice(72)) // the second image
  })

  it('is told the time', async () => {
    const model = make(size)
    const params = drawn<unknown, typeof input, Tensor>(model as never)
    const at = (t: number) => values(model.apply(params as never, { ...input, t: tensor([t, t]) }))
    expect(await at(3)).not.toEqual(await at(4))
    expect((await at(999)).every(Number.isFinite)).toBe(true)
  })

  it('draws its dropout from the key in training alone, another for attention and perceptron', async () => {
    const model = make({ ...size, dropout: 0.5 })
    const params = drawn<unknown, typeof input, Tensor>(model as never) as never
    const trained = (seed: number) => values(model.apply(params, input, { train: true, key: key(seed) }))
    const sure = await values(make(size).apply(params, input))
    expect(await values(model.apply(params, input))).toEqual(sure)
    expect(await trained(1)).not.toEqual(sure)
    expect(await trained(1)).toEqual(await trained(1))
    expect(await trained(1)).not.toEqual(await trained(2))
  })

  it('refuses an estimate, for which it has no place', () => {
    const model = make(size)
    expect(() => model.apply(model.init(key(0)) as never, { ...input, estimate: input.x })).toThrow(
      `${kind}: an estimate of the images is given to a network without a place for it: leave it out`,
    )
  })

  it('refuses a condition that it was not made for, and settings that do not fit', () => {
    const model = make(size)
    expect(() => model.apply(model.init(key(0)) as never, { ...input, condition: zeros([2, 2]) })).toThrow(
      new RegExp(`^${kind}: a condition .* conditions: 2`),
    )
    expect(() => make({ ...size, patch: 3 })).toThrow(new RegExp(`^${kind}: patch must be a power of two, not 3`))
    expect(() => make({ ...size, width: 18 })).toThrow(new RegExp(`^${kind}: width must be divisible by 4`))
    expect(() => make({ ...size, mlpRatio: 1.3 })).toThrow(/mlpRatio must be such that .*: 1.3·16 is not/)
  })

  it('is a kind of model: of its defaults, its factor, and fewer weights than there are', () => {
    const { defaults, decode } = { dit: ditFamily, uvit: uvitFamily }[kind]
    expect(decode(defaults as never)).toEqual(E.right(defaults))
    const model = { kind, ...defaults, dropout: 0.1, conditions: 3 }
    expect(decodeModel(model)).toEqual(E.right(model))
    const all = countElements(modelOf(model, 3).init(key(0)))
    expect(leastWeightsOf(model)).toBeLessThanOrEqual(all)
    expect(leastWeightsOf(model)).toBeGreaterThan(0.6 * all)
    expect([factorOf(model), widthOf(model), sourcesOf(model)]).toEqual([4, 16, ['fathom']])
    expect(titleOf(model)).toBe(kind === 'dit' ? 'DiT' : 'U-ViT')
  })

  it('sees two maps of tokens in images, with the same parameters', () => {
    const model = { kind, ...size, conditions: 2 } as const
    const [network, layers] = [modelOf(model, 3), featuresOf(model, 3)]
    const params = network.init(key(0))
    const seen = layers.apply(params, { x: zeros([2, 8, 4, 3]), t: zeros([2]) })
    expect(seen.map(({ shape }) => shape)).toEqual([
      [2, 4, 2, 16],
      [2, 4, 2, 16],
    ])
    expect(countElements(layers.init(key(0)))).toBe(countElements(params))
  })

  it('sees one map where it has one block', () => {
    const model = { kind, ...size, depth: 1 } as const
    const layers = featuresOf(model, 1)
    const seen = layers.apply(layers.init(key(0)), { x: zeros([1, 4, 4, 1]), t: zeros([1]) })
    expect(seen.length).toBe(kind === 'dit' ? 2 : 1)
  })

  it.each<readonly [object, string, RegExp]>([
    [{ patch: 3 }, 'patch', /a power of two from 1 to 256/],
    [{ width: 18 }, 'width', /divisible by 4/],
    [{ heads: 3 }, 'heads', /a divisor of the width: 3 cannot share 16/],
    [{ depth: 0 }, 'depth', kind === 'dit' ? /a whole number from 1 to 1024/ : /a whole number from 1/],
    [{ mlpRatio: 0 }, 'mlpRatio', /above 0/],
    [{ dropout: 1 }, 'dropout', /from 0 to below 1/],
    [{ conditions: -1 }, 'conditions', /from 0 to 4096/],
  ])('refuses %j', (changes, path, words) => {
    expect(decodeModel({ kind, ...size, ...changes })).toEqual(
      E.left(
        expect.objectContaining({ expected: expect.stringMatching(words), inside: expect.objectContaining({ path }) }),
      ),
    )
  })
})

describe('a configuration of uvit', () => {
  it.each<readonly [object, string, RegExp]>([
    [{ depth: 4 }, 'depth', /odd/],
    [{ size: [8] }, 'size', /\[height, width\]/],
    [{ size: [8, 0] }, 'size', /\[height, width\]/],
    [{ size: 8 }, 'size', /\[height, width\]/],
    [{ size: [8, 7] }, 'size', /divisible by 2, the side of a patch: 7 is not/],
  ])('refuses %j', (changes, path, words) => {
    expect(decodeModel({ kind: 'uvit', ...size, ...changes })).toEqual(
      E.left(
        expect.objectContaining({ expected: expect.stringMatching(words), inside: expect.objectContaining({ path }) }),
      ),
    )
  })

  it('may have a size', () => {
    const model = { kind: 'uvit', ...size, size: [8, 4] }
    expect(decodeModel(model)).toEqual(E.right(model))
  })
})
