/**
 * The small network whose features judge, and what it learned: from a picture, what scene a procedural sea was painted with, and what was done
 * to the picture afterwards: blur, noise, contrast, brightness, hue, saturation. Whoever can tell these has features that move when a picture
 * goes wrong.
 */
import { compose, conv2d, linear, type Conv2dParams, type LinearParams, type Module } from '../../nn/index.ts'
import { silu } from '../../tensor/activations.ts'
import { concatenate } from '../../tensor/combine.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { variance } from '../../tensor/variance.ts'

/** The parameters of the convolutions. */
export interface JudgeParams {
  readonly conv1: Conv2dParams
  readonly conv2: Conv2dParams
  readonly conv3: Conv2dParams
  readonly conv4: Conv2dParams
}

/** Channels after each convolution. */
const [first, second, third, fourth] = [16, 32, 48, 64] as const

/** Numbers of a point: means of the second to fourth layer, deviations of the second and fourth. */
const featureWidth = second + third + fourth + second + fourth

const means = (x: Tensor): Tensor => x.mean([1, 2])
const deviations = (x: Tensor): Tensor => variance(x, [1, 2]).add(1e-6).sqrt()

/**
 * The layers at a half, a quarter and an eighth of the pictures' size: pictures in [−1, 1], [N, H, W, 3] → [N, H/2, W/2, 32], …; sides of 8 at
 * least.
 */
export const judgeLayers: Module<JudgeParams, Tensor, readonly [Tensor, Tensor, Tensor]> = compose(
  {
    conv1: conv2d(3, first, 3, { padding: 1 }),
    conv2: conv2d(first, second, 3, { padding: 1, stride: 2 }),
    conv3: conv2d(second, third, 3, { padding: 1, stride: 2 }),
    conv4: conv2d(third, fourth, 3, { padding: 1, stride: 2 }),
  },
  ({ conv1, conv2, conv3, conv4 }, x: Tensor): readonly [Tensor, Tensor, Tensor] => {
    const two = silu(conv2(silu(conv1(x))))
    const three = silu(conv3(two))
    return [two, three, silu(conv4(three))]
  },
)

/** Pictures in [−1, 1], [N, H, W, 3] → features [N, {@link featureWidth}]; sides of 8 at least. */
export const judgeNetwork: Module<JudgeParams> = {
  init: judgeLayers.init,
  apply: (params, x) => {
    const [two, three, four] = judgeLayers.apply(params, x)
    return concatenate([means(two), means(three), means(four), deviations(two), deviations(four)], 1)
  },
}

/** What the network is trained with: its features and a linear reading of them. */
export const judgeWithHead = (
  targets: number,
): Module<{ readonly network: JudgeParams; readonly head: LinearParams }> =>
  compose({ network: judgeNetwork, head: linear(featureWidth, targets) }, ({ network, head }, x: Tensor) =>
    head(network(x)),
  )
