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
  if (lengths.length < 2) return lengths.length === 0 ? offset : offset + row * (strides[0] as number) // no division
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

/** Copies elements `start … start + n` of the walk over `source` to `out[o …]`. */
export const loadRun = (out: Lanes, o: number, source: Lanes, w: Walker, start: number, n: number): void => {
  const { inner, step } = w
  let row = Math.floor(start / inner)
  let within = start - row * inner
  for (let done = 0; done < n; row++, within = 0) {
    const count = Math.min(inner - within, n - done)
    const address = rowAddress(w, row) + within * step
    const to = o + done
    if (step === 0) {
      const value = source[address] as number
      for (let i = 0; i < count; i++) out[to + i] = value
    } else for (let i = 0; i < count; i++) out[to + i] = source[address + i * step] as number
    done += count
  }
}

/** The addresses `start … start + n` of the walk themselves, to `out[o …]`: what an iota is. */
export const loadAddresses = (out: Lanes, o: number, w: Walker, start: number, n: number): void => {
  for (let i = 0; i < n; i++) {
    const row = Math.floor((start + i) / w.inner)
    out[o + i] = rowAddress(w, row) + (start + i - row * w.inner) * w.step
  }
}
