/** Compiled functions: traced into a plan for each signature of their arguments, and replayed. */
import { at } from '../prelude/array.ts'
import { TraceError } from '../prelude/errors.ts'
import type { NodeOf } from '../graph/ops.ts'
import { reachable } from '../graph/traverse.ts'
import { usualLimits } from '../compiler/limits.ts'
import { compile as compilePlan, type Plan } from '../compiler/plan.ts'
import type { Profile } from '../compiler/profile.ts'
import { isBuffer, parameterFor, realizeLeaves } from './realize.ts'
import { ready, run, storageOf, type Ready, type Session, type Storage } from './storage.ts'
import { fill, leavesOf, structureOf, type Structure } from './structure.ts'
import { Tensor } from './tensor.ts'
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

/** What `compile` of a device is. */
export const compileFunction =
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
