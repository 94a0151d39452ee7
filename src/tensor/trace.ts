/** Tracing: a function is called once with parameters in the place of its arguments, and the graph that it returns is compiled. */
import { at } from '../prelude/array.ts'
import { TraceError, typeError } from '../prelude/errors.ts'
import { abandon, isPromise } from '../prelude/promise.ts'
import type { DType } from '../graph/dtype.ts'
import { makeNode, nextNodeId } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { inheritOrigin, originOf as whereMade } from '../graph/origin.ts'
import { showShape } from '../graph/shape.ts'
import { substitute } from '../graph/substitute.ts'
import { reachable } from '../graph/traverse.ts'
import { compile as compilePlan, type CompileOptions } from '../compiler/compile.ts'
import type { Plan } from '../compiler/plan.ts'
import { isBuffer, parameterFor } from './realize.ts'
import { Storage } from './session.ts'
import { flatten, isOnlyTensor, isValue, leavesOf, pathsOf, unflatten, type Treedef } from './treedef.ts'
import { Tensor } from './tensor.ts'
import { tracedNumber, type TracedNumber } from './tracedNumber.ts'

/** What a parameter of a plan takes: a leaf of the arguments; a number may be asked for in several dtypes. */
export interface Input {
  readonly leaf: number
  readonly dtype: DType
  /** The position of the argument that the leaf belongs to. */
  readonly position: number
}

/** A function traced for one structure of its arguments. */
export interface Traced {
  readonly plan: Plan
  readonly given: Treedef
  readonly result: Treedef
  /** Where each leaf of the arguments stands, and in words. */
  readonly paths: readonly string[]
  readonly names: readonly string[]
  /** Each leaf in words, as a tensor that is used. */
  readonly tensors: readonly string[]
  /** By parameter of the plan. */
  readonly inputs: readonly Input[]
}

/** How a function is compiled. */
export interface Tracing {
  /** For the backend that it runs on. */
  readonly options: CompileOptions
  readonly donate: readonly number[]
}

/** `argument 0, layers.1.weight`. */
export const inWords = (path: string): string => {
  const dot = path.indexOf('.')
  return `argument ${dot < 0 ? path : `${path.slice(0, dot)}, ${path.slice(dot + 1)}`}`
}

/** The treedef of arguments; numbers at static positions are part of it. */
export const treedefOfArguments = (args: readonly unknown[], fixed: readonly number[]): Treedef => ({
  kind: 'list',
  items: args.map((x, i) => flatten(x, fixed.includes(i) ? isOnlyTensor : isValue).treedef),
})

/** Throws at what cannot be an argument, though it looks like a tree without tensors. */
const checkArgument = (x: unknown, path: string): void => {
  if (typeof x !== 'object' || x === null || x instanceof Tensor) return
  if (isPromise(x)) throw typeError(`compile: ${inWords(path)} is a Promise: await it, and pass the value`)
  if (ArrayBuffer.isView(x))
    throw typeError(`compile: ${inWords(path)} is a ${x.constructor.name}: make a tensor of it with tensor()`)
  for (const [key, item] of Object.entries(x)) checkArgument(item, `${path}.${key}`)
}

const checkResult = (result: unknown): void => {
  if (isPromise(result)) {
    abandon(result)
    throw new TraceError(
      'compile: the function returned a Promise. It is called once, to see what it computes, and must return tensors at once: nothing in it can be awaited or read',
    )
  }
  if (result === undefined) throw new TraceError('compile: the function returned nothing; is a return missing?')
}

const checkDonated = (donate: readonly number[], count: number): void => {
  for (const position of donate)
    if (!Number.isInteger(position) || position < 0 || position >= count)
      throw new RangeError(
        `compile: donate names argument ${position}, and the function is called with ${count}, numbered from 0`,
      )
}

/** The leaf that values of the host were computed from, in the end. */
const originOf = (node: NodeOf<'buffer'>): NodeOf<'buffer'> => {
  const { source } = node.attrs
  return source.kind === 'host' && source.from !== undefined && isBuffer(source.from) ? originOf(source.from) : node
}

/** `f32[2,3], made at train.ts:12:30`: its type, and its maker as far as that is known. */
const describeData = (node: NodeOf<'buffer'>): string => {
  const { source } = node.attrs
  const kept = source.kind === 'device' && source.storage instanceof Storage ? source.storage.holding.label : undefined
  const place = whereMade(node)
  return `${kept ?? `${node.dtype}${showShape(node.shape)}`}${place === undefined ? '' : `, ${place}`}`
}

/** Literals that the function made while it was traced are part of the program; data from outside would be frozen into it unnoticed. */
const frozen = (outputs: readonly Node[], firstId: number): readonly Node[] => {
  const data = reachable(outputs).filter(isBuffer)
  const outside = data.map(originOf).find((node) => node.id < firstId || node.attrs.source.kind === 'device')
  if (outside !== undefined)
    throw new TraceError(
      `compile: the function uses a tensor of data, ${describeData(outside)}, that is not one of its arguments; it would be frozen into the plan. Pass it as an argument, or make it with constant() if it is part of the program`,
    )
  if (data.length === 0) return outputs
  const literals = data.flatMap((node) => {
    const { source, shape, dtype } = node.attrs
    if (source.kind !== 'host') return []
    const literal = makeNode('constant', { values: source.values, shape, dtype }, [])
    inheritOrigin(literal, node)
    return [[node, literal] as const]
  })
  return substitute(outputs, new Map<Node, Node>(literals))
}

/** A tensor or a number as what the function gets for it. */
interface Parameter {
  readonly node: Node
  /** The plan's parameters that it has become, with their dtypes: known when the function has returned. */
  readonly parameters: () => readonly NodeOf<'parameter'>[]
}

const parametersOf = (given: readonly (Tensor | number)[]): readonly Parameter[] => {
  let next = given.filter((x) => typeof x !== 'number').length
  let tensors = 0
  return given.map((x): Parameter => {
    if (typeof x !== 'number') {
      const node = parameterFor(x.node, tensors++)
      return { node, parameters: () => [node] }
    }
    const number: TracedNumber = tracedNumber(() => next++)
    return { node: number.node, parameters: () => [...number.parameters.values()] }
  })
}

/** Traces a function for arguments of a structure, and compiles it. */
export const trace = (
  fn: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
  given: Treedef,
  { options, donate }: Tracing,
): Traced => {
  args.forEach((x, i) => {
    checkArgument(x, String(i))
  })
  checkDonated(donate, args.length)
  const firstId = nextNodeId()
  const paths = pathsOf(given)
  const taken = parametersOf(leavesOf(given, args) ?? [])
  const inside = unflatten(
    given,
    taken.map(({ node }) => new Tensor(node)),
  )
  const result = fn(...(Array.isArray(inside) ? inside : []))
  checkResult(result)
  const returned = flatten(result)
  const outputs = frozen(
    returned.leaves.map((x) => x.node),
    firstId,
  )
  const placed = taken
    .flatMap(({ parameters }, leaf) => parameters().map((node) => ({ node, leaf })))
    .toSorted((a, b) => a.node.attrs.index - b.node.attrs.index)
  const inputs = placed.map(({ node, leaf }) => ({
    leaf,
    dtype: node.dtype,
    position: Number.parseInt(at(paths, leaf), 10),
  }))
  const donated = new Set([...inputs.keys()].filter((parameter) => donate.includes(at(inputs, parameter).position)))
  const plan = compilePlan({ parameters: placed.map(({ node }) => node), outputs }, { ...options, donated })
  return {
    plan,
    given,
    result: returned.treedef,
    paths,
    names: paths.map(inWords),
    tensors: paths.map((path) => `the tensor '${path}'`),
    inputs,
  }
}
