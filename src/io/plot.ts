/** Axes and lines of a chart within a frame, as pieces of SVG text. Ticks: steps of 1, 2 or 5 × 10ⁿ (Heckbert 1990, "Nice numbers for graph labels"). */
import { at, range } from '../prelude/array.ts'

/** A place in the units of the data. */
export type Point = readonly [x: number, y: number]

/** Where the lines of a chart lie, in pixels of the page. */
export interface Frame {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/** Values along one side of a frame, and where each lies. */
export type Axis = {
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
  readonly place: (value: number) => number
}

/** A tick for about so many pixels, and four at least. */
const tickEvery = { x: 93, y: 52 } as const

const ticksAlong = (pixels: number, every: number): number => Math.max(4, Math.floor(pixels / every))

/** From this many points a series is smoothed; fewer are drawn as they are, with dots. */
const smoothFrom = 60
const dotsUpTo = 40

/** A text as XML has it. */
export const escapeXml = (text: string): string =>
  text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '').replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)

/** Tenths of a pixel are enough. */
export const coordinate = (value: number): string => String(Math.round(value * 10) / 10)

/** `0.05`, `250`, `12k`, `1.5M`, `2e−7`: as short as it stays exact to three digits. */
const label = (value: number): string => {
  const a = Math.abs(value)
  const text =
    a === 0
      ? '0'
      : a >= 1e9 || a < 1e-3
        ? Number(value.toPrecision(3)).toExponential().replace('e+', 'e')
        : a >= 1e6
          ? `${Number((value / 1e6).toPrecision(4))}M`
          : a >= 1e4
            ? `${Number((value / 1e3).toPrecision(4))}k`
            : String(Number(value.toPrecision(4)))
  return text.replaceAll('-', '−')
}

const niceStep = (span: number, count: number): number => {
  const raw = span / count
  const power = 10 ** Math.floor(Math.log10(raw))
  const ratio = raw / power
  return (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10) * power
}

const linearTicks = (low: number, high: number, count: number): readonly number[] => {
  const step = niceStep(high - low, count)
  const first = Math.ceil(low / step - 1e-9)
  const last = Math.floor(high / step + 1e-9)
  return range(Math.max(0, last - first + 1)).map((i) => Number(((first + i) * step).toPrecision(12)))
}

/** Powers of ten, with 2 and 5 between them over few decades; ordinary ticks where there is less than a decade. */
const logTicks = (low: number, high: number): readonly number[] => {
  const decades = Math.log10(high / low)
  if (decades < 1) return linearTicks(low, high, 5).filter((tick) => tick > 0)
  const every = Math.max(1, Math.ceil(decades / 8))
  const first = Math.floor(Math.log10(low))
  const exponents = range(Math.ceil(decades) + 2)
    .map((i) => first + i)
    .filter((e) => e % every === 0)
  return exponents
    .flatMap((e) => (decades <= 3 ? [1, 2, 5] : [1]).map((m) => Number(`${m}e${e}`)))
    .filter((tick) => tick >= low && tick <= high)
}

const extent = (values: readonly number[]): readonly [number, number] => {
  let low = Infinity
  let high = -Infinity
  for (const v of values) {
    if (v < low) low = v
    if (v > high) high = v
  }
  return low <= high ? [low, high] : [0, 1]
}

/** Room for a single value, and none for the span of two values that are too close to tell apart. */
const widen = ([low, high]: readonly [number, number]): readonly [number, number] => {
  const least = Math.max(Math.abs(low), Math.abs(high)) * 1e-9
  const pad = high - low > least ? 0 : Math.max(Math.abs(low) * 0.5, low === 0 ? 1 : least)
  return [low - pad, high + pad]
}

/** The axis along the bottom. */
export const xAxis = (points: readonly Point[], frame: Frame): Axis => {
  const [low, high] = widen(extent(points.map(([x]) => x)))
  const place = (x: number): number => frame.left + ((x - low) / (high - low)) * (frame.right - frame.left)
  return { low, high, place, ticks: linearTicks(low, high, ticksAlong(frame.right - frame.left, tickEvery.x)) }
}

const linearAxis = (points: readonly Point[], frame: Frame): Axis => {
  const [min, max] = widen(extent(points.map(([, y]) => y)))
  const pad = (max - min) * 0.05
  const [low, high] = [min >= 0 && min < pad * 6 ? 0 : min - pad, max + pad] // a loss near zero stands on zero
  const place = (y: number): number => frame.bottom - ((y - low) / (high - low)) * (frame.bottom - frame.top)
  return { low, high, place, ticks: linearTicks(low, high, ticksAlong(frame.bottom - frame.top, tickEvery.y)) }
}

const logAxis = (points: readonly Point[], frame: Frame): Axis => {
  const [min, max] = points.length === 0 ? [0.1, 1] : extent(points.map(([, y]) => y))
  const pad = max / min > 1 + 1e-9 ? (max / min) ** 0.05 : 2
  const [low, high] = [Math.max(min / pad, Number.MIN_VALUE), Math.min(max * pad, Number.MAX_VALUE)]
  const span = Math.log(high) - Math.log(low)
  const place = (y: number): number =>
    frame.bottom - ((Math.log(y) - Math.log(low)) / span) * (frame.bottom - frame.top)
  return { low, high, place, ticks: logTicks(low, high) }
}

/** The axis along the left. */
export const yAxis = (points: readonly Point[], frame: Frame, isLog: boolean): Axis =>
  isLog ? logAxis(points, frame) : linearAxis(points, frame)

/** The mean of two exponential averages, one forwards and one backwards, each free of start-up bias: no lag. */
const smooth = (points: readonly Point[], logY: boolean): readonly Point[] => {
  const window = Math.max(4, points.length / 80)
  const keep = 1 - 1 / window
  const pass = (ys: readonly number[]): number[] => {
    let sum = 0
    let weight = 0
    return ys.map((y) => {
      sum = sum * keep + y
      weight = weight * keep + 1
      return sum / weight
    })
  }
  const ys = points.map(([, y]) => (logY ? Math.log(y) : y))
  const backwards = pass(ys.toReversed()).toReversed()
  const averaged = pass(ys).map((y, i) => (y + at(backwards, i)) / 2)
  return points.map(([x], i) => [x, logY ? Math.exp(at(averaged, i)) : at(averaged, i)])
}

/** At most four points for each pixel column: its first, lowest, highest and last, so that no spike is lost. */
const thin = (points: readonly Point[], x: Axis): readonly Point[] => {
  if (points.length <= 2 * (x.place(x.high) - x.place(x.low))) return points
  const columns = new Map<number, Point[]>()
  for (const point of points) {
    const column = Math.round(x.place(point[0]))
    const found = columns.get(column)
    if (found) found.push(point)
    else columns.set(column, [point])
  }
  return [...columns.values()].flatMap((column) => {
    const [low, high] = extent(column.map(([, y]) => y))
    const chosen = new Set([
      0,
      column.findIndex(([, y]) => y === low),
      column.findIndex(([, y]) => y === high),
      column.length - 1,
    ])
    return [...chosen].toSorted((a, b) => a - b).map((i) => at(column, i))
  })
}

const path = (points: readonly Point[], x: Axis, y: Axis, style: string): string => {
  const commands = points
    .map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${coordinate(x.place(px))} ${coordinate(y.place(py))}`)
    .join('')
  return `<path d="${commands}" fill="none" stroke-linejoin="round" stroke-linecap="round" ${style}/>`
}

/** A series: smoothed over its points where they are many, with dots where they are few. */
export const drawSeries = (points: readonly Point[], x: Axis, y: Axis, color: string, logY: boolean): string => {
  const line = `stroke="${color}" stroke-width="2"`
  if (points.length >= smoothFrom) {
    return (
      path(thin(points, x), x, y, `stroke="${color}" stroke-width="1" stroke-opacity="0.28"`) +
      path(thin(smooth(points, logY), x), x, y, line)
    )
  }
  const dots =
    points.length > dotsUpTo
      ? []
      : points.map(
          ([px, py]) =>
            `<circle cx="${coordinate(x.place(px))}" cy="${coordinate(y.place(py))}" r="3" fill="${color}"/>`,
        )
  return (points.length > 1 ? path(points, x, y, line) : '') + dots.join('')
}

/** A text at a place. */
export const text = (px: number, py: number, content: string, style: string): string =>
  `<text x="${coordinate(px)}" y="${coordinate(py)}" ${style}>${escapeXml(content)}</text>`

/** Ticks with their lines and numbers, and the line at the bottom. */
export const drawTicks = (x: Axis, y: Axis, frame: Frame): readonly string[] => [
  ...x.ticks.map((tick) => {
    const px = x.place(tick)
    const line = `<path d="M${coordinate(px)} ${frame.top}V${frame.bottom}" stroke="#f1f4f7"/>`
    return line + text(px, frame.bottom + 20, label(tick), 'text-anchor="middle"')
  }),
  ...y.ticks.map((tick) => {
    const py = y.place(tick)
    const line = `<path d="M${frame.left} ${coordinate(py)}H${frame.right}" stroke="#e4e9ee"/>`
    return line + text(frame.left - 10, py + 4, label(tick), 'text-anchor="end"')
  }),
  `<path d="M${frame.left} ${frame.bottom}H${frame.right}" stroke="#8b98a5"/>`,
]
