/** What PyTorch makes of the ends (test/golden/torch/ends.json), as ends.py wrote it. */
import { readFileSync } from 'node:fs'
import type { DType } from '../../src/graph/dtype.ts'

/** Numbers in a shape, as PyTorch has them. */
export interface Numbers {
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly data: readonly number[]
}

/** One case: attributes and inputs, and what came of them: results and gradients by name, or the error. */
export interface EndCase {
  readonly subject: string
  readonly label: string
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: ReadonlyMap<string, Numbers>
  readonly results: ReadonlyMap<string, Numbers>
  readonly gradients: ReadonlyMap<string, Numbers>
  /** Present where PyTorch refuses. */
  readonly error?: string
  /** Whether the gradient is of Σ (i + 1)·yᵢ, and not of Σ yᵢ. */
  readonly ramp: boolean
}

interface Stored {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: readonly (number | string)[]
}

type StoredNamed = Readonly<Record<string, Stored>>

interface StoredCase {
  readonly attrs: Readonly<Record<string, unknown>>
  readonly inputs: StoredNamed
  readonly results?: StoredNamed
  readonly gradients?: StoredNamed
  readonly error?: string
}

interface File {
  readonly torch: string
  readonly subjects: Readonly<
    Record<string, { readonly ramp: boolean; readonly cases: Readonly<Record<string, StoredCase>> }>
  >
}

const dtypes: Readonly<Record<string, DType>> = {
  float64: 'f64',
  float32: 'f32',
  int32: 'i32',
  int64: 'i32',
  uint8: 'u8',
  bool: 'bool',
}

const words: Readonly<Record<string, number>> = { NaN, '∞': Infinity, '-∞': -Infinity, '-0': -0 }

const numberOf = (x: number | string): number => {
  const value = typeof x === 'number' ? x : words[x]
  if (value === undefined) throw new Error(`ends.json: '${x}' is no number`)
  return value
}

const numbersOf = ({ shape, dtype, data }: Stored): Numbers => {
  const known = dtypes[dtype]
  if (known === undefined) throw new Error(`ends.json: there is no dtype '${dtype}'`)
  return { shape, dtype: known, data: data.map(numberOf) }
}

const named = (stored: StoredNamed = {}): ReadonlyMap<string, Numbers> =>
  new Map(Object.entries(stored).map(([name, x]) => [name, numbersOf(x)]))

const caseOf = (subject: string, label: string, ramp: boolean, c: StoredCase): EndCase => ({
  subject,
  label,
  attrs: c.attrs,
  inputs: named(c.inputs),
  results: named(c.results),
  gradients: named(c.gradients),
  ...(c.error === undefined ? {} : { error: c.error }),
  ramp,
})

const file = new URL('../../test/golden/torch/ends.json', import.meta.url)

/** All cases, and the version of PyTorch that computed them. */
export const readEnds = (): { readonly torch: string; readonly cases: readonly EndCase[] } => {
  const { torch, subjects } = JSON.parse(readFileSync(file, 'utf8')) as File
  return {
    torch,
    cases: Object.entries(subjects).flatMap(([subject, { ramp, cases }]) =>
      Object.entries(cases).map(([label, c]) => caseOf(subject, label, ramp, c)),
    ),
  }
}
