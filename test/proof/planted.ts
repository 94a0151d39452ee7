/** Configurations with a bug planted in them: the specification, run on programs in which one primitive has been replaced by a wrong one. */
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import type { Backend } from '../../src/backends/backend.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { rebuilt } from '../../src/graph/node.ts'
import type { Node } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import type { Candidate } from '../../proof/fuzz/checks.ts'
import type { Tolerance } from '../../proof/fuzz/compare.ts'

/** What a node becomes; undefined leaves it alone. */
type Bug = (node: Node) => Tensor | undefined

const t = (node: Node): Tensor => new Tensor(node)

/** The bugs. */
const bugs = {
  /** sin x is cos x for x > 1. */
  sine: (n) => (n.op === 'sin' ? t(n.inputs[0]).greater(1).select(t(n.inputs[0]).cos(), t(n)) : undefined),
  /** A sum forgets the last element of the first axis that it sums. */
  sum: (n) => {
    const [axis] = n.op === 'reduceSum' ? n.attrs.axes : []
    const x = n.inputs[0]
    if (axis === undefined || x === undefined || (x.shape[axis] ?? 0) < 2) return undefined
    return t(
      rebuilt(n, [
        t(x)
          .slice(...x.shape.map((k, a) => [0, a === axis ? k - 1 : k] as const))
          .pad(
            x.shape.map(() => 0),
            x.shape.map((_, a) => (a === axis ? 1 : 0)),
          ).node,
      ]),
    )
  },
  /** a·b + c in one step, rounded once, and 1 too large: only the pair of primitives shows it. */
  pair: (n) => (n.op === 'add' && n.dtype === 'f32' && n.inputs[0].op === 'mul' ? t(n).add(1) : undefined),
  /** a·b + c rounded once, as fused multiply-add units round: no bug where the tolerance says so. */
  fma: (n) => {
    if (n.op !== 'add' || n.dtype !== 'f32' || n.inputs[0].op !== 'mul') return undefined
    const [a, b] = n.inputs[0].inputs
    return t(a).cast('f64').mul(t(b).cast('f64')).add(t(n.inputs[1]).cast('f64')).cast('f32')
  },
} satisfies Record<string, Bug>

const withBug = (plan: Plan, bug: Bug): Plan => {
  const became = new Map<Node, Node>(plan.program.parameters.map((p) => [p, p]))
  const resolve = (n: Node): Node => became.get(n) ?? n
  for (const node of plan.program.nodes) {
    if (became.has(node) || node.inputs.length === 0) continue
    const copy = rebuilt(node, node.inputs.map(resolve))
    became.set(node, bug(copy)?.node ?? copy)
  }
  const outputs = plan.program.outputs.map(resolve)
  return { ...plan, program: { ...plan.program, outputs, nodes: reachable(outputs) } }
}

const planted = (bug: Bug): Backend => {
  const backend = cpuBackend(false)
  return { ...backend, prepare: (plan) => backend.prepare(withBug(plan, bug)) }
}

/** Names of the bugs. */
export type BugName = keyof typeof bugs

/** A configuration with this bug; printed tests name it as it is named here. */
export const buggy = (name: BugName, tolerance?: Tolerance): Candidate => ({
  name: `cpu with a wrong ${name}`,
  open: () => deviceOn(planted(bugs[name])),
  ...(tolerance === undefined ? {} : { tolerance }),
  code: { expression: `buggy('${name}')`, imports: [{ name: 'buggy', path: 'test/proof/planted.ts' }] },
})
