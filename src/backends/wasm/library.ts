/** The compiled functions of a device: one for each structure of a phase, shared by all plans. */
import { encode, type FunctionDefinition } from './assembler/module.ts'
import { javascriptImports } from './emit/javascript.ts'
import type { Phase } from './emit/kernelCode.ts'
import { initialPages, maximumPages } from './memory.ts'
import type { Pool } from './threads/pool.ts'

/** Compiled functions. */
export interface Library {
  /** Compiles what is not known yet, as one module, and gives it to all threads. */
  readonly add: (phases: readonly Phase[]) => void
  /** Index of a function in the threads' tables. */
  readonly indexOf: (key: string) => number
}

/** An empty library over the memory that the pool's threads work on. */
export const openLibrary = (pool: Pool, shared: boolean): Library => {
  const indices = new Map<string, number>()
  return {
    add: (phases) => {
      const unknown = new Map(phases.filter(({ key }) => !indices.has(key)).map((phase) => [phase.key, phase]))
      if (unknown.size === 0) return
      const functions: FunctionDefinition[] = []
      const places: (readonly [string, number])[] = []
      for (const [key, phase] of unknown) {
        const index = indices.size
        const name = `kernel${index}`
        functions.push(phase.make(name))
        places.push([name, index])
        indices.set(key, index)
      }
      const bytes = encode({
        functions,
        imports: javascriptImports,
        memory: { initial: initialPages, maximum: maximumPages, shared },
      })
      pool.install({ module: new WebAssembly.Module(bytes), places })
    },
    indexOf: (key) => {
      const index = indices.get(key)
      if (index === undefined) throw new Error(`wasm: no function was compiled for ${key}`)
      return index
    },
  }
}
