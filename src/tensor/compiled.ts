/**
 * Compiled functions: traced into a plan for each structure of their arguments, and replayed. Another number is no other structure: numbers are
 * traced as scalars.
 */
import { requireFunction, requireKnown } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { DTypeError } from '../prelude/errors.ts'
import { showSite, siteAbove, type Site } from '../prelude/stack.ts'
import type { DType, TypedArray } from '../graph/dtype.ts'
import type { NodeOf } from '../graph/ops.ts'
import type { Plan } from '../compiler/plan.ts'
import { printPlan } from '../compiler/print.ts'
import type { Profile } from '../compiler/profile.ts'
import { literalOf } from './broadcast.ts'
import { lossOr, orLost } from './lost.ts'
import { compute, isBuffer } from './realize.ts'
import { giveBack, optionsOf, requireCompiled, type Ready, type Session, type Storage } from './session.ts'
import {
  bringNumber,
  giveBackBrought,
  leafTensor,
  ready,
  run,
  storageFor,
  type Brought,
  type Taken,
} from './storage.ts'
import { inWords, trace, treedefOfArguments, type Traced } from './trace.ts'
import { differenceOf, keyOf, leavesOf, unflatten, type Leaf, type Treedef } from './treedef.ts'
import { inTurn, requireOpen, whenCompiled } from './turn.ts'
import type { Tensor } from './tensor.ts'

/** What is given for the arguments A: a number may stand for a tensor, which it is traced as. */
export type Given<A extends readonly unknown[]> = { [I in keyof A]: A[I] extends Tensor ? A[I] | number : A[I] }

/** A compiled function: traced once for each structure and shapes of its arguments, then replayed. Numbers among them are values, as tensors are. */
export type Compiled<A extends readonly unknown[], R> = ((...args: Given<A>) => Promise<R>) & {
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
  readonly plan: (...args: Given<A>) => Plan
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
  readonly profile: (...args: Given<A>) => Promise<Profile>
  /**
   * The plan for these arguments as a table, as `print` shows it, and what the device has chosen for each kernel: tiles, parts, where it has no
   * vectors for it.
   *
   * @example
   * ```ts
   * import { tensor, type Tensor } from 'fathom'
   *
   * const f = device.compile((x: Tensor) => x.exp())
   * f.explain(tensor([1, 2, 3])) // =>
   * // kind         writes      computes  reads       work    traffic  ends because
   * // elementwise  out0:f32×3  exp       reads arg0  3 FLOP  24 B     output
   * // 1 kernels · 3 FLOP · arguments 12 B · outputs 12 B · arena 0 B
   * ```
   */
  readonly explain: (...args: Given<A>) => string
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
  readonly source: (...args: Given<A>) => readonly string[]
}

/** What a compiled function does with its arguments. */
export interface CompileOptions {
  /** Positions of arguments whose memory the results take over; using them afterwards throws UseAfterDonate. */
  readonly donate?: readonly number[]
  /** Positions of arguments whose numbers are part of the program: the function gets them as numbers, and each value has a plan of its own. */
  readonly static?: readonly number[]
}

/** A traced function, and its plan on this device once it has run. */
interface Prepared {
  readonly traced: Traced
  ready: Ready | undefined
}

/** A compiled function on its device. */
interface Program {
  readonly session: Session
  readonly fn: (...args: readonly unknown[]) => unknown
  readonly donate: readonly number[]
  readonly fixed: readonly number[]
  /** Who makes the results, in words. */
  readonly maker: string
  readonly plans: Map<string, Prepared>
  latest: Prepared | undefined
}

/** Plans of one function from which on it is said that there are many, and how often again. */
const many = (count: number): boolean => count >= 8 && Number.isInteger(Math.log2(count / 8) / 3)

const warnOfMany = ({ session, maker, plans }: Program, before: Treedef, after: Treedef): void => {
  const difference = differenceOf(before, after)
  if (difference === undefined || !many(plans.size)) return
  const { path, before: was, after: is } = difference
  session.warn(
    `${maker} has ${plans.size} plans, each compiled anew and kept: ${path === '' ? 'the arguments' : inWords(path)} was ${was} and is ${is}. Give batches one shape, and what varies as a tensor or a number that is not static`,
  )
}

/** The plan for these arguments. */
const preparedFor = (program: Program, args: readonly unknown[]): Prepared => {
  const { session, fn, donate, fixed, plans, latest } = program
  const given = treedefOfArguments(args, fixed)
  const key = keyOf(given)
  const known = plans.get(key)
  if (known !== undefined) return known
  const made: Prepared = { traced: trace(fn, args, given, { options: optionsOf(session), donate }), ready: undefined }
  plans.set(key, made)
  if (latest !== undefined) warnOfMany(program, latest.traced.given, given)
  return made
}

/** The plan as its device runs it. */
const readyOf = ({ session, maker }: Program, prepared: Prepared): Ready =>
  (prepared.ready ??= ready(session, prepared.traced.plan, maker))

/** The literal of a number given to the function. */
const numberIn = (value: number, dtype: DType, path: string): TypedArray => {
  try {
    return literalOf(value, dtype)
  } catch (e) {
    throw e instanceof DTypeError ? new DTypeError(`${inWords(path)}: ${e.message}`) : e
  }
}

/** The leaves as what storages are found by: graphs are computed, once each, only for this call. */
const computedFor = (session: Session, given: readonly Leaf[], brought: Brought): ReadonlyMap<Leaf, Storage> => {
  const lazy = [...new Set(given)].filter((x): x is Tensor => typeof x !== 'number' && !isBuffer(x.node))
  if (lazy.length === 0) return new Map()
  const storages = compute(
    session,
    lazy.map((x) => x.node),
  )
  for (const storage of storages) brought.set(storage, storage)
  return new Map(lazy.map((x, i) => [x, at(storages, i)]))
}

/** What runs for these arguments, and its inputs; `brought` collects what is made only for that. */
const bind = (
  program: Program,
  args: readonly unknown[],
  brought: Brought,
): { readonly traced: Traced; readonly ready: Ready; readonly storages: readonly Storage[] } => {
  const { session, latest } = program
  const alike = latest === undefined ? undefined : leavesOf(latest.traced.given, args)
  const prepared = latest === undefined || alike === undefined ? preparedFor(program, args) : latest
  const { traced } = prepared
  program.latest = prepared
  const made = readyOf(program, prepared)
  requireCompiled(made)
  const given = alike ?? leavesOf(traced.given, args) ?? []
  const computed = computedFor(session, given, brought)
  const storages = traced.inputs.map(({ leaf, dtype }) => {
    const [x, path] = [at(given, leaf), at(traced.paths, leaf)]
    if (typeof x === 'number') return bringNumber(session, numberIn(x, dtype, path), brought)
    return computed.get(x) ?? storageFor(session, x.node as NodeOf<'buffer'>, at(traced.tensors, leaf), brought)
  })
  return { traced, ready: made, storages }
}

/** The donated arguments that an output can be written over: those whose storage is no other argument's too. */
const takenOver = (
  { plan }: Ready,
  { inputs, names }: Traced,
  storages: readonly Storage[],
): ReadonlyMap<number, Taken> => {
  const taken = new Map<number, Taken>()
  if (plan.overwrites.size === 0) return taken
  const [once, twice] = [new Set<Storage>(), new Set<Storage>()]
  for (const storage of storages) (once.has(storage) ? twice : once).add(storage)
  for (const [output, input] of plan.overwrites) {
    const storage = at(storages, input)
    if (!twice.has(storage)) taken.set(output, { storage, as: at(names, at(inputs, input).leaf) })
  }
  return taken
}

/** One run with a barrier after each kernel, where the outputs of a run would lie; what that writes over is put back. */
const profile = async (program: Program, args: readonly unknown[]): Promise<Profile> => {
  const { session } = program
  const { backend } = session
  requireOpen(session)
  const brought: Brought = new Map()
  const { traced, ready: prepared, storages } = await whenCompiled(session, () => bind(program, args, brought))
  const { plan, executable, bytes } = prepared
  if (executable.profile === undefined)
    throw new Error(`profile: the device '${backend.name}' does not run kernels one by one`)
  const taken = [...takenOver(prepared, traced, storages)].map(
    ([output, { storage }]) => [output, storage.holding.memory] as const,
  )
  const before = Promise.all(
    taken.map(async ([, memory]) => [memory, await orLost(session, backend.read(memory), 'an argument')] as const),
  )
  before.catch(() => undefined) // it is awaited below
  const places = new Map(taken)
  const start = performance.now()
  const fresh = new Map(bytes.flatMap((n, i) => (places.has(i) ? [] : [[i, backend.allocate(n)] as const])))
  try {
    const running = executable.profile(
      storages.map((s) => s.holding.memory),
      bytes.flatMap((_, i) => fresh.get(i) ?? places.get(i) ?? []),
    )
    const milliseconds = await orLost(session, running, 'the profile')
    const total = performance.now() - start
    return { plan, milliseconds, total, ...(executable.choices === undefined ? {} : { choices: executable.choices }) }
  } finally {
    if (session.lost === undefined) {
      for (const memory of fresh.values()) backend.release(memory)
      for (const [memory, values] of await before) backend.write(memory, values)
    }
    giveBackBrought(session, brought)
  }
}

/**
 * Gives up the arguments at the donated positions, each storage once: a tensor may stand at several paths, or be kept at another. The memory of
 * those that were written over is a result's already.
 */
const giveUpDonated = ({ session, donate }: Program, { inputs, names }: Traced, storages: readonly Storage[]): void => {
  if (donate.length === 0) return
  const isDonated = (i: number): boolean => donate.includes(at(inputs, i).position)
  const kept = new Set(storages.filter((_, i) => !isDonated(i)))
  storages.forEach((storage, i) => {
    if (isDonated(i) && !kept.has(storage))
      giveBack(session, storage.holding, { kind: 'donated', as: at(names, at(inputs, i).leaf) })
  })
}

const call = (program: Program, args: readonly unknown[]): unknown => {
  const { session } = program
  const brought: Brought = new Map()
  try {
    const { traced, ready: prepared, storages } = bind(program, args, brought)
    const taken = takenOver(prepared, traced, storages)
    const outputs = run(session, prepared, { inputs: storages, taken })
    giveUpDonated(program, traced, storages)
    return unflatten(
      traced.result,
      outputs.map((storage, i) => leafTensor(session, storage, at(traced.plan.outputs, i))),
    )
  } finally {
    giveBackBrought(session, brought)
  }
}

/** The code of each kernel, as text. */
const sourceOf = (program: Program, args: readonly unknown[]): readonly string[] => {
  const { session } = program
  requireOpen(session)
  const { executable } = readyOf(program, preparedFor(program, args))
  if (executable.source === undefined) throw new Error(`source: the device '${session.backend.name}' generates no code`)
  return executable.source()
}

/** The plan on its device as a table. */
const explain = (program: Program, args: readonly unknown[]): string => {
  requireOpen(program.session)
  const { plan, executable } = readyOf(program, preparedFor(program, args))
  return printPlan(plan, executable.choices)
}

/** A compiled function in words: by its name, or by the line that compiles it. */
const makerOf = (name: string, site: Site): string => {
  const line = showSite(site)
  if (name !== '') return `the compiled function '${name}'`
  return line === undefined ? 'a compiled function' : `the function compiled at ${line}`
}

/** Gives back what plans keep on their device. It refers to the plans alone, so that their function can be forgotten. */
const releaseOf = (plans: Program['plans']) => (): void => {
  for (const prepared of plans.values()) prepared.ready?.executable.release()
}

/** What `compile` of a device is. */
export type Compile = <A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  options?: CompileOptions,
) => Compiled<A, R>

/** `compile` of a device. */
export const compileFunction = (session: Session): Compile => {
  const compile: Compile = <A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    options: CompileOptions = {},
  ): Compiled<A, R> => {
    requireFunction('compile', fn, 'device.compile((x) => …)')
    requireKnown('compile', options, ['donate', 'static'])
    const { donate = [], static: fixed = [] } = options
    const program: Program = {
      session,
      fn: (...args) => fn(...(args as unknown as A)), // leaves of A, replaced by tensors
      donate,
      fixed,
      maker: makerOf(fn.name, siteAbove(compile, 2)),
      plans: new Map(),
      latest: undefined,
    }
    session.dropped.register(program, releaseOf(program.plans))
    return Object.assign(async (...args: Given<A>): Promise<R> => inTurn(session, () => call(program, args) as R), {
      plan: (...args: Given<A>): Plan => preparedFor(program, args).traced.plan,
      profile: async (...args: Given<A>): Promise<Profile> =>
        profile(program, args).catch(async (e: unknown) => {
          throw await lossOr(session, e)
        }),
      explain: (...args: Given<A>): string => explain(program, args),
      source: (...args: Given<A>): readonly string[] => sourceOf(program, args),
    })
  }
  return compile
}
