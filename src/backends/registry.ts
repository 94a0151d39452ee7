/** From a backend's name to its implementation, loaded when asked for: a page that uses one ships no other. */
import { attempt, E, type TaskEither } from '../prelude/fp.ts'
import type { Backend, MeasuredPeak } from './backend.ts'
import type { AdapterReport } from './webgpu/adapters.ts'
import { Unavailable } from './unavailable.ts'
import {
  backendNames,
  faultIn,
  isBackendName,
  type BackendName,
  type GivenOptions,
  type OptionsByName,
  type OptionsOf,
} from './options.ts'

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
    const writers = async () => (await import('./wasm/whole.ts')).writers
    return openWasm({ ...options, writers, trusted: () => loaders.cpu({}) })
  },
  webgpu: async (options) => {
    const { openWebgpu } = await import('./webgpu/backend.ts')
    return openWebgpu(options)
  },
}

/** Rejects where a backend cannot be opened, as far as that is known before. */
const seekers: { readonly [K in BackendName]: (options: OptionsOf[K]) => Promise<unknown> } = {
  cpu: () => Promise.resolve(),
  wasm: async () => (await import('./wasm/backend.ts')).requireVectors(),
  webgpu: async (options) => (await import('./webgpu/adapter.ts')).findAdapter(options),
}

const load = async (name: BackendName, options: GivenOptions): Promise<Backend> => {
  if (options.check === undefined) return loaders[name]({ ...options, ...options[name] })
  await seekers[name](options[name] ?? {})
  const { checkedBackend } = await import('./cpu/checked.ts')
  return checkedBackend(name, options.check)
}

/** What each backend is, in a few words. */
export const backends: { readonly [K in BackendName]: string } = {
  webgpu: 'on the GPU',
  wasm: 'on all cores',
  cpu: 'in plain TypeScript',
}

/** From the fastest to the one that runs everywhere. */
const byThroughput: readonly BackendName[] = ['webgpu', 'wasm', 'cpu']

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e))

const failed = (message: string): E.Either<DeviceError, never> => E.left({ _tag: 'DeviceError', message })

/** Why a backend was not taken: for those who named it, and for those who named none. Nothing is to be said where its user forbids it. */
interface Refusal {
  readonly message: string
  readonly note: string
}

const refusalOf =
  (name: BackendName) =>
  (e: unknown): Refusal => {
    const message = `device '${name}' could not be opened: ${messageOf(e)}`
    return { message, note: e instanceof Unavailable ? e.brief : message }
  }

/** The first of the candidates for which a task succeeds, and why those before it did not. */
const firstOf =
  <A>(
    candidates: readonly BackendName[],
    of: (name: BackendName) => Promise<A>,
  ): TaskEither<DeviceError, { readonly value: A; readonly notes: readonly string[] }> =>
  async () => {
    const refusals: Refusal[] = []
    for (const name of candidates) {
      const found = await attempt(() => of(name), refusalOf(name))()
      if (E.isRight(found))
        return E.right({ value: found.right, notes: refusals.flatMap(({ note }) => (note === '' ? [] : [note])) })
      refusals.push(found.left)
    }
    return failed(refusals.map(({ message }) => message).join('; '))
  }

/** The backend, which says of itself why it is not a faster one. */
const withNotes = (backend: Backend, notes: readonly string[]): Backend =>
  notes.length === 0 ? backend : { ...backend, description: [backend.description, ...notes].join(' · ') }

/** Loads the fastest backend that works here. Its description says why a faster one does not. */
export const loadFastest =
  (options: GivenOptions = {}): TaskEither<DeviceError, Backend> =>
  async () => {
    const fault = faultIn(undefined, options)
    if (fault !== undefined) return failed(`no device could be opened: ${fault}`)
    const found = await firstOf(byThroughput, (name) => load(name, options))()
    return E.isLeft(found) ? found : E.right(withNotes(found.right.value, found.right.notes))
  }

/** Which backend {@link loadFastest} would load, found out without opening it, and why none that is faster. */
export interface Fastest {
  readonly name: BackendName
  readonly notes: readonly string[]
}

/** Finds the fastest backend that is here. */
export const findFastest =
  (options: OptionsByName = {}): TaskEither<DeviceError, Fastest> =>
  async () => {
    const found = await firstOf(byThroughput, async (name) => {
      await seekers[name](options[name] ?? {})
      return name
    })()
    return E.isLeft(found) ? found : E.right({ name: found.right.value, notes: found.right.notes })
  }

/** Loads the backend of this name. */
export const loadBackend =
  (name: string, options: GivenOptions = {}): TaskEither<DeviceError, Backend> =>
  async () => {
    if (!isBackendName(name)) return failed(`there is no device '${name}'; choose one of: ${backendNames.join(', ')}`)
    const fault = faultIn(name, options)
    if (fault !== undefined) return failed(`device '${name}' could not be opened: ${fault}`)
    return attempt(
      () => load(name, options),
      (e): DeviceError => ({ _tag: 'DeviceError', message: refusalOf(name)(e).message }),
    )()
  }

/** What the machine under a backend reaches at best, measured: on Node. The processor's is measured in WebAssembly. */
export const measurePeak = async ({ measurePeak: own, threads }: Backend): Promise<MeasuredPeak> =>
  own === undefined ? (await import('./wasm/processorPeak.ts')).processorPeak(threads) : own()

/** A GPU as the system offers it. */
export type Adapter = AdapterReport

/** The GPUs of this machine, and programs that play one; Left, with what to do, where they cannot be asked for. */
export const findAdapters: TaskEither<DeviceError, readonly Adapter[]> = attempt(
  async () => (await import('./webgpu/adapters.ts')).adaptersHere(),
  (e): DeviceError => ({ _tag: 'DeviceError', message: messageOf(e) }),
)
