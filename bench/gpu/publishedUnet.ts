/**
 * The U-Net of kvark/inferena's benchmark ("Simplified U-Net", models/StableDiffusion.md, July 2026): convolutions without biases, group norms, SiLU,
 * no attention and no time. Its published times are of the forward and the backward pass of one batch of two.
 */
import { concatenate, upsampleNearest, type Tensor } from '../../src/index.ts'
import { compose, conv2d, groupNorm, silu, type Module, type ParamsOf } from '../../src/nn/index.ts'
import { at } from '../../src/prelude/array.ts'

const conv3 = (inputs: number, outputs: number, stride = 1) =>
  conv2d(inputs, outputs, 3, { padding: 1, stride, bias: false })

/** Norm, SiLU, convolution, twice; and the input, through a 1×1 convolution where the widths differ. */
const block = (inputs: number, outputs: number, groups: number) =>
  compose(
    {
      norm1: groupNorm(groups, inputs),
      conv1: conv3(inputs, outputs),
      norm2: groupNorm(groups, outputs),
      conv2: conv3(outputs, outputs),
      skip: inputs === outputs ? undefined : conv2d(inputs, outputs, 1, { bias: false }),
    },
    ({ norm1, conv1, norm2, conv2, skip }, x: Tensor) => {
      const h = conv2(silu(norm2(conv1(silu(norm1(x))))))
      return h.add(skip === undefined ? x : skip(x))
    },
  )

/** Its size. */
export interface PublishedOptions {
  readonly width: number
  readonly multipliers: readonly number[]
}

const channels = 4

const build = ({ width, multipliers }: PublishedOptions) => {
  const groups = 16
  const widths = multipliers.map((m) => m * width)
  const [last, deepest] = [widths.length - 1, at(widths, widths.length - 1)]
  return compose(
    {
      stem: conv3(channels, width),
      down: widths.map((w, i) => block(i === 0 ? width : at(widths, i - 1), w, groups)),
      halve: widths.slice(0, -1).map((w) => conv3(w, w, 2)),
      middle: block(deepest, deepest, groups),
      up: widths.toReversed().map((w, i) => block(w + (i === 0 ? deepest : at(widths, last - i + 1)), w, groups)),
      norm: groupNorm(groups, width),
      head: conv3(width, channels),
    },
    (net, image: Tensor) => {
      const skips: Tensor[] = []
      let x = net.stem(image)
      net.down.forEach((stage, i) => {
        x = stage(x)
        skips.push(x)
        x = net.halve[i]?.(x) ?? x
      })
      x = net.middle(x)
      net.up.forEach((stage, i) => {
        const level = last - i
        if (level < last) x = upsampleNearest(x, 2)
        x = stage(concatenate([x, at(skips, level)], -1))
      })
      return net.head(silu(net.norm(x)))
    },
  )
}

/** Its parameters. */
export type PublishedParams = ParamsOf<ReturnType<typeof build>>

/** The network: `[N, H, W, 4] → [N, H, W, 4]`. */
export const publishedUnet = (options: PublishedOptions): Module<PublishedParams> => build(options)
