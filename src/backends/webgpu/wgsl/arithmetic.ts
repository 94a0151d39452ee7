/**
 * WGSL functions for division, remainder and square root.
 *
 * WGSL's own division is within 2.5 ulp where the divisor is between 2⁻¹²⁶ and 2¹²⁶, and says nothing of 0, ∞ and NaN; of sqrt it says the same.
 * Outside they are taken of mantissas, and the exponents are put together as whole numbers. Subnormals are treated exactly.
 *
 * Sums and products have no function here: `x + y` and `x * y` keep NaN and ∞ where both operands come from memory (SwiftShader, tested) or the
 * adapter honours them. Two things are left to who prints them: no literal ∞ or NaN, and no literal 0 as a factor, since `x * 0.0` is 0 for
 * NaN too. Their subnormal operands and results may be 0.
 */

/** Of floats. */
export const arithmeticFunctions = {
  div_f32: `
fn div_f32(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  let difference = i32(a >> 23u) - i32(b >> 23u);
  if (a - 0x800000u < 0x7f000000u && b - 0x1000000u < 0x7d800000u && abs(difference) < 125) {
    return x / y;
  }
  return bitcast<f32>(special_div(x, y));
}`,

  // The bits of x / y, where one of them or the result is no number or far out.
  special_div: `
fn special_div(x: f32, y: f32) -> u32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  let sign = (bitcast<u32>(x) ^ bitcast<u32>(y)) & 0x80000000u;
  if (a > 0x7f800000u || b > 0x7f800000u || (a == b && (a == 0u || a == 0x7f800000u))) {
    return 0x7fc00000u;
  }
  if (a == 0x7f800000u || b == 0u) {
    return sign | 0x7f800000u;
  }
  if (a == 0u || b == 0x7f800000u) {
    return sign;
  }
  return sign | scaled_bits(mantissa_of(x) / mantissa_of(y), exponent_of(x) - exponent_of(y));
}`,

  sqrt_f32: `
fn sqrt_f32(x: f32) -> f32 {
  let b = bitcast<u32>(x);
  if (b - 0x800000u < 0x7f000000u) {
    return sqrt(x);
  }
  if (b == 0u || b >= 0x7f800000u) { // +0, ∞ and NaN stay, as does -0; below 0 there is no root
    return bitcast<f32>(select(b, 0x7fc00000u, b > 0x80000000u));
  }
  let n = exponent_of(x); // a subnormal: an even power of 2 is taken out
  return bitcast<f32>(scaled_bits(sqrt(mantissa_of(x) * f32(1 + (n & 1))), n >> 1u));
}`,

  // A finite float is a whole number of 24 bits times a power of 2: these are the numbers,
  whole_of: `
fn whole_of(a: u32) -> u32 {
  return select(a, (a & 0x7fffffu) | 0x800000u, a >= 0x800000u);
}`,

  // x - y * trunc(x / y), exactly: long division of x's digits by y's, eight bits a step.
  rem_f32: `
fn rem_f32(x: f32, y: f32) -> f32 {
  let sign = bitcast<u32>(x) & 0x80000000u;
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  if (a >= 0x7f800000u || b > 0x7f800000u || b == 0u) {
    return bitcast<f32>(sign | 0x7fc00000u);
  }
  if (a < b) {
    return x;
  }
  let divisor = whole_of(b);
  let least = max(b >> 23u, 1u);
  var left = max(a >> 23u, 1u) - least;
  var rest = whole_of(a) % divisor;
  while (left > 0u && rest > 0u) {
    let step = min(left, 8u);
    rest = (rest << step) % divisor;
    left -= step;
  }
  if (rest == 0u) {
    return bitcast<f32>(sign);
  }
  let shift = min(countLeadingZeros(rest) - 8u, least - 1u);
  return bitcast<f32>(sign | (((least - shift - 1u) << 23u) + (rest << shift)));
}`,
}
