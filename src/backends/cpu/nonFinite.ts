/**
 * From a result that is not finite back to the first value that is not, although what it was made from is.
 *
 * Infinities that are given, as a mask of −∞, are meant; so is what comes to no result, as the branch of a `select` that is not taken.
 */
import { at } from '../../prelude/array.ts'
import { NonFiniteError } from '../../prelude/errors.ts'
import { isFloat, type TypedArray } from '../../graph/dtype.ts'
import type { Node } from '../../graph/ops.ts'
import { originOf } from '../../graph/origin.ts'
import { rowMajor, showShape, type Shape } from '../../graph/shape.ts'
import type { Check } from '../backend.ts'
import type { Observe } from './interpret.ts'
import { load } from './store.ts'

/** What is wrong with the value of a node. */
interface Finding {
  readonly node: Node
  readonly nans: number
  readonly infinities: number
  /** The first bad element. */
  readonly first: number
  readonly value: number
  readonly size: number
  /** The range of the inputs, in words. */
  readonly inputs: string
}

/** A bad value, and where it comes from: undefined for what was given so on purpose. */
interface Trail {
  readonly finding: Finding
  readonly source: Finding | undefined
}

const isBad = (x: number, check: Check): boolean => (check === 'nan' ? Number.isNaN(x) : !Number.isFinite(x))

const rangeOf = (node: Node, values: TypedArray): string => {
  let [low, high] = [Infinity, -Infinity]
  for (let i = 0; i < values.length; i++) {
    const x = load(values, i)
    if (x < low) low = x
    if (x > high) high = x
  }
  const typing = `${node.dtype}${showShape(node.shape)}`
  if (low > high) return typing
  const short = (x: number): string => String(Number(x.toPrecision(4)))
  return low === high ? `${typing} of ${short(low)}` : `${typing} in ${short(low)} … ${short(high)}`
}

const examine = (node: Node, values: TypedArray, inputs: readonly TypedArray[], check: Check): Finding | undefined => {
  let [nans, infinities, first] = [0, 0, -1]
  for (let i = 0; i < values.length; i++) {
    const x = load(values, i)
    if (!isBad(x, check)) continue
    if (first < 0) first = i
    if (Number.isNaN(x)) nans++
    else infinities++
  }
  if (first < 0) return undefined
  const described = node.inputs.flatMap((x, i) => (isFloat(x.dtype) ? [rangeOf(x, at(inputs, i))] : []))
  return {
    node,
    nans,
    infinities,
    first,
    value: load(values, first),
    size: values.length,
    inputs: described.join(' and '),
  }
}

/** Whether the bad elements of input `i` can have come into the value: `where` takes some and leaves the others. */
const reaches = (node: Node, i: number, inputs: readonly TypedArray[], check: Check): boolean => {
  if (node.op !== 'where') return true
  const [condition, chosen] = [at(inputs, 0), at(inputs, i)]
  return chosen.some((_, j) => isBad(load(chosen, j), check) && (condition[j] !== 0) === (i === 1))
}

const isGiven = ({ op }: Node): boolean => op === 'parameter' || op === 'constant'

const earlier = (a: Finding, b: Finding): Finding => (a.node.id <= b.node.id ? a : b)

const sourceOf = (finding: Finding, from: readonly Trail[]): Finding | undefined => {
  const made = from.flatMap(({ source }) => (source === undefined ? [] : [source]))
  if (made.length > 0) return made.reduce(earlier)
  if (isGiven(finding.node)) return finding.nans > 0 ? finding : undefined
  const isNew = from.length === 0 || (finding.nans > 0 && from.every((trail) => trail.finding.nans === 0))
  return isNew ? finding : undefined // else an infinity that was given goes on as one
}

const indexOf = (shape: Shape, i: number): Shape =>
  rowMajor(shape).map((stride, axis) => Math.floor(i / stride) % at(shape, axis))

const describe = ({ node, nans, infinities, first, value, size, inputs }: Finding): string => {
  const typing = `${node.dtype}${showShape(node.shape)}`
  const count = nans + infinities
  const where = size === 1 ? '' : `, ${count} of ${size} elements, first at ${showShape(indexOf(node.shape, first))}`
  const origin = originOf(node)
  const behind = origin === undefined ? '' : `; ${origin}`
  if (node.op === 'parameter') return `a value that was given, ${typing}, holds ${value}${where}${behind}`
  if (node.op === 'constant') return `a literal of the program, ${typing}, holds ${value}${where}${behind}`
  return `${node.op} makes ${value} in ${typing}${where}, from ${inputs === '' ? 'integers' : inputs}${behind}`
}

/** Watches one run. */
export interface Watch {
  readonly observe: Observe
  /** @throws NonFiniteError when what is wrong with an output was made on the way */
  readonly requireFinite: (outputs: readonly Node[]) => void
}

/** A watch for what `check` looks for. */
export const watch = (check: Check): Watch => {
  const trails = new Map<Node, Trail>()
  return {
    observe: (node, values, inputs) => {
      const finding = isFloat(node.dtype) && !trails.has(node) ? examine(node, values, inputs, check) : undefined
      if (finding === undefined) return
      const from = node.inputs.flatMap((x, i) => {
        const trail = trails.get(x)
        return trail !== undefined && reaches(node, i, inputs, check) ? [trail] : []
      })
      trails.set(node, { finding, source: sourceOf(finding, from) })
    },
    requireFinite: (outputs) => {
      const sources = outputs.flatMap((node) => trails.get(node)?.source ?? [])
      if (sources.length > 0) throw new NonFiniteError(describe(sources.reduce(earlier)))
    },
  }
}
