/** Equations of chapter 6 about guidance, and about what lies between pictures. */
import fc from 'fast-check'
import { autoguidance, guided } from '../../src/diffusion/guidance.ts'
import { slerp, startFrom } from '../../src/diffusion/interpolate.ts'
import { flowLevels } from '../../src/diffusion/levels.ts'
import { scheduleLevels } from '../../src/diffusion/scheduleLevels.ts'
import { noiseLevel, parameterizations } from '../../src/diffusion/prediction.ts'
import { heun } from '../../src/diffusion/samplers/heun.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, real, sum, together, vectors, type Equation } from './equation.ts'
import { alphaBar, schedules } from './noise.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [1, values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

/** A network that gives its parameters, whatever it sees. */
const fixed = (output: Tensor): Tensor => output

const deviation = (xs: readonly number[]): number => {
  const mean = sum(xs) / xs.length
  return Math.sqrt(sum(xs.map((x) => (x - mean) ** 2)) / xs.length)
}

/** Six numbers that are not all alike. */
const spreadOut = vectors(6).filter((x) => deviation(x) > 0.1)

/** Equations (6.33) to (6.37). */
export const guidance: readonly Equation[] = [
  {
    number: '6.33',
    statement: 'D_w = D + (w − 1)·(D − G)',
    source: 'Karras et al. 2024, where it is G + w·(D − G)',
    by: 'random D, G and w in both forms; w = 1 and G = D exactly',
    check: () =>
      forAll(fc.tuple(vectors(4), vectors(4), real(-2, 4)), async ([d, g, weight]) => {
        const of = async (w: number, guide: readonly number[]): Promise<readonly number[]> =>
          read(
            guided(autoguidance(fixed, fixed), { weight: w })(
              { params: f64(d), guide: f64(guide) },
              f64([0, 0, 0, 0]),
              f64([5], [1]),
            ),
          )
        return together([
          agree(
            1e-13,
            await of(weight, g),
            d.map((x, i) => at(g, i) + weight * (x - at(g, i))),
          ),
          agree(0, await of(1, g), d),
          agree(0, await of(weight, d), d),
        ])
      }),
  },
  {
    number: '6.34',
    statement: 'x̂₀(D + (w − 1)·(D − G)) = x̂₀(D) + (w − 1)·(x̂₀(D) − x̂₀(G))',
    source: 'own derivation, from the table of predictions',
    by: 'every prediction at random times of every schedule',
    check: () =>
      forAll(
        fc.tuple(
          fc.constantFrom(...schedules),
          fc.constantFrom('epsilon' as const, 'x0' as const, 'v' as const, 'flow' as const),
          fc.integer({ min: 0, max: 190 }),
          vectors(9),
          real(-2, 4),
        ),
        async ([schedule, prediction, t, numbers, weight]) => {
          const [x, d, g] = [0, 3, 6].map((from) => numbers.slice(from, from + 3))
          const level = noiseLevel(schedule, scalar(t, 'i32'), f64(x ?? []))
          const image = async (output: readonly number[]): Promise<readonly number[]> =>
            read(parameterizations[prediction].estimate(level, f64(x ?? []), f64(output)).x0)
          const [own, guide] = [await image(d ?? []), await image(g ?? [])]
          const moved = (d ?? []).map((v, i) => v + (weight - 1) * (v - at(g ?? [], i)))
          return agree(
            1e-10,
            await image(moved),
            own.map((v, i) => v + (weight - 1) * (v - at(guide, i))),
          )
        },
      ),
  },
  {
    number: '6.35',
    statement: 'y′ = y + φ·(y·σ(D)/σ(y) − y)',
    source: 'Lin et al. 2024, section 3.4',
    by: 'random predictions of six elements, w and φ, deviations in plain numbers',
    check: () =>
      forAll(fc.tuple(spreadOut, spreadOut, real(1.5, 4), real(0.1, 1)), async ([d, g, weight, rescale]) => {
        const denoise = guided(autoguidance(fixed, fixed), { weight, rescale })
        const result = denoise({ params: f64(d), guide: f64(g) }, f64(d), f64([5], [1]))
        const y = d.map((v, i) => v + (weight - 1) * (v - at(g, i)))
        const ratio = deviation(d) / deviation(y)
        return agree(
          1e-11,
          await read(result),
          y.map((v) => v + rescale * (v * ratio - v)),
        )
      }),
  },
  {
    number: '6.36',
    statement: 'x = a_k·x₀ + s_k·ε, k = n − max(1, round(strength·n)) of n steps',
    source: 'Meng et al. 2022, algorithm 1',
    by: 'on the levels of a flow, and on those of every schedule from its betas',
    check: () =>
      forAll(
        fc.tuple(fc.constantFrom(...schedules), real(0.01, 1), vectors(3), vectors(3)),
        async ([schedule, strength, x0, noise]) => {
          const steps = 10
          const k = steps - Math.max(1, Math.round(strength * steps))
          const startOn = async (levels: ReturnType<typeof flowLevels>): Promise<readonly number[]> => {
            const sampler = heun(levels)
            const { state, step } = startFrom(sampler, f64(x0), f64(noise), strength)
            return [step, ...(await read(sampler.image(state)))]
          }
          const mixed = (a: number, s: number): readonly number[] => [k, ...x0.map((v, i) => a * v + s * at(noise, i))]
          const levels = scheduleLevels(schedule, steps)
          const alpha = alphaBar(schedule, at(Array.from(levels.time), k))
          return together([
            agree(1e-13, await startOn(flowLevels(steps)), mixed(k / steps, 1 - k / steps)),
            agree(1e-10, await startOn(levels), mixed(Math.sqrt(alpha), Math.sqrt(1 - alpha))),
          ])
        },
      ),
  },
  {
    number: '6.37',
    statement: 'slerp(a, b; s) = (sin((1 − s)θ)·a + sin(sθ)·b)/sin θ, cos θ = ⟨a, b⟩/(‖a‖·‖b‖)',
    source: 'Shoemake 1985',
    by: 'random a, b and s with the angle by Math.acos, away from sin θ = 0',
    check: () =>
      forAll(
        fc
          .tuple(vectors(4), vectors(4), real(0, 1))
          .filter(([a, b]) => Math.abs(dot(a, b)) < 0.99 * Math.sqrt(dot(a, a) * dot(b, b))),
        async ([a, b, s]) => {
          const angle = Math.acos(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)))
          const expected = a.map(
            (v, i) => (Math.sin((1 - s) * angle) * v + Math.sin(s * angle) * at(b, i)) / Math.sin(angle),
          )
          return agree(1e-6, await read(slerp(f64(a), f64(b), s)), expected)
        },
      ),
  },
]
