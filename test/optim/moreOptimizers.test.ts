/** The optimizers beside Adam and descent, against PyTorch and the papers' pseudo-code (test/golden/optim/moreOptimizers.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  adadelta,
  adafactor,
  adagrad,
  addDecayedWeights,
  applyUpdates,
  chain,
  lamb,
  lion,
  muon,
  nadam,
  orthogonalized,
  partition,
  radam,
  rmsProp,
  sgd,
  type Transform,
} from '../../src/optim/index.ts'
import { at } from '../../src/prelude/array.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, mapTree, zipTrees } from '../../src/tensor/tree.ts'
import { signature } from '../../src/tensor/treedef.ts'
import { cpuDevice, values } from '../support/device.ts'

interface Flat {
  readonly a: readonly number[]
  readonly b: readonly number[]
  readonly c: readonly number[]
}
const golden = JSON.parse(readFileSync(new URL('../golden/optim/moreOptimizers.json', import.meta.url), 'utf8')) as {
  readonly start: Flat
  readonly target: Flat
  readonly runs: Readonly<Record<string, readonly (Flat & { readonly step: number })[]>>
}

interface Params {
  readonly a: Tensor
  readonly b: Tensor
  readonly c: Tensor
}
const paramsOf = ({ a, b, c }: Flat, dtype: 'f32' | 'f64'): Params => ({
  a: tensor([...a], { dtype }),
  b: tensor([...b], { dtype }).reshape([2, 3]),
  c: tensor([...c], { dtype }).reshape([1, 2, 2, 3]),
})
const gradients = (p: Params, t: Params): Params => zipTrees(p, t, (x, goal) => x.sub(goal).add(x.pow(3).mul(0.3)))

const device = cpuDevice()

/** The parameters after each of ten compiled steps, state and parameters donated. */
const tenSteps = async <S>(optimizer: Transform<S>, dtype: 'f32' | 'f64'): Promise<readonly Params[]> => {
  const step = device.compile(
    (params: Params, state: S, t: Params) => {
      const [updates, next] = optimizer.update(gradients(params, t), state, params)
      const after = applyUpdates(params, updates)
      return { params: after, state: next, shown: mapTree<Params>(after, (x) => x.mul(1)) }
    },
    { donate: [0, 1] },
  )
  const start = paramsOf(golden.start, dtype)
  let now = { params: start, state: optimizer.init(start) }
  const before = signature(now.state)
  const shown: Params[] = []
  for (let i = 0; i < 10; i++) {
    const next = await step(now.params, now.state, paramsOf(golden.target, dtype))
    shown.push(next.shown)
    now = next
  }
  expect(signature(now.state)).toBe(before)
  return shown
}

type Steps = (dtype: 'f32' | 'f64') => Promise<readonly Params[]>
const steps =
  <S>(optimizer: Transform<S>): Steps =>
  (dtype) =>
    tenSteps(optimizer, dtype)
const withDescent = <S>(matrices: Transform<S>): Steps =>
  steps(partition({ matrices, rest: sgd({ learningRate: 0.1 }) }, (_, p) => (p.rank > 1 ? 'matrices' : 'rest')))

const optimizers: readonly (readonly [name: string, steps: Steps, single: number | undefined])[] = (
  [
    ['rmsProp', steps(rmsProp({ learningRate: 0.02 }))],
    [
      'rmsProp-centred-momentum',
      steps(rmsProp({ learningRate: 0.005, decay: 0.9, momentum: 0.8, centred: true, epsilon: 1e-6 })),
      1e-3, // v − m² of one gradient of like size cancels
    ],
    ['rmsProp-weight-decay', steps(chain(addDecayedWeights(0.1), rmsProp({ learningRate: 0.02, momentum: 0.5 })))],
    ['adagrad', steps(adagrad({ learningRate: 0.1 }))],
    ['adagrad-initial', steps(adagrad({ learningRate: 0.1, initial: 0.5, epsilon: 1e-4 }))],
    ['adadelta', steps(adadelta())],
    ['adadelta-options', steps(adadelta({ learningRate: 0.5, decay: 0.95, epsilon: 1e-3 }))],
    ['radam', steps(radam({ learningRate: 0.05 }))],
    ['radam-short', steps(radam({ learningRate: 0.05, beta1: 0.8, beta2: 0.9, epsilon: 1e-4 }))],
    ['nadam', steps(nadam({ learningRate: 0.05 }))],
    ['nadam-options', steps(nadam({ learningRate: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 1e-4, momentumDecay: 0.5 }))],
    ['lion', steps(lion({ learningRate: 0.02, weightDecay: 0.1 }))],
    ['lamb', steps(lamb({ learningRate: 0.05, weightDecay: 0.1 }))],
    ['muon', withDescent(muon({ learningRate: 0.02 }))],
    [
      'muon-plain-rms-decay',
      withDescent(muon({ learningRate: 0.05, momentum: 0.9, nesterov: false, weightDecay: 0.1, scale: 'rms' })),
    ],
    ['adafactor', steps(adafactor())],
    [
      'adafactor-rate-mean-decay',
      steps(adafactor({ learningRate: 0.05, scaleParameter: false, beta1: 0.9, weightDecay: 0.1, clip: 0.5 })),
    ],
  ] as readonly (readonly [string, Steps, number?])[]
).map(([name, run, single]) => [name, run, single] as const)

const expectGolden = async (name: string, shown: readonly Params[], tolerance: number): Promise<void> => {
  const points = golden.runs[name] ?? []
  expect(points.map(({ step }) => step)).toEqual([1, 2, 10])
  for (const { step, a, b, c } of points) {
    const found = (await Promise.all(leaves(at(shown, step - 1)).map((x) => values(x, device)))).flat()
    const expected = [...a, ...b, ...c]
    expect(found).toHaveLength(expected.length)
    found.forEach((x, i) => expect(Math.abs(x - at(expected, i)), `${name} ${step} ${i}`).toBeLessThan(tolerance))
  }
}

describe('optimizers of the field', () => {
  it.each(optimizers)('%s: ten compiled steps are those of PyTorch or of the paper in f64', async (name, run) => {
    await expectGolden(name, await run('f64'), 1e-10)
  })

  it.each(optimizers)('%s: and in f32 to its precision', async (name, run, single = 3e-5) => {
    await expectGolden(name, await run('f32'), single)
  })

  it('moments of halves are f32, and updates too', () => {
    const halves = { a: zeros([3], 'f16'), b: zeros([2, 3], 'f16') }
    const all: readonly Transform<unknown>[] = [
      rmsProp({ learningRate: 1, centred: true, momentum: 0.9 }),
      adagrad({ learningRate: 1 }),
      adadelta(),
      radam({ learningRate: 1 }),
      nadam({ learningRate: 1 }),
      lion({ learningRate: 1 }),
      lamb({ learningRate: 1 }),
      adafactor({ beta1: 0.9 }),
    ] as never
    for (const optimizer of all) {
      const state = optimizer.init(halves)
      const [updates, next] = optimizer.update(halves, state, halves)
      expect(leaves(state).filter(({ dtype }) => dtype !== 'f32')).toEqual([])
      expect(leaves(updates).map(({ dtype }) => dtype)).toEqual(['f32', 'f32'])
      expect(signature(next)).toBe(signature(state))
    }
  })

  it('parameters without elements are no trouble', async () => {
    const empty = { w: zeros([0, 3]), b: zeros([0]) }
    for (const optimizer of [adafactor(), lamb({ learningRate: 1 }), lion({ learningRate: 1 })] as const) {
      const [updates] = (optimizer as Transform<unknown>).update(empty, optimizer.init(empty), empty)
      expect(await values(updates.w, device)).toEqual([])
    }
  })

  it('NaN stays NaN', async () => {
    const g = tensor([NaN, 1])
    for (const optimizer of [
      rmsProp({ learningRate: 1, centred: true }),
      lion({ learningRate: 1 }),
      adafactor(),
    ] as const) {
      const [updates] = (optimizer as Transform<unknown>).update(g, optimizer.init(g), g)
      expect((await values(updates, device))[0]).toBeNaN()
    }
  })
})

describe('radam', () => {
  it('in f32 takes the step of f64 at every step of 3000, also where the rectification begins', async () => {
    const walk = async (dtype: 'f32' | 'f64'): Promise<readonly number[]> => {
      const optimizer = radam({ learningRate: 1, epsilon: 0 })
      const g = tensor([1], { dtype })
      const step = device.compile((state: ReturnType<typeof optimizer.init>, gradient: Tensor) => {
        const [updates, next] = optimizer.update(gradient, state, gradient)
        return { updates, next }
      })
      let state = optimizer.init(g)
      const found: number[] = []
      for (let i = 0; i < 3000; i++) {
        const { updates, next } = await step(state, g)
        state = next
        if (i < 12 || i % 500 === 0) found.push(at(await values(updates, device), 0))
      }
      return found
    }
    const [single, double] = [await walk('f32'), await walk('f64')]
    single.forEach((u, i) => expect(Math.abs(u / at(double, i) - 1)).toBeLessThan(1e-3))
  })
})

describe('lion', () => {
  it('steps by the sign of one average, and keeps another', async () => {
    const optimizer = lion({ learningRate: 1 })
    const w = tensor([0])
    const [, state] = optimizer.update(tensor([1]), optimizer.init(w), w)
    const [updates] = optimizer.update(tensor([-0.1]), state, w) // 0.9 · 0.01 − 0.1 · 0.1 < 0 < 0.99 · 0.01 − 0.01 · 0.1
    expect(await values(updates, device)).toEqual([1])
  })
})

describe('muon', () => {
  it('makes singular values alike, of wide matrices and of tall ones', async () => {
    for (const shape of [
      [4, 9],
      [9, 4],
    ]) {
      const o = orthogonalized(normal(key(3), shape).cast('f64'))
      const gram = shape[0] === 4 ? o.matmul(o.transpose()) : o.transpose().matmul(o)
      const found = await values(gram, device)
      const trace = found.filter((_, i) => i % 5 === 0)
      trace.forEach((x) => expect(Math.abs(x - 0.95)).toBeLessThan(0.5))
      expect(Math.hypot(...found.filter((_, i) => i % 5 !== 0))).toBeLessThan(0.6)
    }
  })

  it('a gradient of zeros moves nothing', async () => {
    const w = zeros([2, 3])
    const optimizer = muon({ learningRate: 1 })
    expect((await values(optimizer.update(w, optimizer.init(w), w)[0], device)).every((x) => x === 0)).toBe(true)
  })

  it('a vector is refused with the remedy', () => {
    const p = { bias: zeros([3]) }
    const optimizer = muon({ learningRate: 1 })
    expect(() => optimizer.update(p, optimizer.init(p), p)).toThrow(
      "muon: 'bias' is [3], and no matrix: give it to another optimizer, as partition({ matrices: muon(…), rest: adamW(…) }",
    )
  })
})

describe('adafactor', () => {
  it('keeps a row and a column of each matrix, and of filters too', () => {
    const state = adafactor().init({ a: zeros([3]), c: zeros([3, 3, 8, 16]) })
    expect(leaves(state).map(({ shape }) => shape)).toEqual([[], [3], [16], [72]])
  })

  it('a learning rate given as a buffer takes the place of the relative step', async () => {
    const w = tensor([2, 2])
    const optimizer = adafactor({ scaleParameter: false })
    const [updates] = optimizer.update(w, optimizer.init(w), w, { learningRate: scalar(0.25) })
    expect(await values(updates, device)).toEqual([-0.25, -0.25])
  })

  it('a state of other parameters is refused', () => {
    const p = { w: zeros([2, 3]) }
    expect(() => adafactor().update(p, adafactor().init({ w: zeros([3]) }) as never, p)).toThrow(
      "adafactor: 'w.columns' is missing in the optimizer's state; the optimizer's state was made for other parameters",
    )
  })
})

describe('states of other parameters', () => {
  const params = { w: zeros([2, 3]) }
  const others = { w: zeros([3]) }
  const all: readonly (readonly [string, Transform<unknown>])[] = [
    ['rmsProp', rmsProp({ learningRate: 1 })],
    ['adagrad', adagrad({ learningRate: 1 })],
    ['adadelta', adadelta()],
    ['radam', radam({ learningRate: 1 })],
    ['nadam', nadam({ learningRate: 1 })],
    ['lion', lion({ learningRate: 1 })],
    ['muon', muon({ learningRate: 1 })],
  ] as never

  it.each(all)('%s: names leaf, shapes and remedy', (name, optimizer) => {
    expect(() => optimizer.update(params, optimizer.init(others), params)).toThrow(
      `${name}: 'w' is [2,3] in the gradients and [3] in the optimizer's state; the optimizer's state was made for other parameters: begin with init(params)`,
    )
  })
})
