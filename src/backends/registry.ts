/** From a backend's name to its implementation, loaded when asked for: a page that uses one ships no other. */
import { E, pipe, TE } from '../prelude/fp.ts'
import type { Backend } from './backend.ts'
import { backendNames, faultIn, isBackendName, type BackendName, type GivenOptions } from './options.ts'

/** A device could not be opened. */
export interface DeviceError {
  readonly _tag: 'DeviceError'
  readonly message: string
}

const loaders: { readonly [K in BackendName]: (options: GivenOptions) => Promise<Backend> } = {
  cpu: async ({ fused = true, choices }) => {
    if (choices !== undefined) throw new Error(`cpu makes no choices, and was given ${JSON.stringify(choices)}`)
    const { cpuBackend } = await import('./cpu/backend.ts')
    return cpuBackend(fused)
  },
  wasm: async (options) => {
    const { openWasm } = await import('./wasm/backend.ts')
    return openWasm({ ...options, trusted: () => loaders.cpu({}) })
  },
  webgpu: async (options) => {
    const { openWebgpu } = await import('./webgpu/backend.ts')
    return openWebgpu(options)
  },
}

const load = async (name: BackendName, options: GivenOptions): Promise<Backend> => {
  if (options.check === undefined) return loaders[name]({ ...options, ...options[name] })
  const { checkedBackend } = await import('./cpu/checked.ts')
  return checkedBackend(name, options.check)
}

/** What each backend is, in a few words. */
export const backends: { readonly [K in BackendName]: string } = {
  webgpu: 'on the GPU',
  wasm: 'on all cores',
  cpu: 'in plain TypeScript',
}

/** The backend of those who name none. */
export const defaultBackend: BackendName = 'wasm'

/** From the fastest to the one that runs everywhere. */
const byThroughput: readonly BackendName[] = ['wasm', 'cpu']

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e))

const failed = (message: string): E.Either<DeviceError, never> => E.left({ _tag: 'DeviceError', message })

const loadNamed = (name: BackendName, options: GivenOptions): TE.TaskEither<DeviceError, Backend> =>
  TE.tryCatch(
    () => load(name, options),
    (e) => ({ _tag: 'DeviceError', message: `device '${name}' could not be opened: ${messageOf(e)}` }),
  )

/** The backend, which says of itself why it is not a faster one. */
const withNotes = (backend: Backend, notes: readonly string[]): Backend =>
  notes.length === 0 ? backend : { ...backend, description: [backend.description, ...notes].join(' · ') }

/** Loads the fastest backend that works here. Its description says why a faster one does not. */
export const loadFastest = (options: GivenOptions = {}): TE.TaskEither<DeviceError, Backend> => {
  const from = (candidates: readonly BackendName[], notes: readonly string[]): TE.TaskEither<DeviceError, Backend> => {
    const [name, ...slower] = candidates
    if (name === undefined) return TE.fromEither(failed(notes.join('; ')))
    return pipe(
      loadNamed(name, options),
      TE.map((backend) => withNotes(backend, notes)),
      TE.orElse((e) => from(slower, [...notes, e.message])),
    )
  }
  const fault = faultIn(undefined, options)
  return fault === undefined ? from(byThroughput, []) : TE.fromEither(failed(`no device could be opened: ${fault}`))
}

/** Loads the backend of this name. */
export const loadBackend = (name: string, options: GivenOptions = {}): TE.TaskEither<DeviceError, Backend> => {
  if (!isBackendName(name))
    return TE.fromEither(failed(`there is no device '${name}'; choose one of: ${backendNames.join(', ')}`))
  const fault = faultIn(name, options)
  return fault === undefined
    ? loadNamed(name, options)
    : TE.fromEither(failed(`device '${name}' could not be opened: ${fault}`))
}
