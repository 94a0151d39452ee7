/** Distributions, with fixed keys: each statistic lies inside the range that a right generator leaves once in 10,000 keys. */
import { beforeAll, describe, expect, it } from 'vitest'
import { at, range } from '../../src/prelude/array.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import {
  bernoulli,
  bits,
  categorical,
  foldIn,
  gumbel,
  key,
  normal,
  permutation,
  randint,
  split,
  uniform,
  type Key,
} from '../../src/tensor/random.ts'
import { normalQuantile } from '../../src/tensor/random/as241.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms, values } from '../support/device.ts'

const device = cpuDevice()
const read = (x: Tensor): Promise<number[]> => values(x, device)
const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)
const mean = (xs: readonly number[]): number => sum(xs) / xs.length

/** Σ (observed − expected)² / expected over the cells. */
const chiSquare = (cells: readonly number[], probabilities: readonly number[]): number => {
  const counts = new Float64Array(probabilities.length)
  for (const c of cells) counts[c] = (counts[c] ?? NaN) + 1
  return sum(probabilities.map((p, i) => ((counts[i] ?? NaN) - p * cells.length) ** 2 / (p * cells.length)))
}
const equally = (n: number): readonly number[] => range(n).map(() => 1 / n)

/** The 99.99 % point of χ² (Wilson & Hilferty 1931). */
const chiSquareLimit = (degrees: number): number =>
  degrees * (1 - 2 / (9 * degrees) + 3.719 * Math.sqrt(2 / (9 * degrees))) ** 3

/** √n · sup |F_n − F|; its 99.99 % point is 2.225 (Kolmogorov 1933). */
const kolmogorovSmirnov = (xs: readonly number[], distribution: (x: number) => number): number => {
  const sorted = Float64Array.from(xs).toSorted()
  const n = sorted.length
  return (
    Math.sqrt(n) *
    sorted.reduce(
      (worst, x, i) => Math.max(worst, Math.abs(distribution(x) - i / n), Math.abs(distribution(x) - (i + 1) / n)),
      0,
    )
  )
}
const kolmogorovLimit = 2.225

/** Φ by the series of Marsaglia, "Evaluating the normal distribution", J. Stat. Software 11(4), 2004. */
const normalDistribution = (x: number): number => {
  if (Math.abs(x) > 7) return x < 0 ? 0 : 1
  let [total, term] = [0, x]
  for (let k = 3; Math.abs(term) > 1e-17; k += 2) [total, term] = [total + term, (term * x * x) / k]
  return 0.5 + (total * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}

const correlation = (a: readonly number[], b: readonly number[]): number => mean(a.map((x, i) => x * at(b, i)))

describe('normal', () => {
  const n = 200000
  const drawn: { z: readonly number[] } = { z: [] }
  beforeAll(async () => {
    drawn.z = await read(normal(key(2024), [n]))
  })
  const moment = (k: number): number => mean(drawn.z.map((z) => z ** k))

  it('has mean 0, variance 1, skewness 0 and kurtosis 3 within four standard errors', () => {
    expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(n))
    expect(Math.abs(moment(2) - 1)).toBeLessThan(4 * Math.sqrt(2 / n))
    expect(Math.abs(moment(3))).toBeLessThan(4 * Math.sqrt(15 / n))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(4 * Math.sqrt(96 / n))
  })

  it.each([1, 2, 3, 4])('exceeds ±%dσ as often as it should', (limit) => {
    const p = normalDistribution(-limit)
    for (const side of [1, -1])
      expect(Math.abs(drawn.z.filter((z) => side * z > limit).length - n * p)).toBeLessThan(4 * Math.sqrt(n * p))
  })

  it('follows Φ: Kolmogorov–Smirnov over 200,000 numbers', () => {
    expect(kolmogorovSmirnov(drawn.z, normalDistribution)).toBeLessThan(kolmogorovLimit)
  })

  it('fills 100 cells of equal probability equally', () => {
    const edges = range(99).map((i) => normalQuantile((i + 1) / 100))
    expect(
      chiSquare(
        drawn.z.map((z) => edges.filter((e) => e <= z).length),
        equally(100),
      ),
    ).toBeLessThan(chiSquareLimit(99))
  })

  it('has neighbours that are independent, inside a block and across blocks', () => {
    for (const lag of [1, 2, 3, 64])
      expect(Math.abs(correlation(drawn.z.slice(lag), drawn.z))).toBeLessThan(4 / Math.sqrt(n - lag))
  })
})

describe('streams of related keys', () => {
  const n = 40000
  const related: readonly (readonly [string, (parent: Key) => readonly [Key, Key]])[] = [
    ['two children of a split', (parent) => split(parent)],
    ['parent and child', (parent) => [parent, split(parent)[0]]],
    ['parent and folded child', (parent) => [parent, foldIn(parent, 0)]],
    ['children of neighbouring numbers', (parent) => [foldIn(parent, 7), foldIn(parent, 8)]],
    ['children of similar names', (parent) => [foldIn(parent, 'conv1'), foldIn(parent, 'conv2')]],
    ['neighbouring seeds', () => [key(100), key(101)]],
  ]

  it.each(related)(
    '%s are independent: no correlation, and half of the bits agree at every place of the word',
    async (_, pair) => {
      const [a, b] = pair(key(11))
      expect(Math.abs(correlation(await read(normal(a, [n])), await read(normal(b, [n]))))).toBeLessThan(
        4 / Math.sqrt(n),
      )
      const [x, y] = [await read(bits(a, [n])), await read(bits(b, [n]))]
      const agreeing = range(32).map((bit) => x.filter((w, i) => (((w ^ at(y, i)) >>> bit) & 1) === 0).length)
      for (const count of agreeing) expect(Math.abs(count - n / 2)).toBeLessThan(4.5 * Math.sqrt(n / 4))
    },
  )
})

describe('uniform', () => {
  it('gives multiples of 2^-24 in [0, 1): the upper 24 bits of the words', async () => {
    const words = await read(bits(key(4), [1000]))
    expect(await read(uniform(key(4), [1000]))).toEqual(words.map((w) => (w >>> 8) * 2 ** -24))
  })

  it('is uniform: χ² over 256 cells, pairs over 16 × 16 cells, Kolmogorov–Smirnov', async () => {
    const u = await read(uniform(key(5), [200000]))
    expect(
      chiSquare(
        u.map((x) => Math.floor(x * 256)),
        equally(256),
      ),
    ).toBeLessThan(chiSquareLimit(255))
    const pairs = range(100000).map((i) => Math.floor(at(u, 2 * i) * 16) * 16 + Math.floor(at(u, 2 * i + 1) * 16))
    expect(chiSquare(pairs, equally(256))).toBeLessThan(chiSquareLimit(255))
    expect(kolmogorovSmirnov(u, (x) => x)).toBeLessThan(kolmogorovLimit)
  })

  it.each([
    [-1, 1],
    [-0.0361, 0.0361],
    [5, 6],
    [-3, -2.5],
    [1e-6, 1e-3],
    [-1000, 70000],
  ])('over [%d, %d) stays inside and follows the straight line', async (low, high) => {
    const u = await read(uniform(key(6), [20000], { low, high }))
    expect(u.every((x) => x >= low && x < high && x === Math.fround(x))).toBe(true)
    expect(kolmogorovSmirnov(u, (x) => (x - low) / (high - low))).toBeLessThan(kolmogorovLimit)
  })

  it('never returns high in f16, and holds the numbers of f32 in f64', async () => {
    const halves = await read(uniform(key(7), [20000], { dtype: 'f16' }))
    expect(halves.every((x) => x >= 0 && x < 1 && Number.isInteger(x * 2 ** 11))).toBe(true)
    expect(Math.max(...halves)).toBe(1 - 2 ** -11)
    expect(await read(uniform(key(7), [100], { dtype: 'f64' }))).toEqual(await read(uniform(key(7), [100])))
  })

  it('refuses an empty interval, one that is not finite, and dtypes that are no floats', () => {
    expect(() => uniform(key(0), [1], { low: 1, high: 1 })).toThrow(/uniform: \[1, 1\) is not a finite interval/)
    expect(() => uniform(key(0), [1], { high: Infinity })).toThrow(RangeError)
    expect(() => uniform(key(0), [1], { low: 1 + 2 ** -40, high: 1 + 2 ** -39 })).toThrow(/holds no f32 number/)
    expect(() => uniform(key(0), [1], { dtype: 'i32' })).toThrow(/i32 is not a float; use randint/)
  })
})

describe.each(cpuForms)('randint on cpu, %s', (_, open) => {
  it.each([
    [0, 10],
    [-5, 995],
    [3, 4],
    [0, 65536],
    [0, 65537],
    [7, 1048584],
    [-(2 ** 31), 2 ** 31 - 1],
    [-(2 ** 31), 2 ** 31],
  ])('in [%d, %d) is low + ⌊word · n / 2³²⌋ exactly', async (low, high) => {
    const d = open()
    const words = await values(bits(key(8), [501]), d)
    const expected = words.map((w) => low + Number((BigInt(w) * BigInt(high - low)) >> 32n))
    expect(await values(randint(key(8), [501], low, high), d)).toEqual(expected)
  })
})

describe('randint', () => {
  it.each([
    [100, 100],
    [1000, 1000],
    [3 * 2 ** 29, 128],
  ])('below %d fills %d cells equally', async (n, cells) => {
    const x = await read(randint(key(9), [200000], 0, n))
    expect(
      chiSquare(
        x.map((i) => Math.floor((i * cells) / n)),
        equally(cells),
      ),
    ).toBeLessThan(chiSquareLimit(cells - 1))
  })

  it.each([
    [0, 0],
    [5, 4],
    [0, 1.5],
    [0, 2 ** 32],
  ])('refuses the range [%d, %d)', (low, high) => {
    expect(() => randint(key(0), [1], low, high)).toThrow(/is not a non-empty range of 32-bit integers/)
  })
})

describe('bernoulli', () => {
  it.each([0.001, 0.1, 0.5, 0.9])('is true with probability %d', async (p) => {
    const count = sum(await read(bernoulli(key(10), p, [100000])))
    expect(Math.abs(count - 100000 * p)).toBeLessThan(4 * Math.sqrt(100000 * p * (1 - p)))
  })

  it('is never true for 0 and always for 1, as numbers and as tensors', async () => {
    for (const [p, count] of [
      [0, 0],
      [1, 5000],
    ] as const) {
      expect(sum(await read(bernoulli(key(11), p, [5000])))).toBe(count)
      expect(sum(await read(bernoulli(key(11), scalar(p), [5000])))).toBe(count)
    }
  })

  it('takes a probability for each row', async () => {
    const coins = await read(bernoulli(key(12), tensor([[0.2], [0.7]]), [2, 50000]))
    expect(Math.abs(sum(coins.slice(0, 50000)) - 10000)).toBeLessThan(4 * Math.sqrt(8000))
    expect(Math.abs(sum(coins.slice(50000)) - 35000)).toBeLessThan(4 * Math.sqrt(10500))
  })

  it('refuses what is no probability', () => {
    expect(() => bernoulli(key(0), 1.5, [1])).toThrow(/bernoulli: p 1.5 is not a probability/)
    expect(() => bernoulli(key(0), NaN, [1])).toThrow(RangeError)
  })
})

describe('permutation', () => {
  it.each([1, 2, 17, 1000])('of %d numbers holds each once', async (n) => {
    const p = await read(permutation(key(13), n))
    expect(p.toSorted((a, b) => a - b)).toEqual(range(n))
  })

  it('gives each of the 24 orders of four numbers equally often', async () => {
    const draw = device.compile((k: Key, i: Tensor) => permutation(foldIn(k, i), 4))
    const orders: string[] = []
    for (const i of range(2400)) orders.push((await read(await draw(key(14), scalar(i, 'u32')))).join())
    const distinct = [...new Set(orders)]
    expect(distinct.length).toBe(24)
    expect(
      chiSquare(
        orders.map((o) => distinct.indexOf(o)),
        equally(24),
      ),
    ).toBeLessThan(chiSquareLimit(23))
  })
})

describe('gumbel', () => {
  it('follows exp(−exp(−x)), with mean γ and variance π² / 6', async () => {
    const n = 100000
    const g = await read(gumbel(key(15), [n]))
    expect(kolmogorovSmirnov(g, (x) => Math.exp(-Math.exp(-x)))).toBeLessThan(kolmogorovLimit)
    const variance = Math.PI ** 2 / 6
    expect(Math.abs(mean(g) - 0.5772156649)).toBeLessThan(4 * Math.sqrt(variance / n))
    // the kurtosis of a Gumbel number is 5.4
    expect(Math.abs(mean(g.map((x) => (x - 0.5772156649) ** 2)) - variance)).toBeLessThan(
      4 * variance * Math.sqrt(4.4 / n),
    )
  })
})

describe('categorical', () => {
  it('chooses with the probabilities of the softmax', async () => {
    const probabilities = [0.05, 0.5, 0.15, 0.3]
    const logits = tensor(probabilities.map((p) => Math.log(p) + 3)).broadcastTo([60000, 4])
    const chosen = await read(categorical(key(16), logits))
    expect(chiSquare(chosen, probabilities)).toBeLessThan(chiSquareLimit(3))
  })

  it('never chooses a category of logit −∞, and keeps the leading axes', async () => {
    const logits = tensor([-Infinity, 0, -Infinity, 0]).broadcastTo([20, 50, 4])
    const chosen = categorical(key(17), logits)
    expect(chosen.shape).toEqual([20, 50])
    expect(new Set(await read(chosen))).toEqual(new Set([1, 3]))
  })

  it('refuses logits that are no floats', () => {
    expect(() => categorical(key(0), tensor([1, 2], { dtype: 'i32' }))).toThrow(
      /categorical: takes float logits, got i32/,
    )
  })
})
