/** What backends can be told when they are opened. Each has options of its own, and takes no others. */
import { suggestion } from '../prelude/nearest.ts'
import { isRecord } from '../prelude/record.ts'
import type { Check, Choices } from './backend.ts'

/** How `cpu` is opened. */
export interface CpuOptions {
  /** Whether plans run fused (default), or one primitive at a time as the specification reads. */
  readonly fused?: boolean
}

/** How `wasm` is opened. */
export interface WasmOptions {
  /** Threads that run kernels; by default one for each core, up to eight, and one on a page's own thread. No result depends on their number. */
  readonly threads?: number
  /**
   * Sets flags of V8 that make WebAssembly up to twice as fast, some of them experimental, for the whole process; kernels are then tried against
   * `cpu` first. For programs that are the process's own master, as fathom's command is. FATHOM_V8_FLAGS=0 forbids it.
   */
  readonly v8Flags?: boolean
  /**
   * Outputs a side of the tiles by which large 3×3 convolutions are computed (Winograd's F(m×m, 3×3)). 4, the default, is up to three times as
   * fast as the sums themselves, with some five times their rounding errors, of a filter's gradient some ten times. 2 is up to twice as fast, with
   * smaller errors than the sums' but in a filter's gradient. `false` computes the sums. `choices` go over it.
   */
  readonly winograd?: false | 2 | 4
}

/** How `webgpu` is opened. */
export interface WebgpuOptions {
  /** Which GPU, where a laptop has two: the fast one (default), or the one that spares the battery. */
  readonly power?: 'high-performance' | 'low-power'
  /** Whether a program that plays a GPU on the processor will do; by default only a real one, unless FATHOM_WEBGPU is `software`. */
  readonly software?: boolean
  /**
   * Whether the forms of products and convolutions are measured when a program first has them, which takes seconds, once for a GPU; by default on a
   * real one, where there are files to keep it in.
   */
  readonly tune?: boolean
  /** What is asked of the GPU: all that it can (default), or the least that every GPU has. */
  readonly limits?: 'all' | 'least'
  /** Whether each tensor is a buffer of its own: slower, but what a kernel reads or writes beyond a tensor is then nobody else's. */
  readonly apart?: boolean
}

/** The options of each backend. */
export interface OptionsOf {
  readonly cpu: CpuOptions
  readonly wasm: WasmOptions
  readonly webgpu: WebgpuOptions
}

/** Backends by name. */
export type BackendName = keyof OptionsOf

/** Options of several backends, of which each takes its own. */
export type OptionsByName = { readonly [K in BackendName]?: OptionsOf[K] }

/** What every backend can be told. */
export interface CommonOptions {
  /**
   * Looks at every value of every computation, in search of the first that is not finite, or is NaN: a NonFiniteError says what made it and
   * where. Each primitive is then computed by the specification (`cpu`, one at a time), whatever the backend: a hundred times slower and more.
   */
  readonly check?: Check
  /** The choices of an earlier run, whose results are then given bit for bit; a DeviceError where they cannot be made. */
  readonly choices?: Choices
}

/** All that may be given: what every backend takes, its own options, or those of several by their names. */
export type GivenOptions = CommonOptions & OptionsByName & CpuOptions & WasmOptions & WebgpuOptions

/** The options of every backend by name: the compiler sees that none is missing. */
const optionNames: { readonly [K in BackendName]: { readonly [O in keyof Required<OptionsOf[K]>]: true } } = {
  cpu: { fused: true },
  wasm: { threads: true, v8Flags: true, winograd: true },
  webgpu: { power: true, software: true, tune: true, limits: true, apart: true },
}

/** Names of backends. */
export const backendNames: readonly string[] = Object.keys(optionNames)

/** Whether there is a backend of this name. */
export const isBackendName = (name: string): name is BackendName => Object.hasOwn(optionNames, name)

const commonNames: readonly string[] = Object.keys({
  check: true,
  choices: true,
} satisfies { readonly [O in keyof Required<CommonOptions>]: true })

const has = (name: BackendName, option: string): boolean => Object.hasOwn(optionNames[name], option)

/** Why a backend does not take an option, and which it may be. */
const notOf = (name: BackendName, option: string): string => {
  const owner = backendNames.find((other) => isBackendName(other) && has(other, option))
  if (owner !== undefined) return `'${option}' is an option of '${owner}', and '${name}' has none of that name`
  const own = Object.keys(optionNames[name])
  return `'${name}' has no option '${option}'${suggestion(option, [...own, ...commonNames]) || `; it has ${own.join(', ')}`}`
}

const faultAmong = (name: BackendName, options: object): string | undefined => {
  const unknown = Object.keys(options).find((option) => !has(name, option))
  return unknown === undefined ? undefined : notOf(name, unknown)
}

/** What is wrong with one option where a backend is named, or any may be opened. */
const faultOf = (name: BackendName | undefined, option: string, value: unknown): string | undefined => {
  if (isBackendName(option))
    return isRecord(value) ? faultAmong(option, value) : `${option} must be a record of options of '${option}'`
  if (name === undefined && option === 'choices')
    return 'choices are those of one device: name it, as the run did that made them'
  if (commonNames.includes(option)) return undefined
  if (name !== undefined) return has(name, option) ? undefined : notOf(name, option)
  const owner = backendNames.find((other) => isBackendName(other) && has(other, option)) ?? 'wasm'
  return `no device is named, so say whose option '${option}' is, as in { ${owner}: { ${option}: … } }`
}

/** What is wrong with options, in words; undefined where nothing is. @param name the backend that is opened, if one is named */
export const faultIn = (name: BackendName | undefined, options: object): string | undefined =>
  Object.entries(options)
    .map(([option, value]: [string, unknown]) => faultOf(name, option, value))
    .find((fault) => fault !== undefined)
