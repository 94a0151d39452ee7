/**
 * fathom at the ends against PyTorch: NaN and infinities must be the same, finite numbers near, and zeros of results have the same sign
 * (those of gradients need not: a gradient is a sum, and −0 + 0 is 0). Where PyTorch refuses, fathom must.
 */
import { vjp } from '../../src/autograd/grad.ts'
import { isFloat, type DType } from '../../src/graph/dtype.ts'
import { constant, tensor, zerosLike } from '../../src/tensor/create.ts'
import type { Device } from '../../src/tensor/device.ts'
import { isDifferentiable, type Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import { table } from '../torch/table.ts'
import type { EndCase, Numbers } from './golden.ts'

/** The dtypes that are compared. */
export type Float = 'f32' | 'f64'

/** What a number is part of, or `error` for a case that one side refuses. */
type Role = 'results' | 'gradients' | 'error'

/** One number in which the two differ, or one refusal. */
export interface Difference {
  readonly subject: string
  readonly label: string
  readonly role: Role
  /** The name of the array; empty for the only result. */
  readonly name: string
  /** Row-major. */
  readonly index: number
  readonly torch: number | string
  readonly fathom: number | string
}

type Tensors = Readonly<Record<string, Tensor>>

const asTensor = ({ data, shape, dtype }: Numbers, float: Float): Tensor =>
  tensor([...data], { dtype: isFloat(dtype) ? float : dtype }).reshape(shape)

const seedOf = (y: Tensor, ramp: boolean): Tensor => {
  const to: DType = y.dtype
  return constant(
    Array.from({ length: y.size }, (_, i) => (ramp ? i + 1 : 1)),
    { shape: y.shape, dtype: to },
  )
}

interface Computed {
  readonly results: ReadonlyMap<string, Tensor>
  readonly gradients: ReadonlyMap<string, Tensor>
}

const compute = (c: EndCase, float: Float): Computed => {
  const row = table[c.subject]
  if (row === undefined) throw new Error(`${c.subject}: no row in proof/torch/table.ts`)
  const all = [...c.inputs].map(([name, x]) => [name, asTensor(x, float)] as const)
  const apply = (given: Tensors): unknown => row({ ...c.attrs, ...given })
  if (c.gradients.size === 0)
    return { results: new Map(leavesWithPaths(apply(Object.fromEntries(all)))), gradients: new Map() }
  const still = Object.fromEntries(all.filter(([, x]) => !isDifferentiable(x)))
  const moving = Object.fromEntries(all.filter(([, x]) => isDifferentiable(x)))
  const { value, pullback } = vjp((given: Tensors) => apply({ ...still, ...given }), moving)
  const seeds = mapTree(value, (y) => (isDifferentiable(y) ? seedOf(y, c.ramp) : zerosLike(y)))
  return { results: new Map(leavesWithPaths(value)), gradients: new Map(Object.entries(pullback(seeds)[0])) }
}

const tolerance: Readonly<Record<Float, number>> = { f64: 1e-10, f32: 1e-5 }

const near = (found: number, truth: number, role: Role, float: Float): boolean => {
  const expected = float === 'f32' ? Math.fround(truth) : truth
  if (expected === 0 && found === 0) return role === 'gradients' || Object.is(found, expected)
  if (Object.is(found, expected)) return true
  return Math.abs(found - expected) <= tolerance[float] * Math.max(1, Math.abs(expected))
}

const differencesIn = (
  c: EndCase,
  role: 'results' | 'gradients',
  read: ReadonlyMap<string, ArrayLike<number>>,
  float: Float,
): readonly Difference[] =>
  [...c[role]].flatMap(([name, truth]) => {
    const found = read.get(name)
    if (found?.length !== truth.data.length)
      throw new Error(`${c.subject}, ${c.label}: '${name}' has ${found?.length} elements for ${truth.data.length}`)
    return truth.data.flatMap((x, index) => {
      const own = found[index] ?? NaN
      if (near(own, x, role, float)) return []
      return [{ subject: c.subject, label: c.label, role, name, index, torch: x, fathom: own }]
    })
  })

const readAll = async (
  device: Device,
  xs: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, ArrayLike<number>>> =>
  new Map(await Promise.all([...xs].map(async ([name, x]) => [name, await device.read(x)] as const)))

const refusal = (c: EndCase, fathom: string): readonly Difference[] =>
  (c.error === undefined) === (fathom === '')
    ? []
    : [{ subject: c.subject, label: c.label, role: 'error', name: '', index: 0, torch: c.error ?? '', fathom }]

const computedOrError = (c: EndCase, float: Float): Computed | string => {
  try {
    return compute(c, float)
  } catch (e) {
    return e instanceof Error && /^(ShapeError|DTypeError|RangeError)$/.test(e.name) ? e.message : String(e)
  }
}

/** Where fathom differs from PyTorch in one case. */
export const differencesOf = async (device: Device, c: EndCase, float: Float): Promise<readonly Difference[]> => {
  const computed = computedOrError(c, float)
  if (typeof computed === 'string') return refusal(c, computed)
  if (c.error !== undefined) return refusal(c, '')
  return [
    ...differencesIn(c, 'results', await readAll(device, computed.results), float),
    ...differencesIn(c, 'gradients', await readAll(device, computed.gradients), float),
  ]
}
