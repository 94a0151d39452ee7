/** Histograms of each factor, generated over real: one frame a factor. */
import { at, range } from '../../src/prelude/array.ts'
import { colors, document, legend, px, text } from '../svg.ts'
import { factors } from '../../src/evaluation/scenes/factors.ts'
import type { FactorReport } from './sceneReport.ts'

const bins = 16
const [columns, frameWidth, frameHeight, gap, left, top] = [2, 380, 130, 60, 24, 100] as const

/** The share of the values in each of equal bins over [low, high]; 1 is the width of all. */
export const histogram = (values: readonly number[], low: number, high: number, count: number): readonly number[] => {
  const shares = Array.from({ length: count }, () => 0)
  for (const value of values) {
    const bin = Math.max(0, Math.min(count - 1, Math.floor(((value - low) / (high - low)) * count)))
    shares[bin] = at(shares, bin) + 1 / values.length
  }
  return shares
}

/** The outline of a histogram as steps, from the frame's lower left corner. */
const outline = (shares: readonly number[], x: number, bottom: number, scale: number): string => {
  const step = frameWidth / shares.length
  const steps = shares.map((share) => `V${px(bottom - share * scale)}h${px(step)}`)
  return `M${px(x)} ${px(bottom)}${steps.join('')}V${px(bottom)}`
}

const frame = ({ factor, values, ratio }: FactorReport, i: number): string => {
  const x = left + (i % columns) * (frameWidth + gap)
  const y = top + Math.floor(i / columns) * (frameHeight + gap)
  const all = [...values.generated, ...values.real]
  const [low, most] = [Math.min(...all), Math.max(...all)]
  const high = most > low ? most : low + 1
  const [generated, real] = [values.generated, values.real].map((v) => histogram(v, low, high, bins))
  const scale = frameHeight / Math.max(...(generated ?? []), ...(real ?? []))
  const bottom = y + frameHeight
  const { label, unit } = factors[factor]
  return [
    text(x, y - 8, `${label} · ${ratio.toFixed(1)} × the noise`, 'font-weight="600"'),
    `<path d="${outline(real ?? [], x, bottom, scale)}" fill="${colors[0]}" fill-opacity="0.25"/>`,
    `<path d="${outline(generated ?? [], x, bottom, scale)}" fill="none" stroke="${colors[1]}" stroke-width="2"/>`,
    ...[0, 0.5, 1].map((t) =>
      text(
        x + t * frameWidth,
        bottom + 16,
        `${(low + t * (high - low)).toFixed(0)}${t === 1 ? ` ${unit}` : ''}`,
        `text-anchor="${t === 0 ? 'start' : t === 1 ? 'end' : 'middle'}"`,
      ),
    ),
  ].join('')
}

/** Draws the histograms of a report. */
export const histogramChart = (reports: readonly FactorReport[]): string => {
  const rows = Math.ceil(reports.length / columns)
  return document(
    2 * left + columns * frameWidth + (columns - 1) * gap,
    top + rows * (frameHeight + gap),
    'Factors of scenes: generated and real',
    [...legend(24, 60, ['real', 'generated']), ...range(reports.length).map((i) => frame(at(reports, i), i))],
  )
}
