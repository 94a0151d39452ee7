/**
 * fathom's side of the comparison of training steps: the same weights and inputs as unet.py, and the same protocol, one JSON line in, one out.
 */
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { countElements, key, open, tensor, valueAndGrad, type Tensor } from '../../src/index.ts'
import { viewAs } from '../../src/graph/dtype.ts'
import { sizeOf } from '../../src/graph/shape.ts'
import { readSafetensorsFile, type ArrayRecord } from '../../src/io/index.ts'
import { lucidrainsWeights, unet } from '../../src/models/index.ts'
import { adam, applyUpdates, chain, clipByGlobalNorm, ema } from '../../src/optim/index.ts'
import { E } from '../../src/prelude/fp.ts'
import type { UnetCase } from './cases.ts'

const right = <T>(result: E.Either<{ readonly message: string }, T>): T => {
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

/** unet.py's writer aligns every array. */
const floats = ({ bytes, shape }: ArrayRecord): Float32Array =>
  viewAs('f32', bytes.buffer, bytes.byteOffset, sizeOf(shape)) as Float32Array

const read = async (path: string): Promise<ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>> => {
  const { tensors } = right(await readSafetensorsFile(path)())
  return new Map([...tensors].map(([name, record]) => [name, { shape: record.shape, values: floats(record) }]))
}

const say = (values: Record<string, unknown>): void => {
  process.stdout.write(`${JSON.stringify(values)}\n`)
}

const { device: name, ...given } = JSON.parse(process.argv[2] ?? '') as UnetCase & { readonly device: string }
const { width, multipliers, threads, folder, rate, decay } = given

const device = right(await open(name, { wasm: { threads, v8Flags: true } })())
const model = unet({ width, multipliers })
const template = model.init(key(0))
const params = await device.realize(right(lucidrainsWeights(template, await read(join(folder, 'weights.safetensors')))))
const optimizer = chain(clipByGlobalNorm(1), adam({ learningRate: rate, beta1: 0.9, beta2: 0.99 }))

const inputs = await read(join(folder, 'inputs.safetensors'))
const input = (name: string): Tensor => {
  const found = inputs.get(name)
  if (found === undefined) throw new Error(`inputs.safetensors lacks ${name}`)
  const x = tensor(found.values, { shape: found.shape })
  return x.rank === 4 ? x.transpose([0, 2, 3, 1]) : x // NCHW → NHWC
}
const data = await device.realize({
  x0: input('x0'),
  epsilon: input('epsilon'),
  t: input('t'),
  signal: input('signal'),
  noise: input('noise'),
})

interface State {
  readonly params: typeof params
  readonly opt: ReturnType<typeof optimizer.init>
  readonly average: typeof params
}

const trainStep = (state: State, { x0, epsilon, t, signal, noise }: typeof data): readonly [State, Tensor] => {
  const xt = x0.mul(signal.broadcastTo(x0.shape)).add(epsilon.mul(noise.broadcastTo(x0.shape)))
  const target = epsilon.mul(signal.broadcastTo(x0.shape)).sub(x0.mul(noise.broadcastTo(x0.shape)))
  const [loss, gradients] = valueAndGrad((p: typeof params) =>
    model.apply(p, { x: xt, t }).sub(target).square().mean(),
  )(state.params)
  const [updates, opt] = optimizer.update(gradients, state.opt, state.params)
  const next = applyUpdates(state.params, updates)
  return [{ params: next, opt, average: ema(decay, state.average, next) }, loss]
}

const step = device.compile(trainStep, { donate: [0] })
let state: State = await device.realize({ params, opt: optimizer.init(params), average: params })

say({ about: `fathom on ${device.description}, Node ${process.version}`, parameters: countElements(params) })
for await (const line of createInterface({ input: process.stdin })) {
  const [times, start] = [Number(line), performance.now()]
  let loss = NaN
  for (let i = 0; i < times; i++) {
    const [next, value] = await step(state, data)
    loss = await device.item(value)
    state = next
  }
  const seconds = (performance.now() - start) / 1000 / times
  say({ seconds, loss, peakBytes: 1024 * process.resourceUsage().maxRSS })
}
await device.close()
