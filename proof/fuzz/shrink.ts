/**
 * Shrinking a failure: the smallest graph, on the simplest data, in which it is still seen.
 *
 * A graph is smaller when it has fewer results, when values of the specification stand in the place of what computes them, when a node
 * makes room for one of its inputs; data is simpler when axes are shorter and numbers rounder. Each such step is tried, and kept when the
 * graph that it leaves still fails (delta debugging: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
 */
import type { DType } from '../../src/graph/dtype.ts'
import { makeNode, rebuilt } from '../../src/graph/node.ts'
import type { Node } from '../../src/graph/ops.ts'
import { substitute } from '../../src/graph/substitute.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { withoutLoops } from './loops.ts'
import { tensor } from '../../src/tensor/create.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { specification } from '../devices.ts'
import { inlined } from './checks.ts'

/** Whether the graph of these outputs, over data, shows the failure. */
export type Fails = (outputs: readonly Node[]) => Promise<boolean>

/** A failing graph, and how often it was tried. */
interface State {
  outputs: readonly Node[]
  tried: number
}

/** Attempts after which the graph is handed over as it is. */
const limit = 6000

/** Keeps the candidate if it still fails. What cannot be built is no candidate. */
const attempt = async (state: State, fails: Fails, candidate: () => readonly Node[]): Promise<boolean> => {
  if (state.tried >= limit) return false
  state.tried++
  try {
    const outputs = candidate()
    if (!(await fails(outputs))) return false
    state.outputs = outputs
    return true
  } catch {
    return false
  }
}

const isInner = (node: Node): boolean => node.inputs.length > 0

const innerNodes = (outputs: readonly Node[]): readonly Node[] => reachable(outputs).filter(isInner)

/** The number of nodes that compute something. */
const sizeOfGraph = (outputs: readonly Node[]): number => innerNodes(outputs).length

const leaf = ({ shape, dtype }: Node, values: Parameters<typeof tensor>[0]): Node =>
  tensor(values, { shape, dtype }).node

/** The specification's values of nodes, as leaves of data. */
const leavesOf = async (nodes: readonly Node[]): Promise<ReadonlyMap<Node, Node>> => {
  const device = specification.open()
  const values = await device.realize(nodes.map((n) => new Tensor(n)))
  return new Map(
    await Promise.all(
      nodes.map(async (n, i): Promise<readonly [Node, Node]> => [n, leaf(n, await device.read(values[i] as Tensor))]),
    ),
  )
}

/** One result that fails alone; else those of which none can be left out. */
const fewerOutputs = async (state: State, fails: Fails): Promise<void> => {
  for (const output of state.outputs) if (await attempt(state, fails, () => [output])) return
  for (let i = 0; i < state.outputs.length && state.outputs.length > 1;)
    if (!(await attempt(state, fails, () => state.outputs.toSpliced(i, 1)))) i++
}

/** A single primitive, on the specification's values: what most failures come down to. */
const onePrimitive = async (state: State, fails: Fails): Promise<boolean> => {
  const nodes = innerNodes(state.outputs)
  const values = await leavesOf([...new Set(nodes.flatMap((n) => n.inputs))])
  for (const node of nodes) {
    const alone = (): readonly Node[] => [
      rebuilt(
        node,
        node.inputs.map((x) => (isInner(x) ? (values.get(x) as Node) : x)),
      ),
    ]
    if (await attempt(state, fails, alone)) return true
  }
  return false
}

/** Inputs first: each node gives way to its value, together with everything before it. */
const cutInputs = async (state: State, fails: Fails): Promise<boolean> => {
  let changed = false
  const tried = new Set<string>()
  for (;;) {
    const nodes = innerNodes(state.outputs)
    const next = nodes.find((n) => !tried.has(name(n, nodes)) && !state.outputs.includes(n))
    if (next === undefined) return changed
    const value = (await leavesOf([next])).get(next) as Node
    if (await attempt(state, fails, () => substitute(state.outputs, new Map([[next, value]])))) changed = true
    else tried.add(name(next, nodes))
  }
}

/** A node by its place counted from the end, which cutting before it does not change. */
const name = (node: Node, nodes: readonly Node[]): string => `${node.op} ${nodes.length - nodes.indexOf(node)}`

/** The last node gives way to one of its inputs; so does any node that has an input of its own type. */
const bypass = async (state: State, fails: Fails): Promise<boolean> => {
  let changed = false
  for (const output of state.outputs)
    for (const x of output.inputs)
      if (isInner(x) && (await attempt(state, fails, () => state.outputs.map((o) => (o === output ? x : o)))))
        return true
  for (const node of innerNodes(state.outputs).toReversed())
    for (const x of node.inputs) {
      const same = x.dtype === node.dtype && x.shape.join() === node.shape.join()
      if (!same || !reachable(state.outputs).includes(node) || sizeOfGraph(state.outputs) < 2) continue
      const without = (): readonly Node[] => substitute(state.outputs, new Map([[node, x]]))
      if (await attempt(state, fails, without)) changed = true
    }
  return changed
}

type Data = Extract<Node, { readonly op: 'buffer' | 'constant' }>

const data = (outputs: readonly Node[]): readonly Data[] =>
  reachable(outputs).flatMap((n) => (n.op === 'buffer' || n.op === 'constant' ? [n] : []))

const numbersOf = async (node: Node): Promise<readonly number[]> => [
  ...(await specification.open().read(new Tensor(node))),
]

/** Arguments of one type become one argument. */
const mergeLeaves = async (state: State, fails: Fails): Promise<boolean> => {
  let changed = false
  for (const a of data(state.outputs))
    for (const b of data(state.outputs)) {
      const same = a.id < b.id && a.dtype === b.dtype && a.shape.join() === b.shape.join()
      const present = data(state.outputs)
      if (
        same &&
        present.includes(a) &&
        present.includes(b) &&
        (await attempt(state, fails, () => substitute(state.outputs, new Map([[b, a]]))))
      )
        changed = true
    }
  return changed
}

/** What attributes say of lengths, with one length in the place of another. */
const withLength = (node: Node, from: number, to: number, inputs: readonly Node[]): Node => {
  const map = (lengths: readonly number[]): readonly number[] => lengths.map((n) => (n === from ? to : n))
  switch (node.op) {
    case 'broadcast':
      return makeNode('broadcast', { ...node.attrs, shape: map(node.attrs.shape) }, [inputs[0] as Node])
    case 'reshape':
      return makeNode('reshape', { shape: map(node.attrs.shape) }, [inputs[0] as Node])
    case 'iota':
      return makeNode('iota', { ...node.attrs, shape: map(node.attrs.shape) }, [])
    case 'slice': {
      const shape = (inputs[0] as Node).shape
      const limit = node.attrs.limit.map((n, a) => Math.min(n, shape[a] as number))
      const start = node.attrs.start.map((n, a) => Math.min(n, limit[a] as number))
      return makeNode('slice', { ...node.attrs, start, limit }, [inputs[0] as Node])
    }
    case 'call':
    case 'scan':
      throw new Error('a call has its shapes inside, and so has a loop')
    default:
      return rebuilt(node, inputs)
  }
}

/** Data like that of a node, with these elements and this shape. */
const remade = (node: Data, values: readonly number[], shape: readonly number[]): Node => {
  const made = tensor(values, { shape, dtype: node.dtype }).node
  if (node.op === 'buffer' || made.op !== 'buffer' || made.attrs.source.kind !== 'host') return made
  return makeNode('constant', { values: made.attrs.source.values, shape, dtype: node.dtype }, [])
}

/** Which elements of an axis stay when it is cut. */
type Side = 'first' | 'last'

const cropped = async (node: Data, shape: readonly number[], side: Side): Promise<Node> => {
  const strides = node.shape.map((_, a) => node.shape.slice(a + 1).reduce((p, n) => p * n, 1))
  const stays = (i: number, n: number, a: number): boolean => {
    const position = Math.floor(i / (strides[a] as number)) % (node.shape[a] as number)
    return side === 'first' ? position < n : position >= (node.shape[a] as number) - n
  }
  const kept = (await numbersOf(node)).filter((_, i) => shape.every((n, a) => stays(i, n, a)))
  return remade(node, kept, shape)
}

/** The graph over other leaves. */
const over = (
  outputs: readonly Node[],
  leaves: ReadonlyMap<Node, Node>,
  build: (node: Node, inputs: readonly Node[]) => Node,
): readonly Node[] => {
  const became = new Map<Node, Node>(leaves)
  const resolve = (n: Node): Node => became.get(n) ?? n
  for (const node of reachable(outputs))
    if (!became.has(node) && node.op !== 'buffer' && node.op !== 'constant')
      became.set(node, build(node, node.inputs.map(resolve)))
  return outputs.map(resolve)
}

/** Every axis of length `from` becomes one of length `to`. */
const shorter = async (outputs: readonly Node[], from: number, to: number, side: Side): Promise<readonly Node[]> => {
  const leaves = new Map<Node, Node>()
  for (const node of data(outputs))
    if (node.shape.includes(from))
      leaves.set(
        node,
        await cropped(
          node,
          node.shape.map((n) => (n === from ? to : n)),
          side,
        ),
      )
  return over(outputs, leaves, (node, inputs) => withLength(node, from, to, inputs))
}

/** One axis of one leaf becomes shorter by one. */
const shorterLeaf = async (outputs: readonly Node[], node: Data, axis: number, side: Side): Promise<readonly Node[]> =>
  over(
    outputs,
    new Map([[node, await cropped(node, node.shape.with(axis, (node.shape[axis] as number) - 1), side)]]),
    rebuilt,
  )

/** Axes of length 1 are left out of all leaves, or of one. */
const squeezed = async (outputs: readonly Node[], only?: Data): Promise<readonly Node[]> => {
  const leaves = new Map<Node, Node>()
  for (const node of data(outputs))
    if (node.shape.includes(1) && (only === undefined || only === node))
      leaves.set(
        node,
        remade(
          node,
          await numbersOf(node),
          node.shape.filter((n) => n !== 1),
        ),
      )
  if (leaves.size === 0) throw new Error('nothing to leave out')
  return over(outputs, leaves, rebuilt)
}

const sides: readonly Side[] = ['first', 'last']

const keep = async (state: State, fails: Fails, made: () => Promise<readonly Node[]>): Promise<boolean> => {
  const graph = await made().catch(() => undefined)
  return graph !== undefined && attempt(state, fails, () => graph)
}

const shortenLength = async (state: State, fails: Fails, n: number): Promise<boolean> => {
  for (const to of [...new Set([1, 2, n >> 1, n - 1])].filter((m) => m < n && m > 0))
    for (const side of sides) if (await keep(state, fails, async () => shorter(state.outputs, n, to, side))) return true
  return false
}

const shortenLeaf = async (state: State, fails: Fails): Promise<boolean> => {
  for (const node of data(state.outputs))
    for (const [axis, n] of node.shape.entries())
      for (const side of sides)
        if (n > 1 && (await keep(state, fails, async () => shorterLeaf(state.outputs, node, axis, side)))) return true
  return false
}

const shortenAxes = async (state: State, fails: Fails): Promise<boolean> => {
  let changed = false
  const lengths = [...new Set(reachable(state.outputs).flatMap((n) => n.shape))].filter((n) => n > 1)
  for (const n of lengths.toSorted((a, b) => b - a)) changed = (await shortenLength(state, fails, n)) || changed
  while (await shortenLeaf(state, fails)) changed = true
  changed = (await keep(state, fails, async () => squeezed(state.outputs))) || changed
  for (const node of data(state.outputs))
    changed = (await keep(state, fails, async () => squeezed(state.outputs, node))) || changed
  return changed
}

/** Simpler numbers than x, the simplest first. */
const simpler = (x: number, dtype: DType): readonly number[] => {
  const isFloating = dtype === 'f16' || dtype === 'f32' || dtype === 'f64'
  const candidates = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    Math.sign(x) * 4,
    Math.round(x),
    Math.round(2 * x) / 2,
    Math.round(8 * x) / 8,
    Math.trunc(x / 2),
  ]
  const simple = (y: number): number =>
    Math.abs(y) +
    (Number.isInteger(y) ? 0 : Number.isInteger(2 * y) ? 0.25 : 1e3) +
    (y < 0 || Object.is(y, -0) ? 0.1 : 0)
  const allowed = candidates.filter(
    (y) =>
      (isFloating || Number.isInteger(y)) && (dtype === 'i32' || isFloating || y >= 0) && (dtype !== 'bool' || y <= 1),
  )
  return [...new Set(allowed)].filter((y) => !Object.is(x, y) && !(simple(y) >= simple(x)))
}

const simplerNumbers = async (state: State, fails: Fails): Promise<boolean> => {
  let changed = false
  for (const initial of data(state.outputs)) {
    let node: Data = initial
    let numbers = await numbersOf(node)
    const replaced = async (candidate: readonly number[]): Promise<boolean> => {
      const made = remade(node, candidate, node.shape)
      if (!(await attempt(state, fails, () => substitute(state.outputs, new Map([[node, made]]))))) return false
      node = made as Data
      numbers = candidate
      changed = true
      return true
    }
    for (const all of [0, 1, 2].map((c) => numbers.map(() => c)).concat([numbers.map(Math.round)]))
      if (complexity(all) < complexity(numbers) && (await replaced(all))) break
    for (let i = 0; i < numbers.length; i++)
      for (const x of simpler(numbers[i] as number, node.dtype)) if (await replaced(numbers.with(i, x))) break
  }
  return changed
}

const complexity = (numbers: readonly number[]): number =>
  numbers.reduce((s, x) => s + (Number.isInteger(x) ? Math.min(9, Math.abs(x)) : 100), 0)

/** Calls give way to what they compute. */
const openCalls = async (state: State, fails: Fails): Promise<boolean> => {
  if (!reachable(state.outputs).some((n) => n.op === 'call')) return false
  return (
    (await attempt(state, fails, () => inlined(state.outputs, false))) ||
    attempt(state, fails, () => inlined(state.outputs, true))
  )
}

/** Loops give way to what they compute, turn by turn. */
const openLoops = async (state: State, fails: Fails): Promise<boolean> => {
  const scans = reachable(state.outputs).flatMap((n) => (n.op === 'scan' ? [n] : []))
  return scans.length > 0 && attempt(state, fails, () => withoutLoops(state.outputs, scans))
}

/**
 * The smallest graph that still fails, with how many graphs were tried. The outputs' leaves are data; `fails` must be true of them.
 *
 * @throws Error when the graph does not fail: a failure that depends on what ran before cannot be shrunk
 */
export const shrinkGraph = async (
  outputs: readonly Node[],
  fails: Fails,
): Promise<{ readonly outputs: readonly Node[]; readonly tried: number }> => {
  const state: State = { outputs, tried: 0 }
  if (!(await attempt(state, fails, () => outputs)))
    throw new Error('shrinkGraph: the graph does not fail on its own; the failure depends on what ran before it')
  await fewerOutputs(state, fails)
  await openLoops(state, fails)
  await openCalls(state, fails)
  await onePrimitive(state, fails)
  for (let again = true; again && state.tried < limit;) {
    again = await bypass(state, fails)
    again = (await cutInputs(state, fails)) || again
    if (sizeOfGraph(state.outputs) > 1) again = (await onePrimitive(state, fails)) || again
  }
  for (let again = true; again && state.tried < limit;) {
    again = await shortenAxes(state, fails)
    again = (await mergeLeaves(state, fails)) || again
    again = (await simplerNumbers(state, fails)) || again
  }
  return state
}
