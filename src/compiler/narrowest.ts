/**
 * Where a kernel that is too much code is cut: into stretches of the program's order, each behind the place in its second half at which the
 * fewest values are still needed. Those are written to memory, and what comes after loads them; so every stretch is a kernel, or several.
 */
import { at } from '../prelude/array.ts'
import type { Node } from '../graph/ops.ts'

/** For each node the place of its last user; its own where nothing uses it. */
const lastUses = (nodes: readonly Node[]): readonly number[] => {
  const places = new Map(nodes.map((node, i) => [node, i]))
  const last = nodes.map((_, i) => i)
  nodes.forEach((node, i) => {
    for (const input of node.inputs) {
      const place = places.get(input)
      if (place !== undefined) last[place] = i
    }
  })
  return last
}

/** The place behind which the stretch from `start` ends; the last one where all the rest is light enough. */
const endOfStretch = (last: readonly number[], weights: readonly number[], start: number, most: number): number => {
  const expiring = new Map<number, number>()
  let [weight, live, fewest, best] = [0, 0, Infinity, start]
  for (let place = start; place < last.length; place++) {
    weight += at(weights, place)
    if (weight > most && place > start) return best
    live += 1
    expiring.set(at(last, place), (expiring.get(at(last, place)) ?? 0) + 1)
    live -= expiring.get(place) ?? 0
    if (2 * weight >= most && live <= fewest) [fewest, best] = [live, place]
    else if (2 * weight < most) best = place
  }
  return last.length - 1
}

/**
 * The values to write so that no kernel weighs more than `most`, as far as single operations allow.
 *
 * @param nodes of one kernel, inputs before what uses them
 */
export const cutsOf = (nodes: readonly Node[], weightOf: (node: Node) => number, most: number): readonly Node[] => {
  const last = lastUses(nodes)
  const weights = nodes.map(weightOf)
  const cuts: Node[] = []
  for (let start = 0; start < nodes.length;) {
    const end = endOfStretch(last, weights, start, most)
    for (let place = start; place <= end; place++) if (at(last, place) > end) cuts.push(at(nodes, place))
    start = end + 1
  }
  return cuts
}
