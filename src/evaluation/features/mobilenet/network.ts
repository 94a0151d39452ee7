/**
 * The layers of MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381, table 2), of which the means judge: blocks that widen by a 1×1 convolution, look
 * around by one filter a channel, and become narrow again. Batch norms are folded into the convolutions before them.
 */
import { range } from '../../../prelude/array.ts'
import { conv2d } from '../../../tensor/convolution.ts'
import type { Tensor } from '../../../tensor/tensor.ts'

/** A convolution with the batch norm behind it: weight [KH, KW, in / groups, out], bias [out]. */
export interface Convolution {
  readonly weight: Tensor
  readonly bias: Tensor
}

/** What a block is made of; the first does not widen. */
export interface Block {
  readonly expand: Convolution | undefined
  readonly depthwise: Convolution
  readonly project: Convolution
}

/** The parameters of the layers that are looked at. */
export interface MobilenetParams {
  readonly stem: Convolution
  readonly blocks: readonly Block[]
}

/** How the blocks are made, stage by stage: how much each widens, how many channels it gives, how many there are, and the stride of the first. */
const stages = [
  { widen: 1, channels: 16, count: 1, stride: 1 },
  { widen: 6, channels: 24, count: 2, stride: 2 },
  { widen: 6, channels: 32, count: 3, stride: 2 },
  { widen: 6, channels: 64, count: 4, stride: 2 },
  { widen: 6, channels: 96, count: 3, stride: 1 },
  { widen: 6, channels: 160, count: 3, stride: 2 },
  { widen: 6, channels: 320, count: 1, stride: 1 },
] as const

/** Channels after the first convolution. */
export const stemChannels = 32

/** One block as it is made: channels that come in, between, and go out. */
export interface BlockShape {
  readonly inputs: number
  readonly middle: number
  readonly outputs: number
  readonly stride: number
}

/** All blocks in order. */
export const blockShapes: readonly BlockShape[] = stages
  .flatMap(({ widen, channels, count, stride }) =>
    range(count).map((i) => ({ widen, outputs: channels, stride: i === 0 ? stride : 1 })),
  )
  .map(({ widen, outputs, stride }, i, all) => {
    const inputs = all[i - 1]?.outputs ?? stemChannels
    return { inputs, middle: widen * inputs, outputs, stride }
  })

const relu6 = (x: Tensor): Tensor => x.maximum(0).minimum(6)

/** A convolution that keeps the size, or halves it with the zeros that are missing below and to the right, as Keras does. */
const convolved = (x: Tensor, { weight, bias }: Convolution, stride: number, groups = 1): Tensor => {
  const [size = 1] = weight.shape
  if (stride === 1) return conv2d(x, weight, { padding: (size - 1) / 2, groups }).add(bias)
  return conv2d(x.pad([0, 0, 0, 0], [0, 1, 1, 0]), weight, { stride, groups }).add(bias)
}

const block = (
  x: Tensor,
  { expand, depthwise, project }: Block,
  { inputs, middle, outputs, stride }: BlockShape,
): Tensor => {
  const wide = expand === undefined ? x : relu6(convolved(x, expand, 1))
  const y = convolved(relu6(convolved(wide, depthwise, stride, middle)), project, 1)
  return stride === 1 && inputs === outputs ? x.add(y) : y
}

/**
 * What each block gives: pictures in [0, 1], [N, H, W, 3] → [N, ⌈H/2⌉, ⌈W/2⌉, 16], …, [N, ⌈H/32⌉, ⌈W/32⌉, 320] for sides that 32 divides.
 */
export const mobilenetLayers = ({ stem, blocks }: MobilenetParams, pictures: Tensor): readonly Tensor[] =>
  blocks
    .reduce<readonly Tensor[]>(
      (layers, params, i) => {
        const shape = blockShapes[i]
        const last = layers.at(-1)
        return shape === undefined || last === undefined ? layers : [...layers, block(last, params, shape)]
      },
      [relu6(convolved(pictures, stem, 2))],
    )
    .slice(1)
