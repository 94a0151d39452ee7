/**
 * Parameter blocks by name: the words that a function of a phase reads, declared once. The phase writes a value for each name, the code reads
 * an expression by the same name, and the order in memory is nobody's business but this file's.
 */
import { at, range } from '../../../prelude/array.ts'
import { apply, get, type Expression, type Local } from '../assembler/code.ts'
import { keep, type Emitter } from './emitter.ts'

/**
 * A word of a parameter block: a number; where a buffer of the plan begins, in bytes, `offset` bytes further; an address in the scratch
 * memory that kernels share, which no kernel finds as it left it; where a table lies that was made with the plan; where another block lies; or
 * which function of the threads' tables has a phase's key.
 */
export type Parameter =
  | number
  | { readonly kind: 'buffer'; readonly buffer: number; readonly offset: number }
  | { readonly kind: 'scratch'; readonly offset: number }
  | { readonly kind: 'table'; readonly values: Int32Array | Float32Array }
  | { readonly kind: 'block'; readonly words: readonly Parameter[] }
  | { readonly kind: 'function'; readonly key: string }

/** The address of a byte of a buffer. */
export const inBuffer = (buffer: number, offset = 0): Parameter => ({ kind: 'buffer', buffer, offset })

/** The address of a byte of the scratch memory. */
export const inScratch = (offset: number): Parameter => ({ kind: 'scratch', offset })

/** The words, also of blocks in them, each as `place` has it. */
export const relocated = (parameters: readonly Parameter[], place: (p: Parameter) => Parameter): readonly Parameter[] =>
  parameters.map((p) =>
    typeof p !== 'number' && p.kind === 'block' ? { ...p, words: relocated(p.words, place) } : place(p),
  )

/** The address of a table. */
export const table = (values: Int32Array | Float32Array): Parameter => ({ kind: 'table', values })

/** Some words that lie one behind the other: how a value is written into them, and how code reads them. */
export interface Field<in Value, out Read> {
  /** How many words it takes. */
  readonly size: number
  readonly write: (value: Value) => readonly Parameter[]
  /**
   * @param wordAt reads a word by its index in the whole block
   * @param first index of this field's first word
   */
  readonly read: (wordAt: (index: number) => Expression, first: number) => Read
}

/** What is read of a field. */
export type ReadOf<F> = F extends Field<never, infer Read> ? Read : never

/** Fields by name. */
type Fields = Readonly<Record<string, Field<never, unknown>>>

/** A value for each name. */
type ValuesOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer Value, unknown> ? Value : never }

/** What is read by each name. */
type ReadsOf<F extends Fields> = { readonly [K in keyof F]: ReadOf<F[K]> }

/** One word. */
export const word: Field<Parameter, Expression> = {
  size: 1,
  write: (value) => [value],
  read: (wordAt, first) => wordAt(first),
}

/** Several fields in their order. */
export const each = <Value, Read>(fields: readonly Field<Value, Read>[]): Field<readonly Value[], readonly Read[]> => {
  const starts = fields.map((_, k) => fields.slice(0, k).reduce((sum, f) => sum + f.size, 0))
  return {
    size: fields.reduce((sum, f) => sum + f.size, 0),
    write: (values) => {
      if (values.length !== fields.length)
        throw new Error(`wasm: a block has room for ${fields.length} values of a list, it was given ${values.length}`)
      return fields.flatMap((f, k) => f.write(at(values, k)))
    },
    read: (wordAt, first) => fields.map((f, k) => f.read(wordAt, first + at(starts, k))),
  }
}

/** So many words. */
export const list = (length: number): Field<readonly Parameter[], readonly Expression[]> => listOf(length, word)

/** So many fields of one kind. */
export const listOf = <Value, Read>(
  length: number,
  field: Field<Value, Read>,
): Field<readonly Value[], readonly Read[]> => each(range(length).map(() => field))

/** A word for each of these names. */
export const words = <K extends string>(...names: readonly K[]): { readonly [N in K]: typeof word } =>
  Object.fromEntries(names.map((name) => [name, word])) as { readonly [N in K]: typeof word }

/** What is read of a word for each of these names. */
export type Words<K extends string> = { readonly [N in K]: Expression }

/** Named fields; a field of another block may be one of them. */
export const block = <F extends Fields>(fields: F): Field<ValuesOf<F>, ReadsOf<F>> => {
  const entries = Object.entries(fields)
  return {
    size: entries.reduce((sum, [, f]) => sum + f.size, 0),
    write: (values) => entries.flatMap(([name, f]) => f.write(values[name] as never)),
    read: (wordAt, first) => {
      const reads: Record<string, unknown> = {}
      let next = first
      for (const [name, f] of entries) {
        reads[name] = f.read(wordAt, next)
        next += f.size
      }
      return reads as ReadsOf<F>
    },
  }
}

/** Reads a block where its words are used: every use of an expression loads its word. */
export const readAt = <Read>({ read }: Field<never, Read>, pointer: Local): Read =>
  read((index) => apply('i32.load', [get(pointer)], 4 * index), 0)

/** Every word that was read as a local that is loaded here, once. */
export const kept = <R extends Kept>(e: Emitter, reads: R): R => keptAs(e, reads, 'word') as R

/** What a block reads. */
export type Kept = Expression | readonly Kept[] | { readonly [name: string]: Kept }

const isExpression = (x: Kept): x is Expression => 'kind' in x && typeof x.kind === 'string'

const isList = (x: Kept): x is readonly Kept[] => Array.isArray(x)

const keptAs = (e: Emitter, x: Kept, name: string): Kept => {
  if (isList(x)) return x.map((y) => keptAs(e, y, name))
  if (isExpression(x)) return keep(e, name, x)
  return Object.fromEntries(Object.entries(x).map(([key, y]) => [key, keptAs(e, y, key)]))
}
