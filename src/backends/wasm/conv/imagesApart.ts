/**
 * An image whose channels come in groups, as images of which each has one channel of every group: [1, H, W, groups · N] becomes [N, H, W, groups],
 * with zeros around it. The gradient of a depthwise filter reads batches so.
 */
import { at } from '../../../prelude/array.ts'
import type { Margins } from '../../../compiler/contraction/convolution.ts'
import type { Operand } from '../../../compiler/kernel.ts'
import { block, inBuffer, inScratch, words } from '../emit/block.ts'
import { codeLater, phase } from '../emit/kernelCode.ts'
import { clear } from '../move/bytes.ts'
import type { Image } from './convImage.ts'
import type { Square } from './imagesApartCode.ts'

/** Its functions are written by `writeApart`. */
export const apartCode = codeLater<Square>()('images apart', () =>
  block(words('from', 'to', 'pixels', 'images', 'groups', 'fromLine', 'fromPixel', 'toImage', 'toLine')),
)

/** The images in scratch memory, from its beginning. @param x a view whose channels are neighbours */
export const imagesApart = (x: Operand, groups: number, [rows, columns]: readonly [Margins, Margins]): Image => {
  const [lines, pixels, channels] = [at(x.view.shape, 1), at(x.view.shape, 2), at(x.view.shape, 3)]
  const images = channels / groups
  const [height, width] = [rows.low + lines + rows.high, columns.low + pixels + columns.high]
  const strides = [height * width * groups, width * groups, groups, 1]
  const bytes = 4 * images * at(strides, 0)
  const start = inScratch(0)
  const copying = phase(
    apartCode,
    { side: images % 4 === 0 && groups % 4 === 0 ? 4 : 1 },
    {
      from: inBuffer(x.buffer, 4 * x.view.offset),
      to: inScratch(4 * (rows.low * at(strides, 1) + columns.low * groups)),
      pixels,
      images,
      groups,
      fromLine: 4 * at(x.view.strides, 1),
      fromPixel: 4 * at(x.view.strides, 2),
      toImage: 4 * at(strides, 0),
      toLine: 4 * at(strides, 1),
    },
    { units: lines, grain: Math.max(1, Math.floor(16_384 / (pixels * channels + 1))) },
  )
  const isBare = rows.low + rows.high + columns.low + columns.high === 0
  return { start, strides, phases: [...(isBare ? [] : [clear(start, bytes)]), copying], bytes }
}
