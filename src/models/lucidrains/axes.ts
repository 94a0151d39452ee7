/**
 * The axes that a U-Net goes over, as what its blocks do along them: the same blocks make a network for images, for sequences and for frames. What is not
 * here, norms, scale and shift, 1×1 convolutions and attention, does not know of axes.
 */
import { at, product } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { showShape } from '../../graph/shape.ts'
import { conv1d } from '../../nn/conv1d.ts'
import { conv2d, type Conv2dParams } from '../../nn/conv2d.ts'
import { conv3d } from '../../nn/conv3d.ts'
import { linear } from '../../nn/linear.ts'
import { compose, type Module } from '../../nn/module.ts'
import { pixelUnshuffle, upsampleNearest } from '../../tensor/resampling.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { requireSize } from '../requireInput.ts'
import { downsample, type DownsampleParams } from './downsample.ts'
import { upsample, type UpsampleParams } from './upsample.ts'

/** What blocks do along the axes between the first, of examples, and the last, of channels. */
export interface Axes {
  /** A convolution that keeps the size; the kernel is odd. */
  readonly conv: (inputs: number, outputs: number, kernel: number) => Module<Conv2dParams>
  /** Half the size. */
  readonly down: (inputs: number, outputs: number) => Module<DownsampleParams>
  /** Twice the size. */
  readonly up: (inputs: number, outputs: number) => Module<UpsampleParams>
  /** A layer over the pixels of images, as one over all places. */
  readonly overPlaces: <P>(layer: Module<P>) => Module<P>
  /** Refuses what is not of so many channels, and what cannot be halved so often. */
  readonly require: (x: Tensor, channels: number, halvings: number) => void
}

/** Images [N, H, W, C]. */
export const plane: Axes = {
  conv: (inputs, outputs, kernel) => conv2d(inputs, outputs, kernel, { padding: (kernel - 1) / 2 }),
  down: downsample,
  up: upsample,
  overPlaces: (layer) => layer,
  require: (x, channels, halvings) => requireSize('unet', x, channels, halvings),
}

/** All places in one row: an image of height 1. */
const inOneRow = <P>({ init, apply }: Module<P>): Module<P> => ({
  init,
  apply: (params, x, mode) => {
    const row = x.reshape([at(x.shape, 0), 1, product(x.shape.slice(1, -1)), at(x.shape, x.rank - 1)])
    return apply(params, row, mode).reshape(x.shape)
  },
})

/** Sequences [N, L, C]: half the length by a convolution of stride 2, as lucidrains' `Unet1D` has it. */
export const line: Axes = {
  conv: (inputs, outputs, kernel) => conv1d(inputs, outputs, kernel, { padding: (kernel - 1) / 2 }),
  down: (inputs, outputs) =>
    compose({ project: conv1d(inputs, outputs, 4, { stride: 2, padding: 1 }) }, ({ project }, x: Tensor) => project(x)),
  up: (inputs, outputs) =>
    compose({ conv: conv1d(inputs, outputs, 3, { padding: 1 }) }, ({ conv }, x: Tensor) => {
      const [n, length, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2)]
      return conv(
        x
          .expandDims(2)
          .broadcastTo([n, length, 2, c])
          .reshape([n, 2 * length, c]),
      )
    }),
  overPlaces: inOneRow,
  require: (x, channels, halvings) => {
    if (x.rank !== 3 || at(x.shape, 2) !== channels)
      throw new ShapeError(`unet1d: takes sequences [N, L, ${channels}], got ${showShape(x.shape)}`)
    if (at(x.shape, 1) % 2 ** halvings !== 0)
      throw new ShapeError(
        `unet1d: sequences of ${at(x.shape, 1)} do not fit: the length must be divisible by ${2 ** halvings} (${halvings} halvings)`,
      )
  },
}

/** Frames one after the other, as images. */
const asImages = (x: Tensor): Tensor => x.reshape([at(x.shape, 0) * at(x.shape, 1), ...x.shape.slice(2)])

/** Images as the frames of n examples. */
const asFrames = (images: Tensor, n: number): Tensor =>
  images.reshape([n, at(images.shape, 0) / n, ...images.shape.slice(1)])

/** Frames [N, T, H, W, C]: filters reach over time, sizes are halved in each frame alone, and each place attends to those of all frames. */
export const frames: Axes = {
  conv: (inputs, outputs, kernel) => conv3d(inputs, outputs, kernel, { padding: (kernel - 1) / 2 }),
  down: (inputs, outputs) =>
    compose({ project: linear(4 * inputs, outputs) }, ({ project }, x: Tensor) =>
      project(asFrames(pixelUnshuffle(asImages(x), 2), at(x.shape, 0))),
    ),
  up: (inputs, outputs) =>
    compose({ conv: conv3d(inputs, outputs, 3, { padding: 1 }) }, ({ conv }, x: Tensor) =>
      conv(asFrames(upsampleNearest(asImages(x), 2), at(x.shape, 0))),
    ),
  overPlaces: inOneRow,
  require: (x, channels, halvings) => {
    if (x.rank !== 5) throw new ShapeError(`unet3d: takes frames [N, T, H, W, ${channels}], got ${showShape(x.shape)}`)
    requireSize('unet3d', asImages(x), channels, halvings)
  },
}
