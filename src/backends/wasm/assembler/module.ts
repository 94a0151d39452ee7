/** A module: functions over one imported memory, as bytes and as text. */
import { opcodes, type ValueType } from './opcodes.ts'
import type { Expression, Local, Statement } from './code.ts'

/** A function. Parameters are locals too. */
export interface FunctionDefinition {
  readonly name: string
  readonly parameters: readonly Local[]
  readonly result?: ValueType
  readonly body: readonly Statement[]
  /** What a function with a result leaves. */
  readonly value?: Expression
}

/** A function that comes from outside. */
export interface Import {
  readonly name: string
  readonly parameters: readonly ValueType[]
  readonly result?: ValueType
}

/** Functions, all exported under their names; the memory is imported as env.memory, a table of functions as env.table, functions as env.<name>. */
export interface Module {
  readonly functions: readonly FunctionDefinition[]
  readonly imports?: readonly Import[]
  /** Whether calls go through a table. */
  readonly table?: boolean
  readonly memory: { readonly initial: number; readonly maximum: number; readonly shared: boolean }
}

const typeCodes: { readonly [T in ValueType]: number } = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

/** Unsigned LEB128: seven bits a byte, low ones first. */
const unsigned = (n: number): readonly number[] => {
  const bytes: number[] = []
  for (let rest = n; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 128)
  }
}

/** Signed LEB128. */
const signed = (n: bigint): readonly number[] => {
  const bytes: number[] = []
  for (let rest = n; ; rest >>= 7n) {
    const byte = Number(rest & 127n)
    const done = (rest >> 7n === 0n && byte < 64) || (rest >> 7n === -1n && byte >= 64)
    if (done) return [...bytes, byte]
    bytes.push(byte | 128)
  }
}

const floatBytes = (value: number, bytes: 4 | 8): readonly number[] => {
  const view = new DataView(new ArrayBuffer(bytes))
  if (bytes === 4) view.setFloat32(0, value, true)
  else view.setFloat64(0, value, true)
  return [...new Uint8Array(view.buffer)]
}

const named = (text: string): readonly number[] => {
  const bytes = new TextEncoder().encode(text)
  return [...unsigned(bytes.length), ...bytes]
}

const vector = (items: readonly (readonly number[])[]): readonly number[] => [
  ...unsigned(items.length),
  ...items.flat(),
]

const section = (id: number, content: readonly number[]): readonly number[] => [
  id,
  ...unsigned(content.length),
  ...content,
]

/** Where functions, locals and labels are while one body is written. */
interface Scope {
  readonly functions: ReadonlyMap<string, number>
  readonly types: (parameters: readonly ValueType[], result: ValueType | undefined) => number
  readonly locals: Map<Local, number>
  readonly labels: readonly string[]
  readonly out: number[]
}

const localIndex = (scope: Scope, local: Local): number => {
  const index = scope.locals.get(local)
  if (index === undefined) throw new Error(`the local $${local.name} was never declared`)
  return index
}

const functionIndex = (scope: Scope, name: string): number => {
  const index = scope.functions.get(name)
  if (index === undefined) throw new Error(`there is no function $${name}`)
  return index
}

const writeImmediates = (out: number[], op: keyof typeof opcodes, immediates: readonly number[]): void => {
  const { immediate, alignment } = opcodes[op]
  const [first = 0, second = 0] = immediates
  if (immediate === 'memory') out.push(...unsigned(alignment), ...unsigned(first))
  if (immediate === 'lane') out.push(first)
  if (immediate === 'memory lane') out.push(...unsigned(alignment), ...unsigned(first), second)
  if (immediate === 'shuffle') out.push(...immediates)
}

const writeConstant = (out: number[], x: Extract<Expression, { readonly kind: 'constant' }>): void => {
  if (x.type === 'i32') out.push(0x41, ...signed(BigInt(x.value)))
  else if (x.type === 'i64') out.push(0x42, ...signed(x.value))
  else if (x.type === 'f32') out.push(0x43, ...floatBytes(x.value, 4))
  else out.push(0x44, ...floatBytes(x.value, 8))
}

const writeExpression = (scope: Scope, x: Expression): void => {
  const { out } = scope
  switch (x.kind) {
    case 'constant':
      writeConstant(out, x)
      return
    case 'get':
      out.push(0x20, ...unsigned(localIndex(scope, x.local)))
      return
    case 'tee':
      writeExpression(scope, x.value)
      out.push(0x22, ...unsigned(localIndex(scope, x.local)))
      return
    case 'select':
      for (const part of [x.yes, x.no, x.condition]) writeExpression(scope, part)
      out.push(...(x.type === 'v128' ? [0x1c, 1, typeCodes.v128] : [0x1b]))
      return
    case 'call':
      for (const arg of x.args) writeExpression(scope, arg)
      out.push(0x10, ...unsigned(functionIndex(scope, x.callee)))
      return
    case 'apply':
      for (const arg of x.args) writeExpression(scope, arg)
      out.push(...opcodes[x.op].bytes)
      writeImmediates(out, x.op, x.immediates)
  }
}

const nothing = 0x40

const writeBlock = (scope: Scope, opcode: number, label: string, body: readonly Statement[]): void => {
  if (scope.labels.includes(label)) throw new Error(`the label $${label} stands inside another one of its name`)
  scope.out.push(opcode, nothing)
  writeStatements({ ...scope, labels: [label, ...scope.labels] }, body)
  scope.out.push(0x0b)
}

const writeStatement = (scope: Scope, s: Statement): void => {
  const { out } = scope
  switch (s.kind) {
    case 'set':
      writeExpression(scope, s.value)
      out.push(0x21, ...unsigned(localIndex(scope, s.local)))
      return
    case 'store':
      for (const arg of s.args) writeExpression(scope, arg)
      out.push(...opcodes[s.op].bytes)
      writeImmediates(out, s.op, s.immediates)
      return
    case 'drop':
      writeExpression(scope, s.value)
      out.push(0x1a)
      return
    case 'call indirect':
      for (const arg of [...s.args, s.index]) writeExpression(scope, arg)
      out.push(0x11, ...unsigned(scope.types(s.parameters, undefined)), 0)
      return
    case 'block':
      writeBlock(scope, 0x02, s.label, s.body)
      return
    case 'loop':
      writeBlock(scope, 0x03, s.label, s.body)
      return
    case 'if':
      writeExpression(scope, s.condition)
      out.push(0x04, nothing)
      writeStatements({ ...scope, labels: ['', ...scope.labels] }, s.yes)
      if (s.no.length > 0) {
        out.push(0x05)
        writeStatements({ ...scope, labels: ['', ...scope.labels] }, s.no)
      }
      out.push(0x0b)
      return
    case 'branch': {
      const depth = scope.labels.indexOf(s.label)
      if (depth < 0) throw new Error(`there is no label $${s.label} around this branch`)
      if (s.condition !== undefined) writeExpression(scope, s.condition)
      out.push(s.condition === undefined ? 0x0c : 0x0d, ...unsigned(depth))
      return
    }
    case 'return':
      out.push(0x0f)
  }
}

const writeStatements = (scope: Scope, statements: readonly Statement[]): void => {
  for (const s of statements) writeStatement(scope, s)
}

/** The locals that a body writes, in the order in which it does; reading one that is never written is an error. */
const localsOf = (body: readonly Statement[]): readonly Local[] => {
  const found = new Set<Local>()
  const inExpression = (x: Expression): void => {
    if (x.kind === 'tee') {
      found.add(x.local)
      inExpression(x.value)
    } else if (x.kind === 'apply' || x.kind === 'call') x.args.forEach(inExpression)
    else if (x.kind === 'select') [x.yes, x.no, x.condition].forEach(inExpression)
  }
  const inStatement = (s: Statement): void => {
    switch (s.kind) {
      case 'set':
        found.add(s.local)
        inExpression(s.value)
        return
      case 'store':
        s.args.forEach(inExpression)
        return
      case 'call indirect':
        s.args.forEach(inExpression)
        inExpression(s.index)
        return
      case 'drop':
        inExpression(s.value)
        return
      case 'block':
      case 'loop':
        s.body.forEach(inStatement)
        return
      case 'if':
        inExpression(s.condition)
        s.yes.forEach(inStatement)
        s.no.forEach(inStatement)
        return
      case 'branch':
        if (s.condition !== undefined) inExpression(s.condition)
        return
      case 'return':
    }
  }
  body.forEach(inStatement)
  return [...found]
}

const bodyOf = (f: FunctionDefinition, shared: Omit<Scope, 'locals' | 'labels' | 'out'>): readonly number[] => {
  const whole: readonly Statement[] = f.value === undefined ? f.body : [...f.body, { kind: 'drop', value: f.value }]
  const own = localsOf(whole).filter((local) => !f.parameters.includes(local))
  const locals = new Map([...f.parameters, ...own].map((local, i) => [local, i]))
  const out: number[] = []
  const scope: Scope = { ...shared, locals, labels: [], out }
  writeStatements(scope, f.body)
  if (f.value !== undefined) writeExpression(scope, f.value)
  const declarations = vector(own.map((local) => [1, typeCodes[local.type]]))
  const content = [...declarations, ...out, 0x0b]
  return [...unsigned(content.length), ...content]
}

/** The module in the binary format. */
export const encode = ({ functions, imports = [], table = false, memory }: Module): Uint8Array<ArrayBuffer> => {
  const types: string[] = []
  const encodings: (readonly number[])[] = []
  const typeIndex = (parameters: readonly ValueType[], result: ValueType | undefined): number => {
    const key = `${parameters.join()}→${result ?? ''}`
    const known = types.indexOf(key)
    if (known >= 0) return known
    encodings.push([
      0x60,
      ...vector(parameters.map((t) => [typeCodes[t]])),
      ...vector(result === undefined ? [] : [[typeCodes[result]]]),
    ])
    return types.push(key) - 1
  }
  const names = new Map([...imports, ...functions].map(({ name }, i) => [name, i]))
  const importTypes = imports.map((f) => typeIndex(f.parameters, f.result))
  const functionTypes = functions.map((f) =>
    typeIndex(
      f.parameters.map((p) => p.type),
      f.result,
    ),
  )
  const bodies = functions.map((f) => bodyOf(f, { functions: names, types: typeIndex }))
  const limits = [memory.shared ? 3 : 1, ...unsigned(memory.initial), ...unsigned(memory.maximum)]
  const bytes = [
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    section(1, vector(encodings)),
    section(
      2,
      vector([
        [...named('env'), ...named('memory'), 0x02, ...limits],
        ...(table ? [[...named('env'), ...named('table'), 0x01, 0x70, 0x00, 0x00]] : []),
        ...imports.map((f, i) => [...named('env'), ...named(f.name), 0x00, ...unsigned(importTypes[i] ?? 0)]),
      ]),
    ),
    section(3, vector(functionTypes.map(unsigned))),
    section(7, vector(functions.map((f, i) => [...named(f.name), 0x00, ...unsigned(imports.length + i)]))),
    section(10, vector(bodies)),
  ]
  return Uint8Array.from(bytes.flat())
}
