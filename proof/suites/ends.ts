/**
 * Values at the ends against the oracle: whatever an entry draws is drawn again with NaN, infinities, zeros of both signs, equal elements, a
 * large common offset or the ends of an integer dtype in place of its numbers. Axes without elements are the suite of shapes' affair, signs
 * of zeros and gradients that of the table against PyTorch (proof/ends).
 */
import fc from 'fast-check'
import type { DType } from '../../src/graph/dtype.ts'
import { count, stored, type NdArray } from '../array.ts'
import { specification, wasm } from '../devices.ts'
import { endKinds, isFloating, type Case, type EndKind, type Entry } from '../registry/entry.ts'
import type { Tally } from '../tally.ts'
import { checkCases, usual, type Suite } from './suite.ts'
import { checkValues } from './values.ts'

/** Leaves three bits of a float's significand, and more, for what lies above it. */
const offsets: { readonly [K in DType]?: number } = { f64: 2 ** 40, f32: 2 ** 20, f16: 2 ** 8 }

const extremes: { readonly [K in DType]?: readonly number[] } = {
  i32: [-(2 ** 31), 2 ** 31 - 1, -1, 0, 1],
  u32: [0, 2 ** 32 - 1, 1],
  u8: [0, 255, 1],
}

const oneOf = (...values: readonly number[]): fc.Arbitrary<number> => fc.constantFrom(...values)

/** `x` itself three times of five, else one of the values. */
const among = (x: number, ...values: readonly number[]): fc.Arbitrary<number> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(x) }, { weight: 2, arbitrary: oneOf(...values) })

/** Kind → what becomes of a number. */
const replacements: { readonly [K in EndKind]: (x: number, dtype: DType) => fc.Arbitrary<number> } = {
  NaN: (x) => among(x, NaN),
  infinities: (x) => among(x, Infinity, -Infinity),
  zeros: (x) => among(x, 0, -0),
  ties: () => oneOf(1, 1, 2),
  offset: (x, dtype) => fc.constant(stored(dtype, x + (offsets[dtype] ?? 0))),
  integers: (x, dtype) => among(x, ...(extremes[dtype] ?? [])),
}

const takes = (kind: EndKind, dtype: DType): boolean => isFloating(dtype) !== (kind === 'integers') && dtype !== 'bool'

const replaced = (x: NdArray, kind: EndKind, dtype: DType): fc.Arbitrary<NdArray> =>
  x.dtype === dtype && count(x.shape) > 0
    ? fc.tuple(...x.data.map((e) => replacements[kind](e, dtype))).map((data) => ({ ...x, data }))
    : fc.constant(x)

const hasNumbers =
  (dtype: DType) =>
  ({ inputs }: Case): boolean =>
    inputs.some((x) => x.dtype === dtype && count(x.shape) > 0)

/** Cases of an entry with numbers of a kind, or undefined where it takes no such numbers in any dtype. */
const casesAt = (entry: Entry, kind: EndKind): fc.Arbitrary<Case> | undefined => {
  const drawn = (dtype: DType): readonly Case[] => fc.sample(entry.cases(dtype), { seed: 1, numRuns: 20 })
  const dtypes = entry.dtypes.filter((d) => takes(kind, d) && drawn(d).some(hasNumbers(d)))
  if (dtypes.length === 0) return undefined
  return fc.constantFrom(...dtypes).chain((dtype) =>
    entry
      .cases(dtype)
      .filter(hasNumbers(dtype))
      .chain((c) =>
        fc.tuple(...c.inputs.map((x) => replaced(x, kind, dtype))).map((inputs): Case => ({ ...c, inputs })),
      ),
  )
}

/** Where the cases are run: forms that compute in different ways. */
const forms = [specification, usual, wasm]

/** The kinds that an entry is tried with. */
export const kindsAt = ({ ends }: Entry): readonly EndKind[] =>
  typeof ends === 'string' ? [] : endKinds.filter((kind) => ends[kind] === undefined)

/** As many cases of each kind as asked for: the values are the oracle's. One check a case and form. */
export const ends: Suite = async (subject, entry, { seed, runs }) => {
  const devices = forms.map((form) => [form, form.open()] as const)
  const tallies: Tally[] = []
  try {
    for (const kind of kindsAt(entry)) {
      const cases = casesAt(entry, kind)
      if (cases === undefined) continue
      const check = async (c: Case): ReturnType<typeof checkValues> => checkValues(devices, entry, c)
      tallies.push(await checkCases(`ends (${kind})`, subject, cases, { seed, runs }, check))
    }
  } finally {
    for (const [, device] of devices) await device.close()
  }
  const checks = tallies.reduce((sum, t) => sum + t.checks, 0)
  return { suite: 'ends', subject, seed, checks, worst: Math.max(0, ...tallies.map((t) => t.worst)) }
}
