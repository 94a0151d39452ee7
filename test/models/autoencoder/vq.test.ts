/** Quantized latents: the nearest code, the straight-through gradient, the two forms of the loss, and a model that learns to use its codes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad, valueAndGrad } from '../../../src/autograd/index.ts'
import { seas } from '../../../src/data/index.ts'
import { codebookLoss, nearestCodes, quantize, vqModel } from '../../../src/models/index.ts'
import { mse } from '../../../src/nn/index.ts'
import { adam, applyUpdates } from '../../../src/optim/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { tensor, zeros } from '../../../src/tensor/create.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../../support/device.ts'
import { openDevice } from '../../../src/index.ts'

const device = cpuDevice()

describe('the nearest code', () => {
  it('is the one at the least Euclidean distance', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 }), async (codes, width) => {
        const [codebook, z] = [normal(key(codes), [codes, width], 'f64'), normal(key(width), [2, 3, 2, width], 'f64')]
        const [found, e, x] = await Promise.all([values(nearestCodes(codebook, z)), values(codebook), values(z)])
        const distances = (i: number): readonly number[] =>
          range(codes).map((k) =>
            range(width).reduce((sum, d) => sum + ((x[i * width + d] ?? NaN) - (e[k * width + d] ?? NaN)) ** 2, 0),
          )
        expect(found).toEqual(range(12).map((i) => distances(i).indexOf(Math.min(...distances(i)))))
      }),
      { numRuns: 30 },
    )
  })

  it('replaces latents, whose gradient passes as if it did not, and leaves none to the codes', async () => {
    const [codebook, z] = [
      tensor([
        [0, 0],
        [1, 2],
      ]),
      tensor([
        [0.8, 1.9],
        [0.1, -0.3],
      ]),
    ]
    expect(await values(quantize(codebook, z), device)).toEqual([1, 2, 0, 0])
    const slopes = grad((given: { codes: Tensor; z: Tensor }) =>
      quantize(given.codes, given.z)
        .mul(
          tensor([
            [3, 5],
            [7, 9],
          ]),
        )
        .sum(),
    )({ codes: codebook, z })
    expect(await values(slopes.z, device)).toEqual([3, 5, 7, 9])
    expect(await values(slopes.codes, device)).toEqual([0, 0, 0, 0])
  })

  it('needs codes and latents of one number of channels', () => {
    expect(() => nearestCodes(zeros([4, 3]), zeros([1, 2, 2, 4]))).toThrow(
      'nearestCodes: codes [4,3] and latents [1,2,2,4] must have the same number of channels',
    )
  })
})

describe('the loss of codes', () => {
  const [codebook, z] = [
    tensor([
      [0, 0],
      [1, 2],
    ]),
    tensor([
      [0.5, 1],
      [0.1, -0.3],
    ]),
  ]
  // The first latent is as far from one code as from the other: the first is taken. Both codes are [0, 0] then.
  const slopes = async (form: 'paper' | 'legacy') => {
    const by = grad((given: { codes: Tensor; z: Tensor }) =>
      codebookLoss(given.codes, given.z, { commitment: 0.25, form }),
    )({
      codes: codebook,
      z,
    })
    return { codes: await values(by.codes, device), z: await values(by.z, device) }
  }

  it.each([
    ['paper', 1, 0.25],
    ['legacy', 0.25, 1],
  ] as const)('in the %s form moves codes with weight %f and latents with %f', async (form, ofCodes, ofLatents) => {
    const by = await slopes(form)
    const close = (xs: readonly number[], ys: readonly number[]) =>
      xs.forEach((x, i) => expect(x).toBeCloseTo(ys[i] ?? NaN, 6))
    // the mean of 4 squares; d/de = 2·(e − z)/4 summed over latents, d/dz = 2·(z − e)/4
    close(
      by.z,
      [0.5, 1, 0.1, -0.3].map((x) => (ofLatents * x) / 2),
    )
    close(by.codes, [(-ofCodes * 0.6) / 2, (-ofCodes * 0.7) / 2, 0, 0])
  })

  it('has the same value in both forms', async () => {
    const both = [codebookLoss(codebook, z), codebookLoss(codebook, z, { form: 'legacy' })]
    expect(await values(both[0] ?? z, device)).toEqual(await values(both[1] ?? z, device))
  })
})

describe('vqModel', { timeout: 120_000 }, () => {
  it('learns: after 150 steps on seas its error is less than half, and it uses many codes', async () => {
    const wasm = await openDevice('wasm')
    const model = vqModel({
      channels: 3,
      latentChannels: 3,
      widths: [16, 16],
      layers: 1,
      groups: 4,
      codes: 32,
      shortcuts: 'pixel-unshuffle',
    })
    const source = seas({ seed: 5, size: 16 })
    const bytes = range(16).flatMap((i) => Array.from(source.image(i)))
    const x = await wasm.realize(
      tensor(
        Float32Array.from(bytes, (b) => b / 127.5 - 1),
        { shape: [16, 16, 16, 3] },
      ),
    )
    const optimizer = adam({ learningRate: 3e-3 })
    const init = { encoder: model.encoder.init(key(0)), decoder: model.decoder.init(key(1)) }
    type Params = typeof init
    const parts = (params: Params, pictures: Tensor) => {
      const { mean } = model.encoder.apply(params.encoder, pictures)
      const error = mse(model.decoder.apply(params.decoder, mean), pictures)
      return { error, loss: error.add(model.codebookLoss(params.decoder, mean)), mean }
    }
    const step = wasm.compile((params: Params, opt: ReturnType<typeof optimizer.init>, pictures: Tensor) => {
      const [, gradients] = valueAndGrad((p: Params) => parts(p, pictures).loss)(params)
      const [updates, next] = optimizer.update(gradients, opt, params)
      return [applyUpdates(params, updates), next] as const
    })
    const measure = wasm.compile((params: Params, pictures: Tensor) => {
      const { error, mean } = parts(params, pictures)
      return { error, used: nearestCodes(params.decoder.codebook, mean) }
    })
    const measured = async (params: Params) => {
      const { error, used } = await measure(params, x)
      return { error: (await values(error, wasm))[0] ?? NaN, used: new Set(await values(used, wasm)).size }
    }
    let params = await wasm.realize(init)
    let opt = await wasm.realize(optimizer.init(params))
    const before = await measured(params)
    for (let i = 0; i < 150; i++) [params, opt] = await step(params, opt, x)
    const after = await measured(params)
    await wasm.close()
    expect(after.error).toBeLessThan(0.5 * before.error)
    expect(after.used).toBeGreaterThan(8)
  })

  it('takes codes of another width only between convolutions that change it', () => {
    const config = { channels: 3, latentChannels: 4, widths: [8, 8], layers: 1, groups: 4, codes: 8, codeWidth: 2 }
    expect(() => vqModel(config)).toThrow('codeWidth 2 is latentChannels 4, or quantConv and postQuantConv are true')
    const model = vqModel({ ...config, quantConv: true, postQuantConv: true })
    const { mean } = model.encoder.apply(model.encoder.init(key(0)), zeros([1, 4, 4, 3]))
    expect([mean.shape, model.latentChannels]).toEqual([[1, 2, 2, 2], 2])
    expect(model.decoder.apply(model.decoder.init(key(0)), mean).shape).toEqual([1, 4, 4, 3])
  })
})
