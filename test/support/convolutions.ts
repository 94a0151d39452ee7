/** Kernels of convolutions, over buffers 0 and 1 into 2. */
import type { ConvKernel } from '../../src/compiler/kernel.ts'
import type { View } from '../../src/compiler/view.ts'
import type { ConvAttrs } from '../../src/graph/ops.ts'
import { sizeOf, type Shape } from '../../src/graph/shape.ts'

/** Neither strides nor margins. */
export const plain: ConvAttrs = {
  stride: [1, 1],
  padLow: [0, 0],
  padHigh: [0, 0],
  inputDilation: [1, 1],
  filterDilation: [1, 1],
  groups: 1,
  dtype: 'f32',
}

/** A convolution of views of f32 into a dense output of this shape. */
export const convKernel = (x: View, filter: View, attrs: ConvAttrs, shape: Shape): ConvKernel => ({
  kind: 'conv',
  x: { buffer: 0, view: x, dtype: 'f32' },
  filter: { buffer: 1, view: filter, dtype: 'f32' },
  attrs,
  shape,
  output: 2,
  dtype: 'f32',
  computes: 'conv',
  reason: 'output',
  flops: 2 * sizeOf(shape) * sizeOf(filter.shape.slice(0, 3)),
})
