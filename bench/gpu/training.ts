/**
 * Training steps: first the loss and every gradient are compared with another backend's at a small batch, and only then is anything timed. Weights and
 * inputs are left as files, from which PyTorch begins.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  countElements,
  flopsOf,
  leaves,
  leavesWithPaths,
  OutOfMemory,
  precisions,
  scalar,
  valueAndGrad,
  vjp,
  withPrecision,
  zeros,
  type Device,
  type Plan,
  type Profile,
  type Tensor,
} from '../../src/index.ts'
import { saveParams } from '../../src/io/index.ts'
import {
  adam,
  allFinite,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  ema,
  initialLossScale,
  nextLossScale,
  selectTree,
  unscaled,
  type LossScaleState,
} from '../../src/optim/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { openWasm } from '../../src/backends/wasm/whole.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import type { NetworkCase, Cases } from './cases.ts'
import { countLaunches, openGpuDevice, requireGpu, type GpuOptions, type OpenGpu } from './gpuDevice.ts'
import { measure, type Measured } from './measure.ts'
import { lucidrainsNetwork, publishedNetwork, type Inputs, type Network } from './networks.ts'
import { rates } from './rates.ts'
import { failure, type CheckRow, type Row, type StepRow } from './rows.ts'

type Say = (row: Row) => void

type PrecisionName = keyof typeof precisions

const { learningRate, beta1, beta2 } = rates
const optimizer = chain(clipByGlobalNorm(1), adam({ learningRate, beta1, beta2 }))

/** What a step takes over from the one before. */
interface State<P> {
  readonly params: P
  readonly opt: ReturnType<typeof optimizer.init>
  readonly average: P
  readonly lossScale?: LossScaleState
}

const initialState = <P>(params: P, precision: PrecisionName): State<P> => ({
  params,
  opt: optimizer.init(params),
  average: params,
  ...(precision === 'mixed' && { lossScale: initialLossScale() }),
})

/** The loss, and its gradients times a scale. */
const scaledGradients = <P>(
  { loss }: Network<P>,
  precision: PrecisionName,
  { params, inputs, scale }: { readonly params: P; readonly inputs: Inputs; readonly scale?: Tensor | undefined },
): readonly [Tensor, P] => {
  const f = withPrecision(precisions[precision], (p: P) => loss(p, inputs))
  if (scale === undefined) return valueAndGrad(f)(params)
  const { value, pullback } = vjp(f, params)
  return [value, pullback(scale)[0]]
}

const stepOf =
  <P>(network: Network<P>, precision: PrecisionName) =>
  (state: State<P>, inputs: Inputs): readonly [State<P>, Tensor] => {
    const { params, opt, average, lossScale } = state
    const [loss, scaled] = scaledGradients(network, precision, { params, inputs, scale: lossScale?.scale })
    const gradients = lossScale === undefined ? scaled : unscaled(scaled, lossScale)
    const [updates, nextOpt] = optimizer.update(gradients, opt, params)
    const nextParams = applyUpdates(params, updates)
    const next = { params: nextParams, opt: nextOpt, average: ema(rates.decay, average, nextParams) }
    if (lossScale === undefined) return [next, loss]
    const finite = allFinite(scaled)
    return [
      { ...selectTree(finite, next, { params, opt, average }), lossScale: nextLossScale(lossScale, finite) },
      loss,
    ]
  }

const norm = (values: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? NaN) ** 2
  return Math.sqrt(sum)
}

/** What a device computes at the initial weights. */
export interface Evaluated {
  readonly loss: number
  readonly gradients: ReadonlyMap<string, Float32Array>
}

/** The scale of the gradients' comparison in halves: far from their smallest numbers, and from their largest. */
const checkedScale = 2 ** 12

const evaluate = async <P>(
  device: Device,
  network: Network<P>,
  precision: PrecisionName,
  batch: number,
): Promise<Evaluated> => {
  const params = await device.realize(network.init())
  const inputs = await device.realize(network.inputs(batch))
  const scale = precision === 'mixed' ? checkedScale : 1
  const pass = device.compile((params: P, inputs: Inputs) =>
    scaledGradients(network, precision, { params, inputs, scale: scalar(scale) }),
  )
  const [loss, gradients] = await pass(params, inputs)
  const read = new Map<string, Float32Array>()
  for (const [path, x] of leavesWithPaths(gradients))
    read.set(
      path,
      Float32Array.from(await device.read(x), (g) => g / scale),
    )
  const [value = NaN] = await device.read(loss)
  for (const tree of [params, inputs, gradients, loss]) device.release(tree)
  return { loss: value, gradients: read }
}

/**
 * How far a loss, and a gradient's vector, may be from the reference, as a part of its length. Two forms of convolution on wasm differ by 7·10⁻⁶ in f32
 * and 3·10⁻³ in mixed precision for these networks (measured), and their losses by 3·10⁻⁵ at most.
 */
const tolerances: { readonly [K in PrecisionName]: { readonly loss: number; readonly gradient: number } } = {
  f32: { loss: 1e-5, gradient: 2e-4 },
  mixed: { loss: 5e-4, gradient: 2e-2 },
}

/** Gradients are no smaller in a comparison than this part of all of them together: that of a bias before a norm is rounding alone. */
const floor = 1e-3

/** The difference of the two losses, and of the gradient that differs most. */
export const differences = (
  found: Evaluated,
  expected: Evaluated,
): { readonly loss: number; readonly gradient: number; readonly worst: string } => {
  const all = Math.hypot(...[...expected.gradients.values()].map(norm))
  let [gradient, worst] = [0, '']
  for (const [path, theirs] of expected.gradients) {
    const ours = found.gradients.get(path)
    const difference = ours === undefined ? Infinity : norm(theirs.map((g, i) => g - (ours[i] ?? NaN)))
    const error = difference / Math.max(norm(theirs), floor * all)
    if (!(error <= gradient)) [gradient, worst] = [Number.isNaN(error) ? Infinity : error, path]
  }
  return { loss: Math.abs(found.loss - expected.loss) / Math.abs(expected.loss), gradient, worst }
}

const finite = (x: number): number => (Number.isFinite(x) ? x : 1e9)

/** Compares a network's loss and gradients with wasm's. @returns whether they agree */
const compared = async <P>(
  open: OpenGpu,
  network: Network<P>,
  precision: PrecisionName,
  { checked, say }: { readonly checked: number; readonly say: Say },
): Promise<boolean> => {
  const trusted = deviceOn(await openWasm({}))
  const expected = await evaluate(trusted, network, precision, checked)
  await trusted.close()
  const found = differences(await evaluate(open.device, network, precision, checked), expected)
  const bound = tolerances[precision]
  const row = (what: string, error: number, tolerance: number, detail: string): CheckRow => ({
    kind: 'check',
    side: 'fathom',
    name: `${network.name}, ${precision}: ${what} of ${checked} images, against wasm`,
    ok: error <= tolerance,
    error: finite(error),
    tolerance,
    detail,
  })
  const rows = [
    row('the loss', found.loss, bound.loss, String(expected.loss)),
    row('gradients', found.gradient, bound.gradient, `the furthest is ${found.worst}`),
  ]
  rows.forEach(say)
  return rows.every(({ ok }) => ok)
}

/** A step that is run again and again. */
interface Running {
  readonly run: () => Promise<Tensor>
  readonly plan: () => Plan
  readonly profile: () => Promise<Profile>
}

/** The forward and the backward pass, over the gradients of the one before. */
const passes = async <P>(
  { device }: OpenGpu,
  network: Network<P>,
  precision: PrecisionName,
  batch: number,
): Promise<Running> => {
  const params = await device.realize(network.init())
  const inputs = await device.realize(network.inputs(batch))
  const scale = await device.realize(scalar(precision === 'mixed' ? checkedScale : 1))
  const pass = device.compile(
    (params: P, inputs: Inputs, scale: Tensor, _last: readonly Tensor[]) => {
      const [loss, gradients] = scaledGradients(network, precision, { params, inputs, scale })
      return [loss, leaves(gradients)] as const
    },
    { donate: [3] },
  )
  let last: readonly Tensor[] = await device.realize(leaves(params).map(({ shape, dtype }) => zeros(shape, dtype)))
  const args = (): Parameters<typeof pass> => [params, inputs, scale, last] as never
  return {
    run: async () => {
      const [loss, gradients] = await pass(...args())
      last = gradients
      return loss
    },
    plan: () => pass.plan(...args()),
    profile: async () => pass.profile(...args()),
  }
}

/** Whole steps. */
const updates = async <P>(
  { device }: OpenGpu,
  network: Network<P>,
  precision: PrecisionName,
  batch: number,
): Promise<Running> => {
  let state: State<P> = await device.realize(initialState(network.init(), precision))
  const inputs = await device.realize(network.inputs(batch))
  const step = device.compile(stepOf(network, precision), { donate: [0] })
  const args = (): Parameters<typeof step> => [state, inputs] as never
  return {
    run: async () => {
      const [next, loss] = await step(...args())
      state = next
      return loss
    },
    plan: () => step.plan(...args()),
    profile: async () => step.profile(...args()),
  }
}

const lossesOf = async ({ device }: OpenGpu, { run }: Running, count: number): Promise<readonly number[]> => {
  const losses = []
  for (let i = 0; i < count; i++) losses.push((await device.read(await run()))[0] ?? NaN)
  return losses
}

/** Steps whose losses are compared. */
const comparedSteps = 3

/** Times a network's step. */
const stepRow = async <P>(
  open: OpenGpu,
  network: Network<P>,
  precision: PrecisionName,
  { batch, cases, mode }: { readonly batch: number; readonly cases: Cases; readonly mode: string },
): Promise<StepRow> => {
  const running = await (network.updates ? updates : passes)(open, network, precision, batch)
  const bytes = open.device.bytesNeeded(running.plan())
  const start = performance.now()
  const [first = NaN] = await lossesOf(open, running, 1)
  const firstSeconds = (performance.now() - start) / 1000
  const losses = [first, ...(await lossesOf(open, running, network.updates ? comparedSteps - 1 : 0))]
  const wrong = losses.find((loss) => !Number.isFinite(loss))
  if (wrong !== undefined) throw new Error(`${network.name}, ${precision}: losses are ${losses.join(', ')}`)
  const launches = await countLaunches(running.run)
  let last: Tensor | undefined
  const measured: Measured = await measure(
    {
      run: async () => {
        last = await running.run()
      },
      settle: async () => (last === undefined ? open.settle() : open.device.read(last)),
    },
    cases,
  )
  const profile = await running.profile()
  requireGpu(open.device)
  const { ms, spread, runs, hostMs } = measured
  return {
    kind: 'step',
    side: 'fathom',
    name: network.name,
    precision,
    mode,
    batch,
    parameters: countElements(network.init()),
    ms,
    spread,
    runs,
    hostMs,
    gpuMs: profile.milliseconds.reduce((a, b) => a + b, 0),
    firstSeconds,
    losses,
    kernels: profile.plan.kernels.length,
    launches,
    bytes,
    gflops: flopsOf(profile.plan) / ms / 1e6,
  }
}

/** Leaves weights and inputs where PyTorch finds them. */
const leave = async <P>({ device }: OpenGpu, network: Network<P>, batch: number, folder: string): Promise<void> => {
  mkdirSync(folder, { recursive: true })
  const write = async (name: string, tree: unknown, options = {}): Promise<void> => {
    const written = await saveParams(device, join(folder, `${network.id}.${name}.safetensors`), tree, options)()
    if (E.isLeft(written)) throw new Error(written.left.message)
  }
  const params = network.init()
  await write('weights', params, network.namesOf(params))
  const inputs = Object.entries(network.inputs(batch)).map(
    ([name, x]) => [name, x.rank === 4 && x.size > batch ? x.transpose([0, 3, 1, 2]) : x] as const,
  )
  await write('inputs', Object.fromEntries(inputs))
  writeFileSync(join(folder, `${network.id}.json`), JSON.stringify({ name: network.name, batch }))
}

/** How networks are trained here. */
export interface TrainingOptions extends GpuOptions {
  /** Where weights and inputs are left; nowhere by default. */
  readonly exchange?: string | undefined
}

/** Times a step on a GPU of its own, of the largest batch that fits: from the one that is asked for down by halves. */
const fittingRow = async <P>(
  network: Network<P>,
  precision: PrecisionName,
  gpu: TrainingOptions,
  { batch, cases, say }: { readonly batch: number; readonly cases: Cases; readonly say: Say },
): Promise<StepRow> => {
  const open = await openGpuDevice(gpu)
  try {
    const row = await stepRow(open, network, precision, { batch, cases, mode: gpu.tune === true ? 'tuned' : 'guessed' })
    if (gpu.exchange !== undefined && precision === 'f32') await leave(open, network, batch, gpu.exchange)
    return row
  } catch (e) {
    if (!(e instanceof OutOfMemory) || batch <= 1) throw e
    const value = `${batch} images do not fit: ${e.message}`
    say({ kind: 'fact', side: 'fathom', name: `${network.name}, ${precision}`, value })
  } finally {
    await open.device.close()
  }
  return fittingRow(network, precision, gpu, { batch: Math.floor(batch / 2), cases, say })
}

const trained = async <P>(
  network: Network<P>,
  given: NetworkCase,
  cases: Cases,
  gpu: TrainingOptions,
  say: Say,
): Promise<void> => {
  for (const precision of ['f32', 'mixed'] as const)
    try {
      const open = await openGpuDevice({ ...gpu, tune: false })
      const agrees = await compared(open, network, precision, { checked: given.checked, say })
      await open.device.close()
      if (agrees) say(await fittingRow(network, precision, gpu, { batch: given.batch, cases, say }))
    } catch (e) {
      say(failure(`${network.name}, ${precision}`, e))
    }
}

/** The published network's forward and backward pass. */
export const published = async (gpu: TrainingOptions, cases: Cases, say: Say): Promise<void> =>
  trained(publishedNetwork(cases.published), cases.published, cases, gpu, say)

/** Whole steps of lucidrains' U-Net. */
export const lucidrains = async (gpu: TrainingOptions, cases: Cases, say: Say): Promise<void> =>
  trained(lucidrainsNetwork(cases.lucidrains), cases.lucidrains, cases, gpu, say)
