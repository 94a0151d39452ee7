/** Products, convolutions, pooling and attention without parameters, as test/golden/torch/contractions.py names them. */
import { averagePool, maxPool, type AveragePoolOptions } from '../../src/tensor/pooling.ts'
import { conv2d, convTranspose2d, type ConvOptions, type ConvTransposeOptions } from '../../src/tensor/convolution.ts'
import { pixelShuffle, pixelUnshuffle, upsampleNearest } from '../../src/tensor/resampling.ts'
import type { Pair } from '../../src/tensor/pair.ts'
import { attention } from '../../src/tensor/attention.ts'
import { dotGeneral, einsum } from '../../src/tensor/contractions.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { row, type Row, type Rows } from './row.ts'

type Axes = readonly [readonly number[], readonly number[]]

const resized = (f: (x: Tensor, factor: number) => Tensor): Row =>
  row<{ x: Tensor; factor: number }>(({ x, factor }) => f(x, factor))

const pooled = (f: (x: Tensor, size?: Pair, options?: AveragePoolOptions) => Tensor): Row =>
  row<{ x: Tensor; size?: Pair } & AveragePoolOptions>(({ x, size, ...options }) => f(x, size, options))

/** Subject → function. */
export const contractions: Rows = {
  matmul: row<{ x: Tensor; y: Tensor }>(({ x, y }) => x.matmul(y)),
  dotGeneral: row<{ x: Tensor; y: Tensor; contract: Axes; batch: Axes }>(({ x, y, contract, batch }) =>
    dotGeneral(x, y, { contract, batch }),
  ),
  einsum: row<{ x: Tensor; y?: Tensor; z?: Tensor; formula: string }>(({ x, y, z, formula }) =>
    einsum(formula, x, ...(y === undefined ? [] : [y]), ...(z === undefined ? [] : [z])),
  ),
  conv2d: row<{ x: Tensor; filter: Tensor } & ConvOptions>(({ x, filter, ...options }) => conv2d(x, filter, options)),
  convTranspose2d: row<{ x: Tensor; filter: Tensor } & ConvTransposeOptions>(({ x, filter, ...options }) =>
    convTranspose2d(x, filter, options),
  ),
  averagePool: pooled(averagePool),
  maxPool: pooled(maxPool),
  upsampleNearest: resized(upsampleNearest),
  pixelUnshuffle: resized(pixelUnshuffle),
  pixelShuffle: resized(pixelShuffle),
  scaledDotProductAttention: row<{ query: Tensor; key: Tensor; value: Tensor }>(({ query, key, value }) =>
    attention(query, key, value),
  ),
}
