/**
 * A picture at many blurs, in which places stand out: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004.
 *
 * The blur is a repeated [1 2 1]/4, whose variance grows by ½ with each pass: sums and products alone, so the same on every machine.
 */

/** A picture of one channel, row by row. */
export interface Grey {
  readonly height: number
  readonly width: number
  readonly values: Float32Array
}

/** Passes up to each level of an octave: the variance grows by about 1.6 from one to the next, so the deviation by 2^⅓. */
const passes = [2, 3, 5, 8, 13, 20] as const

/** The level that, halved, begins the next octave: it has four times the variance of the first. */
const halvedLevel = 3

/** Octaves: the coarsest keypoints are about 20 of 128 pixels wide. */
const octaves = 3

/** An octave: its blurred pictures, their differences, and how many pixels of the picture one of its own is. */
export interface Octave {
  readonly pixel: number
  readonly levels: readonly Grey[]
  readonly differences: readonly Grey[]
}

/** The standard deviation of level `level`, in pixels of the octave; between levels too. */
export const deviationOf = (level: number): number => {
  const low = Math.max(0, Math.min(passes.length - 2, Math.floor(level)))
  const [from = 1, to = 1] = passes.slice(low, low + 2)
  return Math.sqrt((from + (to - from) * (level - low)) / 2)
}

/** One pass along one direction; beyond the edges stands the last pixel. */
const pass = ({ height, width, values }: Grey, step: 1 | 0): Grey => {
  const out = new Float32Array(values.length)
  const reach = step === 1 ? 1 : width
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x
      const place = step === 1 ? x : y
      const before = place > 0 ? i - reach : i
      const after = place < (step === 1 ? width : height) - 1 ? i + reach : i
      out[i] = ((values[before] ?? 0) + 2 * (values[i] ?? 0) + (values[after] ?? 0)) / 4
    }
  return { height, width, values: out }
}

/** A picture after so many passes in both directions. */
export const blurredBy = (grey: Grey, count: number): Grey => {
  let now = grey
  for (let i = 0; i < count; i++) now = pass(pass(now, 1), 0)
  return now
}

const differenceOf = (a: Grey, b: Grey): Grey => ({
  ...a,
  values: a.values.map((value, i) => (b.values[i] ?? 0) - value),
})

/** Every second pixel of every second row. */
const halved = ({ height, width, values }: Grey): Grey => {
  const [h, w] = [Math.floor(height / 2), Math.floor(width / 2)]
  const out = new Float32Array(h * w)
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) out[y * w + x] = values[2 * y * width + 2 * x] ?? 0
  return { height: h, width: w, values: out }
}

/** Levels from a picture that has been blurred by `done` passes. */
const levelsFrom = (grey: Grey, done: number): readonly Grey[] => {
  const levels: Grey[] = []
  let now = grey
  let so = done
  for (const count of passes) {
    now = blurredBy(now, count - so)
    so = count
    levels.push(now)
  }
  return levels
}

/** The octaves of a picture. */
export const scaleSpace = (grey: Grey): readonly Octave[] => {
  const found: Octave[] = []
  let [next, done] = [grey, 0]
  for (let octave = 0; octave < octaves && Math.min(next.height, next.width) >= 12; octave++) {
    const levels = levelsFrom(next, done)
    const differences = levels.slice(1).map((level, i) => differenceOf(levels[i] ?? level, level))
    found.push({ pixel: 2 ** octave, levels, differences })
    next = halved(levels[halvedLevel] ?? next)
    done = passes[0]
  }
  return found
}

/** The value at a place between pixels, from the four around it; beyond the edges stands the last pixel. */
export const valueAt = ({ height, width, values }: Grey, y: number, x: number): number => {
  const [v, h] = [Math.max(0, Math.min(height - 1, y)), Math.max(0, Math.min(width - 1, x))]
  const [top, left] = [Math.min(height - 2, Math.floor(v)), Math.min(width - 2, Math.floor(h))]
  const [low, far] = [v - top, h - left]
  const i = top * width + left
  const upper = (1 - far) * (values[i] ?? 0) + far * (values[i + 1] ?? 0)
  const lower = (1 - far) * (values[i + width] ?? 0) + far * (values[i + width + 1] ?? 0)
  return (1 - low) * upper + low * lower
}
