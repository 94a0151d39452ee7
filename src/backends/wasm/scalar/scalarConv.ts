/**
 * Convolutions that have no vector code, one product at a time: sums in f64 over taps and channels in order, rounded once, or wrapping ones of
 * whole numbers, as cpu's. What lies in the padding, or between the elements of a dilated input, is left out.
 */
import { at } from '../../../prelude/array.ts'
import { bytesPerElement } from '../../../graph/dtype.ts'
import { sizeOf } from '../../../graph/shape.ts'
import { dilated } from '../../../graph/infer.ts'
import type { ConvKernel } from '../../../compiler/kernel.ts'
import { block, inBuffer, words } from '../emit/block.ts'
import { codeLater, phase, type Phase } from '../emit/kernelCode.ts'
import type { Dtypes } from './scalarConvCode.ts'

/** The words of a spatial axis. */
const axisBlock = block({
  ...words('out', 'stride', 'low', 'dilated', 'inputDilation'),
  ...words('taps', 'filterDilation', 'xStride', 'wStride'),
})

/** Its functions are written by `writeScalarConv`. */
export const convCode = codeLater<Dtypes>()('scalar conv', () =>
  block({
    ...words('target', 'x', 'w', 'xBatch', 'xChannel', 'wIn', 'wOut', 'depth', 'outputs', 'perGroup'),
    rows: axisBlock,
    columns: axisBlock,
  }),
)

/** A unit is an output pixel with all its channels. */
export const scalarConv = (kernel: ConvKernel): Phase => {
  const { x, filter, attrs, shape, output, dtype } = kernel
  const [xBytes, wBytes] = [bytesPerElement[x.dtype], bytesPerElement[filter.dtype]]
  const axis = (a: 0 | 1) => ({
    out: at(shape, a + 1),
    stride: attrs.stride[a],
    low: attrs.padLow[a],
    dilated: dilated(at(x.view.shape, a + 1), attrs.inputDilation[a]),
    inputDilation: attrs.inputDilation[a],
    taps: at(filter.view.shape, a),
    filterDilation: attrs.filterDilation[a],
    xStride: at(x.view.strides, a + 1) * xBytes,
    wStride: at(filter.view.strides, a) * wBytes,
  })
  const outputs = at(shape, 3)
  const depth = at(filter.view.shape, 2)
  const products = outputs * depth * at(filter.view.shape, 0) * at(filter.view.shape, 1)
  return phase(
    convCode,
    { x: x.dtype, filter: filter.dtype, dtype },
    {
      target: inBuffer(output),
      x: inBuffer(x.buffer, xBytes * x.view.offset),
      w: inBuffer(filter.buffer, wBytes * filter.view.offset),
      xBatch: at(x.view.strides, 0) * xBytes,
      xChannel: at(x.view.strides, 3) * xBytes,
      wIn: at(filter.view.strides, 2) * wBytes,
      wOut: at(filter.view.strides, 3) * wBytes,
      depth,
      outputs,
      perGroup: Math.max(1, outputs / attrs.groups),
      rows: axis(0),
      columns: axis(1),
    },
    { units: outputs === 0 ? 0 : sizeOf(shape) / outputs, grain: Math.max(1, Math.ceil(4096 / Math.max(1, products))) },
  )
}
