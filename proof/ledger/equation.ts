/** What an entry of the ledger is: an equation that the documentation prints, where it is from, and what tests it. */
import fc from 'fast-check'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** What a check found. A check throws when it fails, so an outcome speaks of comparisons that held. */
export interface Outcome {
  /** Numbers compared. */
  readonly checks: number
  /** The largest error, relative to max(1, |expected|); 0 where equality is asked for. */
  readonly error: number
  /** What the error may be; 0 for equality. */
  readonly tolerance: number
}

/** One equation. */
export interface Equation {
  /** `6.4`: the chapter (A for the page on adding an operation, D for decisions) and a count from 1. */
  readonly number: string
  /** The equation exactly as the page prints it, so that a page cannot change without its check being looked at. */
  readonly statement: string
  /** Paper and number, `definition`, or `own derivation`. */
  readonly source: string
  /** What the check does, in a line. */
  readonly by: string
  /** Compares what src computes with the printed equation, evaluated in plain numbers. @throws Error when they differ */
  readonly check: () => Outcome | Promise<Outcome>
}

/** One list of outcomes as one: all checks, and the error that came nearest to its tolerance. */
export const together = (outcomes: readonly Outcome[]): Outcome =>
  outcomes.reduce(
    (a, b) => {
      const nearer = share(b) > share(a) || a.checks === 0
      return {
        checks: a.checks + b.checks,
        error: nearer ? b.error : a.error,
        tolerance: nearer ? b.tolerance : a.tolerance,
      }
    },
    { checks: 0, error: 0, tolerance: 0 },
  )

/** The error as a share of what it may be. */
export const share = ({ error, tolerance }: Outcome): number => (tolerance === 0 ? 0 : error / tolerance)

/** Compares lists of numbers. @throws Error naming the first place where they differ by more than the tolerance */
export const agree = (tolerance: number, actual: ArrayLike<number>, expected: ArrayLike<number>): Outcome => {
  if (actual.length !== expected.length || actual.length === 0)
    throw new Error(`${actual.length} numbers computed, ${expected.length} expected`)
  let error = 0
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i] ?? NaN, expected[i] ?? NaN]
    const here = Object.is(a, e) || a === e ? 0 : Math.abs(a - e) / Math.max(1, Math.abs(e))
    if (!(here <= tolerance)) throw new Error(`place ${i}: src has ${a}, the equation ${e}; an error of ${here}`)
    error = Math.max(error, here)
  }
  return { checks: actual.length, error, tolerance }
}

/** A fact that holds or does not. @throws Error with the text when it does not */
export const holds = (fact: boolean, text: string): Outcome => {
  if (!fact) throw new Error(`does not hold: ${text}`)
  return { checks: 1, error: 0, tolerance: 0 }
}

/** A law on random cases, the same ones on every run. */
export const forAll = async <T>(
  cases: fc.Arbitrary<T>,
  law: (value: T) => Outcome | Promise<Outcome>,
  runs = 20,
): Promise<Outcome> => {
  const outcomes: Outcome[] = []
  await fc.assert(
    fc.asyncProperty(cases, async (value) => {
      outcomes.push(await law(value))
    }),
    { seed: 17, numRuns: runs },
  )
  return together(outcomes)
}

/** Lists of n numbers in an interval, on a grid of 2¹⁶ points: no denormals, and nothing that is special to floats. */
export const vectors = (n: number, low = -2, high = 2): fc.Arbitrary<readonly number[]> =>
  fc.array(real(low, high), { minLength: n, maxLength: n })

/** A number in an interval. */
export const real = (low = -2, high = 2): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: 65536 }).map((k) => low + ((high - low) * k) / 65536)

/** Where the checks compute. */
export const device = deviceOn(cpuBackend(true))

/** The elements of a tensor as plain numbers. */
export const read = async (x: Tensor): Promise<readonly number[]> => Array.from(await device.read(x))

/** f′(x) of a plain function by the five-point stencil: error −h⁴f⁽⁵⁾/30. */
export const slope = (f: (x: number) => number, x: number, h = 1e-3): number =>
  (f(x - 2 * h) - 8 * f(x - h) + 8 * f(x + h) - f(x + 2 * h)) / (12 * h)

/** ∫ f from a to b by Simpson's rule on n intervals, n even. */
export const integral = (f: (x: number) => number, a: number, b: number, n = 2000): number => {
  const h = (b - a) / n
  let sum = f(a) + f(b)
  for (let i = 1; i < n; i++) sum += (i % 2 === 1 ? 4 : 2) * f(a + i * h)
  return (sum * h) / 3
}

/** Whole numbers 0 … n − 1. */
export const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => i)

/** Σ of a list. */
export const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0)

/** ⟨a, b⟩. */
export const dot = (a: readonly number[], b: readonly number[]): number => sum(a.map((x, i) => x * (b[i] ?? NaN)))

/** The element of a list that is surely there. */
export const at = (xs: ArrayLike<number>, i: number): number => xs[i] ?? NaN
