/**
 * The code that runs programs: a loop over the phases of a plan, in WebAssembly, so that JavaScript does nothing for a kernel.
 *
 * A program is a list of records in memory: which function, which block of parameters, how many units of work, how many a thread takes at
 * once. The first thread goes through the records. A phase that is worth it is offered to the others by one atomic word, the ticket: the
 * record's address and the next unit that nobody has. Whoever exchanges the ticket for one further on has those units; whoever has units
 * adds to `done` when they are. The first thread takes units like the others, and goes on when all are done. So nobody waits for a thread
 * that has not begun: one that sleeps, or that the system gave no time, takes no units.
 *
 * Records never change while a program exists, and no ticket outlives the run, so a thread which read an old ticket either fails to exchange
 * it or has units of the phase that is running. Which thread has which units changes no bit of the result (kernelCode.ts).
 */
import {
  add,
  apply,
  block,
  branch,
  drop,
  f64,
  get,
  i32,
  i64,
  leave,
  loop,
  performIndirect,
  select,
  set,
  store,
  sub,
  tee,
  when,
  type Expression,
  type Local,
  type Statement,
} from '../assembler/code.ts'
import type { FunctionDefinition } from '../assembler/module.ts'

/** Words of a record: the function's index in the table, its block, units, units at once, and who is called for it. */
export const recordWords = 8

/** Who works on a phase: the first thread alone; whoever is awake; or all, sleepers too. */
export const calls = { alone: 0, awake: 1, all: 2 } as const

/** Where the words of the control block lie, in bytes; each that threads write stands in a cache line of its own. */
export const control = {
  /** i64: the record's address above, the next unit below. */
  ticket: 0,
  /** Units of the running phase that are done. */
  done: 128,
  /** Whether the first thread sleeps until the units are done. */
  joining: 132,
  /** How often sleepers were woken, modulo 2³²: they sleep while it does not change. */
  wakeCount: 256,
  sleepers: 260,
  /** How many messages were sent to every worker, which must have read them all before it may take units. */
  messages: 264,
  /** 1 when a worker failed; its words are behind. */
  failed: 384,
  failure: 388,
  failureBytes: 1024,
  bytes: 1536,
} as const

/** How a program ended. */
export const endings = { done: 0, failed: 1, silent: 2 } as const

/**
 * Turns of waiting before a thread sleeps, about 50 µs: longer than the gaps between phases, too short to be felt by other programs.
 * A sleeper takes about 50 µs to come back.
 */
const turns = 1500

/** How long a join sleeps before it looks whether anything has happened, and how often nothing may have. */
const joinTimeout = { nanoseconds: 1_000_000_000n, times: 120 }

/** Turns of a join that may not sleep, about two minutes as well. */
const joinTurns = (120 / 50e-6) * turns

const local = (name: string, type: Local['type']): Local => ({ name, type })

const load = (address: Expression, offset: number): Expression => apply('i32.atomic.load', [address], offset)
const word = (record: Local, index: number): Expression => apply('i32.load', [get(record)], 4 * index)

/**
 * Waits a turn: four dependent square roots, some 100 cycles in which the core's other thread has the execution units. WebAssembly has no
 * pause instruction; the count itself goes through the roots, so that they are not dropped.
 */
const turn = (count: Local): Statement => {
  const root = (x: Expression): Expression => apply('f64.sqrt', [apply('f64.mul', [tee(count, x), get(count)])])
  return set(count, apply('f64.add', [root(root(root(root(get(count))))), f64(1)]))
}

const smaller = (x: Expression, y: Expression): Expression => select(apply('i32.lt_s', [x, y]), x, y)

/** Locals of a thread that takes units. */
const locals = {
  control: local('control', 'i32'),
  record: local('record', 'i32'),
  ticket: local('ticket', 'i64'),
  first: local('first', 'i32'),
  last: local('last', 'i32'),
  count: local('count', 'f64'),
  wakeCount: local('wakeCount', 'i32'),
  received: local('received', 'i32'),
}

const callUnits = (record: Local, first: Expression, last: Expression): Statement =>
  performIndirect(word(record, 0), word(record, 1), first, last)

/** Tries to take units at the ticket; `taken` runs when it did, with `first` and `last` set. */
const take = (taken: readonly Statement[]): readonly Statement[] => {
  const { control: c, record, ticket, first, last } = locals
  const further = apply('i64.add', [get(ticket), apply('i64.extend_i32_u', [sub(get(last), get(first))])])
  return [
    set(first, apply('i32.wrap_i64', [get(ticket)])),
    set(last, smaller(add(get(first), word(record, 3)), word(record, 2))),
    when(
      apply('i64.eq', [apply('i64.atomic.rmw.cmpxchg', [get(c), get(ticket), further], control.ticket), get(ticket)]),
      taken,
    ),
  ]
}

const addDone = (): Expression =>
  apply('i32.atomic.rmw.add', [get(locals.control), sub(get(locals.last), get(locals.first))], control.done)

const readTicket = set(locals.ticket, apply('i64.atomic.load', [get(locals.control)], control.ticket))

const hasUnits = apply('i32.lt_s', [apply('i32.wrap_i64', [get(locals.ticket)]), word(locals.record, 2)])

const wakeAll: readonly Statement[] = [
  drop(apply('i32.atomic.rmw.add', [get(locals.control), i32(1)], control.wakeCount)),
  drop(apply('memory.atomic.notify', [get(locals.control), i32(-1)], control.wakeCount)),
]

/** Offers the phase of `record` to the other threads. */
const offer: readonly Statement[] = [
  store('i32.atomic.store', get(locals.control), i32(0), control.done),
  store(
    'i64.atomic.store',
    get(locals.control),
    apply('i64.shl', [apply('i64.extend_i32_u', [get(locals.record)]), i64(32n)]),
    control.ticket,
  ),
  when(apply('i32.eq', [word(locals.record, 4), i32(calls.all)]), [
    when(load(get(locals.control), control.sleepers), wakeAll),
  ]),
]

/** Takes units until none are left. */
const takeAll: readonly Statement[] = [
  loop('take', [
    readTicket,
    when(hasUnits, [
      ...take([callUnits(locals.record, get(locals.first), get(locals.last)), drop(addDone())]),
      branch('take'),
    ]),
  ]),
]

/** Sleeps until `done` changes, or until the time limit: then the function returns. */
const sleepUntilDone = (done: Local, silence: Local): readonly Statement[] => [
  store('i32.atomic.store', get(locals.control), i32(1), control.joining),
  set(done, load(get(locals.control), control.done)),
  when(apply('i32.ne', [get(done), word(locals.record, 2)]), [
    set(
      silence,
      select(
        apply('i32.eq', [
          apply('memory.atomic.wait32', [get(locals.control), get(done), i64(joinTimeout.nanoseconds)], control.done),
          i32(2),
        ]),
        add(get(silence), i32(1)),
        i32(0),
      ),
    ),
  ]),
  store('i32.atomic.store', get(locals.control), i32(0), control.joining),
]

/** Waits until all units are done; leaves the function with an ending when they will not be. */
const join = (mayWait: boolean, ending: Local): readonly Statement[] => {
  const [done, silence] = [local('seen', 'i32'), local('silence', 'i32')]
  return [
    set(locals.count, f64(1)),
    set(silence, i32(0)),
    loop('join', [
      when(apply('i32.ne', [load(get(locals.control), control.done), word(locals.record, 2)]), [
        when(load(get(locals.control), control.failed), [set(ending, i32(endings.failed)), branch('end')]),
        turn(locals.count),
        ...(mayWait
          ? [
              when(apply('f64.gt', [get(locals.count), f64(turns)]), sleepUntilDone(done, silence)),
              when(apply('i32.gt_s', [get(silence), i32(joinTimeout.times)]), [
                set(ending, i32(endings.silent)),
                branch('end'),
              ]),
            ]
          : [
              when(apply('f64.gt', [get(locals.count), f64(joinTurns)]), [
                set(ending, i32(endings.silent)),
                branch('end'),
              ]),
            ]),
        branch('join'),
      ]),
    ]),
  ]
}

/**
 * Takes the last ticket back: the memory of its record may be given to something else once the program has run, and a worker would take words of
 * that for units that nobody has. A ticket of 0 names no record; memory at address 0 is never used, so its units are none.
 */
const withdraw: Statement = store('i64.atomic.store', get(locals.control), i64(0n), control.ticket)

/**
 * `run(control, record, end)`: runs the records from one address to another, and leaves how they ended.
 *
 * @param threads whether there are other threads
 * @param mayWait whether this thread may sleep, as a page's own may not
 */
export const runFunction = (threads: boolean, mayWait: boolean): FunctionDefinition => {
  const [end, ending] = [local('end', 'i32'), local('ending', 'i32')]
  const { control: c, record } = locals
  const alone = callUnits(record, i32(0), word(record, 2))
  const together = [...offer, ...takeAll, ...join(mayWait, ending)]
  const phase = threads ? [when(word(record, 4), together, [alone])] : [alone]
  return {
    name: 'run',
    parameters: [c, record, end],
    result: 'i32',
    body: [
      set(ending, i32(endings.done)),
      block('end', [
        loop('phase', [
          when(apply('i32.ne', [get(record), get(end)]), [
            ...phase,
            set(record, add(get(record), i32(4 * recordWords))),
            branch('phase'),
          ]),
        ]),
      ]),
      ...(threads ? [withdraw] : []),
    ],
    value: get(ending),
  }
}

/** Reads the ticket and the record that it names. */
const readOffer: readonly Statement[] = [
  readTicket,
  set(locals.record, apply('i32.wrap_i64', [apply('i64.shr_u', [get(locals.ticket), i64(32n)])])),
]

const hasMessages = apply('i32.ne', [load(get(locals.control), control.messages), get(locals.received)])

/** Sleeps until it is woken, unless there are units or messages: whoever wakes does so after it has put them there. */
const sleep: readonly Statement[] = [
  drop(apply('i32.atomic.rmw.add', [get(locals.control), i32(1)], control.sleepers)),
  set(locals.wakeCount, load(get(locals.control), control.wakeCount)),
  ...readOffer,
  when(apply('i32.eqz', [apply('i32.or', [hasUnits, hasMessages])]), [
    drop(apply('memory.atomic.wait32', [get(locals.control), get(locals.wakeCount), i64(-1n)], control.wakeCount)),
  ]),
  drop(apply('i32.atomic.rmw.add', [get(locals.control), i32(-1)], control.sleepers)),
  set(locals.count, f64(1)),
]

/** Adds the units to `done`, and wakes the first thread if it sleeps until the last ones are. */
const finish: readonly Statement[] = [
  when(apply('i32.eq', [add(addDone(), sub(get(locals.last), get(locals.first))), word(locals.record, 2)]), [
    when(load(get(locals.control), control.joining), [
      drop(apply('memory.atomic.notify', [get(locals.control), i32(-1)], control.done)),
    ]),
  ]),
]

/**
 * `work(control, received)`: takes units of whatever runs, until there are more messages than this worker has read.
 *
 * The ticket is read before the messages are counted, and who makes new functions sends them before a ticket can ask for them: so a worker
 * whose exchange succeeds has the functions of the record.
 */
export const workFunction: FunctionDefinition = {
  name: 'work',
  parameters: [locals.control, locals.received],
  body: [
    set(locals.count, f64(1)),
    loop('work', [
      ...readOffer,
      when(hasMessages, [leave]),
      when(
        hasUnits,
        take([callUnits(locals.record, get(locals.first), get(locals.last)), ...finish, set(locals.count, f64(1))]),
        [turn(locals.count), when(apply('f64.gt', [get(locals.count), f64(turns)]), sleep)],
      ),
      branch('work'),
    ]),
  ],
}
