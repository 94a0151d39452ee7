/** Layers and blocks with their parameters, as test/golden/torch/layers.py names them. */
import { mlp, type MlpParams } from '../../src/models/mlp.ts'
import { resBlock, type ResBlockParams } from '../../src/models/lucidrains/resBlock.ts'
import { gelu, relu, silu } from '../../src/nn/activations.ts'
import { pixelAttention, type PixelAttentionParams } from '../../src/models/lucidrains/attention.ts'
import { conv2d, type Conv2dOptions, type Conv2dParams } from '../../src/nn/conv2d.ts'
import {
  convTranspose2d,
  type ConvTranspose2dOptions,
  type ConvTranspose2dParams,
} from '../../src/nn/convTranspose2d.ts'
import { downsample, type DownsampleParams } from '../../src/models/lucidrains/downsample.ts'
import { embedding, type EmbeddingParams } from '../../src/nn/embedding.ts'
import { groupNorm, normalizeGroups, type GroupNormParams } from '../../src/nn/groupNorm.ts'
import { layerNorm, type LayerNormParams } from '../../src/nn/layerNorm.ts'
import { linear, type LinearParams } from '../../src/nn/linear.ts'
import { linearAttention, type LinearAttentionParams } from '../../src/models/lucidrains/linearAttention.ts'
import { normalizeVectors, rmsNorm, type RmsNormParams } from '../../src/nn/rmsNorm.ts'
import { sinusoidalTimeEmbedding } from '../../src/nn/timeEmbedding.ts'
import { upsample, type UpsampleParams } from '../../src/models/lucidrains/upsample.ts'
import { at } from '../../src/prelude/array.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { row, unary, type Rows } from './row.ts'

/** The widths of a perceptron, from its parameters. */
export const widthsOf = ({ layers }: MlpParams): readonly number[] => [
  at(at(layers, 0).weight.shape, 0),
  ...layers.map(({ weight }) => at(weight.shape, 1)),
]

const activations: Readonly<Record<string, (x: Tensor) => Tensor>> = { silu, relu, gelu, tanh: (x) => x.tanh() }

/** Length of axis `axis`, which may count from the end. */
const length = (x: Tensor, axis: number): number => at(x.shape, axis < 0 ? axis + x.rank : axis)

interface Applied<P> {
  readonly x: Tensor
  readonly params: P
}

const headsOf = (heads: number, { out, memory }: PixelAttentionParams) => ({
  heads,
  headWidth: length(out.weight, 0) / heads,
  memory: memory === undefined ? 0 : length(memory, 2),
})

const norms: Rows = {
  groupNorm: row<Applied<GroupNormParams> & { groups: number; epsilon?: number }>(({ x, params, groups, ...options }) =>
    groupNorm(groups, length(x, -1), options).apply(params, x),
  ),
  normalizeGroups: row<{ x: Tensor; groups: number; epsilon: number }>(({ x, groups, epsilon }) =>
    normalizeGroups(x, groups, epsilon),
  ),
  layerNorm: row<Applied<LayerNormParams> & { epsilon?: number }>(({ x, params, ...options }) =>
    layerNorm(length(x, -1), options).apply(params, x),
  ),
  rmsNorm: row<Applied<RmsNormParams>>(({ x, params }) => rmsNorm(length(x, -1)).apply(params, x)),
  normalizeVectors: unary(normalizeVectors),
}

const attentions: Rows = {
  attention: row<Applied<PixelAttentionParams> & { heads: number }>(({ x, params, heads }) =>
    pixelAttention(length(x, -1), headsOf(heads, params)).apply(params, x),
  ),
  linearAttention: row<Applied<LinearAttentionParams> & { heads: number }>(({ x, params, heads }) =>
    linearAttention(length(x, -1), headsOf(heads, params)).apply(params, x),
  ),
}

const blocks: Rows = {
  downsample: row<Applied<DownsampleParams>>(({ x, params }) =>
    downsample(length(x, -1), length(params.project.weight, 1)).apply(params, x),
  ),
  upsample: row<Applied<UpsampleParams>>(({ x, params }) =>
    upsample(length(x, -1), length(params.conv.weight, 3)).apply(params, x),
  ),
  mlp: row<Applied<MlpParams> & { activation?: string }>(({ x, params, activation = 'silu' }) =>
    mlp(widthsOf(params), { activation: activations[activation] ?? silu }).apply(params, x),
  ),
  resBlock: row<Applied<ResBlockParams> & { time: Tensor }>(({ x, time, params }) =>
    resBlock(length(x, -1), length(params.time.weight, 1) / 2, length(time, 1)).apply(params, { x, time }),
  ),
}

/** Subject → function. */
export const layers: Rows = {
  linear: row<Applied<LinearParams>>(({ x, params }) =>
    linear(length(x, -1), length(params.weight, 1), { bias: params.bias !== undefined }).apply(params, x),
  ),
  conv2dLayer: row<Applied<Conv2dParams> & Conv2dOptions>(({ x, params, ...options }) => {
    const kernel = [length(params.weight, 0), length(params.weight, 1)] as const
    return conv2d(length(x, -1), length(params.weight, 3), kernel, options).apply(params, x)
  }),
  convTranspose2dLayer: row<Applied<ConvTranspose2dParams> & ConvTranspose2dOptions>(({ x, params, ...options }) => {
    const kernel = [length(params.weight, 0), length(params.weight, 1)] as const
    return convTranspose2d(length(x, -1), length(params.weight, 3), kernel, options).apply(params, x)
  }),
  ...norms,
  embedding: row<{ index: Tensor; params: EmbeddingParams }>(({ index, params }) =>
    embedding(length(params.weight, 0), length(params.weight, 1)).apply(params, index),
  ),
  sinusoidalTimeEmbedding: row<{ t: Tensor; width: number; theta?: number }>(({ t, width, ...options }) =>
    sinusoidalTimeEmbedding(width, options).apply({}, t),
  ),
  ...attentions,
  ...blocks,
}
