/** Functions of vectors on wasm: what the accuracy suite's samples may miss, at each place in a vector. */
import { describe, expect, it } from 'vitest'
import { wasm } from '../../../proof/devices.ts'
import { tensor } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'

const device = wasm.open()

const at = async (f: (x: Tensor) => Tensor, values: readonly number[]): Promise<readonly number[]> => [
  ...(await device.read(await device.compile(f)(tensor(Float32Array.from(values))))),
]

describe('functions of four numbers at once', () => {
  const functions: readonly (readonly [string, (x: Tensor) => Tensor, readonly (readonly [number, number])[]])[] = [
    [
      'exp',
      (x) => x.exp(),
      [
        [NaN, NaN],
        [Infinity, Infinity],
        [-Infinity, 0],
        [0, 1],
        [-0, 1],
        [89, Infinity],
        [-104, 0],
      ],
    ],
    [
      'log',
      (x) => x.log(),
      [
        [NaN, NaN],
        [Infinity, Infinity],
        [-Infinity, NaN],
        [0, -Infinity],
        [-0, -Infinity],
        [1, 0],
        [-1, NaN],
      ],
    ],
    [
      'tanh',
      (x) => x.tanh(),
      [
        [NaN, NaN],
        [Infinity, 1],
        [-Infinity, -1],
        [0, 0],
        [-0, -0],
        [10, 1],
        [2 ** -149, 2 ** -149],
      ],
    ],
    [
      'sigmoid',
      (x) => x.sigmoid(),
      [
        [NaN, NaN],
        [Infinity, 1],
        [-Infinity, 0],
        [0, 0.5],
        [-0, 0.5],
        [20, 1],
        [-110, 0],
      ],
    ],
    [
      'erf',
      (x) => x.erf(),
      [
        [NaN, NaN],
        [Infinity, 1],
        [-Infinity, -1],
        [0, 0],
        [-0, -0],
        [4, 1],
        [-4, -1],
      ],
    ],
    [
      'sin',
      (x) => x.sin(),
      [
        [NaN, NaN],
        [Infinity, NaN],
        [-Infinity, NaN],
        [0, 0],
        [-0, -0],
      ],
    ],
    [
      'cos',
      (x) => x.cos(),
      [
        [NaN, NaN],
        [Infinity, NaN],
        [-Infinity, NaN],
        [0, 1],
        [-0, 1],
      ],
    ],
  ]

  it.each(functions)('%s has its values at ±∞, ±0 and no number, in every lane', async (_, f, rows) => {
    for (let shift = 0; shift < 4; shift++) {
      const padded = [...Array.from({ length: shift }, () => 1), ...rows.map(([x]) => x)]
      expect((await at(f, padded)).slice(shift)).toEqual(rows.map(([, y]) => y))
    }
  })

  it('log is right to the last place but one where numbers are subnormal', async () => {
    const xs = [2 ** -149, 3 * 2 ** -149, 2 ** -130, 2 ** -126]
    for (const [i, y] of (await at((x) => x.log(), xs)).entries())
      expect(Math.abs(y - Math.log(xs[i] as number))).toBeLessThan(2 ** -17)
  })

  it('sin and cos are those of JavaScript, rounded, near multiples of π and where they are large', async () => {
    const near = Array.from({ length: 400 }, (_, k) => Math.fround(k * Math.PI * 37.5))
    const xs = [...near, 1e5, 823549.6, 1048575.9, 1048576, 1e7, 1e22, 3.4e38, 2 ** -149, -1e-20].map(Math.fround)
    const ulps = (got: readonly number[], f: (x: number) => number): number =>
      Math.max(...got.map((y, i) => Math.abs(y - f(xs[i] as number)) / Math.max(2 ** -149, Math.abs(y) * 2 ** -23)))
    expect(ulps(await at((x) => x.sin(), xs), Math.sin)).toBeLessThan(1)
    expect(ulps(await at((x) => x.cos(), xs), Math.cos)).toBeLessThan(1)
  })
})
