/**
 * Values that are computed again in each kernel that needs them, instead of being written once and read by all.
 *
 * What several kernels use is a root after {@link fuse}. Where it is a few cheap operations, and computing it reads no more than loading it
 * would, its kernel is dropped: a kernel's time is its traffic long before it is its arithmetic. No bit changes, for the same operations
 * run on the same numbers; and memory does not grow, for each user holds on to at most as much as it did. (What `checkpoint` does for
 * large parts of a program, by the word of its author, this does for single values by rule; Chen et al. 2016.)
 */
import { bytesPerElement } from '../graph/dtype.ts'
import { isElementwise, type ElementwiseOp, type Node } from '../graph/ops.ts'
import { sizeOf } from '../graph/shape.ts'
import { uniformValue, type Program } from './canonicalise.ts'
import { boundsOfNodes, operationsOf, type Limits } from './limits.ts'

/** What an operation costs beside an addition; those that are not here are never done twice. */
const costs: { readonly [K in ElementwiseOp]?: number } = {
  neg: 1,
  not: 1,
  cast: 1,
  bitcast: 1,
  floor: 1,
  add: 1,
  mul: 1,
  max: 1,
  and: 1,
  or: 1,
  xor: 1,
  shiftLeft: 1,
  shiftRight: 1,
  less: 1,
  equal: 1,
  where: 1,
  div: 2, // four lanes at once it is a third of the time of a load and a store
  sqrt: 2,
}

/** A value that costs more is written. */
const highestCost = 8

/** Operands below this share of the value are read from the cache: a norm per pixel, a scale per channel, a number. */
const smallShare = 1 / 8

const isFusable = (node: Node): boolean => isElementwise(node) || node.op === 'reduceSum' || node.op === 'reduceMax'

/** Looks through reshapes, which a body does not see. */
export const unshaped = (node: Node): Node => {
  let found = node
  while (found.op === 'reshape') found = found.inputs[0]
  return found
}

/** Bytes of memory that a kernel sees of an operand. */
const bytesSeen = (node: Node): number => {
  let [elements, source] = [sizeOf(node.shape), node]
  while (['reshape', 'transpose', 'broadcast', 'slice', 'reverse', 'barrier'].includes(source.op)) {
    const [input] = source.inputs
    if (input === undefined) break
    source = input
    elements = Math.min(elements, sizeOf(source.shape))
  }
  return elements * bytesPerElement[node.dtype]
}

/** What is known of the kernel of a root while values move into it. */
interface Making {
  readonly loads: Set<Node>
  cost: number
  /** How much code it is. */
  operations: number
}

/** Kernels by root, and the roots that load a node. */
interface Makings {
  readonly kernels: ReadonlyMap<Node, Making>
  readonly readers: ReadonlyMap<Node, Set<Node>>
}

const makingsOf = (program: Program, rootOf: ReadonlyMap<Node, Node>): Makings => {
  const kernels = new Map<Node, Making>()
  const readers = new Map<Node, Set<Node>>()
  for (const node of program.nodes) {
    const root = rootOf.get(node)
    if (root === undefined || node.op === 'reshape') continue
    const making = kernels.get(root) ?? { loads: new Set(), cost: 0, operations: 0 }
    kernels.set(root, making)
    making.cost += isElementwise(node) ? (costs[node.op] ?? Infinity) : 0
    making.operations += isElementwise(node) ? operationsOf(node.op, node.dtype) : 0
    for (const x of node.inputs.map(unshaped)) {
      if (rootOf.get(x) === root || uniformValue(x) !== undefined) continue
      making.loads.add(x)
      const list = readers.get(x) ?? new Set()
      readers.set(x, list)
      list.add(root)
    }
  }
  return { kernels, readers }
}

/** What `root` would load if it computed `node` itself. */
const loadsWith = (node: Node, { loads: own }: Making, { loads }: Making): ReadonlySet<Node> => {
  const all = new Set([...loads, ...own])
  all.delete(node)
  return all
}

/** Whether computing the value reads about as little as loading it. */
const readsNoMore = (node: Node, own: Making, user: Making): boolean => {
  const bytes = bytesSeen(node)
  let further = 0
  for (const x of own.loads) {
    const seen = bytesSeen(x)
    if (!user.loads.has(x) && seen > bytes * smallShare) further += seen
  }
  return further <= bytes
}

/** The users of a node, reshapes looked through. */
const usersBehind = (node: Node, users: ReadonlyMap<Node, readonly Node[]>): readonly Node[] => {
  const found: Node[] = []
  const reshapes = [node]
  for (const x of reshapes) for (const user of users.get(x) ?? []) (user.op === 'reshape' ? reshapes : found).push(user)
  return found
}

/** Whether the value is what a contraction ends with: the contraction writes its result, so it may as well write this one. */
const endsContraction = (own: Making, users: ReadonlyMap<Node, readonly Node[]>): boolean =>
  [...own.loads].some((x) => (x.op === 'conv' || x.op === 'dotGeneral') && usersBehind(x, users).length === 1)

/** Lets every user compute the value itself. */
const drop = ({ kernels, readers }: Makings, node: Node, own: Making): void => {
  for (const root of readers.get(node) ?? []) {
    const user = kernels.get(root)
    if (user === undefined) continue
    user.cost += own.cost
    user.operations += own.operations
    user.loads.delete(node)
    for (const x of own.loads) {
      user.loads.add(x)
      readers.get(x)?.add(root)
    }
  }
  for (const x of own.loads) readers.get(x)?.delete(node)
}

/**
 * Roots that need not be written.
 *
 * @param rootOf for each node that is computed in a kernel the root of it
 * @param mayNot roots, reshapes looked through, that are written whatever it costs
 */
export const recomputed = (
  program: Program,
  rootOf: ReadonlyMap<Node, Node>,
  users: ReadonlyMap<Node, readonly Node[]>,
  mayNot: ReadonlySet<Node>,
  limits: Limits,
): ReadonlySet<Node> => {
  const makings = makingsOf(program, rootOf)
  const dropped = new Set<Node>()
  const candidates = program.nodes.filter(
    (node) =>
      isElementwise(node) &&
      rootOf.get(node) === node &&
      !mayNot.has(node) &&
      usersBehind(node, users).every(isFusable),
  )
  const keeps = boundsOfNodes(new Set(program.outputs), limits)
  const fits = (node: Node, own: Making, [root, user]: readonly [Node, Making]): boolean =>
    own.operations + user.operations <= limits.operations && keeps(root, loadsWith(node, own, user))
  const pays = (node: Node, own: Making, by: readonly (readonly [Node, Making])[]): boolean => {
    if (by.length === 0 || !by.every((user) => fits(node, own, user))) return false
    if (by.length === 1) return true
    return (
      own.cost <= highestCost && !endsContraction(own, users) && by.every(([, user]) => readsNoMore(node, own, user))
    )
  }
  // Twice: what several kernels needed may be needed by one alone after they have been dropped.
  for (const node of [...candidates, ...candidates]) {
    const own = makings.kernels.get(node)
    const by = [...(makings.readers.get(node) ?? [])].flatMap((root) => {
      const user = makings.kernels.get(root)
      return user === undefined ? [] : [[root, user] as const]
    })
    if (own === undefined || dropped.has(node) || !pays(node, own, by)) continue
    dropped.add(node)
    drop(makings, node, own)
  }
  return dropped
}
