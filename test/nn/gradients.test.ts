/** Every layer and loss under random shapes: first and second derivatives against finite differences, in both forms of cpu. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import { mlp } from '../../src/models/mlp.ts'
import { resBlock } from '../../src/models/resBlock.ts'
import {
  attention,
  binaryCrossEntropy,
  conv2d,
  convTranspose2d,
  crossEntropy,
  downsample,
  dropout,
  embedding,
  groupNorm,
  huber,
  l1,
  layerNorm,
  linear,
  linearAttention,
  mse,
  rmsNorm,
  sinusoidalTimeEmbedding,
  upsample,
} from '../../src/nn/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuForms } from '../support/device.ts'
import { checkLayer, checkTwice, random } from './checkLayer.ts'

type Check = (device: Device) => Promise<void>

const size = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max })

/** [N, H, W] of small images. */
const image = fc.tuple(size(2), size(3), size(3))

const shapes: Readonly<Record<string, fc.Arbitrary<Check>>> = {
  linear: fc.tuple(image, size(3), size(3), fc.boolean()).map(
    ([lead, a, b, bias]) =>
      async (d) =>
        checkLayer(d, linear(a, b, { bias }), random([...lead, a], 1)),
  ),
  conv2d: fc
    .record({
      groups: size(2),
      a: size(2),
      b: size(2),
      kernel: fc.tuple(size(3), size(2)),
      stride: size(2),
      padding: size(1, 0),
      dilation: size(2),
      bias: fc.boolean(),
    })
    .map(
      ({ groups, a, b, kernel, ...options }) =>
        async (d) =>
          checkLayer(
            d,
            conv2d(groups * a, groups * b, kernel, { groups, ...options }),
            random([1, 5, 4, groups * a], 2),
          ),
    ),
  convTranspose2d: fc
    .record({
      a: size(2),
      b: size(2),
      kernel: fc.tuple(size(3, 2), size(3, 2)),
      stride: size(2),
      padding: size(1, 0),
      bias: fc.boolean(),
    })
    .map(
      ({ a, b, kernel, ...options }) =>
        async (d) =>
          checkLayer(
            d,
            convTranspose2d(a, b, kernel, { ...options, outputPadding: options.stride - 1 }),
            random([2, 2, 3, a], 3),
          ),
    ),
  groupNorm: fc.tuple(image, size(2), size(2)).map(
    ([lead, groups, each]) =>
      async (d) =>
        checkLayer(d, groupNorm(groups, groups * each, { epsilon: 0.3 }), random([...lead, groups * each], 4)),
  ),
  layerNorm: fc.tuple(image, size(4, 2)).map(
    ([lead, c]) =>
      async (d) =>
        checkLayer(d, layerNorm(c, { epsilon: 0.3 }), random([...lead, c], 5)),
  ),
  rmsNorm: fc.tuple(image, size(4, 2)).map(
    ([lead, c]) =>
      async (d) =>
        checkLayer(d, rmsNorm(c), random([...lead, c], 6)),
  ),
  attention: fc
    .record({
      lead: fc.tuple(size(2), size(2), size(2)),
      c: size(3, 2),
      heads: size(2),
      headWidth: size(2),
      memory: size(2, 0),
    })
    .map(
      ({ lead, c, ...options }) =>
        async (d) =>
          checkLayer(d, attention(c, options), random([...lead, c], 7)),
    ),
  linearAttention: fc
    .record({
      lead: fc.tuple(size(2), size(2), size(2)),
      c: size(3, 2),
      heads: size(2),
      headWidth: size(2),
      memory: size(2, 0),
    })
    .map(
      ({ lead, c, ...options }) =>
        async (d) =>
          checkLayer(d, linearAttention(c, options), random([...lead, c], 8)),
    ),
  embedding: fc.tuple(size(4), size(3)).map(
    ([count, width]) =>
      async (d) =>
        checkLayer(d, embedding(count, width), tensor(Int32Array.of(0, count - 1, 0))),
  ),
  'sinusoidal time embedding': size(4, 2).map(
    (half) => async (d) => checkLayer(d, sinusoidalTimeEmbedding(2 * half), random([3], 9)),
  ),
  'dropout in training': fc.tuple(image, size(3)).map(
    ([lead, c]) =>
      async (d) =>
        checkLayer(d, dropout(0.4), random([...lead, c], 10), true),
  ),
  upsample: fc.tuple(size(2), size(2), size(2)).map(
    ([n, a, b]) =>
      async (d) =>
        checkLayer(d, upsample(a, b), random([n, 2, 1, a], 11)),
  ),
  downsample: fc.tuple(size(2), size(2), size(2)).map(
    ([n, a, b]) =>
      async (d) =>
        checkLayer(d, downsample(a, b), random([n, 2, 4, a], 12)),
  ),
  'residual block': fc.tuple(size(3, 2), size(3, 2)).map(
    ([a, b]) =>
      async (d) =>
        checkLayer(d, resBlock(a, b, 2, 0.2), { x: random([1, 2, 2, a], 13), time: random([1, 2], 14) }, true),
  ),
  mlp: fc.tuple(size(3), size(3)).map(
    ([a, b]) =>
      async (d) =>
        checkLayer(d, mlp([a, 3, b]), random([2, a], 15)),
  ),
}

const two = (f: (a: Tensor, b: Tensor) => Tensor, shape: readonly number[]): Check => {
  const [a, b] = [random(shape, 16), random(shape, 17)]
  return async (device) => checkTwice(device, f, [a, b])
}

const losses: Readonly<Record<string, fc.Arbitrary<Check>>> = {
  mse: image.map((shape) => two(mse, shape)),
  l1: image.map((shape) => two((a, b) => l1(a, b, { reduction: 'sum' }), shape)),
  huber: image.map((shape) => two((a, b) => huber(a, b, { delta: 0.7, reduction: 'none' }), shape)),
  crossEntropy: size(4, 2).map(
    (classes) => async (d) =>
      checkTwice(d, (logits: Tensor, labels: Tensor) => crossEntropy(logits, labels), [
        random([3, classes], 18),
        tensor(Int32Array.of(0, classes - 1, 1)),
      ]),
  ),
  binaryCrossEntropy: image.map((shape) => two((a, b) => binaryCrossEntropy(a, b), shape)),
}

describe.each(cpuForms)('cpu %s', { timeout: 60_000 }, (_, open) => {
  it.each(Object.entries({ ...shapes, ...losses }))(
    '%s: first and second derivatives agree with finite differences for random shapes',
    async (_name, check) => {
      const device = open()
      await fc.assert(
        fc.asyncProperty(check, async (run) => run(device)),
        { numRuns: 4, seed: 1 },
      )
    },
  )
})
