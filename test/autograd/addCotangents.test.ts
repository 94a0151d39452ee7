/** Cotangents of parts: joined where they touch, added where they do not, and always their sum. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { vjp } from '../../src/autograd/index.ts'
import { addCotangents } from '../../src/autograd/addCotangents.ts'
import { splitInto } from '../../src/tensor/combine.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()

const counts = (x: Tensor): Readonly<Record<string, number>> => {
  const ops = reachable([x.node]).map((n) => n.op)
  return Object.fromEntries(['pad', 'concatenate', 'add'].map((op) => [op, ops.filter((o) => o === op).length]))
}

/** [start, end) in each of two axes of a 4×6 value. */
const windows = fc.tuple(fc.nat(3), fc.nat(4), fc.nat(5), fc.nat(6)).map(([a, b, c, d]) => ({
  rows: [Math.min(a, b), Math.max(a, b)] as const,
  columns: [Math.min(c, d), Math.max(c, d)] as const,
}))

describe('addCotangents', () => {
  it('makes the derivative of a split one concatenation, from whichever end the parts arrive', () => {
    const x = tensor(Float32Array.from({ length: 24 }), { shape: [2, 12] })
    for (const order of [
      [0, 1, 2, 3],
      [3, 2, 1, 0],
    ]) {
      const f = (y: Tensor): Tensor => {
        const parts = splitInto(y, 4, 1)
        return order.map((i) => (parts[i] as Tensor).exp()).reduce((a, b) => a.mul(b))
      }
      const { value, pullback } = vjp(f, x)
      const [g] = pullback(value)
      expect(counts(g)).toEqual({ pad: 0, concatenate: 1, add: 0 })
    }
  })

  it('leaves a gap as zeros around what it joined', () => {
    const window = (start: number): Tensor => tensor([1, 2]).pad([start], [6 - start])
    expect(counts(addCotangents(window(1), window(3)))).toEqual({ pad: 1, concatenate: 1, add: 0 })
    expect(counts(addCotangents(window(0), window(3)))).toEqual({ pad: 2, concatenate: 0, add: 1 })
  })

  it('adds parts with zeros between their elements, which lie in each other’s gaps', async () => {
    const strided = (start: number): Tensor => tensor([1, 2]).pad([start], [5 - start], [1])
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [2, 0],
      [1, 3],
    ] as const) {
      const joined = addCotangents(strided(a), strided(b))
      expect(joined.shape).toEqual([8])
      expect(await device.read(joined)).toEqual(await device.read(strided(a).add(strided(b))))
    }
  })

  it('is the sum for any windows, touching, apart or one over the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(windows, { minLength: 2, maxLength: 5 }), async (all) => {
        const padded = all.map(({ rows, columns }, k) => {
          const shape = [rows[1] - rows[0], columns[1] - columns[0]]
          const part = tensor(
            Float64Array.from({ length: (shape[0] ?? 0) * (shape[1] ?? 0) }, (_, i) => 10 * k + i + 1),
            { shape },
          )
          return part.pad([rows[0], columns[0]], [4 - rows[1], 6 - columns[1]])
        })
        const joined = padded.reduce(addCotangents)
        const added = padded.reduce((a, b) => a.add(b))
        expect(joined.shape).toEqual([4, 6])
        expect(await device.read(joined)).toEqual(await device.read(added))
      }),
      { seed: 31, numRuns: 200 },
    )
  })
})
