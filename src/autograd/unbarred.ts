/**
 * Forward mode is the transpose of a pullback, whose cotangents are dummies that nobody gives. Where something only waits for a dummy, here it no longer
 * does.
 */
import { at } from '../prelude/array.ts'
import { demandOf, familiesIn, parametersOf, stackedNodes, withoutIdle } from '../graph/loop.ts'
import { makeNode, withInputs } from '../graph/node.ts'
import type { Loop, Node, NodeOf, ScanResult } from '../graph/ops.ts'
import { dependents, reachable } from '../graph/traverse.ts'

/** Parameters of a loop that depend on a dummy in some turn. @param isBehind whether an input does */
const dummiesIn = (loop: Loop, isBehind: (input: number) => boolean): ReadonlySet<Node> => {
  const dummies = new Set<Node>(parametersOf(loop).filter((_, i) => isBehind(i)))
  for (let before = -1; before !== dummies.size;) {
    before = dummies.size
    const behind = dependents(reachable(loop.next), dummies)
    loop.carries.forEach((carry, i) => {
      if (behind.has(at(loop.next, i))) dummies.add(carry)
    })
  }
  return dummies
}

/** Whether a result of a loop can be had without any of the dummies. */
const isFree = (loop: Loop, result: ScanResult, dummies: ReadonlySet<Node>): boolean => {
  const { constants, carries, elements } = demandOf(loop, [result])
  const used = [
    ...constants.map((i) => at(loop.constants, i)),
    ...carries.map((i) => at(loop.carries, i)),
    ...elements.map((i) => at(loop.elements, i)),
  ]
  return !used.some((parameter) => dummies.has(parameter))
}

/** A loop without barriers, what has become of the nodes that were asked for, and its parameters that depend on dummies all the same. */
interface Settled {
  readonly whole: Loop
  readonly stacked: readonly Node[]
  readonly dummies: ReadonlySet<Node>
}

/**
 * What is asked of a loop: all that does not depend on a dummy, of one loop without those parts that do.
 *
 * @param inputs what they have become
 * @param isWaiting whether an input depended on a dummy, be it by waiting
 * @param isBehind whether it still does
 */
const unbarredScans = (
  family: readonly NodeOf<'scan'>[],
  inputs: readonly Node[],
  isWaiting: (input: number) => boolean,
  isBehind: (input: number) => boolean,
): readonly Node[] => {
  const { loop } = at(family, 0).attrs
  const results = family.map((scan) => scan.attrs.result)
  const waiting = dummiesIn(loop, isWaiting)
  const body = [...loop.next, ...stackedNodes(results)]
  /** The loop without barriers, where these parameters depend on dummies: which do is known of what comes out. */
  const settled = (dummies: ReadonlySet<Node>): Settled => {
    const outputs = unbarred(body, dummies, waiting)
    const whole: Loop = { ...loop, next: outputs.slice(0, loop.next.length) }
    const found = dummiesIn(whole, isBehind)
    return found.size === dummies.size ? { whole, dummies, stacked: outputs.slice(loop.next.length) } : settled(found)
  }
  const { whole, dummies, stacked } = settled(new Set(parametersOf(loop).filter((_, i) => isBehind(i))))
  const own = results.map((result, i): ScanResult =>
    result.kind === 'last' ? result : { kind: 'stacked', node: at(stacked, stackedNodes(results.slice(0, i)).length) },
  )
  const free = own.filter((result) => isFree(whole, result, dummies))
  const less = withoutIdle(whole, free, inputs)
  return own.map((result, i) =>
    free.includes(result)
      ? makeNode('scan', { loop: less.loop, result: at(less.results, free.indexOf(result)) }, less.inputs)
      : withInputs(at(family, i), inputs),
  )
}

/**
 * Checkpoints wait for the cotangent behind barriers; where that is a dummy, nothing is to be waited for, and the barriers go.
 *
 * @param waitingFor the dummies, and parameters that depend on one while the barriers stand
 */
export const unbarred = (
  outputs: readonly Node[],
  dummies: ReadonlySet<Node>,
  waitingFor: ReadonlySet<Node> = dummies,
): readonly Node[] => {
  const nodes = reachable(outputs)
  const waiting = dependents(nodes, waitingFor)
  const families = familiesIn(nodes)
  const rebuilt = new Map<Node, Node>()
  const resolve = (node: Node): Node => rebuilt.get(node) ?? node
  const lists = new Map<readonly Node[], readonly Node[]>() // results of one loop share their list of inputs, and go on sharing it
  const inputsOf = (node: Node): readonly Node[] => {
    const inputs = lists.get(node.inputs) ?? node.inputs.map(resolve)
    lists.set(node.inputs, inputs)
    return inputs
  }
  const behind = new Set<Node>(dummies)
  const become = (node: Node, now: Node): void => {
    rebuilt.set(node, now)
    if (now.inputs.some((x) => behind.has(x))) behind.add(now)
  }
  for (const node of nodes) {
    if (rebuilt.has(node)) continue
    const family = families.get(node)
    if (node.op === 'barrier' && waiting.has(node.inputs[1])) become(node, resolve(node.inputs[0]))
    else if (family === undefined || !waiting.has(node)) become(node, withInputs(node, inputsOf(node)))
    else {
      const inputs = inputsOf(node)
      const isWaiting = (i: number): boolean => waiting.has(at(node.inputs, i))
      const isBehind = (i: number): boolean => behind.has(at(inputs, i))
      unbarredScans(family, inputs, isWaiting, isBehind).forEach((scan, i) => {
        become(at(family, i), scan)
      })
    }
  }
  return outputs.map(resolve)
}
