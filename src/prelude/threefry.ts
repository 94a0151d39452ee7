/**
 * Threefry-2x32 with 20 rounds on the host, and the pure random facilities of the host that are built on it.
 *
 * A counter-based generator: the i-th number is a function of (key, i), so any place of a stream is reached at once
 * and a
 * run resumes from an index alone.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */

/** Two u32 words: a key or a counter of Threefry-2x32. */
export type Words = readonly [number, number]

/** A key of the host's random numbers: two u32 words. */
export type HostKey = Words

/** Rotation distances of Threefry-2x32 (Salmon 2011, table 4), used cyclically: four a group, two groups in turn. */
const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

/** C240 cut to 32 bits, so that an all-zero key is not weak (Skein's key schedule). */
const parity = 0x1bd11bda

const rounds = 20
const roundsPerInjection = 4

/**
 * Encrypts one counter under one key.
 *
 * @param key two u32 words
 * @param counter two u32 words
 * @returns two u32 words, each uniform over [0, 2³²)
 */
export const threefry2x32 = (key: Words, counter: Words): Words => {
  const k0 = key[0] | 0
  const k1 = key[1] | 0
  const schedule = [k0, k1, k0 ^ k1 ^ parity] as const
  let x0 = (counter[0] + k0) | 0
  let x1 = (counter[1] + k1) | 0
  for (let group = 1; group <= rounds / roundsPerInjection; group++) {
    for (const r of rotations[((group - 1) % 2) as 0 | 1]) {
      x0 = (x0 + x1) | 0
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0
    }
    x0 = (x0 + schedule[(group % 3) as 0 | 1 | 2]) | 0
    x1 = (x1 + schedule[((group + 1) % 3) as 0 | 1 | 2] + group) | 0
  }
  return [x0 >>> 0, x1 >>> 0]
}

/**
 * The top byte of a counter's high word says what the counter is for, so that a number, a child key and a round of a
 * permutation never share one. A safe integer has 53 bits, which leaves the top 11 bits of the high word free.
 */
const purposes = { uniform: 0, fold: 0x80000000, permutation: 0x40000000 } as const

const requireIndex = (name: string, what: string, n: number): number => {
  if (Number.isSafeInteger(n) && n >= 0) return n
  throw new RangeError(`${name}: ${what} ${n} is not an integer in [0, 2^53): pass a non-negative safe integer`)
}

const high = (n: number): number => Math.floor(n / 2 ** 32)
const low = (n: number): number => n >>> 0

/**
 * The key of a seed.
 *
 * @param seed a safe integer ≥ 0; its high and low words are the key
 * @throws RangeError if the seed is negative, fractional or ≥ 2⁵³
 */
export const hostKey = (seed: number): HostKey => {
  requireIndex('hostKey', 'seed', seed)
  return [high(seed), low(seed)]
}

/**
 * The n-th child of a key: an independent key. `hostFold(hostFold(key, epoch), index)` names a stream for each.
 *
 * @param n a safe integer ≥ 0
 * @throws RangeError for any other n
 */
export const hostFold = (key: HostKey, n: number): HostKey => {
  requireIndex('hostFold', 'n', n)
  return threefry2x32(key, [(purposes.fold | high(n)) >>> 0, low(n)])
}

/**
 * The i-th uniform number of a key's stream, with all 53 bits of a double's significand.
 *
 * @param i a safe integer ≥ 0
 * @returns a number in [0, 1)
 * @throws RangeError for any other i
 */
export const hostUniform = (key: HostKey, i: number): number => {
  requireIndex('hostUniform', 'i', i)
  const [a, b] = threefry2x32(key, [(purposes.uniform | high(i)) >>> 0, low(i)])
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53
}

/** Luby and Rackoff 1988 need four rounds; small halves mix worse, and rounds are cheap here. */
const feistelRounds = 8

/** One balanced Feistel permutation of [0, 2^(2·half)): (L, R) → (R, L ⊕ f(round, R)). */
const feistel = (key: HostKey, half: number, x: number): number => {
  const mask = 2 ** half - 1
  let left = Math.floor(x / 2 ** half)
  let right = x & mask
  for (let round = 0; round < feistelRounds; round++) {
    const [f] = threefry2x32(key, [purposes.permutation | round, right])
    const next = (left ^ f) & mask
    left = right
    right = next
  }
  return left * 2 ** half + right
}

/**
 * The i-th element of a keyed permutation of 0 … n−1, without making the other n−1: a shuffled epoch that can be
 * entered at
 * any place. A Feistel network permutes the next power of four, and its output is fed back until it falls below n
 * (cycle walking,
 * Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002): fewer than four turns on average.
 *
 * @param n the number of elements, in [1, 2³²]
 * @param i the place, in [0, n)
 * @returns an index in [0, n); over all i each index comes once
 * @throws RangeError if n or i is outside its range
 */
export const hostPermutationIndex = (key: HostKey, n: number, i: number): number => {
  if (!(Number.isSafeInteger(n) && n >= 1 && n <= 2 ** 32)) {
    throw new RangeError(`hostPermutationIndex: n ${n} is not an integer in [1, 2^32]`)
  }
  if (requireIndex('hostPermutationIndex', 'i', i) >= n) {
    throw new RangeError(
      `hostPermutationIndex: i ${i} is outside [0, ${n}): take it modulo n and fold the key by the epoch`,
    )
  }
  // At least one bit a half, or a permutation of two elements could not move them.
  const half = Math.max(1, Math.ceil(Math.log2(n) / 2))
  let x = feistel(key, half, i)
  while (x >= n) x = feistel(key, half, x)
  return x
}
