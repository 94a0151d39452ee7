import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { adam, adamW } from '../../src/optim/adam.ts'
import { chain } from '../../src/optim/chain.ts'
import { clipByGlobalNorm } from '../../src/optim/globalNorm.ts'
import { sgd } from '../../src/optim/sgd.ts'
import { applyUpdates, type Transform } from '../../src/optim/transform.ts'
import { addDecayedWeights } from '../../src/optim/weightDecay.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, mapTree, zipTrees } from '../../src/tensor/tree.ts'
import { signature } from '../../src/tensor/treedef.ts'
import { cpuDevice, values } from '../support/device.ts'

interface Golden {
  readonly runs: Readonly<
    Record<
      string,
      {
        readonly params: readonly {
          readonly step: number
          readonly a: readonly number[]
          readonly b: readonly number[]
        }[]
      }
    >
  >
}

/** Ten steps of torch.optim in f64 on Σ ½(x − target)² + 0.075 x⁴. */
const golden = JSON.parse(readFileSync(new URL('../golden/optim/optimizers.json', import.meta.url), 'utf8')) as Golden

interface Params {
  readonly a: Tensor
  readonly b: Tensor
}

const start = (dtype: 'f32' | 'f64'): Params => ({
  a: tensor([0.5, -1.5, 2], { dtype }),
  b: tensor(
    [
      [1, -0.25],
      [0.75, 3],
    ],
    { dtype },
  ),
})
const target: Params = {
  a: tensor([1, 0, -1], { dtype: 'f64' }),
  b: tensor(
    [
      [0, 0.5],
      [-0.5, 1],
    ],
    { dtype: 'f64' },
  ),
}

const gradients = (p: Params, t: Params): Params =>
  zipTrees(p, t, (x, goal) => x.sub(goal.cast(x.dtype)).add(x.pow(3).mul(0.3)))

/** The parameters after each of ten compiled steps; state and parameters are donated. */
const run = async <S>(
  device: Device,
  optimizer: Transform<S>,
  dtype: 'f32' | 'f64' = 'f64',
  rate?: number,
): Promise<readonly Params[]> => {
  const step = device.compile(
    (params: Params, state: S, t: Params, learningRate: Tensor | undefined) => {
      const [updates, next] = optimizer.update(
        gradients(params, t),
        state,
        params,
        learningRate === undefined ? {} : { learningRate },
      )
      const after = applyUpdates(params, updates)
      return { params: after, state: next, shown: mapTree<Params>(after, (x) => x.mul(1)) }
    },
    { donate: [0, 1] },
  )
  let now = { params: start(dtype), state: optimizer.init(start(dtype)) }
  const shown: Params[] = []
  for (let i = 0; i < 10; i++) {
    const next = await step(now.params, now.state, target, rate === undefined ? undefined : scalar(rate, 'f64'))
    shown.push(next.shown)
    now = next
  }
  return shown
}

const expectGolden = async (
  device: Device,
  name: string,
  shown: readonly Params[],
  tolerance: number,
): Promise<void> => {
  const checkpoints = golden.runs[name]?.params ?? []
  expect(checkpoints.map((c) => c.step)).toEqual([1, 2, 10])
  for (const { step, a, b } of checkpoints) {
    const found = shown[step - 1]
    const flat = found === undefined ? [] : [...(await values(found.a, device)), ...(await values(found.b, device))]
    expect(flat).toHaveLength(7)
    flat.forEach((x, i) => expect(Math.abs(x - ([...a, ...b][i] ?? NaN))).toBeLessThan(tolerance))
  }
}

/** Ten steps of an optimizer on a device. */
type Steps = (device: Device, dtype: 'f32' | 'f64') => Promise<readonly Params[]>

const steps =
  <S>(optimizer: Transform<S>): Steps =>
  (device, dtype) =>
    run(device, optimizer, dtype)

const optimizers: readonly (readonly [string, Steps])[] = [
  ['sgd', steps(sgd({ learningRate: 0.05 }))],
  ['sgd-momentum', steps(sgd({ learningRate: 0.05, momentum: 0.9 }))],
  ['sgd-nesterov', steps(sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true }))],
  ['sgd-weight-decay', steps(chain(addDecayedWeights(0.1), sgd({ learningRate: 0.05, momentum: 0.9 })))],
  ['adam', steps(adam({ learningRate: 0.1 }))],
  ['adam-lucidrains', steps(adam({ learningRate: 0.1, beta2: 0.99 }))],
  ['adam-weight-decay', steps(chain(addDecayedWeights(0.1), adam({ learningRate: 0.1 })))],
  ['adam-clip', steps(chain(clipByGlobalNorm(0.7), adam({ learningRate: 0.1 })))],
  ['adamw', steps(adamW({ learningRate: 0.1, weightDecay: 0.1 }))],
  ['adamw-eps', steps(adamW({ learningRate: 0.1, beta1: 0.95, weightDecay: 0.01, epsilon: 1e-3 }))],
]

describe('optimizers', () => {
  it.each(optimizers)('%s: ten compiled steps are those of PyTorch in f64', async (name, tenSteps) => {
    const device = cpuDevice()
    await expectGolden(device, name, await tenSteps(device, 'f64'), 1e-11)
  })

  it.each(optimizers)('%s: and in f32 to its precision', async (name, tenSteps) => {
    const device = cpuDevice()
    await expectGolden(device, name, await tenSteps(device, 'f32'), 1e-5)
  })

  it('a learning rate given as a buffer takes the place of the constant', async () => {
    const device = cpuDevice()
    await expectGolden(device, 'adamw', await run(device, adamW({ weightDecay: 0.1 }), 'f64', 0.1), 1e-11)
    await expectGolden(device, 'sgd', await run(device, sgd({ learningRate: 7 }), 'f64', 0.05), 1e-11)
  })

  it('a new learning rate runs the old plan, and the state keeps its structure', async () => {
    const device = cpuDevice()
    const optimizer = chain(clipByGlobalNorm(1), adam())
    let traces = 0
    const step = device.compile(
      (params: Params, state: ReturnType<typeof optimizer.init>, t: Params, learningRate: Tensor) => {
        traces += 1
        const [updates, next] = optimizer.update(gradients(params, t), state, params, { learningRate })
        return { params: applyUpdates(params, updates), state: next }
      },
    )
    const first = { params: start('f32'), state: optimizer.init(start('f32')) }
    const second = await step(first.params, first.state, target, scalar(0.1))
    await step(second.params, second.state, target, scalar(0.05))
    expect(traces).toBe(1)
    expect(signature(second.state)).toBe(signature(first.state))
    expect(leaves(first.state)).toHaveLength(6) // two moments of two parameters, two corrections
  })

  it('without any learning rate the error says where to give one', () => {
    const params = start('f32')
    const optimizer = adam()
    expect(() => optimizer.update(params, optimizer.init(params), params)).toThrow(
      /no learning rate: name one .* or give \{ learningRate \}/,
    )
  })

  it('options out of range are refused', () => {
    expect(() => adam({ beta2: 1 })).toThrow('beta2 is 1; it must be in [0, 1)')
    expect(() => sgd({ learningRate: 1, momentum: -0.1 })).toThrow('the momentum is -0.1')
    expect(() => sgd({ learningRate: 1, nesterov: true })).toThrow('needs a momentum above 0')
    expect(() => adam({ learningRate: NaN })).toThrow('the learning rate is NaN')
    expect(() => adamW({ weightDecay: -1 })).toThrow('the rate is -1')
  })
})

describe('adam', () => {
  it('the bias corrections are 1 − βᵗ to f32 precision for 2000 steps, from the first on', async () => {
    const device = cpuDevice()
    const optimizer = adam({ learningRate: 0 })
    const params = { w: tensor([0]) }
    const step = device.compile(
      (state: ReturnType<typeof optimizer.init>, g: { readonly w: Tensor }) => optimizer.update(g, state, g)[1],
      { donate: [0] },
    )
    let state = optimizer.init(params)
    for (let t = 1; t <= 2000; t++) {
      state = await step(state, params)
      if (![1, 2, 10, 100, 1000, 2000].includes(t)) continue
      const [m] = await values(state.meanCorrection, device)
      const [v] = await values(state.varianceCorrection, device)
      expect(Math.abs((m ?? NaN) / (1 - 0.9 ** t) - 1)).toBeLessThan(1e-6)
      // 0.999 itself is off by 1.3e-8 in f32, which the exact recursion carries to 1.3e-5 of βᵗ/(1 − βᵗ).
      expect(Math.abs((v ?? NaN) / (1 - 0.999 ** t) - 1)).toBeLessThan(2e-5)
    }
  })

  it('the first step has the length of the learning rate in every coordinate, however large the gradient', async () => {
    const device = cpuDevice()
    const g = { w: tensor([1e-4, -3, 2500]) }
    const optimizer = adam({ learningRate: 0.01, epsilon: 1e-12 })
    const [updates] = optimizer.update(g, optimizer.init(g), g)
    const found = await values(updates.w, device)
    found.forEach((u, i) => expect(u).toBeCloseTo([-0.01, 0.01, -0.01][i] ?? NaN, 7))
  })

  it('adamW decays only what is asked for', async () => {
    const device = cpuDevice()
    const params = { bias: tensor([2]), weight: tensor([[2]]) }
    const optimizer = adamW({ learningRate: 0.1, weightDecay: 0.5, decays: (_, p) => p.rank > 1 })
    const [updates] = optimizer.update(
      mapTree<typeof params>(params, (p) => p.mul(0)),
      optimizer.init(params),
      params,
    )
    expect(await values(updates.bias, device)).toEqual([-0])
    expect((await values(updates.weight, device))[0]).toBeCloseTo(-0.1, 7)
  })
})
