/** From a backend's name to its implementation, loaded when asked for: a page that uses one ships no other. */
import { TE } from '../prelude/fp.ts'
import type { Backend } from './backend.ts'

/** Backends by name. */
export type BackendName = 'cpu' | 'wasm'

/** How to open a backend. */
export interface BackendOptions {
  /** `cpu`: whether plans run fused (default), or one primitive at a time as the specification reads. */
  readonly fused?: boolean
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
  wasm: async () => {
    const { wasmBackend } = await import('./wasm/backend.ts')
    return wasmBackend()
  },
}

const isBackendName = (name: string): name is BackendName => Object.hasOwn(loaders, name)

/** Loads the backend of this name. */
export const loadBackend = (name: string, options: BackendOptions = {}): TE.TaskEither<DeviceError, Backend> =>
  isBackendName(name)
    ? TE.tryCatch(
        () => loaders[name](options),
        (e) => ({ _tag: 'DeviceError', message: `device '${name}' could not be opened: ${String(e)}` }),
      )
    : TE.left({
        _tag: 'DeviceError',
        message: `there is no device '${name}'; choose one of: ${Object.keys(loaders).join(', ')}`,
      })
