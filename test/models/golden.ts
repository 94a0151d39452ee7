/** Reading the reference values of the models' tests: PyTorch's arrays, NCHW. */
import { readFile } from 'node:fs/promises'
import { range } from '../../src/prelude/array.ts'
import { toFloat32 } from '../../src/io/arrayRecord.ts'
import { readSafetensors } from '../../src/io/safetensors.ts'
import { E } from '../../src/prelude/fp.ts'
import type { LucidrainsTensor } from '../../src/models/lucidrains/weights.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

/** The value of a Right; a Left is a failure of the test. */
export const right = <L, R>(result: E.Either<L, R>): R => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** Every tensor of a file in `test/golden`. */
export const goldenTensors = async (path: string): Promise<ReadonlyMap<string, LucidrainsTensor>> => {
  const { tensors } = right(readSafetensors(await readFile(new URL(`../golden/${path}`, import.meta.url))))
  return new Map(
    [...tensors].map(([name, record]) => [name, { shape: record.shape, values: right(toFloat32(record)) }]),
  )
}

/** Numbers in [−1, 1), the same as `noise` of lucidrains-unet/variants.py: murmur3's finalizer of index + 2²⁰·seed. */
export const noise = (count: number, seed: number): Float32Array => {
  const mix = (x: number, [shift, factor]: readonly [number, number]): number => Math.imul(x ^ (x >>> shift), factor)
  const steps = [
    [16, 0x85ebca6b],
    [13, 0xc2b2ae35],
    [16, 1],
  ] as const
  return Float32Array.from(range(count), (i) => (steps.reduce(mix, i + (seed << 20)) >>> 0) / 2 ** 31 - 1)
}

/** An array of PyTorch as a tensor: images [N, C, H, W] become [N, H, W, C]. */
export const nhwc = (array: LucidrainsTensor | undefined): Tensor => {
  if (array === undefined) throw new Error('the golden file lacks an array')
  const x = tensor(array.values, { shape: array.shape })
  return x.rank === 4 ? x.transpose([0, 2, 3, 1]) : x
}

/** The largest difference of two lists, relative to the largest expected value. */
export const relativeError = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  if (actual.length !== expected.length) return Infinity
  const [a, e] = [Array.from(actual), Array.from(expected)]
  const largest = e.reduce((m, x) => Math.max(m, Math.abs(x)), 0)
  return a.reduce((m, x, i) => Math.max(m, Math.abs(x - (e[i] ?? NaN))), 0) / largest
}
