/** vmap against its definition: what it makes of a stack of slices is the stack of what the operation makes of each. */
import fc from 'fast-check'
import { vmap } from '../../src/autograd/index.ts'
import { stack } from '../../src/tensor/combine.ts'
import { zeros } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { toTensor, type NdArray } from '../array.ts'
import { configurations, specification, wasm, type Configuration } from '../devices.ts'
import { difference, sensitivities, type Output } from '../fuzz/compare.ts'
import { one, type Case } from '../registry/entry.ts'
import { checkCases, type Held, type Suite } from './suite.ts'

/** One vmap: how many slices, and the axis of each input, null for what all slices share. */
interface Level {
  readonly size: number
  readonly axes: readonly (number | null)[]
}

/** A case and how it is mapped: by one vmap, or by a second one of the first. */
export interface Mapped extends Case {
  readonly inner: Level
  readonly outer?: Level
  /** The axis of the result. */
  readonly out: number
}

/** The inputs of a case, and a number for what has none: then nothing depends on what is mapped. */
const inputsOf = (c: Case): readonly NdArray[] =>
  c.inputs.length > 0 ? c.inputs : [{ shape: [], dtype: 'f32', data: [1] }]

const axisOf = (rank: number): fc.Arbitrary<number | null> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom<number | null>(0, -1, ...(rank > 0 ? [1] : [])) },
    { weight: 2, arbitrary: fc.constant(null) },
  )

/** Axes for inputs of these ranks, at least one of them mapped. */
const axesOf = (ranks: readonly number[]): fc.Arbitrary<readonly (number | null)[]> =>
  fc
    .tuple(fc.tuple(...ranks.map(axisOf)), fc.nat(ranks.length - 1))
    .map(([axes, k]) => axes.map((a, i) => (i === k && axes.every((other) => other === null) ? 0 : a)))

const levelOf = (ranks: readonly number[], sizes: readonly number[]): fc.Arbitrary<Level> =>
  fc.record({ size: fc.constantFrom(...sizes), axes: axesOf(ranks) })

/** The case with its mapping drawn. */
export const mappedCases = (cases: fc.Arbitrary<Case>): fc.Arbitrary<Mapped> =>
  cases.chain((c) => {
    const ranks = inputsOf(c).map((x) => x.shape.length)
    return levelOf(ranks, [3, 2, 1, 0]).chain((inner) =>
      fc
        .record({
          outer: fc.option(
            levelOf(
              ranks.map((r, i) => r + (inner.axes[i] === null ? 0 : 1)),
              [2],
            ),
            { freq: 3, nil: undefined },
          ),
          out: fc.constantFrom(0, -1),
        })
        .map(({ outer, out }) => ({ ...c, inner, out, ...(outer === undefined ? {} : { outer }) })),
    )
  })

/** Slices of an input, [outer][inner]: the same numbers, each time turned by some places. */
export type Slices = readonly (readonly Tensor[])[]

const turned = (x: NdArray, by: number): NdArray => ({
  ...x,
  data: x.data.map((_, i) => x.data[(i + by) % x.data.length] ?? NaN),
})

const slicesOf = (x: NdArray, rows: number, columns: number): Slices =>
  Array.from({ length: rows }, (_, j) =>
    Array.from({ length: columns }, (_, i) => toTensor(turned(x, i + columns * j))),
  )

/** The slices of all inputs; of an empty batch, one that only says of what. */
export const dataOf = (c: Mapped): readonly Slices[] =>
  inputsOf(c).map((x) => slicesOf(x, c.outer?.size ?? 1, Math.max(1, c.inner.size)))

const stacked = (parts: readonly Tensor[], axis: number | null, size: number): Tensor => {
  const [first] = parts
  if (first === undefined) throw new Error('there is no slice')
  if (axis === null) return first
  const whole = stack(parts, axis)
  const at = axis < 0 ? axis + whole.rank : axis
  return size === 0 ? zeros(whole.shape.with(at, 0), whole.dtype) : whole
}

/** What is mapped: tensors to tensors. */
export type Function = (...xs: readonly Tensor[]) => readonly Tensor[]

/** The function, mapped, of whole inputs. */
export const mapped = (f: Function, { inner, outer, out }: Mapped, slices: readonly Slices[]): readonly Tensor[] => {
  const wholes = slices.map((rows, k) => {
    const inside = rows.map((row) => stacked(row, inner.axes[k] ?? null, inner.size))
    return stacked(inside, outer?.axes[k] ?? null, outer?.size ?? 1)
  })
  if (outer === undefined) return vmap(f, { in: inner.axes, out })(...wholes)
  return vmap(vmap(f, { in: inner.axes }), { in: outer.axes, out })(...wholes)
}

/** The function of each slice, and its results put together. */
export const oneByOne = (f: Function, { inner, outer, out }: Mapped, slices: readonly Slices[]): readonly Tensor[] => {
  const rows = Array.from({ length: outer?.size ?? 1 }, (_, j) =>
    Array.from({ length: Math.max(1, inner.size) }, (_, i) =>
      f(...slices.map((all, k) => one(all[outer?.axes[k] === null ? 0 : j]?.[inner.axes[k] === null ? 0 : i]))),
    ),
  )
  const [innerOut, outerOut] = outer === undefined ? [out, null] : [0, out]
  return (rows[0]?.[0] ?? []).map((_, r) => {
    const inside = rows.map((row) =>
      stacked(
        row.map((ys) => one(ys[r])),
        innerOut,
        inner.size,
      ),
    )
    return stacked(inside, outerOut, outer?.size ?? 1)
  })
}

/** Results as they are read. */
export const readAll = async (device: Device, xs: readonly Tensor[]): Promise<readonly Output[]> =>
  Promise.all(xs.map(async (x) => ({ dtype: x.dtype, shape: x.shape, values: [...(await device.read(x))] })))

/** What differs between the mapped function and the function of each slice, in words. */
export const mappedDifference = async (
  { tolerance }: Pick<Configuration, 'tolerance'>,
  device: Device,
  f: Function,
  c: Mapped,
): Promise<string | undefined> => {
  const both = (slices: readonly Slices[]): readonly (readonly Tensor[])[] => [
    mapped(f, c, slices),
    oneByOne(f, c, slices),
  ]
  const data = dataOf(c)
  const [got = [], expected = []] = await device.compile(both)(data)
  const [actual, right] = [await readAll(device, got), await readAll(device, expected)]
  if (tolerance === undefined) return difference(actual, right)
  const sensitivity = sensitivities(oneByOne(f, c, data).map((y) => y.node))
  return difference(actual, right, { tolerance, sensitivity })
}

/** How a case is mapped, in words. */
export const show = ({ inner, outer, out }: Mapped): string =>
  [inner, ...(outer === undefined ? [] : [outer])]
    .map(({ size, axes }) => `${size} along [${axes.join()}]`)
    .join(', ') + `, out ${out}`

const on: readonly Configuration[] = [specification, ...configurations.slice(0, 1), wasm]

/** On cpu bit for bit, on wasm to its tolerance: one axis or two, any input shared, batches of 0 … 3. One check a case and configuration. */
export const vmapped: Suite = async (subject, entry, options) => {
  const devices = on.map((configuration) => [configuration, configuration.open()] as const)
  try {
    const cases = mappedCases(fc.constantFrom(...entry.dtypes).chain(entry.cases))
    return await checkCases('vmap', subject, cases, options, async (c): Promise<Held> => {
      for (const [configuration, device] of devices) {
        const build: Function = (...xs) => [c.build(...xs.slice(0, c.inputs.length))]
        const wrong = await mappedDifference(configuration, device, build, c)
        if (wrong !== undefined) throw new Error(`${configuration.name}, ${show(c)}: ${wrong}`)
      }
      return { checks: devices.length, worst: 0 }
    })
  } finally {
    for (const [, device] of devices) await device.close()
  }
}
