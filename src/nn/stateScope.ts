/**
 * The state of a model in one pass: a plain tree, and the place of each module in it. Only here is something changed, in one pass and unseen from
 * outside of it: a module that is called twice finds at the second call what it left at the first.
 */
import { Tensor } from '../tensor/tensor.ts'

/** What a state consists of. */
export type StateEntry = Tensor | ModelState | readonly StateEntry[] | undefined

/** Values that a model keeps from pass to pass and no optimizer sees, as running statistics: under the names of its modules, as its parameters are. */
export interface ModelState {
  readonly [name: string]: StateEntry
}

/** For how much a cache has room. */
export interface CacheSize {
  /** Sequences. */
  readonly batch: number
  /** Tokens of each, those of the beginning included. */
  readonly length: number
  /** Default f32. */
  readonly dtype?: 'f16' | 'f32' | 'f64'
}

/** Where a module finds its state in a pass, and leaves the next. */
export interface StateScope {
  /** What lies there now; undefined where the tree ends before. */
  readonly read: () => StateEntry
  /** Leaves the next state there, which later calls in the pass find. */
  readonly write: (next: StateEntry) => void
  /** The scope of a child. @param steps of the tree to it: its name, and its number in a list */
  readonly child: (steps: readonly string[]) => StateScope
}

const isList = (entry: StateEntry): entry is readonly StateEntry[] => Array.isArray(entry)

const entryAt = (entry: StateEntry, steps: readonly string[]): StateEntry => {
  const [step, ...rest] = steps
  if (step === undefined || entry === undefined) return entry
  if (entry instanceof Tensor) return undefined
  return entryAt(isList(entry) ? entry[Number(step)] : entry[step], rest)
}

const withEntry = (entry: StateEntry, steps: readonly string[], next: StateEntry): StateEntry => {
  const [step, ...rest] = steps
  if (step === undefined) return next
  if (isList(entry)) return entry.map((x, i) => (i === Number(step) ? withEntry(x, rest, next) : x))
  const own = entry === undefined || entry instanceof Tensor ? {} : entry
  return { ...own, [step]: withEntry(own[step], rest, next) }
}

/** The tensor of a name in what a module keeps. */
export const tensorIn = (entry: StateEntry, name: string): Tensor | undefined => {
  const found = entryAt(entry, [name])
  return found instanceof Tensor ? found : undefined
}

/** The scope of a whole model; `current` is its state after what was written. */
export const rootScope = (state: StateEntry): { readonly scope: StateScope; readonly current: () => StateEntry } => {
  let tree = state
  const scopeAt = (steps: readonly string[]): StateScope => ({
    read: () => entryAt(tree, steps),
    write: (next) => {
      tree = withEntry(tree, steps, next)
    },
    child: (further) => scopeAt([...steps, ...further]),
  })
  return { scope: scopeAt([]), current: () => tree }
}
