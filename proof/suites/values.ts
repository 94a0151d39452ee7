/** Values against the oracle, in every dtype, on every configuration. */
import fc from 'fast-check'
import type { DType } from '../../src/graph/dtype.ts'
import type { OpName } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import type { Device } from '../../src/tensor/device.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { stored } from '../array.ts'
import type { Configuration } from '../devices.ts'
import { inlined } from '../fuzz/checks.ts'
import { unit, type Case, type Entry, type Expected } from '../registry/entry.ts'
import { checkCases, dataOf, everywhere, type Held, type Suite } from './suite.ts'

const functions: ReadonlySet<OpName> = new Set(['exp', 'log', 'sin', 'cos', 'tanh', 'logistic', 'erf'])
const sums: ReadonlySet<OpName> = new Set(['reduceSum', 'dotGeneral', 'conv', 'scatterAdd'])

/**
 * A configuration with errors of its own may make them where a function or a sum is computed, and nowhere else. Sums of tens of terms up to 4
 * cancel, and are compared with their result.
 */
const slackOf = ({ slack }: Entry, { tolerance }: Configuration, y: Tensor): number => {
  if (tolerance === undefined) return slack
  const ops = reachable(inlined([y.node], false)).map((n) => n.op)
  return slack + (ops.some((op) => sums.has(op)) ? 8 : ops.some((op) => functions.has(op)) ? 1 : 0)
}

/** Error ÷ tolerance of one number; 0 where it is the expected one. */
const errorOf = (got: number, expected: number, tolerance: number): number => {
  if (got === expected || Object.is(got, expected)) return 0
  const error = Math.abs(got - expected) / (tolerance * Math.max(1, Math.abs(expected)))
  return Number.isNaN(error) ? Infinity : error
}

/** The largest error ÷ tolerance; throws where it is above 1. */
const compare = (where: string, got: ArrayLike<number>, dtype: DType, expected: Expected, slack: number): number => {
  if (got.length !== expected.data.length)
    throw new Error(`${where}: ${got.length} elements, the oracle has ${expected.data.length}`)
  let worst = 0
  expected.data.forEach((x, i) => {
    const [a, b] = [got[i] ?? NaN, stored(dtype, x)]
    const error = errorOf(a, b, slack * unit[dtype])
    if (error > 1)
      throw new Error(`${where}: element ${i} is ${a}, the oracle says ${b} (${dtype}[${expected.shape.join()}])`)
    worst = Math.max(worst, error)
  })
  return worst
}

/** A configuration and a device of it. */
type Opened = readonly [configuration: Configuration, device: Device]

const checkOn = async ([configuration, device]: Opened, entry: Entry, c: Case, expected: Expected): Promise<Held> => {
  const inputs = dataOf(c)
  const { name } = configuration
  const lazy = c.build(...inputs)
  const slack = slackOf(entry, configuration, lazy)
  const compiled = await device.compile(c.build)(...inputs)
  if (compiled.shape.join() !== expected.shape.join())
    throw new Error(`${name}: the shape is [${compiled.shape.join()}], the oracle's [${expected.shape.join()}]`)
  const values = await device.read(compiled)
  const worst = compare(name, values, compiled.dtype, expected, slack)
  const realized = await device.read(lazy)
  // Where code may contract a product and a sum, other code for the same may round otherwise.
  if (configuration.tolerance !== undefined)
    return { checks: 1, worst: Math.max(worst, compare(`${name}, realized`, realized, lazy.dtype, expected, slack)) }
  const different = realized.findIndex((x, i) => !Object.is(x, values[i]))
  if (different !== -1)
    throw new Error(`${name}: element ${different} is ${values[different]} compiled, ${realized[different]} realized`)
  return { checks: 1, worst }
}

/** Checks one case on each device. */
export const checkValues = async (devices: readonly Opened[], entry: Entry, c: Case): Promise<Held> => {
  const expected = c.oracle?.(...c.inputs)
  if (expected === undefined) return { checks: 0, worst: 0 }
  let [checks, worst] = [0, 0]
  for (const opened of devices) {
    const held = await checkOn(opened, entry, c, expected)
    checks += held.checks
    worst = Math.max(worst, held.worst)
  }
  return { checks, worst }
}

/** Compiled and realized, in every dtype and every configuration, the shape and the values are the oracle's. One check a case and configuration. */
export const values: Suite = async (subject, entry, options) => {
  const devices = everywhere.map((configuration) => [configuration, configuration.open()] as const)
  try {
    const cases = fc.constantFrom(...entry.dtypes).chain(entry.cases)
    return await checkCases('values', subject, cases, options, async (c) => checkValues(devices, entry, c))
  } finally {
    for (const [, device] of devices) await device.close()
  }
}
