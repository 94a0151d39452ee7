/**
 * The functions themselves, to far more digits than any format: series and continued fractions in the arithmetic of `real.ts`.
 *
 * Each is its textbook definition with the argument brought near 0 first. Sources: Abramowitz & Stegun, "Handbook of mathematical
 * functions", 1964, by the number of the formula. Results are right to at least 2⁻¹⁶⁰, relatively; the tests hold them to printed
 * digits and to identities.
 */
import {
  absolute,
  add,
  divide,
  exponentOf,
  isLess,
  multiply,
  negate,
  one,
  precision,
  real,
  scale,
  signOf,
  squareRoot,
  subtract,
  toNumber,
  whole,
  zero,
  type Real,
} from './real.ts'

/** Σ termᵢ for terms that fall at last: until one is too small to be seen in the sum. */
const series = (first: Real, next: (term: Real, i: number) => Real): Real => {
  let [sum, term] = [first, first]
  for (let i = 1; signOf(term) !== 0; i++) {
    term = next(term, i)
    if (signOf(term) === 0 || exponentOf(term) < exponentOf(sum) - precision) break
    sum = add(sum, term)
  }
  return sum
}

/** 2^bits · arctan(1/n) (sign −1; 4.4.42) or 2^bits · artanh(1/n) (sign 1; 4.6.33), in integers. */
const inverseTangent = (n: bigint, sign: 1n | -1n, bits: number): bigint => {
  let [sum, power] = [0n, (1n << BigInt(bits)) / n]
  for (let k = 1n, s = 1n; power > 0n; k += 2n, s *= sign) {
    sum += (s * power) / k
    power /= n * n
  }
  return sum
}

/** The largest double lies below 2¹⁰²⁴, and a multiple of π/2 comes as near to one as 2⁻⁶². */
const piBits = 1024 + 64 + 2 * precision
const guard = 32

/** π · 2^piBits = 16 arctan(1/5) − 4 arctan(1/239) (Machin 1706), with guard bits taken off again. */
const piFixed =
  (16n * inverseTangent(5n, -1n, piBits + guard) - 4n * inverseTangent(239n, -1n, piBits + guard)) >> BigInt(guard)

/** π. */
export const pi: Real = real(piFixed, -piBits)

/** ln 2 = 18 artanh(1/26) − 2 artanh(1/4801) + 8 artanh(1/8749). */
export const ln2: Real = real(
  18n * inverseTangent(26n, 1n, precision + 64) -
    2n * inverseTangent(4801n, 1n, precision + 64) +
    8n * inverseTangent(8749n, 1n, precision + 64),
  -precision - 64,
)

/** Beyond ±2²⁰ the exponential is outside every format; it stays there when the argument is held at this. */
const farAway = scale(one, 20)

const held = (x: Real, limit: Real): Real => (isLess(absolute(x), limit) ? x : signOf(x) < 0 ? negate(limit) : limit)

/** eˣ (4.2.1): x = k ln 2 + r; the series at r / 2⁸, squared eight times. */
export const exp = (x: Real): Real => {
  const near = held(x, farAway)
  const k = Math.round(toNumber(near) / Math.LN2)
  const s = scale(subtract(near, multiply(whole(k), ln2)), -8)
  let y = series(one, (term, i) => divide(multiply(term, s), whole(i)))
  for (let i = 0; i < 8; i++) y = multiply(y, y)
  return scale(y, k)
}

/** eˣ − 1, without cancellation where x is small. */
const expMinusOne = (x: Real): Real =>
  signOf(x) !== 0 && exponentOf(x) < -4
    ? series(x, (term, i) => divide(multiply(term, x), whole(i + 1)))
    : subtract(exp(x), one)

/** ln x for x > 0: x = f · 2ᵏ with f in [¾, 3/2), and ln f = 2 artanh((f − 1) / (f + 1)) (4.1.27). */
export const log = (x: Real): Real => {
  const below = exponentOf(x)
  const k = isLess(scale(x, -below), { m: 3n, e: -1 }) ? below : below + 1
  const f = scale(x, -k)
  const z = divide(subtract(f, one), add(f, one))
  const zz = multiply(z, z)
  let power = z
  const artanh = series(z, (_, i) => {
    power = multiply(power, zz)
    return divide(power, whole(2 * i + 1))
  })
  return add(multiply(whole(k), ln2), scale(artanh, 1))
}

/** x = q · π/2 + r with |r| ≤ π/4, for a number x: q mod 4 and r. */
const quarterTurns = (x: Real): readonly [quarter: number, r: Real] => {
  if (signOf(x) === 0 || exponentOf(x) < -1) return [0, x]
  const fixed = x.m << BigInt(piBits + x.e)
  const q = ((fixed << 2n) + piFixed) / (piFixed << 1n) // ⌊x / (π/2) + ½⌋ for x > 0
  return [Number(q & 3n), real(fixed - ((q * piFixed) >> 1n), -piBits)]
}

/** 4.3.65. */
const sineSeries = (r: Real): Real => {
  const rr = negate(multiply(r, r))
  return series(r, (term, i) => divide(multiply(term, rr), whole(2 * i * (2 * i + 1))))
}

/** 4.3.66. */
const cosineSeries = (r: Real): Real => {
  const rr = negate(multiply(r, r))
  return series(one, (term, i) => divide(multiply(term, rr), whole(2 * i * (2 * i - 1))))
}

/** sin(r + quarter · π/2). */
const sineAfter = (quarter: number, r: Real): Real => {
  const y = quarter % 2 === 0 ? sineSeries(r) : cosineSeries(r)
  return quarter % 4 < 2 ? y : negate(y)
}

/** sin x, of any size that a double has. */
export const sin = (x: Real): Real => {
  if (signOf(x) < 0) return negate(sin(negate(x)))
  const [quarter, r] = quarterTurns(x)
  return sineAfter(quarter, r)
}

/** cos x, of any size that a double has. */
export const cos = (x: Real): Real => {
  const [quarter, r] = quarterTurns(absolute(x))
  return sineAfter(quarter + 1, r)
}

/** tanh x = (e²ˣ − 1) / (e²ˣ + 1) (4.5.3). */
export const tanh = (x: Real): Real => {
  const e = expMinusOne(scale(held(x, whole(1000)), 1))
  return divide(e, add(e, whole(2)))
}

/** 1 / (1 + e⁻ˣ). */
export const logistic = (x: Real): Real => {
  const e = exp(x)
  return divide(e, add(one, e))
}

const rootPi = squareRoot(pi)

/** erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)) (7.1.6): all terms have one sign. */
export const erf = (x: Real): Real => {
  const near = held(x, whole(16)) // 1 − erf 16 is 10⁻¹¹³
  const xx = multiply(near, near)
  const sum = series(near, (term, i) => divide(multiply(term, scale(xx, 1)), whole(2 * i + 1)))
  return divide(multiply(scale(exp(negate(xx)), 1), sum), rootPi)
}

/** Where the continued fraction takes over; there 1 − erf x has lost 27 bits. */
const tail = whole(4)

/** e^(x²) erfc x for x ≥ 4 (7.1.14): 1/√π · 1/(x + ½/(x + 1/(x + (3/2)/(x + …)))), from a depth at which it has converged. */
const scaledTail = (x: Real): Real => {
  const depth = Math.ceil(32 + (2 * precision * precision) / toNumber(multiply(x, x)) / 16)
  let f = x
  for (let k = depth; k > 0; k--) f = add(x, divide(scale(whole(k), -1), f))
  return divide(one, multiply(rootPi, f))
}

/** 1 − erf x, without cancellation in the tail. */
export const erfc = (x: Real): Real =>
  isLess(x, tail) ? subtract(one, erf(x)) : multiply(exp(negate(multiply(x, x))), scaledTail(x))

/** e^(x²) erfc x for x ≥ 0. */
export const erfcx = (x: Real): Real => (isLess(x, tail) ? multiply(exp(multiply(x, x)), erfc(x)) : scaledTail(x))

const rootHalf = squareRoot(scale(one, -1))

/** Φ(z): the probability that a standard normal number lies below z. */
export const normalDistribution = (z: Real): Real => scale(erfc(negate(multiply(z, rootHalf))), -1)

/**
 * Φ⁻¹(p) for p in (0, ½]: Newton's iteration on ln Φ(z) = ln p.
 *
 * ln Φ is concave and rises, so from the left of the root each step stays left of it and comes nearer; −√(−2 ln p) lies left of it, as
 * Φ(z) ≤ ½ e^(−z²/2) for z ≤ 0.
 */
export const normalQuantile = (p: Real): Real => {
  const target = log(p)
  const rootTwoPi = squareRoot(scale(pi, 1))
  let z = negate(squareRoot(scale(negate(target), 1)))
  for (let step = one; signOf(step) !== 0 && exponentOf(step) > -80;) {
    const below = normalDistribution(z)
    const density = divide(exp(scale(negate(multiply(z, z)), -1)), rootTwoPi)
    step = divide(multiply(subtract(target, log(below)), below), density)
    z = add(z, step)
  }
  return z
}

/** x · Φ(x). */
export const gelu = (x: Real): Real => (signOf(x) === 0 ? zero : multiply(x, normalDistribution(held(x, whole(2000)))))

const cubic: Real = divide(whole(44715), whole(1000000))
const rootTwoOverPi = squareRoot(divide(whole(2), pi))

/** ½ x (1 + tanh u) = x · σ(2u), u = √(2/π) (x + 0.044715 x³). */
export const geluTanh = (x: Real): Real => {
  const u = multiply(rootTwoOverPi, add(x, multiply(cubic, multiply(x, multiply(x, x)))))
  return multiply(x, logistic(scale(u, 1)))
}

/** x · σ(x). */
export const silu = (x: Real): Real => multiply(x, logistic(x))
