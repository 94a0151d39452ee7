/** Bugs in the order in which threads tell one another things: they hardly ever show, and then as a hang or a wrong number. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'order of threads'
const interleavings = inFile('backends/wasm/interleavings')
const messages = inFile('backends/wasm/messages')

/** Bugs in the loops of threads, in the pool, and in its workers. */
export const threadMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/backends/wasm/threads/control.ts', interleavings, [
    [
      'a worker counts messages before it reads the ticket',
      'swapped operands',
      '      ...readOffer,\n      when(hasMessages, [leave]),\n',
      '      when(hasMessages, [leave]),\n      ...readOffer,\n',
    ],
    [
      'a worker reads the count of wakes after it has looked for units',
      'swapped operands',
      '  set(locals.wakeCount, load(get(locals.control), control.wakeCount)),\n  ...readOffer,\n',
      '  ...readOffer,\n  set(locals.wakeCount, load(get(locals.control), control.wakeCount)),\n',
    ],
    [
      'a worker says that it sleeps after it has looked for units',
      'swapped operands',
      "  drop(apply('i32.atomic.rmw.add', [get(locals.control), i32(1)], control.sleepers)),\n  set(locals.wakeCount, load(get(locals.control), control.wakeCount)),\n  ...readOffer,\n",
      "  set(locals.wakeCount, load(get(locals.control), control.wakeCount)),\n  ...readOffer,\n  drop(apply('i32.atomic.rmw.add', [get(locals.control), i32(1)], control.sleepers)),\n",
    ],
    [
      'the last ticket of a program outlives it',
      'missing call',
      '      ...(threads ? [withdraw] : []),\n',
      '      ...(threads ? [] : [withdraw]),\n',
    ],
    ['a worker sleeps though it has messages', 'missing check', "apply('i32.or', [hasUnits, hasMessages])", 'hasUnits'],
    [
      'a worker that wakes is still counted as asleep',
      'missing term',
      '[get(locals.control), i32(-1)], control.sleepers',
      '[get(locals.control), i32(0)], control.sleepers',
    ],
    [
      'a phase is offered before its count of units begins at 0',
      'swapped operands',
      "  store('i32.atomic.store', get(locals.control), i32(0), control.done),\n  store(\n    'i64.atomic.store',\n    get(locals.control),\n    apply('i64.shl', [apply('i64.extend_i32_u', [get(locals.record)]), i64(32n)]),\n    control.ticket,\n  ),\n",
      "  store(\n    'i64.atomic.store',\n    get(locals.control),\n    apply('i64.shl', [apply('i64.extend_i32_u', [get(locals.record)]), i64(32n)]),\n    control.ticket,\n  ),\n  store('i32.atomic.store', get(locals.control), i32(0), control.done),\n",
    ],
    [
      'the first thread goes on when all units are taken',
      'wrong operation',
      "when(apply('i32.ne', [load(get(locals.control), control.done), word(locals.record, 2)]), [",
      'when(hasUnits, [',
    ],
    [
      'a worker counts its units before it has done them',
      'swapped operands',
      'take([callUnits(locals.record, get(locals.first), get(locals.last)), ...finish, ',
      'take([...finish, callUnits(locals.record, get(locals.first), get(locals.last)), ',
    ],
    [
      'the worker that does the last units does not know it',
      'missing term',
      'add(addDone(), sub(get(locals.last), get(locals.first)))',
      'addDone()',
    ],
    [
      'the first thread sleeps and does not say so',
      'missing term',
      'get(locals.control), i32(1), control.joining)',
      'get(locals.control), i32(0), control.joining)',
    ],
    [
      'one sleeper is woken instead of all',
      'wrong constant',
      "'memory.atomic.notify', [get(locals.control), i32(-1)], control.wakeCount",
      "'memory.atomic.notify', [get(locals.control), i32(1)], control.wakeCount",
    ],
    [
      'the count of wakes does not change when sleepers are woken',
      'missing term',
      "'i32.atomic.rmw.add', [get(locals.control), i32(1)], control.wakeCount",
      "'i32.atomic.rmw.add', [get(locals.control), i32(0)], control.wakeCount",
    ],
    ['sleepers are called for the wrong phases', 'wrong constant', 'i32(calls.all)', 'i32(calls.awake)'],
    [
      'the last units that are taken go beyond the phase',
      'missing clamp',
      'smaller(add(get(first), word(record, 3)), word(record, 2))',
      'add(get(first), word(record, 3))',
    ],
  ]),
  ...mutantsOf(area, 'src/backends/wasm/threads/pool.ts', messages, [
    [
      'messages are counted before they are sent',
      'swapped operands',
      "      for (const worker of workers) worker.send({ kind: 'functions', ...functions })\n      const words = heap.words()\n      Atomics.add(words, (address + control.messages) / 4, 1)",
      "      const words = heap.words()\n      Atomics.add(words, (address + control.messages) / 4, 1)\n      for (const worker of workers) worker.send({ kind: 'functions', ...functions })",
    ],
    [
      'the pool notifies and does not count the wake',
      'missing term',
      '      Atomics.add(words, (address + control.wakeCount) / 4, 1)\n',
      '',
    ],
    [
      'one worker is told of its messages',
      'wrong constant',
      'Atomics.notify(words, (address + control.wakeCount) / 4)',
      'Atomics.notify(words, (address + control.wakeCount) / 4, 1)',
    ],
    [
      'a run waits for a worker that was lost',
      'missing term',
      '    Atomics.store(heap.words(), (address + control.failed) / 4, 1)\n',
      '',
    ],
    [
      'of two reasons why nothing runs the last is told',
      'stale value',
      'broken ??= `a worker was lost',
      'broken = `a worker was lost',
    ],
    [
      'the last worker is sent no functions',
      'off by one',
      'for (const worker of workers) worker.send(',
      'for (const worker of workers.slice(0, -1)) worker.send(',
    ],
  ]),
  ...mutantsOf(area, 'src/backends/wasm/threads/worker.ts', messages, [
    [
      'a worker is ready before it can work',
      'swapped operands',
      "      work = instantiate(thread, message.loops)['work'] as Work\n      ready()\n",
      "      ready()\n      work = instantiate(thread, message.loops)['work'] as Work\n",
    ],
    [
      'a worker without its functions goes back to work',
      'missing check',
      '        writeFailure(thread, address, error)\n        return\n',
      '        writeFailure(thread, address, error)\n',
    ],
    ['a worker reads each message as if it were the first', 'stale value', 'received += 1', 'received = 1'],
    [
      'a worker says that it failed before it says why',
      'swapped operands',
      '  words[(address + control.failure) / 4] = kept.length\n',
      '  Atomics.store(words, (address + control.failed) / 4, 1)\n  words[(address + control.failure) / 4] = kept.length\n',
    ],
    [
      'a worker that fails wakes those who wait for units',
      'wrong constant',
      'Atomics.notify(words, (address + control.done) / 4)',
      'Atomics.notify(words, (address + control.wakeCount) / 4)',
    ],
  ]),
]
