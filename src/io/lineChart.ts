/**
 * A line chart as SVG text: what a run's loss curve is drawn with, and below it, where there are some, small charts of what the loss consists of.
 * No dependency, the same text for the same numbers.
 *
 * A series of many points is drawn twice: its points thin and pale, and a smoothed line over them. Smoothing runs
 * forwards and backwards, so that the curve does not lag behind its data as TensorBoard's does.
 */
import { requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { coordinate, drawSeries, drawTicks, escapeXml, text, xAxis, yAxis, type Frame, type Point } from './plot.ts'

/** A named line; points are [x, y] in any order. Points with NaN or ∞ (or, on a log axis, y ≤ 0) are left out. */
export type ChartSeries = { readonly name: string; readonly points: readonly (readonly [number, number])[] }

/** What to draw. */
export type LineChart = {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly ChartSeries[]
  /** Whether y is drawn logarithmically. */
  readonly logY?: boolean
  /** Small charts below, each of one series and with an axis of its own: logarithmic where no value of it is below 0. */
  readonly panels?: readonly ChartSeries[]
}

const width = 840
const height = 460
const frame: Frame = { left: 72, right: width - 24, top: 84, bottom: height - 56 }
const colors = ['#0b6e99', '#d9622b', '#2a9d6f', '#8a4f9e', '#b8860b', '#5b6b7b']

/** Small charts stand in rows of three. */
const columns = 3
const panel = { width: width / columns, height: 190, left: 60, right: 18, top: 40, bottom: 36 } as const

const fonts = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"

/** Points that can be drawn, from left to right. */
const drawableIn = (points: readonly Point[], logY: boolean): readonly Point[] =>
  points
    .filter(([px, py]) => Number.isFinite(px) && Number.isFinite(py) && (!logY || py > 0))
    .toSorted((a, b) => a[0] - b[0])

const nameAxes = (chart: LineChart): string => {
  const middle = (frame.top + frame.bottom) / 2
  return [
    text((frame.left + frame.right) / 2, height - 14, chart.xLabel, 'text-anchor="middle" fill="#44515e"'),
    text(
      18,
      middle,
      chart.logY === true ? `${chart.yLabel} (log)` : chart.yLabel,
      `text-anchor="middle" fill="#44515e" transform="rotate(-90 18 ${middle})"`,
    ),
  ].join('\n')
}

/** The small chart of a place in the rows below. */
const drawPanel = ({ name, points }: ChartSeries, place: number): string => {
  const [left, top] = [(place % columns) * panel.width, height + Math.floor(place / columns) * panel.height]
  const inner: Frame = {
    left: left + panel.left,
    right: left + panel.width - panel.right,
    top: top + panel.top,
    bottom: top + panel.height - panel.bottom,
  }
  const isLog = points.every(([, y]) => !(y < 0)) && points.some(([, y]) => y > 0)
  const drawable = drawableIn(points, isLog)
  const [x, y] = [xAxis(drawable, inner), yAxis(drawable, inner, isLog)]
  return [
    text(inner.left, inner.top - 12, isLog ? `${name} (log)` : name, 'font-weight="600" fill="#2b3642"'),
    ...drawTicks(x, y, inner),
    drawSeries(drawable, x, y, at(colors, 0), isLog),
  ].join('\n')
}

/** Names beside their colours, in a row that starts anew when it is full; about 7.2 px a letter. */
const drawLegend = (series: readonly ChartSeries[]): string => {
  let px = frame.left
  let py = 62
  return series
    .map(({ name }, i) => {
      const length = 30 + name.length * 7.2
      if (px + length > frame.right && px > frame.left) {
        px = frame.left
        py += 16
      }
      const stroke = `stroke="${at(colors, i % colors.length)}" stroke-width="3" stroke-linecap="round"`
      const mark = `<path d="M${coordinate(px)} ${py - 4}h16" ${stroke}/>`
      const entry = mark + text(px + 22, py, name, 'fill="#2b3642"')
      px += length + 16
      return entry
    })
    .join('\n')
}

/**
 * Draws a chart of 840 × 460 on white, and panels in rows of three below it.
 *
 * @returns the text of an SVG document; with no drawable point it says "no data yet"
 * @example
 * ```ts
 * import { lineChart } from 'fathom/io'
 *
 * const svg = lineChart({
 *   title: 'Loss',
 *   xLabel: 'step',
 *   yLabel: 'mean squared error',
 *   series: [{ name: 'training', points: [[0, 1], [100, 0.1]] }],
 *   logY: true,
 * })
 * svg.startsWith('<svg') // => true
 * ```
 */
export const lineChart = (chart: LineChart): string => {
  requireKnown('lineChart', chart, ['title', 'xLabel', 'yLabel', 'series', 'logY', 'panels'])
  const { panels = [], logY = false } = chart
  const drawable = chart.series.map(({ points }) => drawableIn(points, logY))
  const all = drawable.flat()
  const [x, y] = [xAxis(all, frame), yAxis(all, frame, logY)]
  const lines = drawable.map((points, i) => drawSeries(points, x, y, at(colors, i % colors.length), logY))
  const empty = text(
    (frame.left + frame.right) / 2,
    (frame.top + frame.bottom) / 2,
    'no data yet',
    'text-anchor="middle" font-size="16" fill="#8b98a5"',
  )
  const whole = height + Math.ceil(panels.length / columns) * panel.height
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${whole}" width="${width}" height="${whole}" ` +
      `role="img" aria-label="${escapeXml(chart.title)}" font-family="${fonts}" font-size="12" fill="#66727f">`,
    `<rect width="${width}" height="${whole}" fill="#ffffff"/>`,
    text(frame.left, 34, chart.title, 'font-size="18" font-weight="600" fill="#15212d"'),
    drawLegend(chart.series),
    ...drawTicks(x, y, frame),
    nameAxes(chart),
    ...(all.length === 0 ? [empty] : lines),
    ...panels.map(drawPanel),
    '</svg>\n',
  ].join('\n')
}
