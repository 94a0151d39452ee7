/**
 * Convolution as matrix multiplication without an im2col buffer: the input is copied once into a padded, dilated image; then the
 * address of (output pixel, filter tap and channel) is a sum of two parts, and {@link gemmFor gemm} gathers by them.
 *
 * All three passes of training come here: the gradients of a convolution are convolutions.
 */
import { at, product } from '../../prelude/array.ts'
import { allocate, type DType } from '../../graph/dtype.ts'
import { dilated } from '../../graph/infer.ts'
import { addresses } from '../../compiler/addresses.ts'
import type { ConvKernel } from '../../compiler/kernel.ts'
import { coalesce, type View } from '../../compiler/view.ts'
import type { Lanes } from './lanes.ts'
import { walker, rowAddress } from './walk.ts'
import { gemmFor } from './wholeGemm.ts'

type Image = readonly [batch: number, height: number, width: number, channels: number]

/** Sizes and addresses of a convolution, fixed when its plan is prepared. */
interface Geometry {
  readonly padded: Image
  readonly inside: View
  readonly source: View
  readonly rows: Int32Array
  readonly taps: Int32Array
}

/** The part of the input that lies in the padded image, and where: negative padding crops. */
const overlap = (
  length: number,
  dilation: number,
  low: number,
  padded: number,
): { readonly first: number; readonly count: number; readonly at: number } => {
  const first = low >= 0 ? 0 : Math.ceil(-low / dilation)
  const last = Math.min(length - 1, Math.floor((padded - 1 - low) / dilation))
  return { first, count: Math.max(0, last - first + 1), at: low + first * dilation }
}

const geometry = ({ x, filter, attrs, shape }: ConvKernel): Geometry => {
  const [n, h, w, c] = x.view.shape as Image
  const [kh, kw, perGroup] = filter.view.shape as Image
  const size = (axis: 0 | 1, length: number): number =>
    Math.max(0, dilated(length, attrs.inputDilation[axis]) + attrs.padLow[axis] + attrs.padHigh[axis])
  const [height, width] = [size(0, h), size(1, w)]
  const dense: Image = [height * width * c, width * c, c, 1]
  const rows = overlap(h, attrs.inputDilation[0], attrs.padLow[0], height)
  const columns = overlap(w, attrs.inputDilation[1], attrs.padLow[1], width)
  const lengths = [n, rows.count, columns.count, c]
  const [oh, ow] = [at(shape, 1), at(shape, 2)]
  return {
    padded: [n, height, width, c],
    inside: {
      offset: rows.at * dense[1] + columns.at * dense[2],
      shape: lengths,
      strides: [dense[0], dense[1] * attrs.inputDilation[0], dense[2] * attrs.inputDilation[1], 1],
    },
    source: {
      ...x.view,
      offset: x.view.offset + rows.first * at(x.view.strides, 1) + columns.first * at(x.view.strides, 2),
      shape: lengths,
    },
    rows: addresses({
      offset: 0,
      shape: [n, oh, ow],
      strides: [dense[0], dense[1] * attrs.stride[0], dense[2] * attrs.stride[1]],
    }),
    taps: addresses({
      offset: 0,
      shape: [kh, kw, perGroup],
      strides: [dense[1] * attrs.filterDilation[0], dense[2] * attrs.filterDilation[1], 1],
    }),
  }
}

/** to[target(i)] = from[source(i)]: both views have one shape. */
export const copyView = (to: Lanes, target: View, from: Lanes, source: View): void => {
  const size = source.shape.reduce((a, b) => a * b, 1)
  if (size === 0) return
  const inner = source.shape.at(-1) ?? 1
  const outer = (v: View): View => ({ offset: v.offset, shape: v.shape.slice(0, -1), strides: v.strides.slice(0, -1) })
  const [t, s] = [outerWalker(outer(target)), outerWalker(outer(source))]
  const [ts, ss] = [target.strides.at(-1) ?? 0, source.strides.at(-1) ?? 0]
  for (let row = 0; row * inner < size; row++) {
    const [a, b] = [t(row), s(row)]
    for (let i = 0; i < inner; i++) to[a + i * ts] = from[b + i * ss] as number
  }
}

/** Row number → address, for all axes of a view. */
const outerWalker = (view: View): ((row: number) => number) => {
  const w = walker(coalesce(view))
  return (row) => rowAddress(w, Math.floor(row / w.inner)) + (row % w.inner) * w.step
}

const isPlain = (geometry: Geometry, { x }: ConvKernel): boolean =>
  geometry.inside.offset === 0 &&
  x.view.offset === 0 &&
  // The whole input lies inside: padding −1 and +1 keeps the size, but moves the image.
  geometry.padded.every(
    (n, a) =>
      n === x.view.shape[a] &&
      n === geometry.inside.shape[a] &&
      (n === 1 || geometry.inside.strides[a] === x.view.strides[a]),
  )

/** A zeroed image; halves come as f32. */
const zeroed = (dtype: DType, image: Image): Lanes => {
  const values = allocate(dtype === 'f16' ? 'f32' : dtype, product(image))
  return values instanceof Uint16Array ? Float32Array.from(values) : values
}

/** Prepares a convolution; it then runs on the arrays of input, filter and output. */
export const prepareConv = (kernel: ConvKernel): ((out: Lanes, x: Lanes, filter: Lanes) => void) => {
  const g = geometry(kernel)
  const { attrs, filter: f } = kernel
  const outputs = at(kernel.shape, 3)
  const [perGroup, each] = [at(f.view.shape, 2), outputs / attrs.groups]
  const tapView = { offset: 0, shape: f.view.shape.slice(0, 3), strides: f.view.strides.slice(0, 3) }
  const depth = addresses(tapView)
  const columns = addresses({ offset: 0, shape: [each], strides: [at(f.view.strides, 3)] })
  const plain = isPlain(g, kernel)
  const gemm = gemmFor(kernel.x.dtype, kernel.dtype)
  return (out, x, filter) => {
    const image = plain ? x : zeroed(kernel.x.dtype, g.padded)
    if (!plain) copyView(image, g.inside, x, g.source)
    for (let group = 0; group < attrs.groups; group++) {
      const left = { array: image, offset: group * perGroup, rows: g.rows, columns: g.taps }
      const right = {
        array: filter,
        offset: f.view.offset + group * each * at(f.view.strides, 3),
        rows: depth,
        columns,
      }
      gemm({ array: out, offset: group * each, rowStride: outputs }, left, right)
    }
  }
}
