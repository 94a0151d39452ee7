/** The adapter, a GPU as the system offers it, and a device on it with all that it can do. */
import type { WebgpuOptions } from '../options.ts'
import { findGpu } from './gpu.ts'

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

/** Opens a device on the adapter that options ask for. @throws Error that says what to do where there is none */
export const openAdapter = async ({ software = false, power, limits = 'all' }: WebgpuOptions): Promise<Opened> => {
  const gpu = await findGpu()
  const adapter = await gpu.requestAdapter({ powerPreference: power ?? 'high-performance' })
  if (adapter === null) throw new Error(noAdapter)
  const { info } = adapter
  if (isSoftware(info) && !software)
    throw new Error(
      `the only GPU here, ${nameOf(info)}, is a program on the processor, slower than the device 'wasm'; to use it nonetheless, open with { software: true }`,
    )
  const device = await adapter.requestDevice({
    requiredFeatures: features.filter((feature) => adapter.features.has(feature)),
    requiredLimits: limits === 'least' ? {} : Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]])),
  })
  const hasSubgroups = device.features.has('subgroups') && gpu.wgslLanguageFeatures.has('subgroup_id')
  return { device, info, isSoftware: isSoftware(info), hasSubgroups }
}
