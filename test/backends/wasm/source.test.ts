/** The generated code of a plan as text. */
import { describe, expect, it } from 'vitest'
import { wasmBackend } from '../../../src/backends/wasm/whole.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import { conv2d } from '../../../src/tensor/convolution.ts'
import { ones, tensor } from '../../../src/tensor/create.ts'
import { relu } from '../../../src/tensor/activations.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice } from '../../support/device.ts'

describe('source', () => {
  it('is a function in the text format for each kernel: what it adds is there to be read', () => {
    const f = deviceOn(wasmBackend()).compile((x: Tensor, y: Tensor) => x.mul(2).add(y))
    const [only = '', ...others] = f.source(tensor([1, 2, 3]), tensor([4, 5, 6]))
    expect(others).toEqual([])
    expect(only).toMatch(/^;; elementwise/)
    expect(only).toContain('(func $kernel (param $block i32) (param $first i32) (param $last i32)')
    for (const word of ['v128.load', 'f32x4.mul', 'f32x4.add', 'v128.store', '(loop $', '(br_if $'])
      expect(only).toContain(word)
    let depth = 0
    for (const c of only) depth += c === '(' ? 1 : c === ')' ? -1 : 0
    expect(depth).toBe(0)
  })

  it('is the same text every time, also where the function is compiled again or on another device', () => {
    const f = (x: Tensor, w: Tensor, k: Tensor): readonly Tensor[] => [
      relu(x.matmul(w).add(1)),
      x.sum(),
      conv2d(x.reshape([1, 16, 16, 1]), k, { padding: 1 }),
      x.add(x.transpose()),
      x.cast('f64').exp().sum(0),
    ]
    const given = [
      [16, 16],
      [16, 16],
      [3, 3, 1, 4],
    ].map((shape) => ones(shape)) as [Tensor, Tensor, Tensor]
    const device = deviceOn(wasmBackend())
    const compiled = device.compile(f)
    const first = compiled.source(...given)
    expect(first.length).toBeGreaterThan(4)
    expect(compiled.source(...given)).toEqual(first)
    expect(device.compile(f).source(...given)).toEqual(first)
    expect(
      deviceOn(wasmBackend())
        .compile(f)
        .source(...given),
    ).toEqual(first)
  })

  it('is not there on cpu, which says so', () => {
    const f = cpuDevice().compile((x: Tensor) => x.exp())
    expect(() => f.source(tensor([1]))).toThrow("source: the device 'cpu' generates no code")
  })
})
