/**
 * The features of a large network that has seen photographs: MobileNetV2, whose weights a package brings. It is the only space here that knows more
 * of the world than seas, and the only one that somebody else has trained.
 */
import { range } from '../../../prelude/array.ts'
import { concatenate } from '../../../tensor/combine.ts'
import { tensor } from '../../../tensor/create.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { variance } from '../../../tensor/variance.ts'
import { pointsOf, type FeatureSpace } from '../space.ts'
import { mobilenetLayers, type MobilenetParams } from './network.ts'
import { mobilenetParams, type PackagedModel } from './weights.ts'

/** The shorter side at which pictures are looked at. */
const side = 128

/** The network halves sides five times. */
const coarsest = 32

/** Blocks of which means are taken, at a quarter, an eighth, twice a sixteenth, and a thirty-second of the size; of the first two deviations too. */
const [fine, medium, coarse, parts, whole] = [2, 5, 9, 12, 16] as const

/**
 * Rows of a matrix that brings `from` pixels to `to`: each new pixel is the mean of those around it, weighted by a triangle as wide as a pixel of the
 * coarser of both, so that shrinking makes no patterns and enlarging no blocks.
 */
const triangles = (from: number, to: number): Tensor => {
  const step = from / to
  const reach = Math.max(1, step)
  const rows = range(to).map((i) => {
    const centre = (i + 0.5) * step
    const weights = range(from).map((j) => Math.max(0, 1 - Math.abs(j + 0.5 - centre) / reach))
    const sum = weights.reduce((a, b) => a + b, 0)
    return weights.map((w) => w / sum)
  })
  return tensor(Float32Array.from(rows.flat()), { shape: [to, from] })
}

/** Pictures [N, H, W, C] at the size at which they are looked at. */
const resized = (x: Tensor): Tensor => {
  const [n = 0, height = 1, width = 1, channels = 1] = x.shape
  const scale = side / Math.min(height, width)
  const tiled = (size: number): number => Math.round((size * scale) / coarsest) * coarsest
  const [tall, wide] = [tiled(height), tiled(width)]
  const rows = triangles(height, tall)
    .broadcastTo([n, tall, height])
    .matmul(x.reshape([n, height, width * channels]))
  return triangles(width, wide)
    .broadcastTo([n, tall, wide, width])
    .matmul(rows.reshape([n, tall, width, channels]))
}

const means = (x: Tensor): Tensor => x.mean([1, 2])
const deviations = (x: Tensor): Tensor => variance(x, [1, 2]).add(1e-6).sqrt()

const features = (params: MobilenetParams, x: Tensor): Tensor => {
  // The network was trained on pictures in [0, 1].
  const layers = mobilenetLayers(params, resized(x.add(1).mul(0.5)))
  const at = (block: number): Tensor => layers[block] ?? x
  return concatenate(
    [...[fine, medium, coarse, parts, whole].map((k) => means(at(k))), ...[fine, medium].map((k) => deviations(at(k)))],
    1,
  )
}

/**
 * The features of MobileNetV2 with the weights of a package: `nsfwjs` carries some under the MIT licence, learned on ImageNet and then on telling
 * photographs that are not for work from others. It costs about half a GFLOP a picture.
 *
 * @throws Error where the package holds another network
 * @example
 * ```ts
 * import { mobilenetSpace } from 'fathom/evaluation'
 *
 * // import { MobileNetV2Model } from 'nsfwjs/models/mobilenet_v2'; await mobilenetSpace(MobileNetV2Model)
 * const other = { modelJson: async () => ({ weightsManifest: [] }), weightBundles: [] }
 * await mobilenetSpace(other) // throws Error: the weights of MobileNetV2 cannot be read: it has no 'Conv1/kernel'; …
 * ```
 */
export const mobilenetSpace = async (model: PackagedModel): Promise<FeatureSpace> => {
  const params = await mobilenetParams(model)
  return {
    name: 'mobilenet',
    version: 1,
    about: 'MobileNetV2, a network that learned from photographs of everything, by the package nsfwjs',
    features: pointsOf(params, features),
  }
}
