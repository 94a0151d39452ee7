/**
 * The forms that a contraction can take, best guess first. Which is fastest no one knows but the machine: caches, registers and schedulers differ. All
 * give the same sums, in other orders.
 */
import type { Target } from '../target.ts'
import { extentsOf, readsAcross, readsColumns, type Extents, type TileContraction } from './axes.ts'
import { invocationsOf, sharedBytes, type TileShape } from './shared.ts'
import { rightOf, type Contracting } from './walk.ts'

/** How a contraction is computed. */
export interface Form {
  /** Tiles of a workgroup; without them each invocation reads for itself. */
  readonly shape?: TileShape
  /** Parts into which sums are cut. */
  readonly parts: number
}

/** A form in words, by which it is kept. */
export const nameOfForm = ({ shape, parts }: Form): string => {
  if (shape === undefined) return `direct, parts ${parts}`
  const { rows, columns, depth, eachRows, eachColumns } = shape
  return `${rows}×${columns}×${depth} of ${eachRows}×${eachColumns}, parts ${parts}`
}

const tile = (rows: number, columns: number, depth: number, eachRows: number, eachColumns: number): TileShape => ({
  rows,
  columns,
  depth,
  eachRows,
  eachColumns,
})

/** From the largest, which reads least, to those that occupy a GPU with few results. */
const shapes: readonly TileShape[] = [
  tile(128, 128, 8, 8, 8),
  tile(128, 64, 8, 8, 4),
  tile(64, 64, 16, 4, 4),
  tile(128, 32, 8, 8, 4),
  tile(32, 64, 16, 4, 4),
  tile(64, 32, 16, 4, 4),
  tile(32, 32, 16, 4, 4),
]

/** Workgroups that occupy a GPU of tens of cores, and the invocations of the direct form that do. */
const [enoughGroups, enoughInvocations] = [128, 8192]

/** Terms that a part has at least: fewer are not worth a second pass over the results. */
const partLength = 512

/** Parts are no more than this: each is one more copy of the results. */
const mostParts = 64

const groupsOf = ({ batch, rows, columns }: Extents, shape: TileShape): number =>
  batch * Math.ceil(rows / shape.rows) * Math.ceil(columns / shape.columns)

/** Terms that are summed one after the other at most, as long as parts take no more scratch memory than this: errors grow with their number. */
const [longestSum, mostPartial] = [8192, 2 ** 24]

const partsFor = ({ batch, rows, columns, depth }: Extents, units: number, enough: number): number => {
  const worthwhile = Math.min(Math.ceil(enough / units), Math.floor(depth / partLength))
  const accurate = Math.min(Math.ceil(depth / longestSum), Math.floor(mostPartial / (batch * rows * columns)))
  return Math.max(1, Math.min(Math.max(worthwhile, accurate), mostParts))
}

/** The results that a shape computes for nothing, as a part of all. */
const wasted = (extents: Extents, shape: TileShape): number =>
  1 - (extents.batch * extents.rows * extents.columns) / (groupsOf(extents, shape) * shape.rows * shape.columns)

const directForm = (contraction: TileContraction): Form => {
  const extents = extentsOf(contraction)
  const { batch, rows, columns } = extents
  const tiles = batch * Math.ceil(rows / 4) * Math.ceil(columns / 4)
  const outermost = contraction.depth[0]?.length ?? 1
  return { parts: Math.max(1, Math.min(partsFor(extents, tiles, enoughInvocations), outermost)) } // of no terms, too
}

/** Shapes that are tried beside the direct form: the best guess, and those that are next to it in size. */
const mostTried = 5

const nearest = (possible: readonly TileShape[], best: TileShape): readonly TileShape[] => {
  const place = possible.indexOf(best)
  return possible
    .map((shape, i) => ({ shape, distance: Math.abs(i - place) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, mostTried)
    .map(({ shape }) => shape)
}

/** The forms of a contraction on a device, the best guess first. */
export const formsOf = (
  contraction: TileContraction,
  { software, invocations, workgroupBytes }: Target,
): readonly Form[] => {
  const alone = directForm(contraction)
  const extents = extentsOf(contraction)
  if (software || extents.depth < 8 || extents.columns < 8 || extents.rows < 8) return [alone]
  const possible = shapes.filter(
    (shape) =>
      invocationsOf(shape) <= invocations && sharedBytes(shape) <= workgroupBytes && wasted(extents, shape) <= 0.75,
  )
  const occupying = possible.find((shape) => wasted(extents, shape) <= 0.3 && groupsOf(extents, shape) >= enoughGroups)
  const best = occupying ?? possible.toSorted((a, b) => wasted(extents, a) - wasted(extents, b))[0]
  const ordered = best === undefined ? [] : nearest(possible, best)
  return [
    ...ordered.map((shape): Form => ({
      shape,
      parts: partsFor(extents, groupsOf(extents, shape), enoughGroups),
    })),
    alone,
  ]
}

/** What the speed of a contraction depends on, as a key: contractions with the same one are computed in the same form. */
export const shapeClassOf = (kernel: Contracting, contraction: TileContraction): string => {
  const { batch, rows, columns, depth } = extentsOf(contraction)
  const order = `${readsAcross(contraction) ? 'rows' : 'terms'} ${readsColumns(contraction) ? 'columns' : 'terms'}`
  const dtypes = [kernel.x, rightOf(kernel), kernel].map(({ dtype }) => dtype).join(' ')
  const borders = contraction.borders.some((border) => border !== undefined) ? ' borders' : ''
  return `${kernel.kind} ${batch}×${rows}×${columns}×${depth} ${dtypes}, by ${order}${borders}`
}
