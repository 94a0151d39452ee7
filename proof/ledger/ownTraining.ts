/** Equations of chapter 30: optimizers and rates of the field, and the block of residual networks. */
import fc from 'fast-check'
import { residualBlock } from '../../src/models/resnet/blocks.ts'
import { adadelta, adagrad } from '../../src/optim/adagrad.ts'
import { adafactor } from '../../src/optim/adafactor.ts'
import { nadam, radam } from '../../src/optim/adamVariants.ts'
import { lamb } from '../../src/optim/lamb.ts'
import { inverseSqrt, noamSchedule, oneCycle, warmupStableDecay } from '../../src/optim/laterSchedules.ts'
import { lion } from '../../src/optim/lion.ts'
import { orthogonalized } from '../../src/optim/muon.ts'
import { rmsProp } from '../../src/optim/rmsProp.ts'
import { applyUpdates, type Transform } from '../../src/optim/transform.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { mapTree } from '../../src/tensor/tree.ts'
import { agree, at, forAll, read, real, sum, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

const [steps, size] = [4, 3]
const start = [0.5, -1, 2]
const eta = 0.05

type Memory = Record<string, number>

/** What an optimizer makes of three parameters, step by step. */
const walk = async <S>(optimizer: Transform<S>, gradients: readonly number[]): Promise<readonly number[]> => {
  const seen: number[] = []
  let [w, state] = [f64(start), optimizer.init(f64(start))]
  for (const i of upTo(steps)) {
    const [updates, next] = optimizer.update(f64(gradients.slice(size * i, size * (i + 1))), state, w)
    ;[w, state] = [applyUpdates(w, updates), next]
    seen.push(...(await read(w)))
  }
  return seen
}

/** The same in plain numbers: `move` gets a weight, its gradient, what it remembers, and t from 1. */
const plain = (
  gradients: readonly number[],
  move: (w: number, g: number, memory: Memory, t: number) => number,
): readonly number[] => {
  let now = start.map((w): readonly [number, Memory] => [w, {}])
  return upTo(steps).flatMap((i) => {
    now = now.map(([w, memory], k) => [move(w, at(gradients, size * i + k), memory, i + 1), memory])
    return now.map(([w]) => w)
  })
}

/** What a name remembers: β·old + (1 − β)·now. */
const averaged = (memory: Memory, name: string, beta: number, now: number): number =>
  (memory[name] = beta * (memory[name] ?? 0) + (1 - beta) * now)

const elementwise = (
  number: string,
  statement: string,
  source: string,
  optimizer: Transform<unknown>,
  move: Parameters<typeof plain>[1],
): Equation => ({
  number,
  statement,
  source,
  by: 'four steps of three parameters in plain numbers',
  check: () =>
    forAll(vectors(steps * size), async (gradients) =>
      agree(1e-9, await walk(optimizer, gradients), plain(gradients, move)),
    ),
})

const rows: readonly Equation[] = [
  elementwise(
    '30.1',
    '`lion`; w ← w − η·(sign(β₁m + (1 − β₁)g) + λw), then m ← β₂m + (1 − β₂)g',
    'Chen et al. 2023, algorithm 2',
    lion({ learningRate: eta, weightDecay: 0.1 }) as never,
    (w, g, memory) => {
      const direction = Math.sign(0.9 * (memory['m'] ?? 0) + 0.1 * g)
      averaged(memory, 'm', 0.99, g)
      return w - eta * (direction + 0.1 * w)
    },
  ),
  {
    number: '30.2',
    statement: '`muon`; X ← aX + (bA + cA²)X, A = XXᵀ, five times from X = V/‖V‖; a = 3.4445, b = −4.7750, c = 2.0315',
    source: 'Jordan et al. 2024',
    by: '`orthogonalized` of diagonal matrices, whose entries go through x ↦ ax + bx³ + cx⁵',
    check: () =>
      forAll(fc.tuple(real(0.3, 2), real(0.3, 2)), async ([p, q]) => {
        const norm = Math.hypot(p, q) + 1e-7
        const through = (x: number): number =>
          upTo(5).reduce((y) => 3.4445 * y - 4.775 * y ** 3 + 2.0315 * y ** 5, x / norm)
        const found = await read(orthogonalized(f64([p, 0, 0, -q], [2, 2])))
        return agree(1e-9, found, [through(p), 0, 0, -through(q)])
      }),
  },
  {
    number: '30.3',
    statement: '`adafactor`; v̂ = r·c/mean(r), r and c the means of rows and columns of g², β₂ = 1 − t^−0.8',
    source: 'Shazeer & Stern 2018, algorithms 4 and 5',
    by: 'the first step of a 2×2 matrix, whose update is g/√v̂ with a root mean square of 1 at most, times max(10⁻³, RMS(w))/100',
    check: () =>
      forAll(vectors(4), async (g) => {
        const w = [1, 2, -1, 0.5]
        const square = g.map((x) => x * x + 1e-30)
        const r = [0, 2].map((i) => (at(square, i) + at(square, i + 1)) / 2)
        const c = [0, 1].map((j) => (at(square, j) + at(square, j + 2)) / 2)
        const mean = sum(r) / 2
        const u = g.map((x, i) => x / Math.sqrt((at(r, Math.floor(i / 2)) * at(c, i % 2)) / mean))
        const rms = (xs: readonly number[]): number => Math.sqrt(sum(xs.map((x) => x * x)) / xs.length)
        const optimizer = adafactor()
        const parameter = f64(w, [2, 2])
        const [found] = optimizer.update(f64(g, [2, 2]), optimizer.init(parameter), parameter)
        const expected = u.map((x) => (-0.01 * rms(w) * x) / Math.max(1, rms(u)))
        return agree(1e-9, await read(found), expected)
      }),
  },
  {
    number: '30.4',
    statement: '`lamb`; w ← w − η·‖w‖/‖r‖·r, r = m̂/(√v̂ + ε) + λw',
    source: 'You et al. 2020, algorithm 2',
    by: 'the first step, where m̂/√v̂ is the sign of g',
    check: () =>
      forAll(vectors(3), async (g) => {
        const r = g.map((x, i) => x / (Math.abs(x) + 1e-6) + 0.1 * at(start, i))
        const ratio = Math.hypot(...start) / Math.hypot(...r)
        const optimizer = lamb({ learningRate: eta, weightDecay: 0.1 })
        const [found] = optimizer.update(f64(g), optimizer.init(f64(start)), f64(start))
        return agree(1e-9, await read(found), r.map((x) => -eta * ratio * x)) // prettier-ignore
      }),
  },
  elementwise(
    '30.5',
    '`rmsProp`, centred with momentum; v ← αv + (1 − α)g², m ← αm + (1 − α)g, u ← μu + g/(√(v − m²) + ε), w ← w − ηu',
    'Graves 2013, section 3.2, as PyTorch',
    rmsProp({ learningRate: eta, decay: 0.9, momentum: 0.5, centred: true, epsilon: 0.1 }) as never,
    (w, g, memory) => {
      const variance = averaged(memory, 'v', 0.9, g * g) - averaged(memory, 'm', 0.9, g) ** 2
      memory['u'] = 0.5 * (memory['u'] ?? 0) + g / (Math.sqrt(Math.max(0, variance)) + 0.1)
      return w - eta * memory['u']
    },
  ),
  elementwise(
    '30.6',
    '`adagrad`; w ← w − η·g/(√s + ε), s ← s + g²',
    'Duchi et al. 2011, section 1.3',
    adagrad({ learningRate: eta, initial: 0.2 }) as never,
    (w, g, memory) => {
      memory['s'] = (memory['s'] ?? 0.2) + g * g
      return w - (eta * g) / (Math.sqrt(memory['s']) + 1e-10)
    },
  ),
  elementwise(
    '30.7',
    '`adadelta`; d = g·√(u + ε)/√(v + ε), w ← w − ηd, u ← ρu + (1 − ρ)d²',
    'Zeiler 2012, algorithm 1',
    adadelta({ learningRate: 0.5, epsilon: 1e-3 }) as never,
    (w, g, memory) => {
      const v = averaged(memory, 'v', 0.9, g * g)
      const d = g * Math.sqrt(((memory['u'] ?? 0) + 1e-3) / (v + 1e-3))
      averaged(memory, 'u', 0.9, d * d)
      return w - 0.5 * d
    },
  ),
  elementwise(
    '30.8',
    '`nadam`; m̂ = μₜ₊₁m/(1 − ∏ᵢ₌₁ᵗ⁺¹ μᵢ) + (1 − μₜ)g/(1 − ∏ᵢ₌₁ᵗ μᵢ), μₜ = β₁·(1 − ½·0.96^(tψ))',
    'Dozat 2016, algorithm 8',
    nadam({ learningRate: eta, momentumDecay: 0.5 }) as never,
    (w, g, memory, t) => {
      const momentum = (k: number): number => 0.9 * (1 - 0.5 * 0.96 ** (0.5 * k))
      const product = (n: number): number => upTo(n).reduce((p, i) => p * momentum(i + 1), 1)
      const m = averaged(memory, 'm', 0.9, g)
      const v = averaged(memory, 'v', 0.999, g * g) / (1 - 0.999 ** t)
      const mean = (momentum(t + 1) * m) / (1 - product(t + 1)) + ((1 - momentum(t)) * g) / (1 - product(t))
      return w - (eta * mean) / (Math.sqrt(v) + 1e-8)
    },
  ),
  elementwise(
    '30.9',
    '`radam`; Adam times √((ρₜ − 4)(ρₜ − 2)ρ∞/((ρ∞ − 4)(ρ∞ − 2)ρₜ)) where ρₜ > 5, else m̂; ρₜ = ρ∞ − 2tβ₂ᵗ/(1 − β₂ᵗ)',
    'Liu et al. 2020, algorithm 2, with the bound of PyTorch',
    radam({ learningRate: eta, beta2: 0.7, epsilon: 0 }) as never,
    (w, g, memory, t) => {
      const longest = 2 / 0.3 - 1
      const m = averaged(memory, 'm', 0.9, g) / (1 - 0.9 ** t)
      const v = averaged(memory, 'v', 0.7, g * g) / (1 - 0.7 ** t)
      const length = longest - (2 * t * 0.7 ** t) / (1 - 0.7 ** t)
      const factor = ((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length)
      return w - eta * (length > 5 ? (Math.sqrt(factor) * m) / Math.sqrt(v) : m)
    },
  ),
]

/** A rate at every step of some. */
const rate = (
  number: string,
  statement: string,
  source: string,
  schedule: (step: number) => number,
  expected: (step: number) => number,
): Equation => ({
  number,
  statement,
  source,
  by: 'every step of a hundred',
  check: () => Promise.resolve(agree(1e-13, upTo(100).map(schedule), upTo(100).map(expected))),
})

const rates: readonly Equation[] = [
  rate(
    '30.10',
    '`warmupStableDecay`; η until the decay, then η·(1 − √p)',
    'Hu et al. 2024, section 4; Hägele et al. 2024, eq. 1',
    warmupStableDecay({ learningRate: 2, warmupSteps: 10, steps: 90, decaySteps: 30 }),
    (step) => (step < 10 ? step / 5 : 2 * (1 - Math.sqrt(Math.min(1, Math.max(0, (step - 60) / 30))))),
  ),
  rate(
    '30.11',
    '`inverseSqrt`; η·√(w/step) after w steps of warm-up',
    'Vaswani et al. 2017, section 5.3',
    inverseSqrt({ learningRate: 3, warmupSteps: 20 }),
    (step) => (step < 20 ? (3 * step) / 20 : 3 * Math.sqrt(20 / step)),
  ),
  rate(
    '30.12',
    '`noamSchedule`; d^−½·min(s^−½, s·w^−1.5), s = step + 1',
    'Vaswani et al. 2017, eq. 3',
    noamSchedule({ width: 64, warmupSteps: 30 }),
    (step) => 64 ** -0.5 * Math.min((step + 1) ** -0.5, (step + 1) * 30 ** -1.5),
  ),
  rate(
    '30.13',
    '`oneCycle`; from η/25 to η and to η/250,000, along half a cosine each',
    'Smith & Topin 2018, as PyTorch',
    oneCycle({ learningRate: 1, steps: 101, pctStart: 0.5 }),
    (step) => {
      const half = (from: number, to: number, p: number): number => to + ((from - to) * (1 + Math.cos(Math.PI * p))) / 2
      return step <= 49.5 ? half(1 / 25, 1, step / 49.5) : half(1, 1 / 250_000, (step - 49.5) / 50.5)
    },
  ),
]

const blocks: readonly Equation[] = [
  {
    number: '30.14',
    statement: 'y = max(F(x) + x, 0)',
    source: 'He et al. 2016, eq. 1',
    by: "a basic block whose second norm has the weight 0 and the bias b: then F(x) = b, whatever the block's input",
    check: () =>
      forAll(fc.tuple(vectors(4), real()), async ([x, b]) => {
        const block = residualBlock('basic', { inputs: 1, width: 1, stride: 1, norm: 'group' })
        const params = mapTree<ReturnType<typeof block.init>>(block.init(key(0)), (p, path) => {
          if (path.endsWith('convolutions.1.norm.weight')) return f64([0])
          return path.endsWith('convolutions.1.norm.bias') ? f64([b]) : p.cast('f64')
        })
        const found = await read(block.apply(params, f64(x, [1, 2, 2, 1])))
        return together([agree(1e-12, found, x.map((v) => Math.max(v + b, 0)))]) // prettier-ignore
      }),
  },
]

/** The entries. */
export const ownTraining: readonly Equation[] = [...rows, ...rates, ...blocks]
