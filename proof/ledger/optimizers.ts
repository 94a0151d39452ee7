/** Equations of chapter 4 about optimizers, rates and the moving average. */
import fc from 'fast-check'
import { adam, adamW } from '../../src/optim/adam.ts'
import { ema } from '../../src/optim/ema.ts'
import { emaDecay, powerEmaDecay, powerOfWidth, widthOfPower } from '../../src/optim/emaDecay.ts'
import { clipByGlobalNorm, globalNorm } from '../../src/optim/globalNorm.ts'
import { cosineDecay, linearDecay, polynomialDecay } from '../../src/optim/schedules.ts'
import { sgd } from '../../src/optim/sgd.ts'
import { applyUpdates, type Transform } from '../../src/optim/transform.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { agree, at, dot, forAll, holds, read, real, sum, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'f64' })

const steps = 5
const start = [0.5, -1, 2]

/** What an optimizer does with five gradients of three parameters: parameters and states after each. */
const walk = async <S>(
  optimizer: Transform<S>,
  gradients: readonly number[],
): Promise<readonly { readonly w: readonly number[]; readonly state: S }[]> => {
  const after: { w: readonly number[]; state: S }[] = []
  let [w, state] = [f64(start), optimizer.init(f64(start))]
  for (const i of upTo(steps)) {
    const [updates, next] = optimizer.update(f64(gradients.slice(3 * i, 3 * i + 3)), state, w)
    w = applyUpdates(w, updates)
    state = next
    after.push({ w: await read(w), state })
  }
  return after
}

/** The same in plain numbers, for each parameter apart: `rule` gets w, g, the memory of two numbers, and t from 1. */
const byHand = (
  gradients: readonly number[],
  rule: (
    w: number,
    g: number,
    memory: readonly [number, number],
    t: number,
  ) => readonly [w: number, a: number, b: number],
): readonly (readonly number[])[] => {
  let state = start.map((w): readonly [number, number, number] => [w, 0, 0])
  return upTo(steps).map((i) => {
    state = state.map(([w, a, b], k) => rule(w, at(gradients, 3 * i + k), [a, b], i + 1))
    return state.map(([w]) => w)
  })
}

const manyGradients = vectors(3 * steps)

const [b1, b2, eta, eps] = [0.9, 0.999, 0.01, 1e-8]

/** Adam's direction from the closed sums m = (1 − β₁) Σ β₁^(t−i) gᵢ: no recursion. */
const direction = (history: readonly number[]): number => {
  const t = history.length
  const moment = (beta: number, power: number): number =>
    ((1 - beta) * sum(history.map((g, i) => beta ** (t - 1 - i) * g ** power))) / (1 - beta ** t)
  return moment(b1, 1) / (Math.sqrt(moment(b2, 2)) + eps)
}

const adamPaths = (gradients: readonly number[], decay: number): readonly (readonly number[])[] => {
  let w: readonly number[] = start
  return upTo(steps).map((i) => {
    w = w.map((v, k) => v - eta * (direction(upTo(i + 1).map((j) => at(gradients, 3 * j + k))) + decay * v))
    return w
  })
}

const adamEquations: readonly Equation[] = [
  {
    number: '4.17',
    statement: 'm ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g²',
    source: 'Kingma & Ba 2015, algorithm 1',
    by: 'the state of `adam` after five random gradients against the closed sums Σ (1 − β)β^(t−i)gᵢ',
    check: () =>
      forAll(manyGradients, async (gradients) => {
        const last = (await walk(adam({ learningRate: eta }), gradients)).at(-1)
        const closed = (beta: number, power: number): readonly number[] =>
          upTo(3).map((k) =>
            sum(upTo(steps).map((i) => (1 - beta) * beta ** (steps - 1 - i) * at(gradients, 3 * i + k) ** power)),
          )
        const moments = await Promise.all(
          [last?.state.mean, last?.state.variance].map((m) => read(leaves(m)[0] as Tensor)),
        )
        return agree(1e-13, moments.flat(), [...closed(b1, 1), ...closed(b2, 2)])
      }),
  },
  {
    number: '4.18',
    statement: 'update = −η · (m/c₁) / (√(v/c₂) + ε), cᵢ = 1 − βᵢᵗ',
    source: 'Kingma & Ba 2015, algorithm 1',
    by: 'the parameters after each of five steps of `adam`, with moments and corrections in closed form',
    check: () =>
      forAll(manyGradients, async (gradients) =>
        agree(
          1e-12,
          (await walk(adam({ learningRate: eta }), gradients)).flatMap(({ w }) => w),
          adamPaths(gradients, 0).flat(),
        ),
      ),
  },
  {
    number: '4.19',
    statement: 'c ← βc + (1 − β) from c = 0 gives c = 1 − βᵗ after t steps',
    source: 'own derivation',
    by: "the corrections in `adam`'s state: in f64 against the power, in f32 to its last digits at the first step",
    check: async () => {
      const after = await walk(adam({ learningRate: eta }), upTo(15))
      const corrections = await Promise.all(
        after.flatMap(({ state }) => [state.meanCorrection, state.varianceCorrection].map(read)),
      )
      const expected = upTo(steps).flatMap((i) => [1 - b1 ** (i + 1), 1 - b2 ** (i + 1)])
      const optimizer = adam({ learningRate: eta })
      const p = tensor([1])
      const [, first] = optimizer.update(p, optimizer.init(p), p)
      const single = at(await read(first.varianceCorrection), 0)
      const fromPower = Math.fround(1 - Math.fround(b2))
      return together([
        agree(1e-14, corrections.flat(), expected),
        agree(1e-7, [single / 0.001], [1]),
        holds(Math.abs(fromPower / 0.001 - 1) > 1e-5, 'the power has lost digits in f32'),
      ])
    },
  },
]

const descents: readonly Equation[] = [
  {
    number: '4.20',
    statement: '`sgd` with momentum μ; v ← μv + g, w ← w − ηv',
    source: "Sutskever et al. 2013, section 2, in PyTorch's form",
    by: 'five steps of three parameters in plain numbers',
    check: () =>
      forAll(manyGradients, async (gradients) => {
        const walked = await walk(sgd({ learningRate: 0.1, momentum: 0.8 }), gradients)
        const expected = byHand(gradients, (w, g, [v]) => [w - 0.1 * (0.8 * v + g), 0.8 * v + g, 0])
        return agree(
          1e-13,
          walked.flatMap(({ w }) => w),
          expected.flat(),
        )
      }),
  },
  {
    number: '4.21',
    statement: "… and Nesterov's; v ← μv + g, w ← w − η·(g + μv)",
    source: "Sutskever et al. 2013, section 2, in PyTorch's form",
    by: 'five steps of three parameters in plain numbers',
    check: () =>
      forAll(manyGradients, async (gradients) => {
        const walked = await walk(sgd({ learningRate: 0.1, momentum: 0.8, nesterov: true }), gradients)
        const expected = byHand(gradients, (w, g, [v]) => {
          const next = 0.8 * v + g
          return [w - 0.1 * (g + 0.8 * next), next, 0]
        })
        return agree(
          1e-13,
          walked.flatMap(({ w }) => w),
          expected.flat(),
        )
      }),
  },
  {
    number: '4.22',
    statement: '`adamW`; w ← w − η·((m/c₁)/(√(v/c₂) + ε) + λw)',
    source: 'Loshchilov & Hutter 2019, algorithm 2',
    by: 'five steps of `adamW` with λ = 0.1, moments and corrections in closed form',
    check: () =>
      forAll(manyGradients, async (gradients) =>
        agree(
          1e-12,
          (await walk(adamW({ learningRate: eta, weightDecay: 0.1 }), gradients)).flatMap(({ w }) => w),
          adamPaths(gradients, 0.1).flat(),
        ),
      ),
  },
  {
    number: '4.23',
    statement: '`clipByGlobalNorm`; g ← g·min(1, n/(‖g‖ + 10⁻⁶)), ‖g‖² = Σ gᵢ² over all leaves',
    source: 'Pascanu et al. 2013, algorithm 1, as PyTorch',
    by: 'trees of two leaves, with norms below and above n; `globalNorm` of the same',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(2), real(0.5, 5)), async ([a, b, n]) => {
        const tree = { a: f64(a), b: f64(b) }
        const [clipped] = clipByGlobalNorm(n).update(tree, {}, tree)
        const norm = Math.sqrt(dot(a, a) + dot(b, b))
        const factor = Math.min(1, n / (norm + 1e-6))
        return together([
          agree(1e-14, await read(globalNorm(tree)), [norm]),
          agree(
            1e-14,
            [...(await read(clipped.a)), ...(await read(clipped.b))],
            [...a, ...b].map((g) => g * factor),
          ),
        ])
      }),
  },
]

/** A rate after the warm-up as a function of the share of steps. */
const rate = (
  number: string,
  statement: string,
  source: string,
  of: (options: {
    readonly learningRate: number
    readonly warmupSteps: number
    readonly steps: number
  }) => (step: number) => number,
  plain: (eta: number, p: number) => number,
): Equation => ({
  number,
  statement,
  source,
  by: 'every step of random lengths and warm-ups',
  check: () =>
    forAll(
      fc.tuple(real(0.01, 1), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 10, max: 40 })),
      ([learningRate, warmupSteps, total]) => {
        const schedule = of({ learningRate, warmupSteps, steps: total })
        const later = upTo(total).slice(warmupSteps)
        return agree(
          1e-14,
          later.map(schedule),
          later.map((step) => plain(learningRate, (step - warmupSteps) / (total - warmupSteps))),
        )
      },
    ),
})

const schedules: readonly Equation[] = [
  rate('4.24', '`linearDecay`; η·(1 − p)', "diffusers' `optimization.py`", linearDecay, (eta, p) => eta * (1 - p)),
  rate(
    '4.25',
    '`cosineDecay`; ½η·(1 + cos(πp))',
    'Loshchilov & Hutter 2017, eq. 5',
    cosineDecay,
    (eta, p) => (eta / 2) * (1 + Math.cos(Math.PI * p)),
  ),
  rate(
    '4.26',
    '`polynomialDecay`; end + (η − end)·(1 − p)^power',
    "diffusers' `optimization.py`",
    (options) => polynomialDecay({ ...options, end: 1e-4, power: 2.5 }),
    (eta, p) => 1e-4 + (eta - 1e-4) * (1 - p) ** 2.5,
  ),
  {
    number: '4.27',
    statement: 'warm-up of n steps; η·step/n before step n',
    source: "diffusers' `optimization.py`",
    by: 'every step before the end of the warm-up, of all three schedules above',
    check: () =>
      forAll(fc.tuple(real(0.01, 1), fc.integer({ min: 1, max: 20 })), ([learningRate, n]) => {
        const options = { learningRate, warmupSteps: n, steps: 40 }
        const expected = upTo(n).map((step) => (learningRate * step) / n)
        return together(
          [linearDecay(options), cosineDecay(options), polynomialDecay(options)].map((schedule) =>
            agree(1e-14, upTo(n).map(schedule), expected),
          ),
        )
      }),
  },
]

const averages: readonly Equation[] = [
  {
    number: '4.28',
    statement: 'average ← d·average + (1 − d)·params',
    source: 'Ho et al. 2020, appendix B',
    by: 'twelve steps of `ema` against the closed sum dᵗp₀ + (1 − d) Σ d^(t−i)pᵢ; d = 0 copies and d = 1 keeps, exactly',
    check: () =>
      forAll(fc.tuple(vectors(13), real(0.1, 0.99)), async ([path, d]) => {
        let average = f64([at(path, 0)])
        for (const p of path.slice(1)) average = ema(scalar(d, 'f64'), average, f64([p]))
        const closed = d ** 12 * at(path, 0) + (1 - d) * sum(upTo(12).map((i) => d ** (11 - i) * at(path, i + 1)))
        const [a, p] = [f64([at(path, 0)]), f64([at(path, 1)])]
        return together([
          agree(1e-13, await read(average), [closed]),
          agree(0, [...(await read(ema(0, a, p))), ...(await read(ema(1, a, p)))], [at(path, 1), at(path, 0)]),
        ])
      }),
  },
  {
    number: '4.29',
    statement: 'd = clamp(1 − (1 + n)^(−2/3), 0, 0.9999), n = k − 101, and d = 0 for n ≤ 0',
    source: "lucidrains' `ema_pytorch`",
    by: '`emaDecay` at 1 to 10⁸ updates, and the values that ema_pytorch prints at 102, 110, 200 and 1000',
    check: () => {
      const decay = emaDecay()
      const ks = [1, 50, 101, 102, 103, 110, 200, 1000, 31_700, 10 ** 6, 10 ** 8]
      const formula = (k: number): number => (k <= 101 ? 0 : Math.min(0.9999, 1 - (k - 100) ** (-2 / 3)))
      return together([
        agree(1e-15, ks.map(decay), ks.map(formula)),
        agree(1e-6, [102, 110, 200, 1000].map(decay), [0.370039, 0.784557, 0.953584, 0.989272]),
      ])
    },
  },
  {
    number: '4.30',
    statement: 'd = (1 − 1/t)^(γ + 1)',
    source: 'Karras et al. 2024, section 3.1',
    by: '`powerEmaDecay` at random updates, and that with the γ of the width 1/√12, 0, the average of ten numbers is their mean',
    check: () =>
      forAll(fc.tuple(real(0.01, 0.28), fc.integer({ min: 1, max: 10 ** 6 })), ([width, t]) => {
        const even = powerEmaDecay({ width: 1 / Math.sqrt(12) })
        const mean = upTo(10).reduce((m, x, i) => even(i + 1) * m + (1 - even(i + 1)) * x, 7)
        return together([
          agree(1e-12, [powerEmaDecay({ width })(t)], [(1 - 1 / t) ** (powerOfWidth(width) + 1)]),
          agree(1e-12, [mean], [sum(upTo(10)) / 10]),
        ])
      }),
  },
  {
    number: '4.31',
    statement: 'σ_rel = √(γ + 1)/((γ + 2)·√(γ + 3))',
    source: 'Karras et al. 2024, appendix C',
    by: '`widthOfPower` against the standard deviation of the density tᵞ on [0, 1], from its moments (γ + 1)/(γ + 1 + n); `powerOfWidth` gives γ back',
    check: () =>
      forAll(real(0.1, 30), (gamma) => {
        const moment = (n: number): number => (gamma + 1) / (gamma + 1 + n)
        const width = widthOfPower(gamma)
        return together([
          agree(1e-9, [width], [Math.sqrt(moment(2) - moment(1) ** 2)]),
          agree(1e-9, [powerOfWidth(width)], [gamma]),
        ])
      }),
  },
]

/** The entries. */
export const optimizers: readonly Equation[] = [...adamEquations, ...descents, ...schedules, ...averages]
