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
import { domainOf, joined, reordered, type Domain } from '../../../compiler/domain.ts'
import { inBuffer, inScratch } from '../emit/block.ts'
import { phase, type Generated, type Parameter, type Phase } from '../emit/kernelCode.ts'
import { leavesOf, outputStep, startOf, stepOf, structureOf, viewOf, type Walk } from '../emit/leaf.ts'
import { odometerOf } from '../emit/odometer.ts'
import { walksAlong } from '../emit/opening.ts'
import type { Unsupported } from '../emit/unsupported.ts'
import { joinCode, joinUnit, reduceCode, resultsOf, type Form } from './reduceCode.ts'

/** A box whose axes are sorted: those of the results, the last of which the output walks element by element, then the reduced ones. */
interface Sorted {
  readonly domain: Domain
  /** How many axes are the results'; at least one, and at least one is reduced. */
  readonly kept: number
}

const oneMore = ({ lengths, tracks }: Domain, place: number, outputStride: number): Domain => ({
  lengths: lengths.toSpliced(place, 0, 1),
  tracks: tracks.map((t, k) => ({ ...t, strides: t.strides.toSpliced(place, 0, k === 0 ? outputStride : 0) })),
})

const sorted = (domain: Domain): Sorted => {
  const { lengths, tracks } = domain
  const output = at(tracks, 0).strides
  const all = range(lengths.length)
  const reach = (a: number): number => tracks.reduce((sum, { strides }) => sum + Math.abs(at(strides, a)), 0)
  const results = all.filter((a) => output[a] !== 0).toSorted((a, b) => at(output, b) - at(output, a))
  const reduced = all.filter((a) => output[a] === 0).toSorted((a, b) => reach(b) - reach(a))
  const whole = joined(reordered(domain, [...results, ...reduced]))
  const kept = at(whole.tracks, 0).strides.filter((s) => s !== 0).length
  const withResult = kept === 0 ? oneMore(whole, 0, 1) : whole
  const first = Math.max(1, kept)
  return { domain: first === withResult.lengths.length ? oneMore(withResult, first, 0) : withResult, kept: first }
}

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
const axisOfVectors = ({ domain, kept }: Sorted): number => {
  const candidates = [kept - 1, ...range(domain.lengths.length).slice(kept).toReversed()]
  const all = candidates.map((a) => costAlong(domain, a))
  return at(candidates, all.indexOf(Math.min(...all)))
}

/** Elements that a part has at least. */
const partSize = 8192

/** Units that occupy all threads. */
const enoughUnits = 16

interface Cut {
  readonly parts: number
  /** Elements of a part along the axis that is cut. */
  readonly length: number
}

/** How an axis of `length` elements is cut, where `units` units have `size` elements together. */
const cutOf = (length: number, units: number, size: number): Cut => {
  const parts = Math.min(Math.ceil(enoughUnits / units), Math.floor(size / partSize), length)
  if (units >= enoughUnits || parts < 2) return { parts: 1, length }
  const each = Math.ceil(Math.ceil(length / parts) / 16) * 16
  return { parts: Math.ceil(length / each), length: each }
}

/** A reduction in one form, over a box whose reduced axes are in the order in which they are looped over. */
const phaseOf = (
  kernel: ReduceKernel,
  accumulation: Accumulation,
  { domain, kept }: Sorted,
  form: Form,
  columnsFrom: number,
  parts: Cut & { readonly axis: number },
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
  const outer = lengths.slice(0, kept - 1)
  const odometer = odometerOf(
    [...outer, blocks, parts.parts],
    tracks.map((_, k) => [
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
      axes: kept + 1,
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

/** The kernel as code, or why it has none. */
export const reduce = (kernel: ReduceKernel): E.Either<Unsupported, Generated> => {
  const { body, target, size } = kernel
  const accumulates = accumulationFor(kernel)
  if (E.isLeft(accumulates)) return accumulates
  const accumulation = accumulates.right
  const found = domainOf(body.size, [target, ...leavesOf(body).map(([, leaf]) => viewOf(leaf))])
  if (found === undefined) return E.left({ kind: 'axes' })
  const box = sorted(found)
  const { kept, domain } = box
  if (at(at(domain.tracks, 0).strides, kept - 1) !== 1) return E.left({ kind: 'results apart' })
  const axis = axisOfVectors(box)
  const across = axis >= kept
  const reduced = range(domain.lengths.length).slice(kept)
  const loops = across ? [...reduced.filter((a) => a !== axis), axis] : reduced
  const ordered: Sorted = { kept, domain: reordered(domain, [...range(kept), ...loops]) }
  const { lengths } = ordered.domain
  const results = at(lengths, kept - 1)
  const forms: readonly Form[] = across
    ? [results >= 4 ? 'rows' : 'row']
    : [...(results >= 16 ? (['columns'] as const) : []), ...(results % 16 > 0 ? (['column'] as const) : [])]
  const longest = reduced.reduce((best, a) => (at(lengths, a) > at(lengths, best) ? a : best), lengths.length - 1)
  const outer = product(lengths.slice(0, kept - 1))
  const units = outer * Math.ceil(results / (across ? (results >= 4 ? 4 : 1) : 16))
  const cut = { ...cutOf(at(lengths, longest), units, body.size), axis: longest }
  const phases = forms.map((form) =>
    phaseOf(kernel, accumulation, ordered, form, form === 'column' ? results - (results % 16) : 0, cut),
  )
  if (cut.parts === 1) return E.right({ phases, scratch: 0 })
  return E.right({
    phases: [...phases, joinOf(kernel, accumulation, cut.parts)],
    scratch: cut.parts * size * partialBytes(accumulation) + 64,
  })
}
