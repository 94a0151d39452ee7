/** Equations of the chapter on making convolution fast (12). */
import fc from 'fast-check'
import { tileFor } from '../../src/backends/wasm/gemmTile.ts'
import { profileRows } from '../../src/compiler/profile.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import {
  agree,
  at,
  device,
  forAll,
  holds,
  read,
  real,
  sum,
  together,
  upTo,
  vectors,
  type Equation,
} from './equation.ts'

const [images, height, width, channels, outputs] = [2, 5, 6, 2, 3] as const
const [tall, wide] = [height + 2, width + 2] // with a zero on each side

/** The image with zeros around it, in plain numbers. */
const padded = (x: readonly number[]): readonly number[] =>
  upTo(images * tall * wide * channels).map((address) => {
    const c = address % channels
    const [j, i] = [(Math.floor(address / channels) % wide) - 1, (Math.floor(address / (channels * wide)) % tall) - 1]
    const n = Math.floor(address / (channels * wide * tall))
    const isInside = i >= 0 && i < height && j >= 0 && j < width
    return isInside ? at(x, ((n * height + i) * width + j) * channels + c) : 0
  })

/** The contraction as it is printed: 3×3 taps with stride s and dilation b. */
const contraction = (x: readonly number[], w: readonly number[], s: number, b: number): readonly number[] => {
  const around = padded(x)
  const count = (length: number): number => Math.floor((length - 2 * b - 1) / s) + 1
  const p = upTo(images).flatMap((n) =>
    upTo(count(tall)).flatMap((i) => upTo(count(wide)).map((j) => ((n * tall + s * i) * wide + s * j) * channels)),
  )
  const q = upTo(3).flatMap((u) =>
    upTo(3).flatMap((v) => upTo(channels).map((c) => (b * u * wide + b * v) * channels + c)),
  )
  return p.flatMap((m) => upTo(outputs).map((o) => sum(q.map((t, k) => at(around, m + t) * at(w, k * outputs + o)))))
}

/** The entries. */
export const fast: readonly Equation[] = [
  {
    number: '12.1',
    statement:
      'out[m, o] = Σₖ x̂[p(m) + q(k)]·w[k, o] for the pixels m = (n, i, j) and the terms k = (u, v, c), with ' +
      'p(m) = ((n·Ĥ + s·i)·Ŵ + s·j)·C and q(k) = (b·u·Ŵ + b·v)·C + c',
    source: 'own derivation',
    by: '`conv2d` of random images and filters with strides and dilations 1 and 2 against the sum over the two addresses',
    check: () =>
      forAll(
        fc.tuple(
          vectors(images * height * width * channels),
          vectors(9 * channels * outputs),
          fc.integer({ min: 1, max: 2 }),
          fc.integer({ min: 1, max: 2 }),
        ),
        async ([x, w, stride, dilation]) => {
          const image = tensor(Float64Array.from(x), { shape: [images, height, width, channels] })
          const filter = tensor(Float64Array.from(w), { shape: [3, 3, channels, outputs] })
          const found = await read(conv2d(image, filter, { padding: 1, stride, dilation }))
          return agree(1e-13, found, contraction(x, w, stride, dilation))
        },
        5,
      ),
  },
  {
    number: '12.2',
    statement: 'M + N/4 + M·N/4 ≤ 15',
    source: 'own derivation',
    by: 'the tiles of 128 bits that `tileFor` chooses for 1 to 300 columns',
    check: () =>
      together(
        upTo(300).map((n) => {
          const { rows, columns } = tileFor({ fma: false, wide: false }, n + 1, false)
          return holds(rows + columns / 4 + (rows * columns) / 4 <= 15, `${rows}×${columns} for ${n + 1} columns`)
        }),
      ),
  },
  {
    number: '12.3',
    statement: 't ≥ max(F/φ, B/β)',
    source: 'Williams, Waterman & Patterson 2009',
    by: 'the share of the roof in `profileRows` of a product, whose F is 2·m·k·n and B four bytes an element, times t',
    check: () =>
      forAll(
        fc.tuple(
          fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 3, maxLength: 3 }),
          real(1, 100),
          real(1, 100),
          real(1, 100),
        ),
        ([[m = 1, k = 1, n = 1], operations, bytes, t]) => {
          const multiply = device.compile((x: Tensor, y: Tensor) => x.matmul(y))
          const plan = multiply.plan(zeros([m, k]), zeros([k, n]))
          const peak = { flopsPerSecond: operations * 1e9, bytesPerSecond: bytes * 1e9 }
          const [row] = profileRows({ plan, milliseconds: plan.kernels.map(() => t), total: t }, peak)
          const least = Math.max((2 * m * k * n) / operations, (4 * (m * k + k * n + m * n)) / bytes) / 1e6
          return agree(1e-12, [(row?.ofRoof ?? NaN) * t], [least])
        },
      ),
  },
]
