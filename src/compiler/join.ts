/**
 * Elementwise kernels that become one with several results: because one reads what the other has just written, or because both read the
 * same. What is shared is read once, and what only the joined kernel needs is not written.
 *
 * Joining changes no bit, for instructions only move. It is refused where a kernel between the two needs the one and feeds the other, where
 * the kernel would have more buffers than a backend binds or more code than it takes, and where memory would reach a new peak.
 */
import { at } from '../prelude/array.ts'
import { isWhole } from './epilogue.ts'
import {
  loadsOf,
  operandsOf,
  resultsOf,
  type ElementwiseKernel,
  type Instruction,
  type Kernel,
  type Operand,
} from './kernel.ts'
import { boundsOfBuffers, operationsIn, type Limits } from './limits.ts'
import { joinReasons } from './reason.ts'
import { contiguous } from './view.ts'
import { join, joinAll, peakOf, placesFor, type Timeline } from './timeline.ts'

const operandKey = ({ buffer, view }: Operand): string =>
  `${buffer}@${view.offset}:${view.shape.join()}/${view.strides.join()}`

const instructionKey = (i: Instruction): string => {
  switch (i.kind) {
    case 'load':
      return operandKey(i.from)
    case 'literal':
      return `${i.dtype} ${Object.is(i.value, -0) ? '-0' : i.value}`
    case 'index':
      return `${i.dtype} ${i.view.offset}:${i.view.shape.join()}/${i.view.strides.join()}`
    case 'apply':
      return `${i.dtype} ${i.op}(${i.inputs.join()})`
  }
}

/** Instructions of two bodies in one list, and for each of the second's where it stands. */
interface Merged {
  readonly instructions: readonly Instruction[]
  readonly became: readonly number[]
}

/** `first`'s instructions before `second`'s; what both have stands once, and what `second` reads of `first` is not loaded. */
const merged = (first: ElementwiseKernel, second: ElementwiseKernel): Merged => {
  const instructions: Instruction[] = [...first.body.instructions]
  const known = new Map(instructions.map((x, i) => [instructionKey(x), i]))
  const written = new Map(resultIndices(first))
  const became: number[] = []
  for (const instruction of second.body.instructions) {
    const given = instruction.kind === 'load' ? written.get(instruction.from.buffer) : undefined
    const moved =
      instruction.kind === 'apply'
        ? { ...instruction, inputs: instruction.inputs.map((i) => at(became, i)) }
        : instruction
    const key = instructionKey(moved)
    const index = given ?? known.get(key) ?? instructions.push(moved) - 1
    known.set(key, index)
    became.push(index)
  }
  return { instructions, became }
}

/** Each result's buffer and instruction. */
const resultIndices = (kernel: ElementwiseKernel): readonly (readonly [buffer: number, instruction: number])[] => [
  ...(kernel.further ?? []).map((r) => [r.buffer, r.instruction] as const),
  [kernel.output, kernel.body.instructions.length - 1],
]

/** One kernel that does the work of both; undefined where two results would be one instruction, or the last would be none. */
const union = (
  first: ElementwiseKernel,
  second: ElementwiseKernel,
  isNeeded: (buffer: number) => boolean,
): ElementwiseKernel | undefined => {
  const { instructions, became } = merged(first, second)
  const results = [
    ...resultIndices(first),
    ...resultIndices(second).map(([buffer, i]) => [buffer, at(became, i)] as const),
  ]
  const isApart = new Set(results.map(([, i]) => i)).size === results.length
  if (!isApart || became.at(-1) !== instructions.length - 1) return undefined
  const dtypes = new Map([...resultsOf(first), ...resultsOf(second)].map((r) => [r.buffer, r.dtype]))
  const further = results
    .filter(([buffer]) => buffer !== second.output && isNeeded(buffer))
    .map(([buffer, instruction]) => ({ buffer, instruction, dtype: dtypes.get(buffer) ?? second.dtype }))
    .toSorted((a, b) => a.instruction - b.instruction)
  const names = instructions.flatMap((x) => (x.kind === 'apply' ? [x.op] : []))
  const { further: _, ...last } = second
  return {
    ...last,
    body: { size: second.body.size, instructions },
    ...(further.length === 0 ? {} : { further }),
    computes: names.join(' '),
    reason: joinReasons(further.length === 0 ? [second.reason] : [first.reason, second.reason]),
    flops: second.body.size * names.length,
  }
}

/** Whether a backend binds the buffers of both as one kernel: what only `second` reads of `first` is not among them. */
const bindsBoth = (
  first: ElementwiseKernel,
  second: ElementwiseKernel,
  isNeeded: (buffer: number) => boolean,
  keeps: (buffers: Iterable<number>) => boolean,
): boolean => {
  const written = resultsOf(first).map((r) => r.buffer)
  const read = loadsOf(second.body).flatMap(({ buffer }) => (written.includes(buffer) ? [] : [buffer]))
  const all = [...operandsOf(first), ...resultsOf(second)].map((x) => x.buffer)
  return keeps([...all, ...read, ...written.filter(isNeeded)])
}

const isJoinable = (kernel: Kernel | undefined): kernel is ElementwiseKernel =>
  kernel?.kind === 'elementwise' && kernel.body.instructions.at(-1)?.kind === 'apply'

/** Whether every load of `second` that comes from `first` is the element that `first` has just computed. */
const readsInStep = (first: ElementwiseKernel, second: ElementwiseKernel): boolean => {
  const written = new Set(resultsOf(first).map((r) => r.buffer))
  return loadsOf(second.body).every((o) => !written.has(o.buffer) || isWhole(o.view, second.body.size))
}

/** Of thousands that read one buffer only the nearest are tried; U-Nets never have so many, and compile alike with more. */
const mostPartners = 64

/** Earlier kernels over the same index that write what the kernel reads element by element, or read it too: from the nearest. */
const partners = (
  { kernels, writer, readers }: Timeline,
  kernel: ElementwiseKernel,
  place: number,
): readonly number[] => {
  const { size } = kernel.body
  const places = loadsOf(kernel.body)
    .filter((o) => isWhole(o.view, size))
    .flatMap(({ buffer }) => [...(writer.has(buffer) ? [writer.get(buffer) ?? 0] : []), ...(readers.get(buffer) ?? [])])
  return [...new Set(places)]
    .filter((i) => {
      const other = kernels[i]
      return i < place && isJoinable(other) && other.body.size === size
    })
    .toSorted((a, b) => b - a)
    .slice(0, mostPartners)
}

/** Joins the kernel at `place` with one before it; where the two now are, or undefined where it stays alone. */
const joinOne = (timeline: Timeline, peak: number, place: number, limits: Limits): number | undefined => {
  const second = timeline.kernels[place]
  if (!isJoinable(second)) return undefined
  for (const i of partners(timeline, second, place)) {
    const first = timeline.kernels[i]
    if (!isJoinable(first) || !readsInStep(first, second)) continue
    const isNeeded = (buffer: number): boolean =>
      at(timeline.buffers, buffer).placement.kind !== 'temporary' ||
      [...(timeline.readers.get(buffer) ?? [])].some((r) => r !== place)
    if (!bindsBoth(first, second, isNeeded, boundsOfBuffers(timeline.buffers, limits))) continue
    const places = placesFor(timeline, [first, i], [second, place])
    if (places.length === 0) continue
    const both = union(first, second, isNeeded)
    if (both === undefined || operationsIn(both.body) > limits.operations) continue
    for (const [to, extensions] of places)
      if (join(timeline, peak, { kernel: both, places: [i, place], place: to, extensions })) return to
  }
  return undefined
}

/** Joins elementwise kernels wherever that saves traffic. */
export const joinKernels = (timeline: Timeline, limits: Limits): void => {
  const peak = peakOf(timeline)
  joinAll(timeline, (place) => joinOne(timeline, peak, place, limits))
}

/** What one result of a kernel takes by itself: instructions, of which some are given as the results before it. */
interface Part {
  readonly buffer: number
  readonly needed: ReadonlySet<number>
  /** Instruction → the buffer that has its values. */
  readonly given: ReadonlyMap<number, number>
}

const partsOf = (kernel: ElementwiseKernel): readonly Part[] => {
  const results = resultIndices(kernel)
  return results.map(([buffer, end], k) => {
    const given = new Map(results.slice(0, k).map(([b, i]) => [i, b]))
    const needed = new Set([end])
    for (const i of needed) {
      const x = at(kernel.body.instructions, i)
      if (x.kind === 'apply' && !given.has(i)) for (const input of x.inputs) needed.add(input)
    }
    return { buffer, needed, given }
  })
}

/** For each result the buffers that it takes by itself, apart from the results before it ({@link separated}). */
export const loadsOfResults = (kernel: ElementwiseKernel): readonly ReadonlySet<number>[] =>
  partsOf(kernel).map(({ needed }) => {
    const instructions = [...needed].map((i) => at(kernel.body.instructions, i))
    return new Set(instructions.flatMap((x) => (x.kind === 'load' ? [x.from.buffer] : [])))
  })

/** The kernel as one for each result, for a backend that writes one: each loads what those before it have written. */
export const separated = (kernel: ElementwiseKernel): readonly ElementwiseKernel[] => {
  const { further = [], ...last } = kernel
  return partsOf(kernel).map(({ buffer, needed, given }, k) => {
    const order = [...needed].toSorted((a, b) => a - b)
    const position = new Map(order.map((i, p) => [i, p]))
    const instructions = order.map((i): Instruction => {
      const [x, from] = [at(kernel.body.instructions, i), given.get(i)]
      const view = contiguous([kernel.body.size])
      if (from !== undefined) return { kind: 'load', from: { buffer: from, view, dtype: x.dtype }, dtype: x.dtype }
      return x.kind === 'apply' ? { ...x, inputs: x.inputs.map((n) => position.get(n) ?? 0) } : x
    })
    const names = instructions.flatMap((x) => (x.kind === 'apply' ? [x.op] : []))
    return {
      ...last,
      body: { size: kernel.body.size, instructions },
      output: buffer,
      dtype: further[k]?.dtype ?? kernel.dtype,
      computes: names.join(' '),
      flops: kernel.body.size * names.length,
    }
  })
}
