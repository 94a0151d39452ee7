/**
 * WGSL functions of one f32: exp, log, tanh, logistic and erf, by the coefficients that wasm uses (prelude/polynomials.ts).
 *
 * WGSL's own are no use: of SwiftShader's, log near 1 is wrong by 5,000 ulp and tanh(100) is NaN, and the standard allows as much (W3C, WebGPU
 * Shading Language, 15.7.4). These are within 4 ulp, with NaN, ±∞ and ±0 as cpu has them. A compiler may reorder their sums: where that would
 * cost digits, `kept` forbids it; elsewhere the first term outweighs the others, and any order will do.
 */
import {
  erfPolynomial,
  erfSplit,
  erfTail,
  expLn2,
  expPolynomial,
  logLn2,
  logPolynomial,
  tanhPolynomial,
  tanhSplit,
} from '../../../prelude/polynomials.ts'
import { number, polynomial } from './print.ts'

/** Of one float. */
export const mathFunctions = {
  // x = n ln 2 + r with |r| <= ln 2 / 2 (Cody & Waite): e^x = e^r * 2^n. ∞ from 88.72 on, and 0 from -103.97 down.
  exp_f32: `
fn exp_f32(x: f32) -> f32 {
  let t = clamp(x, -104.0, 89.0);
  let n = round(t * ${number(Math.LOG2E)});
  let r = kept(t - n * ${number(expLn2.high)}) - n * ${number(expLn2.low)};
  let y = ${polynomial('r', expPolynomial)} * r * r + r + 1.0;
  return bitcast<f32>(select(scaled_bits(y, i32(n)), bitcast<u32>(x), is_nan(x)));
}`,

  log_f32: `
fn log_f32(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  if (b == 0u || b >= 0x7f800000u) {
    return bitcast<f32>(special_log(b));
  }
  return finite_log(x);
}`,

  // The bits of ln x for the bits of ±0, ∞, NaN and what is below 0.
  special_log: `
fn special_log(b: u32) -> u32 {
  let outside = select(b | 0x7fc00000u, 0xff800000u, (b & 0x7fffffffu) == 0u);
  return select(outside, b, b == 0x7f800000u);
}`,

  // x = 2^k * (1 + f) with 1 + f between √½ and √2; ln(1 + f) = 2 artanh s with s = f / (2 + f).
  finite_log: `
fn finite_log(x: f32) -> f32 {
  let m = mantissa_of(x);
  let isLarge = m > ${number(Math.SQRT2)};
  let k = f32(exponent_of(x) + select(0, 1, isLarge));
  let f = select(m, 0.5 * m, isLarge) - 1.0;
  let s = f / (2.0 + f);
  let z = s * s;
  let r = z * ${polynomial('z', logPolynomial)};
  let half = 0.5 * f * f;
  return k * ${number(logLn2.high)} - (half - (s * (half + r) + k * ${number(logLn2.low)}) - f);
}`,

  // 1 / (1 + e^-x) = (x >= 0 ? 1 : q) / (1 + q) with q = e^-|x|; from -18 down 1 + q is 1, and q may be subnormal.
  logistic_f32: `
fn logistic_f32(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  let q = exp_f32(bitcast<f32>(b | 0x80000000u));
  let isSmall = b > 0xc1900000u; // NaN too, when its sign is set
  let y = select(q, 1.0, b >> 31u == 0u) / (1.0 + q);
  return bitcast<f32>(select(bitcast<u32>(y), bitcast<u32>(q), isSmall || is_nan(x)));
}`,

  // Near 0 x + x^3 P(x^2), from 0.625 on 1 - 2 / (e^2|x| + 1), which is 1 at 10; below 2^-12 x itself.
  tanh_f32: `
fn tanh_f32(x: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  if (a < 0x39800000u || a > 0x7f800000u) {
    return x;
  }
  let t = bitcast<f32>(min(a, 0x41200000u));
  let s = t * t;
  let small = t + t * s * ${polynomial('s', tanhPolynomial)};
  let large = 1.0 - 2.0 / (exp_f32(2.0 * t) + 1.0);
  let y = select(small, large, t > ${number(tanhSplit)});
  return bitcast<f32>(bitcast<u32>(y) | (bitcast<u32>(x) & 0x80000000u));
}`,

  // Near 0 x + x P(x^2), from 0.93 on 1 - e^(R(|x|) |x| - |x|), which is 1 at 4; below 2^-100 the slope alone.
  erf_f32: `
fn erf_f32(x: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let sign = bitcast<u32>(x) & 0x80000000u;
  if (a == 0u || a > 0x7f800000u) {
    return x;
  }
  if (a < 0x0d800000u) {
    let m = mantissa_of(x);
    return bitcast<f32>(sign | scaled_bits(m + m * ${number(erfPolynomial.at(-1) ?? 0)}, exponent_of(x)));
  }
  let t = bitcast<f32>(min(a, 0x40800000u));
  let s = t * t;
  let small = t + t * ${polynomial('s', erfPolynomial)};
  let large = 1.0 - exp_f32(${polynomial('t', erfTail)} * t - t);
  let y = select(small, large, t > ${number(erfSplit)});
  return bitcast<f32>(bitcast<u32>(y) | sign);
}`,
}
