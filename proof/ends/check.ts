/** The differences that were found against those that are meant: neither side may have one that the other lacks. */
import type { Device } from '../../src/tensor/device.ts'
import { differencesOf, type Difference, type Float } from './compare.ts'
import { deviations, type Exception } from './exceptions.ts'
import { readEnds, type EndCase } from './golden.ts'

/** Where a difference lies, as exceptions name it. */
const placeOf = ({ subject, label, role, name }: Difference): string =>
  [subject, label, `${role} ${name}`.trim()].join(' / ')

const meant = (exception: Exception, { role, index, fathom }: Difference): boolean => {
  const instead = exception.fathom
  if (instead === 'accepts') return role === 'error' && fathom === ''
  if (instead === 'refuses') return role === 'error' && fathom !== ''
  const expected = instead[index]
  return expected !== undefined && typeof fathom === 'number' && Object.is(expected, fathom)
}

const show = (d: Difference): string =>
  `${placeOf(d)}[${d.index}]: PyTorch has ${d.torch === '' ? 'no error' : d.torch}, fathom ${d.fathom === '' ? 'no error' : d.fathom}`

/** What was compared, and what is wrong: differences that no exception means, and exceptions that are none. */
export interface Checked {
  readonly cases: number
  readonly wrong: readonly string[]
}

const expectedOf = ({ fathom }: Exception): number => (typeof fathom === 'string' ? 1 : Object.keys(fathom).length)

/** All cases on one device in one dtype. */
export const checkEnds = async (
  device: Device,
  float: Float,
  cases: readonly EndCase[] = readEnds().cases,
): Promise<Checked> => {
  const found = (await Promise.all(cases.map(async (c) => differencesOf(device, c, float)))).flat()
  const exceptions = deviations
    .flatMap((d) => d.exceptions)
    .filter(
      ({ at, only }) => (only ?? float) === float && cases.some((c) => at.startsWith(`${c.subject} / ${c.label} / `)),
    )
  const covered = (d: Difference): boolean => exceptions.some((e) => e.at === placeOf(d) && meant(e, d))
  const unused = exceptions.filter(
    (e) => found.filter((d) => e.at === placeOf(d) && meant(e, d)).length !== expectedOf(e),
  )
  return {
    cases: cases.length,
    wrong: [
      ...found.filter((d) => !covered(d)).map(show),
      ...unused.map(({ at }) => `${at}: an exception of exceptions.ts is no longer true of all that it lists`),
    ],
  }
}
