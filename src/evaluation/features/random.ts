/**
 * The features of a convolutional network that was never trained. Random features rank generators much as trained ones do, and fail in other
 * places (Naeem et al. 2020, section 4.2, recommend them away from ImageNet's pictures; Lee, Kim and Uh 2022, "Measuring the Quality of
 * Generated Images by Random Networks"): so they are the second opinion.
 */
import { conv2d } from '../../tensor/convolution.ts'
import { concatenate } from '../../tensor/combine.ts'
import { averagePool } from '../../tensor/pooling.ts'
import { foldIn, key, normal } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { variance } from '../../tensor/variance.ts'
import { relu } from '../../tensor/activations.ts'
import { pointsOf, type FeatureSpace } from './space.ts'

/** Scales: the picture, its half, its quarter. */
const scales = 3
const channels = 24

interface Filters {
  readonly one: Tensor
  readonly two: Tensor
}

/** Normal filters of variance 2 / fanIn (He et al. 2015, eq. 10), always the same. */
const filters: Filters = {
  one: normal(foldIn(key(2020), 'one'), [3, 3, 3, channels]).mul(Math.sqrt(2 / 27)),
  two: normal(foldIn(key(2020), 'two'), [3, 3, channels, channels]).mul(Math.sqrt(2 / (9 * channels))),
}

const moments = (x: Tensor): readonly Tensor[] => [x.mean([1, 2]), variance(x, [1, 2]).add(1e-6).sqrt()]

/** Even sides, so that windows of two tile: a last odd row or column is left out. */
const even = (x: Tensor): Tensor => {
  const [, height = 0, width = 0] = x.shape
  return x.slice([], [0, height - (height % 2)], [0, width - (width % 2)])
}

const apply = ({ one, two }: Filters, x: Tensor, scale = scales): Tensor => {
  const low = relu(conv2d(x, one, { padding: 1 }))
  const high = relu(conv2d(low, two, { padding: 1, stride: 2 }))
  const here = [...moments(low), ...moments(high)]
  return concatenate(scale === 1 ? here : [...here, apply({ one, two }, averagePool(even(x)), scale - 1)], 1)
}

/** Means and deviations of random filters, at three scales. */
export const randomSpace: FeatureSpace = {
  name: 'random',
  version: 1,
  about: 'a convolutional network with random filters, at three scales',
  features: pointsOf(filters, (tree, x) => apply(tree, x)),
}
