/** Copies of a picture as somebody, or a model, would make them. Square colour pictures of 3 channels. */
import { hostKey, hostUniform } from '../../../src/prelude/threefry.ts'

/** What is done to a picture of `side`×`side`×3 bytes. */
export type Tamper = (pixels: Uint8Array, side: number) => Uint8Array

/** A picture whose pixels are computed one by one, cut to bytes. */
const drawn = (side: number, at: (y: number, x: number, c: number) => number): Uint8Array =>
  Uint8Array.from({ length: side * side * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3)
    return Math.max(0, Math.min(255, Math.round(at(Math.floor(pixel / side), pixel % side, i % 3))))
  })

/** A pixel; beyond the edges the picture is reflected. */
const pixelOf =
  (pixels: Uint8Array, side: number) =>
  (y: number, x: number, c: number): number => {
    const inside = (i: number): number => (i < 0 ? -i - 1 : i >= side ? 2 * side - 1 - i : i)
    return pixels[(inside(y) * side + inside(x)) * 3 + c] ?? NaN
  }

/** Mirrored left to right. */
export const mirror: Tamper = (pixels, side) => drawn(side, (y, x, c) => pixelOf(pixels, side)(y, side - 1 - x, c))

/** Shows what lies so many pixels below and to the right. */
export const shifted =
  (down: number, right: number): Tamper =>
  (pixels, side) =>
    drawn(side, (y, x, c) => pixelOf(pixels, side)(y + down, x + right, c))

/** In other light. */
export const lit =
  (gain: number, offset: number): Tamper =>
  (pixels) =>
    pixels.map((byte) => Math.max(0, Math.min(255, Math.round(gain * byte + offset))))

/** With normal noise of a deviation of 5 % of the range. */
export const noisy =
  (seed: number): Tamper =>
  (pixels) => {
    const key = hostKey(seed)
    const normal = (i: number): number =>
      Math.sqrt(-2 * Math.log(1 - hostUniform(key, 2 * i))) * Math.cos(2 * Math.PI * hostUniform(key, 2 * i + 1))
    return pixels.map((byte, i) => Math.max(0, Math.min(255, Math.round(byte + 12.75 * normal(i)))))
  }

/** At half the size and back. */
export const blurred: Tamper = (pixels, side) => {
  const pixel = pixelOf(pixels, side)
  const half = (y: number, x: number, c: number): number =>
    (pixel(2 * y, 2 * x, c) +
      pixel(2 * y, 2 * x + 1, c) +
      pixel(2 * y + 1, 2 * x, c) +
      pixel(2 * y + 1, 2 * x + 1, c)) /
    4
  const last = side / 2 - 1
  return drawn(side, (y, x, c) => {
    const [v, h] = [Math.max(0, Math.min(last, (y - 0.5) / 2)), Math.max(0, Math.min(last, (x - 0.5) / 2))]
    const [top, left] = [Math.min(last - 1, Math.floor(v)), Math.min(last - 1, Math.floor(h))]
    const [low, far] = [v - top, h - left]
    const row = (at: number): number => (1 - far) * half(at, left, c) + far * half(at, left + 1, c)
    return (1 - low) * row(top) + low * row(top + 1)
  })
}
