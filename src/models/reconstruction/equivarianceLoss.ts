/**
 * Latents that shrink and turn as pictures do: what is done to the latents of a picture should be what is done to the picture
 * (EQ-VAE, Kouzelis et al. 2025; scale equivariance, Skorokhodov et al. 2025). Diffusion learns such latents sooner, for their detail lies
 * where the pictures' does.
 */
import { requireKnown } from '../../prelude/options.ts'
import { at } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { l1 } from '../../nn/losses.ts'
import { averagePool } from '../../tensor/pooling.ts'
import { isDifferentiable, type Tensor } from '../../tensor/tensor.ts'

/** Options of {@link equivarianceLoss}. */
export interface EquivarianceOptions {
  /** By how much pictures are shrunk, one after the other; default [2, 4]. */
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

/**
 * Each turned by what `turns` says, [N], which only the device knows: all turns are at hand, and one is chosen. Where width and height differ,
 * these are 0° and 180°.
 */
const turnedBy = (x: Tensor, turns: Tensor): Tensor => {
  const each = turns.reshape([turns.size, 1, 1, 1])
  if (x.shape[1] !== x.shape[2]) return each.rem(2).equal(1).select(turned(x, 2), x)
  return [1, 2, 3].reduce((chosen, quarters) => each.equal(quarters).select(turned(x, quarters), chosen), x)
}

const requirePairs = (latents: Tensor, pictures: Tensor, turns: Tensor, shrink: readonly number[]): void => {
  const say = (what: string): never => {
    throw new ShapeError(
      `equivarianceLoss: latents ${showShape(latents.shape)} of pictures ${showShape(pictures.shape)}: ${what}`,
    )
  }
  if (latents.rank !== 4 || pictures.rank !== 4) say('both are [N, H, W, C]')
  if (latents.shape[0] !== pictures.shape[0] || latents.shape[0] === 0)
    say('there is to be one of each, and at least one')
  if (turns.rank !== 1 || turns.size !== latents.shape[0] || isDifferentiable(turns))
    say(`the turns are ${turns.dtype}${showShape(turns.shape)}; draw randint(key, [${latents.shape[0]}], 0, 4)`)
  const wrong = shrink.find((by) => !Number.isInteger(by) || by < 1)
  if (wrong !== undefined || shrink.length === 0)
    throw new RangeError(`equivarianceLoss: shrink is [${shrink.join(', ')}]; give whole numbers from 1 on, as [2, 4]`)
  const uneven = shrink.find((by) => at(latents.shape, 1) % by !== 0 || at(latents.shape, 2) % by !== 0)
  if (uneven !== undefined)
    say(`${uneven} does not divide the latents' height and width; shrink by less, or crop otherwise`)
}

/**
 * The distance of decode(τz) from τx, with z the latents of pictures x and τ a change of size and a turn by right angles. Sizes shrink by
 * means over squares, which need no filter at the border. A compiled step has fixed shapes, so a picture's place in the batch says by how much
 * it shrinks, one after the other (batches come in a fresh order, so every picture meets every size), and a random number how far it turns.
 *
 * Gradients flow into the decoder, and through the latents into the encoder; pictures are data.
 *
 * @param decode latents [n, h, w, c] to pictures [n, h·f, w·f, 3], for any n, h and w
 * @param latents [N, h, w, c] of the pictures, as the encoder gives them; h and w divisible by what shrinks them
 * @param pictures [N, h·f, w·f, 3]
 * @param turns integers [N]: right angles, 0 … 3
 * @returns a scalar: the mean over the pictures
 * @throws ShapeError where latents, pictures and turns do not belong together, or cannot shrink
 * @example
 * ```ts
 * import { averagePool, key, normal, randint, upsampleNearest } from 'fathom'
 * import { equivarianceLoss } from 'fathom/models'
 *
 * const pictures = upsampleNearest(normal(key(1), [4, 2, 2, 3]), 16) // squares of 16 pixels, which stay squares
 * const turns = randint(key(2), [4], 0, 4)
 * equivarianceLoss((z) => upsampleNearest(z, 4), averagePool(pictures, 4), pictures, turns) // => 0.000000
 * equivarianceLoss((z) => z, pictures, pictures, turns, { shrink: [3] }) // throws ShapeError: equivarianceLoss: … 3 does not divide the latents' height and width; …
 * ```
 */
export const equivarianceLoss = (
  decode: (latents: Tensor) => Tensor,
  latents: Tensor,
  pictures: Tensor,
  turns: Tensor,
  options: EquivarianceOptions = {},
): Tensor => {
  requireKnown('equivarianceLoss', options, ['shrink', 'distance'])
  const { shrink = [2, 4], distance = l1 } = options
  requirePairs(latents, pictures, turns, shrink)
  const count = at(latents.shape, 0)
  const parts = shrink.slice(0, count) // a batch of one has one size
  const losses = parts.map((by, i) => {
    const own = turns.slice([i, count, parts.length])
    const changed = (x: Tensor): Tensor => turnedBy(averagePool(x.slice([i, count, parts.length]), by), own)
    return distance(decode(changed(latents)), changed(pictures)).mul(own.size / count)
  })
  return losses.reduce((a, b) => a.add(b))
}
