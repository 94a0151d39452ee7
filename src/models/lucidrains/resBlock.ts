/** The residual block of lucidrains' U-Net: two convolutions with RMS normalisation, told the time by a scale and a shift. */
import { at, range } from '../../prelude/array.ts'
import { silu } from '../../nn/activations.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { dropout as dropoutLayer } from '../../nn/dropout.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module, type NoParams } from '../../nn/module.ts'
import { rmsNorm, type RmsNormParams } from '../../nn/rmsNorm.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** An image [N, H, W, C] and a vector [N, D] that says when, and whatever else conditions it. */
export interface Conditioned {
  readonly x: Tensor
  readonly time: Tensor
}

/** A 3×3 convolution and the norm of its result. */
export interface NormedConvParams {
  readonly conv: Conv2dParams
  readonly norm: RmsNormParams
}

/** The parameters of {@link resBlock}; `skip` is there where the widths differ. */
export interface ResBlockParams {
  readonly time: LinearParams
  readonly block1: NormedConvParams
  readonly dropout: NoParams
  readonly block2: NormedConvParams
  readonly skip: LinearParams | undefined
}

/** A convolution that keeps the size, whatever the axes are. */
type SameConv = (inputs: number, outputs: number, kernel: number) => Module<Conv2dParams>

const normedConv = (conv: SameConv, inputs: number, outputs: number): Module<NormedConvParams> =>
  compose({ conv: conv(inputs, outputs, 3), norm: rmsNorm(outputs) }, ({ conv, norm }, x: Tensor) => norm(conv(x)))

/** The halves of a vector, ready to meet the pixels of an image: [N, 2C] → two of [N, 1, 1, C], with as many axes as x. */
const scaleAndShift = (v: Tensor, { rank }: Tensor): readonly [scale: Tensor, shift: Tensor] => {
  const [n, channels] = [at(v.shape, 0), at(v.shape, 1) / 2]
  const half = (start: number): Tensor =>
    v.slice([], [start, start + channels]).reshape([n, ...range(rank - 2).map(() => 1), channels])
  return [half(0), half(channels)]
}

/**
 * `[N, H, W, inputs] → [N, H, W, outputs]`:
 *
 *     h = dropout(silu(norm(conv(x)) · (scale + 1) + shift))        scale, shift = linear(silu(time))
 *     y = silu(norm(conv(h))) + skip(x)                             skip: a 1×1 convolution where the widths differ
 *
 * @param timeWidth D, the length of the conditioning vector
 * @param conv the convolution, of sequences or of frames; default of images
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { resBlock } from 'fathom/models'
 *
 * const block = resBlock(8, 16, 32)
 * const y = block.apply(block.init(key(0)), { x: zeros([2, 4, 4, 8]), time: zeros([2, 32]) })
 * y.shape // => [2, 4, 4, 16]
 * ```
 */
export const resBlock = (
  inputs: number,
  outputs: number,
  timeWidth: number,
  dropout = 0,
  conv: SameConv = (from, to, kernel) => conv2d(from, to, kernel, { padding: (kernel - 1) / 2 }),
): Module<ResBlockParams, Conditioned> =>
  compose(
    {
      time: linear(timeWidth, 2 * outputs),
      block1: normedConv(conv, inputs, outputs),
      dropout: dropoutLayer(dropout),
      block2: normedConv(conv, outputs, outputs),
      skip: inputs === outputs ? undefined : linear(inputs, outputs),
    },
    ({ time, block1, dropout, block2, skip }, input: Conditioned) => {
      const [scale, shift] = scaleAndShift(time(silu(input.time)), input.x)
      const h = dropout(silu(block1(input.x).mul(scale.add(1)).add(shift)))
      const residual = skip === undefined ? input.x : skip(input.x)
      return silu(block2(h)).add(residual)
    },
  )
