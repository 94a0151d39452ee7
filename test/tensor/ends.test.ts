/** What the table against PyTorch does not hold: halves, numbers that a dtype does not hold, memory of running sums, choices without a distribution. */
import { describe, expect, it } from 'vitest'
import { memoryOf } from '../../src/compiler/cost.ts'
import { argmax } from '../../src/tensor/combine.ts'
import { full, tensor } from '../../src/tensor/create.ts'
import { cumsum } from '../../src/tensor/cumsum.ts'
import { logSumExp, softmax } from '../../src/tensor/softmax.ts'
import { variance } from '../../src/tensor/variance.ts'
import { categorical, key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { wasm } from '../../proof/devices.ts'
import { cpuForms } from '../support/device.ts'

const forms = [...cpuForms.map(([name, open]) => [`cpu, ${name}`, open] as const), [wasm.name, wasm.open] as const]

describe.each(forms)('on %s', (_, open) => {
  const read = async (x: Tensor): Promise<readonly number[]> => [...(await open().read(x))]
  const half = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'f16' })

  it('sums of halves that are no halves do not spoil what is made of them', async () => {
    const many = full([70_000], 1, 'f16')
    expect(await read(many.mean())).toEqual([1])
    expect((await read(softmax(many)))[0]).toBeCloseTo(1 / 70_000, 6)
    expect((await read(logSumExp(many)))[0]).toBeCloseTo(1 + Math.log(70_000), 2)
    expect(await read(variance(half([200, 201])))).toEqual([0.25])
    expect(await read(variance(half([300, 0, 0, 0, 0, 0, 0, 0, 0, 0])))).toEqual([8100]) // 270² is no half, a tenth of it is
    expect((await read(cumsum(full([3000], 1, 'f16')))).at(-1)).toBe(3000)
  })

  it('the variance of halves is ∞ where it is no half, and only there', async () => {
    expect(await read(variance(half([300, -300])))).toEqual([Infinity])
    expect(await read(variance(half([250, -250])))).toEqual([62_496])
  })

  it('running sums are exact for integers and take as many numbers as there are', async () => {
    const x = tensor(
      Int32Array.from({ length: 100_000 }, (__, i) => i % 11),
      { shape: [1, 100_000] },
    )
    const sums = await read(cumsum(x))
    let sum = 0
    expect(sums.findIndex((s, i) => s !== (sum += i % 11))).toBe(-1)
    const plan = open()
      .compile((y: Tensor) => cumsum(y))
      .plan(x)
    expect(memoryOf(plan) / 100_000).toBeLessThan(24)
  })

  it('an infinity reaches the running sums behind it and none before', async () => {
    expect(await read(cumsum(tensor([1, 2, Infinity, 3, -Infinity, 4])))).toEqual([1, 3, Infinity, Infinity, NaN, NaN])
  })

  it('a class without probability is not chosen next to NaN: the first NaN is', async () => {
    for (const seed of [0, 1, 2, 3])
      expect(await read(categorical(key(seed), tensor([0, NaN, -Infinity, NaN])))).toEqual([1])
    expect(await read(categorical(key(0), tensor([0, Infinity, NaN])))).toEqual([2])
    expect(await read(categorical(key(0), tensor([0, Infinity, -Infinity])))).toEqual([1])
    expect(await read(categorical(key(0), tensor([-Infinity, -Infinity])))).toEqual([0])
  })

  it('the index of the largest in bytes and in unsigned words is that of the number', async () => {
    expect(await read(argmax(tensor(Uint8Array.of(3, 200, 100))))).toEqual([1])
    expect(await read(argmax(tensor(Uint32Array.of(0, 2 ** 31, 2 ** 32 - 1))))).toEqual([2])
  })
})

describe('numbers that a dtype does not hold', () => {
  const bytes = tensor(Uint8Array.of(0, 255))
  const signed = tensor(Int32Array.of(-1, 1))
  const unsigned = tensor(Uint32Array.of(0, 1))
  const wrong: readonly (readonly [string, () => unknown])[] = [
    ['300 is not a number of dtype u8, which holds 0 … 255', () => bytes.add(300)],
    ['300 is not a number of dtype u8, which holds 0 … 255', () => bytes.greater(300)],
    ['-1 is not a number of dtype u32, which holds 0 … 4294967295', () => unsigned.greater(-1)],
    ['2147483648 is not a number of dtype i32, which holds -2147483648 … 2147483647', () => signed.maximum(2 ** 31)],
    ['0.5 is not a number of dtype i32', () => signed.less(0.5)],
    ['NaN is not a number of dtype i32', () => signed.equal(NaN)],
  ]
  it.each(wrong)('are refused: %s', (message, build) => {
    expect(build).toThrow(message)
  })

  it('are rounded in floats, to 0 and ∞ too', async () => {
    const device = wasm.open()
    expect([...(await device.read(full([1], 1e-8, 'f16')))]).toEqual([0])
    expect([...(await device.read(full([1], 1e6, 'f16')))]).toEqual([Infinity])
  })
})
