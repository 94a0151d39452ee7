/** Points on a way from noise to image, as formulas name them: their signal a and noise s, and the two clocks made of these. */

/** x = a·x₀ + s·ε. */
export interface Point {
  readonly a: number
  readonly s: number
}

/** Signals and noises in two tables of one length. */
export interface PointTables {
  readonly signal: Float64Array
  readonly noise: Float64Array
}

/** The points of levels. */
export const pointsOf = ({ signal, noise }: PointTables): readonly Point[] =>
  Array.from(signal, (a, i) => ({ a, s: noise[i] ?? NaN }))

/** The tables of points. */
export const tablesOf = (points: readonly Point[]): PointTables => ({
  signal: Float64Array.from(points, ({ a }) => a),
  noise: Float64Array.from(points, ({ s }) => s),
})

/** σ = s/a, the noise for its signal: ∞ at pure noise, 0 at the image. */
export const sigma = ({ a, s }: Point): number => s / a

/** λ = ln(a/s), half the logarithm of the signal-to-noise ratio: −∞ at pure noise, ∞ at the image. */
export const lambda = ({ a, s }: Point): number => Math.log(a / s)

/** Where nothing of the image is left. */
const pureNoise: Point = { a: 0, s: 1 }

/** The kinds of ways, each as the point of a σ on it. */
const kinds = {
  /** a² + s² = 1. */
  preserving: (sigma: number): Point => {
    if (sigma === Infinity) return pureNoise
    const a = 1 / Math.sqrt(sigma * sigma + 1)
    return { a, s: sigma * a }
  },
  /** a = 1. */
  exploding: (sigma: number): Point => ({ a: 1, s: sigma }),
  /** a + s = 1. */
  straight: (sigma: number): Point => (sigma === Infinity ? pureNoise : { a: 1 / (1 + sigma), s: sigma / (1 + sigma) }),
}

/** The point of a variance-preserving way with this σ: a² + s² = 1. */
export const preservingPoint = kinds.preserving

const near = (x: number, y: number): boolean => Math.abs(x - y) < 1e-9

/** The point of a σ on the way that these points are on, be it variance-preserving, variance-exploding or a flow's. */
export const wayOf = (who: string, points: readonly Point[]): ((sigma: number) => Point) => {
  if (points.every(({ a, s }) => near(a * a + s * s, 1))) return kinds.preserving
  if (points.every(({ a }) => near(a, 1))) return kinds.exploding
  if (points.every(({ a, s }) => near(a + s, 1))) return kinds.straight
  throw new RangeError(
    `${who}: it asks the network between levels, and these are on no way that is known; take scheduleLevels, karrasLevels or flowLevels`,
  )
}
