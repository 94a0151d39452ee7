/** One number of several sets on one line: where the generated pictures stand among sets of known quality. */
import type { SetName } from '../judgement.ts'
import { escaped, px, shown } from './html.ts'
import { setNames, type Measure } from './measures.ts'

const [width, height, margin] = [420, 34, 14] as const
const middle = height / 2

/** The mark of each set around a point: shapes differ as well as colours. */
const marks: { readonly [S in SetName]: (x: number, y: number) => string } = {
  generated: (x, y) => `<path class="generated" d="M${px(x)} ${px(y - 9)}l7 9l-7 9l-7 -9z"/>`,
  real: (x, y) => `<circle class="real" cx="${px(x)}" cy="${px(y)}" r="5.5"/>`,
  reconstructed: (x, y) => `<circle class="reconstructed" cx="${px(x)}" cy="${px(y)}" r="5.5"/>`,
  gaussian: (x, y) => `<rect class="gaussian" x="${px(x - 4.5)}" y="${px(y - 4.5)}" width="9" height="9"/>`,
  blurred: (x, y) => `<path class="blurred" d="M${px(x)} ${px(y - 5.5)}l6 10h-12z"/>`,
  copied: (x, y) => `<path class="copied" d="M${px(x - 4.5)} ${px(y - 4.5)}l9 9m0 -9l-9 9"/>`,
}

/** A mark on its own, for the legend. */
export const legendMark = (set: SetName): string =>
  `<svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">${marks[set](10, 10)}</svg>`

/** The line of a measure. */
export const strip = ({ name, unit, digits, values, interval = [NaN, NaN], target }: Measure): string => {
  const all = [...values.map(([, value]) => value), ...interval, ...(target === undefined ? [] : [target])].filter(
    Number.isFinite,
  )
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const place = (value: number): number =>
    high > low ? margin + ((value - low) / (high - low)) * (width - 2 * margin) : width / 2
  const [from, to] = interval
  const bar = Number.isFinite(from)
    ? `<line class="interval" x1="${px(place(from))}" x2="${px(place(to))}" y1="${middle}" y2="${middle}"/>`
    : ''
  const goal =
    target === undefined
      ? ''
      : `<line class="target" x1="${px(place(target))}" x2="${px(place(target))}" y1="4" y2="${height - 4}"/>`
  // The generated pictures are drawn last, over the others.
  const drawn = values.toReversed().map(([set, value]) => {
    const title = `${setNames[set]}: ${shown(value, digits)}${unit === '' ? '' : ` ${unit}`}`
    return `<g><title>${escaped(title)}</title>${marks[set](place(value), middle)}</g>`
  })
  return [
    `<svg class="strip" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(name)}">`,
    `<line class="axis" x1="${margin}" x2="${width - margin}" y1="${middle}" y2="${middle}"/>`,
    goal,
    bar,
    ...drawn,
    '</svg>',
  ].join('')
}
