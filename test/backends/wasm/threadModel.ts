/**
 * Threads that run the loops of control.ts a step at a time: each access to the control block is a step, and so are the beginning and
 * the end of units. WebAssembly's atomics are sequentially consistent, and so are these.
 *
 * What sleeps with a time limit sleeps here until it is woken, so that a wake-up that is lost is a state from which nothing goes on.
 */
import { calls, control, recordWords, runFunction, workFunction } from '../../../src/backends/wasm/threads/control.ts'
import { computed, flattened, i32, i64, type Code, type Instruction, type Value } from './threadCode.ts'
import { words, type Model, type ModelStep, type State, type ThreadState } from './threadState.ts'

/** What must not happen. */
export class Wrong extends Error {}

const recordBytes = 4 * recordWords
const recordsAt = 4096

/** The steps of an installation, in the order of pool.ts: functions to the first thread and by message to all, then the counts. */
const installing = ['send', 'count messages', 'wake', 'notify'] as const

/** Explores a model. */
export class Exploration {
  readonly model: Model
  readonly run = flattened(runFunction(true, true))
  readonly work = flattened(workFunction)
  readonly script: readonly (Exclude<ModelStep, 'install'> | (typeof installing)[number])[]
  readonly messages: number

  constructor(model: Model) {
    this.model = model
    this.script = model.script.flatMap((step): Exploration['script'] => (step === 'install' ? installing : [step]))
    this.messages = model.script.filter((step) => step === 'install').length
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
          instruction.op === 'i32.load' ? this.word(i32(x) + instruction.offset) : computed(instruction.op, x, y),
        )
        return
      }
      default:
        throw new Error(`${instruction.kind} is seen by others`)
    }
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
    if (state.memory[words.indexOf(control.ticket)] !== 0n)
      throw new Wrong('a ticket outlived its run, and its record may be given to something else')
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

  /** Messages that were sent: the first thread's functions but the one that all began with. */
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
    else if (step === 'count messages') this.add(state, control.messages, 1)
    else if (step === 'wake') this.add(state, control.wakeCount, 1)
    else if (step === 'notify') this.notify(state, control.wakeCount, -1)
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
    this.requireTurnOf(state, p)
    if (first >= last) throw new Wrong('units are taken that are none')
    const units = state.units[p] ?? []
    for (let u = first; u < last; u++) {
      if (units[u] !== 0) throw new Wrong(`unit ${u} of phase ${p} is done twice, or is none`)
      units[u] = 1
    }
    thread.units = [p, first, last]
  }

  /** Phases run one after the other: those before are done, those behind have not begun. */
  private requireTurnOf(state: State, p: number): void {
    if (!this.running(state).includes(p)) throw new Wrong(`phase ${p} does not run`)
    for (const q of this.running(state)) {
      const states = state.units[q] ?? []
      if (q < p && states.some((u) => u !== 2)) throw new Wrong(`phase ${p} begins before phase ${q} is done`)
      if (q > p && states.some((u) => u !== 0)) throw new Wrong(`phase ${p} goes on after phase ${q} has begun`)
    }
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
    if (workers.some((w) => w.place !== this.messages)) return 'a worker sleeps and has not read its messages'
    if (workers.some((w) => w.asleep !== control.wakeCount)) return 'a worker has ended'
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
    return `${who}: ${running ? code : i > 0 ? 'reads a message' : JSON.stringify(this.script[place])}`
  }
}
