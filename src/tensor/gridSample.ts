/** Sampling an image where a grid says (Jaderberg et al. 2015, "Spatial transformer networks", section 3.3): differentiable in both. */
import { at } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { showShape } from '../graph/shape.ts'
import { gather } from './combine.ts'
import { iota } from './create.ts'
import { expectImages, expectTensor } from './expect.ts'
import { widened } from './precision.ts'
import { isDifferentiable, type Tensor } from './tensor.ts'

/** How a grid is read; PyTorch's meaning of each. */
export interface GridSampleOptions {
  /** Linear between the four neighbours (default), or the nearest of them. */
  readonly mode?: 'bilinear' | 'nearest'
  /** What is outside: zeros (default), or the nearest pixel at the border. */
  readonly padding?: 'zeros' | 'border'
  /** Whether −1 and 1 are the middles of the corner pixels, or (default) the corners of the image. */
  readonly alignCorners?: boolean
}

/** From [−1, 1] to pixels, of which the first has its middle at 0. */
const unnormalized = (g: Tensor, length: number, alignCorners: boolean): Tensor =>
  alignCorners
    ? g.add(1).mul((length - 1) / 2)
    : g
        .add(1)
        .mul(length / 2)
        .sub(0.5)

/** Within [0, length − 1]; no gradient flows where the border stops a coordinate, as in PyTorch. NaN stays. */
const clipped = (p: Tensor, length: number): Tensor => {
  const last = length - 1
  return p
    .greater(0)
    .or(p.equal(p).not())
    .select(p.less(last).or(p.equal(p).not()).select(p, last), 0)
}

/** The nearest whole number, of two the even one. */
const rounded = (p: Tensor): Tensor => p.round().stopGradient()

/** The pixels at whole coordinates [N, H', W'], 0 outside. Halves hold no whole number above 2048, and f32 none above 2²⁴. */
const pixelsAt = (x: Tensor, column: Tensor, row: Tensor): Tensor => {
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)]
  const outside = column
    .less(0)
    .or(column.greater(w - 1))
    .or(row.less(0))
    .or(row.greater(h - 1))
  const counted = (p: Tensor): Tensor => (h * w > 2 ** 24 ? outside.select(0, p).cast('i32') : widened(p))
  const place = counted(row).mul(w).add(counted(column))
  const index = outside
    .select(0, place)
    .cast('i32')
    .add(iota(row.shape, 0).mul(h * w))
  const pixels = gather(x.reshape([n * h * w, c]), index.reshape([index.size])).reshape([...index.shape, c])
  return outside.expandDims(-1).select(0, pixels)
}

const requireGrid = (x: Tensor, grid: Tensor): void => {
  expectImages('gridSample', x)
  expectTensor('gridSample', grid)
  const where = `gridSample: images ${x.dtype}${showShape(x.shape)} and grid ${grid.dtype}${showShape(grid.shape)}`
  if (grid.rank !== 4 || at(grid.shape, 3) !== 2 || at(grid.shape, 0) !== at(x.shape, 0))
    throw new ShapeError(`${where}; the grid is [N, H', W', 2] of the same N, with x before y`)
  if (!isDifferentiable(x) || x.dtype !== grid.dtype)
    throw new DTypeError(`${where}; both are floats of one dtype: cast one of them`)
  if (at(x.shape, 1) === 0 || at(x.shape, 2) === 0) throw new ShapeError(`${where}; the images have no pixels`)
}

/** The option, or an error that says which there are. */
const requireOne = (name: string, value: string, known: readonly string[]): void => {
  if (!known.includes(value))
    throw new RangeError(`gridSample: the ${name} is '${value}'; it must be ${known.join(' or ')}`)
}

/**
 * The images at the places of a grid: `[N, H, W, C], [N, H', W', 2] → [N, H', W', C]`. A place is (x, y), −1 the left or upper end and 1 the
 * other, as in PyTorch.
 *
 * @throws ShapeError or DTypeError for a grid that does not fit
 * @example
 * ```ts
 * import { gridSample, tensor } from 'fathom'
 *
 * const x = tensor([1, 2, 3, 4]).reshape([1, 2, 2, 1])
 * const grid = tensor([-1, -1, 0, 0, 1, 0, 3, 3]).reshape([1, 4, 1, 2])
 * gridSample(x, grid, { alignCorners: true }).reshape([4]) // => [1, 2.5, 3, 0]
 * gridSample(x, grid, { alignCorners: true, padding: 'border' }).reshape([4]) // => [1, 2.5, 3, 4]
 * ```
 */
export const gridSample = (x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor => {
  requireKnown('gridSample', options, ['mode', 'padding', 'alignCorners'])
  const { mode = 'bilinear', padding = 'zeros', alignCorners = false } = options
  requireOne('mode', mode, ['bilinear', 'nearest'])
  requireOne('padding', padding, ['zeros', 'border'])
  requireGrid(x, grid)
  const lengths = [at(x.shape, 2), at(x.shape, 1)] as const
  const coordinate = (i: 0 | 1): Tensor => {
    const p = unnormalized(grid.slice([], [], [], [i, i + 1]).reshape(grid.shape.slice(0, 3)), lengths[i], alignCorners)
    return padding === 'border' ? clipped(p, lengths[i]) : p
  }
  const [px, py] = [coordinate(0), coordinate(1)]
  if (mode === 'nearest') {
    const isPlace = px.equal(px).and(py.equal(py)).expandDims(-1)
    return isPlace.select(pixelsAt(x, rounded(px), rounded(py)), NaN)
  }
  const [left, top] = [px.floor(), py.floor()]
  const [toRight, toBottom] = [px.sub(left), py.sub(top)]
  const corner = (right: 0 | 1, bottom: 0 | 1): Tensor => {
    const weight = (right === 1 ? toRight : toRight.neg().add(1)).mul(bottom === 1 ? toBottom : toBottom.neg().add(1))
    return pixelsAt(x, left.add(right), top.add(bottom)).mul(weight.expandDims(-1))
  }
  return corner(0, 0).add(corner(1, 0)).add(corner(0, 1)).add(corner(1, 1))
}
