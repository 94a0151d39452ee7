/**
 * Convolutions as contractions over the image, without an im2col buffer: the address of (output pixel, tap and channel) is a sum of two parts.
 * Gradients are convolutions too, and come here as such: of the input over the turned filter; of the filter over the input with channels as its
 * batch, whose pixels are then the rows.
 *
 * Where the input is dilated (the gradient of a convolution with stride), no zero is multiplied: output pixels of one phase see the same taps, so
 * each phase is a contraction of its own with those taps alone (the polyphase decomposition of a filter).
 */
import { at, range } from '../../prelude/array.ts'
import { rowMajor } from '../../graph/shape.ts'
import type { ConvKernel } from '../kernel.ts'
import type { Axis, Contraction } from './contraction.ts'

/**
 * Along one axis: output pixels `first + q·period`, and taps `tap + u·tapPeriod`, that meet at pixel `base + q·step + u·tapStep` of the
 * input; pixels before its first and from `limit` on are zero.
 */
export interface AxisPhase {
  readonly first: number
  readonly period: number
  readonly pixels: number
  readonly step: number
  readonly tap: number
  readonly tapPeriod: number
  readonly taps: number
  readonly tapStep: number
  readonly base: number
  readonly limit: number
}

/** A phase of rows and one of columns. */
export type ConvPhase = readonly [rows: AxisPhase, columns: AxisPhase]

/** Zeros before and behind the input along one axis. */
export interface Margins {
  readonly low: number
  readonly high: number
}

/** The image that is read: its strides, and how many pixels it has before the input's first along rows and columns. */
export interface ImageLayout {
  readonly strides: readonly number[]
  readonly low: readonly [rows: number, columns: number]
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** All output pixels, and no taps: an input without pixels. */
const nowhere = (pixels: number): AxisPhase => ({
  first: 0,
  period: 1,
  pixels,
  step: 0,
  tap: 0,
  tapPeriod: 1,
  taps: 0,
  tapStep: 0,
  base: 0,
  limit: 0,
})

/**
 * The phases along rows (0) or columns (1). Output pixel o and tap t meet where o·stride + t·filterDilation − padLow is a multiple of the input's
 * dilation.
 */
export const phasesAlong = ({ x, filter, attrs, shape }: ConvKernel, i: 0 | 1): readonly AxisPhase[] => {
  const [stride, dilation, taps] = [attrs.stride[i], attrs.inputDilation[i], at(filter.view.shape, i)]
  const [spread, outputs, limit] = [attrs.filterDilation[i], at(shape, i + 1), at(x.view.shape, i + 1)]
  if (limit === 0) return [nowhere(outputs)]
  const [period, tapPeriod] = [dilation / gcd(stride, dilation), dilation / gcd(spread, dilation)]
  return range(Math.min(period, outputs)).map((first): AxisPhase => {
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
      limit,
    }
  })
}

/** The zeros that the input needs around it along an axis with these phases, where all pixels are to be read without a test of their bounds. */
export const marginsOf = (phases: readonly AxisPhase[]): Margins => {
  const met = phases.filter((p) => p.taps > 0)
  const ends = met.map((p) => p.base + (p.pixels - 1) * p.step + (p.taps - 1) * p.tapStep - (p.limit - 1))
  return { low: Math.max(0, ...met.map((p) => -p.base)), high: Math.max(0, ...ends) }
}

/**
 * One phase as a contraction. Its rows are images, pixel rows, pixel columns, its depth tap rows, tap columns, channels. In x it begins where the
 * image does; where that is the input itself, pixels that the phase's bounds exclude count as zeros.
 */
export const contractionOfPhase = (
  { x, filter, attrs, shape }: ConvKernel,
  phase: ConvPhase,
  { strides: s, low }: ImageLayout,
): Contraction => {
  const [outputs, perGroup] = [at(shape, 3), at(filter.view.shape, 2)]
  const each = outputs / attrs.groups
  const [out, f] = [rowMajor(shape), filter.view.strides]
  const sum = (term: (p: AxisPhase, i: 0 | 1) => number): number => term(phase[0], 0) + term(phase[1], 1)
  const pixels = ([0, 1] as const).map((i): Axis => {
    const { pixels: length, step, period } = phase[i]
    return { length, x: at(s, i + 1) * step, y: 0, out: at(out, i + 1) * period }
  })
  const taps = ([0, 1] as const).map((i): Axis => {
    const { taps: length, tapStep, tapPeriod } = phase[i]
    return { length, x: at(s, i + 1) * tapStep, y: at(f, i) * tapPeriod, out: 0 }
  })
  return {
    first: {
      x: sum((p, i) => (p.base + low[i]) * at(s, i + 1)),
      y: filter.view.offset + sum((p, i) => p.tap * at(f, i)),
      out: sum((p, i) => p.first * at(out, i + 1)),
    },
    isWhole: phase.every((p, i) => p.pixels === shape[i + 1]),
    readsOnce: phase.every((p) => p.taps === 1),
    batch: [{ length: attrs.groups, x: perGroup * at(s, 3), y: each * at(f, 3), out: each }],
    rows: [{ length: at(x.view.shape, 0), x: at(s, 0), y: 0, out: at(out, 0) }, ...pixels],
    columns: [{ length: each, x: 0, y: at(f, 3), out: 1 }],
    depth: [...taps, { length: perGroup, x: at(s, 3), y: at(f, 2), out: 0 }],
  }
}
