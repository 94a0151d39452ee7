/**
 * Which convolutions Winograd's algorithms compute, and as which products: for each point of a tile, out[rows, columns] = Σ x[rows, depth] ·
 * y[depth, columns], where x and y are transformed tiles [tile, point, channel], and either of tiles and channels is the depth.
 */
import { at, product } from '../../prelude/array.ts'
import type { ConvKernel, Operand } from '../kernel.ts'
import type { TransformName, Winograd } from './winograd.ts'

/** Which algorithm F(m, 3): by m, the outputs along an axis. Its tiles have m + 2 points along one. */
export type Outputs = Winograd['outputs']

/** Points of a tile along an axis. */
export const pointsAlong = (outputs: Outputs): number => outputs + 2

/** Tiles over the rows and columns of images. */
export interface Grid {
  /** Tiles along rows and columns. */
  readonly tiles: readonly [number, number]
  /** Pixels of a tile along each axis, and from one tile's first to the next's. */
  readonly side: number
  readonly step: number
  /** How far the first tile begins before the first pixel. */
  readonly low: readonly [number, number]
}

/** An array whose tiles are transformed: axes of its view by their roles. */
export interface Tiled {
  readonly operand: Operand
  /** The axes of images, of their rows and columns, and of channels, which are neighbours in memory. */
  readonly axes: readonly [images: number, rows: number, columns: number, channels: number]
  readonly grid: Grid
  readonly transform: TransformName
  /** Which of its two is contracted. */
  readonly depth: Part
}

/** What transformed tiles have besides their points: either may be the contracted axis of the products. */
export type Part = 'tiles' | 'channels'

/** A convolution as products. */
export interface Products {
  readonly x: Tiled
  readonly y: Tiled
  /** How sums become pixels of the output. */
  readonly grid: Grid
  readonly transform: TransformName
}

const none = [0, 0] as const

/** The nine taps of a filter. */
const taps: Grid = { tiles: [1, 1], side: 3, step: 3, low: none }

/** Tiles over an image of `rows` and `columns`. */
const tilesOver = (rows: number, columns: number, step: number): Grid['tiles'] => [
  Math.ceil(rows / step),
  Math.ceil(columns / step),
]

/** Forward, and the gradient of the input, whose filter lies in memory with its output channels apart. */
const ofImages = ({ x, filter, attrs, shape }: ConvKernel, outputs: Outputs): Products => {
  const step = outputs
  const tiles = tilesOver(at(shape, 1), at(shape, 2), step)
  const isTurned = at(filter.view.strides, 3) !== 1
  return {
    x: {
      operand: x,
      axes: [0, 1, 2, 3],
      grid: { tiles, side: pointsAlong(outputs), step, low: attrs.padLow },
      transform: 'input',
      depth: 'channels',
    },
    y: {
      operand: filter,
      axes: isTurned ? [3, 0, 1, 2] : [2, 0, 1, 3],
      grid: taps,
      transform: 'filter',
      depth: isTurned ? 'channels' : 'tiles',
    },
    grid: { tiles, side: step, step, low: none },
    transform: 'output',
  }
}

/** The gradient of a filter: a convolution over images with channels as their batch, by the cotangent, whose result has the filter's pixels. */
const ofFilter = ({ x, filter: cotangent, attrs }: ConvKernel, outputs: Outputs): Products => {
  const step = outputs
  const tiles = tilesOver(at(cotangent.view.shape, 0), at(cotangent.view.shape, 1), step)
  return {
    x: {
      operand: x,
      axes: [3, 1, 2, 0],
      grid: { tiles, side: pointsAlong(outputs), step, low: attrs.padLow },
      transform: 'input',
      depth: 'tiles',
    },
    y: {
      operand: cotangent,
      axes: [2, 0, 1, 3],
      grid: { tiles, side: step, step, low: none },
      transform: 'outputTransposed',
      depth: 'tiles',
    },
    grid: taps,
    transform: 'filterTransposed',
  }
}

/** Whether channels are neighbours in memory, and whole groups of `lanes`. */
const isTransformable = ({ operand: { view }, axes }: Tiled, lanes: number): boolean =>
  at(view.shape, axes[3]) % lanes === 0 && at(view.strides, axes[3]) === 1

const areOne = (...pairs: readonly (readonly [number, number])[]): boolean => pairs.flat().every((n) => n === 1)

const areThree = (height: number, width: number): boolean => height === 3 && width === 3

/**
 * The convolution as products; undefined where it is none.
 *
 * @param lanes channels that the backend transforms together
 */
export const productsOf = (kernel: ConvKernel, outputs: Outputs, lanes: number): Products | undefined => {
  const { x, filter, attrs, shape, dtype } = kernel
  const { stride, inputDilation, filterDilation, groups } = attrs
  if (!areOne(stride, inputDilation, filterDilation) || groups !== 1) return undefined
  if ([x.dtype, filter.dtype, dtype].some((d) => d !== 'f32')) return undefined
  if ([x.view.shape, filter.view.shape, shape].some((s) => product(s) === 0)) return undefined
  const isForward = areThree(at(filter.view.shape, 0), at(filter.view.shape, 1))
  if (!isForward && !areThree(at(shape, 1), at(shape, 2))) return undefined
  const found = (isForward ? ofImages : ofFilter)(kernel, outputs)
  const isWhole = at(shape, 3) % lanes === 0
  return isWhole && isTransformable(found.x, lanes) && isTransformable(found.y, lanes) ? found : undefined
}
