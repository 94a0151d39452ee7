/** Shares of the machine's peak as bars: a row for each subject, a bar for each backend. */
import type { Measurement } from './report.ts'
import { colors, document, legend, px, text } from './svg.ts'

const [width, left, right, top] = [840, 340, 120, 84]
const [bar, gap] = [14, 8]

/** Draws the measurements. */
export const barChart = (measurements: readonly Measurement[]): string => {
  const names = [...new Set(measurements.map((m) => m.name))]
  const backends = [...new Set(measurements.map((m) => m.backend))]
  const place = (share: number): number => left + Math.min(1, share) * (width - left - right)
  let y = top
  const rows = names.map((name) => {
    const own = measurements.filter((m) => m.name === name)
    const label = text(left - 12, y + (own.length * bar) / 2 + 4, name, 'text-anchor="end"')
    const bars = own.map((m) => {
      const color = colors[backends.indexOf(m.backend) % colors.length]
      const length = Math.max(1, place(m.ofPeak) - left)
      const value = `${(100 * m.ofPeak).toFixed(0)} % · ${m.gflops.toFixed(1)} GFLOP/s`
      const drawn =
        `<rect x="${left}" y="${px(y + 1)}" width="${px(length)}" height="${bar - 2}" rx="2" fill="${color}"/>` +
        text(left + length + 6, y + bar - 3, value, 'font-size="11"')
      y += bar
      return drawn
    })
    y += gap
    return label + bars.join('')
  })
  const bottom = y
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<path d="M${px(place(share))} ${top - 6}V${bottom}" stroke="#e4e9ee"/>` +
      text(place(share), bottom + 16, `${100 * share} %`, 'text-anchor="middle"'),
  )
  return document(width, bottom + 32, 'Share of the measured peak of the machine', [
    ...legend(24, 60, backends),
    ...grid,
    ...rows,
  ])
}
