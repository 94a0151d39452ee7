/**
 * What a GPU reaches at best, measured: multiply-adds that wait for nothing, and a copy that computes nothing. Shares of a peak in profiles are
 * shares of these.
 */
import type { MachinePeak } from '../../compiler/profile.ts'
import { range } from '../../prelude/array.ts'
import { computeStage, usage } from './flags.ts'

/** Invocations of a workgroup, as every GPU has. */
const workgroup = 256

/** Vectors of four that an invocation multiplies and adds, none of which waits for another. */
const chains = 8

/** Multiply-adds of factors that no compiler knows; the sum is stored, so that the work counts. */
const multiplyAdds = `
@group(0) @binding(0) var<storage, read_write> given: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> written: array<vec4f>;
@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let a = given[0];
  let b = given[1];
  let turns = u32(given[2].x);
${range(chains)
  .map((i) => `  var s${i} = given[${3 + i}];`)
  .join('\n')}
  for (var turn = 0u; turn < turns; turn++) {
${range(chains)
  .map((i) => `    s${i} = fma(s${i}, a, b);`)
  .join('\n')}
  }
  written[id.x % arrayLength(&written)] = ${range(chains)
    .map((i) => `s${i}`)
    .join(' + ')};
}`

const copy = `
@group(0) @binding(0) var<storage, read_write> given: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> written: array<vec4f>;
@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < arrayLength(&given); i += groups.x * ${workgroup}u) { written[i] = given[i]; }
}`

interface Bench {
  readonly device: GPUDevice
  readonly from: GPUBuffer
  readonly to: GPUBuffer
}

/** Seconds of dispatches of a shader. */
const timerOf = ({ device, from, to }: Bench, code: string, groups: number) => {
  const buffer = { type: 'storage' } as const
  const layout = device.createBindGroupLayout({
    entries: [0, 1].map((binding) => ({ binding, visibility: computeStage, buffer })),
  })
  const pipeline = device.createComputePipeline({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  })
  const entries = [from, to].map((buffer, binding) => ({ binding, resource: { buffer } }))
  const group = device.createBindGroup({ layout, entries })
  return async (times: number): Promise<number> => {
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(groups)
    pass.end()
    const start = performance.now()
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    return (performance.now() - start) / 1000
  }
}

/** Seconds after which a measurement says something, and at which none is made longer. */
const enough = 0.02

/** The most work a second, of work that grows until it takes long enough. */
const bestRate = async (work: number, most: number, seconds: (scale: number) => Promise<number>): Promise<number> => {
  let scale = 1
  await seconds(scale)
  while (scale < most && (await seconds(scale)) < enough) scale *= 4
  const times = [await seconds(scale), await seconds(scale), await seconds(scale)]
  return (work * scale) / Math.min(...times)
}

/** Measures the GPU, in less than a second. @param isSoftware whether the processor plays it, for which there is less to do */
export const measureGpu = async (device: GPUDevice, isSoftware: boolean): Promise<MachinePeak> => {
  const { maxStorageBufferBindingSize, maxBufferSize } = device.limits
  const size = Math.min(isSoftware ? 2 ** 23 : 2 ** 28, maxStorageBufferBindingSize, maxBufferSize)
  const [from, to] = [0, 1].map(() => device.createBuffer({ size, usage: usage.storage | usage.copyTarget })) as [
    GPUBuffer,
    GPUBuffer,
  ]
  const bench = { device, from, to }
  const groups = isSoftware ? 16 : 4096
  const [turns, factors] = [64, Array<number>(8).fill(0.5)]
  device.queue.writeBuffer(from, 0, Float32Array.from([...factors, turns, 0, 0, 0]))
  try {
    const arithmetic = timerOf(bench, multiplyAdds, groups)
    const flopsPerSecond = await bestRate(groups * workgroup * turns * chains * 4 * 2, 4 ** 5, arithmetic)
    const copying = timerOf(bench, copy, isSoftware ? 16 : 8192)
    return { flopsPerSecond, bytesPerSecond: await bestRate(2 * size, 4 ** 4, copying) }
  } finally {
    for (const buffer of [from, to]) buffer.destroy()
  }
}
