/**
 * The leaves of a body, its loads and indices, as code: four elements at a time along one axis, which is walked in vectors.
 *
 * Positions along that axis are bytes of f32: element `k` stands at byte `4·k`, whatever the operand's dtype.
 */
import { at, range } from '../../../prelude/array.ts'
import type { DType } from '../../../graph/dtype.ts'
import type { Instruction } from '../../../compiler/kernel.ts'
import type { View } from '../../../compiler/view.ts'
import { add, apply, i32, mul, select, store, sub, type Expression, type Statement } from '../assembler/code.ts'
import { inBuffer, type Parameter } from './block.ts'
import { keep, lanesOfBits, ramp, type Emitter } from './emitter.ts'

/** A step of a body that does not come from other steps. */
export type Leaf = Extract<Instruction, { readonly kind: 'load' | 'index' }>

/** Where a leaf's elements lie. */
export const viewOf = (leaf: Leaf): View => (leaf.kind === 'load' ? leaf.from.view : leaf.view)

/** A leaf as code knows it: not where its elements lie. */
export interface LeafStructure {
  readonly kind: 'load' | 'index'
  readonly dtype: DType
}

/** A body as code knows it: its instructions, but not where operands lie or how many elements there are. */
export interface BodyStructure {
  readonly instructions: readonly (LeafStructure | Exclude<Instruction, Leaf>)[]
}

/** The loads and indices of a body, with their place among the instructions. */
export const leavesOf = <I extends { readonly kind: string }>({
  instructions,
}: {
  readonly instructions: readonly I[]
}): readonly (readonly [instruction: number, leaf: Extract<I, { readonly kind: LeafStructure['kind'] }>])[] =>
  instructions.flatMap((x, i) => (isLeaf(x) ? [[i, x] as const] : []))

const isLeaf = <I extends { readonly kind: string }>(x: I): x is Extract<I, { readonly kind: LeafStructure['kind'] }> =>
  x.kind === 'load' || x.kind === 'index'

/** The structure of a body. */
export const structureOf = ({ instructions }: BodyStructure): BodyStructure => ({
  instructions: instructions.map((x) => (isLeaf(x) ? { kind: x.kind, dtype: x.dtype } : x)),
})

/** How an operand moves along an axis: it stays, goes to the next element, or to the one before, or it jumps. */
export type Walk = 'stays' | 'next' | 'back' | 'jumps'

const walks: ReadonlyMap<number, Walk> = new Map([
  [0, 'stays'],
  [1, 'next'],
  [-1, 'back'],
])

/** The walk of a stride, in elements. */
export const walkOf = (stride: number): Walk => walks.get(stride) ?? 'jumps'

/** Bytes of an element in memory. */
const bytesOf = (dtype: DType): 1 | 4 => (dtype === 'bool' || dtype === 'u8' ? 1 : 4)

/** A step of `stride` elements, as the code counts: in bytes of memory, or in steps of an index. */
export const stepOf = (leaf: LeafStructure, stride: number): number =>
  leaf.kind === 'load' ? bytesOf(leaf.dtype) * stride : stride

/** A step of `stride` elements of an output. */
export const outputStep = (dtype: DType, stride: number): number => bytesOf(dtype) * stride

/** The element of a leaf that lies `offset` elements from the beginning of its view: its address, or, for an index, its value. */
export const startOf = (leaf: Leaf, offset: number): Parameter =>
  leaf.kind === 'load'
    ? inBuffer(leaf.from.buffer, stepOf(leaf, leaf.from.view.offset + offset))
    : leaf.view.offset + offset

/** An operand at some place of a row: how it goes on from there along the axis that is walked in vectors. */
interface Place {
  readonly walk: Walk
  readonly pointer: Expression
  readonly step: Expression
}

/** A leaf at some place of a row. */
export interface Reading extends Place {
  readonly leaf: LeafStructure
}

/** An output at some place of a row. */
export interface Writing extends Place {
  readonly dtype: DType
}

/**
 * The operand at byte `i` of its row, by a pointer that is computed here. Vectors side by side use it with offsets of their own: V8 joins them
 * into wider ones only if it sees one and the same pointer.
 */
export const advanced = <P extends Reading | Writing>(e: Emitter, operand: P, i: Expression): P => {
  const { walk, pointer, step } = operand
  if (walk === 'stays') return operand
  const isWide =
    'leaf' in operand ? operand.leaf.kind === 'load' && bytesOf(operand.leaf.dtype) === 4 : bytesOf(operand.dtype) === 4
  const position = (): Expression => apply('i32.shr_u', [i, i32(2)])
  if (walk === 'next' && isWide) return { ...operand, pointer: keep(e, 'at', add(pointer, i)) }
  if (walk === 'back' && isWide) return { ...operand, pointer: keep(e, 'at', sub(pointer, i)) }
  if (walk === 'next') return { ...operand, pointer: keep(e, 'at', add(pointer, position())) }
  return { ...operand, pointer: keep(e, 'at', add(pointer, apply('i32.mul', [position(), step]))) }
}

const reversed = [12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3]

/** Four bytes, in the lowest lane, as four lanes; those of bools as masks. */
const widened = (dtype: DType, bytes: Expression): Expression => {
  const wide = apply('i32x4.extend_low_i16x8_u', [apply('i16x8.extend_low_i8x16_u', [bytes])])
  return dtype === 'bool' ? apply('i32x4.neg', [wide]) : wide
}

/** The value of an index of f32 or a whole number. */
const readIndex = (e: Emitter, { leaf, walk, pointer, step }: Reading, ahead: number): Expression => {
  const first = apply('i32x4.splat', [walk === 'stays' ? pointer : add(pointer, mul(step, i32(ahead)))])
  const values =
    walk === 'stays' ? first : apply('i32x4.add', [first, apply('i32x4.mul', [apply('i32x4.splat', [step]), ramp(e)])])
  if (leaf.dtype === 'u8') return apply('v128.and', [values, lanesOfBits(e, 255)])
  return leaf.dtype === 'f32' ? apply('f32x4.convert_i32x4_s', [values]) : values
}

/** The values of an index, which goes on by one, for every other element of eight. */
export const readEveryOther = (e: Emitter, { pointer }: Reading): Expression =>
  apply('i32x4.add', [apply('i32x4.splat', [pointer]), apply('i32x4.shl', [ramp(e), i32(1)])])

/** Four elements that lie apart; those behind `valid`, where it is given, are not touched. */
const readApart = (e: Emitter, { leaf, pointer, step }: Reading, ahead: number, valid?: Expression): Expression => {
  const base = keep(e, 'at', add(pointer, mul(step, i32(ahead))))
  const lane = (k: number): Expression => {
    const distance = mul(step, i32(k))
    return add(base, valid === undefined ? distance : select(apply('i32.gt_s', [valid, i32(k)]), distance, i32(0)))
  }
  const [load, width] =
    bytesOf(leaf.dtype) === 4 ? (['v128.load32_lane', 1] as const) : (['v128.load8_lane', 4] as const)
  const values = range(4).reduce((vector, k) => apply(load, [lane(k), vector], 0, width * k), lanesOfBits(e, 0))
  return leaf.dtype === 'bool' ? apply('i32x4.neg', [values]) : values
}

/**
 * Four elements of a leaf, `ahead` elements further. `valid` says how many of them exist, where not all four do; the others are anything.
 */
export const read = (e: Emitter, reading: Reading, ahead = 0, valid?: Expression): Expression => {
  const { leaf, walk, pointer } = reading
  if (leaf.kind === 'index') return readIndex(e, reading, ahead)
  const wide = bytesOf(leaf.dtype) === 4
  if (walk === 'stays' && wide) return apply('v128.load32_splat', [pointer], 0)
  if (walk === 'stays') {
    const value = apply('v128.and', [apply('v128.load8_splat', [pointer], 0), lanesOfBits(e, 255)])
    return leaf.dtype === 'bool' ? apply('i32x4.neg', [value]) : value
  }
  if (walk === 'next' && wide) return apply('v128.load', [pointer], 4 * ahead)
  if (walk === 'next') return widened(leaf.dtype, apply('v128.load32_zero', [pointer], ahead))
  if (walk === 'back' && wide) {
    const values = keep(e, 'back', apply('v128.load', [add(pointer, i32(-12 - 4 * ahead))], 0))
    return apply('i8x16.shuffle', [values, values], ...reversed)
  }
  return readApart(e, reading, ahead, valid)
}

/** The four lanes as they lie in memory: bytes in the lowest bits of their lanes. */
const stored = (e: Emitter, dtype: DType, value: Expression): Expression =>
  dtype === 'bool' ? keep(e, 'bytes', apply('v128.and', [value, lanesOfBits(e, 1)])) : value

const lowestBytes = [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]

/** Writes lane `k` of a value that lies as memory has it. */
const writeLane = ({ dtype, walk, pointer, step }: Writing, ahead: number, value: Expression, k: number): Statement => {
  const next = walk === 'next'
  const wide = bytesOf(dtype) === 4
  return {
    kind: 'store',
    op: wide ? 'v128.store32_lane' : 'v128.store8_lane',
    args: [next ? pointer : add(pointer, mul(step, i32(ahead + k))), value],
    immediates: [next ? bytesOf(dtype) * (ahead + k) : 0, wide ? k : 4 * k],
  }
}

/** Writes four lanes, `ahead` elements further. */
export const write = (e: Emitter, to: Writing, ahead: number, value: Expression): readonly Statement[] => {
  const bits = stored(e, to.dtype, value)
  if (to.walk !== 'next') return range(4).map((k) => writeLane(to, ahead, bits, k))
  if (bytesOf(to.dtype) === 4) return [store('v128.store', to.pointer, bits, 4 * ahead)]
  const packed = apply('i8x16.shuffle', [bits, bits], ...lowestBytes)
  return [{ kind: 'store', op: 'v128.store32_lane', args: [to.pointer, packed], immediates: [ahead, 0] }]
}

/** Writes the first `valid` lanes, one to four. */
export const writeSome = (e: Emitter, to: Writing, value: Expression, valid: Expression): readonly Statement[] => {
  const bits = stored(e, to.dtype, value)
  const lane = (k: number): readonly Statement[] => {
    const rest: Statement = {
      kind: 'if',
      condition: apply('i32.gt_s', [valid, i32(k + 1)]),
      yes: k < 3 ? lane(k + 1) : [],
      no: [],
    }
    return [writeLane(to, 0, bits, k), ...(k < 3 ? [rest] : [])]
  }
  return lane(0)
}

/** Four vectors as rows of a 4×4 matrix; the vectors of its columns. */
export const transposed = (e: Emitter, rows: readonly Expression[]): readonly Expression[] => {
  const low = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23]
  const high = low.map((b) => b + 8)
  const pair = (x: number, y: number, order: readonly number[]): Expression =>
    keep(e, 'pair', apply('i8x16.shuffle', [at(rows, x), at(rows, y)], ...order))
  const [a, b, c, d] = [pair(0, 1, low), pair(2, 3, low), pair(0, 1, high), pair(2, 3, high)]
  const first = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
  const second = first.map((k) => k + 8)
  const half = (x: Expression, y: Expression, order: readonly number[]): Expression =>
    keep(e, 'column', apply('i8x16.shuffle', [x, y], ...order))
  return [half(a, b, first), half(a, b, second), half(c, d, first), half(c, d, second)]
}
