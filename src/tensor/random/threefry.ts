/**
 * Threefry-2x32 with 20 rounds as a graph of u32 additions, shifts and exclusive ors: the same bits on every backend.
 *
 * A counter-based generator: word i of a stream is a function of (key, i), so nothing is stored and any order of evaluation gives the
 * same numbers. `prelude/threefry.ts` is the same cipher on the host.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
import { DTypeError, ShapeError, typeError } from '../../prelude/errors.ts'
import { notATensor } from '../../prelude/mistaken.ts'
import { equalNumbers } from '../../prelude/array.ts'
import { showShape } from '../../graph/shape.ts'
import { Tensor } from '../tensor.ts'

/** A key of a random stream: u32 [2]. */
export type Key = Tensor

/**
 * What a counter is for, in the top three bits of its high word: a number of the stream, a child by number, a child by name and a part
 * of a split never meet in one counter. `fold` is that of `hostFold`, so `foldIn(key, n)` is the host's child n.
 */
export const purposes = { bits: 0, fold: 0x80000000, name: 0xa0000000, split: 0xc0000000 } as const

/** Rotation distances (Salmon 2011, table 4), used cyclically: four a group, two groups in turn. */
const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const

/** C240 cut to 32 bits, so that an all-zero key is not weak (Skein's key schedule). */
const parity = 0x1bd11bda

/** The error for what is no tensor where a key belongs; an array is a shape, given as an initializer takes it. */
const notAKey = (key: unknown): TypeError => {
  if (typeof key === 'number')
    return typeError(`random: a key is made with key(seed), got the number ${key}: write key(${key})`)
  return Array.isArray(key)
    ? typeError(
        'random: got an array where a key is expected: write normal(key, shape); initializers, normal(shape), are of fathom/nn/init',
      )
    : notATensor('random', key, 'a key')
}

/** Refuses what is no key. */
export const requireKey = (key: Key): void => {
  if (!(key instanceof Tensor)) throw notAKey(key)
  if (key.dtype !== 'u32') throw new DTypeError(`random: a key is u32, got ${key.dtype}; make one with key(seed)`)
  if (!equalNumbers(key.shape, [2]))
    throw new ShapeError(
      `random: a key is one pair of words, [2], got ${showShape(key.shape)}; make several with split(key, n)`,
    )
}

const rotateLeft = (x: Tensor, by: number): Tensor => x.shiftLeft(by).or(x.shiftRight(32 - by))

/**
 * Encrypts counters under one key.
 *
 * @param key u32 [2]
 * @param high the high word of all counters
 * @param low u32 […], their low words
 * @returns the two words, each u32 […]
 * @throws DTypeError, ShapeError if the key is not u32 [2]
 */
export const threefry2x32 = (key: Key, high: number, low: Tensor): readonly [Tensor, Tensor] => {
  requireKey(key)
  // The key is broadcast first and its schedule computed element by element: the kernel then reads two words, not eight.
  const k0 = key.slice([0, 1]).reshape([]).broadcastTo(low.shape)
  const k1 = key.slice([1, 2]).reshape([]).broadcastTo(low.shape)
  const schedule = [k0, k1, k0.xor(k1).xor(parity)] as const
  let x0 = k0.add(high)
  let x1 = low.add(k1)
  for (const group of [1, 2, 3, 4, 5] as const) {
    for (const by of rotations[((group - 1) % 2) as 0 | 1]) {
      x0 = x0.add(x1)
      x1 = rotateLeft(x1, by).xor(x0)
    }
    x0 = x0.add(schedule[(group % 3) as 0 | 1 | 2])
    x1 = x1.add(schedule[((group + 1) % 3) as 0 | 1 | 2]).add(group)
  }
  return [x0, x1]
}

/**
 * Word `word` mod 2 of the block of each counter: u32 of the counters' shape.
 *
 * Each element encrypts its own block and keeps one of the two words, so that a tensor of them is one kernel without intermediate values.
 */
export const threefryWord = (key: Key, high: number, low: Tensor, word: Tensor): Tensor => {
  const [x0, x1] = threefry2x32(key, high, low)
  return word.and(1).equal(0).select(x0, x1)
}
