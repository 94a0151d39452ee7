/** Contractions in every form that a GPU may be given, at sizes that are multiples of no tile: barriers and all, on SwiftShader. */
import { expect, it } from 'vitest'
import { range } from '../../../src/prelude/array.ts'
import type { Backend } from '../../../src/backends/backend.ts'
import { useSwiftShader } from '../../../proof/webgpu.ts'
import { openAdapter } from '../../../src/backends/webgpu/adapter.ts'
import { backendOver } from '../../../src/backends/webgpu/backend.ts'
import type { Target } from '../../../src/backends/webgpu/target.ts'
import { openTuner } from '../../../src/backends/webgpu/tuner.ts'
import { grad } from '../../../src/autograd/grad.ts'
import { deviceOn, type Device } from '../../../src/tensor/device.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { leaves } from '../../../src/tensor/tree.ts'
import { conv2d } from '../../../src/tensor/convolution.ts'
import { cpuDevice } from '../../support/device.ts'

useSwiftShader()
const opened = await openAdapter({ software: true })

/** A GPU whose contractions have forms to choose from. */
const targetWith = (choose: NonNullable<Target['choose']>): Target => ({
  software: false,
  subgroups: false,
  invocations: 256,
  workgroupBytes: 16384,
  choose,
})

const backendWith = (choose: NonNullable<Target['choose']>): Backend =>
  backendOver(opened, {}, openTuner(targetWith(choose), { tune: false }))

/** A device whose contractions take the n-th form that is possible; which they took. */
const inForm = (n: number): { readonly device: Device; readonly took: Set<string> } => {
  const took = new Set<string>()
  const backend = backendWith((_, forms) => {
    const form = forms[n % forms.length]
    if (form !== undefined) took.add(form)
    return form
  })
  return { device: deviceOn(backend), took }
}

type Pair = readonly [x: Tensor, y: Tensor]
type Case = readonly [name: string, args: Pair, f: (x: Tensor, y: Tensor) => unknown]

const of = (seed: number, shape: readonly number[], dtype: 'f32' | 'f16' = 'f32'): Tensor =>
  normal(key(seed), shape).cast(dtype)

/** A contraction with both of its gradients. */
const withGradients =
  (f: (x: Tensor, y: Tensor) => Tensor) =>
  (x: Tensor, y: Tensor): unknown => [
    f(x, y),
    grad(([a, b]: Pair) => f(a, b).cast('f32').square().sum())([x, y] as Pair),
  ]

const cases: readonly Case[] = [
  ['a product', [of(1, [70, 37]), of(2, [37, 66])], withGradients((x, y) => x.matmul(y))],
  [
    'a product that is ended',
    [of(1, [33, 1030]), of(2, [1030, 40])], // sums of two parts,
    (x, y) => x.matmul(y).mul(0.02).add(y.mean(0)).tanh(),
  ],
  ['products of halves', [of(1, [3, 34, 40], 'f16'), of(2, [3, 40, 34], 'f16')], withGradients((x, y) => x.matmul(y))],
  [
    'a product of transposed matrices',
    [of(1, [40, 70]), of(2, [36, 40])],
    (x, y) => x.transpose().matmul(y.transpose()),
  ],
  [
    'a convolution',
    [of(1, [2, 9, 10, 8]), of(2, [3, 3, 8, 12])],
    withGradients((x, y) => conv2d(x, y, { padding: 1 })),
  ],
  [
    'a convolution with steps',
    [of(1, [2, 11, 10, 8]), of(2, [3, 3, 8, 9])],
    withGradients((x, y) => conv2d(x, y, { padding: 1, stride: 2 })),
  ],
  [
    'a convolution in groups',
    [of(1, [1, 8, 8, 16]), of(2, [3, 3, 8, 24])],
    withGradients((x, y) => conv2d(x, y, { padding: 1, groups: 2 })),
  ],
  [
    'a convolution of halves',
    [of(1, [1, 8, 9, 8], 'f16'), of(2, [3, 3, 8, 10], 'f16')],
    withGradients((x, y) => conv2d(x, y, { padding: 1 })),
  ],
]

const trusted = cpuDevice()

/** How many forms the contraction of a case has that has most. */
const formsOf = ([, args, f]: Case): number => {
  let most = 0
  const backend = backendWith((_, forms) => {
    most = Math.max(most, forms.length)
    return forms[0]
  })
  backend.bytesNeeded(
    deviceOn(backend)
      .compile(f)
      .plan(...args),
  )
  return most
}

it.each(cases.flatMap((c) => range(formsOf(c)).map((n) => [n, ...c] as const)))(
  'the form %i of those that are possible of %s gives the sums of cpu',
  async (n, _name, args, f) => {
    const { device, took } = inForm(n)
    const [got, expected] = [leaves(await device.compile(f)(...args)), leaves(await trusted.compile(f)(...args))]
    expect(took.size).toBeGreaterThan(0)
    for (const [i, y] of expected.entries()) {
      const [a, b] = [await device.read(got[i] as Tensor), await trusted.read(y)]
      const scale = Math.max(...Array.from(b, Math.abs))
      const tolerance = scale * (y.dtype === 'f16' ? 2 ** -9 : 2 ** -19)
      expect(Math.max(...Array.from(b, (v, k) => Math.abs(v - (a[k] ?? NaN))))).toBeLessThanOrEqual(tolerance)
    }
  },
)

it('all of these have several forms, but a convolution of halves', () => {
  expect(cases.flatMap((c) => (formsOf(c) > 1 ? [] : [c[0]]))).toEqual(['a convolution of halves'])
})
