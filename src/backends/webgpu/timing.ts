/** How long kernels take on the GPU: by timestamps that it writes itself, or, where it has none, by waiting for each. */
import { at, range } from '../../prelude/array.ts'
import { mapForReading, usage } from './flags.ts'

/** Encodes one kernel into a pass. */
export type EncodeKernel = (pass: GPUComputePassEncoder, kernel: number) => void

/** Kernels whose timestamps are asked for together: a set holds at most 4,096. */
const together = 1024

/** The differences of pairs of timestamps, in milliseconds. */
const millisecondsOf = (stamps: BigUint64Array): readonly number[] =>
  range(stamps.length / 2).map((i) => Number((stamps[2 * i + 1] ?? 0n) - (stamps[2 * i] ?? 0n)) / 1e6)

const byTimestamps = async (
  device: GPUDevice,
  kernels: readonly number[],
  encode: EncodeKernel,
): Promise<readonly number[]> => {
  const count = 2 * kernels.length
  const querySet = device.createQuerySet({ type: 'timestamp', count })
  const resolved = device.createBuffer({ size: 8 * count, usage: usage.queryResolve | usage.copySource })
  const staging = device.createBuffer({ size: 8 * count, usage: usage.mapRead | usage.copyTarget })
  const encoder = device.createCommandEncoder()
  kernels.forEach((kernel, i) => {
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }
    const pass = encoder.beginComputePass({ timestampWrites })
    encode(pass, kernel)
    pass.end()
  })
  encoder.resolveQuerySet(querySet, 0, count, resolved, 0)
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, 8 * count)
  device.queue.submit([encoder.finish()])
  try {
    await staging.mapAsync(mapForReading)
    return millisecondsOf(new BigUint64Array(staging.getMappedRange().slice(0)))
  } finally {
    for (const made of [querySet, resolved, staging]) made.destroy()
  }
}

const byWaiting = async (device: GPUDevice, kernel: number, encode: EncodeKernel): Promise<number> => {
  const encoder = device.createCommandEncoder()
  const pass = encoder.beginComputePass()
  encode(pass, kernel)
  pass.end()
  const start = performance.now()
  device.queue.submit([encoder.finish()])
  await device.queue.onSubmittedWorkDone()
  return performance.now() - start
}

/** Runs `count` kernels in order: the milliseconds of each. */
export const timeKernels = async (
  device: GPUDevice,
  count: number,
  encode: EncodeKernel,
): Promise<readonly number[]> => {
  const times: number[] = []
  const all = range(count)
  if (device.features.has('timestamp-query'))
    for (let i = 0; i < count; i += together)
      times.push(...(await byTimestamps(device, all.slice(i, i + together), encode)))
  else for (const kernel of all) times.push(await byWaiting(device, at(all, kernel), encode))
  return times
}
