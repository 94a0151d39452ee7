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

/** Before Dawn is loaded: it is to find SwiftShader, unless the caller has named another driver. */
export const useSwiftShader = (): void => {
  if (existsSync(swiftShader)) process.env['VK_ICD_FILENAMES'] ??= swiftShader
}

/** Opens the backend once; each device of the configuration runs on it. */
export const webgpu = async (options: WebgpuOptions = {}, name = 'webgpu'): Promise<Configuration> => {
  useSwiftShader()
  const backend = await openWebgpu({ software: true, ...options })
  return { name, open: () => deviceOn({ ...backend, close: () => Promise.resolve() }), tolerance: gpuTolerance }
}
