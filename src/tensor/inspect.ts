/**
 * What a tensor looks like: shape, dtype, the values where they are on the host, else what makes it. Never the graph, which grows with
 * everything that was ever computed.
 */
import { at, product, range } from '../prelude/array.ts'
import type { DType } from '../graph/dtype.ts'
import type { Node } from '../graph/ops.ts'
import { rowMajor, showShape, sizeOf, type Shape } from '../graph/shape.ts'
import { elementOf, nest, type Nested } from './nested.ts'

type ElementAt = (i: number) => number | boolean

/** The elements of a node that is data of the host, or one number in every element. */
const hostElements = (node: Node): ElementAt | undefined => {
  if (node.op === 'constant') return elementOf(node.dtype, node.attrs.values)
  if (node.op === 'buffer')
    return node.attrs.source.kind === 'host' ? elementOf(node.dtype, node.attrs.source.values) : undefined
  if ((node.op === 'broadcast' || node.op === 'reshape') && sizeOf(node.inputs[0].shape) === 1) {
    const one = hostElements(node.inputs[0])
    return one === undefined ? undefined : () => one(0)
  }
  return undefined
}

/** Digits that the dtype holds, and no more than a reader wants. */
const digits: { readonly [K in DType]: number } = { f16: 4, f32: 6, f64: 10, i32: 10, u32: 10, u8: 3, bool: 1 }

/** Whole numbers are shown whole, as long as they are not longer than a reader counts. */
const showElement = (x: number | boolean, dtype: DType): string => {
  if (Object.is(x, -0)) return '-0'
  if (typeof x === 'boolean' || !Number.isFinite(x) || Number.isSafeInteger(x)) return String(x)
  return String(Number(x.toPrecision(digits[dtype])))
}

/** NumPy's: larger tensors show three elements at each end of an axis. */
const whole = 1000
const edge = 3

/** Whether everything is shown; a row without elements takes its place too. */
const isSmall = (shape: Shape): boolean => product(shape.map((n) => Math.max(1, n))) <= whole

const shown = (length: number, all: boolean): readonly (number | undefined)[] =>
  all || length <= 2 * edge ? range(length) : [...range(edge), undefined, ...range(edge).map((i) => length - edge + i)]

/** Rows of the last axis on a line each, columns aligned, `…` for what is left out. */
const showElements = (shape: Shape, dtype: DType, element: ElementAt): string => {
  const all = isSmall(shape)
  const strides = rowMajor(shape)
  const texts = new Map<number, string>()
  const collect = (axis: number, start: number): void => {
    if (axis === shape.length) texts.set(start, showElement(element(start), dtype))
    else
      for (const i of shown(at(shape, axis), all)) if (i !== undefined) collect(axis + 1, start + i * at(strides, axis))
  }
  collect(0, 0)
  const width = Math.max(0, ...[...texts.values()].map((text) => text.length))
  const write = (axis: number, start: number): string => {
    if (axis === shape.length) return (texts.get(start) ?? '').padStart(shape.length > 1 ? width : 0)
    const gap = shape.length - axis === 1 ? ', ' : `,${'\n'.repeat(shape.length - axis - 1)}${' '.repeat(axis + 1)}`
    const parts = shown(at(shape, axis), all).map((i) =>
      i === undefined ? '…' : write(axis + 1, start + i * at(strides, axis)),
    )
    return `[${parts.join(gap)}]`
  }
  return write(0, 0)
}

/** What makes the values of a node, in words. */
const showMaker = (node: Node): string => {
  switch (node.op) {
    case 'buffer':
      return 'on a device: await device.read(x)'
    case 'parameter':
      return `argument ${node.attrs.index} of a function that is being traced: it has no values yet`
    case 'call':
      return `made by ${node.attrs.definition.name}, not computed yet: await device.read(x)`
    default:
      return `made by ${node.op}, not computed yet: await device.read(x)`
  }
}

/** `Tensor f32[2] [1, 2]`, or `Tensor f32[2], made by add, not computed yet: …`. */
export const showNode = (node: Node): string => {
  const head = `Tensor ${node.dtype}${showShape(node.shape)}`
  const element = hostElements(node)
  if (element === undefined) return `${head}, ${showMaker(node)}`
  return `${head}${node.shape.length > 1 ? '\n' : ' '}${showElements(node.shape, node.dtype, element)}`
}

/** What stands for a tensor in JSON. */
export interface TensorJson {
  readonly dtype: DType
  readonly shape: Shape
  /** What makes it, where its values are not on the host. */
  readonly op?: string
  /** Up to 1,000 values that are on the host; what JSON has no number for is a string. */
  readonly values?: Nested<number | boolean | string>
}

const jsonElement = (x: number | boolean): number | boolean | string =>
  typeof x === 'number' && !Number.isFinite(x) ? String(x) : x

/** The node without the graph below it. */
export const jsonOf = (node: Node): TensorJson => {
  const { dtype, shape } = node
  const element = hostElements(node)
  if (element === undefined || !isSmall(shape))
    return { dtype, shape, op: node.op === 'call' ? node.attrs.definition.name : node.op }
  return { dtype, shape, values: nest(shape, (i) => jsonElement(element(i))) }
}
