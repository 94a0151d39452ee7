/** What the suites share: their type, random cases with a count of what held, and the loss by which results of any shape are differentiated. */
import fc from 'fast-check'
import { constant } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { count, toTensor } from '../array.ts'
import { configurations, specification, type Configuration } from '../devices.ts'
import type { Case, Entry } from '../registry/entry.ts'
import type { Tally } from '../tally.ts'

/** How much to check. */
export interface SuiteOptions {
  /** The seed of the random cases. */
  readonly seed: number
  /** Random cases. */
  readonly runs: number
  /** Where to run derivatives; by default the first of {@link configurations}. */
  readonly on?: Configuration
}

/** Checks one operation in one respect. Rejects with the smallest case that fails. */
export type Suite = (subject: string, entry: Entry, options: SuiteOptions) => Promise<Tally>

/** The first configuration: the device as it is opened by default. */
export const usual: Configuration = configurations[0] ?? specification

/** Every configuration, the specification first. */
export const everywhere: readonly Configuration[] = [specification, ...configurations]

/** Runs `body` on a device of its own. */
export const onDevice = async <T>({ open }: Configuration, body: (device: Device) => Promise<T>): Promise<T> => {
  const device = open()
  try {
    return await body(device)
  } finally {
    await device.close()
  }
}

/** What one case gave: how many checks held, and the largest error ÷ tolerance. */
export interface Held {
  readonly checks: number
  readonly worst: number
}

/** Draws `runs` cases and adds up what held in them. */
export const checkCases = async <C extends Case>(
  suite: string,
  subject: string,
  cases: fc.Arbitrary<C>,
  { seed, runs }: Omit<SuiteOptions, 'on'>,
  check: (c: C) => Promise<Held>,
): Promise<Tally> => {
  let [checks, worst] = [0, 0]
  const property = fc.asyncProperty(cases, async (c) => {
    const held = await check(c)
    checks += held.checks
    worst = Math.max(worst, held.worst)
  })
  try {
    await fc.assert(property, { seed, numRuns: runs })
  } catch (e) {
    throw new Error(`${suite} of ${subject}: ${e instanceof Error ? e.message : String(e)}`, { cause: e })
  }
  return { suite, subject, seed, checks, worst }
}

/** `of`, once for all cases that build the same: a whole network is compiled once, and tried at many points. */
export const perBuild = <T>(of: (c: Case) => T): ((c: Case) => T) => {
  const known = new Map<Case['build'], T>()
  return (c) => {
    const found = known.get(c.build) ?? of(c)
    known.set(c.build, found)
    return found
  }
}

/** Elements that finite differences would move. */
const moving = ({ inputs }: Case): number =>
  inputs.reduce((sum, x) => sum + (x.dtype === 'f64' ? count(x.shape) : 0), 0)

/** The inputs through which gradients flow, by position. */
export const differentiable = (entry: Entry, { inputs }: Case): readonly number[] =>
  [...inputs.keys()].filter((i) =>
    entry.differentiableIn === 'floats' ? inputs[i]?.dtype === 'f64' : entry.differentiableIn.includes(i),
  )

/** Cases in f64 with something to differentiate, and not too much of it for finite differences. */
export const smoothCases = (entry: Entry): fc.Arbitrary<Case> =>
  (entry.smooth ?? entry.cases('f64')).filter((c) => moving(c) > 0 && moving(c) <= entry.elements)

/** The case's inputs as data. */
export const dataOf = ({ inputs }: Case): readonly Tensor[] => inputs.map(toTensor)

/** Fixed numbers in [−1, 1]. */
export const testVector = (size: number, phase: number): Float64Array =>
  Float64Array.from({ length: size }, (_, i) => Math.cos(phase + i))

/** {@link testVector} in the shape of `x`, as part of the program. */
export const vectorLike = (x: Tensor, phase: number): Tensor =>
  constant(testVector(x.size, phase), { shape: x.shape, dtype: 'f64' })

/** Σ wᵢ·yᵢ², with fixed weights: a loss whose gradient depends on the point even where y is linear. */
export const quadratic =
  (build: Case['build']) =>
  (...xs: readonly Tensor[]): Tensor => {
    const y = build(...xs)
    return y.square().mul(vectorLike(y, 1)).sum()
  }

/** `build` as a function of the inputs at `positions`; the others stand still. */
export const inInputs =
  (build: Case['build'], xs: readonly Tensor[], positions: readonly number[]): Case['build'] =>
  (...moved) =>
    build(
      ...xs.map((x, i) => {
        const k = positions.indexOf(i)
        return (k === -1 ? x : moved[k]) ?? x
      }),
    )
