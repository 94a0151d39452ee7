/** Every suite over every entry of the registry: what `npm test` runs once and `npm run prove` many times over. */
import fc from 'fast-check'
import type { DType } from '../../src/graph/dtype.ts'
import type { Case, Entry } from '../registry/entry.ts'
import { functions } from '../registry/functions.ts'
import { layers } from '../registry/layers.ts'
import { primitives } from '../registry/primitives.ts'
import type { Tally } from '../tally.ts'
import { adjoint } from './adjoint.ts'
import { ends, kindsAt } from './ends.ts'
import { errors } from './errors.ts'
import { forwardOverReverse } from './forwardOverReverse.ts'
import { gradient, secondOrder } from './gradient.ts'
import { shapes } from './shapes.ts'
import type { Suite, SuiteOptions } from './suite.ts'
import { values } from './values.ts'
import { vmapped } from './vmap.ts'
import { vmapDerivatives } from './vmapDerivatives.ts'

/** Random cases for each primitive, function and layer, in the short run. */
export interface Runs {
  readonly primitives: number
  readonly functions: number
  readonly layers: number
}

/** The suites by name, with the random cases of their short run. */
const suites: { readonly [name: string]: { readonly suite: Suite; readonly runs: Runs } } = {
  values: { suite: values, runs: { primitives: 40, functions: 9, layers: 3 } },
  ends: { suite: ends, runs: { primitives: 4, functions: 6, layers: 4 } },
  shapes: { suite: shapes, runs: { primitives: 2, functions: 1, layers: 1 } },
  gradient: { suite: gradient, runs: { primitives: 45, functions: 24, layers: 8 } },
  secondOrder: { suite: secondOrder, runs: { primitives: 20, functions: 12, layers: 4 } },
  forwardOverReverse: { suite: forwardOverReverse, runs: { primitives: 10, functions: 6, layers: 2 } },
  adjoint: { suite: adjoint, runs: { primitives: 25, functions: 10, layers: 3 } },
  vmap: { suite: vmapped, runs: { primitives: 14, functions: 5, layers: 1 } },
  vmapDerivatives: { suite: vmapDerivatives, runs: { primitives: 14, functions: 8, layers: 2 } },
  errors: { suite: errors, runs: { primitives: 1, functions: 1, layers: 1 } },
}

/** All entries: the kind of the subject, its name and its entry. */
export const subjects: readonly (readonly [kind: keyof Runs, name: string, entry: Entry])[] = [
  ...Object.entries(primitives).map(([name, entry]) => ['primitives', name, entry] as const),
  ...Object.entries(functions).map(([name, entry]) => ['functions', name, entry] as const),
  ...Object.entries(layers).map(([name, entry]) => ['layers', name, entry] as const),
]

const some = (entry: Entry, dtype: DType, holds: (c: Case) => boolean): boolean =>
  fc.sample(entry.cases(dtype), { seed: 1, numRuns: 5 }).some(holds)

/** Whether a suite has something to check in an entry. */
export const applies = (name: string, entry: Entry): boolean => {
  const smooth = entry.differentiableIn.length > 0
  if (name === 'errors') return entry.errors.length > 0
  if (name === 'shapes' || name === 'vmap') return true
  if (name === 'ends')
    return (
      kindsAt(entry).length > 0 &&
      some(entry, entry.dtypes[0] ?? 'f64', (c) => c.inputs.length > 0 && c.oracle !== undefined)
    )
  if (name === 'values') return some(entry, entry.dtypes[0] ?? 'f64', (c) => c.oracle !== undefined)
  if (name !== 'adjoint' || smooth) return smooth
  return entry.dtypes.includes('f64') && some(entry, 'f64', (c) => c.inputs.some((x) => x.dtype === 'f64'))
}

/** Runs one suite on one entry: `scale` times its short run, and more where the entry has weight. */
export const runSuite = async (
  name: string,
  kind: keyof Runs,
  subject: string,
  entry: Entry,
  { seed, scale, on }: ProofOptions & Pick<SuiteOptions, 'on'>,
): Promise<Tally> => {
  const found = suites[name]
  if (found === undefined) throw new Error(`there is no suite '${name}'`)
  const runs = Math.ceil(found.runs[kind] * scale * entry.weight)
  return found.suite(subject, entry, { seed, runs, ...(on === undefined ? {} : { on }) })
}

/** How much of everything to run. */
export interface ProofOptions {
  readonly seed: number
  /** The short run times this many. */
  readonly scale: number
}

/** The suites of derivatives, which run on one configuration: the usual one, and others besides. */
export const derivativeSuites: readonly string[] = [
  'gradient',
  'secondOrder',
  'forwardOverReverse',
  'adjoint',
  'vmapDerivatives',
]

/** Suites on everything they apply to, one tally after the other; all of them by default. Throws at the first check that fails. */
export const allSuites = async function* (
  options: ProofOptions & Pick<SuiteOptions, 'on'>,
  names: readonly string[] = Object.keys(suites),
): AsyncIterable<Tally> {
  for (const name of names)
    for (const [kind, subject, entry] of subjects)
      if (applies(name, entry)) yield await runSuite(name, kind, subject, entry, options)
}
