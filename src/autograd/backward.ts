/** Reverse mode: one walk over the graph against the order of its making, which builds the graph of the cotangents. */
import { at, equalNumbers } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { isFloat } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { showShape } from '../graph/shape.ts'
import { familiesIn } from '../graph/loop.ts'
import { asGradientOf } from '../graph/origin.ts'
import { instantiate } from '../graph/substitute.ts'
import { dependents, reachable } from '../graph/traverse.ts'
import { zerosLike } from '../tensor/create.ts'
import { Tensor } from '../tensor/tensor.ts'
import { addCotangents } from './addCotangents.ts'
import { scanCotangents } from './scan.ts'
import { applyVjp } from './vjp.ts'

/** An output and the cotangent that arrives at it. */
export type Seed = readonly [output: Node, cotangent: Tensor]

type Cotangents = Map<Node, Tensor>

const accumulate = (cotangents: Cotangents, node: Node, g: Tensor | null): void => {
  if (g === null || !isFloat(node.dtype)) return
  const sum = cotangents.get(node)
  cotangents.set(node, sum === undefined ? g : addCotangents(sum, g))
}

type Call = NodeOf<'call'>
type Scan = NodeOf<'scan'>

/** Calls made together share their list of inputs; they are differentiated together, so that a checkpoint is recomputed once. */
const siblings = (nodes: Iterable<Node>): ReadonlyMap<readonly Node[], readonly Call[]> => {
  const found = new Map<readonly Node[], Call[]>()
  for (const node of nodes) {
    if (node.op !== 'call') continue
    const known = found.get(node.inputs)
    if (known === undefined) found.set(node.inputs, [node])
    else known.push(node)
  }
  return found
}

type Arriving = readonly (readonly [output: number, cotangent: Tensor])[]

const customCotangents = ({ inputs, attrs: { definition } }: Call, arriving: Arriving): readonly (Tensor | null)[] => {
  const given = new Map(arriving)
  const gs = definition.outputs.map((o, i) => (given.get(i) ?? zerosLike(new Tensor(o))).node)
  const found = definition.vjp?.(inputs, gs) ?? []
  if (found.length !== inputs.length)
    throw new ShapeError(
      `${definition.name}: the vjp returned ${found.length} cotangents for ${inputs.length} arguments`,
    )
  return found.map((n, i) => {
    const x = at(inputs, i)
    if (n !== null && isFloat(x.dtype) && (n.dtype !== x.dtype || !equalNumbers(n.shape, x.shape)))
      throw new ShapeError(
        `${definition.name}: the vjp returned a cotangent ${n.dtype}${showShape(n.shape)} for an argument ${x.dtype}${showShape(x.shape)}`,
      )
    return n === null ? null : new Tensor(n)
  })
}

const differentiateCalls = (calls: readonly Call[], cotangents: Cotangents, active: ReadonlySet<Node>): void => {
  const call = at(calls, 0)
  const {
    inputs,
    attrs: { definition },
  } = call
  const arriving = calls.flatMap((c) => {
    const g = cotangents.get(c)
    return g === undefined ? [] : [[c.attrs.output, g] as const]
  })
  const [first] = arriving
  if (first === undefined) return
  if (definition.vjp !== undefined) {
    customCotangents(call, arriving).forEach((g, i) => {
      if (active.has(at(inputs, i))) accumulate(cotangents, at(inputs, i), g)
    })
    return
  }
  // A checkpoint is rebuilt behind a barrier that waits for the cotangent: no pass can merge it with the forward computation.
  const wait = (x: Node): Node =>
    definition.checkpoint ? makeNode('barrier', {}, [x, first[1].node]) : makeNode('alias', {}, [x])
  const fresh = new Map([...new Set(inputs)].map((x) => [x, wait(x)]))
  const outputs = instantiate(
    definition,
    inputs.map((x) => fresh.get(x) ?? x),
  )
  const sources = [...fresh] // all, also those that need no gradient: the walk inside must not go on beyond them
  // The sums go on inside from where they stand outside: terms are added in the order of the bare function, so no bit differs.
  const sums = backward(
    arriving.map(([i, g]) => [at(outputs, i), g]),
    sources.map(([, x]) => x),
    sources.map(([x]) => cotangents.get(x)),
  )
  sources.forEach(([x], i) => {
    const sum = sums[i]
    if (sum !== undefined && sum !== null) cotangents.set(x, sum)
  })
}

const differentiateScan = (family: readonly Scan[], cotangents: Cotangents, active: ReadonlySet<Node>): void => {
  const arriving = family.flatMap((scan) => {
    const g = cotangents.get(scan)
    return g === undefined ? [] : [[scan, g] as const]
  })
  if (arriving.length === 0) return
  const { inputs } = at(family, 0)
  scanCotangents(family, arriving, backward).forEach((g, i) => {
    const x = at(inputs, i)
    if (active.has(x)) accumulate(cotangents, x, g)
  })
}

/** The cotangents of `sources`, added to `initial` ones, when `seeds` arrive at the outputs; null where no gradient flows. */
export const backward = (
  seeds: readonly Seed[],
  sources: readonly Node[],
  initial: readonly (Tensor | undefined)[] = [],
): readonly (Tensor | null)[] => {
  const ends = new Set(sources)
  const nodes = reachable(
    seeds.map(([output]) => output),
    ends,
  )
  const active = dependents(nodes, ends)
  const calls = siblings(active)
  const loops = familiesIn(nodes.filter((node) => active.has(node) && !ends.has(node)))
  const cotangents: Cotangents = new Map()
  const done = new Set<Node>(sources)
  sources.forEach((x, i) => {
    accumulate(cotangents, x, initial[i] ?? null)
  })
  for (const [output, g] of seeds) accumulate(cotangents, output, g)
  /** Calls and loops are differentiated with all that was made with them. */
  const differentiate = (node: Node): (() => void) | undefined => {
    if (node.op === 'call') {
      const together = calls.get(node.inputs) ?? [node]
      for (const c of together) done.add(c)
      return () => {
        differentiateCalls(together, cotangents, active)
      }
    }
    if (node.op === 'scan') {
      const family = loops.get(node) ?? [node]
      // What is asked of a loop later may be used between what is asked of it first and that: all has arrived at the first.
      if (node !== family[0]) return undefined
      return () => {
        differentiateScan(family, cotangents, active)
      }
    }
    const g = cotangents.get(node)
    if (g === undefined) return undefined
    return () => {
      applyVjp(g, node).forEach((gi, i) => {
        if (active.has(at(node.inputs, i))) accumulate(cotangents, at(node.inputs, i), gi)
      })
    }
  }
  for (const node of nodes.toReversed()) {
    const step = active.has(node) && !done.has(node) ? differentiate(node) : undefined
    if (step !== undefined) asGradientOf(node, step)
  }
  return sources.map((s) => cotangents.get(s) ?? null)
}
