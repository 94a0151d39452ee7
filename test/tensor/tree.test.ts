/** Pytrees: what is a leaf, how paths are ordered, what a signature tells apart. */
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { countElements, leaves, leavesWithPaths, mapTree, refill, zipTrees } from '../../src/tensor/tree.ts'
import { signature } from '../../src/tensor/treedef.ts'
import { cpuDevice } from '../support/device.ts'

/** Parameters as a user declares them: an interface, with an optional leaf and a static one. */
interface Params {
  readonly w: Tensor
  readonly b?: Tensor
  readonly activation: 'relu' | 'tanh'
  readonly layers: readonly { readonly scale: Tensor }[]
}

const params = (): Params => ({
  w: tensor([1, 2]),
  activation: 'tanh',
  layers: [{ scale: scalar(3) }, { scale: scalar(4) }],
})

type Json = string | number | boolean | null | undefined | Tensor | readonly Json[] | { readonly [key: string]: Json }

const trees = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<Json>('f32[2]', 'a', 1, 0, -0, NaN, Infinity, true, null, undefined),
    fc.constantFrom<'f32' | 'i32'>('f32', 'i32').map((dtype): Json => tensor([1, 2], { dtype })),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c.d', '0'), tie('tree'), { maxKeys: 3 }),
  ),
})).tree

describe('trees', () => {
  it('walk records in the order of their keys and arrays in theirs', () => {
    expect(leavesWithPaths({ z: scalar(1), a: [scalar(2), { k: scalar(3) }] }).map(([path]) => path)).toEqual([
      'a.0',
      'a.1.k',
      'z',
    ])
    expect(leavesWithPaths(scalar(1)).map(([path]) => path)).toEqual([''])
    expect(countElements(params())).toBe(4)
  })

  it('keep static values, absent leaves and the type of the tree', () => {
    const mapped = mapTree(params(), (x) => x.neg())
    expectTypeOf(mapped).toEqualTypeOf<Params>()
    expect(mapped.activation).toBe('tanh')
    expect('b' in mapped).toBe(false)
    expect(mapped.layers[1]?.scale.node.op).toBe('neg')
  })

  it('refilling a tree with its own leaves changes nothing', () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const again = refill(tree, leaves(tree))
        expect(signature(again)).toBe(signature(tree))
        expect(leaves(again)).toEqual(leaves(tree))
      }),
      { seed: 1 },
    )
  })

  it('zipping names the leaf that one of the two lacks', () => {
    expect(() => zipTrees<unknown>({ a: scalar(1) }, {}, (x) => x)).toThrow(
      "zipTrees: 'a' is missing in the second tree",
    )
    expect(() => zipTrees({ a: [zeros([2, 3])] }, { a: [zeros([3])] }, (x) => x)).toThrow(
      "zipTrees: 'a.0' is [2,3] in the first tree and [3] in the second tree",
    )
    expect(() => zipTrees<unknown>({}, { b: [scalar(1)] }, (x) => x)).toThrow(
      "zipTrees: 'b.0' is missing in the first tree",
    )
    expect(() => refill({ a: scalar(1) }, [])).toThrow("refill: no tensor left for 'a'")
  })
})

describe('signatures', () => {
  it.each<readonly [string, unknown, unknown]>([
    ['a string that reads like a leaf', 'f32[2]', tensor([1, 2])],
    ['NaN, null and undefined', [NaN, null], [null, undefined]],
    ['infinities', Infinity, -Infinity],
    ['0 and −0', 0, -0],
    ['a number and its text', 1, '1'],
    ['an absent key and an undefined one', {}, { a: undefined }],
    ['two functions', (x: number): number => x, (x: number): number => x + 1],
    ['dtypes', tensor([1], { dtype: 'i32' }), tensor([1])],
    ['shapes', tensor([[1, 2]]), tensor([1, 2])],
    ['a record and an array', [scalar(1)], { 0: scalar(1) }],
  ])('tell apart %s', (_, a, b) => {
    expect(signature(a)).not.toBe(signature(b))
  })

  it('do not depend on the order in which a record was written, nor on values of tensors', () => {
    expect(signature({ a: tensor([1]), b: 2 })).toBe(signature({ b: 2, a: tensor([7]) }))
  })
})

describe('types of derivatives', () => {
  it('a gradient has the type of the parameters, interfaces included', async () => {
    const loss = (p: Params, x: Tensor): Tensor =>
      p.layers
        .reduce((h, { scale }) => (p.activation === 'tanh' ? h.mul(scale).tanh() : h.mul(scale)), p.w.mul(x))
        .sum()
    const g = grad(loss)(params(), tensor([1, -1]))
    expectTypeOf(g).toEqualTypeOf<Params>()
    expect(g.activation).toBe('tanh')
    expect((await cpuDevice().read(g.w)).length).toBe(2)
  })

  it('the compiler refuses what grad would have to refuse at run time', () => {
    const loss = (p: Params): Tensor => p.w.sum()
    // @ts-expect-error: the parameters lack a leaf
    expect(() => grad(loss)({ activation: 'tanh', layers: [] })).toThrow()
    // @ts-expect-error: the function must return a tensor
    expect(() => grad((p: Params) => p.activation)(params())).toThrow()
    // @ts-expect-error: a number is not an operand of matmul
    expect(() => scalar(1).matmul(2)).toThrow()
    expect(scalar(1)).toBeInstanceOf(Tensor)
  })
})
