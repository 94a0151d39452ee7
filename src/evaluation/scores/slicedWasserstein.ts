/**
 * The sliced Wasserstein distance of patches, by level of the Laplacian pyramid: how far apart the textures of two sets are, at each octave
 * of detail on its own, so that blur (the finest level) is told from wrong colours (the coarsest).
 *
 * Karras, Aila, Laine and Lehtinen 2018, "Progressive Growing of GANs", section 5: 7×7 patches, random directions. Other than there,
 * colours are standardised over both sets together: each set on its own would hide a difference in contrast.
 */
import { at, range } from '../../prelude/array.ts'
import { hostFold, hostUniform, type HostKey } from '../../prelude/threefry.ts'
import { hostNormal } from '../normal.ts'
import { observedLabels, permutationP, type Labels, type Sizes, type Tested } from '../permutations.ts'
import type { Pictures } from '../pictures.ts'
import { mean } from '../statistics.ts'
import { levelsOf, planeOfPicture, pyramid, type Plane } from './laplacian.ts'

/** Patches of each picture and level, and directions onto which they are projected. */
const [patchesEach, directionCount, patchSide] = [32, 32, 7] as const

/** Directions on the unit sphere. */
const directionsOf = (key: HostKey, width: number): readonly Float64Array[] =>
  range(directionCount).map((d) => {
    const direction = Float64Array.from(range(width), (i) => hostNormal(hostFold(key, d), i))
    const length = Math.hypot(...direction)
    return direction.map((x) => x / length)
  })

/** Mean and deviation of each channel over all planes. */
const colours = (planes: readonly Plane[]): readonly { readonly middle: number; readonly spread: number }[] =>
  range(3).map((c) => {
    let [sum, squares, count] = [0, 0, 0]
    for (const { values } of planes)
      for (let i = c; i < values.length; i += 3) {
        sum += values[i] ?? 0
        squares += (values[i] ?? 0) ** 2
        count++
      }
    const middle = sum / count
    // A channel that is the same everywhere is left as it is.
    return { middle, spread: Math.sqrt(Math.max(0, squares / count - middle ** 2)) || 1 }
  })

/** Projections of the patches of one plane: [directions][patches]. */
const projected = (
  plane: Plane,
  key: HostKey,
  side: number,
  directions: readonly Float64Array[],
  standard: ReturnType<typeof colours>,
): readonly Float64Array[] => {
  const { height, width, values } = plane
  const results = directions.map(() => new Float64Array(patchesEach))
  const patch = new Float64Array(side * side * 3)
  for (let p = 0; p < patchesEach; p++) {
    const top = Math.floor(hostUniform(key, 2 * p) * (height - side + 1))
    const left = Math.floor(hostUniform(key, 2 * p + 1) * (width - side + 1))
    for (let i = 0; i < patch.length; i++) {
      const [c, x, y] = [i % 3, Math.floor(i / 3) % side, Math.floor(i / 3 / side)]
      const { middle, spread } = at(standard, c)
      patch[i] = ((values[((top + y) * width + left + x) * 3 + c] ?? 0) - middle) / spread
    }
    directions.forEach((direction, d) => {
      let sum = 0
      for (let i = 0; i < patch.length; i++) sum += (direction[i] ?? 0) * (patch[i] ?? 0)
      at(results, d)[p] = sum
    })
  }
  return results
}

/** Numbers of all pictures in order, as the places of their pictures and the gaps between them. */
interface Sorted {
  readonly pictures: Int32Array
  readonly gaps: Float64Array
}

/** @param each the numbers of each picture */
const sortedOf = (each: readonly Float64Array[]): Sorted => {
  const values = Float64Array.from(each.flatMap((numbers) => [...numbers]))
  const places = Int32Array.from(values.keys()).toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0))
  const value = (i: number): number => values[places[i] ?? 0] ?? 0
  return {
    pictures: places.map((place) => Math.floor(place / patchesEach)),
    gaps: Float64Array.from(range(places.length), (i) => (i + 1 < places.length ? value(i + 1) - value(i) : 0)),
  }
}

/** W₁ = ∫ |F − G| dx of the numbers of both labels. @param steps by how much a number of each picture raises F − G */
const distanceOf = ({ pictures, gaps }: Sorted, steps: Float64Array): number => {
  let [area, difference] = [0, 0]
  for (let i = 0; i < pictures.length; i++) {
    difference += steps[pictures[i] ?? 0] ?? 0
    area += Math.abs(difference) * (gaps[i] ?? 0)
  }
  return area
}

/** The distance of one level. */
export interface LevelDistance extends Tested {
  /** The longer side of the level's pictures, in pixels. */
  readonly side: number
}

const levelDistance = (
  planes: readonly Plane[],
  key: HostKey,
  sizes: Sizes,
  permuted: readonly Labels[],
): LevelDistance => {
  const { height, width } = at(planes, 0)
  const side = Math.min(patchSide, height, width)
  const directions = directionsOf(hostFold(key, 0), side * side * 3)
  const standard = colours(planes)
  const projections = planes.map((plane, i) =>
    projected(plane, hostFold(hostFold(key, 1), i), side, directions, standard),
  )
  const sorted = directions.map((_, d) => sortedOf(projections.map((each) => at(each, d))))
  const [first, second] = sizes
  const distance = (labels: Labels): number => {
    const steps = Float64Array.from(labels, (label) => (label === 1 ? 1 / first : -1 / second) / patchesEach)
    return mean(sorted.map((s) => distanceOf(s, steps)))
  }
  const value = distance(observedLabels(sizes))
  return { side: Math.max(height, width), value, p: permutationP(value, permuted.map(distance)) }
}

/**
 * The sliced Wasserstein distance of each level, the finest first: the mean over directions of W₁ of the projected patches, in deviations of
 * a pixel.
 *
 * @param a RGB, as `b`
 * @param permuted assignments of labels to whole pictures, from which p is taken
 */
export const slicedWasserstein = (
  a: Pictures,
  b: Pictures,
  key: HostKey,
  permuted: readonly Labels[],
): readonly LevelDistance[] => {
  const levels = levelsOf(a)
  const all = [...a.pictures, ...b.pictures].map((pixels) => pyramid(planeOfPicture(a, pixels), levels))
  const sizes: Sizes = [a.pictures.length, b.pictures.length]
  return range(levels).map((level) =>
    levelDistance(
      all.map((planes) => at(planes, level)),
      hostFold(key, level),
      sizes,
      permuted,
    ),
  )
}
