/** Pipelines, compiled shaders, by their text: kernels of one text share one. */

import { computeStage } from './flags.ts'

/** The pipelines of a device. */
export interface Pipelines {
  /** Begins to compile what is not known yet; resolves when all of it can be used, and rejects where a text cannot be compiled. */
  readonly prepare: (texts: Iterable<Shape>) => Promise<void>
  /** The pipeline of a text, compiled now if it is not known. */
  readonly of: (shape: Shape) => GPUComputePipeline
  /** The layout of a group of bindings: a block, and so many pieces of memory. */
  readonly layout: (memories: number) => GPUBindGroupLayout
}

/** What a pipeline is compiled from. */
export interface Shape {
  readonly text: string
  /** How many pieces of memory it binds. */
  readonly memories: number
}

interface Entry {
  pipeline: GPUComputePipeline | undefined
  readonly ready: Promise<void>
}

/** Notes a pipeline when it is compiled. */
const compiled = async (entry: () => Entry, pipeline: Promise<GPUComputePipeline>): Promise<void> => {
  const made = await pipeline
  entry().pipeline ??= made
}

/** Opens an empty cache. */
export const openPipelines = (device: GPUDevice): Pipelines => {
  const known = new Map<string, Entry>()
  const layouts = new Map<number, { readonly bindings: GPUBindGroupLayout; readonly whole: GPUPipelineLayout }>()
  const layoutOf = (memories: number): { bindings: GPUBindGroupLayout; whole: GPUPipelineLayout } => {
    const found = layouts.get(memories)
    if (found !== undefined) return found
    const visibility = computeStage
    const bindings = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility, buffer: { type: 'uniform', hasDynamicOffset: true } },
        ...Array.from({ length: memories }, (_, i): GPUBindGroupLayoutEntry => ({
          binding: i + 1,
          visibility,
          buffer: { type: 'storage' },
        })),
      ],
    })
    const made = { bindings, whole: device.createPipelineLayout({ bindGroupLayouts: [bindings] }) }
    layouts.set(memories, made)
    return made
  }
  const descriptor = ({ text, memories }: Shape): GPUComputePipelineDescriptor => ({
    layout: layoutOf(memories).whole,
    compute: { module: device.createShaderModule({ code: text }), entryPoint: 'main' },
  })
  const begin = (shape: Shape): Entry => {
    const entry: Entry = {
      pipeline: undefined,
      ready: compiled(() => entry, device.createComputePipelineAsync(descriptor(shape))),
    }
    entry.ready.catch(() => undefined) // whoever waits is told
    return entry
  }
  return {
    prepare: async (texts) => {
      const waiting = new Set<Promise<void>>()
      for (const shape of texts) {
        const entry = known.get(shape.text) ?? begin(shape)
        known.set(shape.text, entry)
        if (entry.pipeline === undefined) waiting.add(entry.ready)
      }
      await Promise.all(waiting)
    },
    of: (shape) => {
      const entry = known.get(shape.text)
      if (entry?.pipeline !== undefined) return entry.pipeline
      const pipeline = device.createComputePipeline(descriptor(shape))
      known.set(shape.text, { pipeline, ready: Promise.resolve() })
      return pipeline
    },
    layout: (memories) => layoutOf(memories).bindings,
  }
}
