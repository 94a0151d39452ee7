/** The GPU, and nothing in its place: what cannot be opened is an error, and a row says of which device it is. */
import { openAdapter, type Opened } from '../../src/backends/webgpu/adapter.ts'
import { backendOver, openWebgpu } from '../../src/backends/webgpu/backend.ts'
import type { Tuner } from '../../src/backends/webgpu/tuner.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { ones } from '../../src/tensor/create.ts'

/** How a GPU is opened here. */
export interface GpuOptions {
  /** Whether a program that plays a GPU will do. */
  readonly software: boolean
  /** Whether the forms of contractions are measured; by default they are guessed. */
  readonly tune?: boolean
}

/** An open GPU. */
export interface OpenGpu {
  readonly device: Device
  /** Waits until all that was handed over is done. */
  readonly settle: () => Promise<unknown>
}

/** Fails where a device is none of a GPU's. */
export const requireGpu = (device: Device): void => {
  if (device.name !== 'webgpu')
    throw new Error(`this is the device '${device.name}' (${device.description}), not a GPU: nothing of it is reported`)
}

const opened = async (device: Device): Promise<OpenGpu> => {
  requireGpu(device)
  // A read is copied after all that was submitted before it.
  const one = await device.realize(ones([1]))
  return { device, settle: async () => device.read(one) }
}

/** Opens the GPU. @throws Error that says what to do where there is none */
export const openGpuDevice = async ({ software, tune = false }: GpuOptions): Promise<OpenGpu> =>
  opened(deviceOn(await openWebgpu({ software, tune })))

/** Opens the GPU with a chooser of forms of one's own. @param tunerFor makes it for the adapter */
export const openWithTuner = async (
  { software }: GpuOptions,
  tunerFor: (adapter: Opened) => Tuner,
): Promise<OpenGpu> => {
  const adapter = await openAdapter({ software })
  return opened(deviceOn(backendOver(adapter, {}, tunerFor(adapter))))
}

interface Dawn {
  readonly globals: { readonly GPUComputePassEncoder: { readonly prototype: GPUComputePassEncoder } }
}

/** Counts what is dispatched while `body` runs. */
export const countLaunches = async (body: () => Promise<unknown>): Promise<number> => {
  const name: string = 'webgpu'
  const { prototype } = ((await import(name)) as Dawn).globals.GPUComputePassEncoder
  const original = Object.getOwnPropertyDescriptor(prototype, 'dispatchWorkgroups')
  if (original === undefined) throw new Error('this version of Dawn has no dispatchWorkgroups to count')
  const dispatch = original.value as GPUComputePassEncoder['dispatchWorkgroups']
  let count = 0
  Object.defineProperty(prototype, 'dispatchWorkgroups', {
    ...original,
    value(this: GPUComputePassEncoder, ...sizes: Parameters<typeof dispatch>): void {
      count++
      dispatch.apply(this, sizes)
    },
  })
  try {
    await body()
  } finally {
    Object.defineProperty(prototype, 'dispatchWorkgroups', original)
  }
  return count
}
