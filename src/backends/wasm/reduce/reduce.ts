/**
 * Reductions: out[target(i)] = Σ or max of body(i).
 *
 * The box of the body has axes along which results lie and axes that are reduced; they may be walked in any order, and are walked so that
 * vectors lie as memory does. Long reductions to few results are cut into parts, whose number depends on sizes alone: the parts' results
 * wait in scratch memory until a second phase joins them in their order.
 */
import { at, product, range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import type { ReduceKernel } from '../../../compiler/kernel.ts'
import { accumulationOf, partialBytes, type Accumulation } from '../emit/accumulator.ts'
import { castStep, isLaneType, whyNotVector } from '../emit/body.ts'
import { domainOf, peeled, reordered, type Domain } from '../../../compiler/domain.ts'
import { cutOf, reductionBox, type Cut, type CutPolicy, type ReductionBox } from '../../../compiler/reduction.ts'
import { inBuffer, inScratch } from '../emit/block.ts'
import { phase, type Generated, type Parameter, type Phase } from '../emit/kernelCode.ts'
import { leavesOf, outputStep, startOf, stepOf, structureOf, viewOf, type Walk } from '../emit/leaf.ts'
import { odometerOf } from '../emit/odometer.ts'
import { walksAlong } from '../emit/opening.ts'
import type { Unsupported } from '../emit/unsupported.ts'
import { joinCode, joinUnit, reduceCode, resultsOf, type Form } from './reduceCode.ts'

const costs: { readonly [W in Walk]: number } = { stays: 0.1, next: 0.25, back: 0.3, jumps: 1 }

/** About what an element costs with vectors along an axis. */
const costAlong = (domain: Domain, axis: number): number => {
  const length = at(domain.lengths, axis)
  const each = walksAlong(domain, axis)
    .slice(1)
    .reduce((sum, walk) => sum + costs[walk], 0.5)
  return (each * Math.ceil(length / 4) * 4) / length
}

/** The axis that vectors lie along; on a tie the results'. */
const axisOfVectors = ({ domain, kept }: ReductionBox): number => {
  const candidates = [kept - 1, ...range(domain.lengths.length).slice(kept).toReversed()]
  const all = candidates.map((a) => costAlong(domain, a))
  return at(candidates, all.indexOf(Math.min(...all)))
}

/** Long reductions to few results are cut, so that there are units for all threads. */
const policy: CutPolicy = { partSize: 8192, enoughUnits: 16, multiple: 16 }

/** Rows are units for all threads already. */
const uncut: CutPolicy = { ...policy, enoughUnits: 0 }

/** A reduction in one form, over a box whose reduced axes are in the order in which they are looped over. */
const phaseOf = (
  kernel: ReduceKernel,
  accumulation: Accumulation,
  { domain, kept }: ReductionBox,
  form: Form,
  columnsFrom: number,
  parts: Cut,
  runs: Domain | undefined,
): Phase => {
  const { body, dtype, output, size } = kernel
  const { lengths, tracks } = domain
  const leaves = leavesOf(body)
  const isPartial = parts.parts > 1
  const across = form === 'rows' || form === 'row'
  const width = resultsOf[form]
  const axis = across ? lengths.length - 1 : kept - 1
  const loops = lengths.length - kept - (across ? 1 : 0)
  const count = form === 'columns' ? Math.floor(at(lengths, kept - 1) / 16) * 16 : at(lengths, kept - 1) - columnsFrom
  const outputUnits = (elements: number): number =>
    isPartial ? elements * partialBytes(accumulation) : outputStep(dtype, elements)
  const units = (track: number, elements: number): number =>
    track === 0 ? outputUnits(elements) : stepOf(at(leaves, track - 1)[1], elements)
  const strides = (k: number): readonly number[] => at(tracks, k).strides
  const starts = tracks.map(({ offset, strides: own }, k): Parameter => {
    const begin = offset + columnsFrom * at(own, kept - 1)
    if (k > 0) return startOf(at(leaves, k - 1)[1], begin)
    return isPartial ? inScratch(outputUnits(begin)) : inBuffer(output, outputUnits(begin))
  })
  const blocks = Math.ceil(count / width)
  const outer = [...(runs?.lengths ?? []), ...lengths.slice(0, kept - 1)]
  const odometer = odometerOf(
    [...outer, blocks, parts.parts],
    tracks.map((_, k) => [
      ...(runs === undefined ? [] : at(runs.tracks, k).strides.map((s) => units(k, s))),
      ...range(kept - 1).map((a) => units(k, at(strides(k), a))),
      units(k, width * at(strides(k), kept - 1)),
      units(k, k === 0 ? size : parts.length * at(strides(k), parts.axis)),
    ]),
  )
  const vectorLength = isPartial && parts.axis === axis ? parts.length : at(lengths, axis)
  return phase(
    reduceCode,
    {
      form,
      body: structureOf(body),
      dtype,
      accumulation,
      walks: walksAlong(domain, axis),
      shared: form === 'rows' ? tracks.map((t) => at(t.strides, kept - 1) === 0) : [],
      axes: outer.length + 2,
      loops,
      cut: isPartial ? parts.axis - kept : -1,
      whole: across && at(lengths, axis) % (form === 'rows' ? 4 : 16) === 0,
      isPartial,
    },
    {
      starts,
      steps: tracks.map((_, k) => units(k, at(strides(k), axis))),
      rowSteps: tracks.map((_, k) => units(k, at(strides(k), kept - 1))),
      vectorBytes: 4 * vectorLength,
      results: count,
      partLength: parts.length,
      cutLength: at(lengths, parts.axis),
      lengths: range(loops).map((loop) => at(lengths, kept + loop)),
      loopSteps: tracks.map((_, k) => range(loops).map((loop) => units(k, at(strides(k), kept + loop)))),
      odometer,
    },
    {
      units: product(outer) * blocks * parts.parts,
      grain: Math.max(1, Math.floor((4096 * product(outer) * blocks * parts.parts) / body.size)),
    },
  )
}

/** What joins the parts. */
const joinOf = ({ output, size, dtype }: ReduceKernel, accumulation: Accumulation, parts: number): Phase =>
  phase(
    joinCode,
    { accumulation, dtype },
    {
      output: inBuffer(output),
      partials: inScratch(0),
      count: size,
      parts,
      stride: size * partialBytes(accumulation),
    },
    { units: Math.ceil(size / joinUnit), grain: 1 },
  )

/** Why the reduction has no vector code; otherwise how it accumulates. */
const accumulationFor = ({ body, operation, dtype }: ReduceKernel): E.Either<Unsupported, Accumulation> => {
  const from = at(body.instructions, body.instructions.length - 1).dtype
  const reason = whyNotVector(body)
  if (reason !== undefined) return E.left(reason)
  const accumulation = accumulationOf(operation, dtype)
  const none: Unsupported = { kind: 'reduction', operation, from, to: dtype }
  const isExact = (dtype === 'f32') === (from === 'f32')
  if (accumulation === undefined || !isExact || !isLaneType(from) || !isLaneType(dtype)) return E.left(none)
  return castStep(from, dtype) === undefined ? E.left(none) : E.right(accumulation)
}

/** The axes on which the rows of a kernel lie, if it is one of several stages over rows, and the box of what it does to a row. */
const boxOf = (
  { body, target }: ReduceKernel,
  rows: number | undefined,
): { readonly runs?: Domain; readonly run: Domain } | undefined => {
  const box = domainOf(body.size, [target, ...leavesOf(body).map(([, leaf]) => viewOf(leaf))])
  return rows === undefined || box === undefined ? box && { run: box } : peeled(box, rows)
}

/** The kernel as code, or why it has none. @param rows into which it is cut, units of one behind those of another */
export const reduce = (kernel: ReduceKernel, rows?: number): E.Either<Unsupported, Generated> => {
  const { body, size } = kernel
  const accumulates = accumulationFor(kernel)
  if (E.isLeft(accumulates)) return accumulates
  const accumulation = accumulates.right
  const found = boxOf(kernel, rows)
  if (found === undefined) return E.left({ kind: 'axes' })
  const { runs, run } = found
  const box = reductionBox(run)
  const { kept, domain } = box
  if (at(at(domain.tracks, 0).strides, kept - 1) !== 1) return E.left({ kind: 'results apart' })
  const axis = axisOfVectors(box)
  const across = axis >= kept
  const reduced = range(domain.lengths.length).slice(kept)
  const loops = across ? [...reduced.filter((a) => a !== axis), axis] : reduced
  const ordered: ReductionBox = { kept, domain: reordered(domain, [...range(kept), ...loops]) }
  const { lengths } = ordered.domain
  const results = at(lengths, kept - 1)
  const forms: readonly Form[] = across
    ? [results >= 4 ? 'rows' : 'row']
    : [...(results >= 16 ? (['columns'] as const) : []), ...(results % 16 > 0 ? (['column'] as const) : [])]
  const outer = product(lengths.slice(0, kept - 1))
  const units = outer * Math.ceil(results / (across ? (results >= 4 ? 4 : 1) : 16))
  const cut = cutOf(ordered, units, body.size, runs === undefined ? policy : uncut)
  const phases = forms.map((form) =>
    phaseOf(kernel, accumulation, ordered, form, form === 'column' ? results - (results % 16) : 0, cut, runs),
  )
  if (cut.parts === 1) return E.right({ phases, scratch: 0 })
  return E.right({
    phases: [...phases, joinOf(kernel, accumulation, cut.parts)],
    scratch: cut.parts * size * partialBytes(accumulation) + 64,
  })
}
