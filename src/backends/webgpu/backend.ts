/**
 * The webgpu backend: kernels become WGSL at run time, and a GPU runs them, through Metal, Vulkan or Direct3D 12. On Node it is Dawn that brings
 * WebGPU; in a page the browser.
 */
import { memoryOf } from '../../compiler/cost.ts'
import { allDTypes } from '../../compiler/dtypes.ts'
import { usualLimits, type Limits } from '../../compiler/limits.ts'
import type { Plan } from '../../compiler/plan.ts'
import type { Backend, Choices, Executable } from '../backend.ts'
import type { WebgpuOptions } from '../options.ts'
import { nameOf, openAdapter, type Opened } from './adapter.ts'
import { mapForReading, usage } from './flags.ts'
import { generate } from './generate.ts'
import { openHeap, padded, type GpuMemory, type HeapOptions } from './memory.ts'
import { measureGpu } from './peak.ts'
import type { Generated } from './phase.ts'
import { openPipelines } from './pipelines.ts'
import { makeProgram, type Machine } from './program.ts'
import { targetOf } from './target.ts'
import { keepsFiles, tunedStore } from './tuned.ts'
import { made, openTuner, type Tuner } from './tuner.ts'
import type { Bench } from './tuning.ts'

const limitsOf = ({ device }: Opened, apart: boolean): Limits => {
  const memories = device.limits.maxStorageBuffersPerShaderStage
  return { ...usualLimits, memories: apart ? memories : Infinity }
}

/** How to open the backend. */
export interface WebgpuSetup extends WebgpuOptions {
  /** Choices that another run made. */
  readonly choices?: Choices
}

/** Changes when the code of forms does, so that what was measured before is measured again. */
const formsVersion = 'forms 1'

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
    const { error } = event
    trouble.error ??= new Error(`webgpu: ${error.message}`)
  })
}

const reasonOf = ({ reason, message }: GPUDeviceLostInfo): string =>
  message === '' ? (reason === 'destroyed' ? 'it was destroyed' : 'its driver gave no reason') : message

/**
 * A backend over a device of WebGPU.
 *
 * @param tuner chooses the forms of its kernels
 * @param sizes of the buffers that its memory is made of
 */
export const backendOver = (
  opened: Opened,
  { apart = false }: WebgpuOptions = {},
  { target, choices, kept, needs, measure }: Tuner = openTuner(targetOf(opened), { tune: false }),
  sizes: Partial<Pick<HeapOptions, 'first' | 'largest'>> = {},
): Backend => {
  const { device, info, isSoftware } = opened
  const trouble: Trouble = { error: undefined }
  watchErrors(device, trouble)
  const requireSound = (): void => {
    if (trouble.error !== undefined) throw trouble.error
  }
  const heap = openHeap(device, {
    apart,
    first: isSoftware ? 2 ** 24 : 2 ** 28,
    ...sizes,
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
  let known = new WeakMap<Plan, readonly Generated[]>() // a plan is measured before it is prepared, and both need its code
  const codeOf = (plan: Plan): readonly Generated[] => {
    const generated = known.get(plan) ?? plan.kernels.map((kernel) => generate(kernel, target))
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
  const write = ({ chunk, offset }: GpuMemory, bytes: Uint8Array): void => {
    if (bytes.byteLength > 0) device.queue.writeBuffer(heap.bufferOf(chunk), offset, wholeWords(bytes))
  }
  const bench: Bench = {
    allocate: (bytes) => heap.allocate(bytes),
    release: (memory) => {
      heap.release(memory)
    },
    write,
    read,
    program: (plan, code) => makeProgram(plan, [code], machine),
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
      return own + padded(scratch)
    },
    allocate: (bytes) => {
      requireSound()
      return heap.allocate(bytes)
    },
    release: (memory) => {
      heap.release(memory)
    },
    write: (memory, values) => {
      write(memory, new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    },
    read,
    prepare: (plan) => {
      requireSound()
      if (!needs(plan)) return makeProgram(plan, codeOf(plan), machine)
      const tuned = async (): Promise<Executable<GpuMemory>> => {
        await measure(plan, bench)
        known = new WeakMap() // code that was made by guesses, this plan's and others'
        return makeProgram(plan, codeOf(plan), machine)
      }
      return made(tuned())
    },
    measurePeak: async () => ({ machine: nameOf(info), ...(await measureGpu(device, isSoftware)) }),
    ...(choices === undefined ? {} : { choices }),
    ...(kept === undefined ? {} : { kept }),
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
export const openWebgpu = async (options: WebgpuSetup = {}): Promise<Backend> => {
  const opened = await openAdapter(options)
  const { choices, tune = !opened.isSoftware && keepsFiles() } = options
  if (!tune) return backendOver(opened, options, openTuner(targetOf(opened), { tune, choices }))
  const { vendor, architecture, device, description } = opened.info
  const store = await tunedStore([vendor, architecture, device, description, formsVersion].join(' · '))
  const tuner = openTuner(targetOf(opened), { tune, choices, store, found: await store.load() })
  return backendOver(opened, options, tuner)
}
