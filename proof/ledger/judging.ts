/** Equations of chapter 17: the scores of the judge, each against the printed formula in plain numbers. */
import fc from 'fast-check'
import { gaussianPictures } from '../../src/evaluation/anchors.ts'
import { likeness } from '../../src/data/likeness/likeness.ts'
import { seas } from '../../src/data/seas/index.ts'
import { copiesAmong, originalsOf } from '../../src/evaluation/copies.ts'
import { whitening } from '../../src/evaluation/features/whitening.ts'
import { hostNormal } from '../../src/evaluation/normal.ts'
import { holm, permutationP } from '../../src/evaluation/permutations.ts'
import { rowsOf } from '../../src/evaluation/rows.ts'
import { wasserstein1 } from '../../src/evaluation/scenes/wasserstein.ts'
import { fisherP } from '../../src/evaluation/scores/fisher.ts'
import { manifold } from '../../src/evaluation/scores/manifold.ts'
import { cubicKernel, kernelDistance } from '../../src/evaluation/scores/mmd.ts'
import { neighboursOf } from '../../src/evaluation/scores/neighbours.ts'
import { hostFold } from '../../src/prelude/threefry.ts'
import { agree, at, dot, forAll, holds, real, sum, together, upTo, vectors, type Equation } from './equation.ts'

const kernel = (x: readonly number[], y: readonly number[]): number => (dot(x, y) / x.length + 1) ** 3

/** Some points of three numbers. */
const points = (n: number): fc.Arbitrary<readonly (readonly number[])[]> =>
  fc.array(vectors(3), { minLength: n, maxLength: n })

const pairs = (n: number): readonly (readonly [number, number])[] =>
  upTo(n).flatMap((i) => upTo(n).flatMap((j) => (i === j ? [] : [[i, j] as const])))

const distance = (x: readonly number[], y: readonly number[]): number => Math.hypot(...x.map((v, k) => v - at(y, k)))

/** The distance of each point to its k-th other. */
const radii = (xs: readonly (readonly number[])[], k: number): readonly number[] =>
  xs.map((x, i) =>
    at(
      xs
        .filter((_, j) => j !== i)
        .map((y) => distance(x, y))
        .toSorted((a, b) => a - b),
      k - 1,
    ),
  )

/** 1 where y lies in the ball around the i-th x. */
const inBall = (
  xs: readonly (readonly number[])[],
  radius: readonly number[],
  i: number,
  y: readonly number[],
): number => (distance(xs[i] ?? [], y) < at(radius, i) ? 1 : 0)

/** L·Lᵀ = A, written out for two dimensions. */
const rootOf = ([a, b, c]: readonly [number, number, number]): readonly [number, number, number] => {
  const first = Math.sqrt(a)
  return [first, b / first, Math.sqrt(c - (b / first) ** 2)]
}

const choose = (n: number, k: number): number =>
  k < 0 || k > n ? 0 : upTo(k).reduce((product, i) => (product * (n - i)) / (i + 1), 1)

/** The entries. */
export const judging: readonly Equation[] = [
  {
    number: '17.1',
    statement: 'x′ = L⁻¹·D⁻¹(x − μ), L·Lᵀ = C + ½·I',
    source: 'own derivation',
    by: '`whitening` of pairs of numbers, against the root of a 2×2 matrix written out',
    check: () =>
      forAll(fc.array(vectors(2), { minLength: 6, maxLength: 12 }), (xs) => {
        const columns = [0, 1].map((k) => xs.map((x) => at(x, k)))
        const [mean, deviation] = [
          columns.map((c) => sum(c) / c.length),
          columns.map((c) => Math.sqrt(sum(c.map((v) => (v - sum(c) / c.length) ** 2)) / c.length)),
        ]
        if (Math.min(...deviation) < 0.01) return together([])
        const standard = xs.map((x) => x.map((v, k) => (v - at(mean, k)) / at(deviation, k)))
        const c = sum(standard.map(([a = 0, b = 0]) => a * b)) / xs.length
        const [l, m, n] = rootOf([1.5, c, 1.5])
        const expected = standard.map(([a = 0, b = 0]) => [a / l, (b - (m * a) / l) / n])
        return agree(1e-9, whitening(rowsOf(xs))(rowsOf(xs)).white.values, expected.flat())
      }),
  },
  {
    number: '17.2',
    statement: 'k(x, y) = (⟨x, y⟩/d + 1)³',
    source: 'Bińkowski et al. 2018, section 4',
    by: '`cubicKernel` of all pairs of points',
    check: () =>
      forAll(points(4), (xs) =>
        agree(
          1e-12,
          cubicKernel(rowsOf(xs)).values,
          xs.flatMap((x) => xs.map((y) => kernel(x, y))),
        ),
      ),
  },
  {
    number: '17.3',
    statement: 'MMD² = Σ_{i≠j} k(xᵢ, xⱼ)/m(m−1) + Σ_{i≠j} k(yᵢ, yⱼ)/n(n−1) − 2·Σᵢⱼ k(xᵢ, yⱼ)/mn',
    source: 'Gretton et al. 2012, eq. 3',
    by: '`kernelDistance` of samples of five and four points, against the three sums',
    check: () =>
      forAll(fc.tuple(points(5), points(4)), ([xs, ys]) => {
        const own = (zs: readonly (readonly number[])[]): number =>
          sum(pairs(zs.length).map(([i, j]) => kernel(zs[i] ?? [], zs[j] ?? []))) / (zs.length * (zs.length - 1))
        const across = sum(xs.flatMap((x) => ys.map((y) => kernel(x, y)))) / 20
        return agree(1e-9, [kernelDistance(rowsOf(xs), rowsOf(ys), []).value], [own(xs) + own(ys) - 2 * across])
      }),
  },
  {
    number: '17.4',
    statement: 'p = (1 + #{T_π ≥ T})/(1 + #π)',
    source: 'Phipson and Smyth 2010, eq. 2',
    by: '`permutationP` of random statistics',
    check: () =>
      forAll(fc.tuple(real(), vectors(9)), ([observed, others]) =>
        agree(1e-14, [permutationP(observed, others)], [(1 + others.filter((t) => t >= observed).length) / 10]),
      ),
  },
  {
    number: '17.5',
    statement: 'p̃₍ᵢ₎ = max_{j≤i} min(1, (m − j + 1)·p₍ⱼ₎)',
    source: 'Holm 1979',
    by: '`holm` of sorted p-values',
    check: () =>
      forAll(vectors(6, 0, 1), (ps) => {
        const sorted = ps.toSorted((a, b) => a - b)
        const expected = sorted.map((_, i) => Math.max(...upTo(i + 1).map((j) => Math.min(1, (6 - j) * at(sorted, j)))))
        return agree(1e-14, holm(sorted), expected)
      }),
  },
  {
    number: '17.6',
    statement: 'density = (1/kM)·Σⱼ Σᵢ 1[yⱼ ∈ B(xᵢ, NND_k(xᵢ))]',
    source: 'Naeem et al. 2020, eq. 4',
    by: '`manifold` of eight points and six, k = 3',
    check: () =>
      forAll(fc.tuple(points(8), points(6)), ([xs, ys]) => {
        const radius = radii(xs, 3)
        const found = manifold(neighboursOf(rowsOf(xs), rowsOf(ys)), [], 3).density
        return agree(1e-12, [found], [sum(ys.flatMap((y) => upTo(8).map((i) => inBall(xs, radius, i, y)))) / (3 * 6)])
      }),
  },
  {
    number: '17.7',
    statement: 'coverage = (1/N)·Σᵢ 1[∃j: yⱼ ∈ B(xᵢ, NND_k(xᵢ))]',
    source: 'Naeem et al. 2020, eq. 5',
    by: '`manifold` of eight points and six, k = 2',
    check: () =>
      forAll(fc.tuple(points(8), points(6)), ([xs, ys]) => {
        const radius = radii(xs, 2)
        const met = upTo(8).filter((i) => ys.some((y) => inBall(xs, radius, i, y) === 1)).length
        return agree(1e-12, [manifold(neighboursOf(rowsOf(xs), rowsOf(ys)), [], 2).coverage], [met / 8])
      }),
  },
  {
    number: '17.8',
    statement: 'W₁ = ∫ |F(x) − G(x)| dx',
    source: 'Vallender 1974',
    by: '`wasserstein1`, against a sum over a fine grid of the two distributions counted out',
    check: () =>
      forAll(fc.tuple(vectors(5), vectors(7)), ([xs, ys]) => {
        const share = (values: readonly number[], x: number): number =>
          values.filter((v) => v <= x).length / values.length
        const steps = 4096 // of the interval [−2, 2], in which the values lie on a grid sixteen times as fine
        const integral = sum(
          upTo(steps)
            .map((i) => -2 + (4 * (i + 0.5)) / steps)
            .map((x) => (Math.abs(share(xs, x) - share(ys, x)) * 4) / steps),
        )
        return agree(5e-3, [wasserstein1(xs, ys)], [integral])
      }),
  },
  {
    number: '17.9',
    statement: 'r = d₁/min{dⱼ: gⱼ ≠ g₁} < ⅓',
    source: 'after Yoon et al. 2023',
    by: '`copiesAmong` of mixtures of two seas, among twelve in four groups, against all distances; both answers come',
    check: async () => {
      const { image } = seas({ seed: 6, size: 16 })
      const shape = { height: 16, width: 16, channels: 3 }
      const groups = upTo(12).map((i) => i % 4)
      const originals = originalsOf({ ...shape, pictures: upTo(12).map(image), groups })
      const answers = new Set<boolean>()
      const outcome = await forAll(fc.tuple(fc.nat(11), fc.nat(11), real(0, 0.5)), ([i, j, part]) => {
        const other = image(j)
        const mixed = image(i).map((byte, n) => (1 - part) * byte + part * at(other, n))
        const distances = upTo(12).map((n) => likeness(mixed, image(n), shape))
        const nearest = distances.indexOf(Math.min(...distances))
        const next = Math.min(...distances.filter((_, n) => at(groups, n) !== at(groups, nearest)))
        const [found] = copiesAmong(originals, { ...shape, pictures: [mixed] })
        answers.add(found?.copy === true)
        return together([
          agree(1e-12, [found?.ratio ?? NaN], [at(distances, nearest) / next]),
          holds(found?.copy === at(distances, nearest) < next / 3, 'copiesAmong says what the distances say'),
        ])
      })
      return together([outcome, holds(answers.size === 2, 'some are copies and some are not')])
    },
  },
  {
    number: '17.10',
    statement: 'p = Σ_{i≥a} C(n, i)·C(m, a+b−i)/C(n+m, a+b)',
    source: 'Fisher 1935',
    by: '`fisherP` of small counts, against binomial coefficients multiplied out',
    check: () =>
      forAll(
        fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), real(0, 1), real(0, 1)),
        ([n, m, u, v]) => {
          const [a, b] = [Math.round(u * n), Math.round(v * m)]
          const terms = upTo(n + 1)
            .filter((i) => i >= a)
            .map((i) => (choose(n, i) * choose(m, a + b - i)) / choose(n + m, a + b))
          return agree(1e-12, [fisherP({ found: a, all: n }, { found: b, all: m })], [sum(terms)])
        },
      ),
  },
  {
    number: '17.11',
    statement: 'x = μ + (1/√N)·Σᵢ zᵢ·(xᵢ − μ)',
    source: 'own derivation',
    by: '`gaussianPictures` of three pictures, against the sum with the same normal numbers, to a byte',
    check: () =>
      forAll(vectors(9, 60, 190), (values) => {
        const bytes = upTo(3).map((i) => Uint8Array.from(values.slice(3 * i, 3 * i + 3)))
        const set = { height: 1, width: 1, channels: 3, pictures: bytes }
        const key = [0, 5] as const
        const z = upTo(3).map((i) => hostNormal(hostFold(key, 0), i))
        const expected = upTo(3).map((p) => {
          const mu = sum(bytes.map((picture) => at(picture, p))) / 3
          const x = mu + sum(bytes.map((picture, i) => at(z, i) * (at(picture, p) - mu))) / Math.sqrt(3)
          return Math.round(Math.min(255, Math.max(0, x)))
        })
        return agree(0, gaussianPictures(set, 1, key).pictures[0] ?? [], expected)
      }),
  },
]
