/**
 * WGSL functions sin and cos, for every finite f32.
 *
 * x is reduced by multiples of π/2 (Payne & Hanek 1983): its digits times those of 1/2π which matter, in whole numbers, which no compiler
 * reorders, so one way serves all sizes; the reduced number is then right to its last digit even where x is nearly a multiple of π/2. Then come
 * the polynomials that wasm uses (prelude/polynomials.ts).
 */
import { cosPolynomial, sinPolynomial } from '../../../prelude/polynomials.ts'
import { polynomial } from './print.ts'

/** The first 224 binary digits of 1/2π: an f32 is below 2¹²⁸, of whose product 64 digits after the point are wanted, and 32 more. */
const turnsPerRadian = ['28be60db', '9391054a', '7f09d5f4', '7d4d3770', '36d8a566', '4f10e410', '7f9458ea']

/** π/2 · 2³¹, rounded. */
const halfPi = '0xc90fdaa2u'

/** The bits of π/4. */
const quarterPi = '0x3f490fdbu'

/** sin, cos, and what they are made of. */
export const trigonometricFunctions = {
  // The upper 32 of the 64 bits of x * y, by halves of 16 bits.
  multiply_high: `
fn multiply_high(x: u32, y: u32) -> u32 {
  let low = (x & 0xffffu) * (y & 0xffffu);
  let first = (x >> 16u) * (y & 0xffffu) + (low >> 16u);
  let second = (x & 0xffffu) * (y >> 16u) + (first & 0xffffu);
  return (x >> 16u) * (y >> 16u) + (first >> 16u) + (second >> 16u);
}`,

  // 32 digits of 1/2π after the `skipped` of them, counted from 32 digits before the point, which are 0.
  turn_digits: `
fn turn_digits(skipped: u32) -> u32 {
  var words = array(0u, ${turnsPerRadian.map((word) => `0x${word}u`).join(', ')});
  let shift = skipped & 31u;
  let word = skipped >> 5u;
  return (words[word] << shift) | ((words[word + 1u] >> 1u) >> (31u - shift));
}`,

  // |x| / 2π without its whole part, for |x| >= ½: 64 binary digits, the upper 32 first.
  turns_of: `
fn turns_of(x: f32) -> vec2u {
  let b = bitcast<u32>(x);
  let digits = ((b & 0x7fffffu) | 0x800000u) << 8u;
  let exponent = ((b >> 23u) & 255u) - 126u;
  let middle = turn_digits(exponent + 32u);
  let low = digits * middle;
  let sum = low + multiply_high(digits, turn_digits(exponent + 64u));
  let carry = select(0u, 1u, sum < low);
  return vec2u(digits * turn_digits(exponent) + multiply_high(digits, middle) + carry, sum);
}`,

  // Quarter turns, of which there are 2^62 in 64 bits, as radians: the first 32 digits from a 1 on, times π/2, rounded to 24.
  radians_of: `
fn radians_of(upper: u32, lower: u32) -> f32 {
  let zeros = countLeadingZeros(upper); // at most 31: no f32 is within 2^-30 quarters of a multiple (Muller 2016, 11.3)
  let digits = (upper << zeros) | ((lower >> 1u) >> (31u - zeros));
  let product = multiply_high(digits, ${halfPi});
  let more = countLeadingZeros(product);
  return f32(shift_rounded(product << more, 8u)) * bitcast<f32>((106u - zeros - more) << 23u);
}`,

  // sin r and cos r for |r| <= π/4; sin r is r itself below 2^-12.
  near_sin: `
fn near_sin(r: f32) -> f32 {
  let z = r * r;
  let y = r + r * z * ${polynomial('z', sinPolynomial)};
  return bitcast<f32>(select(bitcast<u32>(y), bitcast<u32>(r), (bitcast<u32>(r) & 0x7fffffffu) < 0x39800000u));
}`,

  near_cos: `
fn near_cos(r: f32) -> f32 {
  let z = r * r;
  return ${polynomial('z', cosPolynomial)};
}`,

  // sin(r + quarters * π/2) for |r| <= π/4.
  turned_sin: `
fn turned_sin(r: f32, quarters: u32) -> f32 {
  let y = select(bitcast<u32>(near_sin(r)), bitcast<u32>(near_cos(r)), (quarters & 1u) == 1u);
  return bitcast<f32>(y ^ ((quarters & 2u) << 30u));
}`,

  // sin(x + quarters * π/2): the nearest multiple of π/2 is taken from |x|; x's sign turns the other way.
  reduced_sin: `
fn reduced_sin(x: f32, quarters: u32) -> f32 {
  let b = bitcast<u32>(x);
  let a = b & 0x7fffffffu;
  if (a >= 0x7f800000u) {
    return bitcast<f32>(a | 0x7fc00000u);
  }
  if (a < ${quarterPi}) {
    return turned_sin(x, quarters);
  }
  let t = turns_of(x);
  let nearest = (t.x + 0x20000000u) >> 30u;
  let upper = t.x - (nearest << 30u);
  let isBelow = upper >> 31u == 1u;
  let negated = vec2u(~upper + select(0u, 1u, t.y == 0u), 0u - t.y);
  let rest = select(vec2u(upper, t.y), negated, isBelow);
  let isNegative = b >> 31u == 1u;
  let r = bitcast<u32>(radians_of(rest.x, rest.y)) ^ select(0u, 0x80000000u, isBelow != isNegative);
  return turned_sin(bitcast<f32>(r), quarters + select(nearest, 0u - nearest, isNegative));
}`,

  sin_f32: `
fn sin_f32(x: f32) -> f32 {
  return reduced_sin(x, 0u);
}`,

  cos_f32: `
fn cos_f32(x: f32) -> f32 {
  return reduced_sin(x, 1u);
}`,
}
