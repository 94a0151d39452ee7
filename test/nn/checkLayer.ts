/** Gradients of a layer, first and second, against finite differences in f64. */
import { checkGrad, vjp } from '../../src/autograd/index.ts'
import { threefry2x32 } from '../../src/prelude/threefry.ts'
import { evaluate, type Mode, type Module } from '../../src/nn/module.ts'
import { constant, tensor } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, refill } from '../../src/tensor/tree.ts'

/** `count` fixed numbers in [−1, 1). */
const numbers = (count: number, seed: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => threefry2x32([seed, 7], [i, 0])[0] / 2 ** 31 - 1)

/** A tensor of fixed numbers whose size is at least 0.4, so that a vector's norm is never near 0. */
export const random = (shape: readonly number[], seed: number): Tensor => {
  const values = numbers(
    shape.reduce((a, b) => a * b, 1),
    seed,
  ).map((x) => x + 0.4 * Math.sign(x))
  return tensor(values, { shape })
}

/** The tree with fixed random numbers in f64 in place of every f32 leaf. */
const randomLike = <T>(tree: T, seed: number): T => {
  const all = leaves(tree)
  return refill(
    tree,
    all.map((x, i) => (x.dtype === 'f32' ? random(x.shape, seed + 31 * i) : x)),
  )
}

/** The gradient of `f`, as a function whose own gradient can be checked; results are weighted with fixed numbers. */
const gradientOf =
  <A extends readonly unknown[]>(f: (...args: A) => Tensor) =>
  (...args: A): unknown => {
    const { value, pullback } = vjp(f, ...args)
    return pullback(constant(numbers(value.size, 99), { shape: value.shape }))
  }

/** Checks the first and second derivatives of a function of trees. */
export const checkTwice = async <A extends readonly unknown[]>(
  device: Device,
  f: (...args: A) => Tensor,
  args: A,
): Promise<void> => {
  const options = { step: 4e-4 }
  await checkGrad(device, f, args, options)
  await checkGrad(device, gradientOf(f), args, options)
}

/** Checks the first and second derivatives of a layer in its parameters and its input, in training mode if `train`. */
export const checkLayer = async <P, In>(
  device: Device,
  layer: Module<P, In>,
  input: In,
  train = false,
): Promise<void> => {
  const params = randomLike(layer.init(key(1)), 5)
  const mode = (k: Tensor): Mode => (train ? { train: true, key: k } : evaluate)
  await checkTwice(device, (p: P, x: In, k: Tensor) => layer.apply(p, x, mode(k)), [params, input, key(2)])
}
