/** Contractions of halves that give f32: the bits of those of the same numbers in f32, in vector code. */
import { describe, expect, it } from 'vitest'
import { conv2d, convTranspose2d } from '../../../src/tensor/convolution.ts'
import { dotGeneral } from '../../../src/tensor/contractions.ts'
import { zeros } from '../../../src/tensor/create.ts'
import { openDevice } from '../../../src/tensor/device.ts'
import { key, normal } from '../../../src/tensor/random.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { precisions, withPrecision } from '../../../src/tensor/withPrecision.ts'
import { cpuDevice, values } from '../../support/device.ts'

const random = (shape: readonly number[], seed: number): Tensor => normal(key(seed), shape)

/** What f32 holds after it was a half. */
const rounded = (x: Tensor): Tensor => x.cast('f16').cast('f32')

const contractions: readonly (readonly [string, (x: Tensor, y: Tensor) => Tensor, Tensor, Tensor])[] = [
  ['a product', (x, y) => x.matmul(y), random([33, 17], 1), random([17, 21], 2)],
  [
    'a product of transposed matrices',
    (x, y) => x.transpose().matmul(y.transpose()),
    random([17, 33], 3),
    random([21, 17], 4),
  ],
  ['products side by side', (x, y) => x.matmul(y), random([3, 4, 9, 8], 5), random([3, 4, 8, 5], 6)],
  [
    'a sum over the first axes, with what follows it',
    (x, y) =>
      dotGeneral(x, y, { contract: [[0], [0]], batch: [[], []] })
        .mul(2)
        .add(1),
    random([40, 6], 7),
    random([40, 7], 8),
  ],
  [
    'a convolution of 3×3',
    (x, y) => conv2d(x, y, { padding: 1 }),
    random([2, 12, 12, 16], 9),
    random([3, 3, 16, 16], 10),
  ],
  [
    'a convolution in groups, with a bias',
    (x, y) => conv2d(x, y, { stride: 2, groups: 2 }).add(0.5),
    random([1, 9, 9, 4], 11),
    random([3, 3, 2, 6], 12),
  ],
  [
    'a transposed convolution',
    (x, y) => convTranspose2d(x, y, { stride: 2 }),
    random([1, 4, 4, 3], 13),
    random([2, 2, 3, 5], 14),
  ],
  ['a sum of nothing', (x, y) => x.matmul(y), zeros([3, 0]), zeros([0, 4])],
]

describe.each([false, 2, 4] as const)('contractions of halves, winograd %s', (winograd) => {
  it.each(contractions)('%s', async (_, f, x, y) => {
    const device = await openDevice('wasm', { winograd, threads: 1 })
    const mixed = withPrecision(precisions.mixed, f)
    const own = await values(await device.compile(mixed)(x, y), device)
    const wide = await device.compile((a: Tensor, b: Tensor) => f(rounded(a), rounded(b)))(x, y)
    expect(own).toEqual(await values(wide, device))
    const specified = await values(mixed(x, y), cpuDevice({ fused: false }))
    const largest = specified.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-30)
    own.forEach((value, i) => {
      expect(Math.abs(value - (specified[i] ?? NaN))).toBeLessThan(1e-5 * largest)
    })
    await device.close()
  })
})
