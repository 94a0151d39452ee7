/** Writing one function: fresh locals, statements in order, and the words for vectors of four f32 or i32. */
import { apply, get, set, i32, type Expression, type Local, type Statement } from '../assembler/code.ts'
import type { ValueType } from '../assembler/opcodes.ts'

/** The statements of a function as they are written; the licensed mutation of a code generator. */
export interface Emitter {
  readonly statements: Statement[]
  readonly counter: { next: number }
  /** Vectors whose four lanes are a number, by its bits: loaded once, before the loops. */
  readonly constants: Map<number | 'ramp', Local>
}

/** An emitter with nothing written. */
export const emitter = (): Emitter => ({ statements: [], counter: { next: 0 }, constants: new Map() })

/** An emitter of the same function that writes somewhere else: the inside of a loop. */
export const inside = (e: Emitter): Emitter => ({ ...e, statements: [] })

/** A local that no other part of the function uses. */
export const fresh = (e: Emitter, name: string, type: ValueType): Local => {
  e.counter.next += 1
  return { name: `${name}${e.counter.next}`, type }
}

/** Computes a value here, once, and gives it a name. */
export const keep = (e: Emitter, name: string, value: Expression): Expression => {
  if (value.kind === 'get' || value.kind === 'constant') return value
  const local = fresh(e, name, value.type)
  e.statements.push(set(local, value))
  return get(local)
}

const bitsView = new DataView(new ArrayBuffer(4))

/** The bits of a number as f32. */
export const bitsOf = (x: number): number => {
  bitsView.setFloat32(0, x)
  return bitsView.getInt32(0)
}

/** Four lanes with these bits. V8 makes a constant again at each use, so it is put into a local before the loops (measured: 1.9 times faster). */
export const lanesOfBits = (e: Emitter, bits: number): Expression => {
  const known = e.constants.get(bits)
  if (known !== undefined) return get(known)
  const local = fresh(e, 'constant', 'v128')
  e.constants.set(bits, local)
  return get(local)
}

/** Four lanes of an f32. */
export const lanes = (e: Emitter, x: number): Expression => lanesOfBits(e, bitsOf(x))

/** The lanes 0, 1, 2, 3. */
export const ramp = (e: Emitter): Expression => {
  const known = e.constants.get('ramp')
  if (known !== undefined) return get(known)
  const local = fresh(e, 'ramp', 'v128')
  e.constants.set('ramp', local)
  return get(local)
}

const rampValue = [1, 2, 3].reduce(
  (vector, lane) => apply('i32x4.replace_lane', [vector, i32(lane)], lane),
  apply('i32x4.splat', [i32(0)]),
)

/** Writes the constants: to stand at the beginning of the function. */
export const constantStatements = (e: Emitter): readonly Statement[] =>
  [...e.constants].map(([bits, local]) => set(local, bits === 'ramp' ? rampValue : apply('i32x4.splat', [i32(bits)])))

/** `x + y` of four f32. */
export const fadd = (x: Expression, y: Expression): Expression => apply('f32x4.add', [x, y])
/** `x − y` of four f32. */
export const fsub = (x: Expression, y: Expression): Expression => apply('f32x4.sub', [x, y])
/** `x · y` of four f32. */
export const fmul = (x: Expression, y: Expression): Expression => apply('f32x4.mul', [x, y])
/** `x / y` of four f32. */
export const fdiv = (x: Expression, y: Expression): Expression => apply('f32x4.div', [x, y])
