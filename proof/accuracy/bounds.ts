/**
 * The published bounds: what each function's error stays below, by backend. A backend that is measured and has no row here is an error.
 *
 * f16 and f32 on cpu are computed in f64 and rounded once: ½ ulp, and 2⁻¹⁴ for the rare number that f64's own error pushes over a tie.
 */
import type { FloatType } from './ulp.ts'

/** What is promised of one function in one dtype. */
export interface Bound {
  /** The largest error in ulp. */
  readonly ulp: number
  /** The share of arguments whose result may be of the wrong kind, such as a tail that is 0 too early; 0 where absent. */
  readonly wrongShare?: number
}

/** Bounds of one function; a dtype that is missing is not promised. */
export type Bounds = { readonly [K in FloatType]?: Bound }

const rounded = 0.50006

/** A primitive: rounded once in f16 and f32, with this error in f64. */
const primitive = (f64: number): Bounds => ({ f16: { ulp: rounded }, f32: { ulp: rounded }, f64: { ulp: f64 } })

/** Relative error 1: no digit is right. */
const noDigit = (digits: number): number => 2 ** digits

const cpu: { readonly [name: string]: Bounds } = {
  exp: primitive(1),
  log: primitive(1),
  tanh: primitive(2),
  sigmoid: primitive(2.5),
  erf: primitive(1),
  // 1 + erf has no digits left where Φ is below 2⁻ᵖ, and is 0 below that.
  gelu: {
    f16: { ulp: noDigit(11), wrongShare: 0.02 },
    f32: { ulp: noDigit(24), wrongShare: 0.02 },
    f64: { ulp: noDigit(53), wrongShare: 0.6 },
  },
  'gelu from -1': { f16: { ulp: 2.5 }, f32: { ulp: 2.5 }, f64: { ulp: 4 } },
  // A rounded exponent 2u is off by |u| ulp. At −∞ the product ∞ · 0 is NaN, as PyTorch's.
  geluTanh: {
    f16: { ulp: 20, wrongShare: 0.001 },
    f32: { ulp: 150, wrongShare: 0.001 },
    f64: { ulp: 2000, wrongShare: 0.01 },
  },
  // σ is a subnormal number with few digits before the product is one.
  silu: {
    f16: { ulp: 9, wrongShare: 0.003 },
    f32: { ulp: 53, wrongShare: 0.003 },
    f64: { ulp: 374, wrongShare: 0.03 },
  },
  sqrt: { f16: { ulp: 0.5 }, f32: { ulp: 0.5 }, f64: { ulp: 0.5 } },
  sin: primitive(1),
  cos: primitive(1),
}

const backends: { readonly [backend: string]: { readonly [name: string]: Bounds } } = { cpu }

/** The bound of a function on a device, whose name begins with its backend's. */
export const boundOf = (device: string, name: string, dtype: FloatType): Bound => {
  const backend = Object.keys(backends).find((b) => device.startsWith(b)) ?? ''
  const bound = backends[backend]?.[name]?.[dtype]
  if (bound === undefined)
    throw new Error(
      `accuracy: no bound is published for ${name} in ${dtype} on ${device}; measure it, and add it to bounds.ts`,
    )
  return bound
}

/**
 * Bounds of row functions in f32 by function and kind of rows: errors in ulp of the row's largest result. Kinds that are missing are shown and not
 * promised: there the squares overflow.
 */
export const rowBounds: { readonly [name: string]: { readonly [inputs: string]: number } } = {
  softmax: { 'σ = 1': 2, 'σ = 30': 2, 'σ = 1, every other one −∞': 2, 'up to ±3·10³⁸': 2, 'all equal': 1 },
  logSumExp: { 'σ = 1': 2, 'σ = 30': 1, 'σ = 1, every other one −∞': 2, 'up to ±3·10³⁸': 1, 'all equal': 1 },
  layerNorm: { 'σ = 1': 3, 'mean 100, σ = 1': 50, 'mean 10⁴, σ = 1': 6000, 'σ = 10⁻⁶': 3, 'σ = 10¹⁷': 3 },
  groupNorm: { 'σ = 1': 3, 'mean 100, σ = 1': 50, 'mean 10⁴, σ = 1': 6000, 'σ = 10⁻⁶': 3, 'σ = 10¹⁷': 3 },
  rmsNorm: { 'σ = 1': 2, 'mean 100, σ = 1': 2, 'mean 10⁴, σ = 1': 2, 'σ = 10⁻⁶': 2, 'σ = 10¹⁷': 2 },
}

/** Random normals: 2⁻¹⁸·⁵ in units of 2⁻²¹, the bound that their docstring states. */
export const normalBound = 2 ** 2.5
