/** The U-Net of diffusers against diffusers 0.27.2 (torch 1.13): its result, and the gradients of images and parameters. */
import { describe, expect, it } from 'vitest'
import { vjp } from '../../../src/autograd/index.ts'
import { decodeDiffusersUnet2d, unet2d, unet2dNames, type Unet2dParams } from '../../../src/models/index.ts'
import { range } from '../../../src/prelude/array.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { placesOf } from '../../../src/tensor/nameMap.ts'
import { key } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../../src/tensor/tree.ts'
import { cpuForms } from '../../support/device.ts'
import { goldenConfig, loaded, shapesOf } from '../autoencoder/support.ts'
import { goldenTensors, nhwc, relativeError, right } from '../golden.ts'

const folders = ['unet2d-attn', 'unet2d-ddpm-style', 'unet2d-scaleshift-class'] as const

const networkOf = async (folder: string) => {
  const { settings, ignored, ...channels } = right(decodeDiffusersUnet2d(await goldenConfig(folder)))
  const model = unet2d({ ...settings, ...channels })
  const weights = await goldenTensors(`${folder}/diffusion_pytorch_model.safetensors`)
  return { settings, ignored, model, weights, template: model.init(key(0)) }
}

/** Class labels as one-hot vectors. */
const oneHot = (labels: ArrayLike<number>, classes: number): Tensor =>
  tensor(Array.from(labels, (label) => range(classes).map((i) => (i === label ? 1 : 0))))

/** Both forms of cpu for the smallest network: primitive by primitive the others take half a minute. */
const formsFor = (folder: string) => (folder === 'unet2d-scaleshift-class' ? cpuForms : cpuForms.slice(0, 1))

describe.each(folders)('%s', { timeout: 120_000 }, (folder) => {
  it.each(formsFor(folder))(
    "gives diffusers' result, and the gradients of images and parameters; cpu %s",
    async (_, open) => {
      const { settings, ignored, model, weights, template } = await networkOf(folder)
      expect(ignored).toEqual([])
      const io = await goldenTensors(`${folder}/io.safetensors`)
      const names = unet2dNames(template, shapesOf(weights))
      const labels = io.get('class_labels')
      const device = open()
      const params = await device.realize(loaded(template, names, weights))
      const given = await device.realize({
        x: nhwc(io.get('sample')),
        t: nhwc(io.get('timestep')),
        cotangent: nhwc(io.get('cotangent')),
        condition: labels && oneHot(labels.values, settings.conditions ?? 0),
      })
      const run = device.compile((params: Unet2dParams, { x, t, cotangent, condition }: typeof given) => {
        const { value, pullback } = vjp((p: Unet2dParams, x: Tensor) => model.apply(p, { x, t, condition }), params, x)
        const [byParams, byX] = pullback(cotangent)
        return { value, byParams, byX }
      })
      const { value, byParams, byX } = await run(params, given)
      const near = async (actual: Tensor, expected: Tensor, name: string, bound: number): Promise<void> =>
        expect(relativeError(await device.read(actual), await device.read(expected)), name).toBeLessThan(bound)
      await near(value, nhwc(io.get('output')), 'output', 1e-4)
      await near(byX, nhwc(io.get('grad_sample')), 'grad_sample', 1e-3)
      const places = new Map(placesOf(template, names).map((place) => [place.path, place]))
      const gradients = leavesWithPaths(byParams).flatMap(([path, ours]) => {
        const { name = '', permutation = [] } = places.get(path) ?? {}
        const theirs = io.get(`grad.${name}`)
        if (theirs === undefined) return []
        const expected = tensor(theirs.values, { shape: theirs.shape }).transpose(permutation).reshape(ours.shape)
        return [{ name, ours, expected }]
      })
      expect(gradients.map(({ name }) => name).toSorted()).toEqual(
        [...io.keys()].flatMap((name) => (name.startsWith('grad.') ? [name.slice(5)] : [])).toSorted(),
      )
      expect(gradients.length).toBeGreaterThan(3)
      for (const { name, ours, expected } of gradients) await near(ours, expected, name, 1e-3)
    },
  )
})

/** The names of attention before 2023. */
const older = (name: string): string =>
  name
    .replace('.to_q.', '.query.')
    .replace('.to_k.', '.key.')
    .replace('.to_v.', '.value.')
    .replace('.to_out.0.', '.proj_attn.')

describe('names of diffusers', () => {
  it.each(folders)('of before 2023 load the parameters that those of today do: %s', async (folder) => {
    const { template, weights } = await networkOf(folder)
    const old = new Map([...weights].map(([name, array]) => [older(name), array]))
    const [device] = cpuForms.map(([, open]) => open())
    const [a, b] = [weights, old].map((arrays) =>
      leavesWithPaths(loaded(template, unet2dNames(template, shapesOf(arrays)), arrays)),
    )
    for (const [i, [path, x]] of (a ?? []).entries())
      expect(await device?.read(b?.[i]?.[1] ?? x.mul(NaN)), path).toEqual(await device?.read(x))
  })
})
