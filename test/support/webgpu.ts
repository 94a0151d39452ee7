/**
 * WebGPU for tests, on any machine: Dawn over SwiftShader, a Vulkan of Chromium's that computes on the CPU.
 *
 * The loader of Vulkan reads its variable of the environment when `create` is called, so it is set here before, unless the caller set another.
 */
import { functionsText, type FunctionName } from '../../src/backends/webgpu/wgsl/functions.ts'

/** What is used of npm's `webgpu`, whose own types are those of another package than TypeScript's. */
interface Dawn {
  readonly create: (flags: readonly string[]) => GPU
}

/** Dawn must outlive its devices: it is never collected. */
const kept: { gpu?: GPU } = {}

/** A device, which a test's file opens once. Where there is no adapter, that is an error: nothing would be tested. */
export const openGpu = async (): Promise<GPUDevice> => {
  process.env['VK_ICD_FILENAMES'] ??= '/usr/lib/chromium/vk_swiftshader_icd.json'
  const name: string = 'webgpu'
  kept.gpu ??= ((await import(name)) as Dawn).create([])
  const adapter = await kept.gpu.requestAdapter()
  if (adapter === null)
    throw new Error(
      `WebGPU has no adapter: install libvulkan1 and chromium, or let VK_ICD_FILENAMES name a driver (it is ${process.env['VK_ICD_FILENAMES']})`,
    )
  return adapter.requestDevice()
}

/** WGSL functions and an expression of `x` and `y`, u32 words of memory, whose value is the word that comes out. */
export interface Mapping {
  readonly uses: readonly FunctionName[]
  readonly expression: string
}

const shader = ({ uses, expression }: Mapping): string => `
@group(0) @binding(0) var<storage, read> xs: array<u32>;
@group(0) @binding(1) var<storage, read> ys: array<u32>;
@group(0) @binding(2) var<storage, read_write> results: array<u32>;

${functionsText(uses)}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= arrayLength(&results)) { return; }
  let x = xs[i];
  let y = ys[i % arrayLength(&ys)];
  results[i] = ${expression};
}`

const bufferOf = (device: GPUDevice, words: Uint32Array<ArrayBuffer>): GPUBuffer => {
  const buffer = device.createBuffer({ size: words.byteLength, usage: 0x80 | 0x8 }) // STORAGE, COPY_DST
  device.queue.writeBuffer(buffer, 0, words)
  return buffer
}

/** The results of the expression for each word of `xs`, with the words of `ys` beside them, over and over. */
export const mapWords = async (
  device: GPUDevice,
  mapping: Mapping,
  xs: Uint32Array<ArrayBuffer>,
  ys: Uint32Array<ArrayBuffer> = Uint32Array.of(0),
): Promise<Uint32Array> => {
  device.pushErrorScope('validation')
  const module = device.createShaderModule({ code: shader(mapping) })
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } })
  const results = device.createBuffer({ size: xs.byteLength, usage: 0x80 | 0x4 }) // STORAGE, COPY_SRC
  const readable = device.createBuffer({ size: xs.byteLength, usage: 0x8 | 0x1 }) // COPY_DST, MAP_READ
  const buffers = [bufferOf(device, xs), bufferOf(device, ys), results]
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  pass.setPipeline(pipeline)
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }))
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }))
  pass.dispatchWorkgroups(Math.ceil(xs.length / 64))
  pass.end()
  encoder.copyBufferToBuffer(results, 0, readable, 0, xs.byteLength)
  device.queue.submit([encoder.finish()])
  const error = await device.popErrorScope()
  if (error !== null) throw new Error(`${mapping.expression}: ${error.message}`)
  await readable.mapAsync(1) // READ
  const words = new Uint32Array(readable.getMappedRange().slice(0))
  for (const buffer of [...buffers, readable]) buffer.destroy()
  return words
}
