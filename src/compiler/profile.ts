/**
 * Where the time of a plan goes: each kernel's time beside what the machine would need at least for its arithmetic and its traffic, the
 * roofline of Williams, Waterman & Patterson 2009.
 */
import { at } from '../prelude/array.ts'
import { showChoices, type KernelChoices } from './choices.ts'
import type { Kernel, Operand } from './kernel.ts'
import { bytesOf } from './cost.ts'
import type { Plan } from './plan.ts'

/** One run of a plan, kernel by kernel. */
export interface Profile {
  readonly plan: Plan
  /** Of each kernel of the plan, in its order. */
  readonly milliseconds: readonly number[]
  /** Of the whole run; what kernels did not take was the host's. */
  readonly total: number
  /** What the device chose for each kernel of the plan, in its order, where there was a choice. */
  readonly choices?: readonly KernelChoices[]
}

/** What a machine reaches at best. */
export interface MachinePeak {
  readonly flopsPerSecond: number
  /** Read and written together. */
  readonly bytesPerSecond: number
}

/** A kernel, or all kernels of a plan that compute the same at the same size. */
export interface ProfileRow {
  readonly kind: Kernel['kind']
  readonly computes: string
  /** `2·64×32×128` of a product's batch, rows, sums and columns, `8×16×16×32 ∗ 3×3×32×64` of a convolution, else elements. */
  readonly size: string
  readonly count: number
  readonly milliseconds: number
  /** Of the whole run. */
  readonly share: number
  readonly flopsPerSecond: number
  readonly bytesPerSecond: number
  /** FLOPs for each byte of traffic. */
  readonly intensity: number
  /** What bounds it on the roofline. */
  readonly bound: 'arithmetic' | 'memory'
  /** The least time that the machine would need over the time that it took: 1 is on the roof. Convolutions in tiles multiply less than `flops`, and may be above it. */
  readonly ofRoof: number
  /** What the device chose for it. */
  readonly choices: KernelChoices
}

const gemmSize = ({ x, y, axes }: Extract<Kernel, { readonly kind: 'gemm' }>): string => {
  const length = ({ view }: Operand, along: readonly number[]): number =>
    along.reduce((product, axis) => product * at(view.shape, axis), 1)
  const batch = length(x, axes.batch[0])
  const product = [length(x, axes.rows), length(x, axes.contract[0]), length(y, axes.columns)].join('×')
  return batch === 1 ? product : `${batch}·${product}`
}

const sizeInWords = (plan: Plan, kernel: Kernel): string => {
  const elements = String(at(plan.buffers, kernel.output).length)
  switch (kernel.kind) {
    case 'gemm':
      return gemmSize(kernel)
    case 'conv':
      return `${kernel.x.view.shape.join('×')} ∗ ${kernel.filter.view.shape.join('×')}`
    case 'reduce':
      return `${kernel.body.size} → ${elements}`
    default:
      return elements
  }
}

/** A kernel's work as text: kernels that agree in it are one row. */
const workOf = (plan: Plan, kernel: Kernel): string =>
  `${kernel.kind} ${kernel.computes} ${kernel.flops} ${bytesOf(plan, kernel)} ${sizeInWords(plan, kernel)}`

/** Kernels that do the same work, for which the same is chosen. */
interface Group {
  readonly kernel: Kernel
  readonly times: number[]
  readonly choices: KernelChoices
}

const rowOf = (
  { plan, total }: Profile,
  { kernel, times, choices }: Group,
  { flopsPerSecond, bytesPerSecond }: MachinePeak,
): ProfileRow => {
  const milliseconds = times.reduce((a, b) => a + b, 0)
  const [flops, bytes] = [times.length * kernel.flops, times.length * bytesOf(plan, kernel)]
  const [arithmetic, memory] = [flops / flopsPerSecond, bytes / bytesPerSecond]
  const seconds = milliseconds / 1000
  return {
    kind: kernel.kind,
    computes: kernel.computes,
    size: sizeInWords(plan, kernel),
    count: times.length,
    milliseconds,
    share: milliseconds / total,
    flopsPerSecond: flops / seconds,
    bytesPerSecond: bytes / seconds,
    intensity: flops / bytes,
    bound: arithmetic > memory ? 'arithmetic' : 'memory',
    ofRoof: Math.max(arithmetic, memory) / seconds,
    choices,
  }
}

/**
 * The kernels of a run from the most expensive; those that do the same work in the same way are one row.
 *
 * @param peak what the machine reaches, as measured
 * @example
 * ```ts
 * import { profileRows, tensor, type Tensor } from 'fathom'
 *
 * const f = device.compile((x: Tensor) => x.exp())
 * const { plan } = await f.profile(tensor([1, 2, 3, 4]))
 * const peak = { flopsPerSecond: 1e9, bytesPerSecond: 32e9 }
 * const [row] = profileRows({ plan, milliseconds: [0.001], total: 0.002 }, peak)
 * row?.share // => 0.5
 * row?.bytesPerSecond // => 32_000_000
 * ```
 */
export const profileRows = (profile: Profile, peak: MachinePeak): readonly ProfileRow[] => {
  const groups = new Map<string, Group>()
  profile.plan.kernels.forEach((kernel, i) => {
    const choices = profile.choices?.[i] ?? {}
    const work = `${workOf(profile.plan, kernel)} ${showChoices(choices)}`
    const group = groups.get(work) ?? { kernel, times: [], choices }
    group.times.push(at(profile.milliseconds, i))
    groups.set(work, group)
  })
  return [...groups.values()]
    .map((group) => rowOf(profile, group, peak))
    .toSorted((a, b) => b.milliseconds - a.milliseconds)
}
