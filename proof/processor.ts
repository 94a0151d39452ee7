/**
 * What a processor makes of the wasm backend, printed as lines: the self-test of every family of kernels with and without fused
 * multiply-add, on one thread and two; the bits of a U-Net after two training steps; and the values of random programs.
 *
 * IEEE 754 leaves no choice but one, whether x·y + z rounds once. So with equal `machine` the lines must be equal on every processor;
 * scripts/arm64.mjs compares them.
 */
import { createHash } from 'node:crypto'
import process from 'node:process'
import fc from 'fast-check'
import { cpuBackend } from '../src/backends/cpu/backend.ts'
import { openWasm, wasmBackend } from '../src/backends/wasm/backend.ts'
import { disagreements } from '../src/backends/wasm/selfTest.ts'
import { key } from '../src/tensor/random.ts'
import { deviceOn, type Device } from '../src/tensor/device.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import { leaves } from '../src/tensor/tree.ts'
import { initialState, presets, recipeOf, stepperOn } from '../src/train/index.ts'
import { inputsOf, outputsOf, programs } from './fuzz/program.ts'

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const model = { width: 8, multipliers: [1, 2], heads: 2, headWidth: 4 }
const small = { ...presets.tiny, model, batch: 4, folder: null, out: '', preset: 'tiny', seed: 0, device: 'wasm' }

/** A digest of all numbers of the state after two training steps, and of both losses. */
const learned = async (device: Device): Promise<string> => {
  const recipe = recipeOf(small)
  const { batch, height, width } = recipe.config
  const pictures = Uint8Array.from({ length: batch * height * width * 3 }, (_, i) => (i * 89) % 256)
  const { run } = stepperOn(device, recipe)
  const first = await device.compile((seed: Tensor) => initialState(recipe, seed))(key(0))
  const [second, one] = await run(first, pictures, 1)
  const digest = createHash('sha256').update(await device.read(one.loss))
  const [third, two] = await run(second, pictures, 2)
  for (const x of [two.loss, ...leaves(third)]) digest.update(await device.read(x))
  return digest.digest('hex').slice(0, 32)
}

for (const fma of [false, true]) {
  const machine = { fma, wide: false }
  const wrong = await disagreements(wasmBackend(machine), cpuBackend(true))
  if (wrong.length > 0) throw new Error(`fma ${fma}: ${wrong.join(', ')} came out wrong`)
  for (const threads of [1, 2]) {
    const device = deviceOn(await openWasm({ threads, machine, sharing: 'all' }))
    say(`fma ${fma}, threads ${threads}: kernels agree with cpu; a U-Net after two steps ${await learned(device)}`)
    await device.close()
  }
}

/** A digest of what random programs compute in every dtype, as bytes. */
const computed = async (device: Device): Promise<string> => {
  const digest = createHash('sha256')
  for (const program of fc.sample(programs(5, 30), { seed: 1, numRuns: 60 })) {
    const outputs = await device.compile((...xs: readonly Tensor[]) => outputsOf(program, xs))(...inputsOf(program))
    // What is no number has a sign and a payload that IEEE 754 leaves to the processor.
    for (const y of outputs) for (const v of await device.read(y)) digest.update(Object.is(v, -0) ? '-0,' : `${v},`)
  }
  return digest.digest('hex').slice(0, 32)
}

for (const fma of [false, true])
  say(`fma ${fma}: 60 random programs ${await computed(deviceOn(wasmBackend({ fma, wide: false })))}`)
