/**
 * Convolution as a contraction over the padded image, without an im2col buffer: the address of (output pixel, tap and channel) is a sum of
 * two parts. Its gradients are convolutions too, and come here as such: of the input over the turned filter; of the filter over the input
 * with channels as its batch, whose pixels are then the tiles' rows.
 */
import { at } from '../../prelude/array.ts'
import type { ConvKernel } from '../../compiler/kernel.ts'
import { imageOf } from './convImage.ts'
import { contraction, denseStrides, startOf } from './gemm.ts'
import type { Axis, Contraction } from './gemmContraction.ts'
import type { Generated, Machine } from './kernelCode.ts'

const alignment = 256

/** The kernel as code, or why it has none. */
export const conv = (kernel: ConvKernel, machine: Machine): Generated | string => {
  const { x, filter, attrs, shape, output, dtype } = kernel
  if (x.dtype !== 'f32' || filter.dtype !== 'f32' || dtype !== 'f32')
    return `a convolution of ${x.dtype} to ${dtype} has no code`
  if (shape.some((n) => n === 0)) return { phases: [], scratch: 0 }
  const image = imageOf(kernel, 0)
  const [outputs, perGroup] = [at(shape, 3), at(filter.view.shape, 2)]
  const each = outputs / attrs.groups
  const out = denseStrides(shape, 1)
  const f = filter.view.strides
  const pixel = (axis: 0 | 1 | 2, step: number): Axis => ({
    length: at(shape, axis),
    x: at(image.strides, axis) * step,
    y: 0,
    out: at(out, axis),
  })
  const tap = (axis: 0 | 1 | 2, step: number): Axis => ({
    length: at(filter.view.shape, axis),
    x: at(image.strides, axis + 1) * step,
    y: at(f, axis),
    out: 0,
  })
  const c: Contraction = {
    x: image.start,
    y: startOf(filter),
    out: { kind: 'buffer', buffer: output, offset: 0 },
    batch: [{ length: attrs.groups, x: perGroup * at(image.strides, 3), y: each * at(f, 3), out: each }],
    rows: [pixel(0, 1), pixel(1, attrs.stride[0]), pixel(2, attrs.stride[1])],
    columns: [{ length: each, x: 0, y: at(f, 3), out: 1 }],
    depth: [tap(0, attrs.filterDilation[0]), tap(1, attrs.filterDilation[1]), tap(2, 1)],
  }
  const product = contraction(c, machine, Math.ceil(image.bytes / alignment) * alignment)
  return { phases: [...image.phases, ...product.phases], scratch: product.scratch }
}
