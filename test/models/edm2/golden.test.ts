/** EDM2's U-Net against a PyTorch program of its formulas (test/golden/edm2/make.py): its result, and the gradients of images and parameters. */
import { describe, expect, it } from 'vitest'
import { vjp } from '../../../src/autograd/index.ts'
import { edm2, type Edm2Options, type Edm2Params } from '../../../src/models/index.ts'
import { product } from '../../../src/prelude/array.ts'
import { keysOf } from '../../../src/prelude/record.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Shape } from '../../../src/graph/shape.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../../src/tensor/tree.ts'
import { cpuForms } from '../../support/device.ts'
import { goldenTensors, noise, relativeError } from '../golden.ts'

const cases: Readonly<Record<string, { readonly options: Edm2Options; readonly size: readonly [number, number] }>> = {
  small: {
    options: { width: 4, multipliers: [1, 2], blocks: 1, attentionAt: [1], headWidth: 4, conditions: 3 },
    size: [4, 8],
  },
  other: {
    options: {
      width: 4,
      multipliers: [1, 3, 2],
      blocks: 2,
      attentionAt: [0],
      headWidth: 2,
      channels: 1,
      times: 20,
      residualBalance: 0.45,
      attentionBalance: 0.6,
      skipBalance: 0.25,
    },
    size: [8, 4],
  },
}

/** What may differ: the file has numbers of f32. */
const bounds = {
  f32: { out: 1e-4, gradients: 1e-3 },
  f64: { out: 1e-6, gradients: 1e-6 },
} as const

type Real = keyof typeof bounds

const noisy = (shape: Shape, seed: number, dtype: Real): Tensor =>
  tensor(noise(product(shape), seed), { shape }).cast(dtype)

/** Parameters of noise: that of the first path is of seed 0. */
const noisyParams = (template: Edm2Params, dtype: Real): Edm2Params => {
  const seeds = new Map(
    leavesWithPaths(template)
      .map(([path]) => path)
      .toSorted()
      .map((path, i) => [path, i]),
  )
  return mapTree(template, (x, path) => noisy(x.shape, seeds.get(path) ?? NaN, dtype))
}

describe.each(Object.entries(cases))('%s', { timeout: 120_000 }, (name, { options, size }) => {
  it.each(cpuForms.flatMap(([form, open]) => keysOf(bounds).map((dtype) => [form, dtype, open] as const)))(
    "gives PyTorch's result, and the gradients of images and parameters; cpu %s, %s",
    async (_, dtype, open) => {
      const io = await goldenTensors('edm2/edm2.safetensors')
      const { channels = 3, conditions = 0 } = options
      const model = edm2(options)
      const device = open()
      const params = await device.realize(noisyParams(model.init(key(0)), dtype))
      const given = await device.realize({
        x: noisy([2, ...size, channels], 1001, dtype),
        t: tensor([3, 17.5], { dtype }),
        cotangent: noisy([2, ...size, channels], 1003, dtype),
        condition: conditions === 0 ? undefined : noisy([2, conditions], 1002, dtype),
      })
      const run = device.compile((params: Edm2Params, { x, t, cotangent, condition }: typeof given) => {
        const { value, pullback } = vjp((p: Edm2Params, x: Tensor) => model.apply(p, { x, t, condition }), params, x)
        const [byParams, byX] = pullback(cotangent)
        return { value, byParams, byX }
      })
      const { value, byParams, byX } = await run(params, given)
      const near = async (actual: Tensor, role: string, bound: number): Promise<void> => {
        const expected = io.get(`${name}/${role}`)
        expect(actual.shape, role).toEqual(expected?.shape)
        expect(relativeError(await device.read(actual), expected?.values ?? []), role).toBeLessThan(bound)
      }
      await near(value, 'out', bounds[dtype].out)
      await near(byX, 'grad_x', bounds[dtype].gradients)
      const gradients = leavesWithPaths(byParams).filter(([path]) => io.has(`${name}/grad.${path}`))
      expect(gradients.length).toBe([...io.keys()].filter((role) => role.startsWith(`${name}/grad.`)).length)
      expect(gradients.length).toBeGreaterThan(40)
      // the gradient of one number may be a sum that cancels: those of the gains are compared in f64
      for (const [path, gradient] of gradients)
        if (dtype === 'f64' || gradient.rank > 0) await near(gradient, `grad.${path}`, bounds[dtype].gradients)
    },
  )
})
