/** Pictures of which a part is known: what the network is given of it, and what is put back into what it draws. */
import { product, range } from '../../../prelude/array.ts'
import { pictureOf, type Diffusion, type LoadedWeights } from './diffusion.ts'
import { settingError, type TrainError } from '../../trainError.ts'
import type { JumpOptions } from '../../../diffusion/index.ts'

/** A picture, and what of it is to be filled in. */
export interface Filling extends JumpOptions {
  /** Of the run's size, bytes [height, width, channels]. */
  readonly picture: Uint8Array
  /** Bytes [height, width]: from 128 on, which is white, it is to be filled in. */
  readonly mask: Uint8Array
}

/** Sizes of pictures, and of what the network sees of them. */
interface FilledSpace {
  readonly config: Pick<Diffusion['config'], 'height' | 'width'>
  readonly space: Pick<Diffusion['space'], 'shape'>
}

/** A byte of the mask from which it is to be filled in. */
const white = 128

/**
 * The mask as the network's x has it, f32 [h, w, 1]: 1 where it is to be filled in. A place of latents is, where any pixel is that it stands for.
 */
export const fillOf = ({ config, space }: FilledSpace, { mask }: Filling): Float32Array => {
  const [h, w] = space.shape
  const factor = config.height / h
  const isFilled = (i: number): boolean => {
    const [top, left] = [Math.floor(i / w) * factor, (i % w) * factor]
    return range(factor * factor).some(
      (j) => (mask[(top + Math.floor(j / factor)) * config.width + left + (j % factor)] ?? 0) >= white,
    )
  }
  return Float32Array.from(range(h * w), (i) => (isFilled(i) ? 1 : 0))
}

/** A picture that was drawn, with the known part as it was given. */
export const withKnown =
  ({ picture, mask }: Filling) =>
  (drawn: Uint8Array): Uint8Array => {
    const channels = picture.length / mask.length
    return drawn.map((byte, i) => ((mask[Math.floor(i / channels)] ?? 0) >= white ? byte : (picture[i] ?? byte)))
  }

/** What is wrong with what is to be filled in. */
export const misfilled = (
  { config }: Pick<LoadedWeights, 'config'>,
  { picture, mask, jump = 1, resamples = 1 }: Filling,
): TrainError | undefined => {
  const bytes = product(pictureOf(config))
  const pixels = config.height * config.width
  if (picture.length !== bytes)
    return settingError({
      path: 'fill',
      expected: `${bytes} bytes, a picture of the run's size`,
      got: String(picture.length),
    })
  if (mask.length !== pixels)
    return settingError({ path: 'mask', expected: `${pixels} bytes, one for each pixel`, got: String(mask.length) })
  const wrong = Object.entries({ jump, resamples }).find(([, value]) => !(Number.isSafeInteger(value) && value >= 1))
  return wrong && settingError({ path: wrong[0], expected: 'a whole number ≥ 1', got: String(wrong[1]) })
}
