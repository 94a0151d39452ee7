/** What the pictures and the latents of an autoencoder must be. */
import { at } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { expectTensor } from '../../tensor/expect.ts'
import { showShape } from '../../graph/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Refuses what are no pictures [N, H, W, channels] whose sides are divisible by the factor. */
export const requirePictures = (who: string, x: Tensor, channels: number, factor: number): void => {
  expectTensor(who, x)
  if (x.rank !== 4 || at(x.shape, 3) !== channels)
    throw new ShapeError(`${who}: takes pictures [N, H, W, ${channels}], got ${showShape(x.shape)}`)
  const [height, width] = [at(x.shape, 1), at(x.shape, 2)]
  if (height % factor !== 0 || width % factor !== 0)
    throw new ShapeError(
      `${who}: pictures of ${height}×${width} do not fit: height and width must be divisible by ${factor}, the pixels per side of a latent`,
    )
}

/** Refuses what are no latents [N, H, W, channels]. */
export const requireLatents = (who: string, z: Tensor, channels: number): void => {
  expectTensor(who, z)
  if (z.rank !== 4 || at(z.shape, 3) !== channels)
    throw new ShapeError(`${who}: takes latents [N, H, W, ${channels}], got ${showShape(z.shape)}`)
}
