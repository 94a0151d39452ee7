/**
 * Which elementwise nodes are computed inside which kernel.
 *
 * A node joins the kernel of its users when all of them are in one kernel and walk over the same linear index: elementwise nodes,
 * reshapes, and the reduction at the end. Joining moves a computation to its places of use, so it can never make a cycle. What does not
 * join is a root: its values are written to a buffer, and the reason is recorded. Roots that are cheap to compute again join all of
 * their users (recompute.ts).
 */
import { at } from '../prelude/array.ts'
import { isNarrower } from '../graph/dtype.ts'
import { isElementwise, type Node } from '../graph/ops.ts'
import { uniformValue, type Program } from './canonicalise.ts'
import { boundsOfNodes, memoryOfNode, operationsOf, usualLimits, type Limits } from './limits.ts'
import { cutsOf } from './narrowest.ts'
import type { Passes } from './passes.ts'
import type { Cause } from './reason.ts'
import { recomputed, unshaped } from './recompute.ts'

/** The fusion of a program: the roots, each with the reason why its kernel ends there. All else is computed inside kernels. */
export type Fusion = ReadonlyMap<Node, Cause>

/** While it is made: for each node the root of the kernel that computes it, and for each root the reason. */
interface Assignment {
  readonly rootOf: ReadonlyMap<Node, Node>
  readonly reasons: ReadonlyMap<Node, Cause>
}

const isReduction = (node: Node): boolean => node.op === 'reduceSum' || node.op === 'reduceMax'

const usersOf = (nodes: readonly Node[]): ReadonlyMap<Node, readonly Node[]> => {
  const users = new Map<Node, Node[]>()
  for (const node of nodes)
    for (const input of new Set(node.inputs)) {
      const list = users.get(input)
      if (list === undefined) users.set(input, [node])
      else list.push(node)
    }
  return users
}

const reasonToEnd = (users: readonly Node[], roots: ReadonlySet<Node | undefined>, isOutput: boolean): Cause => {
  if (isOutput) return 'output'
  const outside = users.find((u) => !isElementwise(u) && !isReduction(u) && u.op !== 'reshape')
  if (outside !== undefined) return { kind: 'feeds', op: outside.op }
  return roots.size > 1 ? 'several users' : 'view'
}

/** Whether the kernel that ends at `root` computes the node on the way to its result, and need not load it. */
const isInside = (node: Node, root: Node, rootOf: ReadonlyMap<Node, Node>): boolean =>
  node !== root && rootOf.get(node) === root

/** The one kernel of all users; undefined where there are several, or one of them is in none. */
const onlyRoot = (roots: ReadonlySet<Node | undefined>): Node | undefined =>
  roots.size === 1 ? [...roots][0] : undefined

const assign = (
  program: Program,
  forced: ReadonlyMap<Node, Cause>,
  users: ReadonlyMap<Node, readonly Node[]>,
): Assignment => {
  const outputs = new Set(program.outputs)
  const rootOf = new Map<Node, Node>()
  const reasons = new Map<Node, Cause>()
  for (const node of program.nodes.toReversed()) {
    if (isReduction(node)) {
      rootOf.set(node, node)
      reasons.set(node, outputs.has(node) ? 'output' : 'reduction')
      continue
    }
    if (!isElementwise(node) && node.op !== 'reshape') continue
    const used = users.get(node) ?? []
    const roots = new Set(used.map((u) => rootOf.get(u)))
    const root = outputs.has(node) || forced.has(node) ? undefined : onlyRoot(roots)
    if (root !== undefined) rootOf.set(node, root)
    else if (node.op !== 'reshape') {
      rootOf.set(node, node)
      reasons.set(node, forced.get(node) ?? reasonToEnd(used, roots, outputs.has(node)))
    }
  }
  return { rootOf, reasons }
}

/** The nodes whose values a kernel loads. */
const loadsOf = (fusion: Assignment, nodes: readonly Node[]): ReadonlyMap<Node, ReadonlySet<Node>> => {
  const loads = new Map<Node, Set<Node>>()
  for (const node of nodes) {
    const root = fusion.rootOf.get(node)
    if (root === undefined) continue
    const set = loads.get(root) ?? new Set()
    loads.set(root, set)
    for (const x of node.inputs) if (!isInside(x, root, fusion.rootOf) && uniformValue(x) === undefined) set.add(x)
  }
  return loads
}

const unionOf = (sets: readonly ReadonlySet<Node>[]): ReadonlySet<Node> => new Set(sets.flatMap((set) => [...set]))

const sizeOf = (set: ReadonlySet<Node>): number => set.size

/** Memories in which nodes lie, besides the arena. */
const memoriesOf = (nodes: ReadonlySet<Node>, outputs: ReadonlySet<Node>): number =>
  new Set([...nodes].map((node) => memoryOfNode(node, outputs)).filter((memory) => memory !== 'arena')).size

/** Nodes to write out so that kernels that read too much become several: in the order of the program, where the limit is passed. */
const tooWide = (fusion: Assignment, { nodes, outputs }: Program, limits: Limits): readonly Node[] => {
  const made = new Set(outputs)
  const keeps = boundsOfNodes(made, limits)
  const wide = new Set([...loadsOf(fusion, nodes)].filter(([root, loads]) => !keeps(root, loads)).map(([root]) => root))
  if (wide.size === 0) return []
  const seen = new Map<Node, ReadonlySet<Node>>() // node of a wide kernel → what its own subtree loads
  const cut: Node[] = []
  for (const node of nodes) {
    const root = fusion.rootOf.get(node)
    if (root === undefined || !wide.has(root)) continue
    const loads = node.inputs.map((x): ReadonlySet<Node> => {
      if (isInside(x, root, fusion.rootOf)) return seen.get(x) ?? new Set()
      return new Set(uniformValue(x) === undefined ? [x] : [])
    })
    for (let all = unionOf(loads); !keeps(root, all); all = unionOf(loads)) {
      // A temporary takes the place of many buffers, or of many memories: the arena is touched anyway.
      const weight = all.size < limits.buffers ? (set: ReadonlySet<Node>) => memoriesOf(set, made) : sizeOf
      const widest = loads.reduce((best, set, i) => (weight(set) > weight(at(loads, best)) ? i : best), 0)
      const input = at(node.inputs, widest)
      const target = input.op === 'reshape' ? input.inputs[0] : input
      cut.push(target)
      loads[widest] = new Set([target])
    }
    seen.set(node, unionOf(loads))
  }
  return cut
}

/** Halves that would be written widened, because several kernels need them so: they are written as they are, and each kernel widens them. */
const writtenWider = ({ rootOf, reasons }: Assignment, { outputs }: Program): readonly Node[] => {
  const made = new Set(outputs)
  return [...reasons.keys()].flatMap((root) => {
    if (root.op !== 'cast' || made.has(root)) return []
    const half = unshaped(root.inputs[0])
    return half.dtype === 'f16' && isNarrower('f16', root.dtype) && isElementwise(half) && isInside(half, root, rootOf)
      ? [half]
      : []
  })
}

/** How much code a node is inside a kernel. */
const operations = (node: Node): number => (isElementwise(node) ? operationsOf(node.op, node.dtype) : 0)

/** Nodes to write out so that kernels that are too much code become several. */
const tooLong = ({ rootOf }: Assignment, nodes: readonly Node[], most: number): readonly Node[] => {
  const sums = new Map<Node, number>()
  for (const [node, root] of rootOf) sums.set(root, (sums.get(root) ?? 0) + operations(node))
  const long = new Map([...sums].filter(([, sum]) => sum > most).map(([root]): [Node, Node[]] => [root, []]))
  if (long.size === 0) return []
  for (const node of nodes) long.get(rootOf.get(node) ?? node)?.push(node)
  return [...long.values()].flatMap((members) => cutsOf(members, operations, most).map(unshaped))
}

/** Every elementwise node and reduction as a kernel of its own. */
export const keepApart = (program: Program): Fusion =>
  new Map(program.nodes.filter((n) => isElementwise(n) || isReduction(n)).map((n) => [n, 'not fused'] as const))

/** Roots such that no kernel reads too much or is too much code. */
const assignWithin = (
  program: Program,
  users: ReadonlyMap<Node, readonly Node[]>,
  recompute: boolean,
  limits: Limits,
): Assignment & { readonly forced: ReadonlyMap<Node, Cause> } => {
  const forced = new Map<Node, Cause>()
  const { buffers, memories, operations } = limits
  const force = (cut: readonly Node[], cause: Cause): boolean => {
    const before = forced.size
    for (const node of cut) if (!forced.has(node)) forced.set(node, cause)
    return forced.size > before
  }
  for (;;) {
    const fusion = assign(program, forced, users)
    if (recompute && force(writtenWider(fusion, program), 'half')) continue
    if (force(tooWide(fusion, program, limits), { kind: 'too wide', buffers, memories })) continue
    const long = tooLong(fusion, program.nodes, operations).filter((node) => isElementwise(node))
    if (!force(long, { kind: 'too long', operations })) return { ...fusion, forced }
  }
}

/** Assigns every elementwise node and reshape to its kernels. */
export const fuse = (
  program: Program,
  { recompute }: Pick<Passes, 'recompute'>,
  limits: Limits = usualLimits,
): Fusion => {
  const users = usersOf(program.nodes)
  const { rootOf, reasons, forced } = assignWithin(program, users, recompute, limits)
  if (!recompute) return reasons
  const mayNot = new Set([...program.outputs.map(unshaped), ...forced.keys()])
  const dropped = recomputed(program, rootOf, users, mayNot, limits)
  return new Map([...reasons].filter(([node]) => !dropped.has(node)))
}
