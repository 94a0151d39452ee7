/** The compiled functions of a device: one for each structure of a phase, shared by all plans. */
import { encode, type FunctionDefinition } from './assembler/module.ts'
import { makerOf, type Make, type Phase, type Writers } from './emit/kernelCode.ts'
import { initialPages, maximumPages } from './memory.ts'
import type { Pool } from './threads/pool.ts'

/** The writers of functions that few programs need, or what loads them. */
export type WritersSource = Writers | (() => Promise<Writers>)

/** Compiled functions. */
export interface Library {
  /**
   * Compiles what is not known yet, as one module, and gives it to all threads.
   *
   * @returns undefined where all can run at once; where writers have to be loaded first, a promise, before which none of the phases may run
   */
  readonly add: (phases: readonly Phase[]) => Promise<void> | undefined
  /** Index of a function in the threads' tables. */
  readonly indexOf: (key: string) => number
  /** The function of a phase. @throws Error while what writes it is not loaded */
  readonly functionOf: (phase: Phase, name: string) => FunctionDefinition
}

const withCalls = (phase: Phase): readonly Phase[] => [...phase.calls.flatMap(withCalls), phase]

/** An empty library over the memory that the pool's threads work on. */
export const openLibrary = (pool: Pool, shared: boolean, source: WritersSource): Library => {
  const indices = new Map<string, number>()
  const late = new Map<string, Phase>() // those that wait for the writers
  let writers = typeof source === 'function' ? undefined : source
  let loading: Promise<void> | undefined
  let next = 0

  const indexOf = (key: string): number => {
    const index = indices.get(key)
    if (index === undefined) throw new Error(`wasm: no function was compiled for ${key}`)
    return index
  }

  const compile = (makes: readonly (readonly [key: string, make: Make])[]): void => {
    if (makes.length === 0) return
    const places = makes.map(([key]): readonly [string, number] => [`kernel${indexOf(key)}`, indexOf(key)])
    const bytes = encode({
      functions: makes.map(([key, make]) => make(`kernel${indexOf(key)}`)),
      imports: writers?.imports ?? [],
      table: true,
      memory: { initial: initialPages, maximum: maximumPages, shared },
    })
    pool.install({ module: new WebAssembly.Module(bytes), places }, writers?.called)
  }

  /** What can be compiled of these phases now, by their keys. */
  const known = (phases: Iterable<Phase>): readonly (readonly [string, Make])[] =>
    [...phases].flatMap((phase) => {
      const make = makerOf(phase, writers)
      return make === undefined ? [] : [[phase.key, make] as const]
    })

  const loadWriters = async (load: () => Promise<Writers>): Promise<void> => {
    try {
      writers = await load()
      compile(known(late.values()))
    } catch (e) {
      for (const key of late.keys()) indices.delete(key) // the next plan asks again
      const why = e instanceof Error ? e.message : String(e)
      const what = [...late.keys()].map((key) => `'${key}'`).join(', ')
      throw new Error(
        `wasm: what writes ${what} could not be loaded (${why}): compile the function again to try again`,
        {
          cause: e,
        },
      )
    } finally {
      late.clear()
      loading = undefined
    }
  }

  return {
    add: (phases) => {
      const all = phases.flatMap(withCalls)
      const unknown = new Map(all.filter(({ key }) => !indices.has(key)).map((phase) => [phase.key, phase]))
      for (const [key, phase] of unknown) {
        indices.set(key, next++)
        if (makerOf(phase, writers) === undefined) late.set(key, phase)
      }
      compile(known(unknown.values()))
      if (typeof source !== 'function' || !all.some(({ key }) => late.has(key))) return undefined
      loading ??= loadWriters(source)
      loading.catch(() => undefined) // whoever runs a plan of them is told
      return loading
    },
    indexOf,
    functionOf: (phase, name) => {
      const make = makerOf(phase, writers)
      if (make === undefined)
        throw new Error(`source: what writes '${phase.key}' is loaded with the first call; await one, and ask again`)
      return make(name)
    },
  }
}
