/**
 * Layers whose weights have a direction and no length: they are divided by it before they are used, so that a layer keeps the magnitude of what goes in
 * (Karras et al. 2024, eq. 47).
 */
import { conv2d } from '../../tensor/convolution.ts'
import type { Shape } from '../../graph/shape.ts'
import { asActivation } from '../../nn/activation.ts'
import { normal } from '../../nn/init.ts'
import type { Module } from '../../nn/module.ts'
import { at, product, range } from '../../prelude/array.ts'
import { inSingle } from '../../tensor/precision.ts'
import { foldIn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mapTree } from '../../tensor/tree.ts'

/** weight [KH, KW, in, out] of a convolution, [in, out] of a linear layer. */
export interface MpParams {
  readonly weight: Tensor
}

/** ‖w‖² is never taken smaller than this: zeros stay zeros, and their gradient is finite. */
const smallestSquare = 1e-24

/** w/‖w‖ of each output, which is the last axis. */
const directions = (w: Tensor): Tensor => {
  const inputs = range(w.rank - 1)
  return inSingle(w, (wide) => wide.div(wide.square().sum(inputs, true).maximum(smallestSquare).sqrt()))
}

/** w·√fanIn/‖w‖ of each output: the same direction, with a mean square of 1. */
const ofUnitSquare = (w: Tensor): Tensor => directions(w).mul(Math.sqrt(product(w.shape.slice(0, -1))))

const layer = (shape: Shape, use: (x: Tensor, w: Tensor) => Tensor): Module<MpParams> => ({
  init: (key) => ({ weight: ofUnitSquare(normal(shape)(foldIn(key, 'weight'))) }),
  apply: ({ weight }, x) => asActivation(use(x, directions(weight))),
})

/** `[…, in] → […, out]`: x·W/‖W‖, without a bias. On images it is the 1×1 convolution. */
export const mpLinear = (inputs: number, outputs: number): Module<MpParams> =>
  layer([inputs, outputs], (x, w) => x.matmul(w))

/** `[N, H, W, in] → [N, H, W, out]`: the 3×3 convolution with W/‖W‖, without a bias, and zeros around the image. */
export const mpConv2d = (inputs: number, outputs: number): Module<MpParams> =>
  layer([3, 3, inputs, outputs], (x, w) => conv2d(x, w, { padding: 1 }))

const isWeight = (path: string): boolean => at(path.split('.').slice(-1), 0) === 'weight'

/**
 * The parameters with the mean square of every output's weights brought back to 1 (Karras et al. 2024, eq. 66, "forced weight normalization"). The network is
 * the same; the next step of an optimizer turns its weights by as much as the last one did. Without it they grow, as every gradient is orthogonal to its
 * weights, and are turned less and less.
 */
export const forceWeights = <P>(params: P): P => mapTree(params, (x, path) => (isWeight(path) ? ofUnitSquare(x) : x))
