/**
 * Places of a picture that are found again in another cut of the same photograph, and what they look like: extrema of the differences of
 * {@link scaleSpace}, described by the directions of the light around them. Upright: photographs of one scene are not turned.
 */
import { at } from '../../prelude/array.ts'
import { deviationOf, scaleSpace, valueAt, type Grey, type Octave } from './scaleSpace.ts'

/** A place, in pixels of the picture. */
export interface Keypoint {
  readonly y: number
  readonly x: number
  /** The deviation of the blur at which it stands out, in pixels: how large it is. */
  readonly size: number
  /** What is around it: `cells`×`cells`×4 numbers ≥ 0, of length one. */
  readonly descriptor: Float32Array
}

/** Cells a side of a descriptor, and samples a side of a cell. */
const cells = 4
const samples = 4

/** Numbers of a descriptor. */
export const descriptorLength = cells * cells * 4

/** Samples are this many deviations apart. */
const spacing = 0.75

/** Keypoints of a picture, at most: the strongest. */
const most = 60

/** What stands out less, of 255, is noise. */
const faintest = 1.2

/** Along an edge a place is not fixed: the two curvatures may differ by this factor at most (Lowe 2004, section 4.1). */
const edge = 10

interface Extremum {
  readonly octave: Octave
  readonly y: number
  readonly x: number
  readonly level: number
  readonly strength: number
}

/** Whether a value is the largest (or, for a negative one, the smallest) of the 27 around it. */
const standsOut = (layers: readonly Grey[], i: number, width: number, value: number): boolean => {
  const sign = Math.sign(value)
  for (const [l, layer] of layers.entries())
    for (let dy = -width; dy <= width; dy += width)
      for (let dx = -1; dx <= 1; dx++) {
        if (l === 1 && dy === 0 && dx === 0) continue
        if (sign * (layer.values[i + dy + dx] ?? 0) >= sign * value) return false
      }
  return true
}

/** Whether it bends in both directions. */
const isNoEdge = ({ width, values }: Grey, i: number): boolean => {
  const v = (j: number): number => values[i + j] ?? 0
  const xx = v(1) + v(-1) - 2 * v(0)
  const yy = v(width) + v(-width) - 2 * v(0)
  const xy = (v(width + 1) + v(-width - 1) - v(width - 1) - v(-width + 1)) / 4
  const determinant = xx * yy - xy * xy
  return determinant > 0 && (xx + yy) ** 2 * edge < (edge + 1) ** 2 * determinant
}

/** Where a parabola through three values has its end, −½ … ½ from the middle one. */
const peak = (before: number, middle: number, after: number): number => {
  const bend = before + after - 2 * middle
  return bend === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend)))
}

/** The extrema of one difference, which lies between two others. */
const extremaOf = (octave: Octave, level: number): readonly Extremum[] => {
  const layers = octave.differences.slice(level - 1, level + 2)
  const [below, own, above] = layers
  if (below === undefined || own === undefined || above === undefined) return []
  const found: Extremum[] = []
  const { height, width, values } = own
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      const value = values[i] ?? 0
      if (Math.abs(value) < faintest || !standsOut(layers, i, width, value) || !isNoEdge(own, i)) continue
      const v = (j: number): number => values[i + j] ?? 0
      found.push({
        octave,
        y: y + peak(v(-width), value, v(width)),
        x: x + peak(v(-1), value, v(1)),
        level: level + peak(below.values[i] ?? 0, value, above.values[i] ?? 0),
        strength: Math.abs(value),
      })
    }
  return found
}

/** The samples around a place, and one more on each side. */
const around = 2 + cells * samples

/** The light around an extremum, at the blur at which it stands out: `[around, around]`. */
const samplesAround = ({ octave, y, x, level }: Extremum): Float32Array => {
  const step = spacing * deviationOf(level)
  const grey = at(octave.levels, Math.round(level))
  const out = new Float32Array(around * around)
  for (let j = 0; j < around; j++)
    for (let i = 0; i < around; i++)
      out[j * around + i] = valueAt(grey, y + (j - (around - 1) / 2) * step, x + (i - (around - 1) / 2) * step)
  return out
}

/** How much light grows to the right, to the left, downwards and upwards, in each cell; of length one. */
const descriptorOf = (extremum: Extremum): Float32Array => {
  const light = samplesAround(extremum)
  const v = (place: number): number => light[place] ?? 0
  const out = new Float32Array(descriptorLength)
  const add = (place: number, amount: number): void => {
    out[place] = (out[place] ?? 0) + Math.abs(amount)
  }
  for (let j = 1; j < around - 1; j++)
    for (let i = 1; i < around - 1; i++) {
      const middle = j * around + i
      const right = v(middle + 1) - v(middle - 1)
      const down = v(middle + around) - v(middle - around)
      const cell = (Math.floor((j - 1) / samples) * cells + Math.floor((i - 1) / samples)) * 4
      add(right > 0 ? cell : cell + 1, right)
      add(down > 0 ? cell + 2 : cell + 3, down)
    }
  const length = Math.sqrt(out.reduce((sum, value) => sum + value * value, 0))
  return length === 0 ? out : out.map((value) => value / length)
}

/** The strongest keypoints of a picture, the strongest first. */
export const keypointsOf = (grey: Grey): readonly Keypoint[] =>
  scaleSpace(grey)
    .flatMap((octave) => octave.differences.flatMap((_, level) => extremaOf(octave, level)))
    .toSorted((a, b) => b.strength - a.strength)
    .slice(0, most)
    .map((extremum) => ({
      y: extremum.y * extremum.octave.pixel,
      x: extremum.x * extremum.octave.pixel,
      size: deviationOf(extremum.level) * extremum.octave.pixel,
      descriptor: descriptorOf(extremum),
    }))
