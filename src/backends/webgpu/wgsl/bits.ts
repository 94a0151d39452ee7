/**
 * WGSL functions that ask and make f32 numbers by their bits.
 *
 * WGSL allows a compiler to assume that there is neither NaN nor ∞, to ignore the sign of 0, to take subnormals for 0, and to reorder sums
 * and products (W3C, WebGPU Shading Language, 15.7.3). Whole numbers are exact. So whatever is special is found by the bits, as u32, and where
 * a result may be special the choice is made between u32 too: a choice between floats may assume that both are numbers.
 */

/** Shifts and comparisons of bits: exact on every adapter. */
export const bitFunctions = {
  is_nan: `
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,

  neg_f32: `
fn neg_f32(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u);
}`,

  // Whole numbers in the order of the floats: those below 0 count down from -1, so that -0 is just below 0.
  order_f32: `
fn order_f32(x: f32) -> i32 {
  let b = bitcast<i32>(x);
  return b ^ ((b >> 31u) & 0x7fffffff);
}`,

  // Whole numbers in the order of sorting: 0 and -0 are one, and NaN is behind all.
  sort_key: `
fn sort_key(x: f32) -> u32 {
  let b = bitcast<u32>(x);
  return select(select(b | 0x80000000u, ~b, b > 0x80000000u), 0xffffffffu, is_nan(x));
}`,

  // The larger in the order of floats, +0 over -0; NaN if either is.
  max_f32: `
fn max_f32(x: f32, y: f32) -> f32 {
  let larger = select(bitcast<u32>(y), bitcast<u32>(x), order_f32(x) >= order_f32(y));
  let other = select(larger, bitcast<u32>(y), is_nan(y));
  return bitcast<f32>(select(other, bitcast<u32>(x), is_nan(x)));
}`,

  less_f32: `
fn less_f32(x: f32, y: f32) -> bool {
  let zeros = ((bitcast<u32>(x) | bitcast<u32>(y)) & 0x7fffffffu) == 0u;
  return order_f32(x) < order_f32(y) && !(zeros || is_nan(x) || is_nan(y));
}`,

  equal_f32: `
fn equal_f32(x: f32, y: f32) -> bool {
  let zeros = ((bitcast<u32>(x) | bitcast<u32>(y)) & 0x7fffffffu) == 0u;
  return (zeros || bitcast<u32>(x) == bitcast<u32>(y)) && !is_nan(x);
}`,

  // Below 2^23 the last bits are the fraction: what is below 0 and has one is raised in magnitude, by a carry into the whole part.
  floor_f32: `
fn floor_f32(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  let exponent = (b >> 23u) & 255u;
  let negative = b >> 31u == 1u;
  if (exponent < 127u) {
    let below = select(0u, 0xbf800000u, negative);
    return bitcast<f32>(select(below, b, (b & 0x7fffffffu) == 0u));
  }
  let fraction = select(0u, 0x7fffffu >> ((exponent - 127u) & 31u), exponent < 150u);
  return bitcast<f32>((b + select(0u, fraction, negative)) & ~fraction);
}`,

  // x itself, as the rounded number that it is: no compiler can reorder or contract across. Squares are 0, 1, 4 or 9 modulo 16, so that
  // never both of the bits 2 and 3 are set; compilers do not know that, and take the bits of the result for others than those of x.
  kept: `
fn kept(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  let square = b * b;
  return bitcast<f32>(b ^ (square & (square >> 1u) & 4u));
}`,

  // x / 2^shift, to nearest, ties to even; shift from 1 to 31.
  shift_rounded: `
fn shift_rounded(x: u32, shift: u32) -> u32 {
  let whole = x >> shift;
  let rest = x & ((1u << shift) - 1u);
  let half = 1u << (shift - 1u);
  return whole + select(0u, 1u, rest > half || (rest == half && (whole & 1u) == 1u));
}`,

  // The bits of x * 2^n, for a normal x: ∞ where it is too large, subnormal, rounded to even, where it is small.
  scaled_bits: `
fn scaled_bits(x: f32, n: i32) -> u32 {
  let b = bitcast<u32>(x);
  let sign = b & 0x80000000u;
  let exponent = i32((b >> 23u) & 255u) + n;
  if (exponent >= 255) {
    return sign | 0x7f800000u;
  }
  if (exponent > 0) {
    return sign | (u32(exponent) << 23u) | (b & 0x7fffffu);
  }
  return sign | shift_rounded((b & 0x7fffffu) | 0x800000u, u32(min(1 - exponent, 31)));
}`,

  // Of a finite x that is not 0: n, where |x| = m * 2^n with 1 <= m < 2.
  exponent_of: `
fn exponent_of(x: f32) -> i32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  return select(-118 - i32(countLeadingZeros(a)), i32(a >> 23u) - 127, a >= 0x800000u);
}`,

  // ... and m.
  mantissa_of: `
fn mantissa_of(x: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let shift = select((countLeadingZeros(a) - 8u) & 31u, 0u, a >= 0x800000u);
  return bitcast<f32>(((a << shift) & 0x7fffffu) | 0x3f800000u);
}`,
}
