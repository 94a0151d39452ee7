/** The tables of docs/proof/accuracy.md: rows that were measured replace those of the same function, and the others stay. */
import { boundOf, normalBound, rowBoundOf } from './bounds.ts'
import type { NormalReading } from './normals.ts'
import type { RowReading } from './rows.ts'
import { dtypes, names, type Readings } from './suite.ts'
import type { Reading } from './sweep.ts'
import type { FloatType, Measure } from './ulp.ts'

/** A table stands between `<!-- accuracy: name -->` and `<!-- end -->`. */
const tableOf = (name: string): RegExp => new RegExp(`(<!-- accuracy: ${name} -->\n\n)[\\s\\S]*?(\n\n<!-- end -->)`)

type Row = readonly string[]

const line = (cells: Row): string => `| ${cells.join(' | ')} |`

const superscript = (n: number): string =>
  [...String(n)].map((c) => (c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'.charAt(Number(c)))).join('')

/** 1.234·10⁻⁵, or 1234 as it stands. */
const figure = (x: number, digits = 3): string => {
  if (x === 0 || !Number.isFinite(x)) return String(x).replace('Infinity', '∞')
  const a = Math.abs(x)
  if (a >= 1e-3 && a < 1e5)
    return a < 10 ** (digits - 1) ? x.toPrecision(digits) : String(Number(x.toPrecision(digits)))
  const [significand = '', exponent = ''] = x.toExponential(digits - 1).split('e')
  return `${significand}·10${superscript(Number(exponent))}`
}

/** An argument, with as many digits as single it out. */
const argument = (x: number, dtype: FloatType): string =>
  String(dtype === 'f64' ? x : Number(x.toPrecision(9))).replace('Infinity', '∞')

/** A bound as it is written: 2⁵³ where no digit is promised. */
const plain = (bound: number): string =>
  bound >= 2 ** 10 && Number.isInteger(Math.log2(bound)) ? `2${superscript(Math.log2(bound))}` : String(bound)

/** How many arguments: 2³² of a whole sweep, 1,048,576 of another. */
const amount = (n: number): string =>
  n >= 2 ** 32 ? (n === 2 ** 32 ? '2³²' : `2³² + ${(n - 2 ** 32).toLocaleString('en')}`) : n.toLocaleString('en')

/** What has the same key, together, in the order of the first of each. */
const grouped = <T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] =>
  [...new Set(items.map(keyOf))].map((key) => items.filter((item) => keyOf(item) === key))

/** Readings of equal measure as one, under the backend's name if all its forms are among them. */
const byMeasure = <T extends { readonly device: string; readonly measure: Measure }>(
  readings: readonly T[],
): readonly T[] => {
  const backendOf = ({ device }: T): string => device.split(',')[0] ?? device
  const groups = grouped(readings, (r) => JSON.stringify([backendOf(r), r.measure]))
  return groups.flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const backend = backendOf(first)
    const isWhole = group.length > 1 && group.length === readings.filter((r) => backendOf(r) === backend).length
    return [{ ...first, device: isWhole ? backend : group.map((r) => r.device).join(' and ') }]
  })
}

const scalarRow = ({ name, device, dtype, measure: m }: Reading): Row => [
  name,
  device,
  amount(m.inputs),
  figure(m.maxUlp, 4),
  argument(m.worstAt, dtype),
  figure(m.sumUlp / m.judged),
  figure(m.maxRelative),
  m.wrong === 0 ? '0' : `${m.wrong.toLocaleString('en')}, first at ${argument(m.wrongAt, dtype)}`,
  plain(boundOf(device, name, dtype).ulp),
]

const rowRow = ({ name, inputs, device, measure: m, rowUlp }: RowReading): Row => [
  name,
  inputs,
  device,
  amount(m.inputs),
  figure(rowUlp, 4),
  figure(m.maxUlp, 4),
  figure(m.sumUlp / m.judged),
  String(m.wrong),
  String(rowBoundOf(device, name, inputs) ?? 'none'),
]

const normalRow = (r: NormalReading): Row => [
  r.source,
  amount(r.inputs),
  figure(r.maxError),
  `0x${r.worstAt.toString(16).padStart(8, '0')}`,
  figure(r.meanError),
  figure(r.maxUlpInTails),
  figure(normalBound),
]

/** The rows of a table, new ones in place of old ones that begin with the same function, all in the order of {@link names}. */
const merged = (old: readonly string[], fresh: readonly Row[]): readonly string[] => {
  const nameOf = (row: string): string => row.split(' | ')[0]?.replace('| ', '') ?? ''
  const measured = new Set(fresh.map(([name]) => name))
  const rows = [...old.filter((row) => !measured.has(nameOf(row))), ...fresh.map(line)]
  return rows
    .map((row) => ({ row, place: names.indexOf(nameOf(row)) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ row }) => row)
}

const withRows = (page: string, table: string, fresh: readonly Row[]): string => {
  if (fresh.length === 0) return page
  const found = tableOf(table).exec(page)
  if (found === null) throw new Error(`accuracy: the page has no table '${table}' between its two comments`)
  const [whole, before = '', after = ''] = found
  const [head = '', rule = '', ...old] = whole.slice(before.length, whole.length - after.length).split('\n')
  return page.replace(whole, () => [before + head, rule, ...merged(old, fresh)].join('\n') + after)
}

/** The page with what was measured in its tables. */
export const updatedPage = (page: string, { scalars, rows, normals }: Readings): string => {
  const scalarRows = grouped(scalars, (r) => `${r.name} ${r.dtype}`).flatMap(byMeasure)
  const kinds = grouped(rows, (r) => `${r.name} ${r.inputs}`).flatMap(byMeasure)
  const withScalars = dtypes.reduce(
    (text, dtype) => withRows(text, dtype, scalarRows.filter((r) => r.dtype === dtype).map(scalarRow)),
    page,
  )
  const withKinds = withRows(withScalars, 'rows', kinds.map(rowRow))
  return withRows(withKinds, 'normals', normals.map(normalRow))
}
