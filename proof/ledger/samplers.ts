/** Equations of chapter 20, on samplers: single steps in f64 against plain formulas, with what the network says given. */
import fc from 'fast-check'
import { lms } from '../../src/diffusion/samplers/adams.ts'
import { dpmSolver } from '../../src/diffusion/samplers/dpmSolver.ts'
import { pndm } from '../../src/diffusion/samplers/pndm.ts'
import { ddimBetween, ddpmBetween } from '../../src/diffusion/samplers/posterior.ts'
import type { Levels } from '../../src/diffusion/levels.ts'
import { preservingPoint, tablesOf, type Point } from '../../src/diffusion/point.ts'
import type { Sampler } from '../../src/diffusion/sampler.ts'
import { sigmasAlong } from '../../src/diffusion/sigmas.ts'
import { thresholdEstimate } from '../../src/diffusion/threshold.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { agree, at, forAll, integral, read, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[]): ReturnType<typeof tensor> => tensor([...values], { dtype: 'f64' })

/** Four levels at these σ, variance-preserving or exploding. */
const levelsAt = (sigmas: readonly number[], preserving: boolean): Levels => {
  const points: readonly Point[] = sigmas.map((s) => (preserving ? preservingPoint(s) : { a: 1, s }))
  return { ...tablesOf(points), time: Float64Array.from(sigmas) }
}

/** σ that fall, and what kind of levels they are on. */
const walks = fc.tuple(
  fc.array(fc.double({ min: 0.3, max: 0.9, noNaN: true }), { minLength: 3, maxLength: 3 }),
  fc.boolean(),
  vectors(8),
)
const falling = (shares: readonly number[]): readonly number[] =>
  shares.reduce<readonly number[]>((list, share) => [...list, at(list, list.length - 1) * share], [3])

/** What is seen at each level: x̂₀ as given, and the noise that makes up x with it, or one as given. */
interface Seen {
  readonly x0: number
  readonly epsilon: number
}

/** x after each step of a sampler, with what is seen. */
const walked = async <S>(
  { init, step, image }: Sampler<S>,
  x: number,
  seen: readonly Seen[],
  z = 0,
): Promise<readonly number[]> => {
  let state = init(f64([x]))
  const found: number[] = []
  for (const [i, { x0, epsilon }] of seen.entries()) {
    state = step(
      state,
      () => ({ x0: f64([x0]), epsilon: f64([epsilon]) }),
      scalar(i, 'u32'),
      () => f64([z]),
    )
    found.push(at(await read(image(state)), 0))
  }
  return found
}

/** The value at x of the polynomial through points. */
const polynomial = (nodes: readonly number[], values: readonly number[], x: number): number =>
  nodes.reduce(
    (sum, node, j) =>
      sum +
      nodes.reduce(
        (product, other, k) => (k === j ? product : (product * (x - other)) / (node - other)),
        at(values, j),
      ),
    0,
  )

/** The entries. */
export const samplerEquations: readonly Equation[] = [
  {
    number: '20.1',
    statement: 'x′/a′ = x/a + (σ′ − σ)·ε̂',
    source: 'Song et al. 2021, eq. 13',
    by: 'steps of `ddimBetween` in f64 between random levels of two kinds, where x, x̂₀ and ε̂ make one another up',
    check: () =>
      forAll(walks, async ([shares, preserving, [x0 = 0, epsilon = 0]]) => {
        const levels = levelsAt(falling(shares), preserving)
        const [a, b] = [at(levels.signal, 0), at(levels.signal, 1)]
        const x = a * x0 + at(levels.noise, 0) * epsilon
        const [found = NaN] = await walked(ddimBetween(levels), x, [{ x0, epsilon }])
        return agree(1e-11, [found / b], [x / a + (at(levels.time, 1) - at(levels.time, 0)) * epsilon])
      }),
  },
  {
    number: '20.2',
    statement: 'x′ = (s′/s)·x + s′ ∫ e^λ·p(λ) dλ, p through the last estimates x̂₀',
    source: 'Lu et al. 2022b, eq. 8',
    by: 'the first, second and third step of `dpmSolver` (order 3, and `heun` of order 2) in f64, against the integral by a rule of 2,000 intervals',
    check: () =>
      forAll(walks, async ([shares, preserving, [x = 0, ...estimates]]) => {
        const levels = levelsAt(falling(shares), preserving)
        const lambda = upTo(4).map((i) => -Math.log(at(levels.time, i)))
        const seen = upTo(3).map((i) => ({ x0: at(estimates, i), epsilon: at(estimates, 3 + i) }))
        const exact = (before: number, i: number, order: number): number => {
          const used = upTo(Math.min(order, i + 1)).map((k) => i - k)
          const [nodes, values] = [used.map((k) => at(lambda, k)), used.map((k) => at(estimates, k))]
          const area = integral((l) => Math.exp(l) * polynomial(nodes, values, l), at(lambda, i), at(lambda, i + 1))
          const [s, next] = [at(levels.noise, i), at(levels.noise, i + 1)]
          return (next / s) * before + next * area
        }
        const options = { lowerOrderFinal: false, rule: 'heun' } as const
        const outcomes = [2, 3].map(async (order) => {
          const found = await walked(dpmSolver(levels, { ...options, order }), x, seen)
          return agree(
            1e-8,
            found,
            found.map((_, i) => exact(i === 0 ? x : at(found, i - 1), i, order)),
          )
        })
        return together(await Promise.all(outcomes))
      }),
  },
  {
    number: '20.3',
    statement: 'x′/a′ = x/a + Σ_j ε̂_j ∫ ℓ_j dσ, ℓ_j the polynomial that is 1 at node j and 0 at the others',
    source: "Karras et al. 2022, with Adams & Bashforth's rule",
    by: 'the second and third step of `lms` in f64, against the integral by a rule of 2,000 intervals',
    check: () =>
      forAll(walks, async ([shares, preserving, [x = 0, ...estimates]]) => {
        const levels = levelsAt(falling(shares), preserving)
        const sigmas = Array.from(levels.time)
        const seen = upTo(3).map((i) => ({ x0: at(estimates, 3 + i), epsilon: at(estimates, i) }))
        const found = await walked(lms(levels), x, seen)
        const exact = [1, 2].map((i) => {
          const used = upTo(i + 1).map((k) => i - k)
          const [nodes, values] = [used.map((k) => at(sigmas, k)), used.map((k) => at(estimates, k))]
          const area = integral((s) => polynomial(nodes, values, s), at(sigmas, i), at(sigmas, i + 1))
          return at(levels.signal, i + 1) * (at(found, i - 1) / at(levels.signal, i) + area)
        })
        return agree(1e-8, found.slice(1), exact)
      }),
  },
  {
    number: '20.4',
    statement: 'q(x′ | x, x₀) = N(a′(1 − ρ²)·x₀ + ρ·(s′/s)·x, s′²(1 − ρ²))',
    source: 'own derivation, (6.10) on any levels',
    by: 'mean and deviation of a step of `ddpmBetween` in f64, against Bayes’ rule for x = (a/a′)·x′ + noise',
    check: () =>
      forAll(walks, async ([shares, preserving, [x = 0, x0 = 0]]) => {
        const levels = levelsAt(falling(shares), preserving)
        const [a, b, s, t] = [at(levels.signal, 0), at(levels.signal, 1), at(levels.noise, 0), at(levels.noise, 1)]
        // x = r·x′ + √(s² − r²s′²)·n: precisions add up.
        const r = a / b
        const noise = s * s - r * r * t * t
        const precision = 1 / (t * t) + (r * r) / noise
        const mean = ((b * x0) / (t * t) + (r * x) / noise) / precision
        const step = async (z: number): Promise<number> =>
          at(await walked(ddpmBetween(levels), x, [{ x0, epsilon: 0 }], z), 0)
        const [middle, above] = [await step(0), await step(1)]
        return agree(1e-10, [middle, above - middle], [mean, Math.sqrt(1 / precision)])
      }),
  },
  {
    number: '20.5',
    statement: 'x′/a′ = x̂₀ + σ_↓·ε̂ + σ_↑·z, σ_↓ = σ′²/σ, σ_↑² = σ′² − σ_↓²',
    source: 'Song et al. 2021, eq. 16',
    by: 'steps of `ddimBetween` with η = 1 in f64 between random levels of two kinds',
    check: () =>
      forAll(walks, async ([shares, preserving, [x0 = 0, epsilon = 0, z = 0]]) => {
        const levels = levelsAt(falling(shares), preserving)
        const [before, after] = [at(levels.time, 0), at(levels.time, 1)]
        const down = (after * after) / before
        const found = await walked(ddimBetween(levels, { eta: 1 }), 0, [{ x0, epsilon }], z)
        const wanted = x0 + down * epsilon + Math.sqrt(after * after - down * down) * z
        return agree(1e-10, [at(found, 0) / at(levels.signal, 1)], [wanted])
      }),
  },
  {
    number: '20.6',
    statement: 'x′ = X·x̂₀ + E·ε̂ + A·x + Σ_j K_j·kept_j + N·z',
    source: 'Butcher 1966, general linear methods',
    by: 'two steps of `dpmSolver` of the SDE in f64: what two sums of x, x̂₀ and z lead to is the sum of what they lead to apart',
    check: () =>
      forAll(walks, async ([shares, preserving, numbers]) => {
        const levels = levelsAt(falling(shares), preserving)
        const go = async (k: number): Promise<readonly number[]> => {
          const [x = 0, first = 0, second = 0, z = 0] = [0, 1, 2, 3].map((i) =>
            k < 2 ? at(numbers, 2 * i + k) : at(numbers, 2 * i) + at(numbers, 2 * i + 1),
          )
          const seen = [first, second].map((x0) => ({ x0, epsilon: 0 }))
          return walked(dpmSolver(levels, { kind: 'data-sde', lowerOrderFinal: false }), x, seen, z)
        }
        const [one, other, both] = [await go(0), await go(1), await go(2)]
        return agree(
          1e-10,
          both,
          one.map((x, i) => x + at(other, i)),
        )
      }),
  },
  {
    number: '20.7',
    statement: 'x′ = √(ᾱ′/ᾱ)·x − (ᾱ′ − ᾱ)·e / (√ᾱ·(√((1 − ᾱ′)·ᾱ) + √((1 − ᾱ)·ᾱ′)))',
    source: 'Liu et al. 2022, formula 9',
    by: 'first steps of `pndm` in f64 between random levels, with a noise that is not that of x',
    check: () =>
      forAll(walks, async ([shares, , [x = 0, e = 0, x0 = 0]]) => {
        const levels = levelsAt(falling(shares), true)
        const [a, b] = [at(levels.signal, 0) ** 2, at(levels.signal, 1) ** 2]
        const below = Math.sqrt(a) * (Math.sqrt((1 - b) * a) + Math.sqrt((1 - a) * b))
        const found = await walked(pndm(levels, { start: 'twice' }), x, [{ x0, epsilon: e }])
        return agree(1e-10, found, [Math.sqrt(b / a) * x - ((b - a) * e) / below])
      }),
  },
  {
    number: '20.8',
    statement: 'σ_i = (σ_max^(1/ρ) + i/(n − 1)·(σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ',
    source: 'Karras et al. 2022, eq. 5',
    by: '`sigmasAlong` of 2 to 40 steps, with ρ of 1, 3 and 7',
    check: () =>
      together(
        upTo(39).flatMap((k) =>
          [1, 3, 7].map((rho) => {
            const n = k + 2
            const found = sigmasAlong('karras', { steps: n, sigmaMin: 0.02, sigmaMax: 50, rho })
            const [top, bottom] = [50 ** (1 / rho), 0.02 ** (1 / rho)]
            return agree(
              1e-12,
              found,
              upTo(n).map((i) => (top + (i / (n - 1)) * (bottom - top)) ** rho),
            )
          }),
        ),
      ),
  },
  {
    number: '20.9',
    statement: 'x̂₀ ← clip(x̂₀, −r, r)/r, r = min(most, max(1, quantile(|x̂₀|)))',
    source: 'Saharia et al. 2022, section 2.3',
    by: '`thresholdEstimate` in f64 of pictures of eight numbers, against sorted numbers',
    check: () =>
      forAll(
        fc.tuple(vectors(8, -4, 4), fc.constantFrom(0.5, 0.9, 1), fc.constantFrom(1, 2, 5)),
        async ([x, ratio, most]) => {
          const sorted = x.map(Math.abs).toSorted((p, q) => p - q)
          const place = ratio * 7
          const [low, high] = [at(sorted, Math.floor(place)), at(sorted, Math.ceil(place))]
          const r = Math.min(most, Math.max(1, low + (high - low) * (place % 1)))
          const picture = tensor([[...x]], { dtype: 'f64' })
          const level = { signal: scalar(0.8, 'f64'), noise: scalar(0.6, 'f64') }
          const { x0 } = thresholdEstimate(level, picture, { x0: picture, epsilon: picture }, { ratio, most })
          return agree(
            1e-12,
            await read(x0),
            x.map((value) => Math.max(-r, Math.min(r, value)) / r),
          )
        },
      ),
  },
]
