/**
 * A device: where tensors are computed and kept. It traces and compiles (compiled.ts), computes (realize.ts), keeps (storage.ts) and reads; all
 * that has an effect is in these four files.
 */
import { pipe, TE } from '../prelude/fp.ts'
import { decodeHalf, viewAs } from '../graph/dtype.ts'
import type { NodeOf } from '../graph/ops.ts'
import { allPasses, type Passes } from '../compiler/passes.ts'
import type { Backend, Machine } from '../backends/backend.ts'
import { loadBackend, type BackendOptions, type DeviceError } from '../backends/registry.ts'
import { compileFunction, type Compiled, type CompileOptions } from './compiled.ts'
import { expectTensor } from './expect.ts'
import { readings, type Elements, type Readings } from './reading.ts'
import { realizeTree } from './realize.ts'
import { storageOf, type Holding, type Session } from './storage.ts'
import type { Tensor } from './tensor.ts'

/** A place where tensors are computed. */
export interface Device extends Readings {
  readonly name: string
  /** One line for people: the name, and what of the machine is used. */
  readonly description: string
  /** Threads that run kernels. */
  readonly threads: number
  /** Bytes that arguments, results and temporaries together may take. */
  readonly memoryLimit: number
  /** What code is made for, where that is a choice: `open` with the same choices gives the same bits, on every machine that can make them. */
  readonly machine?: Machine
  /**
   * Computes every leaf of the tree; the result's leaves are values.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const { a, b } = await device.realize({ a: tensor([1, 2]).exp(), b: tensor([3]).square() })
   * b // => [9]
   * ```
   */
  readonly realize: <T>(tree: T) => Promise<T>
  /**
   * The elements, row-major; f16 arrives as f32.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * await device.read(tensor([[1, 2], [3, 4]]).mul(2)) // => [2, 4, 6, 8]
   * ```
   */
  readonly read: (x: Tensor) => Promise<Elements>
  /**
   * `fn` as a plan: traced once for each structure and shapes of its arguments, then replayed.
   *
   * @example
   * ```ts
   * import { grad, scalar, tensor, type Tensor } from 'fathom'
   *
   * const step = device.compile((w: Tensor, rate: Tensor) => w.sub(rate.mul(grad((w: Tensor) => w.square().sum())(w))))
   * await step(tensor([1, 2]), scalar(0.1)) // => [0.8, 1.6]
   * await step(tensor([1, 2]), scalar(0.5)) // => [0, 0]
   * ```
   */
  readonly compile: <A extends readonly unknown[], R>(fn: (...args: A) => R, options?: CompileOptions) => Compiled<A, R>
  /** Gives all memory back; tensors of this device cannot be used any more. */
  readonly close: () => Promise<void>
}

const readTensor = async (session: Session, x: Tensor): Promise<Elements> => {
  expectTensor('read', x)
  const leaf = realizeTree(session, x)
  const bytes = await session.backend.read(storageOf(session, leaf.node as NodeOf<'buffer'>, '').holding.memory)
  const values = viewAs(x.dtype, bytes.buffer, bytes.byteOffset, x.size)
  return values instanceof Uint16Array ? Float32Array.from(values, decodeHalf) : values
}

/** A device that runs on this backend. */
export const deviceOn = (backend: Backend, passes: Passes = allPasses): Device => {
  const forgotten = new FinalizationRegistry<Holding>(({ memory, donatedAs }) => {
    if (donatedAs === undefined) backend.release(memory)
  })
  const session: Session = { backend, passes, forgotten, uploads: new WeakMap(), realizations: new Map() }
  const realize = async <T>(tree: T): Promise<T> => Promise.resolve(realizeTree(session, tree))
  const read = async (x: Tensor): Promise<Elements> => readTensor(session, x)
  return {
    name: backend.name,
    description: backend.description,
    threads: backend.threads,
    memoryLimit: backend.memoryLimit,
    ...(backend.machine === undefined ? {} : { machine: backend.machine }),
    realize,
    read,
    ...readings(realize, read),
    compile: compileFunction(session),
    close: () => backend.close(),
  }
}

/** How to open a device. */
export interface DeviceOptions extends BackendOptions {
  /** Passes of the compiler to switch off, in search of a suspect; all run by default. */
  readonly passes?: Partial<Passes>
}

/**
 * Opens a device by name: `cpu`, in TypeScript, or `wasm`, in WebAssembly on several threads.
 *
 * @example
 * ```ts
 * import { open, tensor } from 'fathom'
 *
 * const opened = await open('cpu')()
 * if (opened._tag === 'Left') throw new Error(opened.left.message)
 * const device = opened.right
 * await device.read(tensor([1, 2]).add(1)) // => [2, 3]
 * await open('abacus')() // => left({ _tag: 'DeviceError', message: "there is no device 'abacus'; choose one of: cpu, wasm" })
 * ```
 */
export const open = (name: string, { passes, ...options }: DeviceOptions = {}): TE.TaskEither<DeviceError, Device> =>
  pipe(
    loadBackend(name, options),
    TE.map((backend) => deviceOn(backend, { ...allPasses, ...passes })),
  )
