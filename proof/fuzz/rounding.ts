/**
 * How far rounding alone can move the results of a graph: every float that is computed is multiplied by 1 ± a unit in the last place, at
 * random, and the largest change of each result is taken (stochastic arithmetic: Vignes 1974). A difference of two nearly equal sums moves far
 * for its size; a bound relative to the result knows nothing of that.
 */
import type { DType } from '../../src/graph/dtype.ts'
import { makeNode, rebuilt } from '../../src/graph/node.ts'
import type { Node } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { sizeOf } from '../../src/graph/shape.ts'
import { constant } from '../../src/tensor/create.ts'
import { isRounded, type Output } from './compare.ts'
import { choices } from './value.ts'

/** Twice a unit in the last place of 1. */
const noise: Readonly<Partial<Record<DType, number>>> = { f16: 2 ** -9, f32: 2 ** -22, f64: 2 ** -51 }

/** How many times the largest change that was seen may still be rounding. */
const margin = 8

const factors = ({ shape, dtype }: Node, seed: number): Node => {
  const choose = choices(seed)
  const values = Float64Array.from({ length: sizeOf(shape) }, () => 1 + (choose(2) - 0.5) * (noise[dtype] ?? 0))
  return constant(values, { shape, dtype: 'f64' }).cast(dtype).node
}

/** A graph without calls, with every rounding changed a little. */
const perturbed = (outputs: readonly Node[], seed: number): readonly Node[] => {
  const became = new Map<Node, Node>()
  const resolve = (node: Node): Node => became.get(node) ?? node
  reachable(outputs).forEach((node, i) => {
    if (node.inputs.length === 0) return
    const same = rebuilt(node, node.inputs.map(resolve))
    became.set(node, isRounded(node) ? makeNode('mul', {}, [same, factors(node, seed * 7919 + i)]) : same)
  })
  return outputs.map(resolve)
}

const change = (x: Output, y: Output): number =>
  x.values.reduce((most, v, i) => {
    const d = Math.abs(v - (y.values[i] as number))
    return Number.isFinite(d) ? Math.max(most, d) : most
  }, 0)

/** For each result of a graph without calls, the error that its roundings explain. */
export const roundingOf = async (
  outputs: readonly Node[],
  expected: readonly Output[],
  evaluate: (outputs: readonly Node[]) => Promise<readonly Output[]>,
): Promise<readonly number[]> => {
  const changes = expected.map(() => 0)
  for (const seed of [1, 2, 3, 4])
    (await evaluate(perturbed(outputs, seed))).forEach((y, k) => {
      changes[k] = Math.max(changes[k] ?? 0, change(y, expected[k] as Output))
    })
  return changes.map((c) => margin * c)
}
