/** One element at a time on wasm: the bits of cpu for every primitive and every dtype that has no vector code. */
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { specification, wasm } from '../../../proof/devices.ts'
import type { DType } from '../../../src/graph/dtype.ts'
import { tensor } from '../../../src/tensor/create.ts'
import { makeNode } from '../../../src/graph/node.ts'
import { Tensor } from '../../../src/tensor/tensor.ts'

const [plain, device] = [specification.open(), wasm.open()]

/** The first element that differs, in words. */
const differing = async (got: readonly Tensor[], expected: readonly Tensor[]): Promise<string | undefined> => {
  for (const [k, x] of got.entries()) {
    const y = expected[k] as Tensor
    const [a, b] = [await device.read(x), await plain.read(y)]
    const i = a.findIndex((v, i) => !Object.is(v, b[i]))
    if (i >= 0 || a.length !== b.length || x.dtype !== y.dtype || x.shape.join() !== y.shape.join())
      return `element ${i} of result ${k}, ${x.dtype}[${x.shape.join()}], is ${a[i]} instead of ${b[i]}`
  }
  return undefined
}

/** Compiled on wasm, the function gives what one primitive at a time gives. */
const agree = async (f: (...xs: readonly Tensor[]) => readonly Tensor[], ...xs: readonly Tensor[]): Promise<void> => {
  expect(await differing(await device.compile(f)(...xs), await plain.compile(f)(...xs))).toBeUndefined()
}

const unary = (x: Tensor): readonly Tensor[] => [
  x.neg(),
  x.exp(),
  x.log(),
  x.sqrt(),
  x.sin(),
  x.cos(),
  x.tanh(),
  x.sigmoid(),
  x.erf(),
  x.floor(),
  x.abs(),
]

const binary = (x: Tensor, y: Tensor): readonly Tensor[] => [
  x.add(y),
  x.sub(y),
  x.mul(y),
  x.div(y),
  x.rem(y),
  x.maximum(y),
  x.less(y),
  x.equal(y),
  x.less(y).select(x, y),
]

const dtypes: readonly DType[] = ['f16', 'f32', 'f64', 'i32', 'u32', 'u8', 'bool']
const wholes: readonly DType[] = ['i32', 'u32', 'u8']

/** Ends and middles of what halves, floats and integers hold, and what lies just beside them. */
const doubles = [
  [0, -0, 1, -1, 0.5, -0.5, 2.5, -2.5, 255.9, 256, -1.5, 65504, 65519, 65520, 65536, 1e5, NaN, Infinity, -Infinity],
  [
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 32,
    2 ** 32 + 5.5,
    2 ** 53,
    2 ** 70 + 2 ** 20,
    -(2 ** 40) - 3,
  ],
  [
    2 ** -24,
    2 ** -25,
    1.5 * 2 ** -25,
    2 ** -14,
    2 ** -14 - 2 ** -25,
    1e-300,
    1e300,
    2 ** -126,
    2 ** -149,
    1 + 2 ** -11,
  ],
  [1 + 2 ** -24, 1 + 3 * 2 ** -12, 1 / 3, -1 / 3, Math.PI, 1 + 2 ** -11 + 2 ** -40, 1 + 2 ** -11 - 2 ** -40],
].flat()

describe('halves', { timeout: 60_000 }, () => {
  const every = tensor(
    Uint16Array.from({ length: 65536 }, (_, i) => i),
    { dtype: 'f16' },
  )

  it('have cpu’s bits in every function of one number', async () => {
    await agree(unary, every)
  })

  it('have cpu’s bits in every function of two', async () => {
    await agree((x) => [...binary(x, x.reverse(0)), ...binary(x, x.mul(0.37))], every)
  })

  it('become every dtype, and come back', async () => {
    await agree((x) => dtypes.flatMap((to) => [x.cast(to), x.cast(to).cast('f16')]), every)
  })
})

describe('doubles', () => {
  it('have cpu’s bits in every function', async () => {
    const x = tensor(doubles, { dtype: 'f64' })
    await agree((x) => [...unary(x), ...doubles.slice(0, 30).flatMap((_, k) => binary(x, x.reverse(0).mul(k)))], x)
  })
})

describe('casts', { timeout: 60_000 }, () => {
  it.each(dtypes)('from %s round, wrap and saturate as JavaScript does', async (from) => {
    const x = tensor(doubles, { dtype: 'f64' })
    await agree((x) => dtypes.map((to) => x.cast(from).cast(to)), x)
  })

  it('of any double have cpu’s bits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double(), { minLength: 1, maxLength: 50 }), async (values) => {
        await agree((x) => dtypes.map((to) => x.cast(to)), tensor(values, { dtype: 'f64' }))
      }),
      { numRuns: 50 },
    )
  })
})

describe('whole numbers', { timeout: 60_000 }, () => {
  const corners = [0, 1, 2, 3, 7, 31, 32, 33, 127, 128, 255, 256, 65535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]

  it.each(wholes)('of %s wrap, divide by 0 to 0, and shift modulo 32', async (dtype) => {
    const [x, y] = [corners.flatMap((c) => corners.map(() => c)), corners.flatMap(() => corners)]
    const f = (a: Tensor, b: Tensor): readonly Tensor[] => [
      ...binary(a, b),
      a.and(b),
      a.or(b),
      a.xor(b),
      a.not(),
      a.shiftLeft(b),
      a.shiftRight(b),
      a.neg(),
      // with a half in the kernel no vector code takes it
      ...binary(a, b).map((z) => z.cast('f16').add(z.cast('f16'))),
      a.shiftLeft(b).cast('f64').mul(0.5),
      a.shiftRight(b).cast('f64').mul(0.5),
      a.not().cast('f64').mul(0.5),
    ]
    const wide = { dtype: 'f64' } as const
    const cast = (z: Tensor): Tensor => z.cast(dtype)
    await agree((a, b) => f(cast(a), cast(b)), tensor(x, wide), tensor(y, wide))
    await agree((a, b) => f(cast(a.neg()), cast(b)), tensor(x, wide), tensor(y, wide))
    await agree((a, b) => f(cast(a), cast(b.neg())), tensor(x, wide), tensor(y, wide))
  })
})

describe('shapes', () => {
  const grid = (dtype: DType, shape: readonly number[]): Tensor =>
    tensor(
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 29) % 83) / 4 - 7),
      { shape },
    ).cast(dtype)

  it.each(['f16', 'f64', 'u8', 'f32', 'i32'] as const)('of %s walk views whose axes cross', async (dtype) => {
    await agree(
      (x) => [
        x
          .transpose()
          .reshape([3, 8])
          .add(x.reshape([3, 8])),
        x
          .transpose()
          .reshape([24])
          .mul(x.reshape([24]))
          .sum(),
        x
          .transpose()
          .reshape([8, 3])
          .add(x.reshape([8, 3]))
          .sum(0),
        x
          .transpose()
          .reshape([2, 12])
          .add(x.reshape([2, 12]))
          .max(1),
        x.transpose().reshape([3, 8]).pad([1, 0], [0, 2]),
      ],
      await device
        .realize(grid(dtype, [4, 6]))
        .then(async (x) => tensor(await device.read(x), { dtype }).reshape([4, 6])),
    )
  })

  it.each(['f16', 'f64', 'u8', 'i32', 'f32'] as const)('of %s reduce along any axes, also long ones', async (dtype) => {
    const values = Float64Array.from({ length: 7 * 3 * 500 }, (_, i) => ((i * 29) % 83) / 4 - 7)
    await agree(
      (x) => {
        const y = x.cast(dtype)
        const sums = [y.sum([0, 2]), y.sum(1), y.sum(), y.sum([0, 1]), y.transpose().sum([0, 1])]
        // f32 is summed in another order
        return [y.max([0, 2]), y.max(1), y.max(), y.reverse(2).max(0), ...(dtype === 'f32' ? [] : sums)]
      },
      tensor(values, { shape: [7, 3, 500] }),
    )
  })

  it('without elements give sums of 0 and maxima of −∞', async () => {
    const x = tensor([], { dtype: 'f64' }).reshape([3, 0])
    const maxima = (y: Tensor): Tensor => new Tensor(makeNode('reduceMax', { axes: [1] }, [y.node])) // the method refuses it
    await agree((x) => [x.sum(1), x.sum(0), maxima(x), x.mul(2), x.matmul(x.transpose())], x)
  })
})

describe('contractions without vector code', () => {
  it.each(['f16', 'f64', 'i32', 'u8'] as const)('of %s are sums rounded once', async (dtype) => {
    const [x, y] = [
      [2, 5, 4],
      [2, 4, 3],
    ].map((shape) =>
      tensor(
        Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 31) % 47) / 8),
        { shape },
      ),
    ) as [Tensor, Tensor]
    await agree(
      (a, b) => {
        const [u, v] = [a.cast(dtype), b.cast(dtype)]
        return [
          u.matmul(v),
          v.transpose([0, 2, 1]).matmul(u.transpose([0, 2, 1])),
          u
            .reshape([10, 4])
            .transpose()
            .matmul(u.reshape([10, 4])),
        ]
      },
      x,
      y,
    )
  })
})

describe('functions of f32', () => {
  it('have the same bits alone as beside halves, which have no vector code', async () => {
    const x = tensor(Float32Array.from({ length: 4096 }, (_, i) => 8 * Math.sin(i)))
    const half = tensor(new Float32Array(4096).fill(1)).cast('f16')
    const functions: readonly ((y: Tensor) => Tensor)[] = [
      (y) => y.exp(),
      (y) => y.square().add(0.1).log(),
      (y) => y.sin(),
      (y) => y.cos(),
      (y) => y.tanh(),
      (y) => y.sigmoid(),
      (y) => y.erf(),
    ]
    for (const f of functions) {
      const alone = await device.compile((y: Tensor) => f(y))(x)
      const beside = await device.compile((y: Tensor, h: Tensor) => f(y).mul(h.cast('f32')))(x, half)
      expect(await device.read(beside)).toEqual(await device.read(alone))
    }
  })
})
