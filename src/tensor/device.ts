/**
 * A device: where tensors are computed and kept. It traces, compiles, runs and reads; everything that has an effect is here.
 */
import { pipe, TE } from '../prelude/fp.ts'
import { at } from '../prelude/array.ts'
import { DTypeError, TraceError, UseAfterDonate } from '../prelude/errors.ts'
import { bytesPerElement, decodeHalf, viewAs, type DType, type TypedArray } from '../graph/dtype.ts'
import { graphKey } from '../graph/key.ts'
import { makeNode } from '../graph/node.ts'
import type { Node, NodeOf } from '../graph/ops.ts'
import { sizeOf, type Shape } from '../graph/shape.ts'
import { substitute } from '../graph/substitute.ts'
import { reachable } from '../graph/traverse.ts'
import { usualLimits } from '../compiler/limits.ts'
import { allPasses, type Passes } from '../compiler/passes.ts'
import { compile as compilePlan, type Plan } from '../compiler/plan.ts'
import type { Profile } from '../compiler/profile.ts'
import type { Backend, Executable, Machine, Memory } from '../backends/backend.ts'
import { loadBackend, type BackendOptions, type DeviceError } from '../backends/registry.ts'
import { Tensor } from './tensor.ts'
import { fill, leavesOf, structureOf, type Structure } from './structure.ts'
import { leaves, leavesWithPaths, refill, signature } from './tree.ts'

/** A compiled function: traced once for each structure and shapes of its arguments, then replayed. */
export type Compiled<A extends readonly unknown[], R> = ((...args: A) => Promise<R>) & {
  /**
   * The plan for these arguments, without running it.
   *
   * @example
   * ```ts
   * import { tensor, type Tensor } from 'fathom'
   *
   * const f = device.compile((x: Tensor) => x.exp().sum())
   * f.plan(tensor([1, 2, 3])).kernels.length // => 1
   * ```
   */
  readonly plan: (...args: A) => Plan
  /**
   * Runs it once, waiting for each kernel; results are forgotten, and arguments kept, which nothing else may use meanwhile. Rejects on a device that does not run kernels one by one.
   *
   * @example
   * ```ts
   * import { tensor, type Tensor } from 'fathom'
   *
   * const f = device.compile((x: Tensor) => x.exp().sum())
   * const { plan, milliseconds } = await f.profile(tensor([1, 2, 3]))
   * milliseconds.length === plan.kernels.length // => true
   * ```
   */
  readonly profile: (...args: A) => Promise<Profile>
  /**
   * The code that was generated for each kernel of the plan, as text (wasm: WebAssembly's text format).
   *
   * @throws Error on a device that generates none
   *
   * @example
   * ```ts
   * import { tensor, type Tensor } from 'fathom'
   *
   * const f = device.compile((x: Tensor) => x.exp().sum())
   * f.source(tensor([1, 2, 3])) // throws Error: source: the device 'cpu' generates no code
   * ```
   */
  readonly source: (...args: A) => readonly string[]
}

/** Which arguments a compiled function may consume. */
export interface CompileOptions {
  /** Positions of arguments whose memory the results take over; using them afterwards throws UseAfterDonate. */
  readonly donate?: readonly number[]
}

/** A place where tensors are computed. */
export interface Device {
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
  readonly read: (x: Tensor) => Promise<Exclude<TypedArray, Uint16Array>>
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

/** Memory that a storage has until it is given back: once, by a donation or when nothing refers to the storage any more. */
interface Holding {
  readonly memory: Memory
  donatedAs: string | undefined
}

/** Values that a device keeps: the state of a leaf. */
class Storage {
  readonly owner: object
  readonly holding: Holding

  constructor(owner: object, holding: Holding) {
    this.owner = owner
    this.holding = holding
  }
}

/** What a device knows while it is open. */
interface Session {
  /** Gives memory back when no tensor can reach its storage any more. */
  readonly forgotten: FinalizationRegistry<Holding>
  readonly backend: Backend
  readonly passes: Passes
  readonly uploads: WeakMap<TypedArray, Storage>
  readonly realizations: Map<string, Ready>
}

/** A plan made ready. */
interface Ready {
  readonly plan: Plan
  readonly executable: Executable
  /** Bytes of each output. */
  readonly bytes: readonly number[]
}

const named = (path: string): string => (path === '' ? 'the tensor' : `the tensor '${path}'`)

const storageOf = (session: Session, node: NodeOf<'buffer'>, path: string): Storage => {
  const { source } = node.attrs
  if (source.kind === 'host') return upload(session, source.values)
  const { storage } = source
  if (!(storage instanceof Storage) || storage.owner !== session)
    throw new DTypeError(`${named(path)} lives on another device; read it there and make a tensor of its values`)
  const { donatedAs } = storage.holding
  if (donatedAs !== undefined)
    throw new UseAfterDonate(
      `${named(path)} was donated as '${donatedAs}' to a compiled function; use the value that the function returned`,
    )
  return storage
}

/** A storage of memory that nothing else holds. */
const hold = (session: Session, memory: Memory): Storage => {
  const holding: Holding = { memory, donatedAs: undefined }
  const storage = new Storage(session, holding)
  session.forgotten.register(storage, holding)
  return storage
}

/** A storage of fresh memory. */
const allocate = (session: Session, bytes: number): Storage => hold(session, session.backend.allocate(bytes))

const upload = (session: Session, values: TypedArray): Storage => {
  const known = session.uploads.get(values)
  if (known !== undefined && known.holding.donatedAs === undefined) return known
  const storage = allocate(session, values.byteLength)
  session.backend.write(storage.holding.memory, values)
  session.uploads.set(values, storage)
  return storage
}

const leafTensor = (storage: Storage, shape: Shape, dtype: DType): Tensor =>
  new Tensor(makeNode('buffer', { source: { kind: 'device', storage }, shape, dtype }, []))

/** Runs the plan; the outputs in `taken` are written where those inputs lie, which the caller then marks as donated. */
const run = (
  session: Session,
  { plan, executable, bytes }: Ready,
  inputs: readonly Storage[],
  taken: ReadonlyMap<number, Storage> = new Map(),
): readonly Tensor[] => {
  const outputs = bytes.map((n, i) => taken.get(i) ?? allocate(session, n))
  executable.run(
    inputs.map((s) => s.holding.memory),
    outputs.map((s) => s.holding.memory),
  )
  return outputs.map((written, i) => {
    const storage = taken.has(i) ? hold(session, written.holding.memory) : written
    return leafTensor(storage, at(plan.outputs, i).shape, at(plan.outputs, i).dtype)
  })
}

const isBuffer = (node: Node): node is NodeOf<'buffer'> => node.op === 'buffer'

const isOnDevice = (x: Tensor): boolean => x.node.op === 'buffer' && x.node.attrs.source.kind === 'device'

const parameterFor = (node: Node, index: number): NodeOf<'parameter'> =>
  makeNode('parameter', { index, shape: node.shape, dtype: node.dtype }, [])

const ready = (session: Session, plan: Plan): Ready => ({
  plan,
  executable: session.backend.prepare(plan),
  bytes: plan.outputs.map(({ shape, dtype }) => sizeOf(shape) * bytesPerElement[dtype]),
})

/** Plans of `realize`, by the structure of the graph over its buffers. */
const realizeNodes = (session: Session, outputs: readonly Node[]): readonly Tensor[] => {
  const buffers = reachable(outputs).filter(isBuffer)
  const names = new Map<Node, string>(buffers.map((b, i) => [b, `b${i}:${b.dtype}[${b.shape.join()}]`]))
  const key = `${[...names.values()].join()}|${graphKey(outputs, names)}`
  const known = session.realizations.get(key)
  const made = known ?? ready(session, planOver(session, buffers, outputs))
  session.realizations.set(key, made)
  return run(
    session,
    made,
    buffers.map((b) => storageOf(session, b, 'a captured tensor')),
  )
}

/** Compiles a graph with some of its leaves turned into parameters. */
const planOver = (session: Session, buffers: readonly Node[], outputs: readonly Node[]): Plan => {
  const parameters = buffers.map(parameterFor)
  const closed = substitute(outputs, new Map(buffers.map((b, i) => [b, at(parameters, i)])))
  return compilePlan(parameters, closed, session.passes)
}

/** Every leaf as a value on the device; the same list when they all are. */
const realizeLeaves = (session: Session, all: readonly Tensor[]): readonly Tensor[] => {
  const pending = all.filter((x) => !isOnDevice(x))
  if (pending.length === 0) return all
  const hosted = new Map<Tensor, Tensor>()
  for (const x of pending)
    if (isBuffer(x.node)) hosted.set(x, leafTensor(storageOf(session, x.node, ''), x.shape, x.dtype))
  const lazy = [...new Set(pending.filter((x) => !hosted.has(x)))]
  if (lazy.length > 0)
    realizeNodes(
      session,
      lazy.map((x) => x.node),
    ).forEach((y, i) => hosted.set(at(lazy, i), y))
  return all.map((x) => hosted.get(x) ?? x)
}

const realizeTree = <T>(session: Session, tree: T): T => {
  const all = leaves(tree)
  const realized = realizeLeaves(session, all)
  return realized === all ? tree : refill(tree, realized)
}

/** A function traced for one signature. */
interface Traced extends Ready {
  readonly given: Structure
  readonly result: Structure
  /** Where each leaf stands in the arguments, and in words. */
  readonly paths: readonly string[]
  readonly positions: readonly number[]
  readonly names: readonly string[]
}

/** Which argument each leaf belongs to, from its path. */
const positionsOf = (paths: readonly string[]): readonly number[] => paths.map((path) => Number.parseInt(path, 10))

const trace = <A extends readonly unknown[], R>(
  session: Session,
  fn: (...args: A) => R,
  args: A,
  donate: readonly number[],
): { readonly plan: Plan; readonly result: unknown } => {
  const parameters = leaves(args).map((x, i) => parameterFor(x.node, i))
  const result = fn(
    ...refill(
      args,
      parameters.map((p) => new Tensor(p)),
    ),
  )
  const outputs = leaves(result).map((x) => x.node)
  const first = reachable(outputs).find(isBuffer)
  if (first !== undefined)
    throw new TraceError(
      `compile: the function uses a tensor of data, ${first.dtype}[${first.shape.join(',')}], that is not one of its arguments; it would be frozen into the plan. Pass it as an argument, or make it with constant() if it is part of the program`,
    )
  const positions = positionsOf(leavesWithPaths(args).map(([path]) => path))
  const isDonated = (parameter: number): boolean => donate.includes(at(positions, parameter))
  return { plan: compilePlan(parameters, outputs, session.passes, usualLimits, isDonated), result }
}

/** The donated arguments that an output can be written over: those whose storage is no other argument's too. */
const takenOver = ({ plan }: Ready, storages: readonly Storage[]): ReadonlyMap<number, Storage> => {
  const [once, twice] = [new Set<Storage>(), new Set<Storage>()]
  if (plan.overwrites.size > 0) for (const storage of storages) (once.has(storage) ? twice : once).add(storage)
  return new Map(
    [...plan.overwrites]
      .map(([output, argument]) => [output, at(storages, argument)] as const)
      .filter(([, storage]) => !twice.has(storage)),
  )
}

/** One run with a barrier after each kernel, where the outputs of a run would lie; what that writes over is put back. */
const profile = async (session: Session, ready: Ready, inputs: readonly Storage[]): Promise<Profile> => {
  const { plan, executable, bytes } = ready
  const { backend } = session
  if (executable.profile === undefined)
    throw new Error(`profile: the device '${backend.name}' does not run kernels one by one`)
  const taken = takenOver(ready, inputs)
  const before = [...taken.values()].map(({ holding }) => [holding.memory, backend.read(holding.memory)] as const)
  const start = performance.now()
  const fresh = new Map(bytes.flatMap((n, i) => (taken.has(i) ? [] : [[i, backend.allocate(n)] as const])))
  try {
    const milliseconds = await executable.profile(
      inputs.map((s) => s.holding.memory),
      bytes.flatMap((_, i) => fresh.get(i) ?? taken.get(i)?.holding.memory ?? []),
    )
    return { plan, milliseconds, total: performance.now() - start }
  } finally {
    for (const memory of fresh.values()) backend.release(memory)
    for (const [memory, values] of before) backend.write(memory, await values)
  }
}

/**
 * Gives up the arguments at the donated positions, each storage once: a tensor may stand at several paths, or be kept at another. The memory
 * of those in `taken` is a result's already.
 */
const markDonated = (
  session: Session,
  { positions, names }: Traced,
  storages: readonly Storage[],
  donate: readonly number[],
  taken: ReadonlySet<Storage>,
): void => {
  if (donate.length === 0) return
  const kept = new Set(storages.filter((_, i) => !donate.includes(at(positions, i))))
  storages.forEach((storage, i) => {
    const { holding } = storage
    if (holding.donatedAs !== undefined || kept.has(storage) || !donate.includes(at(positions, i))) return
    holding.donatedAs = at(names, i)
    if (!taken.has(storage)) session.backend.release(holding.memory)
  })
}

/** `argument 0, layers.1.weight`. */
const donatedName = (path: string): string => {
  const dot = path.indexOf('.')
  return `argument ${dot < 0 ? path : `${path.slice(0, dot)}, ${path.slice(dot + 1)}`}`
}

const compileFunction =
  (session: Session) =>
  <A extends readonly unknown[], R>(fn: (...args: A) => R, { donate = [] }: CompileOptions = {}): Compiled<A, R> => {
    const plans = new Map<string, Traced>()
    let latest: Traced | undefined
    const tracedFor = (args: A): Traced => {
      const key = signature(args)
      const known = plans.get(key)
      if (known !== undefined) return known
      const { plan, result } = trace(session, fn, args, donate)
      const paths = leavesWithPaths(args).map(([path]) => path)
      const made: Traced = {
        ...ready(session, plan),
        given: structureOf(args),
        result: structureOf(result),
        paths,
        positions: positionsOf(paths),
        names: paths.map(donatedName),
      }
      plans.set(key, made)
      return made
    }
    /** What runs for these arguments, and its inputs. */
    const bind = (args: A): { readonly traced: Traced; readonly storages: readonly Storage[] } => {
      const alike = latest === undefined ? undefined : leavesOf(latest.given, args)
      const traced = latest === undefined || alike === undefined ? tracedFor(args) : latest
      latest = traced
      const storages = realizeLeaves(session, alike ?? leaves(args)).map((x, i) =>
        storageOf(session, x.node as NodeOf<'buffer'>, at(traced.paths, i)),
      )
      return { traced, storages }
    }
    const call = (args: A): R => {
      const { traced, storages } = bind(args)
      const taken = takenOver(traced, storages)
      const outputs = run(session, traced, storages, taken)
      markDonated(session, traced, storages, donate, new Set(taken.values()))
      return fill(traced.result, outputs) as R
    }
    return Object.assign(async (...args: A): Promise<R> => Promise.resolve(call(args)), {
      plan: (...args: A): Plan => trace(session, fn, args, donate).plan,
      profile: async (...args: A): Promise<Profile> => {
        const { traced, storages } = bind(args)
        return profile(session, traced, storages)
      },
      source: (...args: A): readonly string[] => {
        const { executable } = bind(args).traced
        if (executable.source === undefined)
          throw new Error(`source: the device '${session.backend.name}' generates no code`)
        return executable.source()
      },
    })
  }

const readTensor = async (session: Session, x: Tensor): Promise<Exclude<TypedArray, Uint16Array>> => {
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
  return {
    name: backend.name,
    description: backend.description,
    threads: backend.threads,
    memoryLimit: backend.memoryLimit,
    ...(backend.machine === undefined ? {} : { machine: backend.machine }),
    realize: async (tree) => Promise.resolve(realizeTree(session, tree)),
    read: async (x) => readTensor(session, x),
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
