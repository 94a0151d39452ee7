/** The generated code of a plan as text. */
import { describe, expect, it } from 'vitest'
import { wasmBackend } from '../../../src/backends/wasm/backend.ts'
import { deviceOn } from '../../../src/tensor/device.ts'
import { tensor } from '../../../src/tensor/create.ts'
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

  it('is not there on cpu, which says so', () => {
    const f = cpuDevice().compile((x: Tensor) => x.exp())
    expect(() => f.source(tensor([1]))).toThrow("source: the device 'cpu' generates no code")
  })
})
