/** The roofline (Williams, Waterman & Patterson 2009) with measurements as points, both axes logarithmic. */
import type { MachinePeak } from '../src/compiler/profile.ts'
import { range } from '../src/prelude/array.ts'
import type { Measurement } from './report.ts'
import { colors, document, escapeXml, legend, px, text } from './svg.ts'

const [width, height] = [840, 520]
const frame = { left: 72, right: width - 24, top: 84, bottom: height - 56 }

interface Scale {
  readonly place: (value: number) => number
  readonly ticks: readonly number[]
}

const logScale = (values: readonly number[], from: number, to: number): Scale => {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  return {
    place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from),
    ticks: range(high - low + 1).map((i) => 10 ** (low + i)),
  }
}

const grid = (x: Scale, y: Scale): readonly string[] => [
  ...x.ticks.map(
    (tick) =>
      `<path d="M${px(x.place(tick))} ${frame.top}V${frame.bottom}" stroke="#f1f4f7"/>` +
      text(x.place(tick), frame.bottom + 18, String(tick), 'text-anchor="middle"'),
  ),
  ...y.ticks.map(
    (tick) =>
      `<path d="M${frame.left} ${px(y.place(tick))}H${frame.right}" stroke="#e4e9ee"/>` +
      text(frame.left - 8, y.place(tick) + 4, String(tick), 'text-anchor="end"'),
  ),
  text((frame.left + frame.right) / 2, height - 14, 'FLOPs for each byte of traffic', 'text-anchor="middle"'),
  text(18, 270, 'GFLOP/s', 'text-anchor="middle" transform="rotate(-90 18 270)"'),
]

/** Draws the roof of the machine and the measurements below it, a colour for each backend, or for each group of one backend's. */
export const rooflineChart = (measurements: readonly Measurement[], peak: MachinePeak): string => {
  const points = measurements.filter((m) => m.flops > 0 && m.bytes > 0)
  const intensity = (m: Measurement): number => m.flops / m.bytes
  const ridge = peak.flopsPerSecond / peak.bytesPerSecond
  const top = peak.flopsPerSecond / 1e9
  const x = logScale([...points.map(intensity), ridge], frame.left, frame.right)
  const y = logScale([...points.map((m) => m.gflops), top], frame.bottom, frame.top)
  const lowest = Math.max(x.ticks[0] ?? 1, ((y.ticks[0] ?? 1) * 1e9) / peak.bytesPerSecond)
  const roof =
    `M${px(x.place(lowest))} ${px(y.place((lowest * peak.bytesPerSecond) / 1e9))}` +
    `L${px(x.place(ridge))} ${px(y.place(top))}H${frame.right}`
  const isOne = new Set(points.map((m) => m.backend)).size <= 1
  const seriesOf = (m: Measurement): string => (isOne ? m.group : m.backend)
  const series = [...new Set(points.map(seriesOf))]
  const dots = points.map((m) => {
    const color = colors[series.indexOf(seriesOf(m)) % colors.length]
    const at = `cx="${px(x.place(intensity(m)))}" cy="${px(y.place(m.gflops))}"`
    return `<circle ${at} r="4" fill="${color}" fill-opacity="0.8"><title>${escapeXml(m.name)}: ${m.gflops.toFixed(1)} GFLOP/s</title></circle>`
  })
  return document(width, height, 'Roofline, from this machine’s measured peaks', [
    ...legend(24, 60, series),
    ...grid(x, y),
    `<path d="${roof}" fill="none" stroke="#15212d" stroke-width="2"/>`,
    ...dots,
  ])
}
