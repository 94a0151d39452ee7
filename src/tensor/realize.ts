/** Computing tensors where they are asked for: their graph, over the buffers that it reads, is a plan like any other. */
import { at } from '../prelude/array.ts'
import { graphKey } from '../graph/key.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { inheritOrigin } from '../graph/origin.ts'
import { substitute } from '../graph/substitute.ts'
import { reachable } from '../graph/traverse.ts'
import { compile as compilePlan } from '../compiler/compile.ts'
import type { Plan } from '../compiler/plan.ts'
import { orLost } from './lost.ts'
import {
  giveBack,
  optionsOf,
  requireCompiled,
  type Holding,
  type Ready,
  type Session,
  type Storage,
} from './session.ts'
import {
  bringNumber,
  bringValues,
  giveBackBrought,
  leafTensor,
  ready,
  run,
  storageFor,
  type Brought,
} from './storage.ts'
import type { Tensor } from './tensor.ts'
import { leaves, refill } from './tree.ts'

/** Whether the node is a leaf of data. */
export const isBuffer = (node: Node): node is NodeOf<'buffer'> => node.op === 'buffer'

/** A parameter in the place of a leaf. */
export const parameterFor = (node: Node, index: number): NodeOf<'parameter'> => {
  const made = makeNode('parameter', { index, shape: node.shape, dtype: node.dtype }, [])
  inheritOrigin(made, node)
  return made
}

/** Whether the node is one number that is part of the program. */
const isLiteral = (node: Node): node is NodeOf<'constant'> =>
  node.op === 'constant' && node.shape.length === 0 && node.dtype !== 'bool'

/** Plans that `realize` keeps: a program that explores in more ways compiles again. */
const mostPlans = 256

/** Keeps a plan as the one that was used last, and gives up the one that was used longest ago when there are too many. */
const remember = ({ realizations }: Session, key: string, made: Ready): void => {
  realizations.delete(key)
  realizations.set(key, made)
  if (realizations.size <= mostPlans) return
  const [oldest] = realizations
  if (oldest === undefined) return
  realizations.delete(oldest[0])
  oldest[1].executable.release()
}

/**
 * The storages of computed nodes. Their graph over its leaves of data and its numbers is a plan, kept by its structure, so that a loop with another
 * number a turn runs one plan.
 */
export const compute = (session: Session, outputs: readonly Node[]): readonly Storage[] => {
  const inputs = reachable(outputs).filter((node) => isBuffer(node) || isLiteral(node))
  const names = new Map<Node, string>(inputs.map((b, i) => [b, `b${i}:${b.dtype}[${b.shape.join()}]`]))
  const key = `${[...names.values()].join()}|${graphKey(outputs, names)}`
  const made = session.realizations.get(key) ?? ready(session, planOver(session, inputs, outputs), 'realize')
  remember(session, key, made)
  requireCompiled(made)
  const brought: Brought = new Map()
  try {
    const storages = inputs.map((node) =>
      isBuffer(node)
        ? storageFor(session, node, 'a tensor that is used', brought)
        : bringNumber(session, node.attrs.values, brought),
    )
    return run(session, made, { inputs: storages })
  } finally {
    giveBackBrought(session, brought)
  }
}

/** Compiles a graph with some of its leaves turned into parameters. */
const planOver = (session: Session, inputs: readonly Node[], outputs: readonly Node[]): Plan => {
  const parameters = inputs.map(parameterFor)
  const closed = substitute(outputs, new Map(inputs.map((b, i) => [b, at(parameters, i)])))
  return compilePlan({ parameters, outputs: closed }, optionsOf(session))
}

/** A leaf as a tensor on the device. */
const onDevice = (session: Session, x: Tensor, node: NodeOf<'buffer'>): Tensor => {
  if (node.attrs.source.kind === 'host') return leafTensor(session, bringValues(session, node), node)
  storageFor(session, node, 'the tensor', new Map()) // throws where it cannot be used any more
  return x
}

/** Every leaf as a value on the device. */
const realizeLeaves = (session: Session, all: readonly Tensor[]): readonly Tensor[] => {
  const values = new Map<Tensor, Tensor>()
  for (const x of new Set(all)) if (isBuffer(x.node)) values.set(x, onDevice(session, x, x.node))
  const lazy = [...new Set(all.filter((x) => !values.has(x)))]
  if (lazy.length > 0) {
    const storages = compute(
      session,
      lazy.map((x) => x.node),
    )
    lazy.forEach((x, i) => values.set(x, leafTensor(session, at(storages, i), x)))
  }
  return all.map((x) => values.get(x) ?? x)
}

/** The tree with every leaf computed. */
export const realizeTree = <T>(session: Session, tree: T): T => refill(tree, realizeLeaves(session, leaves(tree)))

/** The bytes of a tensor, as they are when this is called; what is computed only for that is given back at once. */
export const readBytes = (session: Session, { node }: Tensor): Uint8Array | Promise<Uint8Array> => {
  const readFrom = ({ memory, label }: Holding): Promise<Uint8Array> =>
    orLost(session, session.backend.read(memory), label)
  if (!isBuffer(node)) {
    const { holding } = at(compute(session, [node]), 0)
    const bytes = readFrom(holding)
    giveBack(session, holding, { kind: 'behind the call' })
    return bytes
  }
  const { source } = node.attrs
  if (source.kind === 'device') return readFrom(storageFor(session, node, 'the tensor', new Map()).holding)
  const { buffer, byteOffset, byteLength } = source.values
  return new Uint8Array(buffer, byteOffset, byteLength).slice()
}
