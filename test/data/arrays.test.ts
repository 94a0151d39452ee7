/** Batches of arrays: whole epochs in an order of the seed, resumed at any step, never of a buffer that somebody writes to. */
import { describe, expect, it } from 'vitest'
import { batches, splitRows, takeRows } from '../../src/data/index.page.ts'
import { range } from '../../src/prelude/array.ts'
import { tensor } from '../../src/tensor/create.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
const data = {
  x: tensor(
    range(14).map((i) => i),
    { shape: [7, 2] },
  ),
  y: Int32Array.from(range(7)),
}
const read = async (tree: unknown) =>
  Object.fromEntries(
    await Promise.all(leavesWithPaths(tree).map(async ([path, x]) => [path, await values(x, device)] as const)),
  )

describe('batches', () => {
  it('an epoch has every example once, rows belong together, and the last batch is what is left', async () => {
    const seen = []
    for (const batch of batches(data, { size: 3, shuffle: 4 })) seen.push(await read(batch))
    expect(seen.map(({ y }) => y?.length)).toEqual([3, 3, 1])
    expect(seen.flatMap(({ y }) => y ?? []).toSorted((a, b) => a - b)).toEqual(range(7))
    for (const { x, y } of seen) expect(x).toEqual((y ?? []).flatMap((i) => [2 * i, 2 * i + 1]))
  })

  it('each epoch has an order of its own, the same for the same seed; another seed has another', () => {
    const of = (shuffle: number) =>
      range(4).map((e) => range(3).flatMap((i) => batches(data, { size: 3, shuffle, epochs: 4 }).indicesAt(3 * e + i)))
    expect(new Set(of(1).map(String)).size).toBe(4)
    expect(of(1)).toEqual(of(1))
    expect(of(1)).not.toEqual(of(2))
    for (const epoch of of(1)) expect(epoch.toSorted((a, b) => a - b)).toEqual(range(7))
  })

  it('a program goes on at any step with what it would have seen', async () => {
    const all = await Promise.all([...batches(data, { size: 2, shuffle: 9, epochs: 3 })].map(read))
    const rest = await Promise.all([...batches(data, { size: 2, shuffle: 9, epochs: 3, from: 5 })].map(read))
    expect(rest).toEqual(all.slice(5))
    expect(await read(batches(data, { size: 2, shuffle: 9, epochs: Infinity }).at(1_000_001))).toEqual(
      await read(batches(data, { size: 2, shuffle: 9, epochs: Infinity, from: 1_000_001 }).at(1_000_001)),
    )
  })

  it('can be gone through again', () => {
    const loader = batches(data, { size: 4, dropLast: true })
    expect([...loader]).toHaveLength(1)
    expect([...loader].map(({ y }) => y.size)).toEqual([4])
  })

  it('a batch keeps its values when the next one is made, and in a compiled function too', async () => {
    const first = device.compile((x: { readonly x: (typeof data)['x']; readonly y: (typeof data)['x'] }) =>
      x.y.cast('f32').sum(),
    )
    const sums = []
    for (const batch of batches(data, { size: 1 })) sums.push(await device.item(await first(batch)))
    expect(sums).toEqual(range(7))
    const [a, b] = [...batches(data, { size: 1 })]
    expect([await read(a), await read(b)].map(({ y }) => y)).toEqual([[0], [1]])
  })

  it('keeps dtypes: halves, bytes and booleans', async () => {
    const rows = takeRows(
      {
        f: tensor([1.5, 2.5], { dtype: 'f16' }),
        b: tensor([true, false]),
        u: Uint8Array.of(7, 200),
        d: Float64Array.of(0.1, 0.2),
      },
      [1],
    )
    expect([rows.f.dtype, rows.b.dtype, rows.u.dtype, rows.d.dtype]).toEqual(['f16', 'bool', 'u8', 'f64'])
    expect(await read(rows)).toEqual({ f: [2.5], b: [0], u: [200], d: [0.2] })
  })

  it('rows of no numbers, lists of arrays, one array alone', async () => {
    expect(takeRows(tensor([], { shape: [2, 0, 3] }), [1, 0, 1]).shape).toEqual([3, 0, 3])
    expect(await read(takeRows([Int32Array.of(5, 6), data.x.reshape([2, 7])] as const, [0]))).toEqual({
      0: [5],
      1: [0, 1, 2, 3, 4, 5, 6],
    })
  })

  it('what cannot be meant is refused', () => {
    expect(() => batches({ ...data, z: Int32Array.of(1) }, { size: 2 })).toThrow(
      "rows: 'x' is [7,2] and 'z' is [1]: their first axes, the examples, must be equally long",
    )
    expect(() => batches(data, { size: 8, dropLast: true })).toThrow('7 examples do not fill one batch of 8: take')
    expect(() => batches({ x: Int32Array.of() }, { size: 8 })).toThrow('0 examples do not fill one batch of 8')
    expect(() => batches(data, { size: 0 })).toThrow('size is 0')
    expect(() => batches(data, { size: 2, shuffel: 1 } as never)).toThrow("there is no option 'shuffel'")
    expect(() => batches(data, { size: 7 }).at(1)).toThrow('there is no step 1; there are 1, from 0 on')
    expect(() => batches({ x: data.x.mul(2) }, { size: 2 })).toThrow("rows: 'x' is computed, not data: read it first")
    expect(() => batches({ x: [1, 2] } as never, { size: 2 })).toThrow("rows: 'x.0' is 1; arrays of examples are")
    expect(() => batches({}, { size: 2 })).toThrow('there is no array in the tree')
    expect(() => batches(tensor(3), { size: 2 })).toThrow('is a scalar')
    expect(() => takeRows(data, [7])).toThrow('there is no example 7; there are 7, from 0 on')
  })
})

describe('splitRows', () => {
  it('each example is in one part, by the seed', async () => {
    const { train, heldOut } = splitRows(data, { share: 0.3, seed: 1 })
    const both = [...(await values(train.y, device)), ...(await values(heldOut.y, device))]
    expect(heldOut.x.shape).toEqual([2, 2])
    expect(both.toSorted((a, b) => a - b)).toEqual(range(7))
    expect(splitRows(data, { share: 0 }).heldOut.y.shape).toEqual([0])
    expect(splitRows(data, { share: 0.01 }).heldOut.y.shape).toEqual([1])
    expect(() => splitRows(data, { share: 2 })).toThrow('share is 2; it must be in [0, 1]')
  })
})
