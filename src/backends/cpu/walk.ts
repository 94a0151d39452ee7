/** Walking a view in linear order: the inner axis as a loop, the outer ones as an odometer. */
import { coalesce, type View } from '../../compiler/view.ts'
import { at } from '../../prelude/array.ts'
import type { Lanes } from './lanes.ts'

/** A coalesced view prepared for walking: the inner run and the axes around it. */
export interface Walker {
  readonly offset: number
  readonly inner: number
  readonly step: number
  /** Lengths and strides of the outer axes, innermost first. */
  readonly lengths: readonly number[]
  readonly strides: readonly number[]
}

/** Prepares a view. */
export const walker = (view: View): Walker => {
  const runs = coalesce(view)
  const last = runs.shape.length - 1
  return {
    offset: runs.offset,
    inner: last < 0 ? 1 : at(runs.shape, last),
    step: last < 0 ? 0 : at(runs.strides, last),
    lengths: runs.shape.slice(0, Math.max(last, 0)).toReversed(),
    strides: runs.strides.slice(0, Math.max(last, 0)).toReversed(),
  }
}

/** The address at which row `row` of the walk begins. */
export const rowAddress = ({ offset, lengths, strides }: Walker, row: number): number => {
  let address = offset
  let rest = row
  for (let a = 0; a < lengths.length; a++) {
    const length = lengths[a] as number
    const i = rest % length
    address += i * (strides[a] as number)
    rest = (rest - i) / length
  }
  return address
}

/** Copies elements `start … start + n` of the walk over `source` into `out`. */
export const loadRun = (out: Lanes, source: Lanes, w: Walker, start: number, n: number): void => {
  const { inner, step } = w
  let row = Math.floor(start / inner)
  let within = start - row * inner
  for (let done = 0; done < n; row++, within = 0) {
    const count = Math.min(inner - within, n - done)
    const address = rowAddress(w, row) + within * step
    if (step === 0) out.fill(source[address] as number, done, done + count)
    else for (let i = 0; i < count; i++) out[done + i] = source[address + i * step] as number
    done += count
  }
}

/** The addresses `start … start + n` of the walk themselves: what an iota is. */
export const loadAddresses = (out: Lanes, w: Walker, start: number, n: number): void => {
  for (let i = 0; i < n; i++) {
    const row = Math.floor((start + i) / w.inner)
    out[i] = rowAddress(w, row) + (start + i - row * w.inner) * w.step
  }
}

/** All addresses of a view, in order: the rows, columns or depth of a contraction. */
export const addresses = (view: View): Int32Array => {
  const size = view.shape.reduce((a, b) => a * b, 1)
  const out = new Int32Array(size)
  loadAddresses(out, walker(view), 0, size)
  return out
}
