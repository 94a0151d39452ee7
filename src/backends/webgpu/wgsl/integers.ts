/**
 * WGSL functions of whole numbers, and conversions between them and floats: with the results of JavaScript, where WGSL has others.
 *
 * WGSL gives x for x / 0 and for −2³¹ / −1 (which is what wraps), and 0 for what they leave; a conversion of a float saturates, and one to a
 * float may round either way. Numbers of u8 are held as u32.
 */

/** Of i32 and u32. */
export const integerFunctions = {
  div_i32: `
fn div_i32(x: i32, y: i32) -> i32 {
  return select(x / y, 0, y == 0);
}`,

  div_u32: `
fn div_u32(x: u32, y: u32) -> u32 {
  return select(x / y, 0u, y == 0u);
}`,

  rem_i32: `
fn rem_i32(x: i32, y: i32) -> i32 {
  return select(x % y, 0, y == 0);
}`,

  rem_u32: `
fn rem_u32(x: u32, y: u32) -> u32 {
  return select(x % y, 0u, y == 0u);
}`,

  // The whole part modulo 2^32 (ECMAScript, ToUint32): 24 digits, shifted. NaN and ∞ have an exponent that shifts all of them out.
  u32_of_f32: `
fn u32_of_f32(x: f32) -> u32 {
  let b = bitcast<u32>(x);
  let shift = i32((b >> 23u) & 255u) - 150;
  let digits = (b & 0x7fffffu) | 0x800000u;
  let moved = select(digits >> u32(min(-shift, 31)), digits << u32(shift & 31), shift >= 0);
  let whole = select(moved, 0u, shift > 31);
  return select(whole, 0u - whole, b >> 31u == 1u);
}`,

  i32_of_f32: `
fn i32_of_f32(x: f32) -> i32 {
  return bitcast<i32>(u32_of_f32(x));
}`,

  // To nearest, ties to even: what has more than 24 digits is rounded to 24 first.
  f32_of_u32: `
fn f32_of_u32(x: u32) -> f32 {
  if (x < 0x1000000u) {
    return f32(x);
  }
  let more = 8u - countLeadingZeros(x);
  return f32(shift_rounded(x, more)) * f32(1u << more);
}`,

  f32_of_i32: `
fn f32_of_i32(x: i32) -> f32 {
  let magnitude = f32_of_u32(select(u32(x), 0u - u32(x), x < 0));
  return select(magnitude, -magnitude, x < 0);
}`,
}
