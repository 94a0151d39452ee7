/**
 * The webgpu backend: kernels become WGSL at run time, and a GPU runs them, through Metal, Vulkan or Direct3D 12. On Node it is Dawn that brings
 * WebGPU; in a page the browser.
 */
import { memoryOf } from '../../compiler/cost.ts'
import { allDTypes } from '../../compiler/dtypes.ts'
import { usualLimits, type Limits } from '../../compiler/limits.ts'
import type { Plan } from '../../compiler/plan.ts'
import { literalBlock } from '../../compiler/arena.ts'
import type { Backend } from '../backend.ts'
import type { WebgpuOptions } from '../options.ts'
import { bytesBeside } from '../slots.ts'
import { nameOf, openAdapter, type Opened } from './adapter.ts'
import { mapForReading, usage } from './flags.ts'
import { generate } from './generate.ts'
import { openHeap, padded, type GpuMemory } from './memory.ts'
import { measureGpu } from './peak.ts'
import type { Generated } from './phase.ts'
import { openPipelines } from './pipelines.ts'
import { makeProgram, type Machine } from './program.ts'

const limitsOf = ({ device }: Opened, apart: boolean): Limits => {
  const memories = device.limits.maxStorageBuffersPerShaderStage
  return { ...usualLimits, memories: apart ? memories : Infinity }
}

/** Bytes that can be written at once are a multiple of 4; what is beyond the values pads the range. */
const wholeWords = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const whole = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4)
  whole.set(bytes)
  return whole
}

/** What has gone wrong on the GPU, which is known some time after it happened: from then on nothing can be computed. */
interface Trouble {
  error: Error | undefined
}

const watchErrors = (device: GPUDevice, trouble: Trouble): void => {
  device.addEventListener('uncapturederror', (event) => {
    const { error } = event as GPUUncapturedErrorEvent
    trouble.error ??= new Error(`webgpu: ${error.message}`)
  })
}

const reasonOf = ({ reason, message }: GPUDeviceLostInfo): string =>
  message === '' ? (reason === 'destroyed' ? 'it was destroyed' : 'its driver gave no reason') : message

/** A backend over a device of WebGPU. */
export const backendOver = (opened: Opened, { apart = false }: WebgpuOptions = {}): Backend => {
  const { device, info, isSoftware } = opened
  const trouble: Trouble = { error: undefined }
  watchErrors(device, trouble)
  const requireSound = (): void => {
    if (trouble.error !== undefined) throw trouble.error
  }
  const heap = openHeap(device, {
    apart,
    first: isSoftware ? 2 ** 24 : 2 ** 28,
    refused: (error) => {
      trouble.error ??= error
    },
  })
  const machine: Machine = {
    device,
    heap,
    pipelines: openPipelines(device),
    shared: { arena: undefined, scratch: undefined },
    requireSound,
  }
  const known = new WeakMap<Plan, readonly Generated[]>() // a plan is measured before it is prepared, and both need its code
  const codeOf = (plan: Plan): readonly Generated[] => {
    const generated = known.get(plan) ?? plan.kernels.map(generate)
    known.set(plan, generated)
    return generated
  }
  const read = async ({ chunk, offset, bytes }: GpuMemory): Promise<Uint8Array> => {
    requireSound()
    if (bytes === 0) return new Uint8Array(0)
    const size = Math.ceil(bytes / 4) * 4
    const staging = device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget })
    const encoder = device.createCommandEncoder()
    encoder.copyBufferToBuffer(heap.bufferOf(chunk), offset, staging, 0, size)
    device.queue.submit([encoder.finish()])
    try {
      await staging.mapAsync(mapForReading)
      requireSound()
      return new Uint8Array(staging.getMappedRange().slice(0, bytes))
    } finally {
      staging.destroy()
    }
  }
  const backend: Backend<GpuMemory> = {
    name: 'webgpu',
    description: `webgpu · ${nameOf(info)}${isSoftware ? ', in software' : ''}`,
    threads: 1,
    memoryLimit: heap.limit,
    limits: limitsOf(opened, apart),
    dtypes: allDTypes.filter((dtype) => dtype !== 'f64'),
    bytesNeeded: (plan) => {
      const own = memoryOf(plan)
      if (own > heap.limit) return own
      const scratch = Math.max(0, ...codeOf(plan).map((g) => g.scratch))
      return own + bytesBeside(plan, padded) * 0 + padded(scratch) + padded(literalBlock(plan).byteLength)
    },
    allocate: (bytes) => {
      requireSound()
      return heap.allocate(bytes)
    },
    release: (memory) => {
      heap.release(memory)
    },
    write: ({ chunk, offset }, values) => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      if (bytes.byteLength > 0) device.queue.writeBuffer(heap.bufferOf(chunk), offset, wholeWords(bytes))
    },
    read,
    prepare: (plan) => {
      requireSound()
      return makeProgram(plan, codeOf(plan), machine)
    },
    measurePeak: async () => ({ machine: nameOf(info), ...(await measureGpu(device, isSoftware)) }),
    lost: device.lost.then(reasonOf),
    close: async () => {
      heap.destroy()
      device.destroy()
      await device.lost
    },
  }
  return backend as unknown as Backend // memory that this backend gets back is memory that it has given
}

/** Opens the webgpu backend. Rejects, with what to do, where there is no GPU. */
export const openWebgpu = async (options: WebgpuOptions = {}): Promise<Backend> =>
  backendOver(await openAdapter(options), options)

