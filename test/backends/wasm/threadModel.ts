/**
 * The loops of control.ts, run in every order in which threads can be given time.
 *
 * The trees that become WebAssembly are read here as they are: each access to the control block is a step, threads take steps in any
 * order, and every state that they can come to is visited once (a model checker, as SPIN is: Holzmann 1997, "The model checker SPIN").
 * Threads are sequentially consistent, as WebAssembly's atomics are.
 *
 * Two liberties. A thread that has waited one turn has waited for ever, so that counts of turns are finite; and what sleeps with a time
 * limit sleeps until it is woken, so that a wake-up that is lost is a state from which nothing goes on.
 */
import { calls, control, recordWords, runFunction, workFunction } from '../../../src/backends/wasm/control.ts'
import type { Expression, Local, Statement } from '../../../src/backends/wasm/assembler/code.ts'
import type { Function } from '../../../src/backends/wasm/assembler/module.ts'

type Value = number | bigint

type Instruction =
  | { readonly kind: 'push'; readonly value: Value }
  | { readonly kind: 'get' | 'set' | 'tee'; readonly local: number }
  | { readonly kind: 'drop' | 'select' | 'return' | 'begin units' | 'end units' }
  | { readonly kind: 'own' | 'shared'; readonly op: string; readonly operands: number; readonly offset: number }
  | { readonly kind: 'jump'; readonly when: 'always' | 'zero' | 'not zero'; to: number }

/** The function as a list: jumps instead of blocks, a stack instead of trees. */
interface Code {
  readonly instructions: readonly Instruction[]
  readonly locals: readonly Local[]
}

const isShared = (op: string): boolean => op.includes('.atomic.')

/** Lists the instructions of a function. */
const flattened = ({ parameters, body, value }: Function): Code => {
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

const i32 = (x: Value | undefined): number => Number(x) | 0
const i64 = (x: Value | undefined): bigint => BigInt.asUintN(64, BigInt(x ?? 0))

/** What instructions do to values of the thread's own. */
const own: Readonly<Record<string, (x?: Value, y?: Value) => Value>> = {
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

/** A phase of a program. */
export interface ModelPhase {
  /** Index of its function in the table: functions 0 … of the `install`s so far are there. */
  readonly function: number
  readonly units: number
  readonly chunk: number
  readonly calls: keyof typeof calls
  /** Whether no unit ends before all have begun, as it is when units are long: the others must come. */
  readonly together?: boolean
}

/** What the first thread does, one after the other: run some of the phases, or install a function. */
export type ModelStep = { readonly run: readonly [from: number, to: number] } | 'install'

/** What is explored. */
export interface Model {
  readonly workers: number
  readonly phases: readonly ModelPhase[]
  readonly script: readonly ModelStep[]
}

/** The words of the control block that threads share; the ticket is of 64 bits. */
const words: readonly number[] = [
  control.ticket,
  control.done,
  control.joining,
  control.bell,
  control.sleepers,
  control.mail,
  control.failed,
]

interface ThreadState {
  pc: number
  stack: Value[]
  locals: Value[]
  /** The offset on which it sleeps. */
  asleep: number | undefined
  /** Functions in its table. */
  functions: number
  /** Letters that a worker has read; where the first thread is in its script, in units of a step of its installing. */
  place: number
  running: boolean
  units: readonly [phase: number, first: number, last: number] | undefined
}

interface State {
  memory: Value[]
  threads: ThreadState[]
  /** Of each unit of each phase: not begun, begun, done. */
  units: number[][]
  /** The phases that run. */
  current: readonly [from: number, to: number]
}

const copied = (s: State): State => ({
  memory: [...s.memory],
  threads: s.threads.map((t) => ({ ...t, stack: [...t.stack], locals: [...t.locals] })),
  units: s.units.map((u) => [...u]),
  current: s.current,
})

const keyOf = (s: State): string =>
  `${s.memory.join()};${s.threads
    .map(
      (t) =>
        `${t.pc},${t.stack.join()},${t.locals.join()},${t.asleep},${t.functions},${t.place},${t.running},${t.units?.join('.')}`,
    )
    .join('|')};${s.units.map((u) => u.join('')).join()};${s.current.join()}`

/** What must not happen. */
class Wrong extends Error {}

const recordBytes = 4 * recordWords
const recordsAt = 4096

/** The steps of an installation, in the order of pool.ts: functions to the first thread and by letter to all, then the counts. */
const installing = ['send', 'count mail', 'ring', 'notify'] as const

/** Explores a model. */
class Exploration {
  readonly model: Model
  readonly run = flattened(runFunction(true, true))
  readonly work = flattened(workFunction)
  readonly script: readonly (Exclude<ModelStep, 'install'> | (typeof installing)[number])[]
  readonly letters: number

  constructor(model: Model) {
    this.model = model
    this.script = model.script.flatMap((step): Exploration['script'] => (step === 'install' ? installing : [step]))
    this.letters = model.script.filter((step) => step === 'install').length
  }

  private code(i: number): Code {
    return i === 0 ? this.run : this.work
  }

  begin(): State {
    const idle: ThreadState = {
      pc: 0,
      stack: [],
      locals: [],
      asleep: undefined,
      functions: 1,
      place: 0,
      running: false,
      units: undefined,
    }
    const state: State = {
      memory: words.map((offset) => (offset === control.ticket ? 0n : 0)),
      threads: Array.from({ length: 1 + this.model.workers }, () => ({ ...idle })),
      units: this.model.phases.map(({ units }) => Array.from({ length: units }, () => 0)),
      current: [0, 0],
    }
    for (let i = 1; i <= this.model.workers; i++) this.call(state, i, [0, 0])
    return state
  }

  /** Calls a thread's function, up to its first step. */
  private call(state: State, i: number, args: readonly number[]): void {
    const thread = state.threads[i] as ThreadState
    const { locals } = this.code(i)
    thread.locals = locals.map(({ type }, k) => args[k] ?? (type === 'i64' ? 0n : 0))
    thread.stack = []
    thread.pc = 0
    thread.running = true
    this.goOn(state, i)
  }

  /** Runs what nobody else sees. */
  private goOn(state: State, i: number): void {
    const thread = state.threads[i] as ThreadState
    const { instructions } = this.code(i)
    for (;;) {
      const instruction = instructions[thread.pc] as Instruction
      if (instruction.kind === 'shared' || instruction.kind === 'begin units' || instruction.kind === 'end units')
        return
      thread.pc++
      if (instruction.kind === 'return') {
        thread.running = false
        this.returned(state, i)
        return
      }
      this.perform(thread, instruction)
    }
  }

  private perform(thread: ThreadState, instruction: Instruction): void {
    const { stack, locals } = thread
    switch (instruction.kind) {
      case 'push':
        stack.push(instruction.value)
        return
      case 'get':
        stack.push(locals[instruction.local] as Value)
        return
      case 'set':
        locals[instruction.local] = stack.pop() as Value
        return
      case 'tee':
        locals[instruction.local] = stack.at(-1) as Value
        return
      case 'drop':
        stack.pop()
        return
      case 'select': {
        const [yes, no, condition] = stack.splice(-3)
        stack.push((condition === 0 ? no : yes) as Value)
        return
      }
      case 'jump': {
        const { when, to } = instruction
        if (when === 'always' || (stack.pop() === 0) === (when === 'zero')) thread.pc = to
        return
      }
      case 'own': {
        const [x, y] = stack.splice(-instruction.operands)
        stack.push(
          instruction.op === 'i32.load' ? this.word(i32(x) + instruction.offset) : this.own(instruction.op, x, y),
        )
        return
      }
      default:
        throw new Error(`${instruction.kind} is seen by others`)
    }
  }

  private own(op: string, x: Value | undefined, y: Value | undefined): Value {
    const compute = own[op]
    if (compute === undefined) throw new Error(`the model has no ${op}`)
    return compute(x, y)
  }

  /** A word of a record. An old ticket of 0 names no record: its units are none. */
  private word(address: number): number {
    const phase = this.model.phases[Math.floor((address - recordsAt) / recordBytes)]
    if (phase === undefined) return 0
    const index = ((address - recordsAt) % recordBytes) / 4
    return [phase.function, this.model.phases.indexOf(phase), phase.units, phase.chunk, calls[phase.calls]][index] ?? 0
  }

  private returned(state: State, i: number): void {
    if (i > 0) return
    const [first] = state.threads
    if (first?.stack.at(-1) !== 0) throw new Wrong('the run was given up')
    for (const p of this.running(state))
      if (!state.units[p]?.every((u) => u === 2)) throw new Wrong(`the run ended before phase ${p} was done`)
  }

  private running({ current: [from, to] }: State): readonly number[] {
    return this.model.phases.flatMap((_, p) => (p >= from && p < to ? [p] : []))
  }

  /** Whether a thread can take a step. */
  enabled(state: State, i: number): boolean {
    const thread = state.threads[i] as ThreadState
    if (thread.asleep !== undefined) return false
    if (!thread.running) return i === 0 ? thread.place < this.script.length : thread.place < this.sent(state)
    if (this.code(i).instructions[thread.pc]?.kind !== 'end units' || thread.units === undefined) return true
    const [p] = thread.units
    return this.model.phases[p]?.together !== true || (state.units[p] ?? []).every((u) => u > 0)
  }

  /** Letters that were sent: the first thread's functions but the one that all began with. */
  private sent({ threads: [first] }: State): number {
    return (first?.functions ?? 1) - 1
  }

  /** One step of a thread. */
  step(state: State, i: number): void {
    const thread = state.threads[i] as ThreadState
    if (thread.running) this.stepOfCode(state, i)
    else if (i > 0) {
      thread.functions++
      thread.place++
      this.call(state, i, [0, thread.place])
    } else this.stepOfScript(state, thread)
  }

  private stepOfScript(state: State, first: ThreadState): void {
    const step = this.script[first.place++]
    if (step === undefined) throw new Error('the script has ended')
    if (step === 'send') first.functions++
    else if (step === 'count mail') this.add(state, control.mail, 1)
    else if (step === 'ring') this.add(state, control.bell, 1)
    else if (step === 'notify') this.notify(state, control.bell, -1)
    else {
      state.current = step.run
      for (const p of this.running(state)) state.units[p] = state.units[p]?.map(() => 0) ?? []
      const [from, to] = step.run
      this.call(state, 0, [0, recordsAt + from * recordBytes, recordsAt + to * recordBytes])
    }
  }

  private stepOfCode(state: State, i: number): void {
    const thread = state.threads[i] as ThreadState
    const instruction = this.code(i).instructions[thread.pc++]
    if (instruction?.kind === 'begin units') this.beginUnits(state, thread)
    else if (instruction?.kind === 'end units') this.endUnits(state, thread)
    else if (instruction?.kind === 'shared') {
      const result = this.access(
        state,
        thread,
        instruction.op,
        instruction.offset,
        thread.stack.splice(-instruction.operands),
      )
      if (result !== undefined) thread.stack.push(result)
    }
    if (thread.asleep === undefined) this.goOn(state, i)
  }

  private beginUnits(state: State, thread: ThreadState): void {
    const [p = -1, first = 0, last = 0, index = -1] = thread.stack.splice(-4).map(i32)
    if (index >= thread.functions) throw new Wrong(`a thread has not the function of phase ${p}`)
    for (const q of this.running(state)) {
      const states = state.units[q] ?? []
      if (q < p && states.some((u) => u !== 2)) throw new Wrong(`phase ${p} begins before phase ${q} is done`)
      if (q > p && states.some((u) => u !== 0)) throw new Wrong(`phase ${p} goes on after phase ${q} has begun`)
    }
    if (!this.running(state).includes(p)) throw new Wrong(`phase ${p} does not run`)
    if (first >= last) throw new Wrong('units are taken that are none')
    for (let u = first; u < last; u++) {
      if (state.units[p]?.[u] !== 0) throw new Wrong(`unit ${u} of phase ${p} is done twice, or is none`)
      state.units[p][u] = 1
    }
    thread.units = [p, first, last]
  }

  private endUnits(state: State, thread: ThreadState): void {
    const [p, first, last] = thread.units ?? [0, 0, 0]
    for (let u = first; u < last; u++) (state.units[p] as number[])[u] = 2
    thread.units = undefined
  }

  private add(state: State, offset: number, by: number): number {
    const k = words.indexOf(offset)
    const before = i32(state.memory[k])
    state.memory[k] = before + by
    return before
  }

  private notify(state: State, offset: number, count: number): number {
    const sleeping = state.threads.flatMap((t, i) => (t.asleep === offset ? [i] : []))
    const woken = count < 0 ? sleeping : sleeping.slice(0, count)
    for (const i of woken) {
      const thread = state.threads[i] as ThreadState
      thread.asleep = undefined
      thread.stack.push(0)
      this.goOn(state, i)
    }
    return woken.length
  }

  private access(
    state: State,
    thread: ThreadState,
    op: string,
    offset: number,
    args: readonly Value[],
  ): Value | undefined {
    const k = words.indexOf(offset)
    if (k < 0) throw new Error(`the model has no word at ${offset}`)
    const value = state.memory[k] as Value
    const [, x, y] = args
    switch (op) {
      case 'i32.atomic.load':
      case 'i64.atomic.load':
        return value
      case 'i32.atomic.store':
        state.memory[k] = i32(x)
        return undefined
      case 'i64.atomic.store':
        state.memory[k] = i64(x)
        return undefined
      case 'i32.atomic.rmw.add':
        return this.add(state, offset, i32(x))
      case 'i64.atomic.rmw.cmpxchg':
        if (value === i64(x)) state.memory[k] = i64(y)
        return value
      case 'memory.atomic.wait32':
        if (value !== i32(x)) return 1
        thread.asleep = offset
        return undefined
      case 'memory.atomic.notify':
        return this.notify(state, offset, i32(x))
      default:
        throw new Error(`the model has no ${op}`)
    }
  }

  /** What is wrong with a state from which nothing goes on. */
  wrongEnd(state: State): string | undefined {
    const [first, ...workers] = state.threads
    if (first === undefined || first.running || first.place < this.script.length)
      return 'the first thread waits for ever'
    if (workers.some((w) => w.place !== this.letters)) return 'a worker sleeps and has not read its mail'
    if (workers.some((w) => w.asleep !== control.bell)) return 'a worker has ended'
    const sleepers = state.memory[words.indexOf(control.sleepers)]
    return sleepers === workers.length ? undefined : `${String(sleepers)} workers are counted as asleep`
  }

  /** What a step of a thread is, in words. */
  describe(state: State, i: number): string {
    const { running, pc, place } = state.threads[i] as ThreadState
    const who = i === 0 ? 'first' : `worker ${i}`
    const instruction = this.code(i).instructions[pc]
    const at = Object.entries(control).find(
      ([, offset]) => instruction?.kind === 'shared' && offset === instruction.offset,
    )
    const code = instruction?.kind === 'shared' ? `${instruction.op} ${at?.[0] ?? ''}` : instruction?.kind
    return `${who}: ${running ? code : i > 0 ? 'reads a letter' : JSON.stringify(this.script[place])}`
  }
}

/** What exploring came to. */
export interface Explored {
  readonly states: number
  /** What can go wrong, and the last steps of a way there. */
  readonly wrong?: string
  readonly steps?: readonly string[]
}

/** Visits every state. */
export const explore = (model: Model): Explored => {
  const exploration = new Exploration(model)
  const begin = exploration.begin()
  const seen = new Set([keyOf(begin)])
  const pending: { readonly state: State; readonly steps: Steps }[] = [{ state: begin, steps: undefined }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { state, steps } = next
    const ready = state.threads.flatMap((_, i) => (exploration.enabled(state, i) ? [i] : []))
    const wrong = ready.length === 0 ? exploration.wrongEnd(state) : undefined
    if (wrong !== undefined) return { states: seen.size, wrong, steps: written(steps) }
    for (const i of ready) {
      const after = copied(state)
      const taken = { step: () => exploration.describe(state, i), before: steps }
      try {
        exploration.step(after, i)
      } catch (error) {
        if (error instanceof Wrong) return { states: seen.size, wrong: error.message, steps: written(taken) }
        throw error
      }
      const key = keyOf(after)
      if (seen.has(key)) continue
      seen.add(key)
      pending.push({ state: after, steps: taken })
    }
  }
  return { states: seen.size }
}

type Steps = { readonly step: () => string; readonly before: Steps } | undefined

/** The last thirty steps, the oldest first. */
const written = (steps: Steps): readonly string[] => {
  const last: string[] = []
  for (let s = steps; s !== undefined && last.length < 30; s = s.before) last.unshift(s.step())
  return last
}
