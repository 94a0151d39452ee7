/** Procedural seas: an endless, labelled set of pictures of the sea, made from nothing but a seed. */
import { hostFold, hostKey } from '../../prelude/threefry.ts'
import type { SeaFactors } from './factors.ts'
import { renderSea } from './render.ts'
import { seaScene } from './scene.ts'
import type { Size } from './view.ts'

export type * from './factors.ts'
export { objectBoxes, renderSea, type PixelBox } from './render.ts'
export { seaLabels } from './labels.ts'
export { seaScene } from './scene.ts'
export type { Size } from './view.ts'

/** What `seas` takes: a seed, and one side of a square or width and height, in pixels. */
export type SeasConfig = { readonly seed: number } & ({ readonly size: number } | Size)

/** An endless data set of seas; the same seed, size and index give the same bytes. */
export type Seas = Size & {
  readonly seed: number
  /** The picture of an index ≥ 0: RGB bytes [height, width, 3]. */
  readonly image: (index: number) => Uint8Array
  /** The labels of an index ≥ 0. They do not depend on the size. */
  readonly factors: (index: number) => SeaFactors
}

/**
 * The seas of a seed. Nothing is stored: a picture is made when it is asked for.
 *
 * @throws RangeError if the seed is not a safe integer ≥ 0; `image` throws it for a size or an index out of range
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 *
 * const data = seas({ seed: 1, size: 32 })
 * data.image(0).length // => 3072
 * data.factors(0).weather // => 'clear'
 * const again = seas({ seed: 1, size: 32 }).image(0)
 * data.image(0).every((byte, i) => byte === again[i]) // => true
 * ```
 */
export const seas = (config: SeasConfig): Seas => {
  const size: Size =
    'size' in config ? { width: config.size, height: config.size } : { width: config.width, height: config.height }
  const key = hostKey(config.seed)
  const factors = (index: number): SeaFactors => seaScene(hostFold(key, index))
  return { ...size, seed: config.seed, factors, image: (index) => renderSea(factors(index), size) }
}
