/** Layers in plain loops: what the oracles are made of. */
import { elementAt, type NdArray } from '../../array.ts'
import { table, type Expected } from '../entry.ts'
import { sum } from '../primitives/reduction.ts'

/** A result of the oracles as an argument of the next. */
export const nd = ({ shape, data }: Expected): NdArray => ({ shape, dtype: 'f64', data })

/** Each element through `f`. */
export const mapped = (x: NdArray, f: (x: number) => number): NdArray => ({ ...x, dtype: 'f64', data: x.data.map(f) })

/** Element by element, for equal shapes. */
export const zipped = (x: NdArray, y: NdArray, f: (x: number, y: number) => number): NdArray => ({
  ...x,
  dtype: 'f64',
  data: x.data.map((e, i) => f(e, y.data[i] ?? NaN)),
})

/** The vector added to every pixel. */
export const shifted = (x: NdArray, bias: NdArray | undefined): NdArray =>
  nd(table(x.shape, (index) => elementAt(x, index) + (bias === undefined ? 0 : elementAt(bias, index.slice(-1)))))

/** x·W + b over the last axis. */
export const affine = (x: NdArray, weight: NdArray, bias?: NdArray): NdArray => {
  const [inputs = 0, outputs = 0] = weight.shape
  const y = table([...x.shape.slice(0, -1), outputs], (index) => {
    const [lead, j] = [index.slice(0, -1), index.at(-1) ?? 0]
    return sum(Array.from({ length: inputs }, (_, i) => elementAt(x, [...lead, i]) * elementAt(weight, [i, j])))
  })
  return shifted(nd(y), bias)
}

/** The vector along the last axis, at an index of an element of it. */
export const vectorAt = (x: NdArray, index: readonly number[]): readonly number[] =>
  Array.from({ length: x.shape.at(-1) ?? 0 }, (_, c) => elementAt(x, [...index.slice(0, -1), c]))

/** x / ‖x‖₂ over the last axis. */
export const normalized = (x: NdArray): NdArray =>
  nd(table(x.shape, (index) => elementAt(x, index) / Math.hypot(...vectorAt(x, index))))

/** x / ‖x‖₂ · gain · √C. */
export const rms = (x: NdArray, gain: NdArray): NdArray => {
  const unit = normalized(x)
  const root = Math.sqrt(x.shape.at(-1) ?? 0)
  return nd(table(x.shape, (index) => elementAt(unit, index) * elementAt(gain, index.slice(-1)) * root))
}

/** (value − mean) / √(variance + ε) in a list of values. */
export const standardized = (value: number, among: readonly number[], epsilon: number): number => {
  const mean = sum(among) / among.length
  const variance = sum(among.map((v) => (v - mean) ** 2)) / among.length
  return (value - mean) / Math.sqrt(variance + epsilon)
}

/** e^xᵢ / Σ e^x. */
export const softmaxOf = (xs: readonly number[]): readonly number[] => {
  const total = sum(xs.map(Math.exp))
  return xs.map((x) => Math.exp(x) / total)
}

/** x / (1 + e⁻ˣ). */
export const siluOf = (x: number): number => x / (1 + Math.exp(-x))
