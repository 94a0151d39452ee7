/**
 * Latents that shrink and turn as pictures do: what is done to the latents of a picture should be what is done to the picture
 * (EQ-VAE, Kouzelis et al. 2025; scale equivariance, Skorokhodov et al. 2025). Diffusion learns such latents sooner, for their detail lies
 * where the pictures' does.
 */
import { at, range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { l1 } from '../../nn/losses.ts'
import { averagePool } from '../../tensor/pooling.ts'
import { foldIn, randint, type Key } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Options of {@link equivarianceLoss}. */
export interface EquivarianceOptions {
  /** By how much the parts of a batch are shrunk, one part for each; default [2, 4]. */
  readonly shrink?: readonly number[]
  /** The distance of two batches of pictures, a scalar; default the mean absolute difference. */
  readonly distance?: (prediction: Tensor, target: Tensor) => Tensor
}

/** The picture turned by so many right angles, counterclockwise. */
const turned = (x: Tensor, quarters: number): Tensor => {
  if (quarters === 0) return x
  if (quarters === 2) return x.reverse([1, 2])
  const across = x.transpose([0, 2, 1, 3])
  return across.reverse(quarters === 1 ? 1 : 2)
}

/** Turned by what `turn` says, which only the device knows: all turns are at hand, and one is chosen. Where width and height differ, 0° and 180° are. */
const turnedBy = (x: Tensor, turn: Tensor): Tensor => {
  if (x.shape[1] !== x.shape[2]) return turn.rem(2).equal(1).select(turned(x, 2), x)
  return range(3)
    .map((i) => i + 1)
    .reduce((chosen, quarters) => turn.equal(quarters).select(turned(x, quarters), chosen), x)
}

const requirePairs = (latents: Tensor, pictures: Tensor, shrink: readonly number[]): void => {
  const say = (what: string): never => {
    throw new ShapeError(
      `equivarianceLoss: latents ${showShape(latents.shape)} of pictures ${showShape(pictures.shape)}: ${what}`,
    )
  }
  if (latents.rank !== 4 || pictures.rank !== 4) say('both are [N, H, W, C]')
  if (latents.shape[0] !== pictures.shape[0] || latents.shape[0] === 0)
    say('there is to be one of each, and at least one')
  const wrong = shrink.find((by) => !Number.isInteger(by) || by < 1)
  if (wrong !== undefined || shrink.length === 0)
    throw new RangeError(`equivarianceLoss: shrink is [${shrink.join(', ')}]; give whole numbers from 1 on, as [2, 4]`)
  const uneven = shrink.find((by) => at(latents.shape, 1) % by !== 0 || at(latents.shape, 2) % by !== 0)
  if (uneven !== undefined)
    say(`${uneven} does not divide the latents' height and width; shrink by less, or crop otherwise`)
}

/**
 * The distance of decode(τz) from τx, with z the latents of pictures x and τ a change of size and a turn by right angles. Sizes shrink by
 * means over squares, which need no filter at the border. A compiled step has fixed shapes, so the batch is cut into as many parts as there are
 * sizes (batches come in a fresh order, so every picture meets every size), and each part turns as its own random number says.
 *
 * Gradients flow into the decoder, and through the latents into the encoder; pictures are data.
 *
 * @param decode latents [n, h, w, c] to pictures [n, h·f, w·f, 3], for any n, h and w
 * @param latents [N, h, w, c] of the pictures, as the encoder gives them; h and w divisible by what shrinks them
 * @param pictures [N, h·f, w·f, 3]
 * @param key draws the turns
 * @returns a scalar: the mean over the pictures
 * @throws ShapeError where latents and pictures do not belong together, or cannot shrink
 * @example
 * ```ts
 * import { averagePool, key, normal, upsampleNearest } from 'fathom'
 * import { equivarianceLoss } from 'fathom/models'
 *
 * const pictures = upsampleNearest(normal(key(1), [4, 2, 2, 3]), 16) // squares of 16 pixels, which stay squares
 * equivarianceLoss((z) => upsampleNearest(z, 4), averagePool(pictures, 4), pictures, key(2)) // => 0.000000
 * equivarianceLoss((z) => z, pictures, pictures, key(2), { shrink: [3] }) // throws ShapeError: equivarianceLoss: … 3 does not divide the latents' height and width; …
 * ```
 */
export const equivarianceLoss = (
  decode: (latents: Tensor) => Tensor,
  latents: Tensor,
  pictures: Tensor,
  key: Key,
  { shrink = [2, 4], distance = l1 }: EquivarianceOptions = {},
): Tensor => {
  requirePairs(latents, pictures, shrink)
  const count = at(latents.shape, 0)
  const parts = shrink.slice(0, count) // a batch of one has one size
  const losses = parts.map((by, i) => {
    const [start, limit] = [Math.floor((i * count) / parts.length), Math.floor(((i + 1) * count) / parts.length)]
    const turn = randint(foldIn(key, i), [], 0, 4)
    const changed = (x: Tensor): Tensor => turnedBy(averagePool(x.slice([start, limit]), by), turn)
    return distance(decode(changed(latents)), changed(pictures)).mul((limit - start) / count)
  })
  return losses.reduce((a, b) => a.add(b))
}
