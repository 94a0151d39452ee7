/**
 * The published bounds: what each function's error stays below, by backend. A backend that is measured and has no row here is an error.
 *
 * The largest error of a sample is no bound: a denser sample finds a larger one. So a bound is the largest over every number of the format
 * (f16; in f32 over the interval where the function is worst), or what its roundings can add up to (f64), each said at its row.
 * f16 and f32 primitives on cpu are computed in f64 and rounded once: ½ ulp, and 2⁻¹⁴ for the oracle's own error at a tie.
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
  // fdlibm: exp, log, erf, sin and cos below 1 ulp.
  exp: primitive(1),
  log: primitive(1),
  // −t / (t + 2) with t = expm1(−2x): 1 ulp of t grows by 2 / (t + 2), and two roundings follow; worst just below ½.
  tanh: primitive(3.5),
  // e / (1 + e): 1 ulp of e, two roundings; counted in the smaller ulp just below a power of two.
  sigmoid: primitive(3.5),
  erf: primitive(1),
  // 1 + erf has no digits left where Φ is below 2⁻ᵖ, and is 0 below that.
  gelu: {
    f16: { ulp: noDigit(11), wrongShare: 0.02 },
    f32: { ulp: noDigit(24), wrongShare: 0.02 },
    f64: { ulp: noDigit(53), wrongShare: 0.6 },
  },
  // f32: 2.427 over every number of [−1, −¼] and [¼, 8]. f64: argument, erf, sum and product at −1, where Φ is 0.16.
  'gelu from -1': { f16: { ulp: 2.5 }, f32: { ulp: 2.5 }, f64: { ulp: 6 } },
  // f16: all; f32: 218.41 over every number of [−12, −½]. f64: 2u has up to 6.8 half ulps, each worth |2u| ≤ 711 of them in e²ᵘ.
  // At −∞ the product ∞ · 0 is NaN, as PyTorch's.
  geluTanh: {
    f16: { ulp: 17, wrongShare: 0.001 },
    f32: { ulp: 219, wrongShare: 0.001 },
    f64: { ulp: 5000, wrongShare: 0.01 },
  },
  // Half an ulp of a subnormal σ times |x| ≤ 104 in f32 (52.02 over every number of [−110, −1]), 745 in f64; f16: all.
  silu: {
    f16: { ulp: 9, wrongShare: 0.003 },
    f32: { ulp: 53, wrongShare: 0.003 },
    f64: { ulp: 374, wrongShare: 0.03 },
  },
  sqrt: { f16: { ulp: 0.5 }, f32: { ulp: 0.5 }, f64: { ulp: 0.5 } },
  sin: primitive(1),
  cos: primitive(1),
}

/** f16 and f64 as on cpu; f32 in arithmetic of its own. */
const inF32 = (bounds: Bounds | undefined, f32: Bound): Bounds => ({ ...bounds, f32 })

// f32: the largest of a sweep over every 37th number (erf and what is made of it: every 101st), with room for a tenth.
const wasm: { readonly [name: string]: Bounds } = {
  ...cpu,
  exp: inF32(cpu['exp'], { ulp: 1 }),
  log: inF32(cpu['log'], { ulp: 0.9 }),
  tanh: inF32(cpu['tanh'], { ulp: 1.5 }),
  sigmoid: inF32(cpu['sigmoid'], { ulp: 2.5 }),
  erf: inF32(cpu['erf'], { ulp: 1.25 }),
  'gelu from -1': inF32(cpu['gelu from -1'], { ulp: 3 }),
  // cpu's and the error of the sigmoid.
  geluTanh: inF32(cpu['geluTanh'], { ulp: 222, wrongShare: 0.001 }),
  silu: inF32(cpu['silu'], { ulp: 53, wrongShare: 0.003 }),
  sin: inF32(cpu['sin'], { ulp: 0.51 }),
  cos: inF32(cpu['cos'], { ulp: 0.51 }),
}

/** f16 is computed in f32, and rounded a second time: that is seen only where the first rounding ends just beside a tie. */
const halves = (bounds: Bounds | undefined, f32: Bound): Bounds => ({ f16: { ulp: 0.501, ...bounds?.f16 }, f32 })

// On SwiftShader, whose quotients and roots are right to half an ulp. WGSL lets a GPU err by 2.5 ulp in a quotient: then tanh may reach 2.5 and the
// sigmoid 5.
const webgpu: { readonly [name: string]: Bounds } = {
  ...wasm,
  exp: halves(cpu['exp'], { ulp: 1 }),
  log: halves(cpu['log'], { ulp: 0.9 }),
  tanh: halves(cpu['tanh'], { ulp: 1.5 }),
  sigmoid: halves(cpu['sigmoid'], { ulp: 2.5 }),
  erf: halves(cpu['erf'], { ulp: 1.25 }),
  sin: halves(cpu['sin'], { ulp: 1.75 }),
  cos: halves(cpu['cos'], { ulp: 1.75 }),
  // Sums and products may take what is below 2⁻¹²⁶ for 0, and SwiftShader does: where σ or Φ, or the result, is that small, no digit is left.
  silu: { f16: { ulp: 9, wrongShare: 0.003 }, f32: { ulp: noDigit(24), wrongShare: 0.02 } },
  gelu: { f16: { ulp: noDigit(11), wrongShare: 0.03 }, f32: { ulp: noDigit(24), wrongShare: 0.03 } },
  'gelu from -1': { f16: { ulp: 2.5 }, f32: { ulp: noDigit(24), wrongShare: 0.02 } },
  geluTanh: { f16: { ulp: 17, wrongShare: 0.001 }, f32: { ulp: noDigit(24), wrongShare: 0.02 } },
}

const backends: { readonly [backend: string]: { readonly [name: string]: Bounds } } = { cpu, wasm, webgpu }

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
 * promised: there the squares overflow. These hold for the rows that are drawn, with room; they are no bounds for all rows.
 */
const rowBounds: { readonly [name: string]: { readonly [inputs: string]: number } } = {
  softmax: { 'σ = 1': 2, 'σ = 30': 2, 'σ = 1, every other one −∞': 2, 'up to ±3·10³⁸': 2, 'all equal': 1 },
  logSumExp: { 'σ = 1': 2, 'σ = 30': 1, 'σ = 1, every other one −∞': 2, 'up to ±3·10³⁸': 1, 'all equal': 1 },
  layerNorm: { 'σ = 1': 3, 'mean 100, σ = 1': 50, 'mean 10⁴, σ = 1': 6000, 'σ = 10⁻⁶': 3, 'σ = 10¹⁷': 3 },
  groupNorm: { 'σ = 1': 3, 'mean 100, σ = 1': 50, 'mean 10⁴, σ = 1': 6000, 'σ = 10⁻⁶': 3, 'σ = 10¹⁷': 3 },
  rmsNorm: { 'σ = 1': 2, 'mean 100, σ = 1': 2, 'mean 10⁴, σ = 1': 2, 'σ = 10⁻⁶': 2, 'σ = 10¹⁷': 2 },
}

/** Random normals: 2⁻¹⁸·⁵ in units of 2⁻²¹, the bound that their docstring states. */
export const normalBound = 2 ** 2.5

/** Sums on a GPU are those of f32 alone, where cpu and wasm have f64. */
const inSinglePrecision = 5

/** The bound of a row function on a device; undefined where nothing is promised. */
export const rowBoundOf = (device: string, name: string, inputs: string): number | undefined => {
  const bound = rowBounds[name]?.[inputs]
  return bound === undefined ? undefined : bound * (device.startsWith('webgpu') ? inSinglePrecision : 1)
}
