/**
 * Convolution as contractions over the padded image, without an im2col buffer: the address of (output pixel, tap and channel) is a sum of
 * two parts. Its gradients are convolutions too, and come here as such: of the input over the turned filter; of the filter over the input
 * with channels as its batch, whose pixels are then the tiles' rows.
 *
 * Where the input is dilated (the gradient of a convolution with stride), no zero is multiplied: output pixels of one phase see the same
 * taps, so each phase is a contraction of its own with those taps alone.
 */
import { at, product, range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import type { ConvKernel } from '../../../compiler/kernel.ts'
import { alignment } from '../../../compiler/arena.ts'
import { imageOf, type Image, type Margins } from './convImage.ts'
import { contraction, denseStrides, movedBy, startOf, type Ending } from '../gemm/gemm.ts'
import { epilogueOf } from '../gemm/gemmEpilogue.ts'
import type { Axis, Contraction } from '../gemm/gemmContraction.ts'
import { inBuffer } from '../emit/block.ts'
import type { Unsupported } from '../emit/unsupported.ts'
import type { Generated, Machine } from '../emit/kernelCode.ts'

/**
 * Along one axis: output pixels `first + q·period`, and taps `tap + u·tapPeriod`, that meet at pixel `base + q·step + u·tapStep` of the
 * input; pixels before its first and behind its last are zero.
 */
interface Meeting {
  readonly first: number
  readonly period: number
  readonly pixels: number
  readonly step: number
  readonly tap: number
  readonly tapPeriod: number
  readonly taps: number
  readonly tapStep: number
  readonly base: number
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** Output pixel o and tap t meet where o·stride + t·filterDilation − padLow is a multiple of the input's dilation. */
const meetingsOf = ({ x, filter, attrs, shape }: ConvKernel, i: 0 | 1): readonly Meeting[] => {
  const [stride, dilation, taps] = [attrs.stride[i], attrs.inputDilation[i], at(filter.view.shape, i)]
  const [spread, outputs] = [attrs.filterDilation[i], at(shape, i + 1)]
  if (at(x.view.shape, i + 1) === 0) return [nowhere(outputs)]
  const [period, tapPeriod] = [dilation / gcd(stride, dilation), dilation / gcd(spread, dilation)]
  return range(Math.min(period, outputs)).map((first): Meeting => {
    const place = (tap: number): number => (first * stride + tap * spread - attrs.padLow[i]) / dilation
    const tap = range(Math.min(tapPeriod, taps)).find((t) => Number.isInteger(place(t)))
    return {
      first,
      period,
      pixels: Math.ceil((outputs - first) / period),
      step: (period * stride) / dilation,
      tap: tap ?? 0,
      tapPeriod,
      taps: tap === undefined ? 0 : Math.ceil((taps - tap) / tapPeriod),
      tapStep: (tapPeriod * spread) / dilation,
      base: tap === undefined ? 0 : place(tap),
    }
  })
}

/** All output pixels, and no taps: an input without pixels. */
const nowhere = (pixels: number): Meeting => ({
  first: 0,
  period: 1,
  pixels,
  step: 0,
  tap: 0,
  tapPeriod: 1,
  taps: 0,
  tapStep: 0,
  base: 0,
})

/** The zeros that the input needs around it along one axis. */
const marginsOf = (meetings: readonly Meeting[], length: number): Margins => {
  const met = meetings.filter((m) => m.taps > 0)
  const ends = met.map((m) => m.base + (m.pixels - 1) * m.step + (m.taps - 1) * m.tapStep)
  return { low: Math.max(0, ...met.map((m) => -m.base)), high: Math.max(0, ...ends.map((end) => end - (length - 1))) }
}

/** The contraction of one phase of rows and one of columns. */
const contractionOf = (
  { x, filter, attrs, shape, output }: ConvKernel,
  image: Image,
  low: readonly [number, number],
  meetings: readonly [Meeting, Meeting],
): Contraction => {
  const [outputs, perGroup] = [at(shape, 3), at(filter.view.shape, 2)]
  const each = outputs / attrs.groups
  const [out, f, s] = [denseStrides(shape, 1), filter.view.strides, image.strides]
  const sum = (term: (m: Meeting, i: 0 | 1) => number): number => term(meetings[0], 0) + term(meetings[1], 1)
  const pixels = ([0, 1] as const).map((i): Axis => {
    const { pixels: length, step, period } = meetings[i]
    return { length, x: at(s, i + 1) * step, y: 0, out: at(out, i + 1) * period }
  })
  const taps = ([0, 1] as const).map((i): Axis => {
    const { taps: length, tapStep, tapPeriod } = meetings[i]
    return { length, x: at(s, i + 1) * tapStep, y: at(f, i) * tapPeriod, out: 0 }
  })
  return {
    x: movedBy(
      image.start,
      sum((m, i) => (m.base + low[i]) * at(s, i + 1)),
    ),
    y: movedBy(
      startOf(filter),
      sum((m, i) => m.tap * at(f, i)),
    ),
    out: movedBy(
      inBuffer(output),
      sum((m, i) => m.first * at(out, i + 1)),
    ),
    isWhole: meetings.every((m, i) => m.pixels === shape[i + 1]),
    readsOnce: meetings.every((m) => m.taps === 1),
    batch: [{ length: attrs.groups, x: perGroup * at(s, 3), y: each * at(f, 3), out: each }],
    rows: [{ length: at(x.view.shape, 0), x: at(s, 0), y: 0, out: at(out, 0) }, ...pixels],
    columns: [{ length: each, x: 0, y: at(f, 3), out: 1 }],
    depth: [...taps, { length: perGroup, x: at(s, 3), y: at(f, 2), out: 0 }],
  }
}

/** The kernel as code, or why it has none. */
export const conv = (kernel: ConvKernel, machine: Machine): E.Either<Unsupported, Generated> => {
  const { x, filter, shape, dtype } = kernel
  if (x.dtype !== 'f32' || filter.dtype !== 'f32' || dtype !== 'f32')
    return E.left({ kind: 'contraction', from: x.dtype, to: dtype })
  if (shape.includes(0)) return E.right({ phases: [], scratch: 0 })
  const [rows, columns] = [meetingsOf(kernel, 0), meetingsOf(kernel, 1)]
  const margins = [marginsOf(rows, at(x.view.shape, 1)), marginsOf(columns, at(x.view.shape, 2))] as const
  const image = imageOf(x, margins, 0)
  const taken = Math.ceil(image.bytes / alignment) * alignment
  const low = [margins[0].low, margins[1].low] as const
  const outputs = at(shape, 3)
  const body = kernel.epilogue
  const ends =
    body === undefined ? E.right(undefined) : epilogueOf(body, kernel.output, [1, product(shape.slice(0, 3)), outputs])
  if (E.isLeft(ends)) return ends
  const epilogue = ends.right
  const each = outputs / kernel.attrs.groups
  const batches = range(kernel.attrs.groups).map((g) => ({ batch: 0, column: g * each }))
  const ending = (r: Meeting, c: Meeting): Ending | undefined =>
    epilogue && { epilogue, batches, first: 4 * outputs * (r.first * at(shape, 2) + c.first) }
  const parts = rows.flatMap((r) =>
    columns.map((c) => contraction(contractionOf(kernel, image, low, [r, c]), machine, ending(r, c), taken)),
  )
  return E.right({
    phases: [...image.phases, ...parts.flatMap((p) => p.phases)],
    scratch: Math.max(taken, ...parts.map((p) => p.scratch)),
  })
}
