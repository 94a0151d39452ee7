/** What words of images, sums and loops do where a number does not fit its dtype, a letter stands three times, or a setting is none. */
import { describe, expect, it } from 'vitest'
import {
  einsum,
  full,
  gridSample,
  iota,
  ones,
  resizeBilinear,
  scalar,
  scan,
  tensor,
  vmap,
  whileLoop,
} from '../../src/index.ts'
import { gruCell, lstmWithState, multiHeadAttention, sinusoidalTimeEmbedding } from '../../src/nn/index.ts'
import { key } from '../../src/tensor/random.ts'
import { reduceOnPlateau } from '../../src/optim/index.ts'
import { grad } from '../../src/autograd/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

describe('gridSample', () => {
  const image = iota([1, 100, 100, 1], 2)
  const grid = tensor([-0.33, 0.55]).reshape([1, 1, 1, 2])

  it('counts pixels in whole numbers, also of halves', async () => {
    const [found = NaN] = await values(gridSample(image.cast('f16'), grid.cast('f16')))
    expect(Math.abs(found - 33)).toBeLessThan(0.05)
    expect(await values(gridSample(image.cast('f16'), grid.cast('f16'), { mode: 'nearest' }))).toEqual([33])
  })

  it('is NaN at no place, in both modes', async () => {
    const none = full([1, 1, 1, 2], NaN)
    for (const mode of ['nearest', 'bilinear'] as const)
      expect(await values(gridSample(image.cast('f32'), none, { mode }))).toEqual([NaN])
  })
})

it('resizing by weights refuses whole numbers', () => {
  expect(() => resizeBilinear(full([1, 1, 2, 1], 100, 'u8'), [1, 4])).toThrow(
    'resizeBilinear: weighs neighbours, and u8',
  )
})

it('einsum takes the diagonal of a letter that stands three times', async () => {
  const x = iota([2, 2, 2], 0)
    .add(iota([2, 2, 2], 2).mul(10))
    .cast('f32')
  expect(await values(einsum('iii->i', x))).toEqual([0, 11])
  expect(await values(einsum('iii', x))).toEqual([11])
})

it('whileLoop keeps its limit, whatever number of turns runs at once', async () => {
  const device = cpuDevice()
  const counting = (limit: number) =>
    whileLoop(device, { while: (s: Tensor) => s.less(7), do: (s: Tensor) => s.add(1), every: 5, limit })(scalar(0))
  await expect(counting(6)).rejects.toThrow('has not ended after 6 turns')
  expect(await device.item(await counting(7))).toBe(7)
})

describe('a setting that there is not', () => {
  it('is refused by the transforms, loops and layers', () => {
    const x = ones([2, 3])
    const unknown = (name: string): { readonly [name: string]: unknown } => ({ [name]: true })
    expect(() => vmap((y: Tensor) => y, unknown('axis'))(x)).toThrow("vmap: there is no option 'axis'")
    expect(() => grad((y: Tensor) => y.sum(), unknown('argnums'))(x)).toThrow("grad: there is no option 'argnums'")
    expect(() => scan((c: Tensor, y: Tensor) => [c, y] as const, scalar(0), x, unknown('reversed'))).toThrow(
      "scan: there is no option 'reversed'",
    )
    expect(() => multiHeadAttention(8, unknown('isCausal') as object)).toThrow("there is no option 'isCausal'")
    expect(() => lstmWithState(2, 3, unknown('bidirectional')).init(key(0))).toThrow("no option 'bidirectional'")
    const wrong: unknown = 'rotry'
    expect(() => multiHeadAttention(8, { positions: wrong as 'rotary' })).toThrow("positions must be 'rotary'")
    const mode: unknown = 'MIN'
    expect(() => reduceOnPlateau({ learningRate: 1, mode: mode as 'min' })).toThrow(
      "mode must be min or max, got 'MIN'",
    )
  })

  it('a cell says what it takes', () => {
    const cell = gruCell(2, 3)
    const bare: unknown = ones([2, 2])
    expect(() => cell.apply(cell.init(key(0)), bare as Parameters<typeof cell.apply>[1])).toThrow('takes { x, state }')
  })
})

it('angles of times that are halves are taken in f32', async () => {
  const embed = sinusoidalTimeEmbedding(16)
  const [half, single] = [
    await values(embed.apply({}, tensor([999], { dtype: 'f16' }))),
    await values(embed.apply({}, tensor([999]))),
  ]
  half.forEach((v, i) => expect(Math.abs(v - (single[i] ?? NaN))).toBeLessThan(1e-3))
})
