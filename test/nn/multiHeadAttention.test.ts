/** Multi-head attention against PyTorch (golden/attention.py), and the laws of masks, positions and caches. */
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad, valueAndGrad } from '../../src/autograd/index.ts'
import {
  applyWithState,
  cacheOf,
  checkpointed,
  compose,
  embedding,
  learnedPositions,
  linear,
  multiHeadAttention,
  parameter,
  rotary,
  transformerBlock,
  type MaskedInput,
  type ModelState,
  type Module,
  type MultiHeadOptions,
} from '../../src/nn/index.ts'
import { normal as beginNormal } from '../../src/nn/init/index.ts'
import { range } from '../../src/prelude/array.ts'
import { concatenate, gather } from '../../src/tensor/combine.ts'
import { full, iota, ones, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { countElements, leaves, leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

interface Case {
  readonly output: readonly number[]
  readonly x: readonly number[]
  readonly key: readonly number[]
}
const golden = JSON.parse(await readFile(new URL('golden/attention.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Case>
>

const wave = (shape: readonly number[], start = 1): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  return tensor(
    Float64Array.from(range(count), (i) => Math.sin(start + i)),
    { shape },
  )
}
const shared = cpuDevice()
const expectNear = async (x: Tensor, expected: readonly number[] | Tensor | undefined, digits = 5): Promise<void> => {
  const found = await values(x, shared)
  const wanted = Array.isArray(expected) ? expected : await values(expected as Tensor, shared)
  expect(found.length).toBe(wanted.length)
  found.forEach((y, i) => expect(y).toBeCloseTo(wanted[i] ?? NaN, digits))
}
const part = (x: Tensor, from: number, to: number): Tensor => x.slice([], [from, to])
const there = (rows: readonly (readonly number[])[]): Tensor => tensor(rows).greater(0)

describe('multiHeadAttention against PyTorch', () => {
  const [N, T, S, width, heads] = [2, 3, 4, 4, 2]
  const linearOf = (i: number) => ({ weight: wave([width, width], 100 * i), bias: wave([width], 500 + 10 * i) })
  const params = { query: linearOf(0), key: linearOf(1), value: linearOf(2), out: linearOf(3) }
  const [x, context] = [wave([N, T, width]), wave([N, S, width], 60)]
  const first = iota([S], 0).equal(0)
  const seen = wave([T, S], 7)
    .greater(-0.5)
    .or(first.broadcastTo([T, S]))
  const every = wave([N, heads, T, S], 20)
    .greater(-0.6)
    .or(first.broadcastTo([N, heads, T, S]))
  const keyMask = there([
    [1, 1, 1, 1],
    [1, 1, 0, 0],
  ])
  const square = iota([T, T], 0)
    .less(iota([T, T], 1))
    .not()

  it.each([
    ['plain', {}],
    ['mask', { mask: seen }],
    ['heads', { mask: every }],
    ['keys', { keyMask }],
    ['both', { mask: seen, keyMask }],
    ['added', { mask: wave([T, S], 90) }],
  ] as const)('%s: values and gradients', async (name, masks) => {
    const layer = multiHeadAttention(width, { heads, contextWidth: width })
    const loss = (p: typeof params, x: Tensor) => {
      const y = layer.apply(p, { x, context, ...masks })
      return [y.mul(wave([N, T, width], 300)).sum(), y] as const
    }
    const [[, y], [g, gx]] = valueAndGrad(loss, { aux: true, argument: [0, 1] })(params, x)
    await expectNear(y, golden[name]?.output, 9)
    await expectNear(gx, golden[name]?.x, 9)
    await expectNear(g.key.weight, golden[name]?.key, 9)
  })

  it.each([
    ['an option', { causal: true }, {}],
    ['a mask', {}, { mask: square }],
  ] as const)('causal by %s', async (_, options, masks) => {
    const layer = multiHeadAttention(width, { heads, ...options })
    const loss = (x: Tensor) => {
      const y = layer.apply(params, { x, ...masks })
      return [y.mul(wave([N, T, width], 300)).sum(), y] as const
    }
    const [[, y], gx] = valueAndGrad(loss, { aux: true })(x)
    await expectNear(y, golden['causal']?.output, 9)
    await expectNear(gx, golden['causal']?.x, 9)
  })
})

const sizes = fc.record({
  n: fc.integer({ min: 1, max: 2 }),
  length: fc.integer({ min: 2, max: 5 }),
  keyValueHeads: fc.constantFrom(1, 2, 4),
  seed: fc.nat(99),
})
const laws = { numRuns: 4, seed: 5 }

describe('masks', () => {
  it('a masked key is as one that is not there, in every form of mask', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ n, length, keyValueHeads, seed }) => {
        const layer = multiHeadAttention(8, { heads: 4, keyValueHeads })
        const params = layer.init(key(seed))
        const x = normal(key(seed + 1), [n, length, 8])
        const gone = length - 1
        const open = iota([length], 0).less(gone)
        const without = layer.apply(params, part(x, 0, gone))
        for (const masks of [
          { keyMask: open.broadcastTo([n, length]) },
          { mask: open.broadcastTo([length, length]) },
          { mask: open.broadcastTo([n, length, length]) },
          { mask: open.broadcastTo([n, 4, length, length]) },
          { mask: open.select(zeros([length]), full([length], -Infinity)).broadcastTo([length, length]) },
        ])
          await expectNear(part(layer.apply(params, { x, ...masks }), 0, gone), without)
      }),
      laws,
    )
  })

  it('a causal layer takes no gradient from the future', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ({ n, length, keyValueHeads, seed }) => {
        const layer = multiHeadAttention(8, { heads: 4, keyValueHeads, causal: true, positions: 'rotary' })
        const params = layer.init(key(seed))
        const first = (x: Tensor): Tensor =>
          part(layer.apply(params, x), 0, length - 1)
            .square()
            .sum()
        const g = grad(first)(normal(key(seed + 1), [n, length, 8]))
        expect(new Set(await values(part(g, length - 1, length)))).toEqual(new Set([0]))
      }),
      laws,
    )
  })

  it('a query that sees no key collects zeros, and takes no gradient: others keep theirs', async () => {
    const layer = multiHeadAttention(4, { heads: 2, bias: false })
    const params = { ...layer.init(key(0)), out: { weight: ones([4, 4]), bias: ones([4]) } }
    const x = normal(key(1), [2, 3, 4])
    const keyMask = there([
      [0, 0, 0],
      [1, 1, 1],
    ])
    const loss = (x: Tensor) => {
      const y = layer.apply(params, { x, keyMask })
      return [y.sum(), y] as const
    }
    const [[, y], g] = valueAndGrad(loss, { aux: true })(x)
    expect((await values(y)).slice(0, 12)).toEqual(Array.from({ length: 12 }, () => 1))
    const [blind, seeing] = [(await values(g)).slice(0, 12), (await values(g)).slice(12)]
    expect(new Set(blind.map(Math.abs))).toEqual(new Set([0]))
    expect(seeing.every((v) => Number.isFinite(v) && v !== 0)).toBe(true)
    const causal = multiHeadAttention(4, { heads: 2, causal: true })
    const left = causal.apply(causal.init(key(0)), { x, keyMask: there([[0, 1, 1], [1, 1, 1]]) }) // prettier-ignore
    expect((await values(left)).every(Number.isFinite)).toBe(true)
  })

  it('swallow no NaN', async () => {
    const layer = multiHeadAttention(4)
    const y = layer.apply(layer.init(key(0)), { x: full([1, 2, 4], NaN), keyMask: there([[1, 1]]) })
    expect(new Set(await values(y))).toEqual(new Set([NaN]))
  })

  it('in many queries are those of their block', async () => {
    const layer = multiHeadAttention(2, { causal: true })
    const params = layer.init(key(0))
    const x = normal(key(1), [1, 1100, 2])
    const keyMask = iota([1, 1100], 1).less(1000)
    const mask = iota([1100, 1100], 0)
      .sub(iota([1100, 1100], 1))
      .less(50)
    const whole = layer.apply(params, { x, keyMask, mask })
    const end = layer.apply(params, { x: part(x, 950, 1040), keyMask: keyMask.slice([], [950, 1040]), mask: mask.slice([950, 1040], [950, 1040]) }) // prettier-ignore
    await expectNear(part(whole, 1000, 1040), part(end, 50, 90), 4)
  })

  it('of other shapes and dtypes are refused', () => {
    const layer = multiHeadAttention(4, { heads: 2 })
    const params = layer.init(key(0))
    const x = zeros([2, 3, 4])
    const yes = (...shape: readonly number[]): Tensor => ones(shape).greater(0)
    for (const [masks, message] of [
      [{ mask: yes(3) }, 'multiHeadAttention: takes a mask [3, 3], [2, 3, 3] or [2, 2, 3, 3], got [3]'],
      [{ mask: yes(4, 3) }, 'got [4,3]'],
      [{ mask: yes(3, 3, 3) }, 'got [3,3,3]'],
      [{ mask: yes(3, 3).cast('i32') }, 'a mask is bool, true where a key is attended to, or a float of the dtype of x, which is added to the logits; it is i32, and x is f32'], // prettier-ignore
      [{ keyMask: yes(2, 4) }, 'takes a keyMask [2, 3], got [2,4]'],
      [{ keyMask: ones([2, 3]) }, 'a keyMask is bool, true for keys that are there; it is f32'],
    ] as const)
      expect(() => layer.apply(params, { x, ...masks })).toThrow(message)
    expect(() => layer.apply(params, undefined as never)).toThrow('multiHeadAttention: got undefined')
  })
})

describe('options', () => {
  it('fewer heads of keys are the same as those heads repeated', async () => {
    const few = multiHeadAttention(8, { heads: 4, keyValueHeads: 2, bias: false })
    const many = multiHeadAttention(8, { heads: 4, bias: false })
    const params = few.init(key(0))
    const repeated = ({ weight }: { readonly weight: Tensor }) => ({
      weight: concatenate(
        [0, 0, 1, 1].map((i) => weight.slice([], [2 * i, 2 * i + 2])),
        1,
      ),
    })
    const x = normal(key(1), [2, 5, 8])
    const wide = { ...params, key: repeated(params.key), value: repeated(params.value) }
    await expectNear(few.apply(params, x), many.apply(wide, x), 6)
    expect(countElements(params.key)).toBe(32)
  })

  it('dropout drops weights in training only, others in each block of queries', async () => {
    const layer = multiHeadAttention(4, { dropout: 0.5 })
    const plain = multiHeadAttention(4)
    const params = layer.init(key(0))
    const x = normal(key(1), [1, 6, 4])
    expect(await values(layer.apply(params, x))).toEqual(await values(plain.apply(params, x)))
    const once = await values(layer.apply(params, x, { train: true, key: key(2) }))
    expect(once).not.toEqual(await values(plain.apply(params, x)))
    expect(once).toEqual(await values(layer.apply(params, x, { train: true, key: key(2) })))
  })

  it('that do not fit are refused', () => {
    const wrong =
      (options: MultiHeadOptions): (() => unknown) =>
      () =>
        multiHeadAttention(8, options as never)
    expect(wrong({ heads: 3 })).toThrow('multiHeadAttention: 3 heads cannot share a width of 8: use 1, 2, 4, 8')
    expect(wrong({ heads: 4, keyValueHeads: 3 })).toThrow('4 heads cannot share 3 heads of keys: use 1, 2, 4')
    expect(wrong({ heads: 8, positions: 'rotary' })).toThrow(
      'rotary positions turn pairs of channels, and a head has 1',
    )
    expect(wrong({ contextWidth: 3, positions: 'rotary' })).toThrow('rotary positions are of one sequence')
    expect(wrong({ contextWidth: 3, causal: true })).toThrow('leave contextWidth or causal out')
    expect(wrong({ dropout: 2 })).toThrow('multiHeadAttention: dropout is 2; it must be in [0, 1]')
  })
})

describe('rotary', () => {
  it.each(['interleaved', 'half'] as const)(
    '%s: the product of two vectors depends on their distance only',
    async (pairing) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(50), fc.nat(50), fc.nat(500), fc.nat(99), async (i, j, shift, seed) => {
          const [q, k] = [normal(key(seed), [1, 8], 'f64'), normal(key(seed + 1), [1, 8], 'f64')]
          const at = (x: Tensor, place: number): Tensor => rotary(x, tensor(Int32Array.of(place)), { pairing })
          const product = (a: number, b: number): Tensor => at(q, a).mul(at(k, b)).sum()
          await expectNear(product(i, j), product(i + shift, j + shift), 9)
          await expectNear(at(q, i).square().sum(), q.square().sum(), 9)
        }),
        laws,
      )
    },
  )

  it('turns pair i by base^(−2i/d) a place, of neighbours or of halves', async () => {
    const x = tensor([[1, 2, 3, 4]], { dtype: 'f64' })
    const turn = ([a, b]: readonly number[], angle: number): readonly [number, number] => [
      (a ?? NaN) * Math.cos(angle) - (b ?? NaN) * Math.sin(angle),
      (a ?? NaN) * Math.sin(angle) + (b ?? NaN) * Math.cos(angle),
    ]
    const place = tensor([3], { dtype: 'f64' })
    const [p, q] = [turn([1, 2], 3), turn([3, 4], 0.3)]
    await expectNear(rotary(x, place, { base: 100 }), [...p, ...q], 12)
    const [r, s] = [turn([1, 3], 3), turn([2, 4], 0.3)]
    await expectNear(rotary(x, place, { base: 100, pairing: 'half' }), [r[0], s[0], r[1], s[1]], 12)
  })

  it('says what it takes', () => {
    expect(() => rotary(zeros([3, 4]), zeros([2]))).toThrow(
      'rotary: takes vectors […, T, d] and their places [T], got [3,4] and [2]',
    )
    expect(() => rotary(zeros([3]), zeros([1]))).toThrow('rotary: takes vectors')
    expect(rotary(zeros([0, 4]), zeros([0])).shape).toEqual([0, 4])
  })
})

/** A small language model with tied weights: the table of its tokens is its head too. */
const languageModel = (positions: 'learned' | 'rotary', room = 12) =>
  compose(
    {
      table: parameter(beginNormal([11, 8], 0.3)),
      places: positions === 'learned' ? learnedPositions(room, 8) : undefined,
      blocks: range(2).map(() =>
        transformerBlock(8, {
          heads: 4,
          keyValueHeads: 2,
          causal: true,
          ...(positions === 'rotary' && { positions: { pairing: 'half' as const } }),
        }),
      ),
    },
    ({ table, places, blocks }, tokens: Tensor) => {
      const embedded = gather(table(), tokens)
      const begun = places === undefined ? embedded : places(embedded)
      return blocks.reduce((h, block) => block(h), begun).matmul(table().transpose([1, 0]))
    },
  )

const tokensOf = (...rows: readonly (readonly number[])[]): Tensor => tensor(rows, { dtype: 'i32' })

describe('a cache', () => {
  it.each(['learned', 'rotary'] as const)(
    'gives what the whole sequence gives, in parts of any length: %s positions',
    async (positions) => {
      const model = languageModel(positions)
      const params = model.init(key(0))
      const tokens = tokensOf([1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 8, 7, 6, 5, 4, 3, 2, 1])
      const whole = model.apply(params, tokens)
      for (const parts of [[9], [4, 1, 1, 1, 1, 1], [1, 3, 5]]) {
        let cache: ModelState = cacheOf(model, { batch: 2, length: 12 })
        const outputs: Tensor[] = []
        let from = 0
        for (const count of parts) {
          const [y, next] = applyWithState(model, params, cache, part(tokens, from, from + count))
          outputs.push(y)
          cache = next
          from += count
        }
        await expectNear(concatenate(outputs, 1), whole)
      }
    },
  )

  it('goes through one compiled step for every token, donated', async () => {
    const model = languageModel('rotary')
    const device = shared
    const params = await device.realize(model.init(key(0)))
    const step = device.compile(
      (p: typeof params, cache: ModelState, token: Tensor) => applyWithState(model, p, cache, token),
      { donate: [1] },
    )
    let cache: ModelState = await device.realize(cacheOf(model, { batch: 1, length: 8 }))
    const tokens = [3, 1, 4, 1, 5, 9]
    const found: number[] = []
    for (const token of tokens) {
      const [y, next] = await step(params, cache, tokensOf([token]))
      found.push(...(await values(y, device)))
      cache = next
    }
    await expectNear(model.apply(params, tokensOf(tokens)), found)
  })

  it('is under the names of its modules', () => {
    const model = languageModel('learned')
    expect(
      leavesWithPaths(cacheOf(model, { batch: 2, length: 5, dtype: 'f16' })).map(
        ([path, x]) => `${path} ${x.dtype} [${x.shape.join()}]`,
      ),
    ).toEqual([
      'blocks.0.attention.key f16 [2,2,5,2]',
      'blocks.0.attention.position i32 []',
      'blocks.0.attention.value f16 [2,2,5,2]',
      'blocks.1.attention.key f16 [2,2,5,2]',
      'blocks.1.attention.position i32 []',
      'blocks.1.attention.value f16 [2,2,5,2]',
      'places.position i32 []',
    ])
  })

  it('with padding on the left is that of the sequence alone', async () => {
    const layer = multiHeadAttention(8, { heads: 2, causal: true, positions: 'rotary' })
    const params = layer.init(key(0))
    const x = normal(key(1), [1, 5, 8])
    const padded = concatenate([zeros([1, 2, 8]), x], 1)
    const keyMask = iota([1, 10], 1).less(2).not()
    const first: MaskedInput = { x: part(padded, 0, 4), keyMask }
    const [, cache] = applyWithState(layer, params, cacheOf(layer, { batch: 1, length: 10 }), first)
    const [y] = applyWithState(layer, params, cache, { x: part(padded, 4, 7), keyMask })
    await expectNear(y, part(layer.apply(params, x), 2, 5))
  })

  it('beyond its room is an error where the host knows of it, and NaN on a device', async () => {
    const layer = multiHeadAttention(4, { causal: true })
    const params = layer.init(key(0))
    const x = normal(key(1), [1, 3, 4])
    const cache = cacheOf(layer, { batch: 1, length: 4 })
    expect(() => applyWithState(layer, params, cache, normal(key(1), [1, 5, 4]))).toThrow(
      'multiHeadAttention: there is no room for 5 more tokens after 0: it is for 4; give a greater length, to cacheOf',
    )
    const [, next] = applyWithState(layer, params, cache, x)
    const [y] = applyWithState(layer, params, next, x)
    expect(new Set(await values(y))).toEqual(new Set([NaN]))
    expect(() => applyWithState(layer, params, cacheOf(layer, { batch: 2, length: 4 }), x)).toThrow(
      'the cache is of 2 sequences, and x of 1',
    )
  })

  it('is that of causal attention', () => {
    expect(() => cacheOf(linear(2, 2), { batch: 1, length: 4 })).toThrow('cacheOf: the model has no causal attention')
    expect(() => cacheOf(multiHeadAttention(4), { batch: 1, length: 4 })).toThrow('give { causal: true }')
    const layer = multiHeadAttention(4, { causal: true })
    expect(() => applyWithState(layer, layer.init(key(0)), { calls: scalar(1) }, zeros([1, 2, 4]))).toThrow(
      'begin with cacheOf(model, { batch, length })',
    )
  })

  it('goes through a checkpointed block', async () => {
    const block = transformerBlock(8, { heads: 2, causal: true })
    const params = block.init(key(0))
    const x = normal(key(1), [1, 4, 8])
    const again: Module<typeof params, Tensor | MaskedInput> = checkpointed(block)
    const [, cache] = applyWithState(again, params, cacheOf(again, { batch: 1, length: 4 }), part(x, 0, 3))
    await expectNear(applyWithState(again, params, cache, part(x, 3, 4))[0], part(block.apply(params, x), 3, 4))
  })
})

describe('tied weights', () => {
  it('are one parameter, whose gradient is the sum of those of both places', async () => {
    const model = languageModel('rotary')
    const params = model.init(key(0))
    expect(leaves(params.table).length).toBe(1)
    const tokens = tokensOf([1, 2, 3])
    const apart = (table: Tensor, head: Tensor): Tensor => {
      const h = params.blocks.reduce(
        (h, p) =>
          transformerBlock(8, { heads: 4, keyValueHeads: 2, causal: true, positions: { pairing: 'half' } }).apply(p, h),
        embedding(11, 8).apply({ weight: table }, tokens),
      )
      return h
        .matmul(head.transpose([1, 0]))
        .square()
        .sum()
    }
    const [a, b] = grad(apart, { argument: [0, 1] })(params.table, params.table)
    const tied = grad((table: Tensor) =>
      model
        .apply({ ...params, table }, tokens)
        .square()
        .sum(),
    )(params.table)
    await expectNear(tied, a.add(b), 3)
  })
})
