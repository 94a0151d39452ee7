/**
 * What the wasm backend must compute to the same bits on every processor and in every JavaScript engine, as lines: the self-test of every
 * family of kernels and a digest of a U-Net after two training steps, with and without fused multiply-add; and a digest of random programs.
 *
 * IEEE 754 leaves no choice but one, whether x·y + z rounds once. So with equal `choices` the lines must be equal. They are computed on
 * Node (processor.ts), on an emulated processor (scripts/arm64.mjs) and in a browser's page (page/), hence without Node's own functions.
 */
import fc from 'fast-check'
import { cpuBackend } from '../src/backends/cpu/backend.ts'
import { openWasm, wasmBackend } from '../src/backends/wasm/whole.ts'
import { openWebgpu } from '../src/backends/webgpu/backend.ts'
import { disagreements } from '../src/backends/selfTest.ts'
import { valueAndGrad } from '../src/autograd/index.ts'
import { conv2d } from '../src/tensor/convolution.ts'
import { key, normal } from '../src/tensor/random.ts'
import { reachable } from '../src/graph/traverse.ts'
import { deviceOn, type Device } from '../src/tensor/device.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import { leaves } from '../src/tensor/tree.ts'
import { initialState, recipeOf } from '../src/train/recipe.ts'
import { stepperOn } from '../src/train/step.ts'
import { presets } from '../src/train/tasks/diffusion/presets.ts'
import { inputsOf, outputsOf, programs, type Program } from './fuzz/program.ts'

/** The first half of a SHA-256, in hexadecimal: the function that Node and pages share. */
const digestOf = async (parts: readonly BlobPart[]): Promise<string> => {
  const bytes = await new Blob([...parts]).arrayBuffer()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The bytes of what a device has read. */
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  new Uint8Array(buffer, byteOffset, byteLength).slice()

const model = { width: 8, multipliers: [1, 2], heads: 2, headWidth: 4 }
const small = { ...presets.tiny, model, batch: 4, folder: null, out: '', preset: 'tiny', seed: 0, device: 'wasm' }

/** A digest of both losses of two training steps, and of all numbers of the state after them. */
const learned = async (device: Device, config: Parameters<typeof recipeOf>[0] = small): Promise<string> => {
  const recipe = recipeOf(config)
  const { batch, height, width } = recipe.task.config
  const bytes = Uint8Array.from({ length: batch * height * width * 3 }, (_, i) => (i * 89) % 256)
  const pictures = recipe.task.examples(bytes)
  const { run } = stepperOn(device, recipe)
  const first = await device.compile((seed: Tensor) => initialState(recipe, seed))(key(0))
  const [second, one] = await run(first, pictures, 1)
  const parts = [bytesOf(await device.read(one.loss))]
  const [third, two] = await run(second, pictures, 2)
  for (const x of [two.loss, ...leaves(third)]) parts.push(bytesOf(await device.read(x)))
  return digestOf(parts)
}

/** A digest of a convolution and its gradients, of a size for which Winograd's tiles pay. */
const convolved = async (device: Device): Promise<string> => {
  const filter = normal(key(2), [3, 3, 32, 32])
  const both = valueAndGrad((args: readonly [Tensor, Tensor]) =>
    conv2d(args[0], args[1], { padding: 1 }).square().sum(),
  )
  const results = await device.realize(both([normal(key(1), [4, 16, 16, 32]), filter]))
  const parts: BlobPart[] = []
  for (const x of leaves(results)) parts.push(bytesOf(await device.read(x)))
  return digestOf(parts)
}

/** Self-tests and training runs, one line each. @param counts numbers of threads */
export async function* trained(counts: readonly number[]): AsyncGenerator<string> {
  for (const fma of [false, true]) {
    const machine = { fma, wide: false, winograd: 4 } as const
    const wrong = await disagreements(wasmBackend(machine), cpuBackend(true))
    if (wrong.length > 0) throw new Error(`fma ${fma}: ${wrong.join(', ')} came out wrong`)
    for (const threads of counts) {
      const device = deviceOn(await openWasm({ threads, choices: machine, sharing: 'all' }))
      const [net, convolutions] = [await learned(device), await convolved(device)]
      yield `fma ${fma}, threads ${threads}: kernels agree with cpu; a U-Net after two steps ${net}; convolutions ${convolutions}`
      await device.close()
    }
  }
}

/** A network for which a program that plays a GPU takes seconds. */
const smallest = {
  ...small,
  model: { width: 4, multipliers: [1], heads: 1, headWidth: 4 },
  height: 8,
  width: 8,
  batch: 2,
  device: 'webgpu',
}

/**
 * The same on a GPU that is a program: Dawn's on Node, the browser's own in a page. Who has no adapter, or a real one, whose bits are its own, fails.
 */
export async function* onSoftwareGpu(): AsyncGenerator<string> {
  const backend = await openWebgpu({ software: true })
  if (!backend.description.endsWith(', in software')) throw new Error(`${backend.description} has bits of its own`)
  const wrong = await disagreements(backend, cpuBackend(true))
  if (wrong.length > 0) throw new Error(`webgpu: ${wrong.join(', ')} came out wrong`)
  const device = deviceOn(backend)
  const net = await learned(device, smallest)
  yield `webgpu in software: kernels agree with cpu; a U-Net after two steps ${net}`
  await device.close()
}

/** Whether a program computes in f64, whose functions are the engine's `Math`: their last bit differs from one build of an engine to the next. */
const hasF64 = (program: Program): boolean =>
  reachable(outputsOf(program, inputsOf(program)).map((y) => y.node)).some(({ dtype }) => dtype === 'f64')

/** Random programs in every dtype but f64. */
const sample: readonly Program[] = fc
  .sample(programs(5, 30), { seed: 1, numRuns: 150 })
  .filter((program) => !hasF64(program))

/** A digest of what the random programs compute, as text. */
const computed = async (device: Device): Promise<string> => {
  const parts: string[] = []
  for (const program of sample) {
    const outputs = await device.compile((...xs: readonly Tensor[]) => outputsOf(program, xs))(...inputsOf(program))
    // What is no number has a sign and a payload that IEEE 754 leaves to the processor.
    for (const y of outputs) for (const v of await device.read(y)) parts.push(Object.is(v, -0) ? '-0,' : `${v},`)
  }
  return digestOf(parts)
}

/** Random programs on one thread, one line with and one without fused multiply-add. */
export async function* sampled(): AsyncGenerator<string> {
  for (const fma of [false, true])
    yield `fma ${fma}: ${sample.length} random programs ${await computed(deviceOn(wasmBackend({ fma, wide: false })))}`
}
