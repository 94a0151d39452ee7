/** The table of ends as a page: what PyTorch has, and what fathom has where it differs. */
import { absent, renamed } from './absent.ts'
import { deviations, type Exception } from './exceptions.ts'
import type { EndCase, Numbers } from './golden.ts'

const digits = (x: number): string => {
  if (Number.isNaN(x)) return 'NaN'
  if (!Number.isFinite(x)) return x > 0 ? '∞' : '−∞'
  if (x === 0) return Object.is(x, -0) ? '−0' : '0'
  const text = Number.isInteger(x) && Math.abs(x) < 2 ** 33 ? String(x) : String(Number(x.toPrecision(4)))
  return text.replaceAll('-', '−')
}

/** Rows are divided by semicolons, those of the innermost axis by commas; a tensor without elements is its shape. */
const array = ({ shape, data }: Numbers, instead: (index: number) => string = () => ''): string => {
  if (data.length === 0) return `of shape [${shape.join(', ')}]`
  const width = shape.at(-1) ?? 1
  return data.map((x, i) => `${i === 0 ? '' : i % width === 0 ? '; ' : ', '}${digits(x)}${instead(i)}`).join('')
}

const attribute = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(attribute).join(', ')}]` : String(value)

const given = ({ inputs, attrs }: EndCase): string =>
  [
    ...[...inputs].map(([name, x]) => `${name}: ${x.dtype === 'f64' ? '' : `${x.dtype} `}${array(x)}`),
    ...Object.entries(attrs).map(([name, value]) => `${name}: ${attribute(value)}`),
  ].join('<br>')

interface Numbered extends Exception {
  readonly number: number
}

const numbered: readonly Numbered[] = deviations.flatMap(({ exceptions }, i) =>
  exceptions.map((e) => ({ ...e, number: i + 1 })),
)

const note = ({ number, only }: Numbered): string => `<sup>${number}${only === undefined ? '' : `, ${only}`}</sup>`

const exceptionAt = (place: string): Numbered | undefined => numbered.find((e) => e.at === place)

const arrays = (c: EndCase, role: 'results' | 'gradients'): string =>
  [...c[role]]
    .map(([name, x]) => {
      const exception = exceptionAt([c.subject, c.label, `${role} ${name}`.trim()].join(' / '))
      const instead = (i: number): string => {
        if (exception === undefined || typeof exception.fathom === 'string') return ''
        const own = exception.fathom[i]
        return own === undefined ? '' : ` (**${digits(own)}**${note(exception)})`
      }
      return `${name === '' ? '' : `${name}: `}${array(x, instead)}`
    })
    .join('<br>')

const refused = (c: EndCase): string => {
  const exception = exceptionAt(`${c.subject} / ${c.label} / error`)
  if (exception === undefined) return c.error === undefined ? '' : 'an error'
  return c.error === undefined ? `(**an error**${note(exception)})` : `an error (**none**${note(exception)})`
}

const line = (c: EndCase): string =>
  `| \`${c.subject}\` | ${c.label} | ${given(c)} | ${[arrays(c, 'results'), refused(c)].filter((x) => x !== '').join(' ')} | ${arrays(c, 'gradients')} |`

/** The page. */
export const endsPage = (torch: string, cases: readonly EndCase[]): string =>
  [
    '# Ends',
    '',
    'Written by `npm run ends`; `test/proof/ends.test.ts` holds cpu and wasm to it, in f64 and in f32. What functions and losses make of NaN,',
    '±∞, −0, equal elements, nothing at all, large offsets and integers: the values and gradients of PyTorch',
    `${torch}, made by \`test/golden/torch/ends.py\`: ${cases.length} cases. **Bold in brackets** stands what fathom has where it differs, with`,
    'the number of its reason. NaN and infinities are the same and finite numbers near; zeros of results have the same sign, those of',
    'gradients need not. Gradients are of Σ yᵢ for functions of single elements and losses, of Σ (i + 1)·yᵢ for all others.',
    '',
    '## Where fathom differs, and why',
    '',
    ...deviations.map(({ reason }, i) => `${i + 1}. ${reason}`),
    '',
    '## Without a row',
    '',
    ...Object.entries(absent).map(([name, why]) => `- \`${name}\`: ${why}`),
    ...Object.entries(renamed).map(([name, other]) => `- \`${name}\`: stands as \`${other}\``),
    '',
    '## The table',
    '',
    '| function | case | given | result | gradient |',
    '|---|---|---|---|---|',
    ...cases.map(line),
    '',
  ].join('\n')
