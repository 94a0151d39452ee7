/**
 * Half and twice the size with the smooth filter [1, 3, 3, 1] of NCSN++ (Song et al. 2021, "Score-based generative modeling", appendix H; Zhang 2019,
 * "Making convolutional networks shift-invariant again"), one axis after the other. Zeros lie around the image.
 */
import { at, range } from '../../prelude/array.ts'
import { stack } from '../../tensor/combine.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Part of an axis, the others whole. */
const part = (x: Tensor, axis: number, from: number, to: number): Tensor =>
  x.slice(...range(axis).map(() => [] as const), [from, to])

/** Zeros at the ends of an axis. */
const padded = (x: Tensor, axis: number, before: number, after: number): Tensor => {
  const only = (n: number): readonly number[] => x.shape.map((_, i) => (i === axis ? n : 0))
  return x.pad(only(before), only(after))
}

/** y[i] = (x[2i − 1] + 3·x[2i] + 3·x[2i + 1] + x[2i + 2]) / 8 along an axis. */
const halved = (x: Tensor, axis: number): Tensor => {
  const length = at(x.shape, axis) / 2
  // (x[2i − 1], x[2i]) for i = 0 … length
  const wide = padded(x, axis, 1, 1)
  const pairs = wide.reshape([...x.shape.slice(0, axis), length + 1, 2, ...x.shape.slice(axis + 1)])
  const [odd, even] = [part(pairs, axis + 1, 0, 1), part(pairs, axis + 1, 1, 2)]
  const [low, high] = [odd.add(even.mul(3)), odd.mul(3).add(even)]
  const sum = part(low, axis, 0, length).add(part(high, axis, 1, length + 1))
  return sum.div(8).reshape(x.shape.map((n, i) => (i === axis ? length : n)))
}

/** y[2i] = (x[i − 1] + 3·x[i]) / 4 and y[2i + 1] = (3·x[i] + x[i + 1]) / 4 along an axis. */
const doubled = (x: Tensor, axis: number): Tensor => {
  const length = at(x.shape, axis)
  const [before, after] = [
    part(padded(x, axis, 1, 0), axis, 0, length),
    part(padded(x, axis, 0, 1), axis, 1, length + 1),
  ]
  const both = [before, after].map((near) => near.add(x.mul(3)).div(4))
  return stack(both, axis + 1).reshape(x.shape.map((n, i) => (i === axis ? 2 * n : n)))
}

/** `[N, H, W, C] → [N, H/2, W/2, C]`. */
export const firDownsample = (x: Tensor): Tensor => halved(halved(x, 1), 2)

/** `[N, H, W, C] → [N, 2H, 2W, C]`. */
export const firUpsample = (x: Tensor): Tensor => doubled(doubled(x, 1), 2)
