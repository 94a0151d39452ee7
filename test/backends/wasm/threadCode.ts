/**
 * Functions of control.ts as lists of instructions: jumps instead of blocks, a stack instead of trees, so that a thread can be stopped
 * between any two of them and its state is a few numbers.
 *
 * A turn of waiting is for ever here (`f64.add`), so that counts of turns are finite.
 */
import type { Expression, Local, Statement } from '../../../src/backends/wasm/assembler/code.ts'
import type { FunctionDefinition } from '../../../src/backends/wasm/assembler/module.ts'

/** A value of a local, of the stack or of memory; i64 are bigints. */
export type Value = number | bigint

/** An instruction: of the thread's own, or a step that others see. */
export type Instruction =
  | { readonly kind: 'push'; readonly value: Value }
  | { readonly kind: 'get' | 'set' | 'tee'; readonly local: number }
  | { readonly kind: 'drop' | 'select' | 'return' | 'begin units' | 'end units' }
  | { readonly kind: 'own' | 'shared'; readonly op: string; readonly operands: number; readonly offset: number }
  | { readonly kind: 'jump'; readonly when: 'always' | 'zero' | 'not zero'; to: number }

/** The function as a list: jumps instead of blocks, a stack instead of trees. */
export interface Code {
  readonly instructions: readonly Instruction[]
  readonly locals: readonly Local[]
}

const isShared = (op: string): boolean => op.includes('.atomic.')

/** Lists the instructions of a function. */
export const flattened = ({ parameters, body, value }: FunctionDefinition): Code => {
  const instructions: Instruction[] = []
  const locals: Local[] = [...parameters]
  const labels: { readonly name: string; readonly start?: number; readonly exits: { to: number }[] }[] = []
  const numberOf = ({ name, type }: Local): number => {
    const found = locals.findIndex((local) => local.name === name)
    return found >= 0 ? found : locals.push({ name, type }) - 1
  }
  const jump = (when: 'always' | 'zero' | 'not zero', to = -1): { to: number } => {
    const made = { kind: 'jump' as const, when, to }
    instructions.push(made)
    return made
  }
  const operation = (op: string, args: readonly Expression[], offset = 0): void => {
    args.forEach(expression)
    instructions.push({ kind: isShared(op) ? 'shared' : 'own', op, operands: args.length, offset })
  }
  const expression = (x: Expression): void => {
    if (x.kind === 'constant') instructions.push({ kind: 'push', value: x.value })
    else if (x.kind === 'get') instructions.push({ kind: 'get', local: numberOf(x.local) })
    else if (x.kind === 'apply') operation(x.op, x.args, x.immediates.at(-1))
    else if (x.kind === 'tee') {
      expression(x.value)
      instructions.push({ kind: 'tee', local: numberOf(x.local) })
    } else if (x.kind === 'select') {
      for (const part of [x.yes, x.no, x.condition]) expression(part)
      instructions.push({ kind: 'select' })
    } else throw new Error(`the model has no ${x.kind}`)
  }
  const labelled = (name: string, start: number | undefined, inside: readonly Statement[]): void => {
    const label = { name, ...(start === undefined ? {} : { start }), exits: [] as { to: number }[] }
    labels.push(label)
    inside.forEach(statement)
    labels.pop()
    for (const exit of label.exits) exit.to = instructions.length
  }
  const branch = (name: string): void => {
    const label = labels.findLast((l) => l.name === name)
    if (label === undefined) throw new Error(`no label ${name}`)
    const made = jump('always', label.start)
    if (label.start === undefined) label.exits.push(made)
  }
  const statement = (s: Statement): void => {
    switch (s.kind) {
      case 'set':
        expression(s.value)
        instructions.push({ kind: 'set', local: numberOf(s.local) })
        return
      case 'store':
        operation(s.op, s.args, s.immediates.at(-1))
        return
      case 'drop':
        expression(s.value)
        instructions.push({ kind: 'drop' })
        return
      case 'call indirect':
        for (const x of [...s.args, s.index]) expression(x)
        instructions.push({ kind: 'begin units' }, { kind: 'end units' })
        return
      case 'block':
      case 'loop':
        labelled(s.label, s.kind === 'loop' ? instructions.length : undefined, s.body)
        return
      case 'if': {
        expression(s.condition)
        const toNo = jump('zero')
        s.yes.forEach(statement)
        const toEnd = jump('always')
        toNo.to = instructions.length
        s.no.forEach(statement)
        toEnd.to = instructions.length
        return
      }
      case 'branch': {
        if (s.condition !== undefined) throw new Error('the model has no conditional branch')
        branch(s.label)
        return
      }
      case 'return':
        instructions.push({ kind: 'return' })
    }
  }
  body.forEach(statement)
  if (value !== undefined) expression(value)
  instructions.push({ kind: 'return' })
  return { instructions, locals }
}

/** As 32 bits with a sign. */
export const i32 = (x: Value | undefined): number => Number(x) | 0
/** As 64 bits. */
export const i64 = (x: Value | undefined): bigint => BigInt.asUintN(64, BigInt(x ?? 0))

/** What instructions do to values of the thread's own. */
const operations: Readonly<Record<string, (x?: Value, y?: Value) => Value>> = {
  'i32.add': (x, y) => (i32(x) + i32(y)) | 0,
  'i32.sub': (x, y) => (i32(x) - i32(y)) | 0,
  'i32.or': (x, y) => i32(x) | i32(y),
  'i32.and': (x, y) => i32(x) & i32(y),
  'i32.eqz': (x) => Number(i32(x) === 0),
  'i32.eq': (x, y) => Number(i32(x) === i32(y)),
  'i32.ne': (x, y) => Number(i32(x) !== i32(y)),
  'i32.lt_s': (x, y) => Number(i32(x) < i32(y)),
  'i32.gt_s': (x, y) => Number(i32(x) > i32(y)),
  'i32.wrap_i64': (x) => Number(BigInt.asIntN(32, i64(x))),
  'i64.extend_i32_u': (x) => BigInt(i32(x) >>> 0),
  'i64.add': (x, y) => i64(i64(x) + i64(y)),
  'i64.shl': (x, y) => i64(i64(x) << i64(y)),
  'i64.shr_u': (x, y) => i64(x) >> i64(y),
  'i64.eq': (x, y) => Number(i64(x) === i64(y)),
  'f64.sqrt': (x) => Math.sqrt(Number(x)),
  'f64.mul': (x, y) => Number(x) * Number(y),
  'f64.add': () => Infinity, // a turn is for ever
  'f64.gt': (x, y) => Number(Number(x) > Number(y)),
}

/** The result of an operation on values of the thread's own. */
export const computed = (op: string, x: Value | undefined, y: Value | undefined): Value => {
  const compute = operations[op]
  if (compute === undefined) throw new Error(`the model has no ${op}`)
  return compute(x, y)
}
