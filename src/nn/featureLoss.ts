/** A distance of pictures as a network sees them: between its features at every pixel, layer by layer. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { requireAlike } from './lossShapes.ts'
import { normalizeVectors } from './rmsNorm.ts'
import { allInSingle } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** ‖a/‖a‖ − b/‖b‖‖² at each pixel, of features of one layer; the mean over the pixels. */
const layerDistance = (found: Tensor, wanted: Tensor): Tensor =>
  allInSingle([found, wanted], (f: Tensor, w: Tensor) =>
    normalizeVectors(f).sub(normalizeVectors(w)).square().sum(-1).mean(),
  )

/**
 * How far a picture is from another in the features of some network, as LPIPS measures it (Zhang et al. 2018, eq. 1, with equal weights): at
 * each pixel of a layer the features become a vector of length 1, the squared distance of two such vectors is 2 − 2·cos of their angle, in
 * 0 … 4; its mean over the pixels, and then over the layers. Channels that are large everywhere count no more than small ones, and a picture
 * of twice the size has the same loss.
 *
 * Any features will do: those of a classifier, of a denoiser that was trained on the same photographs, or of a random network. Gradients flow
 * through `features`, also into weights that it holds as arguments of the differentiated function; keep those out if they are not to learn.
 *
 * @param features a function from pictures to the layers that count, each [N, H, W, C] with sizes of its own
 * @param prediction pictures, as `features` takes them
 * @param target pictures of the same shape
 * @returns a scalar
 * @throws ShapeError where the two are not of one shape, or `features` gives no layers, or layers without an axis of channels
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { featureLoss } from 'fathom/nn'
 *
 * const colours = (x: typeof red) => [x] // pixels are features as well: here the loss compares hues
 * const red = tensor([1, 0, 0]).reshape([1, 1, 1, 3])
 * featureLoss(colours, red, red.mul(5)) // => 0
 * featureLoss(colours, red, tensor([0, 1, 0]).reshape([1, 1, 1, 3])) // => 2
 * featureLoss(() => [], red, red) // throws ShapeError: featureLoss: the features have no layers; give back at least one, [N, H, W, C]
 * ```
 */
export const featureLoss = (
  features: (pictures: Tensor) => readonly Tensor[],
  prediction: Tensor,
  target: Tensor,
): Tensor => {
  requireAlike('featureLoss', ['prediction', prediction], ['target', target])
  const [found, wanted] = [features(prediction), features(target)]
  if (found.length === 0)
    throw new ShapeError('featureLoss: the features have no layers; give back at least one, [N, H, W, C]')
  const distances = found.map((layer, i) => {
    if (layer.rank < 2)
      throw new ShapeError(`featureLoss: layer ${i} of the features has no axis of channels; give back [N, H, W, C]`)
    return layerDistance(layer, at(wanted, i))
  })
  return distances.reduce((a, b) => a.add(b)).div(distances.length)
}
