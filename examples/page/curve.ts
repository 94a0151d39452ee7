/** The losses of a run as a curve of bounded length: each point is the mean of equally many steps, and of twice as many once there are too many points. */

/** A point: the last of its steps, and the mean of their losses. */
export type Point = readonly [step: number, loss: number]

/** A curve. */
export interface Curve {
  /** Steps a point. */
  readonly every: number
  readonly points: readonly Point[]
  /** Losses that do not make a point yet. */
  readonly rest: readonly number[]
}

/** Most points: more than a chart has pixels to show. */
const most = 1024

/** A curve without points. */
export const emptyCurve: Curve = { every: 1, points: [], rest: [] }

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length

/** Pairs of points as one. */
const halved = (points: readonly Point[]): readonly Point[] =>
  points.flatMap(([step, loss], i) => (i % 2 === 1 ? [[step, mean([points[i - 1]?.[1] ?? loss, loss])] as const] : []))

/** The curve with the loss of one step more. */
export const extended = ({ every, points, rest }: Curve, step: number, loss: number): Curve => {
  const losses = [...rest, loss]
  if (losses.length < every) return { every, points, rest: losses }
  const all = [...points, [step, mean(losses)] as const]
  return all.length < most ? { every, points: all, rest: [] } : { every: 2 * every, points: halved(all), rest: [] }
}

/** The curve smoothed forwards and backwards, so that it does not lag. @param width of what is averaged, in points */
export const smoothed = (points: readonly Point[], width: number): readonly Point[] => {
  const keep = Math.exp(-1 / Math.max(1e-9, width))
  const pass = (values: readonly number[]): readonly number[] => {
    let [sum, weight] = [0, 0]
    return values.map((value) => {
      ;[sum, weight] = [sum * keep + value, weight * keep + 1]
      return sum / weight
    })
  }
  const logs = points.map(([, loss]) => Math.log(loss))
  const [there, back] = [pass(logs), pass(logs.toReversed()).toReversed()]
  return points.map(([step], i) => [step, Math.exp(((there[i] ?? 0) + (back[i] ?? 0)) / 2)])
}
