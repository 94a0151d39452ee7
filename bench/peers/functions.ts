/** fathom's side of the functions that are compared. */
import {
  argsort,
  categorical,
  conv2d,
  cumsum,
  foldIn,
  gather,
  gelu,
  grad,
  key,
  normal,
  randint,
  softmax,
  type Device,
  type Key,
  type Tensor,
} from '../../src/index.ts'
import { replayed, type Prepared } from '../subjects.ts'
import type { FunctionCase, FunctionName } from './cases.ts'

/** One token by nucleus sampling (Holtzman et al. 2020): of the likeliest whose probabilities come to p. */
const topP = (logits: Tensor, k: Key): Tensor => {
  const order = argsort(logits.neg())
  const sorted = gather(logits, order)
  const probabilities = softmax(sorted)
  const before = cumsum(probabilities).sub(probabilities)
  return gather(order, categorical(k, before.less(0.9).select(sorted, -Infinity)))
}

const depthwise = (x: Tensor, w: Tensor): Tensor =>
  conv2d(x, w, { padding: 1, groups: x.shape[3] ?? 1 })
    .square()
    .sum()

/** From sizes and a way to draw numbers to a function and its arguments. */
type Make = (
  device: Device,
  shape: readonly number[],
  draw: (i: number, shape: readonly number[]) => Promise<Tensor>,
) => Promise<Prepared>

/** Rows of 128 numbers that indices pick. */
const rowsOf = [20_000, 128]

const picks = async (device: Device, shape: readonly number[]): Promise<Tensor> =>
  device.realize(randint(foldIn(key(0), 9), shape, 0, 20_000))

const functions: { readonly [F in FunctionName]: Make } = {
  cumsum: async (device, shape, draw) => replayed(device, (x: Tensor) => cumsum(x), [await draw(0, shape)]),
  argsort: async (device, shape, draw) => replayed(device, (x: Tensor) => argsort(x), [await draw(0, shape)]),
  softmax: async (device, shape, draw) => replayed(device, (x: Tensor) => softmax(x), [await draw(0, shape)]),
  transpose: async (device, shape, draw) => replayed(device, (x: Tensor) => x.transpose(), [await draw(0, shape)]),
  'gelu, both passes': async (device, shape, draw) =>
    replayed(device, (x: Tensor) => grad((y: Tensor) => gelu(y).sum())(x), [await draw(0, shape)]),
  normal: async (device, shape) => replayed(device, (k: Key) => normal(k, shape), [key(0)]),
  gather: async (device, shape, draw) =>
    replayed(device, (t: Tensor, i: Tensor) => gather(t, i), [await draw(0, rowsOf), await picks(device, shape)]),
  'embedding, both passes': async (device, shape, draw) =>
    replayed(device, (t: Tensor, i: Tensor) => grad((u: Tensor) => gather(u, i).square().sum())(t), [
      await draw(0, rowsOf),
      await picks(device, shape),
    ]),
  'depthwise 3×3, both passes': async (device, shape, draw) =>
    replayed(
      device,
      (x: Tensor, w: Tensor) => grad((p: { readonly x: Tensor; readonly w: Tensor }) => depthwise(p.x, p.w))({ x, w }),
      [await draw(0, shape), await draw(1, [3, 3, 1, shape[3] ?? 1])],
    ),
  'products of matrices': async (device, shape, draw) =>
    replayed(device, (x: Tensor, y: Tensor) => x.matmul(y), [await draw(0, shape), await draw(1, shape)]),
  'top-p': async (device, shape, draw) => replayed(device, topP, [await draw(0, shape), key(0)]),
}

/** Draws arguments, and makes the function ready to run. */
export const prepareFunction = async (
  device: Device,
  { of, shape }: FunctionCase,
  draw: (i: number, shape: readonly number[]) => Promise<Tensor>,
): Promise<Prepared> => functions[of](device, shape, draw)
