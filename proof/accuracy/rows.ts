/**
 * Functions of a row: softmax and the norms, on rows that are ordinary and on rows that are hard for them.
 *
 * The oracles are f64 and take care where f64 needs it: sums are taken of differences from the row's first element (exact for f32), so a large mean
 * cancels before anything is rounded. Their error is below 2⁻²⁰ ulp of an f32.
 */
import { groupNorm, layerNorm, rmsNorm } from '../../src/nn/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import { logSumExp, softmax } from '../../src/tensor/softmax.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Measured } from './devices.ts'
import { formats, judge, unmeasured, type Measure } from './ulp.ts'

/** Elements of a row. */
const width = 64

/** How rows are drawn. */
export interface Inputs {
  readonly name: string
  /** An element of a row from a standard normal number and its position. */
  readonly element: (z: number, i: number) => number
}

/** A function from rows to rows (or to one number a row), with its oracle. */
export interface RowFunction {
  readonly name: string
  /** `[rows, 64] → [rows, 64]` or `[rows, 1]`. */
  readonly apply: (x: Tensor) => Tensor
  readonly exact: (row: Float64Array) => Float64Array
  readonly inputs: readonly Inputs[]
}

/** What was measured of a function on one kind of rows. */
export interface RowReading {
  readonly name: string
  readonly inputs: string
  readonly device: string
  /** Errors in ulp of each element. */
  readonly measure: Measure
  /** The largest error in ulp of the row's largest result: what is left when elements near 0 may be as wrong as the others. */
  readonly rowUlp: number
}

const sum = (xs: Float64Array): number => xs.reduce((a, x) => a + x, 0)

const exponentials = (row: Float64Array): Float64Array => {
  const largest = Math.max(...row)
  return row.map((x) => Math.exp(x - largest))
}

/** (x − mean) / √(variance + 10⁻⁵). */
const normalized = (row: Float64Array): Float64Array => {
  const moved = row.map((x) => x - (row[0] as number))
  const mean = sum(moved) / row.length
  const centred = moved.map((x) => x - mean)
  const deviation = Math.sqrt(sum(centred.map((x) => x * x)) / row.length + 1e-5)
  return centred.map((x) => x / deviation)
}

/** Rows are 16 pixels of 4 channels in two groups of two. */
const groupOf = (i: number): number => (i >> 1) & 1

const normalizedGroups = (row: Float64Array): Float64Array => {
  const out = new Float64Array(row.length)
  for (const group of [0, 1]) {
    const members = [...row.keys()].filter((i) => groupOf(i) === group)
    normalized(Float64Array.from(members, (i) => row[i] as number)).forEach((y, k) => {
      out[members[k] as number] = y
    })
  }
  return out
}

const scaledToRms = (row: Float64Array): Float64Array => {
  const norm = Math.max(Math.sqrt(sum(row.map((x) => x * x))), 1e-12)
  return row.map((x) => (x / norm) * Math.sqrt(row.length))
}

const standard: Inputs = { name: 'σ = 1', element: (z) => z }
const largeLogits: Inputs = { name: 'σ = 30', element: (z) => 30 * z }
const masked: Inputs = { name: 'σ = 1, every other one −∞', element: (z, i) => (i % 2 === 0 ? z : -Infinity) }
const huge: Inputs = { name: 'up to ±3·10³⁸', element: (z) => Math.max(-3e38, Math.min(3e38, 2e38 * z)) }
const constantRow: Inputs = { name: 'all equal', element: () => 3.1 }

const meanOf = (mean: number, name: string): Inputs => ({ name: `mean ${name}, σ = 1`, element: (z) => mean + z })
const tiny: Inputs = { name: 'σ = 10⁻⁶', element: (z) => 1e-6 * z }
const large: Inputs = { name: 'σ = 10¹⁷', element: (z) => 1e17 * z }
const squaresOverflow: Inputs = { name: 'σ = 10²⁰', element: (z) => 1e20 * z }

const logits = [standard, largeLogits, masked, huge, constantRow]
const activations = [standard, meanOf(100, '100'), meanOf(1e4, '10⁴'), tiny, large, squaresOverflow]

/** In the order of the table. */
export const rowFunctions: readonly RowFunction[] = [
  {
    name: 'softmax',
    apply: (x) => softmax(x),
    exact: (row) => {
      const e = exponentials(row)
      const total = sum(e)
      return e.map((y) => y / total)
    },
    inputs: logits,
  },
  {
    name: 'logSumExp',
    apply: (x) => logSumExp(x, -1, true),
    exact: (row) => Float64Array.of(Math.max(...row) + Math.log(sum(exponentials(row)))),
    inputs: logits,
  },
  {
    name: 'layerNorm',
    apply: (x) => {
      const { init, apply } = layerNorm(width)
      return apply(init(key(0)), x)
    },
    exact: normalized,
    inputs: activations,
  },
  {
    name: 'groupNorm',
    apply: (x) => {
      const { init, apply } = groupNorm(2, 4)
      return apply(init(key(0)), x.reshape([-1, 16, 4])).reshape(x.shape)
    },
    exact: normalizedGroups,
    inputs: activations,
  },
  {
    name: 'rmsNorm',
    apply: (x) => {
      const { init, apply } = rmsNorm(width)
      return apply(init(key(0)), x)
    },
    exact: scaledToRms,
    inputs: activations,
  },
]

/** Mulberry32 (Ettinger 2017): numbers in (0, 1), the same in every run. */
const uniforms = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
}

/** Rows drawn by Box and Muller's method. */
const draw = ({ element }: Inputs, rows: number): Float32Array => {
  const next = uniforms(rows)
  return Float32Array.from({ length: rows * width }, (_, i) =>
    element(Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next()), i),
  )
}

/** The largest |got − exact| in ulp of the largest |exact|. */
const ulpOfLargest = (got: ArrayLike<number>, exact: Float64Array): number => {
  const largest = exact.reduce((a, y) => Math.max(a, Math.abs(y)), 0)
  const { digits, minExponent } = formats.f32
  const ulp = 2 ** (Math.max(minExponent, Math.floor(Math.log2(largest))) - digits + 1)
  return exact.reduce((a, y, i) => Math.max(a, y === got[i] ? 0 : Math.abs((got[i] as number) - y) / ulp), 0)
}

/** Measures a function on one kind of rows, in f32 on every device. */
const measureRows = async (
  { name, apply, exact }: RowFunction,
  inputs: Inputs,
  devices: readonly Measured[],
  rows: number,
): Promise<readonly RowReading[]> => {
  const x = draw(inputs, rows)
  const results = Array.from({ length: rows }, (_, r) =>
    exact(Float64Array.from(x.subarray(r * width, (r + 1) * width))),
  )
  const perRow = (results[0] as Float64Array).length
  return Promise.all(
    devices.map(async ({ name: device, device: { compile, read } }) => {
      const got = await read(await compile(apply)(tensor(x, { shape: [rows, width] })))
      const measure = unmeasured()
      const parts = results.map((y, r) => {
        const part = got.subarray(r * perRow, (r + 1) * perRow)
        judge(measure, formats.f32, x.subarray(r * width), part, y)
        return ulpOfLargest(part, y)
      })
      return { name, inputs: inputs.name, device, measure, rowUlp: Math.max(...parts) }
    }),
  )
}

/** Measures a function on all its kinds of rows. */
export const measureRowFunction = async (
  f: RowFunction,
  devices: readonly Measured[],
  rows: number,
): Promise<readonly RowReading[]> =>
  (await Promise.all(f.inputs.map(async (inputs) => measureRows(f, inputs, devices, rows)))).flat()
