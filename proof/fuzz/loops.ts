/** Loops of random programs, written out: turn by turn, as the graph that they stand for. */
import { makeNode } from '../../src/graph/node.ts'
import { inputsOf } from '../../src/graph/loop.ts'
import type { Node, NodeOf } from '../../src/graph/ops.ts'
import { substitute } from '../../src/graph/substitute.ts'

const elementOf = (x: Node, i: number): Node => {
  const start = x.shape.map((_, a) => (a === 0 ? i : 0))
  const limit = x.shape.map((n, a) => (a === 0 ? i + 1 : n))
  const part = makeNode('slice', { start, limit, stride: x.shape.map(() => 1) }, [x])
  return makeNode('reshape', { shape: x.shape.slice(1) }, [part])
}

/** What the node asks of its loop, without a loop. */
export const writtenOut = ({ attrs: { loop, result }, inputs }: NodeOf<'scan'>): Node => {
  const given = inputsOf(loop, inputs)
  const rows: Node[] = []
  let carries = given.carries
  for (let turn = 0; turn < loop.length; turn++) {
    const i = loop.reverse ? loop.length - 1 - turn : turn
    const values = new Map<Node, Node>([
      ...loop.constants.map((p, k) => [p, given.constants[k] as Node] as const),
      ...loop.carries.map((p, k) => [p, carries[k] as Node] as const),
      ...loop.elements.map((p, k) => [p, elementOf(given.elements[k] as Node, i)] as const),
    ])
    const asked = result.kind === 'stacked' ? [result.node] : []
    const made = substitute([...loop.next, ...asked], values)
    carries = made.slice(0, loop.next.length)
    const row = made[loop.next.length]
    if (row !== undefined) rows[i] = makeNode('reshape', { shape: [1, ...row.shape] }, [row])
  }
  return result.kind === 'last' ? (carries[result.carry] as Node) : makeNode('concatenate', { axis: 0 }, rows)
}

/** A graph without these loops. */
export const withoutLoops = (outputs: readonly Node[], scans: readonly NodeOf<'scan'>[]): readonly Node[] => {
  const [first, ...rest] = scans
  if (first === undefined) return outputs
  const all = substitute([...outputs, ...rest], new Map([[first, writtenOut(first)]]))
  const others = all.slice(outputs.length).flatMap((n) => (n.op === 'scan' ? [n] : []))
  return withoutLoops(all.slice(0, outputs.length), others)
}
