/**
 * Random normals: what the library makes of a random word against Φ⁻¹ of the uniform number that the word stands for.
 *
 * Words 2k and 2k + 1 stand for u = (2k + 1) / 2³². The values are fixed-point numbers, multiples of 2⁻²¹, so their error is absolute and counted in
 * 2⁻²¹; the last column counts it in the ulp of an f32 of that size, which the formats' other functions are measured by.
 */
import { bits, key, normal, type Key } from '../../src/tensor/random.ts'
import { normalFromBits } from '../../src/tensor/random/normal.ts'
import { normalQuantile } from './chebyshev.ts'
import type { Measured } from './devices.ts'

/** Errors of normal numbers. */
export interface NormalReading {
  /** Where the words came from and who made normals of them. */
  readonly source: string
  readonly inputs: number
  /** The largest |got − exact| in units of 2⁻²¹, and the word where it occurs. */
  readonly maxError: number
  readonly worstAt: number
  /** The mean |got − exact| in units of 2⁻²¹. */
  readonly meanError: number
  /** The largest error of numbers beyond ±1, in ulp of an f32. */
  readonly maxUlpInTails: number
}

/** Values are multiples of 2⁻²¹. */
const unit = 2 ** -21

/** Φ⁻¹((2k + 1) / 2³²) of the words 2k and 2k + 1, odd about the middle. */
const exactNormal = (word: number): number => {
  const odd = (word | 1) >>> 0
  return odd < 2 ** 31 ? normalQuantile(odd / 2 ** 32) : -normalQuantile((2 ** 32 - odd) / 2 ** 32)
}

const read = (
  source: string,
  count: number,
  pair: (i: number) => readonly [word: number, got: number],
): NormalReading => {
  let [maxError, worstAt, sum, maxUlpInTails] = [0, NaN, 0, 0]
  for (let i = 0; i < count; i++) {
    const [word, got] = pair(i)
    const exact = exactNormal(word)
    const error = Math.abs(got - exact) / unit
    if (!(error <= maxError)) [maxError, worstAt] = [error, word]
    sum += error
    const size = Math.abs(exact)
    if (size >= 1)
      maxUlpInTails = Math.max(maxUlpInTails, (error * unit) / 2 ** ((size < 2 ? 0 : size < 4 ? 1 : 2) - 23))
  }
  return { source, inputs: count, maxError, worstAt, meanError: sum / count, maxUlpInTails }
}

/** Every `every`-th word, through the function that computes on the host what devices compute. */
export const sweepNormals = (every: number): NormalReading =>
  read('all words, on the host', Math.ceil(2 ** 32 / every), (i) => [i * every, normalFromBits(i * every)])

/** Words that a device draws, and the normals that it makes of them. */
export const drawnNormals = async (
  { name, device }: Measured,
  count: number,
): Promise<{ readonly reading: NormalReading; readonly unlikeHost: number }> => {
  const draw = device.compile((k: Key) => ({ words: bits(k, [count]), normals: normal(k, [count]) }))
  const { words, normals } = await draw(key(41))
  const [w, z] = [await device.read(words), await device.read(normals)]
  const reading = read(name, count, (i) => [w[i] as number, z[i] as number])
  const unlikeHost = Array.from(w).filter((word, i) => !Object.is(normalFromBits(word), z[i])).length
  return { reading, unlikeHost }
}
