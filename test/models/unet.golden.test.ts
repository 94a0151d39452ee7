/** The U-Net against lucidrains' own (denoising-diffusion-pytorch 2.3.1, torch 1.13): output and every gradient. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { at, product } from '../../src/prelude/array.ts'
import { vjp } from '../../src/autograd/index.ts'
import { lucidrainsWeights, type LucidrainsTensor } from '../../src/models/lucidrains/weights.ts'
import { unet, type UnetInput, type UnetOptions, type UnetParams } from '../../src/models/lucidrains/unet.ts'
import type { Module } from '../../src/nn/module.ts'
import { stack } from '../../src/tensor/combine.ts'
import type { Device } from '../../src/tensor/device.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice } from '../support/device.ts'
import { goldenTensors, nhwc, noise, relativeError, right } from './golden.ts'

/** Of a parameter's gradient: its norm, and its product with `noise` of the parameter's number. */
interface Summary {
  readonly shape: readonly number[]
  readonly norm: number
  readonly product: number
}

interface Variant {
  readonly name: string
  readonly height: number
  readonly width: number
  readonly output: readonly number[]
  readonly grad_sample: readonly number[]
  readonly gradients: Readonly<Record<string, Summary>>
}

type Arrays = ReadonlyMap<string, LucidrainsTensor>
type Model = Module<UnetParams, UnetInput>

/** The case of a golden test: the model, its weights and inputs as PyTorch has them, and what must come out. */
interface Case {
  readonly model: Model
  readonly weights: Arrays
  readonly io: Arrays
  readonly gradients: Readonly<Record<string, Summary>>
}

const reference = JSON.parse(
  await readFile(new URL('../golden/lucidrains-unet/variants.json', import.meta.url), 'utf8'),
) as {
  readonly golden: Readonly<Record<string, Summary>>
  readonly variants: readonly Variant[]
}

/** An array for every parameter, made from its name, shape and number. */
const arrays = (
  summaries: Readonly<Record<string, Summary>>,
  values: (name: string, summary: Summary, i: number) => Float32Array,
): Arrays =>
  new Map(
    Object.entries(summaries).map(([name, summary], i) => [
      name,
      { shape: summary.shape, values: values(name, summary, i) },
    ]),
  )

const filled = (summaries: Readonly<Record<string, Summary>>, value: (summary: Summary) => number): Arrays =>
  arrays(summaries, (_, summary) => new Float32Array(product(summary.shape)).fill(value(summary)))

/** `make` of variants.py. */
const variantWeight = (name: string, { shape }: Summary, i: number): Float32Array => {
  const of = (scale: number, offset = 0): Float32Array => noise(product(shape), i).map((x) => x * scale + offset)
  if (name.endsWith('mem_kv')) return of(1)
  if (name.endsWith('.g')) return of(0.25, 1)
  return name.endsWith('bias') ? of(0.1) : of(1 / Math.sqrt(product(shape.slice(1))))
}

const check = async (device: Device, { model, weights, io, gradients }: Case): Promise<void> => {
  const ours = (theirs: Arrays): UnetParams => right(lucidrainsWeights(model.init(key(0)), theirs))
  const trees = {
    params: ours(weights),
    noise: ours(arrays(gradients, (_, { shape }, i) => noise(product(shape), i))),
    norms: ours(filled(gradients, (s) => s.norm)),
    products: ours(filled(gradients, (s) => s.product)),
  }
  const images = { x: nhwc(io.get('sample')), t: nhwc(io.get('timestep')), cotangent: nhwc(io.get('cotangent')) }
  const first = (tree: UnetParams): Tensor => stack(leaves(tree).map((x) => x.reshape([-1]).slice([0, 1]).reshape([])))
  const run = device.compile(({ params, ...rest }: typeof trees, { x, t, cotangent }: typeof images) => {
    const { value, pullback } = vjp((p: UnetParams, sample: Tensor) => model.apply(p, { x: sample, t }), params, x)
    const [byParams, byX] = pullback(cotangent)
    const each = leaves(byParams)
    return {
      value,
      byX,
      norms: stack(each.map((g) => g.square().sum().sqrt())),
      products: stack(each.map((g, i) => g.mul(at(leaves(rest.noise), i)).sum())),
      expectedNorms: first(rest.norms),
      expectedProducts: first(rest.products),
    }
  })
  const result = await run(await device.realize(trees), await device.realize(images))
  const expected = async (name: string): Promise<ArrayLike<number>> => device.read(nhwc(io.get(name)))
  expect(relativeError(await device.read(result.value), await expected('output'))).toBeLessThan(1e-4)
  expect(relativeError(await device.read(result.byX), await expected('grad_sample'))).toBeLessThan(1e-3)
  const norms = await device.read(result.expectedNorms)
  const names = leavesWithPaths(trees.params).map(([path]) => path)
  const differing = (actual: ArrayLike<number>, wanted: ArrayLike<number>): readonly string[] =>
    names.filter((_, i) => !(Math.abs((actual[i] ?? NaN) - (wanted[i] ?? NaN)) <= 1e-3 * (norms[i] ?? NaN)))
  expect(differing(await device.read(result.norms), norms)).toEqual([])
  expect(differing(await device.read(result.products), await device.read(result.expectedProducts))).toEqual([])
}

const variantCase = (variant: Variant, options: Omit<UnetOptions, 'width'>): Case => {
  const { output, grad_sample: gradient, gradients, height, width } = variant
  const shape = [2, options.channels ?? 3, height, width]
  const image = (values: ArrayLike<number>): LucidrainsTensor => ({ shape, values: Float32Array.from(values) })
  const [sample, cotangent] = [noise(product(shape), 1001), noise(product(shape), 1002)]
  const io = new Map([
    ['sample', image(sample)],
    ['cotangent', image(cotangent)],
    ['output', image(output)],
    ['grad_sample', image(gradient)],
  ])
  return {
    model: unet({ width: 8, multipliers: [1, 2], ...options }),
    weights: arrays(gradients, variantWeight),
    io: new Map([...io, ['timestep', { shape: [2], values: Float32Array.of(3, 700) }]]),
    gradients,
  }
}

const variantOptions: readonly (readonly [name: string, options: Omit<UnetOptions, 'width'>])[] = [
  ['non-square images', {}],
  ['one channel', { channels: 1 }],
  ['full attention in every stage', { fullAttention: [true, true] }],
  ['linear attention in every stage', { fullAttention: [false, false] }],
  ['heads and their widths per stage', { heads: [2, 3], headWidth: [8, 5] }],
]

const checkVariant = async (device: Device, name: string, options: Omit<UnetOptions, 'width'>): Promise<void> => {
  const variant = reference.variants.find((v) => v.name === name)
  expect(variant).toBeDefined()
  if (variant !== undefined) await check(device, variantCase(variant, options))
}

describe('unet, golden, cpu fused', { timeout: 120_000 }, () => {
  it("gives lucidrains' output and gradients, of the images and of every parameter", async () => {
    const io = await goldenTensors('lucidrains-unet/io.safetensors')
    const weights = await goldenTensors('lucidrains-unet/weights.safetensors')
    await check(cpuDevice(), {
      model: unet({ width: 16, multipliers: [1, 2, 4] }),
      weights,
      io,
      gradients: reference.golden,
    })
  })

  it.each(variantOptions)('gives the output and every gradient of the reference with %s', (name, options) =>
    checkVariant(cpuDevice(), name, options),
  )
})

// One primitive at a time takes ten times as long; between them, these have every kind of layer.
describe('unet, golden, cpu primitive by primitive', { timeout: 120_000 }, () => {
  it.each(variantOptions.filter(([name]) => /channel|linear|heads/.test(name)))(
    'gives the output and every gradient of the reference with %s',
    (name, options) => checkVariant(cpuDevice({ fused: false }), name, options),
  )
})
