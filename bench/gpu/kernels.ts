/** The speed of single kernels, each after its result was compared with another backend's at a smaller size. */
import {
  bytesOf,
  conv2d,
  DeviceLost,
  flopsOf,
  foldIn,
  grad,
  key,
  normal,
  ones,
  softmax,
  type DType,
  type Device,
  type Plan,
  type Tensor,
} from '../../src/index.ts'
import { groupNorm, silu } from '../../src/nn/index.ts'
import { at } from '../../src/prelude/array.ts'
import { cpuBackend } from '../../src/backends/cpu/backend.ts'
import { openWasm } from '../../src/backends/wasm/whole.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { replayed } from '../subjects.ts'
import { convName, gemmName, type Cases, type ConvCase } from './cases.ts'
import { openGpuDevice, type GpuOptions, type OpenGpu } from './gpuDevice.ts'
import { measure, type MeasureOptions } from './measure.ts'
import { failure, type Row, type TimeRow } from './rows.ts'

type Say = (row: Row) => void

/** A kernel, or a few. */
export interface Subject {
  readonly name: string
  readonly shapes: readonly (readonly number[])[]
  /** Shapes with which the result is compared; by default those that are timed. */
  readonly checked?: readonly (readonly number[])[]
  readonly dtype: 'f32' | 'f16'
  readonly of: (...x: readonly Tensor[]) => Tensor
  /** What its figure counts. */
  readonly counts: 'flops' | 'bytes' | 'launches'
}

const dtypes = ['f32', 'f16'] as const satisfies readonly DType[]

const first = (xs: readonly Tensor[]): Tensor => at(xs, 0)
const second = (xs: readonly Tensor[]): Tensor => at(xs, 1)

const gemmSubjects = ({ gemms }: Cases): readonly Subject[] =>
  gemms.flatMap((n) =>
    dtypes.map((dtype): Subject => ({
      name: gemmName(n),
      shapes: [
        [n, n],
        [n, n],
      ],
      checked: [
        [96, n],
        [n, 80],
      ],
      dtype,
      of: (...x) => first(x).matmul(second(x)),
      counts: 'flops',
    })),
  )

const conv = (x: Tensor, w: Tensor): Tensor => conv2d(x, w, { padding: 1 })

const convSubjects = ({ convs }: Cases): readonly Subject[] =>
  convs.flatMap((c: ConvCase) => {
    const image = [c.batch, c.size, c.size, c.channels]
    const filter = [3, 3, c.channels, c.channels]
    const one = [1, ...image.slice(1)]
    const passes: Readonly<Record<string, Pick<Subject, 'shapes' | 'checked' | 'of'>>> = {
      forward: { shapes: [image, filter], checked: [one, filter], of: (...x) => conv(first(x), second(x)) },
      'input gradient': {
        shapes: [image, filter],
        checked: [one, filter],
        // of the sum of f(x)·y, at any x: it is linear
        of: (...y) => grad((x: Tensor) => conv(x, second(y)).mul(first(y)).sum())(first(y)),
      },
      'filter gradient': {
        shapes: [image, image],
        checked: [one, one],
        of: (...x) => grad((w: Tensor) => conv(first(x), w).mul(second(x)).sum())(ones(filter, first(x).dtype)),
      },
    }
    return Object.entries(passes).flatMap(([pass, given]) =>
      dtypes.map((dtype): Subject => ({ name: convName(c, pass), dtype, counts: 'flops', ...given })),
    )
  })

const trafficSubjects = ({ copied, softmax: rows, groupNorm: norm }: Cases): readonly Subject[] => {
  const image = [norm.batch, norm.size, norm.size, norm.channels]
  const one = [1, ...image.slice(1)]
  const layer = groupNorm(8, norm.channels)
  const params = layer.init(key(0))
  const normed = (x: Tensor): Tensor => silu(layer.apply(params, x))
  const gradient = (...x: readonly Tensor[]): Tensor => grad((v: Tensor) => normed(v).mul(second(x)).sum())(first(x))
  return [
    { name: 'copy: x + 1', shapes: [[copied]], checked: [[5000]], of: (...x: readonly Tensor[]) => first(x).add(1) },
    {
      name: `softmax [${rows.join('×')}]`,
      shapes: [rows],
      checked: [[64, rows[1]]],
      of: (...x: readonly Tensor[]) => softmax(first(x)),
    },
    {
      name: `group norm, SiLU [${image.join('×')}] forward`,
      shapes: [image],
      checked: [one],
      of: (...x: readonly Tensor[]) => normed(first(x)),
    },
    {
      name: `group norm, SiLU [${image.join('×')}] gradient`,
      shapes: [image, image],
      checked: [one, one],
      of: gradient,
    },
  ].map((s): Subject => ({ dtype: 'f32', counts: 'bytes', ...s }))
}

const chainSubject = ({ chain }: Cases): Subject => ({
  name: `launch: one of ${chain} products of 16×16 in a chain`,
  shapes: [
    [16, 16],
    [16, 16],
  ],
  dtype: 'f32',
  of: (...x) => Array.from({ length: chain }).reduce((y: Tensor) => y.matmul(second(x)).mul(0.3), first(x)),
  counts: 'launches',
})

/** All kernels. */
export const kernelSubjects = (cases: Cases): readonly Subject[] => [
  ...gemmSubjects(cases),
  ...convSubjects(cases),
  ...trafficSubjects(cases),
  chainSubject(cases),
]

const drawn = async (device: Device, shapes: Subject['shapes'], dtype: DType): Promise<readonly Tensor[]> =>
  Promise.all(shapes.map(async (shape, i) => device.realize(normal(foldIn(key(0), i), shape).cast(dtype))))

/** The largest difference from another backend's result, as a part of the largest. */
const differenceFrom = async (
  trusted: Device,
  gpu: Device,
  { shapes, checked = shapes, dtype, of }: Subject,
): Promise<number> => {
  const results = []
  for (const device of [trusted, gpu]) {
    const args = await drawn(device, checked, dtype)
    const y = await device.compile((xs: readonly Tensor[]) => of(...xs))(args)
    results.push(await device.read(y))
    for (const x of [...args, y]) device.release(x)
  }
  const [expected = [], got = []] = results
  const scale = Array.from(expected).reduce((most, y) => Math.max(most, Math.abs(y)), 0)
  const worst = Array.from(expected).reduce((most, y, i) => {
    const difference = Math.abs(y - (got[i] ?? NaN))
    return difference <= most ? most : difference
  }, 0)
  return worst / scale
}

/** Relative to the largest result: sums of thousands of terms in f32, results that are rounded to halves, and products of hundreds of matrices. */
const toleranceOf = ({ dtype, counts }: Subject): number =>
  dtype === 'f16' ? 2 ** -8 : counts === 'launches' ? 2 ** -9 : 2 ** -14

/** The figures of a time: operations or traffic a second. */
export const figuresOf = (counts: Subject['counts'], plan: Plan, ms: number): Pick<TimeRow, 'gflops' | 'gigabytes'> => {
  if (counts === 'flops') return { gflops: flopsOf(plan) / ms / 1e6 }
  // What a function reads and writes at least: kernels between that go over memory again are no merit.
  if (counts === 'bytes') return { gigabytes: leastBytes(plan) / ms / 1e6 }
  return {}
}

const leastBytes = (plan: Plan): number => {
  const [only] = plan.kernels
  if (plan.kernels.length === 1 && only !== undefined) return bytesOf(plan, only)
  return [...plan.arguments, ...plan.outputs].reduce(
    (sum, { shape, dtype }) => sum + shape.reduce((a, b) => a * b, 1) * (dtype === 'f16' ? 2 : 4),
    0,
  )
}

/** Times a subject. */
const timeOf = async (
  { device, settle }: OpenGpu,
  { name, shapes, dtype, of, counts }: Subject,
  options: MeasureOptions & { readonly mode: string },
): Promise<TimeRow> => {
  const args = await drawn(device, shapes, dtype)
  const { plan, run, profile } = await replayed(device, of, args)
  await run()
  const measured = await measure({ run, settle }, options)
  const profiled = await profile?.()
  const divided = counts === 'launches' ? plan.kernels.length : 1
  const gpuMs = profiled?.milliseconds.reduce((a, b) => a + b, 0)
  const forms = profiled?.choices?.flatMap((choice) => ('form' in choice ? [String(choice['form'])] : [])) ?? []
  for (const x of args) device.release(x)
  return {
    kind: 'time',
    side: 'fathom',
    name,
    precision: dtype,
    mode: options.mode,
    ms: measured.ms / divided,
    spread: measured.spread,
    runs: measured.runs,
    ...(gpuMs === undefined ? {} : { gpuMs: gpuMs / divided }),
    ...figuresOf(counts, plan, measured.ms),
    ...(forms.length === 0 || counts === 'launches' ? {} : { form: forms.join('; ') }),
  }
}

/** Compares a kernel, and times it where it agrees. */
const judged = async (
  { open, checking, trusted }: { readonly open: OpenGpu; readonly checking: OpenGpu; readonly trusted: Device },
  subject: Subject,
  options: MeasureOptions & { readonly mode: string },
  say: Say,
): Promise<void> => {
  const name = `${subject.name}, ${subject.dtype}, against ${trusted.name}`
  const error = await differenceFrom(trusted, checking.device, subject)
  const tolerance = toleranceOf(subject)
  const ok = error <= tolerance
  say({ kind: 'check', side: 'fathom', name, ok, error: Number.isFinite(error) ? error : 1e9, tolerance })
  if (ok) say(await timeOf(open, subject, options))
}

/** Compares and times all kernels. What differs is not timed. */
export const kernels = async (gpu: GpuOptions, cases: Cases, say: Say): Promise<void> => {
  const trusted = deviceOn(gpu.software ? cpuBackend(true) : await openWasm({}))
  const open = await openGpuDevice(gpu)
  // Small sizes are compared in guessed forms; what is measured is compared with the plain form by what measures it.
  const checking = gpu.tune === true ? await openGpuDevice({ ...gpu, tune: false }) : open
  const { seconds, rounds } = cases
  const mode = gpu.tune === true ? 'tuned' : 'guessed'
  for (const subject of kernelSubjects(cases))
    try {
      await judged({ open, checking, trusted }, subject, { seconds, rounds, mode }, say)
    } catch (e) {
      say(failure(`${subject.name}, ${subject.dtype}`, e))
      if (e instanceof DeviceLost) throw e
    }
  await Promise.all([...new Set([open.device, checking.device, trusted])].map((device) => device.close()))
}
