/** The U-Net against lucidrains' own (denoising-diffusion-pytorch 2.3.1, torch 1.13): output and gradients. */
import { describe, expect, it } from 'vitest'
import { vjp } from '../../src/autograd/index.ts'
import { lucidrainsWeights } from '../../src/models/lucidrainsWeights.ts'
import { unet, type UnetParams } from '../../src/models/unet.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuForms } from '../support/device.ts'
import { goldenTensors, nhwc, relativeError, right } from './golden.ts'

const model = unet({ width: 16, multipliers: [1, 2, 4] })

describe.each(cpuForms)('unet, golden, cpu %s', (_, open) => {
  it("gives lucidrains' output and gradient of the images", async () => {
    const device = open()
    const io = await goldenTensors('lucidrains-unet/io.safetensors')
    const params = right(lucidrainsWeights(model.init(key(0)), await goldenTensors('lucidrains-unet/weights.safetensors')))
    const forward = device.compile((p: UnetParams, x: Tensor, t: Tensor, cotangent: Tensor) => {
      const { value, pullback } = vjp((sample: Tensor) => model.apply(p, { x: sample, t }), x)
      return { value, gradient: pullback(cotangent) }
    })
    const args = await device.realize([params, nhwc(io.get('sample')), nhwc(io.get('timestep')), nhwc(io.get('cotangent'))] as const)
    const { value, gradient } = await forward(...args)
    const expected = async (name: string): Promise<ArrayLike<number>> => device.read(nhwc(io.get(name)))
    expect(relativeError(await device.read(value), await expected('output'))).toBeLessThan(1e-4)
    expect(relativeError(await device.read(leaf(gradient)), await expected('grad_sample'))).toBeLessThan(1e-3)
  })
})

/** The pullback of a function of one argument gives a list of one. */
const leaf = (gradient: readonly [Tensor]): Tensor => gradient[0]
