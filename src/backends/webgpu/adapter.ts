/** The adapter, a GPU as the system offers it, and a device on it with all that it can do. */
import type { WebgpuOptions } from '../options.ts'
import { Unavailable } from '../unavailable.ts'
import { findGpu, wishHere } from './gpu.ts'
import { wishVariable } from './wish.ts'

/** An adapter that is open. */
export interface Opened {
  readonly device: GPUDevice
  readonly info: GPUAdapterInfo
  /** Whether it is a program that plays a GPU, on the processor. */
  readonly isSoftware: boolean
  /** Whether shaders may use subgroups, and know which one an invocation is in. */
  readonly hasSubgroups: boolean
}

/** Limits that are asked for as far as the adapter goes. */
const wanted = [
  'maxStorageBuffersPerShaderStage',
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const satisfies readonly (keyof GPUSupportedLimits)[]

const features: readonly GPUFeatureName[] = ['timestamp-query', 'subgroups']

const softwareNames = /swiftshader|llvmpipe|lavapipe|warp|basic render|software/i

/** Whether an adapter computes on the processor. */
const isSoftware = (info: GPUAdapterInfo): boolean =>
  info.isFallbackAdapter ||
  softwareNames.test([info.vendor, info.architecture, info.device, info.description].join(' '))

/** What an adapter is called. */
export const nameOf = ({ vendor, architecture, device, description }: GPUAdapterInfo): string =>
  description !== ''
    ? description
    : [vendor, architecture, device].filter((part) => part !== '').join(' ') || 'an unnamed GPU'

const noAdapter =
  'no GPU was found: its driver (Vulkan, Metal or Direct3D 12) is not installed, or this process may not use it'

const briefly = 'no GPU was found'

/** An adapter, with what is known before it is opened. */
export interface Found {
  readonly adapter: GPUAdapter
  readonly info: GPUAdapterInfo
  readonly isSoftware: boolean
}

/** The adapter that a power preference leads to; undefined where there is none. */
export const anyAdapter = async (power: GPUPowerPreference): Promise<Found | undefined> => {
  const gpu = await findGpu()
  const adapter = await gpu.requestAdapter({ powerPreference: power })
  return adapter === null ? undefined : { adapter, info: adapter.info, isSoftware: isSoftware(adapter.info) }
}

/** What options may be: a wrong one is refused, and not read as something else. */
const choicesOf: { readonly [K in keyof Required<WebgpuOptions>]: readonly unknown[] } = {
  power: ['high-performance', 'low-power'],
  software: [true, false],
  tune: [true, false],
  limits: ['all', 'least'],
  apart: [true, false],
}

/** @throws RangeError for an option whose value is none of those that there are */
const requireOptions = (options: WebgpuOptions): void => {
  for (const [name, choices] of Object.entries(choicesOf)) {
    const value: unknown = options[name as keyof WebgpuOptions]
    if (value !== undefined && !choices.includes(value))
      throw new RangeError(
        `${name} must be ${choices.map((c) => JSON.stringify(c)).join(' or ')}, got ${JSON.stringify(value)}`,
      )
  }
}

/** The adapter that options ask for, and that the user's word in the environment allows. @throws Unavailable that says what to do where there is none */
export const findAdapter = async (options: WebgpuOptions): Promise<Found> => {
  requireOptions(options)
  const { software, power = 'high-performance' } = options
  const wish = wishHere()
  if (wish === 'none' && software !== true)
    throw new Unavailable(`no GPU is taken while the environment has ${wishVariable}=0: unset it`, '')
  const found = await anyAdapter(power)
  if (found === undefined) throw new Unavailable(noAdapter, briefly)
  if (found.isSoftware && !(software ?? wish === 'software'))
    throw new Unavailable(
      `the only GPU here, ${nameOf(found.info)}, is a program on the processor, slower than the device 'wasm'; to use it nonetheless, open with { software: true }, or set ${wishVariable}=software`,
      briefly,
    )
  return found
}

/** Opens a device on the adapter that options ask for. @throws Unavailable that says what to do where there is none */
export const openAdapter = async (options: WebgpuOptions): Promise<Opened> => {
  const { adapter, ...known } = await findAdapter(options)
  const least = options.limits === 'least'
  const device = await adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    requiredLimits: least ? {} : Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]])),
  })
  const languages = (await findGpu()).wgslLanguageFeatures
  const hasSubgroups = device.features.has('subgroups') && languages.has('subgroup_id')
  return { device, ...known, hasSubgroups }
}
