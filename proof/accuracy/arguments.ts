/** The arguments of a sweep: bit patterns at equal steps, so that every exponent has its share, and the places where things change. */
import type { ScalarFunction } from './scalars.ts'
import type { FloatType } from './ulp.ts'

/** Arguments as a tensor stores them, and as numbers. */
export interface Arguments {
  readonly stored: Uint16Array | Float32Array | Float64Array
  readonly values: ArrayLike<number>
}

/** Arguments of one run. */
const chunk = 2 ** 20

const doubleWords = new DataView(new ArrayBuffer(8))

const doubleOf = (bits: bigint): number => {
  doubleWords.setBigUint64(0, BigInt.asUintN(64, bits))
  return doubleWords.getFloat64(0)
}

const bitsOf = (x: number): bigint => {
  doubleWords.setFloat64(0, x)
  return doubleWords.getBigUint64(0)
}

/** Zeros, ones, infinities, NaN, and the ends of f32 and f64, with both signs. */
const landmarks: readonly number[] = [
  ...[
    0,
    1,
    Infinity,
    2 ** -149,
    2 ** -126,
    (2 - 2 ** -23) * 2 ** 127,
    2 ** -1074,
    2 ** -1022,
    Number.MAX_VALUE,
  ].flatMap((x) => [x, -x]),
  NaN,
]

/** The landmarks, and eight neighbours on either side of each threshold of the function. */
const doubleLandmarks = ({ thresholds }: ScalarFunction): readonly number[] => [
  ...landmarks,
  ...thresholds.flatMap((t) =>
    [t, -t].flatMap((x) => Array.from({ length: 17 }, (_, i) => doubleOf(bitsOf(x) + BigInt(i - 8)))),
  ),
]

/** The landmarks and thresholds as f32, with 64 neighbours on either side of each threshold. */
const singleLandmarks = ({ thresholds }: ScalarFunction): Float32Array => {
  const singles = Float32Array.from(thresholds.flatMap((t) => [t, -t]))
  const patterns = new Int32Array(singles.buffer)
  const near = Int32Array.from([...patterns].flatMap((p) => Array.from({ length: 129 }, (_, i) => p + i - 64)))
  return Float32Array.from([...landmarks, ...new Float32Array(near.buffer)])
}

/** Every `every`-th f32, from all zeros to all ones. */
function* singles(every: number): Generator<Arguments> {
  const count = Math.ceil(2 ** 32 / every)
  for (let first = 0; first < count; first += chunk) {
    const patterns = new Uint32Array(Math.min(chunk, count - first))
    for (let i = 0; i < patterns.length; i++) patterns[i] = (first + i) * every
    const stored = new Float32Array(patterns.buffer)
    yield { stored, values: stored }
  }
}

/** The value of a half with these bits. */
const half = (bits: number): number => {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  const size =
    exponent === 31
      ? fraction === 0
        ? Infinity
        : NaN
      : (fraction + (exponent === 0 ? 0 : 1024)) * 2 ** (Math.max(1, exponent) - 25)
  return bits >= 0x8000 ? -size : size
}

/** All 65,536 halves. */
const halves = (): Arguments => {
  const stored = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i)
  return { stored, values: Float64Array.from(stored, half) }
}

/** ⌊2⁶⁴ / golden ratio⌋, odd: its multiples fill the 64-bit patterns evenly. */
const golden = 0x9e3779b97f4a7c15n

/** `count` doubles: a quarter from all bit patterns, the others evenly from where the function is interesting. */
const doubles = (f: ScalarFunction, count: number): Arguments => {
  const [low, high] = f.interesting
  const stored = Float64Array.from([
    ...doubleLandmarks(f),
    ...Array.from({ length: count }, (_, i) => {
      const pattern = BigInt.asUintN(64, golden * BigInt(i + 1))
      return i % 4 === 0 ? doubleOf(pattern) : low + (high - low) * (Number(pattern >> 11n) / 2 ** 53)
    }),
  ])
  return { stored, values: stored }
}

/** How far apart the arguments of a sweep are. */
export interface Density {
  /** Every how many-th f32. */
  readonly every: number
  /** How many f64. */
  readonly doubles: number
}

/** The arguments of a function in a dtype, in chunks that fit a device. */
export function* argumentsOf(f: ScalarFunction, dtype: FloatType, density: Density): Generator<Arguments> {
  const { from } = f
  for (const part of allArguments(f, dtype, density)) yield from === undefined ? part : startingAt(from, part)
}

const startingAt = (from: number, { stored, values }: Arguments): Arguments => {
  const isIn = (_: number, i: number): boolean => (values[i] as number) >= from
  return { stored: stored.filter(isIn), values: Float64Array.from(values).filter(isIn) }
}

function* allArguments(f: ScalarFunction, dtype: FloatType, density: Density): Generator<Arguments> {
  if (dtype === 'f16') yield halves()
  else if (dtype === 'f64') yield doubles(f, density.doubles)
  else {
    const stored = singleLandmarks(f)
    yield { stored, values: stored }
    yield* singles(density.every)
  }
}
