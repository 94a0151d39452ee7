/**
 * Results in the place of arguments. Whoever donates a state gives its memory away, and the next state has the same size: if a result can be
 * written over what it replaces, a training step needs its parameters, moments and average once, not twice.
 *
 * A result may take an argument's place when no kernel reads the argument any more, or when its own kernel does so element by element, in
 * step with what it writes. A kernel of several results may be run as one for each ({@link loadsOfResults}), in their order; then the later
 * ones must not need the argument.
 */
import { at } from '../prelude/array.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import type { Buffer } from './buffer.ts'
import { isWhole } from './epilogue.ts'
import { loadsOfResults } from './join.ts'
import { loadsOf, operandsOf, resultsOf, stepsOf, type ElementwiseKernel, type Kernel, type Step } from './kernel.ts'
import { readsOwnRow } from './rows.ts'
import { lastRead as lastReadOf, type Timeline } from './timeline.ts'

/** A result: which step of which kernel writes it, as which of the step's results, and its number among the program's outputs. */
interface Written {
  readonly kernel: Kernel
  readonly step: Step
  readonly place: number
  readonly which: number
  readonly output: number
  readonly bytes: number
}

/** A donated argument: its buffer and elements, and the last kernel that reads it, or −1. */
interface Donated {
  readonly argument: number
  readonly buffer: number
  readonly length: number
  readonly lastRead: number
}

const bytesOf = ({ dtype, length }: Buffer): number => length * bytesPerElement[dtype]

const writtenOutputs = ({ kernels, buffers }: Timeline): readonly Written[] =>
  kernels.flatMap((kernel, place) => {
    if (kernel === undefined) return []
    return stepsOf(kernel).flatMap((step) =>
      resultsOf(step).flatMap((result, which) => {
        const buffer = at(buffers, result.buffer)
        const { placement } = buffer
        return placement.kind === 'output'
          ? [{ kernel, step, place, which, output: placement.index, bytes: bytesOf(buffer) }]
          : []
      }),
    )
  })

/** Donated arguments by size. */
const donatedBySize = (timeline: Timeline, donated: ReadonlySet<number>): ReadonlyMap<number, Donated[]> => {
  const bySize = new Map<number, Donated[]>()
  timeline.buffers.forEach((b, buffer) => {
    if (b.placement.kind !== 'argument' || !donated.has(b.placement.index)) return
    const lastRead = lastReadOf(timeline, buffer) ?? -1
    const found = { argument: b.placement.index, buffer, length: b.length, lastRead }
    bySize.set(bytesOf(b), [...(bySize.get(bytesOf(b)) ?? []), found])
  })
  return bySize
}

const readsInStep = ({ body }: ElementwiseKernel, buffer: number): boolean =>
  loadsOf(body).every((o) => o.buffer !== buffer || isWhole(o.view, body.size))

const reads = (step: Step, buffer: number): boolean => operandsOf(step).some((o) => o.buffer === buffer)

/**
 * Whether a step can write its result over an argument that it reads: element by element. Both have as many bytes; with as many elements,
 * element i of both is at one place. Half of the argument's elements, of half the width, would be written over before they are read.
 */
const writesInStep = (step: Step, which: number, { buffer, length }: Donated): boolean =>
  step.kind === 'elementwise' &&
  step.body.size === length &&
  readsInStep(step, buffer) &&
  loadsOfResults(step)
    .slice(which + 1)
    .every((buffers) => !buffers.has(buffer))

/**
 * Whether another step of the kernel leaves the argument alone until its row is written over. Stages before the one that writes may read it, each
 * row its own part: what other rows write lies elsewhere.
 */
const readsBefore = (kernel: Kernel, written: Step, other: Step, { buffer, length }: Donated): boolean => {
  if (!reads(other, buffer)) return true
  if (kernel.kind !== 'rows') return false
  const { stages, rows } = kernel
  const isBefore = stages.findIndex((s) => s === other) < stages.findIndex((s) => s === written)
  return isBefore && operandsOf(other).every((o) => o.buffer !== buffer || readsOwnRow(o, length, rows))
}

/** Whether the result can be written over an argument that its own kernel is the last to read. */
const inPlace = ({ kernel, step, place, which }: Written, donated: Donated): boolean =>
  donated.lastRead === place &&
  (!reads(step, donated.buffer) || writesInStep(step, which, donated)) &&
  stepsOf(kernel).every((other) => other === step || readsBefore(kernel, step, other, donated))

/** Whether the argument has been read for the last time before the result is written. */
const afterwards = ({ place }: Written, { lastRead }: Donated): boolean => lastRead < place

/** The outputs that may lie where a donated argument lies, each with that argument; no argument has two. */
export const overwritesOf = (timeline: Timeline, donated: ReadonlySet<number>): ReadonlyMap<number, number> => {
  const free = donatedBySize(timeline, donated)
  const taken = new Map<number, number>()
  const outputs = writtenOutputs(timeline)
  // What is updated in place first: the rest takes what is left.
  for (const mayTake of [inPlace, afterwards])
    for (const written of outputs) {
      if (taken.has(written.output)) continue
      const candidates = free.get(written.bytes) ?? []
      const found = candidates.findIndex((donated) => mayTake(written, donated))
      const [donated] = found < 0 ? [] : candidates.splice(found, 1)
      if (donated !== undefined) taken.set(written.output, donated.argument)
    }
  return taken
}
