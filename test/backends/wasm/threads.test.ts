/** Threads: they change no bit, sleep when there is nothing to do, end with the device, and say what went wrong. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { inputsOf, outputsOf, programs } from '../../../proof/fuzz/program.ts'
import type { Backend } from '../../../src/backends/backend.ts'
import { encode } from '../../../src/backends/wasm/assembler/module.ts'
import { apply, countTo, drop, get, i32, set, type Local } from '../../../src/backends/wasm/assembler/code.ts'
import { openWasm } from '../../../src/backends/wasm/whole.ts'
import { calls, recordWords } from '../../../src/backends/wasm/threads/control.ts'
import { initialPages, maximumPages, openHeap, type Heap } from '../../../src/backends/wasm/memory.ts'
import { openPool, shareOf, type Pool } from '../../../src/backends/wasm/threads/pool.ts'
import { findPlatform } from '../../../src/backends/wasm/threads/platform.ts'
import { threadCount } from '../../../src/backends/wasm/threads/threadCount.ts'
import type { Platform } from '../../../src/backends/wasm/threads/threads.ts'
import { conv2d, grad, key, leaves, normal, scalar, signature, type Tensor } from '../../../src/index.ts'
import { deviceOn, type Device } from '../../../src/tensor/device.ts'
import { initialState, recipeOf } from '../../../src/train/recipe.ts'
import { stepperOn } from '../../../src/train/step.ts'
import { tinyConfig } from '../../train/tinyRun.ts'

/** The bits of every leaf. */
const bitsOf = async (device: Device, tree: unknown): Promise<readonly string[]> =>
  Promise.all(
    leaves(tree).map(async (x) => {
      const values = await device.read(x)
      return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64')
    }),
  )

describe('the number of threads', () => {
  const opened: Device[] = []
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) opened.push(deviceOn(await openWasm({ threads, sharing: 'all' })))
  })
  afterAll(async () => {
    await Promise.all(opened.map((device) => device.close()))
  })

  it('changes no bit of random programs', async () => {
    const property = fc.asyncProperty(programs(4, 24), async (program) => {
      const inputs = inputsOf(program)
      const found = await Promise.all(
        opened.map(async (device) =>
          bitsOf(device, await device.compile((...xs: Tensor[]) => outputsOf(program, xs, 'nothing'))(...inputs)),
        ),
      )
      expect(found[1]).toEqual(found[0])
      expect(found[2]).toEqual(found[0])
    })
    await fc.assert(property, { numRuns: 60, seed: 1 })
  })

  it('changes no bit of what a U-Net has learned after two steps', async () => {
    const recipe = recipeOf(tinyConfig('unused', { model: { width: 8, multipliers: [1, 2], heads: 2, headWidth: 4 } }))
    const { batch, height, width } = recipe.task.config
    const bytes = Uint8Array.from({ length: batch * height * width * 3 }, (_, i) => (i * 89) % 256)
    const pictures = recipe.task.examples(bytes)
    const learned = await Promise.all(
      opened.map(async (device) => {
        const { run } = stepperOn(device, recipe)
        const first = await device.compile((seed: Tensor) => initialState(recipe, seed))(key(0))
        const [second] = await run(first, pictures, 1)
        return bitsOf(device, await run(second, pictures, 2))
      }),
    )
    expect(learned[1]).toEqual(learned[0])
    expect(learned[2]).toEqual(learned[0])
  })

  it('changes no bit of a convolution in tiles and its gradients', async () => {
    const [x, w] = [normal(key(1), [4, 16, 16, 32]), normal(key(2), [3, 3, 32, 32])]
    const energy = grad((p: { x: Tensor; w: Tensor }) => conv2d(p.x, p.w, { padding: 1 }).square().sum())
    const found = await Promise.all(
      opened.map(async (device) => {
        const compiled = device.compile(energy)
        expect(compiled.source({ x, w }).join()).toContain('winograd')
        return bitsOf(device, await compiled({ x, w }))
      }),
    )
    expect(found[1]).toEqual(found[0])
    expect(found[2]).toEqual(found[0])
  })

  it('is told with the device', () => {
    expect(opened.map(({ threads }) => threads)).toEqual([1, 2, 3])
    expect(opened[2]?.description).toMatch(/^wasm · 3 threads · 128-bit vectors/)
  })
})

describe('the number of threads where none is asked for', () => {
  const worker = { cores: 4, mayWait: true }
  const page = { cores: 4, mayWait: false }

  it('is one for each core, up to eight', () => {
    expect(threadCount(undefined, worker, true)).toEqual({ threads: 4, notes: [] })
    expect(threadCount(undefined, { ...worker, cores: 64 }, true)).toEqual({ threads: 8, notes: [] })
  })

  it("is one on a page's own thread, with the reason, and what is asked for where it is asked", () => {
    const notes = ["a page's own thread may not wait for others: a Worker has more"]
    expect(threadCount(undefined, page, true)).toEqual({ threads: 1, notes })
    expect(threadCount(3, page, true)).toEqual({ threads: 3, notes: [] })
  })

  it('is one without shared memory, with the reason, where more are refused', () => {
    const notes = ['more threads need a page that is isolated from other origins']
    expect(threadCount(undefined, worker, false)).toEqual({ threads: 1, notes })
    expect(threadCount(1, page, false)).toEqual({ threads: 1, notes: [] })
    expect(() => threadCount(2, worker, false)).toThrow(
      /^wasm: 2 threads need SharedArrayBuffer, which a page has when/,
    )
  })

  it.each([0, -1, 1.5, 65, NaN])('cannot be %s', (threads) => {
    expect(() => threadCount(threads, worker, true)).toThrow(RangeError)
  })
})

describe('which phases are shared', () => {
  const phase = { units: 1000, grain: 10 }

  it('small ones are not, middle ones with whoever is awake, large ones with all', () => {
    const shared = [1e3, 2e4, 1e6].map((nanoseconds) => shareOf(phase, nanoseconds, 4, 'worthwhile').calls)
    expect(shared).toEqual([calls.alone, calls.awake, calls.all])
  })

  it('a thread takes no fewer units than the grain, and about an eighth of its share', () => {
    expect(shareOf(phase, 1e6, 4, 'worthwhile').chunk).toBe(32)
    expect(shareOf({ ...phase, grain: 100 }, 1e6, 4, 'worthwhile').chunk).toBe(100)
    expect(shareOf({ ...phase, grain: 1000 }, 1e6, 4, 'worthwhile')).toEqual({ chunk: 1000, calls: calls.alone })
  })
})

/** A program of one phase on a pool: every unit counts for a while. */
interface Counting {
  readonly heap: Heap
  readonly pool: Pool
  readonly run: () => void
}

const counting = async (platform: Platform, threads: number): Promise<Counting> => {
  const heap = openHeap(true)
  const pool = await openPool(heap, platform, threads)
  const local = (name: string): Local => ({ name, type: 'i32' })
  const [block, first, last, i] = [local('block'), local('first'), local('last'), local('i')]
  const bytes = encode({
    functions: [
      {
        name: 'count',
        parameters: [block, first, last],
        body: [
          countTo(first, get(last), 1, [
            set(i, i32(0)),
            countTo(i, i32(10_000), 1, [drop(apply('i32.atomic.rmw.add', [get(block), i32(1)], 0))]),
          ]),
        ],
      },
    ],
    memory: { initial: initialPages, maximum: maximumPages, shared: true },
  })
  pool.install({ module: new WebAssembly.Module(bytes), places: [['count', 0]] })
  const [counter, record] = [heap.allocate(4).address, heap.allocate(4 * recordWords).address]
  heap.words().set([0, counter, 64, 1, calls.all], record / 4)
  return {
    heap,
    pool,
    run: () => {
      heap.words()[counter / 4] = 0
      pool.run(record, record + 4 * recordWords)
      expect(heap.words()[counter / 4]).toBe(640_000)
    },
  }
}

describe('a pool', () => {
  it('does each unit once, run after run', async () => {
    const { pool, run } = await counting(await findPlatform(), 3)
    for (let i = 0; i < 20; i++) run()
    await pool.close()
  })

  it('does each unit once where the first thread may not sleep, and spins', async () => {
    const { pool, run } = await counting({ ...(await findPlatform()), mayWait: false }, 3)
    for (let i = 0; i < 20; i++) run()
    await pool.close()
  })

  it('sleeps when there is nothing to do, and wakes when there is', async () => {
    const { pool, run } = await counting(await findPlatform(), 3)
    for (let i = 0; i < 3; i++) {
      await vi.waitFor(() => {
        expect(pool.sleeping()).toBe(2)
      }, 10_000)
      run()
    }
    await pool.close()
  })

  it('cannot run when it is closed, and closing ends every worker', async () => {
    const platform = await findPlatform()
    let ended = 0
    const { pool, run } = await counting(
      {
        ...platform,
        startWorker: async (beginning, lost) => {
          const worker = await platform.startWorker(beginning, lost)
          return {
            ...worker,
            end: async () => {
              await worker.end()
              ended += 1
            },
          }
        },
      },
      3,
    )
    await pool.close()
    expect(ended).toBe(2)
    expect(run).toThrow('wasm: nothing can run on this device any more: the device is closed')
  })

  it('gives the run up when a worker fails, and says why', async () => {
    const platform = await findPlatform()
    const { pool, run } = await counting(
      {
        ...platform,
        startWorker: async (beginning, lost) => {
          const worker = await platform.startWorker(beginning, lost)
          return {
            ...worker,
            send: (message) => {
              worker.send(message.kind === 'functions' ? { ...message, places: [] } : message)
            },
          }
        },
      },
      2,
    )
    const runOften = (): void => {
      for (let i = 0; i < 100_000; i++) run()
    }
    expect(runOften).toThrow(/^wasm: the run was given up: RuntimeError/)
    expect(run).toThrow(/^wasm: nothing can run on this device any more: RuntimeError/)
    await pool.close()
  })

  it('does not go on without a worker that failed while there was nothing to do: the next run says so', async () => {
    const platform = await findPlatform()
    let sent = 0
    const { pool, run } = await counting(
      {
        ...platform,
        startWorker: async (beginning, lost) => {
          const worker = await platform.startWorker(beginning, lost)
          return {
            ...worker,
            send: (message) => {
              const isSecond = message.kind === 'functions' && sent++ > 0
              worker.send(isSecond ? { ...message, places: [['a function that is not there', 0]] } : message)
            },
          }
        },
      },
      2,
    )
    run()
    const memory = { initial: initialPages, maximum: maximumPages, shared: true }
    pool.install({ module: new WebAssembly.Module(encode({ functions: [], memory })), places: [] })
    await vi.waitFor(() => {
      expect(run).toThrow(/^wasm: nothing can run on this device any more: a worker failed: \w+Error/)
    }, 20_000)
    await pool.close()
  }, 30_000)

  it('is not opened when a worker cannot begin', async () => {
    const platform = await findPlatform()
    const failing: Platform = { ...platform, startWorker: () => Promise.reject(new Error('no more threads')) }
    await expect(openPool(openHeap(true), failing, 2)).rejects.toThrow('a thread could not be started: no more threads')
  })
})

describe('memory', () => {
  it('is the same after 1,000 steps as after ten', async () => {
    const backend = await openWasm({ threads: 2 })
    let held = 0
    const counted: Backend = {
      ...backend,
      allocate: (bytes) => {
        held += 1
        return backend.allocate(bytes)
      },
      release: (memory) => {
        held -= 1
        backend.release(memory)
      },
    }
    const device = deviceOn(counted)
    const step = device.compile((state: { w: Tensor; n: Tensor }) => ({ w: state.w.mul(0.99), n: state.n.add(1) }), {
      donate: [0],
    })
    let state = { w: scalar(1), n: scalar(0) }
    const heldAfter: number[] = []
    for (let i = 0; i < 1000; i++) {
      state = await step(state)
      heldAfter.push(held)
    }
    expect(heldAfter.at(-1)).toBe(heldAfter[10])
    expect([...(await device.read(state.n))]).toEqual([1000])
    expect(signature(state)).toBe('{"n":f32[],"w":f32[]}')
    await device.close()
  })
})

describe('a process', () => {
  it('ends by itself with a device open, and prints nothing that nobody asked for', async () => {
    const source = new URL('../../../src/index.ts', import.meta.url).href
    const script = `
      import { open, tensor } from '${source}'
      const opened = await open('wasm', { threads: 3, v8Flags: true })()
      if (opened._tag === 'Left') throw new Error(opened.left.message)
      const { right: device } = opened
      console.log(String(await device.read(tensor([1, 2, 3]).mul(2).exp().log())), device.threads)
    `
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    expect(await run).toEqual({ stdout: '2,4,6 3\n', stderr: '' })
  })
})
