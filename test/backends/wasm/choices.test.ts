/** What the backend says that it chose for each kernel. */
import { describe, expect, it } from 'vitest'
import type { Machine } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { wasmBackend } from '../../../src/backends/wasm/whole.ts'
import { profileRows } from '../../../src/compiler/profile.ts'
import { grad } from '../../../src/autograd/index.ts'
import { conv2d } from '../../../src/tensor/convolution.ts'
import { concatenate } from '../../../src/tensor/combine.ts'
import { zeros } from '../../../src/tensor/create.ts'
import type { Shape } from '../../../src/graph/shape.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import { softmax } from '../../../src/tensor/softmax.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice } from '../../support/device.ts'

const plain: Machine = { fma: false, wide: false }

/** The last column of each kernel's row, for arguments of these shapes. */
const chosen = (
  f: (x: Tensor, y: Tensor) => Tensor,
  x: Shape,
  y: Shape = [1],
  choices: Partial<Machine> = {},
): readonly string[] => {
  const device = deviceOn(wasmBackend({ ...plain, ...choices }))
  const [heads = '', ...rows] = device.compile(f).explain(zeros(x), zeros(y)).split('\n')
  const column = heads.indexOf('computed with')
  expect(column).toBeGreaterThan(0)
  return rows.slice(0, -1).map((row) => row.slice(column))
}

describe('explain on wasm', () => {
  it('names the tile of a product, and the parts of a long one', () => {
    const product = (x: Tensor, y: Tensor): Tensor => x.matmul(y)
    expect(chosen(product, [64, 32], [32, 48])).toEqual(['tile 4×8'])
    expect(chosen(product, [64, 32], [32, 48], { wide: true })).toEqual(['tile 6×16'])
    expect(chosen(product, [8, 8192], [8192, 8])).toEqual(['tile 4×8, parts 8'])
  })

  it('says which convolutions are computed in tiles, in phases, or over a copy with zeros around it', () => {
    const forward = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { padding: 1 })
    const [image, filter] = [
      [4, 16, 16, 32],
      [3, 3, 32, 32],
    ]
    expect(chosen(forward, image, filter)).toEqual(['image a padded copy, tile 4×8'])
    expect(chosen(forward, image, filter, { winograd: 4 })).toEqual(['winograd F(4×4, 3×3), tile 4×8'])
    const strided = (x: Tensor, w: Tensor): Tensor =>
      grad((y: Tensor) => conv2d(y, w, { stride: 2, padding: 1 }).square().sum())(x)
    expect(chosen(strided, [2, 8, 8, 4], [3, 3, 4, 8]).at(-1)).toBe('image a padded copy, phases 4, tile 4×4')
  })

  it('says how sums are formed, and in how many parts', () => {
    expect(chosen((x) => x.sum(1), [64, 100])).toEqual(['form rows'])
    expect(chosen((x) => x.sum(0), [64, 100])).toEqual(['form columns and column'])
    expect(chosen((x) => x.sum(), [400, 400])).toEqual(['form row, parts 16'])
  })

  it('says how many units have rows, or that stages run one after the other', () => {
    expect(chosen((x) => softmax(x), [4, 30])).toEqual(['row units 1'])
    expect(chosen((x) => softmax(x), [256, 512])).toEqual(['row units 16'])
    expect(chosen((x) => softmax(x), [64, 300])).toEqual(['form rows, stages one after the other'])
  })

  it('says of kernels side by side what was chosen for all of them, and the same of each that has the same code', () => {
    const sums = (x: Tensor, y: Tensor): Tensor => concatenate([x.sum(1), y.sum(1)], 0)
    expect(chosen(sums, [300, 300], [300, 300])[0]).toBe('form rows')
    const products = (x: Tensor, y: Tensor): Tensor => x.matmul(x).matmul(y).matmul(y)
    expect(chosen(products, [16, 16], [16, 16])).toEqual(['tile 4×8', 'tile 4×8', 'tile 4×8'])
  })

  it('says what has no vector code, and why', () => {
    expect(chosen((x) => x.cast('f64').exp().cast('f32'), [8])).toEqual([
      'code one element at a time (f64 is no lane of a vector)',
    ])
  })

  it('has nothing to say where nothing was chosen', () => {
    expect(chosen((x) => x.exp(), [8])).toEqual([''])
    const onCpu = cpuDevice().compile((x: Tensor) => x.exp())
    expect(onCpu.explain(zeros([8]))).not.toContain('computed with')
  })

  it('is in a profile too', async () => {
    const f = deviceOn(wasmBackend(plain)).compile((x: Tensor) => x.matmul(x).exp().sum())
    const profile = await f.profile(zeros([16, 16]))
    expect(profile.choices?.map((c) => Object.keys(c))).toEqual([['tile'], ['form']])
    const rows = profileRows(profile, { flopsPerSecond: 1e9, bytesPerSecond: 1e9 })
    expect(rows.find((row) => row.kind === 'gemm')?.choices).toEqual({ tile: '4×8' })
  })
})
