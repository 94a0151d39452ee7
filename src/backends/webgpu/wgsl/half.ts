/** WGSL functions between f32 and the 16 bits of a half (IEEE 754 binary16), without shader-f16: as graph/half.ts has them, in whole numbers. */

/** Of halves. */
export const halfFunctions = {
  // A subnormal half is a multiple of 2^-24, which is a normal f32. ∞ and NaN get the largest exponent.
  half_of_bits: `
fn half_of_bits(bits: u32) -> f32 {
  let magnitude = bits & 0x7fffu;
  let normal = (magnitude << 13u) + select(0x38000000u, 0x70000000u, magnitude >= 0x7c00u);
  let subnormal = bitcast<u32>(f32(magnitude)) - select(0x0c000000u, 0u, magnitude == 0u);
  let value = select(normal, subnormal, magnitude < 0x400u);
  return bitcast<f32>(((bits & 0x8000u) << 16u) | value);
}`,

  // To nearest, ties to even; ∞ from 65520 on, half an ulp above the largest half. NaN is 0x7e00, without a sign.
  bits_of_half: `
fn bits_of_half(x: f32) -> u32 {
  let b = bitcast<u32>(x);
  let a = b & 0x7fffffffu;
  let sign = (b >> 16u) & 0x8000u;
  if (a > 0x7f800000u) {
    return 0x7e00u;
  }
  if (a >= 0x477ff000u) {
    return sign | 0x7c00u;
  }
  if (a >= 0x38800000u) {
    return sign | shift_rounded(a - 0x38000000u, 13u); // a carry out of the mantissa raises the exponent
  }
  let digits = (a & 0x7fffffu) | 0x800000u; // multiples of 2^-24; below 2^-25 they are all shifted out
  return sign | shift_rounded(digits, min(126u - (a >> 23u), 31u));
}`,

  round_half: `
fn round_half(x: f32) -> f32 {
  return half_of_bits(bits_of_half(x));
}`,
}
