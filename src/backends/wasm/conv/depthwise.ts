/**
 * Depthwise convolutions (a filter for each channel): there is no matrix in them, so their channels, which are neighbours, are the lanes of vectors.
 * Forwards, and for the gradient of the input, the taps are few and the pixels many; for the gradient of the filter it is the other way round, and
 * what is one channel's for it are the images of a batch.
 */
import { at, product } from '../../../prelude/array.ts'
import {
  contractionOfPhase,
  marginsOf,
  phasesAlong,
  type AxisPhase,
} from '../../../compiler/contraction/convolution.ts'
import type { ConvKernel } from '../../../compiler/kernel.ts'
import { alignment } from '../../../compiler/arena.ts'
import { block, inBuffer, inScratch, words, type Parameter } from '../emit/block.ts'
import { codeLater, phase, type Generated, type Machine, type Phase } from '../emit/kernelCode.ts'
import { partsFor, sumParts } from '../gemm/gemmParts.ts'
import { imageOf, type Image } from './convImage.ts'
import type { Window } from './depthwiseCode.ts'
import { imagesApart } from './imagesApart.ts'

/** Its functions are written by `writePixels`. */
export const pixelsCode = codeLater<Window>()('depthwise', () =>
  block({
    ...words('x', 'w', 'out', 'channelBytes', 'lines', 'pixels'),
    ...words('xImage', 'xLine', 'xPixel', 'xTapRow', 'wTapRow', 'wTapColumn', 'outImage', 'outLine', 'outPixel'),
  }),
)

/** Its functions are written by `writeFilter`. */
export const filterCode = codeLater<Window>()('depthwise filter', () =>
  block({
    ...words('x', 'g', 'out', 'channelBytes', 'lines', 'linesOfImage', 'linesOfPart', 'pixels', 'blocks'),
    ...words('xImage', 'xLine', 'xPixel', 'gImage', 'gLine', 'gPixel', 'xTapRow', 'outRow', 'outColumn', 'outPart'),
  }),
)

/** Taps of a filter at most: each is a register, or a word of the stack. */
const mostTaps = 49

/** Sums that stay in registers. */
const mostSums = 12

/** Products that are worth a thread's attention: about 5 µs. */
const worthwhile = 60_000

const grainOf = (products: number): number => Math.max(1, Math.floor(worthwhile / (products + 1)))

/** Two vectors of channels go together where the engine joins them. */
const windowOf = (
  rows: number,
  columns: number,
  columnBytes: number,
  channels: number,
  { wide, fma }: Machine,
): Window => ({
  rows,
  columns,
  columnBytes,
  fma,
  vectors: wide && channels >= 8 && rows * columns <= mostSums ? 2 : 1,
})

const moved = (start: Parameter, elements: number): Parameter =>
  typeof start !== 'number' && (start.kind === 'buffer' || start.kind === 'scratch')
    ? { ...start, offset: start.offset + 4 * elements }
    : start

/** The axes of phases: those of an image's rows, and of its columns. */
interface Phases {
  readonly rows: readonly AxisPhase[]
  readonly columns: readonly AxisPhase[]
}

const lowOf = ({ rows, columns }: Phases): readonly [number, number] => [marginsOf(rows).low, marginsOf(columns).low]

/** Rows of pixels of one phase, from an image whose channels are neighbours. */
const pixelsOf = (
  kernel: ConvKernel,
  image: Image,
  low: readonly [number, number],
  phases: readonly [AxisPhase, AxisPhase],
  machine: Machine,
): Phase => {
  const form = contractionOfPhase(kernel, phases, { strides: image.strides, low })
  const [images, lines, pixels] = [at(form.rows, 0), at(form.rows, 1), at(form.rows, 2)]
  const [tapRows, tapColumns] = [at(form.depth, 0), at(form.depth, 1)]
  const channels = at(kernel.shape, 3)
  return phase(
    pixelsCode,
    windowOf(tapRows.length, tapColumns.length, 4 * tapColumns.x, channels, machine),
    {
      x: moved(image.start, form.first.x),
      w: inBuffer(kernel.filter.buffer, 4 * form.first.y),
      out: inBuffer(kernel.output, 4 * form.first.out),
      channelBytes: 4 * channels,
      lines: lines.length,
      pixels: pixels.length,
      xImage: 4 * images.x,
      xLine: 4 * lines.x,
      xPixel: 4 * pixels.x,
      xTapRow: 4 * tapRows.x,
      wTapRow: 4 * tapRows.y,
      wTapColumn: 4 * tapColumns.y,
      outImage: 4 * images.out,
      outLine: 4 * lines.out,
      outPixel: 4 * pixels.out,
    },
    {
      units: images.length * lines.length,
      grain: grainOf(pixels.length * channels * tapRows.length * tapColumns.length),
    },
  )
}

const overPixels = (kernel: ConvKernel, phases: Phases, machine: Machine): Generated | undefined => {
  const image = imageOf(kernel.x, [marginsOf(phases.rows), marginsOf(phases.columns)], 0)
  if (at(image.strides, 3) !== 1) return undefined
  const all = phases.rows.flatMap((r) =>
    phases.columns.map((c) => pixelsOf(kernel, image, lowOf(phases), [r, c], machine)),
  )
  return { phases: [...image.phases, ...all], scratch: image.bytes, choices: { depthwise: 'rows of pixels' } }
}

/** The image with each channel of a group as an image of its own, and then groups as channels. */
const imagesOf = (kernel: ConvKernel, { rows, columns }: Phases): Image | undefined => {
  const margins = [marginsOf(rows), marginsOf(columns)] as const
  if (at(kernel.x.view.strides, 3) !== 1) return undefined
  return at(kernel.filter.view.shape, 2) === 1
    ? imageOf(kernel.x, margins, 0)
    : imagesApart(kernel.x, kernel.attrs.groups, margins)
}

const overFilter = (kernel: ConvKernel, phases: Phases, machine: Machine): Generated | undefined => {
  const image = imagesOf(kernel, phases)
  if (image === undefined || at(image.strides, 3) !== 1) return undefined
  const strides = image.strides
  const form = contractionOfPhase(kernel, [at(phases.rows, 0), at(phases.columns, 0)], { strides, low: lowOf(phases) })
  const [filterRows, filterColumns] = [at(form.rows, 1), at(form.rows, 2)]
  const [lines, pixels, images] = [at(form.depth, 0), at(form.depth, 1), at(form.depth, 2)]
  const channels = at(kernel.shape, 3)
  const together = filterRows.length * filterColumns.length <= mostSums ? filterRows.length : 1
  const window = windowOf(together, filterColumns.length, 4 * filterColumns.x, channels, machine)
  const [all, results] = [lines.length * images.length, product(kernel.shape)]
  const linesOfPart = Math.ceil(all / Math.min(all, partsFor(results, all * pixels.length)))
  const parts = Math.ceil(all / linesOfPart)
  const scratch = Math.ceil(image.bytes / alignment) * alignment
  const partial = inScratch(scratch)
  const blocks = filterRows.length / together
  const sums = phase(
    filterCode,
    window,
    {
      x: moved(image.start, form.first.x),
      g: inBuffer(kernel.filter.buffer, 4 * form.first.y),
      out: parts > 1 ? partial : inBuffer(kernel.output),
      channelBytes: 4 * channels,
      lines: all,
      linesOfImage: lines.length,
      linesOfPart,
      pixels: pixels.length,
      blocks,
      xImage: 4 * at(strides, 0),
      xLine: 4 * lines.x,
      xPixel: 4 * pixels.x,
      gImage: 4 * images.y,
      gLine: 4 * lines.y,
      gPixel: 4 * pixels.y,
      xTapRow: 4 * filterRows.x,
      outRow: 4 * filterRows.out,
      outColumn: 4 * filterColumns.out,
      outPart: 4 * results,
    },
    { units: parts * blocks, grain: grainOf(linesOfPart * pixels.length * channels * window.rows * window.columns) },
  )
  const added = parts > 1 ? [sumParts(partial, inBuffer(kernel.output), parts, 4 * results)] : []
  return {
    phases: [...image.phases, sums, ...added],
    scratch: scratch + (parts > 1 ? 4 * parts * results : 0),
    choices: { depthwise: 'rows of a filter', ...(parts > 1 ? { parts } : {}) },
  }
}

/** Whether channels have a filter each, and are neighbours in it and in the result. */
const isDepthwise = ({ x, filter, shape, dtype, attrs }: ConvKernel): boolean =>
  [x.dtype, filter.dtype, dtype].every((d) => d === 'f32') &&
  attrs.groups === at(shape, 3) &&
  attrs.groups >= 4 &&
  at(filter.view.strides, 3) === 1 &&
  !shape.includes(0)

/** The code of a convolution with a filter for each channel, without its epilogue; undefined for every other. */
export const depthwise = (kernel: ConvKernel, machine: Machine): Generated | undefined => {
  if (!isDepthwise(kernel)) return undefined
  const phases: Phases = { rows: phasesAlong(kernel, 0), columns: phasesAlong(kernel, 1) }
  const every = [...phases.rows, ...phases.columns]
  if (every.some((p) => p.taps === 0 || p.pixels === 0)) return undefined
  const most = (of: (p: AxisPhase) => number): number =>
    Math.max(...phases.rows.map(of)) * Math.max(...phases.columns.map(of))
  const perGroup = at(kernel.filter.view.shape, 2)
  if (perGroup === 1 && most((p) => p.taps) <= mostTaps) return overPixels(kernel, phases, machine)
  const isFilter = perGroup > 0 && at(kernel.shape, 0) === 1 && every.length === 2
  const isSmall = most((p) => p.pixels) <= mostTaps && at(phases.columns, 0).pixels <= mostSums
  return isFilter && isSmall ? overFilter(kernel, phases, machine) : undefined
}
