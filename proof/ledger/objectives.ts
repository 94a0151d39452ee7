/** Equations of chapter 6 about predictions and their weights in the loss. */
import fc from 'fast-check'
import { qSample } from '../../src/diffusion/forward.ts'
import { diffusionLoss, lossWeights } from '../../src/diffusion/loss.ts'
import { noiseLevel, parameterizations, type Prediction } from '../../src/diffusion/prediction.ts'
import { linearSchedule, type Schedule } from '../../src/diffusion/index.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { normalFromBits } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, sum, together, upTo, vectors, type Equation } from './equation.ts'
import { alphaBar, schedules, times } from './noise.ts'

const f64 = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'f64' })

const levels = fc.tuple(times(0, 190), vectors(3), vectors(3))

/** What a prediction makes of a picture and noise, by src in f64: its target, and the estimate from that target. */
const roundTrip = async (
  prediction: Prediction,
  schedule: Schedule,
  t: number,
  x0: readonly number[],
  epsilon: readonly number[],
) => {
  const [picture, noise, time] = [f64(x0), f64(epsilon), scalar(t, 'i32')]
  const level = noiseLevel(schedule, time, picture)
  const xt = qSample(schedule, picture, time, noise)
  const target = parameterizations[prediction].target(level, picture, noise)
  const estimate = parameterizations[prediction].estimate(level, xt, target)
  return { target: await read(target), x0: await read(estimate.x0), epsilon: await read(estimate.epsilon) }
}

/** A row of the table of predictions. */
const objective = (
  number: string,
  name: Prediction,
  printed: string,
  source: string,
  target: (a: number, s: number, x0: number, epsilon: number) => number,
): Equation => ({
  number,
  statement: `\`${name}\`; ${printed}`,
  source,
  by: 'the target of src against the formula in f64; x₀ and ε come back from the target and x_t',
  check: () =>
    forAll(levels, async ([[schedule, t], x0, epsilon]) => {
      const found = await roundTrip(name, schedule, t, x0, epsilon)
      const signal = alphaBar(schedule, t)
      const [a, s] = [Math.sqrt(signal), Math.sqrt(1 - signal)]
      return together([
        agree(
          1e-12,
          found.target,
          x0.map((v, i) => target(a, s, v, at(epsilon, i))),
        ),
        agree(1e-9, found.x0, x0),
        agree(1e-9, found.epsilon, epsilon),
      ])
    }),
})

const objectives: readonly Equation[] = [
  {
    number: '6.13',
    statement: 'a = √ᾱ_t, s = √(1 − ᾱ_t), a² + s² = 1',
    source: 'definition',
    by: '`noiseLevel` in f64 at every t of three schedules',
    check: async () => {
      const outcomes = schedules.map(async (schedule) => {
        const all = tensor(Int32Array.from(upTo(200)))
        const { signal, noise } = noiseLevel(schedule, all, tensor(new Float64Array(200)))
        const [a, s] = [await read(signal), await read(noise)]
        const bars = upTo(200).map((t) => alphaBar(schedule, t))
        return together([
          agree(1e-14, a, bars.map(Math.sqrt)),
          agree(
            1e-14,
            s,
            bars.map((v) => Math.sqrt(1 - v)),
          ),
          agree(
            1e-15,
            a.map((v, t) => v * v + at(s, t) ** 2),
            a.map(() => 1),
          ),
        ])
      })
      return together(await Promise.all(outcomes))
    },
  },
  objective('6.14', 'epsilon', 'ε; (x_t − s·ε) / a; ε', 'Ho et al. 2020, section 3.2', (_, __, ___, e) => e),
  objective('6.15', 'x0', 'x₀; x₀; (x_t − a·x₀) / s', 'Ho et al. 2020, section 3.2', (_, __, x) => x),
  objective(
    '6.16',
    'v',
    'v = a·ε − s·x₀; a·x_t − s·v; s·x_t + a·v',
    'Salimans & Ho 2022, appendix D',
    (a, s, x, e) => a * e - s * x,
  ),
]

const names: readonly Prediction[] = ['epsilon', 'x0', 'v']

const weights: readonly Equation[] = [
  {
    number: '6.17',
    statement: 'L_simple = E_{t, x₀, ε} ‖ε − ε_θ(√ᾱ_t x₀ + √(1 − ᾱ_t) ε, t)‖²',
    source: 'Ho et al. 2020, eq. 14',
    by: '`diffusionLoss` with a network 0.3·x + 0.01·t, as a mean over batch and elements in plain numbers',
    check: () =>
      forAll(fc.tuple(times(), times(), vectors(6), vectors(6)), async ([[schedule, t], [, u], x0, epsilon]) => {
        const loss = diffusionLoss({ schedule, prediction: 'epsilon' })
        const network = (x: Tensor, time: Tensor): Tensor => x.mul(0.3).add(time.cast('f64').reshape([2, 1]).mul(0.01))
        const [a, b] = [f64(x0).reshape([2, 3]), f64(epsilon).reshape([2, 3])]
        const errors = x0.map((v, k) => {
          const time = k < 3 ? t : u
          const signal = alphaBar(schedule, time)
          const xt = Math.sqrt(signal) * v + Math.sqrt(1 - signal) * at(epsilon, k)
          return (at(epsilon, k) - (0.3 * xt + 0.01 * time)) ** 2
        })
        return agree(1e-12, await read(loss(network, a, tensor(Int32Array.of(t, u)), b)), [sum(errors) / 6])
      }),
  },
  {
    number: '6.18',
    statement: 'Δε = −(a/s)·Δx₀, Δv = −Δx₀/s',
    source: 'own derivation, from (6.4) and (6.16)',
    by: 'ε and v that src computes from x_t and two estimates of x₀',
    check: () =>
      forAll(fc.tuple(times(0, 190), vectors(3)), async ([[schedule, t], [xt = 0, x0 = 0, other = 0]]) => {
        const level = noiseLevel(schedule, scalar(t, 'i32'), f64([xt]))
        const both = async (x: number): Promise<readonly [epsilon: number, v: number]> => {
          const { epsilon } = parameterizations.x0.estimate(level, f64([xt]), f64([x]))
          const v = parameterizations.v.target(level, f64([x]), epsilon)
          return [at(await read(epsilon), 0), at(await read(v), 0)]
        }
        const [[e1, v1], [e2, v2]] = [await both(x0), await both(other)]
        const signal = alphaBar(schedule, t)
        const [a, s] = [Math.sqrt(signal), Math.sqrt(1 - signal)]
        return agree(1e-10, [e2 - e1, v2 - v1], [(-a / s) * (other - x0), -(other - x0) / s])
      }),
  },
  {
    number: '6.19',
    statement: '‖Δε‖² = SNR·‖Δx₀‖², ‖Δv‖² = (SNR + 1)·‖Δx₀‖²',
    source: 'Salimans & Ho 2022, section 4',
    by: 'the three weighted losses of `diffusionLoss` are equal for networks that err by the same Δx₀',
    check: () =>
      forAll(
        fc.tuple(times(0, 190), vectors(3), vectors(3), vectors(3, -0.5, 0.5)),
        async ([[schedule, t], x0, epsilon, error]) => {
          const [picture, noise, time] = [
            f64(x0).reshape([1, 3]),
            f64(epsilon).reshape([1, 3]),
            tensor(Int32Array.of(t)),
          ]
          const losses = names.map(async (name) => {
            const loss = diffusionLoss({ schedule, prediction: name })
            const network = (xt: Tensor, at_: Tensor): Tensor => {
              const level = noiseLevel(schedule, at_, xt)
              const wrong = picture.add(f64(error).reshape([1, 3]))
              return parameterizations[name].target(
                level,
                wrong,
                parameterizations.x0.estimate(level, xt, wrong).epsilon,
              )
            }
            return at(await read(loss(network, picture, time, noise)), 0)
          })
          const found = await Promise.all(losses)
          const signal = alphaBar(schedule, t)
          const expected = ((signal / (1 - signal)) * dot(error, error)) / 3 // weight SNR on Δx₀, for all three
          return agree(1e-9, found, [expected, expected, expected])
        },
      ),
  },
  {
    number: '6.20',
    statement: 'w_ε = c/SNR, w_x₀ = c, w_v = c/(SNR + 1), c = min(SNR, γ), γ = 5',
    source: 'Hang et al. 2023',
    by: '`lossWeights` at every t of three schedules; all three weigh the error of x₀ by c',
    check: () =>
      together(
        schedules.map((schedule) => {
          const snr = upTo(200).map((t) => alphaBar(schedule, t) / (1 - alphaBar(schedule, t)))
          const c = snr.map((v) => Math.min(v, 5))
          const share: { readonly [K in Prediction]: (v: number) => number } = {
            epsilon: (v) => v,
            x0: () => 1,
            v: (v) => v + 1,
            flow: (v) => (Math.sqrt(v) + 1) ** 2,
          }
          return together(
            names.map((name) =>
              agree(
                1e-12,
                lossWeights({ schedule, prediction: name, minSnrGamma: 5 }),
                c.map((v, t) => v / share[name](at(snr, t))),
              ),
            ),
          )
        }),
      ),
  },
  {
    number: '6.21',
    statement: 'w_ε = 1, w_x₀ = SNR, w_v = ᾱ without γ',
    source: 'own derivation, (6.20) with c = SNR',
    by: '`lossWeights` at every t of three schedules',
    check: () =>
      together(
        schedules.map((schedule) => {
          const bars = upTo(200).map((t) => alphaBar(schedule, t))
          const of = (name: Prediction): Float64Array => lossWeights({ schedule, prediction: name })
          return together([
            agree(
              0,
              of('epsilon'),
              bars.map(() => 1),
            ),
            agree(
              1e-12,
              of('x0'),
              bars.map((v) => v / (1 - v)),
            ),
            agree(1e-12, of('v'), bars),
          ])
        }),
      ),
  },
  {
    number: '6.22',
    statement: 'E[εᵢ²] = 1',
    source: 'definition of ε in (6.4)',
    by: "the mean square of src's normal numbers over 2²⁰ equally spaced words; `diffusionLoss` of zero is that of ε",
    check: async () => {
      const n = 2 ** 20
      const squares = sum(upTo(n).map((i) => normalFromBits(Math.floor((i + 0.5) * (2 ** 32 / n))) ** 2)) / n
      const epsilon = [0.4, -1.2, 2]
      const loss = diffusionLoss({ schedule: linearSchedule(200), prediction: 'epsilon' })
      const value = loss(
        (x) => x.mul(0),
        f64([1, 2, 3]).reshape([1, 3]),
        tensor(Int32Array.of(9)),
        f64(epsilon).reshape([1, 3]),
      )
      return together([agree(2e-5, [squares], [1]), agree(1e-14, await read(value), [dot(epsilon, epsilon) / 3])])
    },
  },
]

/** The entries. */
export const objectivesAndWeights: readonly Equation[] = [...objectives, ...weights]
