/**
 * A device: where tensors are computed and kept. It traces and compiles (trace.ts, compiled.ts), computes and reads (realize.ts), keeps (session.ts,
 * storage.ts), and gives back (scope.ts, and turn.ts with the collector); all that has an effect is in these files.
 */
import { E, type TaskEither } from '../prelude/fp.ts'
import { warn } from '../prelude/warn.ts'
import { decodeHalf } from '../graph/half.ts'
import { viewAs } from '../graph/dtype.ts'
import { dataOrigin, noteData } from '../graph/origin.ts'
import { allPasses, type Passes } from '../compiler/passes.ts'
import type { Plan } from '../compiler/plan.ts'
import type { Backend, Choices } from '../backends/backend.ts'
import type { BackendName, CommonOptions, GivenOptions, OptionsByName, OptionsOf } from '../backends/options.ts'
import { loadBackend, loadFastest, type DeviceError } from '../backends/registry.ts'
import { compileFunction, type Compile } from './compiled.ts'
import { expectTensor } from './expect.ts'
import { watchLoss } from './lost.ts'
import { readings, type Elements, type Readings } from './reading.ts'
import { readBytes, realizeTree } from './realize.ts'
import { releaseTree, scopeOf, type Scoping } from './scope.ts'
import { openSession } from './session.ts'
import { leaves } from './tree.ts'
import { inTurn } from './turn.ts'
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
  /**
   * Bytes that a run of the plan takes here: what `memoryOf` counts, and what the device adds to it.
   *
   * @example
   * ```ts
   * import { zeros, type Tensor } from 'fathom'
   *
   * const step = device.compile((x: Tensor) => x.sum())
   * device.bytesNeeded(step.plan(zeros([1000]))) <= device.memoryLimit // => true
   * ```
   */
  readonly bytesNeeded: (plan: Plan) => number
  /**
   * What it has chosen for this machine, where that changes bits: `open` with the same choices gives the same bits, on every machine that can make
   * them.
   */
  readonly choices?: Choices
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
   * `fn` as a plan: traced once for each structure and shapes of its arguments, then replayed. Numbers are values, as tensors are, and arrive in
   * `fn` as scalars of the dtype that they meet; `static` names arguments whose numbers are part of the program instead.
   *
   * @example
   * ```ts
   * import { grad, scalar, tensor, type Tensor } from 'fathom'
   *
   * const step = device.compile((w: Tensor, rate: Tensor) => w.sub(rate.mul(grad((w: Tensor) => w.square().sum())(w))))
   * await step(tensor([1, 2]), scalar(0.1)) // => [0.8, 1.6]
   * await step(tensor([1, 2]), 0.5) // => [0, 0]
   * ```
   */
  readonly compile: Compile
  /**
   * Gives the memory of a tree's tensors back at once; using them afterwards throws UseAfterRelease. Tensors that are not on the device stay as they
   * are. Nothing has to be released: the collector finds what nothing refers to.
   *
   * @example
   * ```ts
   * import { normal, key } from 'fathom'
   *
   * const noise = await device.realize(normal(key(0), [1000]))
   * device.release(noise)
   * await device.read(noise) // throws UseAfterRelease: the tensor was released; …
   * ```
   */
  readonly release: (tree: unknown) => void
  /**
   * Runs `body`, and gives back what it made on this device, but what it returns. Without a body it opens a scope until `end` is called, or to the
   * end of a block: `using scope = device.scope()`. Scopes may be nested, not overlap: while one is open, all that is made belongs to it.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const sum = await device.scope(async () => {
   *   const squares = await device.realize(tensor([1, 2, 3]).square())
   *   return device.realize(squares.sum())
   * })
   * sum // => 14
   * const scope = device.scope()
   * const kept = scope.keep(await device.realize(tensor([1, 2]).mul(2)))
   * scope.end()
   * kept // => [2, 4]
   * ```
   */
  readonly scope: Scoping
  /** Gives all memory back; tensors of this device cannot be used any more, nor can the device. */
  readonly close: () => Promise<void>
}

/** The elements of a tensor; halves as numbers. */
const elementsOf = ({ dtype, size }: Tensor, bytes: Uint8Array): Elements => {
  const values = viewAs(dtype, bytes.buffer, bytes.byteOffset, size)
  return values instanceof Uint16Array ? Float32Array.from(values, decodeHalf) : values
}

/** What a device does beside computing. */
export interface DeviceHabits {
  /** Passes of the compiler to switch off, in search of a suspect; all run by default. */
  readonly passes?: Partial<Passes>
  /** Takes what people should know though nothing fails, as that a function is compiled again and again; `console.warn` by default. */
  readonly onWarning?: (message: string) => void
}

/** A device that runs on this backend. */
export const deviceOn = (backend: Backend, { passes, onWarning = warn }: DeviceHabits = {}): Device => {
  const session = openSession(backend, { ...allPasses, ...passes }, onWarning)
  void watchLoss(session)
  const realize = async <T>(tree: T): Promise<T> => {
    const origin = dataOrigin(realize) // now: behind an await the caller's line is no longer known
    const realized = await inTurn(session, () => realizeTree(session, tree))
    for (const { node } of leaves(realized)) noteData(node, origin)
    return realized
  }
  const read = async (x: Tensor): Promise<Elements> => {
    expectTensor('read', x)
    return elementsOf(x, await inTurn(session, () => readBytes(session, x)))
  }
  return {
    name: backend.name,
    description: backend.description,
    threads: backend.threads,
    memoryLimit: backend.memoryLimit,
    bytesNeeded: backend.bytesNeeded,
    ...(backend.choices === undefined ? {} : { choices: backend.choices }),
    realize,
    read,
    ...readings(realize, read),
    compile: compileFunction(session),
    release: (tree) => {
      releaseTree(session, tree)
    },
    scope: scopeOf(session),
    close: async () => {
      session.isClosed = true
      try {
        await backend.close()
      } catch (e) {
        if (session.lost === undefined) throw e // what is left of a lost device may not be closed any more
      }
    },
  }
}

/** What every device can be told. */
export type EveryDeviceOptions = CommonOptions & DeviceHabits

/** How to open a device of this name. */
export type DeviceOptions<K extends BackendName> = OptionsOf[K] & EveryDeviceOptions

/**
 * Opens a device by name with that device's options. Where the name is not known beforehand, or none is given, options stand under the names of
 * devices, and the one that is opened takes its own.
 */
export interface Opening<R> {
  <K extends BackendName>(name: K, options?: DeviceOptions<K>): R
  (name?: string, options?: OptionsByName & EveryDeviceOptions): R
}

/**
 * Opens a device: the fastest that works here, or one by name: `webgpu`, on a GPU, `wasm`, in WebAssembly on several threads, or `cpu`, in
 * TypeScript. Its description says why it is not a faster one. A program that plays a GPU on the processor is taken by none who does not ask for
 * it; FATHOM_WEBGPU=0 in the environment says that no GPU is to be taken.
 *
 * @returns a task that fails with a DeviceError; `openDevice` is the same as a promise that rejects
 *
 * @example
 * ```ts
 * import { open, tensor } from 'fathom'
 *
 * const opened = await open('cpu')()
 * if (opened._tag === 'Left') throw new Error(opened.left.message)
 * const device = opened.right
 * await device.read(tensor([1, 2]).add(1)) // => [2, 3]
 * await open('abacus')() // => left({ _tag: 'DeviceError', message: "there is no device 'abacus'; choose one of: cpu, wasm, webgpu" })
 * ```
 */
export const open: Opening<TaskEither<DeviceError, Device>> =
  (name?: string, options: GivenOptions & DeviceHabits = {}) =>
  async () => {
    const { passes: _, onWarning: __, ...forBackend } = options
    const found = await (name === undefined ? loadFastest(forBackend) : loadBackend(name, forBackend))()
    return E.isLeft(found) ? found : E.right(deviceOn(found.right, options))
  }

/**
 * Opens a device as `open` does, for scripts: a promise that rejects where none can be opened.
 *
 * @param name the fastest that works here, unless it is named
 * @throws Error with the message of the DeviceError
 *
 * @example
 * ```ts
 * import { openDevice, tensor } from 'fathom'
 *
 * const device = await openDevice()
 * await device.read(tensor([1, 2]).add(1)) // => [2, 3]
 * await openDevice('abacus') // throws Error: there is no device 'abacus'; choose one of: cpu, wasm, webgpu
 * ```
 */
export const openDevice: Opening<Promise<Device>> = async (
  name?: string,
  options: GivenOptions & DeviceHabits = {},
): Promise<Device> => {
  const opened = await open(name, options)()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  return opened.right
}
