/** From a backend's name to its implementation, loaded when asked for: a page that uses one ships no other. */
import { pipe, TE } from '../prelude/fp.ts'
import type { Backend, Check, Machine } from './backend.ts'

/** Backends by name. */
export type BackendName = 'cpu' | 'wasm'

/** How to open a backend. */
export interface BackendOptions {
  /** `cpu`: whether plans run fused (default), or one primitive at a time as the specification reads. */
  readonly fused?: boolean
  /** `wasm`: threads that run kernels; by default one for each core, up to eight, and one on a page's own thread. No result depends on their number. */
  readonly threads?: number
  /**
   * `wasm`: sets flags of V8 that make WebAssembly up to twice as fast, some of them experimental, for the whole process; kernels are then
   * tried against `cpu` first. For programs that are the process's own master, as fathom's command is. FATHOM_V8_FLAGS=0 forbids it.
   */
  readonly v8Flags?: boolean
  /**
   * `wasm`: outputs a side of the tiles by which large 3×3 convolutions are computed (Winograd's F(m×m, 3×3)). 4, the default, is up to three
   * times as fast as the sums themselves, with some five times their rounding errors, of a filter's gradient some ten times. 2 is up to twice as
   * fast, with smaller errors than the sums' but in a filter's gradient. `false` computes the sums. `machine` goes over it.
   */
  readonly winograd?: false | 2 | 4
  /**
   * Looks at every value of every computation, in search of the first that is not finite, or is NaN: a NonFiniteError says what made it and
   * where. Each primitive is then computed by the specification (`cpu`, one at a time), whatever the backend: a hundred times slower and more.
   */
  readonly check?: Check
  /** `wasm`: the choices of an earlier run, whose results it then gives bit for bit; a DeviceError where they cannot be made. */
  readonly machine?: Machine
}

/** A device could not be opened. */
export interface DeviceError {
  readonly _tag: 'DeviceError'
  readonly message: string
}

const loaders: { readonly [K in BackendName]: (options: BackendOptions) => Promise<Backend> } = {
  cpu: async ({ fused = true }) => {
    const { cpuBackend } = await import('./cpu/backend.ts')
    return cpuBackend(fused)
  },
  wasm: async (options) => {
    const { openWasm } = await import('./wasm/backend.ts')
    return openWasm({ ...options, trusted: () => loaders.cpu({}) })
  },
}

const load = async (name: BackendName, options: BackendOptions): Promise<Backend> => {
  if (options.check === undefined) return loaders[name](options)
  const { checkedBackend } = await import('./cpu/checked.ts')
  return checkedBackend(name, options.check)
}

const isBackendName = (name: string): name is BackendName => Object.hasOwn(loaders, name)

/** What each backend is, in a few words. */
export const backends: { readonly [K in BackendName]: string } = {
  wasm: 'on all cores',
  cpu: 'in plain TypeScript',
}

/** The backend of those who name none. */
export const defaultBackend: BackendName = 'wasm'

/** From the fastest to the one that runs everywhere. */
const byThroughput: readonly BackendName[] = ['wasm', 'cpu']

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e))

const loadNamed = (name: BackendName, options: BackendOptions): TE.TaskEither<DeviceError, Backend> =>
  TE.tryCatch(
    () => load(name, options),
    (e) => ({ _tag: 'DeviceError', message: `device '${name}' could not be opened: ${messageOf(e)}` }),
  )

/** The backend, which says of itself why it is not a faster one. */
const withNotes = (backend: Backend, notes: readonly string[]): Backend =>
  notes.length === 0 ? backend : { ...backend, description: [backend.description, ...notes].join(' · ') }

/** Loads the fastest backend that works here. Its description says why a faster one does not. */
export const loadFastest = (options: BackendOptions = {}): TE.TaskEither<DeviceError, Backend> => {
  const from = (candidates: readonly BackendName[], notes: readonly string[]): TE.TaskEither<DeviceError, Backend> => {
    const [name, ...slower] = candidates
    if (name === undefined) return TE.left({ _tag: 'DeviceError', message: notes.join('; ') })
    return pipe(
      loadNamed(name, options),
      TE.map((backend) => withNotes(backend, notes)),
      TE.orElse((e) => from(slower, [...notes, e.message])),
    )
  }
  return from(byThroughput, [])
}

/** Loads the backend of this name. */
export const loadBackend = (name: string, options: BackendOptions = {}): TE.TaskEither<DeviceError, Backend> =>
  isBackendName(name)
    ? loadNamed(name, options)
    : TE.left({
        _tag: 'DeviceError',
        message: `there is no device '${name}'; choose one of: ${Object.keys(loaders).join(', ')}`,
      })
