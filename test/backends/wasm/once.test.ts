/** Code of kernels that differ in their buffers alone: made once, and the same as each would have had by itself. */
import { describe, expect, it } from 'vitest'
import { at } from '../../../src/prelude/array.ts'
import { grad } from '../../../src/autograd/grad.ts'
import type { Generated, Machine, Parameter } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { generate } from '../../../src/backends/wasm/generate.ts'
import { textOf } from '../../../src/backends/wasm/emit/structure.ts'
import { generateAll } from '../../../src/backends/wasm/once.ts'
import type { Kernel } from '../../../src/compiler/kernel.ts'
import { relu } from '../../../src/tensor/activations.ts'
import { gather } from '../../../src/tensor/combine.ts'
import { conv2d } from '../../../src/tensor/convolution.ts'
import { ones, zeros } from '../../../src/tensor/create.ts'
import { softmax } from '../../../src/tensor/softmax.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { cpuDevice } from '../../support/device.ts'

const machine: Machine = { fma: false, wide: false, winograd: 4 }
const device = cpuDevice()

/** Gradients of layers in a row: convolutions that pay as tiles, a product, sums, a softmax and a gather, each several times. */
const layers = (x: Tensor, filters: readonly Tensor[], weights: readonly Tensor[], labels: Tensor): Tensor => {
  const convolved = filters.reduce((image, filter) => relu(conv2d(image, filter, { padding: 1 })), x)
  const rows = convolved.reshape([32, 256])
  const mixed = weights.reduce((y, weight) => gather(softmax(y.matmul(weight).add(y)), labels), rows)
  return mixed.sum()
}

const kernels = device
  .compile((x: Tensor, filters: readonly Tensor[], weights: readonly Tensor[], labels: Tensor) =>
    grad((f: readonly Tensor[]) => layers(x, f, weights, labels))(filters),
  )
  .plan(
    ones([2, 16, 16, 16]),
    [0, 1, 2].map(() => ones([3, 3, 16, 16])),
    [0, 1].map(() => ones([256, 256])),
    zeros([32], 'i32'),
  ).kernels

const kernelsOf = (f: (x: Tensor, y: Tensor) => readonly Tensor[]): readonly Kernel[] =>
  device.compile(f).plan(ones([64]), ones([64])).kernels

const tablesIn = (parameters: readonly Parameter[]): readonly object[] =>
  parameters.flatMap((p) => (typeof p === 'object' && p.kind === 'table' ? [p.values] : []))

const plain = ({ phases, scratch }: Generated): unknown => ({
  scratch,
  phases: phases.map(({ key, parameters, units, grain }) => ({ key, parameters, units, grain })),
})

describe('the code of all kernels of a plan', () => {
  it('has the buffers of each kernel, in rows of stages and in groups too', () => {
    const twice = (x: Tensor, w: Tensor): readonly Tensor[] => [softmax(softmax(x).matmul(w)), w.sum(0), x.sum(0)]
    const own = device.compile(twice).plan(ones([64, 32]), ones([32, 32])).kernels
    expect(own.map((k) => k.kind).toSorted()).toEqual(['gemm', 'group', 'rows', 'rows'])
    expect(generateAll(own, machine).map(plain)).toEqual(own.map((k) => plain(generate(k, machine))))
  })

  it('is what each kernel has by itself: functions, words, units and scratch memory', () => {
    expect([...new Set(kernels.map((k) => k.kind))].toSorted()).toEqual([
      'conv',
      'elementwise',
      'gather',
      'gemm',
      'group',
      'rows',
      'scatter',
    ])
    expect(generateAll(kernels, machine).map(plain)).toEqual(kernels.map((k) => plain(generate(k, machine))))
  })

  it('has the buffers of each kernel in the blocks that lie in its block', () => {
    const pair = device
      .compile((x: Tensor, y: Tensor) => [softmax(x), softmax(y)])
      .plan(ones([128, 1024]), ones([128, 1024])).kernels
    expect(pair.flatMap((k) => (k.kind === 'group' ? k.members.map((m) => m.kind) : k.kind))).toEqual(['rows', 'rows'])
    expect(generateAll(pair, machine).map(plain)).toEqual(pair.map((k) => plain(generate(k, machine))))
  })

  it('has one set of tables for all convolutions of one shape', () => {
    const alike = kernels.filter((k) => k.kind === 'conv')
    const tables = generateAll(alike, machine).map(({ phases }) => phases.flatMap((p) => tablesIn(p.parameters)))
    expect(at(tables, 0).length).toBeGreaterThan(4)
    expect(new Set(tables.flat()).size).toBeLessThan(tables.flat().length)
    expect(at(tables, 1).map((table, i) => table === at(tables, 0)[i])).toEqual(at(tables, 1).map(() => true))
  })

  it('tells a kernel that reads one buffer twice from one that reads two', () => {
    const apart = [...kernelsOf((x) => [x.mul(x.reverse(0))]), ...kernelsOf((x, y) => [x.mul(y.reverse(0))])]
    const generated = generateAll(apart, machine)
    const buffers = generated.map(
      ({ phases }) =>
        new Set(
          phases.flatMap((p) =>
            p.parameters.flatMap((w) => (typeof w === 'object' && w.kind === 'buffer' ? [w.buffer] : [])),
          ),
        ).size,
    )
    expect(buffers).toEqual([2, 3])
  })

  it('tells literals apart that JSON does not', () => {
    const literals = [0, -0, NaN, Infinity, -Infinity]
    const apart = literals.flatMap((c) => kernelsOf((x, y) => [x.mul(y).add(c)]))
    expect(generateAll(apart, machine).map(plain)).toEqual(apart.map((k) => plain(generate(k, machine))))
    expect(new Set(generateAll(apart, machine).map(textOf)).size).toBe(literals.length)
  })
})
