/** Single kernels on a GPU, in each of the forms that they have for different GPUs. */
import { at, range } from '../../src/prelude/array.ts'
import { canonicalise } from '../../src/compiler/canonicalise.ts'
import { resultsOf, type Kernel } from '../../src/compiler/kernel.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import type { Memory } from '../../src/backends/backend.ts'
import { openAdapter } from '../../src/backends/webgpu/adapter.ts'
import { backendOver } from '../../src/backends/webgpu/backend.ts'
import { targetOf, type Target } from '../../src/backends/webgpu/target.ts'
import { openTuner } from '../../src/backends/webgpu/tuner.ts'
import type { Configuration } from '../../proof/devices.ts'
import { useSwiftShader } from '../../proof/webgpu.ts'
import { deviceOn } from '../../src/tensor/device.ts'

/** Buffers of a kernel: f32 or i32. */
export type Values = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>

/** What kernels make of buffers, one after the other: all buffers, with what is written in them. */
export type RunKernels = (kernels: readonly Kernel[], buffers: readonly Values[]) => Promise<readonly Values[]>

/** A GPU for which kernels have one of their forms. */
export interface Forms {
  readonly name: string
  readonly target: Target
  readonly run: RunKernels
  readonly configuration: Configuration
}

/** A plan of these kernels alone: what they write are its outputs, in the order of the buffers, the rest its arguments. */
const planOf = (kernels: readonly Kernel[], buffers: readonly Values[]): Plan => {
  const written = new Set(kernels.flatMap(resultsOf).map(({ buffer }) => buffer))
  const slots = { argument: 0, output: 0 }
  const placed = buffers.map(({ length }, buffer) => {
    const kind = written.has(buffer) ? 'output' : 'argument'
    const dtype = at(buffers, buffer) instanceof Int32Array ? ('i32' as const) : ('f32' as const)
    return { dtype, length, placement: { kind, index: slots[kind]++ } as const }
  })
  const slotsOf = (kind: 'argument' | 'output'): Plan['arguments'] =>
    placed.flatMap(({ dtype, length, placement }) => (placement.kind === kind ? [{ shape: [length], dtype }] : []))
  return {
    program: canonicalise([], []),
    arguments: slotsOf('argument'),
    outputs: slotsOf('output'),
    buffers: placed,
    kernels,
    arenaBytes: 0,
    literalBytes: 0,
    overwrites: new Map(),
  }
}

/** The machine's GPU, a program where it has none, in the forms of others. */
export const openForms = async (): Promise<readonly Forms[]> => {
  useSwiftShader()
  const opened = await openAdapter({ software: true })
  const own = targetOf(opened)
  const targets: readonly (readonly [string, Target])[] = [
    ['a program that plays a GPU', { ...own, software: true }],
    ['a GPU without subgroups', { ...own, software: false, subgroups: false }],
    ...(opened.hasSubgroups ? [['a GPU with subgroups', { ...own, software: false }] as const] : []),
  ]
  return targets.map(([name, target]): Forms => {
    const backend = backendOver(opened, {}, openTuner(target, { tune: false }))
    const run: RunKernels = async (kernels, buffers) => {
      const plan = planOf(kernels, buffers)
      const executable = backend.prepare(plan)
      await executable.ready
      const memories = buffers.map((values) => {
        const memory = backend.allocate(values.byteLength)
        backend.write(memory, values)
        return memory
      })
      const memoriesOf = (kind: 'argument' | 'output'): readonly Memory[] =>
        range(buffers.length).flatMap((b) => (at(plan.buffers, b).placement.kind === kind ? [at(memories, b)] : []))
      executable.run(memoriesOf('argument'), memoriesOf('output'))
      const found = await Promise.all(memories.map((memory) => backend.read(memory)))
      executable.release()
      for (const memory of memories) backend.release(memory)
      return found.map(({ buffer }, b) =>
        at(buffers, b) instanceof Int32Array
          ? new Int32Array(buffer as ArrayBuffer)
          : new Float32Array(buffer as ArrayBuffer),
      )
    }
    const open = (): ReturnType<Configuration['open']> => deviceOn({ ...backend, close: () => Promise.resolve() })
    return { name, target, run, configuration: { name, open } }
  })
}

/** What kernels say of themselves, which no code depends on. */
export const kernelRecord = { computes: 'a test', reason: 'output', flops: 0 } as const
