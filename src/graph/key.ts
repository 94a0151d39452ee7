/** Structural keys: two nodes or graphs with equal keys compute the same function of their inputs. */
import type { TypedArray } from './dtype.ts'
import type { Definition, Loop, Node, NodeOf } from './ops.ts'
import { reachable } from './traverse.ts'

const identities = new WeakMap<object, string>()
const counter = { next: 0 }

const memo = (object: object, make: () => string): string => {
  const known = identities.get(object)
  if (known !== undefined) return known
  const made = make()
  identities.set(object, made)
  return made
}

/** A name for an object that no other object has. */
const identity = (object: object): string => memo(object, () => `@${counter.next++}`)

/** FNV-1a over the bytes, with the length: the name of a literal's content. */
const contentKey = (values: TypedArray): string =>
  memo(values, () => {
    if (values.length <= 4) return Array.from(values, (x) => (Object.is(x, -0) ? '-0' : String(x))).join(' ')
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    let [a, b] = [0x811c9dc5, 0x9747b28c] // two differently seeded 32-bit hashes
    for (const byte of bytes) {
      a = Math.imul(a ^ byte, 0x01000193)
      b = Math.imul(b ^ byte, 0x01000193) ^ (b >>> 15)
    }
    return `#${values.length}:${a >>> 0}:${b >>> 0}`
  })

/** The content of a definition: its graph over its parameters; a custom derivative is named by identity. */
const definitionKey = (definition: Definition): string =>
  memo(
    definition,
    () =>
      `${definition.name}${definition.checkpoint ? '!' : ''}{${graphKey(definition.outputs, new Map(definition.parameters.map((p, i) => [p, `p${i}`])))}}`,
  )

/** Names of a loop's parameters in the keys of its body. */
const namesIn = ({ constants, carries, elements }: Loop): ReadonlyMap<Node, string> =>
  new Map([...constants, ...carries, ...elements].map((p, i) => [p, `p${i}`]))

/** The content of a loop, apart from what is asked of it. */
export const loopKey = (loop: Loop): string =>
  memo(loop, () => {
    const { length, reverse, constants, carries, elements, next } = loop
    const parameters = [constants, carries, elements].map((list) => list.map(typeKey).join()).join('|')
    return `${length}${reverse ? ' reversed' : ''} [${parameters}] {${graphKey(next, namesIn(loop))}}`
  })

const typeKey = ({ dtype, shape }: Node): string => `${dtype}[${shape.join(' ')}]`

const resultKey = ({ attrs: { loop, result } }: NodeOf<'scan'>): string =>
  memo(result, () =>
    result.kind === 'last' ? ` last ${result.carry}` : ` stacked {${graphKey([result.node], namesIn(loop))}}`,
  )

/** What a node is apart from its inputs. */
export const attributesKey = (node: Node): string => {
  switch (node.op) {
    case 'buffer': {
      const { source } = node.attrs
      return `buffer ${identity(source.kind === 'host' ? source.values : source.storage)}`
    }
    case 'constant':
      return `constant ${node.dtype}[${node.shape.join()}]${contentKey(node.attrs.values)}`
    case 'call':
      return `call ${node.attrs.output} ${definitionKey(node.attrs.definition)}`
    case 'scan':
      return `scan ${loopKey(node.attrs.loop)}${resultKey(node)}`
    default:
      return `${node.op} ${memo(node.attrs, () => JSON.stringify(node.attrs))}`
  }
}

/** The structure of a graph; nodes in `named` stand for themselves under the given name. */
export const graphKey = (outputs: readonly Node[], named: ReadonlyMap<Node, string>): string => {
  const numbers = new Map<Node, string>(named)
  const lines = reachable(outputs).flatMap((node) => {
    if (numbers.has(node)) return []
    numbers.set(node, String(numbers.size))
    return [`${attributesKey(node)}(${node.inputs.map((x) => numbers.get(x)).join()})`]
  })
  return `${lines.join(';')}→${outputs.map((o) => numbers.get(o)).join()}`
}
