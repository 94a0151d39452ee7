/**
 * What random programs are made of: tensors with a bound on their elements, so that sixty operations in a row stay finite, and a stream
 * of choices from which an operation takes its attributes.
 */
import type { DType } from '../../src/graph/dtype.ts'
import { isFloat } from '../../src/graph/dtype.ts'
import { makeNode } from '../../src/graph/node.ts'
import type { Node, OpName, Ops } from '../../src/graph/ops.ts'
import type { Key } from '../../src/tensor/random.ts'
import { gather } from '../../src/tensor/combine.ts'
import { full, iota } from '../../src/tensor/create.ts'
import { Tensor } from '../../src/tensor/tensor.ts'

/** A tensor and a number that no element's magnitude exceeds; Infinity where nothing is known. */
export interface Value {
  readonly x: Tensor
  readonly bound: number
}

/**
 * `mixed`: all dtypes, elements bounded. `wild`: the same with the bare primitives, so infinities and NaN arise. `double`: all operations,
 * but every float is f64, so that linear algebra may be held to f64. `smooth`: f64 alone, and operations whose derivatives are continuous,
 * so that finite differences apply. `whole`: the inputs are whole numbers of any size, so that sums and products wrap. `single`: all
 * operations, and no f64, which a GPU has not.
 */
export type Mode = 'mixed' | 'wild' | 'double' | 'smooth' | 'whole' | 'single'

/** The floats of a mode. */
export const floatsOf = (mode: Mode): readonly DType[] =>
  mode === 'double' || mode === 'smooth' ? ['f64'] : mode === 'single' ? ['f32', 'f16'] : ['f32', 'f64', 'f16']

/** A whole number in 0 … n − 1. */
export type Choose = (n: number) => number

/** What an operation sees of the program. */
export interface Context {
  readonly values: readonly Value[]
  readonly key: Key
  readonly mode: Mode
  readonly choose: Choose
}

/** An operation of random programs. */
export interface Operation {
  readonly name: string
  /** How often it is chosen, against 1. */
  readonly weight: number
  /** Whether its derivatives are continuous and it keeps f64: what finite differences need. */
  readonly smooth: boolean
  readonly takes: (x: Tensor, context: Context) => boolean
  readonly make: (value: Value, context: Context) => Value | readonly Value[]
}

/** Mulberry32: choices from a seed (Ettinger 2017, public domain). */
export const choices = (seed: number): Choose => {
  let state = seed | 0
  return (n) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}

/** One of the list. */
export const pick = <T>(from: readonly T[], choose: Choose): T => {
  const found = from[choose(from.length)]
  if (found === undefined) throw new Error('fuzz: nothing to pick from')
  return found
}

/** The list in random order. */
export const shuffled = <T>(from: readonly T[], choose: Choose): readonly T[] => {
  const rest = [...from]
  return from.map(() => rest.splice(choose(rest.length), 1)[0] as T)
}

/** A primitive as it stands in the graph, without what the methods of Tensor leave out or add. */
export const raw = <K extends OpName>(op: K, attrs: Ops[K]['attrs'], ...xs: readonly Tensor[]): Tensor =>
  new Tensor(makeNode(op, attrs, xs.map((x) => x.node) as unknown as Ops[K]['inputs']) as Node)

/** The most that an integer of this dtype can be. */
export const rangeOf = (dtype: DType): number =>
  dtype === 'bool' ? 1 : dtype === 'u8' ? 255 : isFloat(dtype) ? Infinity : 2 ** 32

const largest: { readonly [K in DType]: number } = { f16: 16, f32: 64, f64: 64, i32: 0, u32: 0, u8: 0, bool: 0 }

/** A value of this tensor: floats that may have grown are scaled down by a power of two, integers wrap. */
export const settled = (x: Tensor, bound: number, mode: Mode): Value => {
  if (!isFloat(x.dtype)) return { x, bound: Math.min(bound, rangeOf(x.dtype)) }
  if (mode === 'wild' || bound <= largest[x.dtype]) return { x, bound }
  const scale = 2 ** Math.floor(Math.log2(4 / bound))
  return { x: x.mul(scale), bound: bound * scale }
}

const fits = (from: readonly number[], to: readonly number[]): boolean =>
  from.length <= to.length && from.every((n, i) => n === 1 || n === to[to.length - from.length + i])

/** `y` made to a shape: broadcast where it fits, else cut or repeated. */
export const fitted = (y: Tensor, shape: readonly number[]): Tensor => {
  if (fits(y.shape, shape)) return y.broadcastTo(shape)
  const size = shape.reduce((a, b) => a * b, 1)
  if (y.size === 0) return full(shape, 3, y.dtype)
  return size <= y.size
    ? y.reshape([y.size]).slice([0, size]).reshape(shape)
    : gather(y.reshape([y.size]), iota([size], 0).rem(y.size)).reshape(shape)
}

/** A float as `dtype`, brought below 7 where nothing bounds it; integers likewise. */
export const asDType = ({ x, bound }: Value, dtype: DType, mode: Mode): Value => {
  if (x.dtype === dtype) return { x, bound }
  if (x.dtype === 'bool' || !isFloat(dtype)) return { x: x.cast(dtype), bound: castBound(x.dtype, bound, dtype) }
  const small = isFloat(x.dtype) || bound <= 16 || mode === 'wild'
  return settled((small ? x : x.rem(7)).cast(dtype), small ? bound : 6, mode)
}

const castBound = (from: DType, bound: number, to: DType): number => {
  if (to === 'bool') return 1
  if (to === 'u32' || to === 'u8') return from === 'i32' || isFloat(from) || bound > rangeOf(to) ? rangeOf(to) : bound
  return Math.min(bound, rangeOf(to))
}

/** A further value of the program with a dtype, of any shape: one that is there, else one that is cast. */
export const another = (dtype: DType, { values, choose, mode }: Context): Value => {
  const same = values.filter((v) => v.x.dtype === dtype)
  return same.length > 0 ? pick(same, choose) : asDType(pick(values, choose), dtype, mode)
}

/** A further value with the dtype of `x` and, if it is not scalar or of `x`'s shape already, fitted to it. */
export const like = (x: Tensor, context: Context): Value => {
  const { values, choose } = context
  const twins = values.filter((v) => v.x.dtype === x.dtype && v.x.shape.join() === x.shape.join())
  if (twins.length > 0 && choose(3) > 0) return pick(twins, choose)
  const y = another(x.dtype, context)
  return { x: fitted(y.x, x.shape), bound: y.x.size === 0 ? 3 : y.bound }
}
