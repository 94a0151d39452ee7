/**
 * Elementwise kernels and reductions that become stages over rows. A reduction ends a kernel, for all of it must be done before its results
 * are read; but what is read of them is often its own row alone: the maximum, the sum and the quotients of a softmax, the moments of a norm and
 * what they scale, the sums of their derivatives. Then the rows do not wait for each other, and one kernel takes each through all stages
 * while it is in the cache.
 *
 * Steps are only put together, so no bit changes.
 */
import { at } from '../prelude/array.ts'
import { operandsOf, resultsOf, type Kernel, type Operand, type RowsKernel, type Stage } from './kernel.ts'
import { boundsOfBuffers, operationsIn, type Limits } from './limits.ts'
import { joinReasons } from './reason.ts'
import { join, joinAll, peakOf, placesFor, type Timeline } from './timeline.ts'
import { coalesce, type View } from './view.ts'

type Staged = Stage | RowsKernel

const isStaged = (kernel: Kernel | undefined): kernel is Staged =>
  kernel?.kind === 'elementwise' || kernel?.kind === 'reduce' || kernel?.kind === 'rows'

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/**
 * Into how many runs a view falls, of equally many elements each, so that run i reaches nothing but the i-th of as many equal parts of the
 * buffer's `length` elements; so it does for all divisors of that number.
 */
const runsOfView = (view: View, length: number): number => {
  const { offset, shape, strides } = coalesce(view)
  const [count = 1, ...inner] = shape
  const [stride = length] = strides
  if (count * stride !== length) return 1
  const reach = (sign: 1 | -1): number =>
    inner.reduce((sum, n, a) => sum + Math.max(0, sign * at(strides, a + 1)) * (n - 1), 0)
  return offset - reach(-1) >= 0 && offset + reach(1) < stride ? count : 1
}

/** Whether row i of so many, of a stage that reads an operand of a buffer of `length` elements, reads no more of it than its i-th equal part. */
export const readsOwnRow = ({ view }: Operand, length: number, rows: number): boolean =>
  runsOfView(view, length) % rows === 0

/** Into how many rows a stage may be cut, apart from what it reads. */
const runsOfStage = (stage: Stage): number =>
  stage.kind === 'elementwise' ? stage.body.size : runsOfView(stage.target, stage.size)

const rowsOf = (kernel: Staged): number => (kernel.kind === 'rows' ? kernel.rows : runsOfStage(kernel))

/** Into how many rows both can be cut, so that the second reads of the first no row but its own. */
const rowsTogether = ({ buffers }: Timeline, first: Staged, second: Staged): number => {
  const written = new Set(resultsOf(first).map(({ buffer }) => buffer))
  return operandsOf(second)
    .filter(({ buffer }) => written.has(buffer))
    .map(({ buffer, view }) => runsOfView(view, at(buffers, buffer).length))
    .reduce(gcd, gcd(rowsOf(first), rowsOf(second)))
}

/** Elements of the largest row. */
const rowLength = (stages: readonly Stage[], rows: number): number =>
  Math.max(...stages.map(({ body }) => body.size)) / rows

const stagesOf = (kernel: Staged): readonly Stage[] => (kernel.kind === 'rows' ? kernel.stages : [kernel])

/** Whether rows are worth it: a reduction among them, for what else fits together has been joined; many enough to be shared, unless all is small; and each so short that it stays near. */
const fits = (
  first: Staged,
  second: Staged,
  { stages, rows }: RowsKernel,
  { rows: limits, operations }: Limits,
): boolean => {
  const length = rowLength(stages, rows)
  const needed = [first, second].map((kernel) => rowLength(stagesOf(kernel), rowsOf(kernel)))
  if (stages.length > limits.stages || length > Math.max(...needed, limits.small)) return false
  if (stages.every(({ kind }) => kind === 'elementwise')) return false
  if (stages.reduce((sum, { body }) => sum + operationsIn(body), 0) > operations) return false
  return rows >= limits.few ? length <= limits.longest : length * rows <= limits.small
}

const together = (first: Staged, second: Staged, rows: number): RowsKernel => {
  const stages = [first, second].flatMap(stagesOf)
  return {
    kind: 'rows',
    rows,
    stages,
    output: second.output,
    dtype: second.dtype,
    computes: `${first.computes} → ${second.computes}`,
    reason: joinReasons([second.reason]),
    flops: first.flops + second.flops,
  }
}

/** Earlier kernels whose results a kernel reads, from the nearest. */
const producersOf = ({ writer, kernels }: Timeline, kernel: Kernel): readonly number[] =>
  [...new Set(operandsOf(kernel).flatMap(({ buffer }) => writer.get(buffer) ?? []))]
    .filter((place) => isStaged(kernels[place]))
    .toSorted((a, b) => b - a)

/** Puts the kernel at `place` together with one before it; where the two now are, or undefined where it stays alone. */
const mergeOne = (timeline: Timeline, peak: number, place: number, limits: Limits): number | undefined => {
  const second = timeline.kernels[place]
  if (!isStaged(second)) return undefined
  const bounds = boundsOfBuffers(timeline.buffers, { ...limits, buffers: Infinity })
  const producers = producersOf(timeline, second)
  for (const i of producers) {
    const first = timeline.kernels[i]
    if (!isStaged(first)) continue
    const kernel = together(first, second, rowsTogether(timeline, first, second))
    // Few rows that many kernels feed would keep these from running side by side.
    if (kernel.rows < limits.rows.few && producers.length > 1) continue
    if (!fits(first, second, kernel, limits)) continue
    if (!bounds([...operandsOf(kernel), ...resultsOf(kernel)].map(({ buffer }) => buffer))) continue
    for (const [to, extensions] of placesFor(timeline, [first, i], [second, place]))
      if (join(timeline, peak, { kernel, places: [i, place], place: to, extensions })) return to
  }
  return undefined
}

/** Makes rows of elementwise kernels and reductions that read what others of them have written. */
export const mergeRows = (timeline: Timeline, limits: Limits): void => {
  const peak = peakOf(timeline)
  joinAll(timeline, (place) => mergeOne(timeline, peak, place, limits))
}
