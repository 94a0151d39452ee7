/** Gaussian blur of pictures: what a model that averages does to them. */
import { range } from '../prelude/array.ts'
import { painted, type Pictures } from './pictures.ts'

/**
 * A picture blurred by a Gaussian, cut off at three deviations; at the edges the last pixel goes on.
 *
 * @param pixels RGB
 * @param sigma its deviation in pixels, > 0
 */
export const blurred = (size: Pick<Pictures, 'height' | 'width'>, pixels: Uint8Array, sigma: number): Uint8Array => {
  const { height, width } = size
  const reach = Math.ceil(3 * sigma)
  const taps = range(2 * reach + 1).map((i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)))
  const total = taps.reduce((a, b) => a + b, 0)
  const kept = (i: number, n: number): number => Math.min(n - 1, Math.max(0, i))
  const rows = new Float32Array(pixels.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        let sum = 0
        taps.forEach((tap, k) => {
          sum += tap * (pixels[(y * width + kept(x + k - reach, width)) * 3 + c] ?? 0)
        })
        rows[(y * width + x) * 3 + c] = sum / total
      }
  return painted(size, (y, x, c) => {
    let sum = 0
    taps.forEach((tap, k) => {
      sum += tap * (rows[(kept(y + k - reach, height) * width + x) * 3 + c] ?? 0)
    })
    return sum / total
  })
}
