/** Sets of pictures of known quality, which say what a score means: the same numbers are computed of them as of the generated ones. */
import { requirePositive } from '../prelude/options.ts'
import { range } from '../prelude/array.ts'
import { hostFold, hostUniform, type HostKey } from '../prelude/threefry.ts'
import { blurred } from './blur.ts'
import { hostNormal } from './normal.ts'
import { pick, type Pictures } from './pictures.ts'

/**
 * Pictures of the normal distribution that has the mean and the covariance of `set`: the best that a linear model of pixels can do.
 *
 *     x = μ + (1/√N) Σᵢ zᵢ (xᵢ − μ),    zᵢ ~ N(0, 1)
 *
 * has exactly the covariance of the N pictures, on all of their principal components: none needs to be computed.
 *
 * @param set RGB
 * @param key a seed as two words, such as `[0, 1]`
 * @example
 * ```ts
 * import { gaussianPictures } from 'fathom/evaluation'
 *
 * const one = { height: 1, width: 1, channels: 3, pictures: [Uint8Array.of(9, 8, 7)] } // without any deviation
 * gaussianPictures(one, 2, [0, 1]).pictures // => [[9, 8, 7], [9, 8, 7]]
 * ```
 */
export const gaussianPictures = (set: Pictures, count: number, key: HostKey): Pictures => {
  const { height, width, channels, pictures } = set
  const each = pictures[0]?.length ?? 0
  const mean = new Float64Array(each)
  for (const pixels of pictures)
    for (let p = 0; p < each; p++) mean[p] = (mean[p] ?? 0) + (pixels[p] ?? 0) / pictures.length
  const drawn = range(count).map((i) => {
    const own = hostFold(key, i)
    const x = Float64Array.from(mean)
    pictures.forEach((pixels, j) => {
      const z = hostNormal(own, j) / Math.sqrt(pictures.length)
      for (let p = 0; p < each; p++) x[p] = (x[p] ?? 0) + z * ((pixels[p] ?? 0) - (mean[p] ?? 0))
    })
    return Uint8Array.from(x, (value) => Math.round(Math.min(255, Math.max(0, value))))
  })
  return { height, width, channels, pictures: drawn }
}

/**
 * The pictures, each blurred by a Gaussian of this deviation in pixels.
 *
 * @param set RGB
 * @throws RangeError for a deviation that is not above 0
 * @example
 * ```ts
 * import { blurredPictures } from 'fathom/evaluation'
 *
 * const line = { height: 1, width: 3, channels: 3, pictures: [Uint8Array.of(0, 0, 0, 90, 90, 90, 0, 0, 0)] }
 * blurredPictures(line, 0.5).pictures[0] // => [10, 10, 10, 71, 71, 71, 10, 10, 10]
 * ```
 */
export const blurredPictures = (set: Pictures, sigma: number): Pictures => {
  requirePositive('blurredPictures', 'sigma', sigma)
  return { ...set, pictures: set.pictures.map((pixels) => blurred(set, pixels, sigma)) }
}

/** Pictures of the set drawn at random, each as often as chance has it: a model that has learned it by heart. */
export const copiedPictures = (set: Pictures, count: number, key: HostKey): Pictures =>
  pick(
    set,
    range(count).map((i) => Math.floor(hostUniform(key, i) * set.pictures.length)),
  )
