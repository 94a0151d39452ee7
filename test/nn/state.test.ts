/** State beside the parameters: batch and spectral normalisation against PyTorch (golden/state.py), and how a state goes through a model. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { grad, valueAndGrad } from '../../src/autograd/index.ts'
import {
  applyWithState,
  batchNorm,
  checkpointed,
  compose,
  evaluate,
  lift,
  linear,
  relu,
  sequential,
  spectralNorm,
  stateful,
  stateOf,
  type Mode,
  type Module,
  type ModelState,
  type NoParams,
} from '../../src/nn/index.ts'
import { range } from '../../src/prelude/array.ts'
import { ones, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

interface Step {
  readonly output: readonly number[]
  readonly x: readonly number[]
  readonly weight: readonly number[]
  readonly bias: readonly number[]
  readonly mean: readonly number[]
  readonly variance: readonly number[]
  readonly u: readonly number[]
  readonly v: readonly number[]
}
interface Golden {
  readonly steps: readonly Step[]
  readonly evaluated: readonly number[]
}
const golden = JSON.parse(await readFile(new URL('golden/state.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Golden>
>

const train: Mode = { train: true, key: key(0) }

/** sin(start), sin(start + 1), … in f64. */
const wave = (shape: readonly number[], start = 1): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  return tensor(
    Float64Array.from(range(count), (i) => Math.sin(start + i)),
    { shape },
  )
}
const expectNear = async (x: Tensor, expected: readonly number[] | undefined, digits: number): Promise<void> => {
  const found = await values(x)
  expect(found.length).toBe(expected?.length)
  found.forEach((y, i) => {
    const z = expected?.[i] ?? NaN
    expect((y - z) / Math.max(1, Math.abs(z))).toBeCloseTo(0, digits)
  })
}

/** The leaf of a path. */
const leaf = (state: ModelState, path: string): Tensor => new Map(leavesWithPaths(state)).get(path) ?? scalar(NaN)

describe('batchNorm', () => {
  it.each([
    ['batchNorm2d', [2, 2, 3, 3], 0.1],
    ['batchNorm3', [2, 3, 3], 0.3],
    ['batchNorm1d', [4, 3], 0.1],
    ['cumulative', [2, 2, 3, 3], null],
  ] as const)('%s is that of PyTorch over three steps and in evaluation', async (name, shape, momentum) => {
    const expected = golden[name]
    const layer = batchNorm(3, { momentum })
    const params = { weight: wave([3], 30).add(2), bias: wave([3], 40) }
    const loss = (p: typeof params, x: Tensor, state: ModelState) => {
      const [y, next] = applyWithState(layer, p, state, x, train)
      return [y.mul(wave(shape, 500)).sum(), { y, next }] as const
    }
    let state = stateOf(layer)
    for (const [i, step] of (expected?.steps ?? []).entries()) {
      const x = wave(shape, 100 * i).mul(i + 1)
      const [[, { y, next }], [g, gx]] = valueAndGrad(loss, { aux: true, argument: [0, 1] })(params, x, state)
      await expectNear(y, step.output, 8)
      await expectNear(gx, step.x, 8)
      await expectNear(g.weight, step.weight, 8)
      await expectNear(g.bias, step.bias, 8)
      await expectNear(leaf(next, 'mean'), step.mean, 6)
      await expectNear(leaf(next, 'variance'), step.variance, 6)
      state = next
    }
    expect(await values(leaf(state, 'count'))).toEqual([3])
    const [y, same] = applyWithState(layer, params, state, wave(shape, 700))
    await expectNear(y, expected?.evaluated, 5)
    expect(same).toEqual(state)
  })

  it('keeps statistics without gradients', async () => {
    const kept = (x: Tensor): Tensor =>
      leaf(applyWithState(batchNorm(1), { weight: ones([1]), bias: zeros([1]) }, stateOf(batchNorm(1)), x, train)[1], 'mean').sum() // prettier-ignore
    expect(await values(grad(kept)(tensor([[1], [3]])))).toEqual([0, 0])
  })

  it('without affine has no parameters', () => {
    expect(leavesWithPaths(batchNorm(3, { affine: false }).init(key(0)))).toEqual([])
  })

  it('keeps statistics of halves in f32', async () => {
    const x = tensor([[300], [-300]], { dtype: 'f16' })
    const layer = batchNorm(1, { momentum: 1, affine: false })
    const [y, state] = applyWithState(layer, {}, stateOf(layer), x, train)
    expect([y.dtype, await values(y), await values(leaf(state, 'variance'))]).toEqual(['f16', [1, -1], [180_000]])
  })

  it('swallows no NaN: it is in the statistics of its channel, and of no other', async () => {
    const [, state] = applyWithState(batchNorm(2), { weight: ones([2]), bias: zeros([2]) }, stateOf(batchNorm(2)), tensor([[NaN, 1], [1, 3]]), train) // prettier-ignore
    expect(await values(leaf(state, 'mean'))).toEqual([NaN, Math.fround(0.2)])
  })

  it('of an empty batch in evaluation is empty, and in training is refused', () => {
    const layer = batchNorm(2)
    const params = layer.init(key(0))
    expect(applyWithState(layer, params, stateOf(layer), zeros([0, 2]))[0].shape).toEqual([0, 2])
    for (const n of [0, 1])
      expect(() => applyWithState(layer, params, stateOf(layer), zeros([n, 2]), train)).toThrow(
        `batchNorm: training needs at least two numbers a channel, got [${n},2]`,
      )
  })

  it('says what it takes, and what to write where its statistics have no place', () => {
    const layer = batchNorm(2)
    const params = layer.init(key(0))
    for (const mode of [train, evaluate])
      expect(() => layer.apply(params, zeros([4, 2]), mode)).toThrow(
        'batchNorm: keeps values from pass to pass, and has no place for them: const [y, next] = applyWithState(model, params, state, x, mode)',
      )
    expect(() => applyWithState(layer, params, {}, zeros([4, 2]))).toThrow(
      "batchNorm: 'count' is missing in the state that it was given",
    )
    expect(() => applyWithState(layer, params, stateOf(batchNorm(3)), zeros([4, 2]))).toThrow(
      "batchNorm: 'mean' is [2] in its own state and [3] in the state that it was given",
    )
    expect(() => applyWithState(layer, params, stateOf(layer), zeros([4, 3]))).toThrow(
      'batchNorm: takes [N, …, 2], got [4,3]',
    )
    expect(() => batchNorm(2, { momentum: 2 })).toThrow('batchNorm: the momentum is 2')
    expect(() => applyWithState(layer, params, undefined as never, zeros([4, 2]))).toThrow(
      'applyWithState: a state is a tree of tensors, as stateOf(model) makes it, got undefined',
    )
  })
})

describe('spectralNorm', () => {
  it('is that of PyTorch over three steps and in evaluation', async () => {
    const expected = golden['spectralNorm']
    const layer = spectralNorm(linear(4, 3))
    const params = { weight: wave([4, 3], 10), bias: wave([3], 40) }
    const [x, u] = [wave([2, 4]), wave([3], 70)]
    let state: ModelState = { u: u.div(u.square().sum().sqrt()), v: zeros([4], 'f64') }
    for (const step of expected?.steps ?? []) {
      const before = state
      const [[, { y, next }], g] = valueAndGrad(
        (p: typeof params) => {
          const [y, next] = applyWithState(layer, p, before, x, train)
          return [y.mul(wave([2, 3], 500)).sum(), { y, next }] as const
        },
        { aux: true },
      )(params)
      await expectNear(y, step.output, 6)
      await expectNear(g.weight, step.weight, 6)
      await expectNear(leaf(next, 'u'), step.u, 6)
      await expectNear(leaf(next, 'v'), step.v, 6)
      state = next
    }
    await expectNear(applyWithState(layer, params, state, x)[0], expected?.evaluated, 6)
  })

  it('leaves its vectors in evaluation', async () => {
    const layer = spectralNorm(linear(3, 2))
    const params = layer.init(key(0))
    const state = stateOf(layer, key(1))
    const [, same] = applyWithState(layer, params, state, ones([1, 3]))
    const [, next] = applyWithState(layer, params, state, ones([1, 3]), train)
    expect(await values(leaf(same, 'u'))).toEqual(await values(leaf(state, 'u')))
    expect(await values(leaf(next, 'u'))).not.toEqual(await values(leaf(state, 'u')))
  })

  it('takes a layer without a state of its own', () => {
    expect(() => spectralNorm(spectralNorm(linear(2, 2)))).toThrow('takes a layer without a state')
  })
})

/** Counts its calls, and adds the number of those before. */
const counter: Module<NoParams> = stateful({
  name: 'counter',
  init: () => ({}),
  state: () => ({ calls: scalar(0) }),
  apply: (_, { calls }, x: Tensor) => [x.add(calls), { calls: calls.add(1) }],
})

describe('state', () => {
  it('lies under the names of the modules, and is nothing for those that keep nothing', () => {
    const model = compose(
      {
        stem: sequential({ norm: batchNorm(2), act: lift(relu) }),
        blocks: [linear(2, 2), batchNorm(2), batchNorm(2)],
        rest: [linear(2, 2)],
        none: undefined,
      },
      (_, x: Tensor) => x,
    )
    expect(leavesWithPaths(stateOf(model)).map(([path]) => path)).toEqual(
      ['blocks.1', 'blocks.2', 'stem.norm'].flatMap((at) => ['count', 'mean', 'variance'].map((of) => `${at}.${of}`)),
    )
    expect(linear(2, 2).state).toBeUndefined()
    expect(sequential({ a: linear(2, 2) }).state).toBeUndefined()
    expect(stateOf(sequential({ a: linear(2, 2) }))).toEqual({})
    expect(applyWithState(linear(1, 1), { weight: ones([1, 1]) }, {}, ones([1, 1]))[1]).toEqual({})
  })

  it('reaches each module, in lists too, and comes back whole', async () => {
    const model = compose({ one: counter, some: [lift(relu), counter] }, ({ one, some }, x: Tensor) =>
      some.reduce((y, layer) => layer(y), one(x)),
    )
    const given = { one: { calls: scalar(1) }, some: [undefined, { calls: scalar(10) }] }
    const [y, next] = applyWithState(model, { one: {}, some: [{}, {}] }, given, scalar(100))
    expect(await values(y)).toEqual([111])
    expect([await values(leaf(next, 'one.calls')), await values(leaf(next, 'some.1.calls'))]).toEqual([[2], [11]])
    expect(await values(given.one.calls)).toEqual([1])
  })

  it('of a child that is called twice follows call after call', async () => {
    const twice = compose({ count: counter }, ({ count }, x: Tensor) => count(count(x)))
    const [y, next] = applyWithState(twice, { count: {} }, stateOf(twice), scalar(0))
    expect([await values(y), await values(leaf(next, 'count.calls'))]).toEqual([[1], [2]])
  })

  const model = sequential({ first: linear(3, 4), norm: batchNorm(4), act: lift(relu), last: linear(4, 1) })
  const loss =
    (of: typeof model) =>
    (params: ReturnType<typeof model.init>, state: ModelState, x: Tensor): readonly [Tensor, ModelState] => {
      const [y, next] = applyWithState(of, params, state, x, train)
      return [y.square().mean(), next]
    }

  it('is the same from a checkpointed module, and its gradients are', async () => {
    const params = model.init(key(1))
    const x = normal(key(2), [8, 3])
    const [[a, plain], g] = valueAndGrad(loss(model), { aux: true })(params, stateOf(model), x)
    const [[b, again], h] = valueAndGrad(loss(checkpointed(model)), { aux: true })(params, stateOf(model), x)
    expect(await values(a)).toEqual(await values(b))
    expect(await values(leaf(plain, 'norm.variance'))).toEqual(await values(leaf(again, 'norm.variance')))
    await expectNear(h.first.weight, await values(g.first.weight), 6)
    const within = sequential({ block: checkpointed(counter), after: counter })
    const [, next] = applyWithState(within, { block: {}, after: {} }, stateOf(within), scalar(0))
    expect(await values(leaf(next, 'block.calls'))).toEqual([1])
  })

  it('goes from step to step of a compiled function, donated', async () => {
    const device = cpuDevice()
    const step = device.compile(
      (params: ReturnType<typeof model.init>, state: ModelState, x: Tensor) => {
        const [[value, next], g] = valueAndGrad(loss(model), { aux: true })(params, state, x)
        return [value, next, g.first.weight] as const
      },
      { donate: [1] },
    )
    const params = await device.realize(model.init(key(1)))
    let state: ModelState = await device.realize(stateOf(model))
    for (let i = 0; i < 3; i++) [, state] = await step(params, state, normal(key(i), [8, 3]))
    expect(await values(leaf(state, 'norm.count'), device)).toEqual([3])
  })

  it('of a batch takes no gradient to the state before', async () => {
    const through = (state: ModelState): Tensor =>
      applyWithState(batchNorm(1), { weight: ones([1]), bias: zeros([1]) }, state, tensor([[1], [3]]), train)[0].sum()
    const g = grad((mean: Tensor) => through({ ...stateOf(batchNorm(1)), mean }))(zeros([1]))
    expect(await values(g)).toEqual([0])
  })

  it('has to be passed on by a module of one’s own', () => {
    const own: Module<NoParams> = { init: counter.init, apply: (p, x, mode) => counter.apply(p, x, mode) }
    expect(() => {
      const holding = sequential({ own })
      return applyWithState(holding, { own: {} }, stateOf(holding), scalar(0))
    }).toThrow('own: counter: the state has nothing for it: was it made by another model?')
  })
})

describe('a mode', () => {
  it('may have fields of one’s own, which every module sees', async () => {
    const hot: Module<NoParams> = {
      init: () => ({}),
      apply: (_, x, mode) => (typeof mode?.['temperature'] === 'number' ? x.div(mode['temperature']) : x),
    }
    const model = sequential({ inner: sequential({ hot }), count: counter })
    const params = { inner: { hot: {} }, count: {} }
    for (const mode of [
      { ...evaluate, temperature: 4 },
      { ...train, temperature: 4 },
    ]) {
      const [y] = applyWithState(model, params, stateOf(model), scalar(8), mode)
      expect(await values(y)).toEqual([2])
    }
    expect(await values(sequential({ hot }).apply({ hot: {} }, scalar(8), { train: false, temperature: 2 }))).toEqual([4]) // prettier-ignore
  })

  it('does not ask for a child’s key before the child does', () => {
    const asked: string[] = []
    const mode: Mode = Object.defineProperties(
      { train: true as const, key: key(0) },
      { noise: { enumerable: true, get: () => asked.push('noise') } },
    )
    sequential({ a: sequential({ act: lift(relu) }) }).apply({ a: { act: {} } }, scalar(1), mode)
    expect(asked).toEqual([])
  })
})
