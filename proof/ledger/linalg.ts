/** Equations of chapter 28: factors and systems, and their derivatives, in matrices of two rows. */
import { vjp } from '../../src/autograd/grad.ts'
import { tensor } from '../../src/tensor/create.ts'
import { cholesky, qr, slogDet, solve } from '../../src/tensor/linalg/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, slope, sum, together, vectors, type Equation } from './equation.ts'

/** Two rows of two, row-major. */
type Two = readonly number[]

const f64 = (x: Two): Tensor => tensor([...x], { dtype: 'f64' }).reshape([2, 2])

const entry = (x: Two, i: number, j: number): number => at(x, 2 * i + j)

const made = (f: (i: number, j: number) => number): Two => [f(0, 0), f(0, 1), f(1, 0), f(1, 1)]

const transposed = (x: Two): Two => made((i, j) => entry(x, j, i))

const times = (x: Two, ...rest: readonly Two[]): Two =>
  rest.reduce((a, b) => made((i, j) => sum([0, 1].map((k) => entry(a, i, k) * entry(b, k, j)))), x)

const plus = (x: Two, y: Two): Two => made((i, j) => entry(x, i, j) + entry(y, i, j))

const scaled = (x: Two, by: number): Two => x.map((v) => by * v)

const inverted = (x: Two): Two => {
  const [a = NaN, b = NaN, c = NaN, d = NaN] = x
  return scaled([d, -b, -c, a], 1 / (a * d - b * c))
}

/** A matrix that is far from singular. */
const solid = (x: Two): Two => plus(x, [5, 0, 0, 5])

/** Positive definite. */
const positive = (x: Two): Two => plus(times(x, transposed(x)), [1, 0, 0, 1])

/** The cotangent of the argument. */
const pulled = async (f: (a: Tensor) => unknown, a: Two, cotangent: unknown): Promise<Two> => {
  const { pullback } = vjp(f, f64(a))
  return read(pullback(cotangent)[0])
}

/** The lower triangle with the diagonal times `by`. */
const lower = (x: Two, by: number): Two => made((i, j) => (i > j ? entry(x, i, j) : i === j ? by * entry(x, i, j) : 0))

/** The equations of the chapter. */
export const linearAlgebra: readonly Equation[] = [
  {
    number: '28.1',
    statement: 'l = s₁/√s₁₁, S ← S − l·lᵀ',
    source: 'Golub & Van Loan 2013, section 4.2.5',
    by: '`cholesky` of two rows, column after column in plain numbers',
    check: () =>
      forAll(vectors(4), async (x) => {
        const s = positive(x)
        const l = [entry(s, 0, 0), entry(s, 1, 0)].map((v) => v / Math.sqrt(entry(s, 0, 0)))
        const rest = entry(s, 1, 1) - at(l, 1) ** 2
        return agree(1e-12, await read(cholesky(f64(s))), [at(l, 0), 0, at(l, 1), rest / Math.sqrt(rest)])
      }),
  },
  {
    number: '28.2',
    statement: 'Ā = ½(W + Wᵀ), W = L⁻ᵀ·Φ(Lᵀ·L̄)·L⁻¹',
    source: 'Murray 2016, eq. 10',
    by: 'the pullback of `cholesky` at random cotangents',
    check: () =>
      forAll(vectors(8), async (x) => {
        const [a, bar] = [positive(x.slice(0, 4)), x.slice(4)]
        const l = await read(cholesky(f64(a)))
        const back = inverted(transposed(l))
        const w = times(back, lower(times(transposed(l), lower(bar, 1)), 0.5), inverted(l))
        const expected = scaled(plus(w, transposed(w)), 0.5)
        return agree(1e-10, await pulled(cholesky, a, f64(lower(bar, 1))), expected)
      }),
  },
  {
    number: '28.3',
    statement: 'B̄ = A⁻ᵀ·X̄, Ā = −B̄·Xᵀ',
    source: 'Giles 2008, section 2.2.3',
    by: 'the pullback of `solve` in both arguments',
    check: () =>
      forAll(vectors(12), async (x) => {
        const [a, b, bar] = [solid(x.slice(0, 4)), x.slice(4, 8), x.slice(8)]
        const { pullback } = vjp(solve, f64(a), f64(b))
        const [inA, inB] = pullback(f64(bar))
        const back = times(inverted(transposed(a)), bar)
        const solution = times(inverted(a), b)
        return together([
          agree(1e-10, await read(inB), back),
          agree(1e-10, await read(inA), scaled(times(back, transposed(solution)), -1)),
        ])
      }),
  },
  {
    number: '28.4',
    statement: 'd log|det A| = tr(A⁻¹·dA)',
    source: 'Giles 2008, section 2.2.4',
    by: 'the gradient of `slogDet` along random directions, against the slope of the logarithm and the trace',
    check: () =>
      forAll(vectors(8), async (x) => {
        const [a, d] = [solid(x.slice(0, 4)), x.slice(4)]
        const gradient = await pulled((m) => slogDet(m).logAbs, a, tensor(1, { dtype: 'f64' }))
        const along = (t: number): number => {
          const m = plus(a, scaled(d, t))
          return Math.log(Math.abs(at(m, 0) * at(m, 3) - at(m, 1) * at(m, 2)))
        }
        const product = times(inverted(a), d)
        return together([
          agree(1e-8, [dot(gradient, d)], [slope(along, 0)]),
          agree(1e-11, [dot(gradient, d)], [at(product, 0) + at(product, 3)]),
        ])
      }),
  },
  {
    number: '28.5',
    statement: 'H = I − τ·v·vᵀ, H·x = β·e₁, β = −sign(x₁)·‖x‖',
    source: 'Golub & Van Loan 2013, section 5.1',
    by: 'the first column of Q and of R of `qr` against the reflection of the first column',
    check: () =>
      forAll(vectors(4, 0.1, 2), async (x) => {
        const { q, r } = qr(f64(x))
        const column = [entry(x, 0, 0), entry(x, 1, 0)]
        const beta = -Math.hypot(...column)
        const v = [at(column, 0) - beta, at(column, 1)]
        const tau = 2 / dot(v, v)
        const first = [1, 0].map((e, i) => e - tau * at(v, i) * at(v, 0)) // H·e₁
        const [factors, triangle] = [await read(q), await read(r)]
        return together([
          agree(1e-12, [at(triangle, 0), at(triangle, 2)], [beta, 0]),
          agree(1e-12, [at(factors, 0), at(factors, 2)], first),
        ])
      }),
  },
  {
    number: '28.6',
    statement: 'Ā = (Q̄ + Q·copyltu(M))·R⁻ᵀ, M = R·R̄ᵀ − Q̄ᵀ·Q',
    source: 'Seeger et al. 2017, section 4.1',
    by: 'the pullback of `qr` at random cotangents of both factors',
    check: () =>
      forAll(vectors(12), async (x) => {
        const [a, qBar, full] = [solid(x.slice(0, 4)), x.slice(4, 8), x.slice(8)]
        const rBar = transposed(lower(transposed(full), 1))
        const factors = qr(f64(a))
        const [q, r] = [await read(factors.q), await read(factors.r)]
        const m = plus(times(r, transposed(rBar)), scaled(times(transposed(qBar), q), -1))
        const copied = plus(lower(m, 1), transposed(lower(m, 0)))
        const expected = times(plus(qBar, times(q, copied)), inverted(transposed(r)))
        return agree(1e-10, await pulled(qr, a, { q: f64(qBar), r: f64(rBar) }), expected)
      }),
  },
]
