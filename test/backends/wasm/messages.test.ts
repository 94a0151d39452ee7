/** In which order a pool and its workers tell one another things: what is written before what counts on it. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { apply, get, i32, store, type Local, type Statement } from '../../../src/backends/wasm/assembler/code.ts'
import { encode } from '../../../src/backends/wasm/assembler/module.ts'
import { control, recordWords, calls } from '../../../src/backends/wasm/threads/control.ts'
import { initialPages, maximumPages, openHeap } from '../../../src/backends/wasm/memory.ts'
import { openPool } from '../../../src/backends/wasm/threads/pool.ts'
import { findPlatform } from '../../../src/backends/wasm/threads/platform.ts'
import type { Platform } from '../../../src/backends/wasm/threads/threads.ts'
import { readFailure, serve, type Beginning, type Message } from '../../../src/backends/wasm/threads/worker.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const local = (name: string): Local => ({ name, type: 'i32' })

const moduleOf = (name: string, body: (parameters: readonly Local[]) => readonly Statement[], count: number) => {
  const parameters = Array.from({ length: count }, (_, i) => local(`p${i}`))
  const memory = { initial: initialPages, maximum: maximumPages, shared: true }
  return new WebAssembly.Module(encode({ functions: [{ name, parameters, body: body(parameters) }], memory }))
}

/** A kernel that writes its number at its block. */
const kernel = (number: number): WebAssembly.Module =>
  moduleOf('kernel', ([block = local('none')]) => [store('i32.store', get(block), i32(number))], 3)

/** A name for an address of the control block. */
const nameAt = (address: number, offset: number): string =>
  Object.entries(control).find(([, at]) => at === offset - address)?.[0] ?? String(offset)

describe('a pool that installs functions', () => {
  it('has them itself, then sends them to every worker, then counts the messages, then wakes all', async () => {
    const heap = openHeap(true)
    const order: string[] = []
    let address = 0
    const platform: Platform = {
      ...(await findPlatform()),
      startWorker: (beginning) => {
        if (beginning.kind === 'begin') address = beginning.control
        return Promise.resolve({
          send: ({ kind }) => {
            order.push(`send ${kind}`)
          },
          end: () => Promise.resolve(),
        })
      },
    }
    const pool = await openPool(heap, platform, 3)
    const [add, notify] = [Atomics.add.bind(Atomics), Atomics.notify.bind(Atomics)]
    vi.spyOn(Atomics, 'add').mockImplementation(((words: Int32Array, index: number, by: number) => {
      order.push(`add ${by} to ${nameAt(address, 4 * index)}`)
      return add(words, index, by)
    }) as typeof Atomics.add)
    vi.spyOn(Atomics, 'notify').mockImplementation((words, index, count) => {
      order.push(`notify ${count ?? 'all'} at ${nameAt(address, 4 * index)}`)
      return notify(words, index, count)
    })
    pool.install({ module: kernel(7), places: [['kernel', 3]] })
    expect(order).toEqual([
      'send functions',
      'send functions',
      'add 1 to messages',
      'add 1 to wakeCount',
      'notify all at wakeCount',
    ])
    const [block, record] = [heap.allocate(4).address, heap.allocate(4 * recordWords).address]
    heap.words().set([3, block, 1, 1, calls.alone], record / 4)
    pool.run(record, record + 4 * recordWords)
    expect(heap.words()[block / 4]).toBe(7)
    await pool.close()
  })
})

describe('a pool that loses a worker', () => {
  it('tells a run that waits, keeps the first reason, and runs nothing more', async () => {
    const heap = openHeap(true)
    let address = 0
    let lose: (why: string) => void = () => undefined
    const platform: Platform = {
      ...(await findPlatform()),
      startWorker: (beginning, lost) => {
        if (beginning.kind === 'begin') address = beginning.control
        lose = lost
        return Promise.resolve({ send: () => undefined, end: () => Promise.resolve() })
      },
    }
    const pool = await openPool(heap, platform, 2)
    expect(heap.words()[(address + control.failed) / 4]).toBe(0)
    lose('it ended with code 1')
    lose('it ended with code 2')
    expect(heap.words()[(address + control.failed) / 4]).toBe(1)
    expect(() => {
      pool.run(0, 0)
    }).toThrow('wasm: nothing can run on this device any more: a worker was lost: it ended with code 1')
    await pool.close()
  })
})

describe('a worker', () => {
  /** A worker whose loop adds 1 to a word for each call, and writes the count of messages of the last one behind it. */
  const worker = () => {
    const { memory } = openHeap(true)
    const words = new Int32Array(memory.buffer)
    const loops = moduleOf(
      'work',
      ([address = local('none'), received = local('none')]) => [
        store('i32.store', get(address), apply('i32.add', [apply('i32.load', [get(address)], 8), i32(1)]), 8),
        store('i32.store', get(address), get(received), 12),
      ],
      2,
    )
    const address = 4096
    const seen: string[] = []
    const answer = serve(() => seen.push(`ready after ${words[(address + 8) / 4] ?? NaN} calls`))
    const beginning: Beginning = { kind: 'begin', memory, loops, control: address }
    const called = (): readonly (number | undefined)[] => [words[(address + 8) / 4], words[(address + 12) / 4]]
    return { memory, words, address, seen, answer, beginning, called }
  }
  const message = (places: readonly (readonly [string, number])[]): Message => ({
    kind: 'functions',
    module: kernel(1),
    places,
  })

  it('is ready before it looks for work, and then works with no message read', () => {
    const { answer, beginning, seen, called } = worker()
    answer(beginning)
    expect(seen).toEqual(['ready after 0 calls'])
    expect(called()).toEqual([1, 0])
  })

  it('is not ready when it cannot begin', () => {
    const { answer, beginning, seen } = worker()
    const broken = { ...beginning, memory: new WebAssembly.Memory({ initial: 1 }) } // not the shared memory of its loops
    expect(() => answer(broken)).toThrow()
    expect(seen).toEqual([])
  })

  it('has read one message more each time it goes back to work', () => {
    const { answer, beginning, called } = worker()
    answer(beginning)
    answer(message([['kernel', 0]]))
    expect(called()).toEqual([2, 1])
    answer(message([['kernel', 300]]))
    expect(called()).toEqual([3, 2])
  })

  it('that cannot take a message says why before it says that it failed, and does not go back to work', () => {
    const { memory, answer, beginning, address, called } = worker()
    answer(beginning)
    const said: string[] = []
    const storeWord = Atomics.store.bind(Atomics)
    vi.spyOn(Atomics, 'store').mockImplementation(((words: Int32Array, index: number, value: number) => {
      said.push(`${nameAt(address, 4 * index)} ${value}: ${readFailure(memory, address)}`)
      return storeWord(words, index, value)
    }) as typeof Atomics.store)
    const woken: string[] = []
    vi.spyOn(Atomics, 'notify').mockImplementation((_, index) => {
      woken.push(`${nameAt(address, 4 * index)} after ${said.length}`)
      return 0
    })
    answer({ kind: 'functions', module: kernel(1), places: [['kernel', -1]] })
    expect(said).toEqual([expect.stringMatching(/^failed 1: (Type|Range)Error: .+/)])
    expect(woken).toEqual(['done after 1'])
    expect(called()).toEqual([1, 0])
  })
})
