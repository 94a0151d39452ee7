/** Equations of chapter 3: the cipher, uniform and normal numbers, choices. */
import fc from 'fast-check'
import { threefry2x32 as onHost } from '../../src/prelude/threefry.ts'
import { argsort } from '../../src/tensor/combine.ts'
import { tensor } from '../../src/tensor/create.ts'
import {
  bernoulli,
  categorical,
  gumbel,
  key,
  normal,
  normalFromBits,
  permutation,
  randint,
  uniform,
} from '../../src/tensor/random.ts'
import { gumbelFromBits } from '../../src/tensor/random/categorical.ts'
import { threefry2x32 } from '../../src/tensor/random/threefry.ts'
import { bits } from '../../src/tensor/random/uniform.ts'
import {
  agree,
  at,
  forAll,
  holds,
  integral,
  read,
  sum,
  together,
  upTo,
  vectors,
  type Equation,
  type Outcome,
} from './equation.ts'

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const seeds = fc.integer({ min: 0, max: 2 ** 50 })
const two32 = 2n ** 32n

/** Threefry-2x32-20 in integers without bounds, round by round as the page prints it. */
const cipher = (k: readonly [number, number], counter: readonly [number, number]): readonly number[] => {
  const [k0, k1] = [BigInt(k[0]), BigInt(k[1])]
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bdan]
  const add = (a: bigint, b: bigint): bigint => (a + b) % two32
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n]
  let [x0, x1] = [add(BigInt(counter[0]), k0), add(BigInt(counter[1]), k1)]
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8] ?? 0n
    x0 = add(x0, x1)
    x1 = (((x1 * 2n ** r) % two32) | (x1 / 2n ** (32n - r))) ^ x0
    if (round % 4 !== 3) continue
    const j = (round + 1) / 4
    x0 = add(x0, keys[j % 3] ?? 0n)
    x1 = add(x1, add(keys[(j + 1) % 3] ?? 0n, BigInt(j)))
  }
  return [Number(x0), Number(x1)]
}

/** Random123's known answers for threefry2x32 with 20 rounds: counter, key, result. */
const knownAnswers = [
  [
    [0, 0],
    [0, 0],
    [0x6b200159, 0x99ba4efe],
  ],
  [
    [0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x1cb996fc, 0xbb002be7],
  ],
  [
    [0x243f6a88, 0x85a308d3],
    [0x13198a2e, 0x03707344],
    [0xc4923a9c, 0x483df7a0],
  ],
] as const

const inGraph = async (
  k: readonly [number, number],
  [high, low]: readonly [number, number],
): Promise<readonly number[]> => {
  const words = threefry2x32(tensor(Uint32Array.from(k)), high, tensor(Uint32Array.of(low)))
  return (await Promise.all(words.map(read))).flat()
}

const bothAgree = (): Promise<Outcome> =>
  forAll(fc.tuple(fc.tuple(word, word), fc.tuple(word, word)), async ([k, counter]) => {
    const expected = cipher(k, counter)
    return together([agree(0, await inGraph(k, counter), expected), agree(0, onHost(k, counter), expected)])
  })

/** 1 − Φ(z) for z ≥ 0: its continued fraction in the tail, Simpson's rule in the middle. */
const upperTail = (z: number): number => {
  const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  if (z < 3) return 0.5 - integral(density, 0, z, 600)
  let fraction = z
  for (let n = 200; n >= 1; n--) fraction = z + n / fraction
  return density(z) / fraction
}

/** Φ⁻¹(q/2³²) by bisection, for q below 2³¹; negative. Shares nothing with AS 241. */
const quantile = (q: number): number => {
  let [low, high] = [0, 7]
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if (upperTail(middle) > q / 2 ** 32) low = middle
    else high = middle
  }
  return -(low + high) / 2
}

/** Odd numbers q below 2³¹, in every octave. */
const tailPlaces = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }))
  .map(([octave, place]) => Math.floor(2 ** octave * (1 + place)) | 1)
  .filter((q) => q < 2 ** 31)

/** The first word of the pair that is u = q/2³². */
const wordOf = (q: number): number => q - 1

const integers: readonly Equation[] = [
  {
    number: '3.1',
    statement: 'x₀ ← x₀ + x₁ mod 2³², x₁ ← (x₁ ⋘ R) ⊕ x₀',
    source: 'Salmon et al. 2011, section 4',
    by: 'the cipher in the graph and on the host against twenty such rounds in integers without bounds',
    check: bothAgree,
  },
  {
    number: '3.2',
    statement: 'x₀ ← x₀ + k_{j mod 3}, x₁ ← x₁ + k_{(j+1) mod 3} + j mod 2³², k₂ = k₀ ⊕ k₁ ⊕ 1BD11BDA₁₆',
    source: 'Salmon et al. 2011, section 4',
    by: "Random123's known answers, which a wrong injection or constant misses, in the graph and on the host",
    check: async () => {
      const outcomes = knownAnswers.map(async ([counter, k, answer]) =>
        together([
          agree(0, await inGraph(k, counter), answer),
          agree(0, onHost(k, counter), answer),
          agree(0, cipher(k, counter), answer),
        ]),
      )
      return together(await Promise.all(outcomes))
    },
  },
  {
    number: '3.3',
    statement: 'u = ⌊word / 2⁸⌋ · 2⁻²⁴',
    source: 'definition',
    by: '`uniform` against `bits` of the same key, exactly',
    check: () =>
      forAll(seeds, async (seed) => {
        const words = await read(bits(key(seed), [50]))
        return agree(
          0,
          await read(uniform(key(seed), [50])),
          words.map((w) => Math.floor(w / 256) * 2 ** -24),
        )
      }),
  },
  {
    number: '3.4',
    statement: 'k = ⌊word · n / 2³²⌋, |P(k)·n − 1| ≤ n/2³² for each of the n values',
    source: 'Lemire 2019, section 3',
    by: '`randint` against products in integers without bounds; the words that give a value, counted exactly',
    check: () =>
      forAll(fc.tuple(seeds, fc.integer({ min: 1, max: 2 ** 32 - 1 })), async ([seed, n]) => {
        const low = -Math.floor(n / 2)
        const words = await read(bits(key(seed), [20]))
        const value = (w: number): bigint => (BigInt(w) * BigInt(n)) / two32
        const ceil = (k: bigint): bigint => (k * two32 + BigInt(n) - 1n) / BigInt(n) // the first word of value k
        const shares = [0, 1, Math.floor(n / 2), n - 1]
          .filter((k) => k < n)
          .map((k) => Number(ceil(BigInt(k) + 1n) - ceil(BigInt(k))) / 2 ** 32)
        return together([
          agree(
            0,
            await read(randint(key(seed), [20], low, low + n)),
            words.map((w) => low + Number(value(w))),
          ),
          holds(
            shares.every((p) => Math.abs(p * n - 1) <= (n / 2 ** 32) * (1 + 1e-12)),
            'the bias is within n/2³²',
          ),
        ])
      }),
  },
]

const quantiles: readonly Equation[] = [
  {
    number: '3.5',
    statement: 'z = Φ⁻¹(u), u = (2k + 1)/2³²',
    source: 'Wichura 1988, algorithm AS 241, for Φ⁻¹',
    by: '`normal` against Φ⁻¹ by bisection of an integral and a continued fraction, at the k of its `bits`',
    check: () =>
      forAll(
        seeds,
        async (seed) => {
          const words = await read(bits(key(seed), [30]))
          const expected = words.map((w) => {
            const q = 2 * Math.floor(w / 2) + 1
            return q < 2 ** 31 ? quantile(q) : -quantile(2 ** 32 - q)
          })
          return agree(2 ** -18.5, await read(normal(key(seed), [30])), expected)
        },
        5,
      ),
  },
  {
    number: '3.6',
    statement: 'z(1 − u) = −z(u)',
    source: 'own derivation',
    by: 'words w and 2³² − 1 − w, exactly, and both words of a pair',
    check: () =>
      forAll(
        word,
        (w) =>
          together([
            agree(0, [normalFromBits(2 ** 32 - 1 - w)], [-normalFromBits(w)]),
            agree(0, [normalFromBits((w ^ 1) >>> 0)], [normalFromBits(w)]),
          ]),
        200,
      ),
  },
  {
    number: '3.7',
    statement: '|z| · 2²¹ < 2²⁴',
    source: 'own derivation',
    by: 'the smallest and the largest possible z, and that z is a multiple of 2⁻²¹ and rises with the word',
    check: async () => {
      const ends = [normalFromBits(0), normalFromBits(2 ** 32 - 1)]
      return together([
        holds(
          ends.every((z) => Math.abs(z) * 2 ** 21 < 2 ** 24),
          'the ends fit 24 bits',
        ),
        holds(
          upTo(100).some((i) => !Number.isInteger(normalFromBits(i * 2 ** 25) * 2 ** 20)),
          'no coarser than 2⁻²¹',
        ),
        await forAll(
          fc.tuple(word, word),
          ([a, b]) => {
            const [z, y] = [normalFromBits(Math.min(a, b)), normalFromBits(Math.max(a, b))]
            return holds(z <= y && Number.isInteger(z * 2 ** 21), 'rises, in multiples of 2⁻²¹')
          },
          200,
        ),
      ])
    },
  },
  {
    number: '3.8',
    statement: '|z − Φ⁻¹(u)| < 2⁻¹⁸·⁵ ≈ 2.7·10⁻⁶',
    source: 'measured over all segments',
    by: '`normalFromBits` at 500 places in all 31 octaves, and where the error is largest: just above q = 2²⁴, where bits are dropped',
    check: async () => {
      const middles = upTo(31).flatMap((octave) =>
        [0, 0.5, 1.5, 100.5, 254.5, 255.5, 255.999].map((s) => Math.floor(2 ** octave * (1 + s / 256)) | 1),
      )
      const worst = (q: number): Outcome => {
        const error = Math.abs(normalFromBits(wordOf(q)) - quantile(q))
        if (!(error < 2 ** -18.5)) throw new Error(`q = ${q}: error ${error}`)
        return { checks: 1, error, tolerance: 2 ** -18.5 }
      }
      return together([
        await forAll(tailPlaces, worst, 300),
        ...middles.filter((q) => q < 2 ** 31).map(worst),
        worst(16_803_711),
        worst(35_335_807),
      ])
    },
  },
  {
    number: '3.9',
    statement: 'P(|Z| > 6.23) ≈ 2⁻³¹, where 6.23 ≈ −Φ⁻¹(2⁻³²)',
    source: 'own derivation',
    by: 'the largest z that src makes, against the tail of the normal distribution as a continued fraction',
    check: () => {
      const largest = normalFromBits(2 ** 32 - 1)
      return together([
        agree(5e-3, [largest], [6.23]),
        agree(1.4e-6, [largest], [-quantile(1)]),
        agree(1e-4, [2 * upperTail(largest) * 2 ** 31], [1]),
      ])
    },
  },
]

/** P(z₀ + G₀ > z₁ + G₁) over all pairs of n equally likely values of src's Gumbel numbers each. */
const firstWins = (z: readonly number[], n: number): number => {
  const noise = upTo(n).map((i) => gumbelFromBits(Math.floor(((i + 0.5) * 2 ** 32) / n))) // rises
  let below = 0
  let wins = 0
  for (const g of noise) {
    while (below < n && at(z, 1) + at(noise, below) < at(z, 0) + g) below++
    wins += below
  }
  return wins / (n * n)
}

const choices: readonly Equation[] = [
  {
    number: '3.10',
    statement: 'G = −ln(−ln u)',
    source: 'Gumbel 1954',
    by: '`gumbel` against two logarithms of u = (2k + 1)/2³² for the k of its `bits`',
    check: () =>
      forAll(seeds, async (seed) => {
        const words = await read(bits(key(seed), [50]))
        const expected = words.map((w) => {
          const [q, half] = [2 * Math.floor(w / 2) + 1, 2 ** 31]
          const lnU = q < half ? Math.log(q / 2 ** 32) : Math.log1p(-(2 ** 32 - q) / 2 ** 32)
          return -Math.log(-lnU)
        })
        return agree(2 ** -17, await read(gumbel(key(seed), [50])), expected)
      }),
  },
  {
    number: '3.11',
    statement: 'P(argmaxⱼ(zⱼ + Gⱼ) = i) = softmax(z)ᵢ',
    source: 'Maddison, Tarlow & Minka 2014, section 2',
    by: "`categorical` is that argmax of its key's noise; for two classes the probability is a sum over 4000² pairs",
    check: () =>
      forAll(fc.tuple(seeds, vectors(3)), async ([seed, z]) => {
        const noise = await read(gumbel(key(seed), [20, 3], 'f64'))
        const expected = upTo(20).map((r) => {
          const scores = z.map((v, i) => v + at(noise, 3 * r + i))
          return scores.indexOf(Math.max(...scores))
        })
        const logits = tensor([...z], { dtype: 'f64' }).broadcastTo([20, 3])
        const odds = Math.exp(at(z, 0)) / (Math.exp(at(z, 0)) + Math.exp(at(z, 1)))
        return together([
          agree(0, await read(categorical(key(seed), logits)), expected),
          agree(1e-3, [firstWins(z, 4000)], [odds]),
        ])
      }),
  },
  {
    number: '3.12',
    statement: 'permutation = argsort(word₀, …, word_{n−1})',
    source: 'definition',
    by: "`permutation` against a stable sort of the key's `bits` in JavaScript, and against `argsort`",
    check: () =>
      forAll(fc.tuple(seeds, fc.integer({ min: 1, max: 40 })), async ([seed, n]) => {
        const words = await read(bits(key(seed), [n]))
        const expected = upTo(n).toSorted((a, b) => at(words, a) - at(words, b))
        return together([
          agree(0, await read(permutation(key(seed), n)), expected),
          agree(0, await read(argsort(bits(key(seed), [n]))), expected),
          agree(0, [sum(expected)], [(n * (n - 1)) / 2]),
        ])
      }),
  },
  {
    number: '3.13',
    statement: 'true where word < p·2³²',
    source: 'definition',
    by: "`bernoulli` against the key's `bits`, and its ends p = 0 and p = 1",
    check: () =>
      forAll(
        fc.tuple(seeds, fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }))),
        async ([seed, p]) => {
          const words = await read(bits(key(seed), [40]))
          return agree(
            0,
            await read(bernoulli(key(seed), p, [40])),
            words.map((w) => Number(w < p * 2 ** 32)),
          )
        },
      ),
  },
]

/** The entries. */
export const randomNumbers: readonly Equation[] = [...integers, ...quantiles, ...choices]
