/**
 * Where the horizon stands, from the pixels alone: the row across which most columns turn darker.
 *
 * The sky is lightest above the horizon, where the air is thick, and water mirrors a part of it: so the picture darkens
 * there, in nearly every column. Boats and stones stand in a few columns, and a median does not see them. Fog hides the
 * horizon from this estimator as from the eye, and a dark coast may be taken for water.
 */
import { at, range } from '../../prelude/array.ts'
import { median } from '../statistics.ts'
import { lumaRows, type Picture } from './picture.ts'

/**
 * The part of the height in which a horizon is sought: a tenth wider on both sides than the seas' own 0.34 … 0.58. Lower
 * down, waves near the camera are steeper than the horizon: sought in 0.15 … 0.82, it is three rows off in 16 % of the
 * seas of 32×32, and here in 10 %.
 */
const [highest, lowest] = [0.25, 0.68]

/** How much darker row `below` is than row `above` in the middle one of all columns. */
const drop = (rows: readonly (readonly number[])[], above: number, below: number): number =>
  median(at(rows, above).map((y, x) => y - at(at(rows, below), x)))

/**
 * The horizon of a picture of at least four rows.
 *
 * @returns the fraction of the picture above it, to a part of a row
 */
export const horizonOf = (picture: Picture): number => {
  const { height } = picture
  const rows = lumaRows(picture)
  const [from, to] = [Math.max(1, Math.floor(highest * height)), Math.min(height - 2, Math.ceil(lowest * height))]
  // The row that holds the horizon is part sky and part water, so the drop goes from the row above it to the row below.
  const drops = range(to - from).map((i) => drop(rows, from + i - 1, from + i + 1))
  const row = from + drops.indexOf(Math.max(...drops))
  // How much of that row is sky: the share of the drop that lies below it.
  const [into, out] = [Math.max(0, drop(rows, row - 1, row)), Math.max(0, drop(rows, row, row + 1))]
  return (row + (into + out > 0 ? out / (into + out) : 0.5)) / height
}
