/** Equations of the chapter on making convolution fast (12). */
import fc from 'fast-check'
import { permute } from '../../src/prelude/array.ts'
import { E } from '../../src/prelude/fp.ts'
import { tileFor } from '../../src/backends/wasm/gemm/gemmTile.ts'
import { winogradWith } from '../../src/backends/wasm/conv/winograd.ts'
import { profileRows } from '../../src/compiler/profile.ts'
import { contiguous } from '../../src/compiler/view.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { convKernel, plain } from '../../test/support/convolutions.ts'
import { runPhases } from '../../test/support/phases.ts'
import {
  agree,
  at,
  device,
  dot,
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

/** Bᵀ, G and Aᵀ of F(4, 3), as they are printed. */
const Bt = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
]
const G = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
]
const At = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
]

type Matrix = readonly (readonly number[])[]

const turned = (m: Matrix): Matrix => upTo(m[0]?.length ?? 0).map((j) => m.map((row) => at(row, j)))
const times = (a: Matrix, b: Matrix): Matrix => a.map((row) => turned(b).map((column) => dot(row, column)))

/** m·x·mᵀ. */
const along = (m: Matrix, x: Matrix): Matrix => times(times(m, x), turned(m))

const pointwise = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((v, j) => v * at(b[i] ?? [], j)))

const squareOf = (xs: readonly number[]): Matrix => {
  const n = Math.sqrt(xs.length)
  return upTo(n).map((i) => xs.slice(i * n, (i + 1) * n))
}

const lanes = 8

/**
 * What the code of F(4×4, 3×3) makes of an image and a filter of one channel: both are given to the first of eight channels, the others are
 * zero, and every output has the same filter. A filter of 4×4 that leaves 3×3 results is the cotangent in a filter's gradient.
 */
const oneTile = (
  image: readonly number[],
  side: number,
  filter: readonly number[],
  taps: number,
  result: number,
): readonly number[] => {
  const isGradient = taps === 4
  const [depth, outer] = isGradient ? [1, lanes] : [lanes, 1]
  const x = Float32Array.from({ length: side * side * lanes }, (_, i) => (i % lanes === 0 ? at(image, i / lanes) : 0))
  const w = Float32Array.from({ length: taps * taps * depth * lanes }, (_, i) => {
    const [tap, c] = [Math.floor(i / (depth * lanes)), Math.floor(i / lanes) % depth]
    return c === 0 ? at(filter, tap) : 0
  })
  const whole = contiguous([1, side, side, lanes])
  const view = isGradient
    ? { ...whole, shape: permute(whole.shape, axes), strides: permute(whole.strides, axes) }
    : whole
  const kernel = convKernel(view, contiguous([taps, taps, depth, lanes]), plain, [outer, result, result, lanes])
  const code = winogradWith(kernel, { fma: false, wide: false }, 4, true)
  if (code === undefined || E.isLeft(code)) throw new Error('a tile has no code')
  const { values } = runPhases(code.right, [x, w, new Float32Array(outer * result * result * lanes)], 2)
  return upTo(result * result).map((pixel) => at(values, pixel * lanes))
}

/** Batch and channels exchanged: [1, rows, columns, channels] as a filter's gradient reads an image. */
const axes = [3, 1, 2, 0]

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
    statement: 'Y = Aᵀ[(G·W·Gᵀ) ⊙ (Bᵀ·X·B)]A, and for a cotangent Ȳ of Y: W̄ = Gᵀ[(Bᵀ·X·B) ⊙ (A·Ȳ·Aᵀ)]G',
    source: 'Lavin & Gray 2016, section 4, and its transpose',
    by: 'the code of both F(4×4, 3×3) on one tile, in f32, and the matrices of the page in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(36), vectors(9), vectors(16)), ([x, w, y]) => {
        const points = along(Bt, squareOf(x))
        const forward = along(At, pointwise(along(G, squareOf(w)), points))
        const gradient = along(turned(G), pointwise(points, along(turned(At), squareOf(y))))
        return together([
          agree(1e-4, oneTile(x, 6, w, 3, 4), forward.flat()),
          agree(1e-4, oneTile(x, 6, y, 4, 3), gradient.flat()),
        ])
      }),
  },
  {
    number: '12.4',
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
