/** Several optimizers in one step, parameters that stay, rates by layer, steps that are sat out. */
import { describe, expect, it } from 'vitest'
import {
  adam,
  adamW,
  addDecayedWeights,
  applyIfFinite,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  clipByValue,
  frozen,
  lion,
  masked,
  partition,
  scaleUpdates,
  separately,
  sgd,
} from '../../src/optim/index.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const params = {
  body: [
    { bias: tensor([1, -0]), weight: tensor([[2, 3]]) },
    { bias: tensor([4]), weight: tensor([[5]]) },
  ],
  head: tensor([6]),
}
const byRank = (_: string, p: { readonly rank: number }): 'matrices' | 'rest' => (p.rank > 1 ? 'matrices' : 'rest')
const read = async (tree: unknown) =>
  Object.fromEntries(
    await Promise.all(leavesWithPaths(tree).map(async ([path, x]) => [path, await values(x, device)] as const)),
  )

describe('partition', () => {
  const optimizer = partition(
    { matrices: sgd({ learningRate: 1, momentum: 0.5 }), rest: chain(clipByGlobalNorm(1), sgd({ learningRate: 2 })) },
    byRank,
  )

  it('gives each parameter to its transform, and a norm is of those of one transform', async () => {
    const [updates] = optimizer.update(params, optimizer.init(params), params)
    const found = await read(updates)
    expect(found['body.0.weight']).toEqual([-2, -3])
    expect(found['body.1.weight']).toEqual([-5])
    const norm = Math.hypot(1, 4, 6)
    expect(found['head']?.[0]).toBeCloseTo(-12 / norm, 5)
    expect(found['body.0.bias']?.[0]).toBeCloseTo(-2 / norm, 5)
  })

  it('decay in a part is of its own parameters', async () => {
    const decaying = partition({ matrices: adamW({ learningRate: 0.1, weightDecay: 1 }), rest: frozen() }, byRank)
    const zero = mapTree<typeof params>(params, (x) => x.mul(0))
    const [updates] = decaying.update(zero, decaying.init(params), params)
    expect((await read(updates))['body.1.weight']).toEqual([-0.5])
  })

  it('keeps states of its own parts only, by path, and goes on from them', async () => {
    const state = optimizer.init(params)
    expect(leavesWithPaths(state).map(([path]) => path)).toEqual([
      'matrices.velocity.body.0.weight',
      'matrices.velocity.body.1.weight',
    ])
    const [, next] = optimizer.update(params, state, params)
    const [updates] = optimizer.update(params, next, params)
    expect((await read(updates))['body.1.weight']).toEqual([-7.5])
  })

  it('passes a learning rate on to all', async () => {
    const [updates] = optimizer.update(params, optimizer.init(params), params, { learningRate: scalar(0) })
    expect(
      Object.values(await read(updates))
        .flat()
        .every((x) => x === 0),
    ).toBe(true)
  })

  it('runs compiled, with its state donated', async () => {
    const step = device.compile(
      (p: typeof params, s: ReturnType<typeof optimizer.init>) => {
        const [updates, next] = optimizer.update(p, s, p)
        return { p: applyUpdates(p, updates), s: next }
      },
      { donate: [0, 1] },
    )
    let now = { p: await device.realize(params), s: optimizer.init(params) }
    for (let i = 0; i < 3; i++) now = await step(now.p, now.s)
    // w ← w − v with v ← v/2 + w: 5 → 0 → −2.5 → −1.25
    expect((await read(now.p))['body.1.weight']).toEqual([-1.25])
  })

  it('a single tensor is a tree too', async () => {
    const one = partition({ a: sgd({ learningRate: 3 }) }, () => 'a')
    expect(await values(one.update(tensor([1]), one.init(tensor([1])), tensor([1]))[0], device)).toEqual([-3])
  })

  it('an unknown name, other parameters, and the state of another partition are refused', () => {
    const wrong = partition({ a: sgd({ learningRate: 1 }) }, (() => 'b') as never)
    expect(() => wrong.init(params)).toThrow("partition: 'body.0.bias' is given the name 'b', and the transforms are a")
    expect(() => optimizer.update({ w: zeros([1]) }, optimizer.init(params), params as never)).toThrow(
      "partition: 'w' is in the gradients and not in the parameters",
    )
    expect(() => optimizer.update(params, {} as never, params)).toThrow(
      "partition: the optimizer's state has no branch 'matrices': begin with init(params) of this model",
    )
    expect(() => optimizer.update({ head: zeros([1]) }, optimizer.init(params), params as never)).toThrow(
      "sgd: 'body.0.weight' is missing in the gradients",
    )
  })

  it('separately is a partition by branch: the same updates', async () => {
    const each = chain(clipByGlobalNorm(1), adam({ learningRate: 0.1 }))
    const whole = separately(each)
    const parted = partition({ body: each, head: each }, (path) => (path.startsWith('body') ? 'body' : 'head'))
    const [a] = whole.update(params, whole.init(params), params)
    const [b] = parted.update(params, parted.init(params), params)
    expect(await read(a)).toEqual(await read(b))
  })
})

describe('frozen and masked', () => {
  it('frozen parameters stay bit for bit, −0 too, whatever their gradients', async () => {
    const p = { a: tensor([-0, 1e-45, 3]), b: tensor([1], { dtype: 'f16' }) }
    const g = { a: tensor([NaN, Infinity, 1]), b: tensor([1], { dtype: 'f16' }) }
    const after = applyUpdates(p, frozen().update(g, {}, p)[0])
    expect(Object.is((await values(after.a, device))[0], -0)).toBe(true)
    expect(await read(after)).toEqual(await read(p))
  })

  it('a masked transform leaves the others as they are', async () => {
    const m = masked(clipByValue(1), (path) => path === 'head')
    const [updates] = m.update(params, m.init(params), params)
    expect((await read(updates))['head']).toEqual([1])
    expect((await read(updates))['body.1.weight']).toEqual([5])
  })
})

describe('groups of parameters', () => {
  it('rates are multiples by path, of decoupled decay too', async () => {
    const optimizer = chain(
      adamW({ learningRate: 0.1, weightDecay: 1 }),
      scaleUpdates((path) => (path === 'head' ? 10 : 0)),
    )
    const zero = { body: tensor([0]), head: tensor([0]) }
    const p = { body: tensor([1]), head: tensor([1]) }
    expect(await read(optimizer.update(zero, optimizer.init(p), p)[0])).toEqual({ body: [-0], head: [-1] })
  })

  it('a decay by path is a multiple', async () => {
    const decay = addDecayedWeights(0.5, (path) => (path === 'a' ? 2 : path === 'b'))
    const p = { a: tensor([1]), b: tensor([1]), c: tensor([1]) }
    const [updates] = decay.update({ a: zeros([1]), b: zeros([1]), c: zeros([1]) }, {}, p)
    expect(await read(updates)).toEqual({ a: [1], b: [0.5], c: [0] })
  })

  it('factors that are no numbers are refused, by their path', () => {
    expect(() => scaleUpdates(-1)).toThrow('scaleUpdates: the factor is -1')
    expect(() => scaleUpdates(() => NaN).update(params, {}, params)).toThrow("the factor of 'body.0.bias' is NaN")
    expect(() => addDecayedWeights(1, () => -2).update(params, {}, params)).toThrow("the decay of 'body.0.bias' is -2")
    expect(() => scaleUpdates(2).update(params, {}, { w: zeros([1]) } as never)).toThrow('is missing in the parameters')
  })
})

describe('clipByValue', () => {
  it('bounds each number, and leaves NaN', async () => {
    const g = tensor([-7, 0.5, Infinity, NaN, -Infinity])
    expect(await values(clipByValue(1).update(g, {}, g)[0], device)).toEqual([-1, 0.5, 1, NaN, -1])
    expect(() => clipByValue(0)).toThrow('the limit is 0; it must be a finite number above 0')
  })
})

describe('applyIfFinite', () => {
  it('a step with NaN or ∞ anywhere changes neither parameters nor state, and is counted', async () => {
    const optimizer = applyIfFinite(lion({ learningRate: 0.5 }))
    const p = { a: tensor([1, -0]), b: tensor([2]) }
    const good = { a: tensor([1, -1]), b: tensor([3]) }
    const [, first] = optimizer.update(good, optimizer.init(p), p)
    for (const bad of [NaN, Infinity]) {
      const [updates, second] = optimizer.update({ a: tensor([1, 1]), b: tensor([bad]) }, first, p)
      expect(await read(applyUpdates(p, updates))).toEqual(await read(p))
      expect(await read(second.inner)).toEqual(await read(first.inner))
      expect(await values(second.skipped, device)).toEqual([1])
    }
    const [updates, next] = optimizer.update(good, first, p)
    expect(await read(updates)).toEqual({ a: [-0.5, 0.5], b: [-0.5] })
    expect(await values(next.skipped, device)).toEqual([0])
  })
})
