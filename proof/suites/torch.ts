/**
 * Values and gradients against PyTorch's (test/golden/torch), in f64 and in f32.
 *
 * The golden inputs are numbers that f32 holds, and the golden results are f64: they are the truth for both dtypes. An error is
 * measured element by element in units of |truth| + floor · max |truth|, so that small elements count nearly as much as large ones,
 * and zeros have a bound at all. What is not finite, and what is not a float, must be equal.
 */
import { vjp } from '../../src/autograd/grad.ts'
import { isFloat } from '../../src/graph/dtype.ts'
import { at } from '../../src/prelude/array.ts'
import { tensor, zerosLike } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import { isDifferentiable, type Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import type { Tally } from '../tally.ts'
import { readGolden, type Case, type Subject, type Values } from '../torch/golden.ts'
import { groupBy, type Row } from '../torch/row.ts'
import { table } from '../torch/table.ts'

/** The dtypes that are held to PyTorch. */
export type Float = 'f32' | 'f64'

/** The largest relative error of results and gradients. */
export const tolerances: Readonly<Record<Float, Readonly<Record<Subject['bar'], number>>>> = {
  f64: { elementwise: 1e-10, contraction: 1e-10 },
  f32: { elementwise: 1e-5, contraction: 1e-4 },
}

/** How much of the largest element is added to the unit of each: sums of f32 cancel, and f64 has digits left for that. */
const floors: Readonly<Record<Float, number>> = { f64: 1e-3, f32: 1e-1 }

type Tensors = Readonly<Record<string, Tensor>>

const asTensor = ({ data, shape, dtype }: Values, float: Float): Tensor =>
  isFloat(dtype) ? tensor(Array.from(data), { dtype: float }).reshape(shape) : tensor(data, { shape, dtype })

/** `{ 'params.layers.0.weight': w }` as `{ params: { layers: [{ weight: w }] } }`. */
const nest = (flat: Tensors): unknown => {
  const groups = groupBy(Object.entries(flat), ([name]) => name.split('.', 1)[0] ?? name)
  const members = [...groups].map(([name, entries]) => {
    const rest = entries.map(([full, x]) => [full.slice(name.length + 1), x] as const)
    return [name, flat[name] ?? nest(Object.fromEntries(rest))] as const
  })
  return members.length > 0 && members.every(([name]) => /^\d+$/.test(name))
    ? members.toSorted(([a], [b]) => Number(a) - Number(b)).map(([, x]) => x)
    : Object.fromEntries(members)
}

/** What fathom computes for a case: trees of results, and gradients by name. */
interface Computed {
  readonly results: unknown
  readonly gradients: Tensors
}

const compute = (row: Row, { attrs, inputs, cotangents }: Case, float: Float): Computed => {
  const all = [...inputs].map(([name, x]) => [name, asTensor(x, float)] as const)
  const apply = (given: Tensors): unknown => row({ ...attrs, ...(nest(given) as object) })
  if (cotangents.size === 0) return { results: apply(Object.fromEntries(all)), gradients: {} }
  const integers = Object.fromEntries(all.filter(([, x]) => !isDifferentiable(x)))
  const floats = Object.fromEntries(all.filter(([, x]) => isDifferentiable(x)))
  const { value, pullback } = vjp((given: Tensors) => apply({ ...integers, ...given }), floats)
  const seeds = mapTree(value, (y, path) => {
    const seed = cotangents.get(path)
    return seed === undefined ? zerosLike(y) : asTensor(seed, float)
  })
  return { results: value, gradients: pullback(seeds)[0] }
}

/** The error of an array ÷ the tolerance; infinite where something that must be equal is not. */
const excess = (found: ArrayLike<number>, truth: Values, float: Float, tolerance: number): number => {
  if (found.length !== truth.data.length) return Infinity
  const inexact = isFloat(truth.dtype)
  const expected = Array.from(truth.data, float === 'f32' && inexact ? Math.fround : Number)
  const largest = expected.reduce((m, e) => (Number.isFinite(e) ? Math.max(m, Math.abs(e)) : m), 0)
  return expected.reduce((worst, e, i) => {
    const a = found[i] ?? NaN
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) return worst
    const comparable = inexact && Number.isFinite(e) && Number.isFinite(a) && largest > 0
    return comparable
      ? Math.max(worst, Math.abs(a - e) / (tolerance * (Math.abs(e) + floors[float] * largest)))
      : Infinity
  }, 0)
}

/** A comparison: where, and error ÷ tolerance. */
type Check = readonly [where: string, excess: number]

/** What `fn` makes, computed; an error says where. */
const evaluate = async <T>(device: Device, where: string, fn: () => T): Promise<T> => {
  try {
    return await device.realize(fn())
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

const checkCase = async (
  device: Device,
  { name, bar, cases }: Subject,
  i: number,
  row: Row,
  float: Float,
): Promise<readonly Check[]> => {
  const golden = at(cases, i)
  const computed = await evaluate(device, `${name}, case ${i}, ${float}`, () => compute(row, golden, float))
  const compare = async (role: 'results' | 'gradients'): Promise<readonly Check[]> => {
    const found = new Map(leavesWithPaths(computed[role]))
    return Promise.all(
      [...new Set([...found.keys(), ...golden[role].keys()])].map(async (path): Promise<Check> => {
        const [x, truth] = [found.get(path), golden[role].get(path)]
        const where = `${name}, case ${i}, ${float}, ${role} '${path}'`
        if (x === undefined || truth === undefined) return [`${where}: only one side has it`, Infinity]
        if (x.shape.join() !== truth.shape.join())
          return [`${where}: shape [${x.shape.join()}] for [${truth.shape.join()}]`, Infinity]
        return [where, excess(await device.read(x), truth, float, tolerances[float][bar])]
      }),
    )
  }
  return [...(await compare('results')), ...(await compare('gradients'))]
}

const hasFloats = (golden: Case): boolean => [...golden.inputs.values()].some((x) => isFloat(x.dtype))

/**
 * All cases of one subject in one dtype; cases without a float input are the same in both, and count as f64.
 *
 * @throws Error that lists what differs, with its error ÷ tolerance
 */
export const checkSubject = async (device: Device, subject: Subject, row: Row, float: Float): Promise<Tally> => {
  const runs = subject.cases.flatMap((golden, i) => (float === 'f64' || hasFloats(golden) ? [i] : []))
  const checks = (await Promise.all(runs.map(async (i) => checkCase(device, subject, i, row, float)))).flat()
  const failed = checks.filter(([, e]) => !(e <= 1))
  if (failed.length > 0)
    throw new Error(failed.map(([where, e]) => `${where}: ${e.toPrecision(3)} times the tolerance`).join('\n'))
  return {
    suite: `PyTorch, ${float}`,
    subject: subject.name,
    seed: 0, // nothing is drawn: the inputs are in the file
    checks: checks.length,
    worst: checks.reduce((m, [, e]) => Math.max(m, e), 0),
  }
}

/**
 * Every golden subject on this device, in f64 and in f32: a tally for each subject and dtype.
 *
 * @throws Error that lists all that differs from PyTorch, and the subjects without a row in proof/torch/table.ts
 */
export const torchSuite = async (device: Device): Promise<readonly Tally[]> => {
  const { subjects } = await readGolden()
  const results = await Promise.allSettled(
    (['f64', 'f32'] as const).flatMap((float) =>
      subjects.map(async (subject) => {
        const row = table[subject.name]
        if (row === undefined) throw new Error(`${subject.name}: no row in proof/torch/table.ts`)
        return checkSubject(device, subject, row, float)
      }),
    ),
  )
  const failures = results.flatMap((r) =>
    r.status === 'rejected' ? [r.reason instanceof Error ? r.reason.message : String(r.reason)] : [],
  )
  if (failures.length > 0) throw new Error(`differs from PyTorch:\n${failures.join('\n')}`)
  return results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []))
}
