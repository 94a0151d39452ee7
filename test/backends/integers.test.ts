/** Whole numbers wrap, on every backend and in every form: each operation against integers of any size, cut to the dtype's bits. */
import { describe, expect, it } from 'vitest'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import type { DType } from '../../src/graph/dtype.ts'
import { makeNode } from '../../src/graph/node.ts'
import { scatterAdd } from '../../src/tensor/combine.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { tensor } from '../../src/tensor/create.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { cumsum } from '../../src/tensor/cumsum.ts'
import { Tensor } from '../../src/tensor/tensor.ts'

const devices = [
  ['cpu, one primitive at a time', deviceOn(cpuBackend(false))],
  ['cpu, fused', deviceOn(cpuBackend(true))],
  ['wasm', deviceOn(wasmBackend())],
] as const

type Whole = 'i32' | 'u32' | 'u8'
const wholes: readonly Whole[] = ['i32', 'u32', 'u8']

/** The integer that the dtype's bits hold, as a number. */
const wrap: { readonly [K in Whole]: (x: bigint) => number } = {
  i32: (x) => Number(BigInt.asIntN(32, x)),
  u32: (x) => Number(BigInt.asUintN(32, x)),
  u8: (x) => Number(BigInt.asUintN(8, x)),
}

/** Ends of all dtypes, what lies beside them, and numbers whose products pass 2⁵³ and 2⁶⁴. */
const ends = [
  0,
  1,
  2,
  3,
  7,
  8,
  31,
  32,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  2 ** 32 - 1,
  2654435761,
]
const valuesOf = (dtype: Whole): readonly number[] => ends.map((x) => wrap[dtype](BigInt(x)))

/** Shifts are by the last five bits, whatever the dtype, as JavaScript's and WebAssembly's are. */
const by = (y: bigint): bigint => BigInt.asUintN(5, y)

const operations: Readonly<
  Record<string, readonly [(x: Tensor, y: Tensor) => Tensor, (x: bigint, y: bigint, dtype: Whole) => bigint]>
> = {
  'x + y': [(x, y) => x.add(y), (x, y) => x + y],
  'x − y': [(x, y) => x.sub(y), (x, y) => x - y],
  'x · y': [(x, y) => x.mul(y), (x, y) => x * y],
  'x / y, rounded to zero, and 0 where y is': [(x, y) => x.div(y), (x, y) => (y === 0n ? 0n : x / y)],
  'x rem y, and 0 where y is': [(x, y) => x.rem(y), (x, y) => (y === 0n ? 0n : x % y)],
  '−x': [(x) => x.neg(), (x) => -x],
  '|x|': [(x) => x.abs(), (x) => (x < 0n ? -x : x)],
  'x³': [(x) => x.pow(3), (x) => x * x * x],
  'x²': [(x) => x.square(), (x) => x * x],
  'not x': [(x) => x.not(), (x) => ~x],
  'x and y': [(x, y) => x.and(y), (x, y) => x & y],
  'x or y': [(x, y) => x.or(y), (x, y) => x | y],
  'x xor y': [(x, y) => x.xor(y), (x, y) => x ^ y],
  'the larger': [(x, y) => x.maximum(y), (x, y) => (x > y ? x : y)],
  'the smaller': [(x, y) => x.minimum(y), (x, y) => (x < y ? x : y)],
  'x << y': [(x, y) => x.shiftLeft(y), (x, y) => x << by(y)],
  'x >> y': [(x, y) => x.shiftRight(y), (x, y) => x >> by(y)],
}

describe.each(devices)('%s', (_, device) => {
  describe.each(wholes)('of %s', (dtype) => {
    const own = valuesOf(dtype)
    const left = own.flatMap((x) => own.map(() => x))
    const right = own.flatMap(() => own)

    it.each(Object.entries(operations))('%s wraps', async (name, [f, exact]) => {
      const y = device.compile(f)
      const got = await device.read(await y(tensor(left, { dtype }), tensor(right, { dtype })))
      const wrong = left.flatMap((x, i) => {
        const expected = wrap[dtype](exact(BigInt(x), BigInt(right[i] ?? 0), dtype))
        return got[i] === expected ? [] : [`${name}: ${x}, ${right[i]} → ${got[i]} instead of ${expected}`]
      })
      expect(wrong).toEqual([])
    })

    const sum = (terms: readonly bigint[]): number => wrap[dtype](terms.reduce((a, b) => a + b, 0n))
    const big = own.map(BigInt)
    const wide = dtype === 'u8' ? 'i32' : dtype
    const total = (terms: readonly bigint[]): number => wrap[wide](terms.reduce((a, b) => a + b, 0n))

    it('sums, of a row and of columns, wrap; those of bytes are i32', async () => {
      const x = tensor([...own, ...own, ...own], { dtype }).reshape([3, own.length])
      expect(x.sum(1).dtype).toBe(wide)
      expect(Array.from(await device.read(x.sum(1)))).toEqual(Array.from({ length: 3 }, () => total(big)))
      expect(Array.from(await device.read(x.sum(0)))).toEqual(big.map((v) => wrap[wide](3n * v)))
      expect(Array.from(await device.read(x.sum()))).toEqual([total([...big, ...big, ...big])])
      const narrow = new Tensor(makeNode('reduceSum', { axes: [1], dtype }, [x.node]))
      expect(Array.from(await device.read(narrow))).toEqual(Array.from({ length: 3 }, () => sum(big)))
    })

    it('running sums wrap; those of bytes are i32', async () => {
      const expected = big.map((_, i) => total(big.slice(0, i + 1)))
      expect(Array.from(await device.read(cumsum(tensor(own, { dtype }))))).toEqual(expected)
    })

    it('matrix products wrap', async () => {
      const [n, x] = [own.length, tensor(own, { dtype })]
      expect(Array.from(await device.read(x.reshape([n, 1]).matmul(x.reshape([1, n]))))).toEqual(
        big.flatMap((a) => big.map((b) => wrap[dtype](a * b))),
      )
      expect(Array.from(await device.read(x.reshape([1, n]).matmul(x.reshape([n, 1]))))).toEqual([
        sum(big.map((v) => v * v)),
      ])
    })

    it('convolutions wrap, padded, in strides, dilated and in groups', async () => {
      const image = tensor(own.slice(0, 18), { dtype }).reshape([1, 3, 3, 2])
      const filter = tensor(own.slice(-8), { dtype }).reshape([2, 2, 1, 2])
      const [oh, ow] = [3, 3]
      const at = (y: number, x: number, c: number): bigint =>
        y < 0 || x < 0 || y > 2 || x > 2 ? 0n : (big[(y * 3 + x) * 2 + c] ?? 0n)
      const weight = (ky: number, kx: number, c: number): bigint => big[own.length - 8 + (ky * 2 + kx) * 2 + c] ?? 0n
      const expected = Array.from({ length: oh * ow * 2 }, (_, i) => {
        const [y, x, c] = [Math.floor(i / (2 * ow)) - 1, (Math.floor(i / 2) % ow) - 1, i % 2]
        const taps = [0, 1].flatMap((ky) => [0, 1].map((kx) => at(y + 2 * ky, x + 2 * kx, c) * weight(ky, kx, c)))
        return sum(taps)
      })
      const y = conv2d(image, filter, { padding: 1, dilation: 2, groups: 2 })
      expect([y.shape, Array.from(await device.read(y))]).toEqual([[1, oh, ow, 2], expected])
    })

    it('what is added where an index says wraps', async () => {
      const index = tensor(
        own.map((_, i) => i % 2),
        { dtype: 'i32' },
      )
      const expected = [0, 1].map((r) => sum(big.filter((_, i) => i % 2 === r)))
      expect(Array.from(await device.read(scatterAdd(index, tensor(own, { dtype }), 2)))).toEqual(expected)
    })

    it.each(wholes)('as %s keep the last bits', async (to) => {
      expect(Array.from(await device.read(tensor(own, { dtype }).cast(to)))).toEqual(big.map((v) => wrap[to](v)))
    })

    it.each(['f64', 'f32', 'f16'] as const)(
      'from %s: the whole part wraps; what is no number, or infinite, is 0',
      async (from) => {
        const given = await device.read(
          tensor(
            [
              NaN,
              Infinity,
              -Infinity,
              -0,
              0.9,
              -0.9,
              255.5,
              256,
              -1,
              -1.5,
              2049,
              65504,
              2 ** 31,
              -(2 ** 31),
              2 ** 32 + 512,
              2 ** 40,
              -(2 ** 35) - 4096,
              2 ** 70,
              3e38,
            ],
            { dtype: 'f64' },
          ).cast(from),
        )
        const got = Array.from(await device.read(tensor(given, { dtype: from }).cast(dtype)))
        expect(got).toEqual(Array.from(given, (v) => (Number.isFinite(v) ? wrap[dtype](BigInt(Math.trunc(v))) : 0)))
      },
    )
  })

  it('a product of u32 whose terms pass 2⁵³ keeps its last bits', async () => {
    const x = tensor([4294967295, 4294967291, 2654435761, 4000000007], { dtype: 'u32' })
    const y = tensor([4294967279, 3999999979, 4294967231, 2654435789], { dtype: 'u32' })
    const exact = [
      4294967295n * 4294967279n,
      4294967291n * 3999999979n,
      2654435761n * 4294967231n,
      4000000007n * 2654435789n,
    ]
    const expected = Number(
      BigInt.asUintN(
        32,
        exact.reduce((a, b) => a + b, 0n),
      ),
    )
    expect(Array.from(await device.read(x.reshape([1, 4]).matmul(y.reshape([4, 1]))))).toEqual([expected])
  })

  it('sums of whole numbers in f64 are those of doubles', async () => {
    const x = tensor([4294967295, 4294967295, 1], { dtype: 'u32' })
    const dtype: DType = 'f64'
    const total = new Tensor(makeNode('reduceSum', { axes: [0], dtype }, [x.node]))
    const attrs = { contract: [[0], [0]], batch: [[], []], dtype } as const
    const squares = new Tensor(makeNode('dotGeneral', attrs, [x.node, x.node]))
    expect(Array.from(await device.read(total))).toEqual([8589934591])
    expect(Array.from(await device.read(squares))).toEqual([2 * 4294967295 ** 2 + 1])
  })
})
