/**
 * When two results are the same: bit for bit, or, for a configuration that may round otherwise, within a tolerance where rounding can
 * be told from error.
 */
import { isFloat, type DType } from '../../src/graph/dtype.ts'
import type { Node, OpName } from '../../src/graph/ops.ts'
import { instantiate } from '../../src/graph/substitute.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { writtenOut } from './loops.ts'

/** A result as it was read. */
export interface Output {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** Error allowed in a float, by its dtype, relative to the largest magnitude in its tensor. */
export type Tolerance = Readonly<Partial<Record<DType, number>>>

/** Floats from the finest to the coarsest. */
const fineness = ['f64', 'f32', 'f16'] as const

/**
 * How a value depends on rounding: `exact`, not at all, for it is made of integers and movement; continuously, and then on that of the coarsest
 * float on its way; `loose`, through a step (a comparison, a floor, an order), which a last bit can throw to the other side.
 */
export type Sensitivity = 'exact' | (typeof fineness)[number] | 'loose'

const steps: ReadonlySet<OpName> = new Set(['less', 'equal', 'floor', 'rem', 'argsort', 'bitcast'])

const movements: ReadonlySet<OpName> = new Set([
  ...(['parameter', 'buffer', 'constant', 'iota', 'alias', 'stopGradient', 'barrier', 'neg', 'max', 'where'] as const),
  ...(['reduceMax', 'broadcast', 'reshape', 'transpose', 'reverse', 'pad', 'slice', 'concatenate', 'gather'] as const),
])

/** Whether the node computes a float, and so rounds. */
export const isRounded = (node: Node): boolean => isFloat(node.dtype) && !movements.has(node.op)

const sensitivityOf = (node: Node, inputs: readonly Sensitivity[]): Sensitivity => {
  if (inputs.includes('loose')) return 'loose'
  const isNear = inputs.some((x) => x !== 'exact')
  if (isNear && (steps.has(node.op) || !isFloat(node.dtype))) return 'loose'
  return fineness.findLast((x) => inputs.includes(x) || (x === node.dtype && (isNear || isRounded(node)))) ?? 'exact'
}

/** The sensitivity of each output. */
export const sensitivities = (outputs: readonly Node[]): readonly Sensitivity[] => {
  const known = new Map<Node, Sensitivity>()
  const visit = (nodes: readonly Node[]): void => {
    for (const node of reachable(nodes)) {
      if (known.has(node)) continue
      if (node.op === 'call') {
        const body = instantiate(node.attrs.definition, node.inputs)
        visit(body)
        known.set(node, known.get(body[node.attrs.output] as Node) ?? 'loose')
      } else if (node.op === 'scan') {
        const body = writtenOut(node)
        visit([body])
        known.set(node, known.get(body) ?? 'loose')
      } else
        known.set(
          node,
          sensitivityOf(
            node,
            node.inputs.map((x) => known.get(x) ?? 'loose'),
          ),
        )
    }
  }
  visit(outputs)
  return outputs.map((o) => known.get(o) ?? 'loose')
}

const largest = (values: readonly number[]): number =>
  values.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 0)

const show = (x: number | undefined): string => (Object.is(x, -0) ? '-0' : String(x))

const typeOf = (o: Output): string => `${o.dtype}[${o.shape.join()}]`

/** The first element of `a` that is off from that of `e` by more than the bound; −1 when there is none. */
const firstOff = (a: Output, e: Output, bound: number): number =>
  e.values.findIndex((x, i) => {
    const y = a.values[i] as number
    return !Object.is(x, y) && !(bound > 0 && Math.abs(y - x) <= bound)
  })

/** What may differ: errors by dtype, and how each result depends on rounding. */
export interface Allowance {
  readonly tolerance: Tolerance
  readonly sensitivity: readonly Sensitivity[]
  /** Errors that are allowed in any case, by result. */
  readonly rounding?: readonly number[]
}

/** The error that result `k` may have. */
const boundOf = (e: Output, k: number, { tolerance, sensitivity, rounding = [] }: Allowance): number => {
  const depends = sensitivity[k] ?? 'exact'
  if (depends === 'exact' || depends === 'loose') return 0
  return Math.max((tolerance[depends] ?? 0) * largest(e.values), rounding[k] ?? 0)
}

/** What differs first, in words; undefined when nothing does. Without an allowance every bit counts, and a NaN is a NaN. */
export const difference = (
  actual: readonly Output[],
  expected: readonly Output[],
  allowed?: Allowance,
): string | undefined => {
  if (actual.length !== expected.length) return `${actual.length} results instead of ${expected.length}`
  for (const [k, e] of expected.entries()) {
    const a = actual[k] as Output
    if (typeOf(a) !== typeOf(e) || a.values.length !== e.values.length)
      return `result ${k} is ${typeOf(a)} instead of ${typeOf(e)}`
    if (allowed?.sensitivity[k] === 'loose') continue
    const i = firstOff(a, e, allowed === undefined ? 0 : boundOf(e, k, allowed))
    if (i >= 0)
      return `element ${i} of result ${k}, ${typeOf(e)}, is ${show(a.values[i])} instead of ${show(e.values[i])}`
  }
  return undefined
}
