/** The GPU among the configurations: SwiftShader, a program that plays one, where a machine has none. */
import { existsSync } from 'node:fs'
import { openWebgpu } from '../src/backends/webgpu/backend.ts'
import type { WebgpuOptions } from '../src/backends/options.ts'
import { deviceOn } from '../src/tensor/device.ts'
import type { Configuration } from './devices.ts'
import type { Tolerance } from './fuzz/compare.ts'

/** Debian's Chromium brings SwiftShader, which Vulkan's loader finds by this variable. */
const swiftShader = '/usr/lib/chromium/vk_swiftshader_icd.json'

/** Sums of f32 in f32, in another order; functions of a few units in the last place. */
export const gpuTolerance: Tolerance = { f16: 2 ** -8, f32: 2 ** -13, f64: 0 }

/** Lets a driver be found on a machine without a GPU; what is set already stays. */
export const softwareGpu = (): void => {
  if (existsSync(swiftShader)) process.env['VK_ICD_FILENAMES'] ??= swiftShader
}

/** Opens the backend once; each device of the configuration runs on it. */
export const webgpu = async (options: WebgpuOptions = {}, name = 'webgpu'): Promise<Configuration> => {
  softwareGpu()
  const backend = await openWebgpu({ software: true, ...options })
  return { name, open: () => deviceOn({ ...backend, close: () => Promise.resolve() }), tolerance: gpuTolerance }
}
