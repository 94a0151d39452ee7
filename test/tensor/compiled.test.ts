/** Compiled functions: numbers as values, literals that are frozen, plans that are counted, and mistakes that are named. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { foldIn, key, normal, type Key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

const backends = [
  ['cpu', () => cpuBackend(true)],
  ['cpu, primitive by primitive', () => cpuBackend(false)],
  ['wasm', () => wasmBackend()],
] as const

describe.each(backends)('a compiled function on %s', (_, backend) => {
  const warnings: string[] = []
  const device: Device = deviceOn(backend(), { onWarning: (message) => warnings.push(message) })
  const read = async (x: Tensor): Promise<readonly number[]> => [...(await device.read(x))]

  it('is traced once for all numbers that it is given, wherever they stand', async () => {
    let traces = 0
    const step = device.compile((w: Tensor, { rate, offsets }: { rate: number; offsets: readonly number[] }) => {
      traces++
      return w
        .sub(w.mul(rate))
        .add(offsets[0] ?? 0)
        .sub(offsets[1] ?? 0)
    })
    for (let i = 0; i < 100; i++) {
      const expected = Math.fround(8 - Math.fround(8 * (i / 128))) + i - 2
      expect(await read(await step(tensor([8]), { rate: i / 128, offsets: [i, 2] }))).toEqual([expected])
      expect(await read(await step(tensor([8, 8]), { rate: 0, offsets: [i, i] }))).toEqual([8, 8])
    }
    expect(traces).toBe(2) // one for each shape
  })

  it('gives a number the dtype of the tensor that it meets, rounded once', async () => {
    const f = device.compile((x: Tensor, y: Tensor, n: Tensor, lr: number) => ({
      double: x.mul(lr),
      single: y.mul(lr),
      half: y.cast('f16').mul(lr).cast('f32'),
      kept: n.equal(0).select(y, lr),
      least: y.minimum(lr),
    }))
    const one = { x: tensor([1], { dtype: 'f64' }), y: tensor([1]), n: tensor([1]) }
    const r = await f(one.x, one.y, one.n, 0.1)
    expect(await read(r.double)).toEqual([0.1])
    expect(await read(r.single)).toEqual([Math.fround(0.1)])
    expect(await read(r.half)).toEqual([0.0999755859375])
    expect(await read(r.kept)).toEqual([Math.fround(0.1)])
    expect(await read(r.least)).toEqual([Math.fround(0.1)])
  })

  it('takes the number on either side of an operation, in f64 too', async () => {
    const f = device.compile((lr: Tensor | number, x: Tensor) => [(lr as Tensor).mul(x), (lr as Tensor).less(x)])
    const [product, less] = await f(0.1, tensor([1], { dtype: 'f64' }))
    expect(await read(product as Tensor)).toEqual([0.1])
    expect(await read(less as Tensor)).toEqual([1])
  })

  it('computes with numbers what it computes with scalars', async () => {
    const f = device.compile((x: Tensor, a: Tensor | number) => x.mul(a).add(a).exp())
    await fc.assert(
      fc.asyncProperty(fc.float({ noDefaultInfinity: true }), async (a) => {
        const x = tensor([0.5, -2, 0])
        expect(await read(await f(x, a))).toEqual(await read(await f(x, scalar(a))))
      }),
      { numRuns: 50 },
    )
  })

  it('refuses a fraction where the plan takes a whole number, and names the argument', async () => {
    const f = device.compile((x: Tensor, options: { n: number }) => x.mul(options.n))
    expect(await read(await f(tensor([3], { dtype: 'i32' }), { n: 2 }))).toEqual([6])
    await expect(f(tensor([3], { dtype: 'i32' }), { n: 0.5 })).rejects.toThrow(
      'argument 1, n: 0.5 is not a number of dtype i32',
    )
  })

  it('differentiates with respect to tensors only, through numbers', async () => {
    const f = device.compile((x: Tensor, power: number) => grad((y: Tensor) => y.mul(power).square().sum())(x))
    expect(await read(await f(tensor([1, 2]), 3))).toEqual([18, 36])
  })

  it('keeps numbers as numbers at positions that are static', async () => {
    const f = device.compile((x: Tensor, n: number) => zeros([n]).add(x), { static: [1] })
    expect((await f(scalar(1), 2)).shape).toEqual([2])
    expect((await f(scalar(1), 3)).shape).toEqual([3])
  })

  it('freezes what is made while it is traced', async () => {
    const f = device.compile((x: Tensor, k: Key) => ({
      half: x.mul(scalar(0.5)),
      table: x.add(tensor([10, 20])),
      seeded: normal(key(7), [2]),
      folded: normal(foldIn(k, 3), [2]),
    }))
    const r = await f(tensor([1, 2]), key(1))
    expect(await read(r.half)).toEqual([0.5, 1])
    expect(await read(r.table)).toEqual([11, 22])
    expect(await read(r.seeded)).toEqual(await read(normal(key(7), [2])))
    expect(await read(r.folded)).toEqual(await read(normal(foldIn(key(1), 3), [2])))
  })

  it('refuses data that was made before, at whatever depth', async () => {
    const outside = tensor([1, 2])
    const values = await device.realize(outside.mul(2))
    for (const captured of [outside, values, outside.sum(), foldIn(key(0), 3)])
      await expect(device.compile((x: Tensor) => x.add(captured.cast('f32')))(scalar(1))).rejects.toThrow(
        /compile: the function uses a tensor of data, [fu]32\[2\].*, that is not one of its arguments/u,
      )
    const k = key(0)
    await expect(
      device.compile((x: Tensor) => x.add(normal(foldIn(foldIn(k, 'a'), 3), [2])))(scalar(1)),
    ).rejects.toThrow('uses a tensor of data, u32[2]')
  })

  it('refuses a tensor that has escaped from the function in which it was traced', async () => {
    let escaped: Tensor | undefined
    const leak = device.compile((x: Tensor, n: Tensor) => {
      escaped = x.mul(3).add(n)
      return x.add(1)
    })
    await leak(tensor([1, 2]), 5)
    const x = escaped ?? scalar(0)
    const message = 'a tensor is used that was made from an argument, f32[2], while another function was traced'
    await expect(device.read(x)).rejects.toThrow(message)
    await expect(device.realize({ x })).rejects.toThrow(message)
    await expect(leak(x, 1)).rejects.toThrow(message)
    await expect(device.compile((y: Tensor) => y.add(x))(tensor([5, 5]))).rejects.toThrow(message)
    await expect(device.compile((y: Tensor) => y.add(x.sum()))(scalar(5))).rejects.toThrow(message)
    let inside: Promise<unknown> = Promise.resolve()
    await device.compile((y: Tensor) => {
      inside = device.read(y).catch((e: unknown) => e)
      return y
    })(tensor([1, 2]))
    expect(String(await inside)).toContain(message)
  })

  it('tells symbols, holes and objects apart by what they are, and refuses what would lose its tensors', async () => {
    const [one, two] = [Symbol('mode'), Symbol('mode')]
    const f = device.compile((mode: symbol, x: Tensor) => x.add(mode === one ? 1 : 2))
    expect([await read(await f(one, scalar(0))), await read(await f(two, scalar(0)))]).toEqual([[1], [2]])
    const holes: string[] = []
    holes[1] = 'a'
    const g = device.compile((list: readonly string[], x: Tensor) => x.add(list[0] === undefined ? 1 : 100))
    expect(await read(await g(holes, scalar(0)))).toEqual([1])
    expect(await read(await g(['q', 'a'], scalar(0)))).toEqual([100])
    const h = device.compile((when: Date, x: Tensor) => x.add(when.getTime()))
    expect(await read(await h(new Date(5), scalar(0)))).toEqual([5])
    expect(await read(await h(new Date(7), scalar(0)))).toEqual([7])
    const lost = device.compile((x: Tensor) => new Map([['y', x.add(1)]]))
    await expect(lost(scalar(0))).rejects.toThrow('is a Map, in which no tensors are found: use a record or an array')
    await expect(device.realize({ x: [Promise.resolve(1)] })).rejects.toThrow('is a Promise: await it')
    expect((await device.realize({ x: scalar(1), at: new Date(3), bytes: Uint8Array.of(7) })).at.getTime()).toBe(3)
  })

  it('folds a number that it is given into a key, exactly', async () => {
    const f = device.compile((k: Key, i: Tensor) => [foldIn(k, i), foldIn(k, i.cast('u32'))])
    for (const i of [0, 7, 16777217, 2 ** 31 + 5]) {
      const [a, b] = await f(key(1), i)
      const expected = await read(foldIn(key(1), i))
      expect([await read(a ?? scalar(0)), await read(b ?? scalar(0))]).toEqual([expected, expected])
    }
  })

  it('says from the eighth plan on which argument differs', async () => {
    warnings.length = 0
    const grow = device.compile(function grow(x: Tensor, options: { readonly flag: boolean }) {
      return options.flag ? x.add(1) : x
    })
    for (let n = 1; n <= 20; n++) await grow(zeros([n]), { flag: true })
    expect(warnings).toEqual([
      "the compiled function 'grow' has 8 plans, each compiled anew and kept: argument 0 was f32[7] and is f32[8]. Give batches one shape, and what varies as a tensor or a number that is not static",
    ])
  })

  it('names the mistake in its arguments or its result', async () => {
    const double = device.compile((x: Tensor) => x.mul(2))
    const wrong = async (f: (x: unknown) => unknown, given: unknown, options = {}): Promise<unknown> =>
      device.compile(f, options)(given)
    const same = (x: unknown): unknown => x
    await expect(wrong(same, { x: [double(scalar(1))] })).rejects.toThrow(
      'compile: argument 0, x.0 is a Promise: await it, and pass the value',
    )
    await expect(wrong(same, Float32Array.of(1))).rejects.toThrow(
      'compile: argument 0 is a Float32Array: make a tensor of it with tensor()',
    )
    await expect(wrong((x) => Promise.resolve(x), scalar(1))).rejects.toThrow(
      'compile: the function returned a Promise',
    )
    const reading = wrong(async (x) => device.read(x as Tensor), scalar(1)) // fails inside too, which nobody could catch
    await expect(reading).rejects.toThrow('compile: the function returned a Promise')
    await expect(wrong(() => undefined, scalar(1))).rejects.toThrow(
      'compile: the function returned nothing; is a return missing?',
    )
    for (const position of [1, -1, 0.5])
      await expect(wrong(same, scalar(1), { donate: [position] })).rejects.toThrow(
        `compile: donate names argument ${position}, and the function is called with 1, numbered from 0`,
      )
  })
})
