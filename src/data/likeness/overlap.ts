/**
 * Whether two pictures are cut from one photograph, so that parts of them show the same: a scale and a shift under which several
 * keypoints fall on one another, and then the pixels too.
 */
import { at } from '../../prelude/array.ts'
import type { Keypoint } from './keypoints.ts'
import { valueAt, type Grey } from './scaleSpace.ts'

/** A keypoint of one picture and one of another that look alike. */
export type Match = readonly [a: Keypoint, b: Keypoint]

/** Where a place of one picture lies in the other: b = scale · a + (down, right). */
export interface Placing {
  readonly scale: number
  readonly down: number
  readonly right: number
}

/** Keypoints this near fall on one another: a fiftieth of a side, in pixels of the second picture. */
const nearest = 0.02

/** Two matches fix a placing when they are this far apart, in pixels. */
const apart = 10

/** Pictures of more different scale have too little in common. */
const mostScale = 2.5

/** How many matches must agree, how much of the smaller share the two must have in common, and how well its pixels must agree. */
const leastAgreeing = 4
const leastShare = 0.15
const leastCorrelation = 0.87

/** Whether two sizes are the same but for the steps in which they are found. */
const sizesAgree = (a: number, b: number): boolean => Math.max(a / b, b / a) < 1.5

/** The placing that two matches fix, if they fix one that does not turn. */
const placingOf = ([a, b]: Match, [c, d]: Match): Placing | undefined => {
  const [ay, ax, by, bx] = [c.y - a.y, c.x - a.x, d.y - b.y, d.x - b.x]
  const length = ay * ay + ax * ax
  if (length < apart * apart) return undefined
  const scale = (ay * by + ax * bx) / length
  if (scale < 1 / mostScale || scale > mostScale) return undefined
  const turned = (ay * bx - ax * by) / length / scale
  const stretched = (by * by + bx * bx) / length / (scale * scale) - 1 - turned * turned
  if (Math.abs(turned) > 0.1 || Math.abs(stretched) > 0.1) return undefined
  if (![a.size, c.size].every((size, i) => sizesAgree(size * scale, i === 0 ? b.size : d.size))) return undefined
  return { scale, down: b.y - scale * a.y, right: b.x - scale * a.x }
}

const agreeing = (matches: readonly Match[], { scale, down, right }: Placing, near: number): readonly Match[] =>
  matches.filter(([a, b]) => Math.max(Math.abs(scale * a.y + down - b.y), Math.abs(scale * a.x + right - b.x)) < near)

/** How many keypoints of the first picture agree; one that is alike to several counts once. */
const agreement = (matches: readonly Match[]): number =>
  Math.min(new Set(matches.map(([a]) => a)).size, new Set(matches.map(([, b]) => b)).size)

/** Matches that are looked at: the first, which are of the strongest keypoints. */
const mostMatches = 40

/** The placing by least squares. */
const fitted = (matches: readonly Match[]): Placing => {
  const mean = (of: (match: Match) => number): number =>
    matches.reduce((sum, match) => sum + of(match), 0) / matches.length
  const [ay, ax, by, bx] = [mean(([a]) => a.y), mean(([a]) => a.x), mean(([, b]) => b.y), mean(([, b]) => b.x)]
  const scale =
    mean(([a, b]) => (a.y - ay) * (b.y - by) + (a.x - ax) * (b.x - bx)) /
    mean(([a]) => (a.y - ay) ** 2 + (a.x - ax) ** 2)
  return { scale, down: by - scale * ay, right: bx - scale * ax }
}

/** Where most matches agree, if enough do. */
export const bestPlacing = (all: readonly Match[], side: number): Placing | undefined => {
  const matches = all.slice(0, mostMatches)
  let best: readonly Match[] = []
  for (let i = 0; i < matches.length; i++)
    for (let j = i + 1; j < matches.length; j++) {
      const placing = placingOf(at(matches, i), at(matches, j))
      if (placing === undefined) continue
      const those = agreeing(matches, placing, nearest * side)
      if (those.length > best.length && agreement(those) > agreement(best)) best = those
    }
  return agreement(best) < leastAgreeing ? undefined : fitted(best)
}

/** Samples a side of what two pictures have in common. */
const samples = 16

/** The correlation of two lists of numbers; 0 where one has no contrast. */
const correlation = (a: readonly number[], b: readonly number[]): number => {
  const mean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length
  const [ma, mb] = [mean(a), mean(b)]
  const [sa, sb] = [a.reduce((sum, x) => sum + (x - ma) ** 2, 0), b.reduce((sum, x) => sum + (x - mb) ** 2, 0)]
  const both = a.reduce((sum, x, i) => sum + (x - ma) * (at(b, i) - mb), 0)
  return sa * sb === 0 ? 0 : both / Math.sqrt(sa * sb)
}

/** Takes each row's mean away: sky above water is in every picture of the sea, and says nothing. */
const withoutRows = (values: readonly number[]): readonly number[] => {
  const means = Array.from({ length: samples }, (_, y) => {
    const row = values.slice(y * samples, (y + 1) * samples)
    return row.reduce((sum, value) => sum + value, 0) / samples
  })
  return values.map((value, i) => value - at(means, Math.floor(i / samples)))
}

/** Whether the pixels agree where two pictures lie on one another. The pictures are blurred ones. */
export const pixelsAgree = (a: Grey, b: Grey, { scale, down, right }: Placing): boolean => {
  const [top, left] = [Math.max(0, -down / scale), Math.max(0, -right / scale)]
  const height = Math.min(a.height, (b.height - down) / scale) - top
  const width = Math.min(a.width, (b.width - right) / scale) - left
  if (height <= 0 || width <= 0) return false
  const share = (height * width * Math.max(1, scale * scale)) / (a.height * a.width)
  if (share < leastShare) return false
  const places = Array.from({ length: samples * samples }, (_, i): readonly [number, number] => [
    top + ((Math.floor(i / samples) + 0.5) / samples) * height,
    left + (((i % samples) + 0.5) / samples) * width,
  ])
  const inA = places.map(([y, x]) => valueAt(a, y - 0.5, x - 0.5))
  const inB = places.map(([y, x]) => valueAt(b, scale * y + down - 0.5, scale * x + right - 0.5))
  return correlation(withoutRows(inA), withoutRows(inB)) > leastCorrelation
}
