/** A batch of no images, rows or labels: every layer gives a batch of none, and its parameters get gradients of 0. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { mlp, resBlock, unet } from '../../src/models/index.ts'
import {
  conv2d,
  convTranspose2d,
  dropout,
  embedding,
  groupNorm,
  layerNorm,
  lift,
  linear,
  normalizeGroups,
  normalizeVectors,
  rmsNorm,
  sinusoidalTimeEmbedding,
  type Module,
} from '../../src/nn/index.ts'
import { downsample, linearAttention, pixelAttention, upsample } from '../../src/models/index.ts'
import { ones, tensor, zerosLike } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, mapTree } from '../../src/tensor/tree.ts'
import { cpuForms, values } from '../support/device.ts'

const images = ones([0, 4, 4, 8])
const rows = ones([0, 8])

/** What a layer gives for a batch, and the gradients of its sum with respect to its parameters. */
type Run = () => readonly [output: Tensor, gradients: readonly Tensor[]]

const run =
  <P, In>(layer: Module<P, In>, input: In): Run =>
  () => {
    const params = mapTree(layer.init(key(0)), zerosLike)
    return [layer.apply(params, input), leaves(grad((p: P) => layer.apply(p, input).sum())(params))]
  }

const layers: readonly (readonly [string, Run, readonly number[]])[] = [
  ['linear', run(linear(8, 3), rows), [0, 3]],
  ['mlp', run(mlp([8, 4, 2]), rows), [0, 2]],
  ['conv2d', run(conv2d(8, 3, 3), images), [0, 2, 2, 3]],
  ['convTranspose2d', run(convTranspose2d(8, 3, 2, { stride: 2 }), images), [0, 8, 8, 3]],
  ['groupNorm', run(groupNorm(2, 8), images), [0, 4, 4, 8]],
  ['groupNorm of rows', run(groupNorm(2, 8), rows), [0, 8]],
  [
    'normalizeGroups',
    run(
      lift((x: Tensor) => normalizeGroups(x, 4, 1e-5)),
      images,
    ),
    [0, 4, 4, 8],
  ],
  ['layerNorm', run(layerNorm(8), images), [0, 4, 4, 8]],
  ['rmsNorm', run(rmsNorm(8), images), [0, 4, 4, 8]],
  ['normalizeVectors', run(lift(normalizeVectors), rows), [0, 8]],
  ['dropout', run(dropout(0.5), rows), [0, 8]],
  ['embedding', run(embedding(5, 3), tensor(new Int32Array(0))), [0, 3]],
  ['sinusoidalTimeEmbedding', run(sinusoidalTimeEmbedding(8), tensor(new Int32Array(0))), [0, 8]],
  ['upsample', run(upsample(8, 3), images), [0, 8, 8, 3]],
  ['downsample', run(downsample(8, 3), images), [0, 2, 2, 3]],
  ['pixelAttention', run(pixelAttention(8, { heads: 2, headWidth: 4 }), images), [0, 4, 4, 8]],
  ['linearAttention', run(linearAttention(8, { heads: 2, headWidth: 4 }), images), [0, 4, 4, 8]],
  ['resBlock', run(resBlock(8, 4, 6), { x: images, time: ones([0, 6]) }), [0, 4, 4, 4]],
  [
    'unet',
    run(unet({ channels: 3, width: 8, multipliers: [1] }), { x: ones([0, 8, 8, 3]), t: tensor(new Int32Array(0)) }),
    [0, 8, 8, 3],
  ],
]

describe.each(cpuForms)('a batch of none on cpu, %s', (_, open) => {
  it.each(layers)('%s: a result of none, and gradients of 0', async (_name, make, shape) => {
    const device = open()
    const [output, gradients] = await device.realize(make())
    expect(output.shape).toEqual(shape)
    expect(await values(output, device)).toEqual([])
    for (const g of gradients) expect((await values(g, device)).every((x) => x === 0)).toBe(true)
  })
})
