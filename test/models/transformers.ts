/** What the tests of transformers share: the values that PyTorch gave, and parameters as it had them. */
import { readFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { vjp } from '../../src/autograd/index.ts'
import type { DenoiserInput } from '../../src/models/index.ts'
import type { Module } from '../../src/nn/module.ts'
import { product } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import { openDevice, type Device } from '../../src/tensor/device.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import { cpuForms } from '../support/device.ts'
import { noise, relativeError } from './golden.ts'

/** Where the values are computed. */
export const goldenDevices: readonly (readonly [name: string, open: () => Promise<Device>])[] = [
  ...cpuForms.map(([name, open]) => [`cpu ${name}`, () => Promise.resolve(open())] as const),
  ['wasm', () => openDevice('wasm')],
]

/** A row of test/golden/transformers. */
export interface GoldenTransformer {
  readonly config: Readonly<
    Record<'channels' | 'patch' | 'width' | 'depth' | 'heads' | 'ratio' | 'conditions', number>
  > & {
    readonly size?: readonly [number, number] | null
  }
  readonly height: number
  readonly width: number
  readonly output: readonly number[]
  readonly byImage: readonly number[]
  readonly byCondition: readonly number[]
  readonly byParameters: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>
  >
}

/** The values of one of its networks. */
export const goldenTransformer = async (name: string): Promise<GoldenTransformer> =>
  JSON.parse(await readFile(new URL(`../golden/transformers/${name}.json`, import.meta.url), 'utf8'))

/** Numbers of PyTorch in the axes of ours: filters [O, I, H, W] are [H, W, I, O], or [H·W·I, O]; matrices [out, in] are [in, out]. */
const turned = (values: ArrayLike<number>, shape: readonly number[], path: string, ours: readonly number[]): Tensor => {
  const x = tensor(Float32Array.from(values), { shape: [...shape] })
  if (shape.length === 4) return x.transpose([2, 3, 1, 0]).reshape([...ours])
  return shape.length === 2 && path.endsWith('weight') ? x.transpose([1, 0]) : x
}

const images = (values: ArrayLike<number>, { config: { channels }, height, width }: GoldenTransformer): Tensor =>
  tensor(Float32Array.from(values), { shape: [2, channels, height, width] }).transpose([0, 2, 3, 1])

/** The network with PyTorch's parameters gives its result, and the gradients of images, conditions and parameters; the device is closed. */
export const expectGolden = async <P>(device: Device, model: Module<P, DenoiserInput>, golden: GoldenTransformer) => {
  const { byParameters, config, height, width } = golden
  const names = Object.keys(byParameters)
  const template = model.init(key(0))
  expect(
    leavesWithPaths(template)
      .map(([path]) => path)
      .toSorted(),
  ).toEqual(names.toSorted())
  const given = mapTree<P, P>(template, (ours, path) => {
    const shape = byParameters[path]?.shape ?? []
    const isGain = shape.length === 1 && /(^|\.)norm\d?\.weight$/.test(path)
    const values = noise(product(shape), names.indexOf(path) + 1).map((v) => v * 0.5 + (isGain ? 1 : 0))
    return turned(values, shape, path, ours.shape)
  })
  const params = await device.realize(given)
  const picture = 2 * config.channels * height * width
  const input = await device.realize({
    x: images(noise(picture, 1001), golden),
    condition: tensor(noise(2 * config.conditions, 1002), { shape: [2, config.conditions] }),
    cotangent: images(noise(picture, 1003), golden),
    t: tensor([3, 700]),
  })
  const run = device.compile((params: P, { x, t, condition, cotangent }: typeof input) => {
    const { value, pullback } = vjp(
      (params: P, x: Tensor, condition: Tensor) => model.apply(params, { x, t, condition }),
      params,
      x,
      condition,
    )
    const [slopes, byX, byCondition] = pullback(cotangent)
    return { value, slopes, byX, byCondition }
  })
  const { value, slopes, byX, byCondition } = await run(params, input)
  const near = async (actual: Tensor, expected: Tensor, name: string, bound: number): Promise<void> =>
    expect(relativeError(await device.read(actual), await device.read(expected)), name).toBeLessThan(bound)
  await near(value, images(golden.output, golden), 'output', 1e-4)
  await near(byX, images(golden.byImage, golden), 'images', 1e-3)
  await near(byCondition, tensor([...golden.byCondition], { shape: byCondition.shape }), 'conditions', 1e-3)
  for (const [path, ours] of leavesWithPaths(slopes)) {
    const { shape, values } = byParameters[path] ?? { shape: [], values: [] }
    // softmax does not see what all logits of a query have in common
    if (path.endsWith('key.bias')) expect(Math.max(...(await device.read(ours)).map(Math.abs)), path).toBeLessThan(1e-4)
    else await near(ours, turned(values, shape, path, ours.shape), path, 1e-3)
  }
  await device.close()
}
