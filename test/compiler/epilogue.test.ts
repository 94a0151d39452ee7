/** Epilogues: what a contraction may end with, and that one in place, or apart, has the bits of a kernel of its own. */
import { describe, expect, it } from 'vitest'
import { epilogueKernel, withoutEpilogue } from '../../src/compiler/epilogue.ts'
import type { Kernel } from '../../src/compiler/kernel.ts'
import { usualLimits } from '../../src/compiler/limits.ts'
import { compile } from '../../src/compiler/compile.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, stepByStep } from '../support/device.ts'

const device = cpuDevice({ passes: stepByStep })
const plain = cpuDevice({ fused: false })

const waves = (shape: readonly number[], phase: number, dtype: 'f32' | 'f16' = 'f32'): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i + phase)),
    { shape },
  ).cast(dtype)

const x = waves([3, 40, 30], 0)
const w = waves([30, 50], 1)
const b = waves([50], 2)
const r = waves([3, 40, 50], 3)

type Program = (x: Tensor, w: Tensor, b: Tensor, r: Tensor) => unknown

const kernelsOf = (f: Program): readonly string[] =>
  device
    .compile(f)
    .plan(x, w, b, r)
    .kernels.map((k) => `${k.kind}: ${k.computes}`)

/** What the fused form gives, which is what the specification gives. */
const expectSameBits = async (f: Program, ...inputs: readonly Tensor[]): Promise<void> => {
  const run = async (own: typeof device): Promise<unknown> => {
    const given = (await own.realize(inputs.map((t) => t.mul(1)))) as unknown as [Tensor, Tensor, Tensor, Tensor]
    const results = (await own.compile(f)(...given)) as Tensor | readonly Tensor[]
    return Promise.all([results].flat().map((t) => own.read(t)))
  }
  expect(await run(device)).toEqual(await run(plain))
}

describe('an elementwise kernel that alone reads a contraction', () => {
  const ends: { readonly [name: string]: readonly [Program, string] } = {
    'a bias and an activation': [(x, w, b) => x.matmul(w).add(b).tanh(), 'gemm: dotGeneral add tanh'],
    'a bias and a residual': [(x, w, b, r) => x.matmul(w).add(b).add(r), 'gemm: dotGeneral add add'],
    'the accumulated value twice': [
      (x, w) => {
        const y = x.matmul(w)
        return y.mul(y.sigmoid())
      },
      'gemm: dotGeneral logistic mul',
    ],
    'another shape of the same elements': [(x, w) => x.matmul(w).reshape([120, 50]).mul(2), 'gemm: dotGeneral mul'],
  }

  it.each(Object.keys(ends))('is its epilogue, with the same bits: %s', async (name) => {
    const [f, kernel] = ends[name] ?? [() => x, '']
    expect(kernelsOf(f)).toEqual([kernel])
    await expectSameBits(f, x, w, b, r)
  })

  it('of a convolution with groups, in halves: the sum is rounded before it', async () => {
    const f = (image: Tensor, filter: Tensor, bias: Tensor): Tensor =>
      conv2d(image, filter, { padding: 1, groups: 2 }).add(bias).mul(3)
    const inputs = [waves([2, 6, 5, 8], 0, 'f16'), waves([3, 3, 4, 6], 1, 'f16'), waves([6], 2, 'f16')] as const
    const { kernels } = device.compile(f).plan(...inputs)
    expect(kernels.filter((k) => k.kind === 'conv').map((k) => k.computes)).toEqual(['conv add mul'])
    await expectSameBits(f, ...inputs)
  })

  it('of two contractions ends the later one', async () => {
    const f: Program = (x, w, b, r) => x.matmul(w).add(r.matmul(w.transpose()).matmul(w)).mul(b)
    expect(kernelsOf(f)).toEqual(['gemm: dotGeneral', 'gemm: dotGeneral', 'gemm: dotGeneral add mul'])
    await expectSameBits(f, x, w, b, r)
  })
})

describe('a contraction ends without epilogue', () => {
  it('where only the beginning of its result is read', async () => {
    const f: Program = (x, w) => x.reshape([120, 30]).matmul(w).reshape([-1]).slice([0, 50]).add(1)
    expect(kernelsOf(f)).toEqual(['gemm: dotGeneral', 'elementwise: add'])
    await expectSameBits(f, x, w, b, r)
  })

  const apart: { readonly [name: string]: Program } = {
    'where its result is one of the plan': (x, w) => [x.matmul(w), x.matmul(w).mul(2)],
    'where a transpose of it is used': (x, w) => x.matmul(w).transpose().tanh(),
    'where the result has another dtype': (x, w) => x.matmul(w).less(0),
    'where a reduction reads it': (x, w) => x.matmul(w).sum(1),
    'where a reduction reads it too': (x, w) => [x.matmul(w).exp(), x.matmul(w).sum(1)],
  }

  it.each(Object.keys(apart))('%s', async (name) => {
    const f = apart[name] ?? (() => x)
    expect(kernelsOf(f)[0]).toBe('gemm: dotGeneral')
    await expectSameBits(f, x, w, b, r)
  })

  it('where the kernel would have more buffers than a backend binds', () => {
    const f = (y: Tensor, v: Tensor, c: Tensor, s: Tensor): Tensor => y.matmul(v).add(c).mul(s)
    const { program } = device.compile(f).plan(x, w, b, r)
    const count = (buffers: number): number => compile(program, { limits: { ...usualLimits, buffers } }).kernels.length
    expect([count(4), count(5)]).toEqual([2, 1]) // two operands, two loads, one result
  })
})

describe('an epilogue', () => {
  const kernelOf = (): Extract<Kernel, { kind: 'gemm' }> => {
    const [kernel] = device.compile((y: Tensor, v: Tensor) => y.matmul(v).add(1)).plan(x, w).kernels
    if (kernel?.kind !== 'gemm') throw new Error('the plan has no contraction')
    return kernel
  }

  it('taken off leaves the contraction alone, and is a kernel in place', () => {
    const kernel = kernelOf()
    expect(withoutEpilogue(kernel)).not.toHaveProperty('epilogue')
    const own = epilogueKernel(kernel)
    expect(own?.output).toBe(kernel.output)
    expect(own?.body.instructions.map((i) => (i.kind === 'load' ? i.from.buffer : i.kind))).toEqual([
      kernel.output,
      'literal',
      'apply',
    ])
    expect(epilogueKernel({ ...kernel, epilogue: { size: 0, instructions: [] } })?.body.size).toBe(0)
    const [alone] = device.compile((y: Tensor, v: Tensor) => y.matmul(v)).plan(x, w).kernels
    expect(alone?.kind === 'gemm' && epilogueKernel(alone)).toBeUndefined()
  })
})
