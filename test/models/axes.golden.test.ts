/** The U-Nets over one axis and over three against the same network in PyTorch 1.13: output and every gradient. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { vjp } from '../../src/autograd/index.ts'
import { lucidrainsNames } from '../../src/models/lucidrains/weights.ts'
import { unet1d } from '../../src/models/lucidrains/unet1d.ts'
import { unet3d } from '../../src/models/lucidrains/unet3d.ts'
import type { UnetInput, UnetOptions, UnetParams } from '../../src/models/lucidrains/unet.ts'
import type { Module } from '../../src/nn/module.ts'
import { at, product } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import { placesOf, type LayoutRule, type Place } from '../../src/tensor/nameMap.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import { cpuForms } from '../support/device.ts'
import { noise, relativeError } from './golden.ts'

interface Reference {
  readonly name: string
  readonly shape: readonly number[]
  readonly output: readonly number[]
  readonly grad_sample: readonly number[]
  readonly gradients: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly norm: number; readonly product: number }>
  >
}

const references = JSON.parse(
  await readFile(new URL('../golden/lucidrains-unet/axes.json', import.meta.url), 'utf8'),
) as readonly Reference[]

/** PyTorch's axes of everything that has some. */
const layouts: Readonly<Record<string, readonly LayoutRule[]>> = {
  sequences: [
    { layout: 'C->1C1', suffix: '.gain' },
    { layout: 'PHMC->PHMC', suffix: '.memory' },
    { layout: 'KIO->OIK' },
    { layout: 'IO->OI', prefix: 'time.' },
    { layout: 'IO->OI', pattern: /\.time\.weight$/ },
    { layout: 'IO->OI1' },
  ],
  frames: [
    { layout: 'C->1C111', suffix: '.gain' },
    { layout: 'PHMC->PHMC', suffix: '.memory' },
    { layout: 'THWIO->OITHW' },
    { layout: 'IO->OI', prefix: 'time.' },
    { layout: 'IO->OI', pattern: /\.time\.weight$/ },
    { layout: 'IO->OI111' },
  ],
}

const options: UnetOptions = { width: 8, multipliers: [1, 2], channels: 2, heads: 2, headWidth: 4, memory: 3 }
const models: Readonly<Record<string, Module<UnetParams, UnetInput>>> = {
  sequences: unet1d(options),
  frames: unet3d(options),
}

/** `make` of axes.py. */
const weightOf = (name: string, shape: readonly number[], seed: number): Float32Array => {
  const of = (scale: number, offset = 0): Float32Array => noise(product(shape), seed).map((x) => x * scale + offset)
  if (name.endsWith('mem_kv')) return of(1)
  if (name.endsWith('.g')) return of(0.25, 1)
  return name.endsWith('bias') ? of(0.1) : of(1 / Math.sqrt(product(shape.slice(1))))
}

/** Channels last, from PyTorch's second axis. */
const channelsLast = (values: ArrayLike<number>, shape: readonly number[]): Tensor => {
  const axes = shape.map((_, i) => i)
  return tensor(Float32Array.from(values), { shape }).transpose([0, ...axes.slice(2), 1])
}

const check = async (device: Device, reference: Reference): Promise<void> => {
  const { name, shape, output, grad_sample: gradient, gradients } = reference
  const model = models[name] ?? unet1d(options)
  const template = model.init(key(0))
  const { rename, layout } = lucidrainsNames(template)
  const own = layout.filter(({ prefix = '' }) => prefix.endsWith('memory'))
  const places = placesOf(template, { rename, layout: [...own, ...(layouts[name] ?? [])] })
  const sorted = places.map((place) => place.name).toSorted()
  expect(sorted).toEqual(Object.keys(gradients).toSorted())
  const byPath = new Map(places.map((place) => [place.path, place]))
  const load = (values: (place: Place, seed: number, shape: readonly number[]) => Float32Array): UnetParams =>
    mapTree(template, (ours, path) => {
      const place = byPath.get(path)
      const summary = place && gradients[place.name]
      if (place === undefined || summary === undefined) throw new Error(`${path} has no golden values`)
      const his = values(place, sorted.indexOf(place.name), summary.shape)
      return tensor(his, { shape: summary.shape }).transpose(place.permutation).reshape(ours.shape)
    })
  const trees = {
    params: load((place, seed, of) => weightOf(place.name, of, seed)),
    noise: load((_, seed, of) => noise(product(of), seed)),
    x: channelsLast(noise(product(shape), 1001), shape),
    cotangent: channelsLast(noise(product(shape), 1002), shape),
    t: tensor([3, 700]),
  }
  const run = device.compile(({ params, noise: z, x, cotangent, t }: typeof trees) => {
    const { value, pullback } = vjp((p: UnetParams, sample: Tensor) => model.apply(p, { x: sample, t }), params, x)
    const [byParams, byX] = pullback(cotangent)
    return {
      value,
      byX,
      norms: mapTree(byParams, (g) => g.square().sum().sqrt()),
      products: mapTree(byParams, (g, path) => g.mul(new Map(leavesWithPaths(z)).get(path) ?? g).sum()),
    }
  })
  const found = await run(await device.realize(trees))
  const read = async (x: Tensor): Promise<ArrayLike<number>> => device.read(x)
  expect(relativeError(await read(found.value), await read(channelsLast(output, shape)))).toBeLessThan(1e-4)
  expect(relativeError(await read(found.byX), await read(channelsLast(gradient, shape)))).toBeLessThan(1e-3)
  const scalars = async (tree: UnetParams): Promise<ReadonlyMap<string, number>> =>
    new Map(
      await Promise.all(
        leavesWithPaths(tree).map(async ([path, x]) => [path, at(Array.from(await read(x)), 0)] as const),
      ),
    )
  const [norms, products] = [await scalars(found.norms), await scalars(found.products)]
  const wrong = places.flatMap(({ name: his, path }) => {
    const { norm = NaN, product: inner = NaN } = gradients[his] ?? {}
    const near = (x: number | undefined, y: number): boolean => Math.abs((x ?? NaN) - y) <= 1e-3 * norm
    return near(norms.get(path), norm) && near(products.get(path), inner) ? [] : [path]
  })
  expect(wrong).toEqual([])
}

describe.each(cpuForms)('U-Nets over other axes, golden, cpu %s', { timeout: 120_000 }, (_, open) => {
  it.each(references.map((reference) => [reference.name, reference] as const))(
    'of %s gives the output and every gradient of PyTorch',
    (__, reference) => check(open(), reference),
  )
})
