/**
 * When two results are the same: bit for bit, or, for a configuration that may round otherwise, within a tolerance where rounding can
 * be told from error.
 */
import { isFloat, type DType } from '../../src/graph/dtype.ts'
import type { Node, OpName } from '../../src/graph/ops.ts'
import { instantiate } from '../../src/graph/substitute.ts'
import { reachable } from '../../src/graph/traverse.ts'

/** A result as it was read. */
export interface Output {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** Error allowed in a float, by its dtype, relative to the largest magnitude in its tensor. */
export type Tolerance = Readonly<Partial<Record<DType, number>>>

/**
 * How a value depends on rounding: `exact`, not at all, for it is made of integers and movement; `near`, continuously; `loose`, through a
 * step (a comparison, a floor, an order), which a last bit can throw to the other side.
 */
export type Sensitivity = 'exact' | 'near' | 'loose'

const steps: ReadonlySet<OpName> = new Set(['less', 'equal', 'floor', 'rem', 'argsort', 'bitcast'])

const movements: ReadonlySet<OpName> = new Set([
  ...(['parameter', 'buffer', 'constant', 'iota', 'alias', 'stopGradient', 'barrier', 'neg', 'max', 'where'] as const),
  ...(['reduceMax', 'broadcast', 'reshape', 'transpose', 'reverse', 'pad', 'slice', 'concatenate', 'gather'] as const),
])

const sensitivityOf = (node: Node, inputs: readonly Sensitivity[]): Sensitivity => {
  if (inputs.includes('loose')) return 'loose'
  const isNear = inputs.includes('near')
  if (isNear && (steps.has(node.op) || !isFloat(node.dtype))) return 'loose'
  return isNear || (isFloat(node.dtype) && !movements.has(node.op)) ? 'near' : 'exact'
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

/** What differs first, in words; undefined when nothing does. Without a tolerance every bit counts, and a NaN is a NaN. */
export const difference = (
  actual: readonly Output[],
  expected: readonly Output[],
  allowed: { readonly tolerance: Tolerance; readonly sensitivity: readonly Sensitivity[] } | undefined = undefined,
): string | undefined => {
  if (actual.length !== expected.length) return `${actual.length} results instead of ${expected.length}`
  for (const [k, e] of expected.entries()) {
    const a = actual[k] as Output
    const type = (o: Output): string => `${o.dtype}[${o.shape.join()}]`
    if (type(a) !== type(e) || a.values.length !== e.values.length) return `result ${k} is ${type(a)} instead of ${type(e)}`
    const sensitivity = allowed?.sensitivity[k] ?? 'exact'
    if (sensitivity === 'loose') continue
    const bound = sensitivity === 'near' ? (allowed?.tolerance[e.dtype] ?? 0) * largest(e.values) : 0
    const i = e.values.findIndex((x, j) => !Object.is(a.values[j], x) && !(Math.abs((a.values[j] as number) - x) <= bound && bound > 0))
    if (i >= 0) return `element ${i} of result ${k}, ${type(e)}, is ${show(a.values[i])} instead of ${show(e.values[i])}`
  }
  return undefined
}
