/** Trees in two parts: what is trained and what is frozen. */
import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { compose, linear, type ParamsOf } from '../../src/nn/index.ts'
import { adam, applyUpdates } from '../../src/optim/index.ts'
import { ones, scalar, tensor } from '../../src/tensor/create.ts'
import { mergeTrees, partitionTree } from '../../src/tensor/partition.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { countElements, leavesWithPaths } from '../../src/tensor/tree.ts'
import { values } from '../support/device.ts'

const paths = (tree: unknown): readonly string[] => leavesWithPaths(tree).map(([path]) => path)

describe('partitionTree and mergeTrees', () => {
  const trees = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.integer().map((n) => scalar(n)),
      fc.constantFrom(undefined, null, 3, 'static'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'w.0', 'c'), tie('tree')),
    ),
  })).tree

  it('merging both parts, in either order, gives the tree, whatever the predicate', () => {
    fc.assert(
      fc.property(trees, fc.func(fc.boolean()), (tree, predicate) => {
        const chosen = (path: string): boolean => predicate(path)
        const [a, b] = partitionTree(tree, chosen)
        expect(paths(a)).toEqual(paths(tree).filter(chosen))
        expect(paths(b)).toEqual(paths(tree).filter((path) => !chosen(path)))
        expect(mergeTrees(a, b)).toEqual(tree)
        expect(mergeTrees(b, a)).toEqual(tree)
      }),
      { numRuns: 60, seed: 1 },
    )
  })

  it('asks for paths and leaves, and keeps the type', () => {
    const params = { w: ones([2, 2]), b: ones([2]), name: 'net', at: new Date(0), layers: [{ w: ones([1]) }] }
    const [matrices, others] = partitionTree(params, (_, x) => x.rank === 2)
    expect([paths(matrices), paths(others)]).toEqual([['w'], ['b', 'layers.0.w']])
    expectTypeOf(mergeTrees(matrices, others)).toEqualTypeOf<typeof params>()
    expectTypeOf(matrices.layers[0]?.w).toEqualTypeOf<Tensor | undefined>()
    expect(mergeTrees(matrices, others)).toEqual(params)
  })

  it('merges lists of different lengths: what is missing is a hole', () => {
    const [a, b] = [scalar(1), scalar(2)]
    const merged = { layers: [a, b] }
    expect(mergeTrees<typeof merged>({ layers: [a] }, { layers: [undefined, b] })).toEqual(merged)
    expect(mergeTrees<typeof merged>({ layers: [undefined, b] }, { layers: [a] })).toEqual(merged)
  })

  it('refuses a leaf that both parts have', () => {
    const part = { layers: [{ w: scalar(1) }] }
    expect(() => mergeTrees(part, part)).toThrow("mergeTrees: 'layers.0.w' is in both trees")
    expect(() => mergeTrees(scalar(1), scalar(1))).toThrow('mergeTrees: both trees are a tensor')
    expect(() => mergeTrees({ a: scalar(1) } as never, { a: { b: scalar(1) } } as never)).toThrow(
      "'a' is in both trees",
    )
  })

  it('freezes: gradients, moments and steps are of the part that is trained', async () => {
    const model = compose({ body: linear(2, 3), head: linear(3, 1) }, ({ body, head }, x: Tensor) => head(body(x)))
    const params: ParamsOf<typeof model> = model.init(key(0))
    const [head, body] = partitionTree(params, (path) => path.startsWith('head.'))
    const loss = (p: typeof head, x: Tensor): Tensor => model.apply(mergeTrees(p, body), x).square().sum()
    const gradient = grad(loss)(head, ones([4, 2]))
    expect(paths(gradient)).toEqual(['head.bias', 'head.weight'])
    const optimizer = adam({ learningRate: 0.1 })
    const state = optimizer.init(head)
    expect(countElements(state)).toBeLessThan(12)
    const [updates] = optimizer.update(gradient, state, head)
    const next = mergeTrees(applyUpdates(head, updates), body)
    expect(await values(next.body.weight)).toEqual(await values(params.body.weight))
    expect(await values(next.head.weight)).not.toEqual(await values(params.head.weight))
    const whole = grad((p: typeof params) =>
      model
        .apply(p, ones([4, 2]))
        .square()
        .sum(),
    )(params)
    expect(await values(gradient.head?.weight ?? tensor([]))).toEqual(await values(whole.head.weight))
  })
})
