/**
 * Elementwise kernels: out[i] = body(i).
 *
 * A kernel is a box of axes (domain.ts) whose elements may be computed in any order. One axis is walked in vectors; the others are the units
 * that threads share. Where the whole kernel is one axis, a unit is a run of {@link flatUnit} elements, and its last vector may write past the
 * end: buffers are padded for that. Where an operand lies across the output, blocks of 4×4 are turned round in registers (transposing.ts).
 */
import { at, product, range } from '../../../prelude/array.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import type { ElementwiseKernel } from '../../../compiler/kernel.ts'
import { contiguous } from '../../../compiler/view.ts'
import { apply, countTo, get, i32, mul, select, set, sub, type Expression } from '../assembler/code.ts'
import { isLaneType, whyNotVector, writeInstructions } from '../emit/body.ts'
import { domainOf, joined, part, peeled, reordered, split, type Domain } from '../../../compiler/domain.ts'
import { block, word } from '../emit/block.ts'
import { fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { pairsOf, spread, type Pairs } from '../emit/pairs.ts'
import { code, phase, type Generated, type Phase } from '../emit/kernelCode.ts'
import {
  advanced,
  leavesOf,
  read,
  readEveryOther,
  viewOf,
  write,
  writeSome,
  type Reading,
  type Walk,
  type Writing,
} from '../emit/leaf.ts'
import { enter, odometerField, odometerOf, turn } from '../emit/odometer.ts'
import {
  eachUnit,
  open,
  pointerFields,
  startsOf,
  stepsOf,
  structureOfWritten,
  toStarts,
  walksAlong,
  writtenBy,
  type Opening,
  type Written,
  type WrittenStructure,
} from '../emit/opening.ts'
import type { Unsupported } from '../emit/unsupported.ts'
import { transposing, transposingAxis } from './transposing.ts'

/** Elements of a unit of a kernel with one axis. */
const flatUnit = 4096

/** A place of a row: four values of each instruction from `ahead` elements further on, and where they are written. */
interface Here {
  readonly pairs: (shared: Pairs) => readonly [ReadonlyMap<number, Expression>, ReadonlyMap<number, Expression>]
  readonly four: (ahead: number, valid?: Expression, known?: ReadonlyMap<number, Expression>) => readonly Expression[]
  readonly places: readonly { readonly to: Writing; readonly instruction: number }[]
}

/**
 * A row: from byte `from` until byte `until`, eight elements a turn; the rest too, unless there is none or it may be written over.
 *
 * @param isEven whether indices go on by one, and are even where a turn begins
 */
export const writeRow = (
  { e, pointers, steps }: Opening,
  { body, outputs }: WrittenStructure,
  walks: readonly Walk[],
  from: Expression,
  until: Expression,
  whole: boolean,
  isEven = false,
): void => {
  const operand = (k: number): Omit<Writing, 'dtype'> => ({
    walk: at(walks, k),
    pointer: get(at(pointers, k)),
    step: at(steps, k),
  })
  const readings = new Map(
    leavesOf(body).map(([instruction, leaf], k): [number, Reading] => [
      instruction,
      { leaf, ...operand(outputs.length + k) },
    ]),
  )
  const targets = outputs.map(({ dtype, instruction }, k) => ({ to: { dtype, ...operand(k) }, instruction }))
  const fixed = new Map(
    [...readings].flatMap(([instruction, reading]) =>
      reading.walk === 'stays' ? [[instruction, keep(e, 'same', read(e, reading))] as const] : [],
    ),
  )
  const shared = isEven
    ? pairsOf(
        body,
        (instruction) => fixed.has(instruction),
        outputs.map((o) => o.instruction),
      )
    : undefined
  const i = fresh(e, 'i', 'i32')
  /** Readings and outputs at byte `i`, and from there four values of each instruction. */
  const here = (into: Emitter): Here => {
    const own = new Map([...readings].map(([instruction, reading]) => [instruction, advanced(into, reading, get(i))]))
    const leaf = (instruction: number): Reading => {
      const reading = own.get(instruction)
      if (reading === undefined) throw new Error('wasm: a leaf without its reading')
      return reading
    }
    const four = (ahead: number, valid?: Expression, known?: ReadonlyMap<number, Expression>): readonly Expression[] =>
      writeInstructions(
        into,
        body,
        (inner, instruction) => fixed.get(instruction) ?? read(inner, leaf(instruction), ahead, valid),
        known,
        (instruction) => known === undefined || !(shared?.shared.has(instruction) ?? false),
      )
    const pairs: Here['pairs'] = ({ wanted, within }) => {
      const values = writeInstructions(
        into,
        body,
        (inner, instruction) => fixed.get(instruction) ?? readEveryOther(inner, leaf(instruction)),
        undefined,
        (instruction) => within.has(instruction),
      )
      const half = (h: 0 | 1) => new Map(wanted.map((i) => [i, spread(into, at(values, i), h)]))
      return [half(0), half(1)]
    }
    return {
      four,
      pairs,
      places: targets.map(({ to, instruction }) => ({ to: advanced(into, to, get(i)), instruction })),
    }
  }
  e.statements.push(set(i, from))
  const end = keep(e, 'end', until)
  const eight = inside(e)
  const { four, pairs, places } = here(eight)
  const known = shared === undefined ? undefined : pairs(shared)
  const values = [four(0, undefined, known?.[0]), four(4, undefined, known?.[1])]
  for (const own of places)
    eight.statements.push(...values.flatMap((all, k) => write(eight, own.to, 4 * k, at(all, own.instruction))))
  if (whole) {
    e.statements.push(countTo(i, end, 32, eight.statements))
    return
  }
  e.statements.push(countTo(i, keep(e, 'whole', sub(end, i32(31))), 32, eight.statements))
  const rest = inside(e)
  const left = keep(rest, 'left', apply('i32.shr_s', [sub(end, get(i)), i32(2)]))
  const last = here(rest)
  const lanes = last.four(0, left)
  const [all, some] = [inside(rest), inside(rest)]
  for (const own of last.places) {
    all.statements.push(...write(all, own.to, 0, at(lanes, own.instruction)))
    some.statements.push(...writeSome(some, own.to, at(lanes, own.instruction), left))
  }
  rest.statements.push({
    kind: 'if',
    condition: apply('i32.ge_s', [left, i32(4)]),
    yes: all.statements,
    no: some.statements,
  })
  e.statements.push(countTo(i, end, 16, rest.statements))
}

/** Along one axis or row: what is written, and how the outputs and the leaves walk. */
interface Row {
  readonly written: WrittenStructure
  readonly walks: readonly Walk[]
}

/** A row that is the whole kernel. */
interface Flat extends Row {
  /** Whether indices go on by one from an even number. */
  readonly isEven: boolean
}

const hasEvenIndices = ({ body, outputs }: Written, { tracks }: Domain): boolean =>
  leavesOf(body).every(([, leaf], k) => {
    const { offset, strides } = at(tracks, outputs.length + k)
    return leaf.kind === 'load' || (at(strides, 0) === 1 && (leaf.view.offset + offset) % 2 === 0)
  })

const flatCode = code(
  'elementwise flat',
  ({ walks }: Flat) => block({ ...pointerFields(walks.length), length: word }),
  (unit, { written, walks, isEven }: Flat) => {
    const { e, words, first, last } = unit
    const opening = open(unit)
    e.statements.push(...toStarts(opening, words.starts))
    const bytes = 4 * flatUnit
    const length = keep(e, 'length', words.length)
    const end = keep(e, 'end', mul(get(last), i32(bytes)))
    const limit = select(apply('i32.lt_s', [end, length]), end, length)
    writeRow(opening, written, walks, mul(get(first), i32(bytes)), limit, true, isEven)
  },
)

/** Rows, whose units are those of an odometer. */
interface Rows extends Row {
  readonly axes: number
  /** Whether a row is whole turns of eight elements. */
  readonly whole: boolean
}

const rowsCode = code(
  'elementwise rows',
  ({ walks, axes }: Rows) =>
    block({ ...pointerFields(walks.length), length: word, odometer: odometerField(axes, walks.length) }),
  (unit, { written, walks, whole }: Rows) => {
    const { e, words, first } = unit
    const opening = open(unit)
    const odometer = { ...words.odometer, pointers: opening.pointers }
    const length = keep(e, 'length', words.length)
    e.statements.push(...toStarts(opening, words.starts))
    const coordinates = enter(e, odometer, get(first))
    eachUnit(unit, (row) => {
      writeRow({ ...opening, e: row }, written, walks, i32(0), length, whole)
      row.statements.push(...turn(odometer, coordinates))
    })
  },
)

const flat = (kernel: Written, domain: Domain): Phase =>
  phase(
    flatCode,
    { walks: walksAlong(domain, 0), written: structureOfWritten(kernel), isEven: hasEvenIndices(kernel, domain) },
    {
      starts: startsOf(kernel, domain),
      steps: stepsOf(kernel, domain).map((s) => at(s, 0)),
      length: 4 * kernel.body.size,
    },
    { units: Math.ceil(kernel.body.size / flatUnit), grain: 1 },
  )

/** Elements into which a long row is cut, where there are too few rows for all threads. */
const rowUnit = 1024

const rows = (kernel: Written, domain: Domain): readonly Phase[] => {
  const inner = domain.lengths.length - 1
  const length = at(domain.lengths, inner)
  const count = product(domain.lengths.slice(0, -1))
  if (count < 16 && length >= 2 * rowUnit) {
    const cut = length - (length % rowUnit)
    const blocks = split(part(domain, inner, 0, cut), inner, rowUnit)
    return [blocks, ...(cut < length ? [part(domain, inner, cut, length - cut)] : [])].flatMap((d) => rows(kernel, d))
  }
  return [rowsPhase(kernel, domain)]
}

/** Each run along the last axis is a unit. */
const rowsPhase = (kernel: Written, domain: Domain): Phase => {
  const inner = domain.lengths.length - 1
  const length = at(domain.lengths, inner)
  const count = product(domain.lengths.slice(0, -1))
  const steps = stepsOf(kernel, domain)
  const outer = joined({
    lengths: domain.lengths.slice(0, -1),
    tracks: domain.tracks.map((t) => ({ ...t, strides: t.strides.slice(0, -1) })),
  })
  return phase(
    rowsCode,
    {
      axes: outer.lengths.length,
      whole: length % 8 === 0,
      walks: walksAlong(domain, inner),
      written: structureOfWritten(kernel),
    },
    {
      starts: startsOf(kernel, domain),
      steps: steps.map((s) => at(s, inner)),
      length: 4 * length,
      odometer: odometerOf(outer.lengths, stepsOf(kernel, outer)),
    },
    { units: count, grain: Math.max(1, Math.ceil(flatUnit / length)) },
  )
}

const costs: { readonly [W in Walk]: number } = { stays: 0.1, next: 0.25, back: 0.3, jumps: 1 }

/** About what an element costs where this axis is walked in vectors: its memory instructions, empty lanes, and its share of a row's beginning. */
const costAlong = (kernel: Written, domain: Domain, axis: number): number => {
  const length = at(domain.lengths, axis)
  const walks = walksAlong(domain, axis)
  const turned = transposingAxis(kernel, domain, axis)?.leaves ?? []
  const each = walks.reduce((sum, walk, k) => sum + (turned.includes(k - kernel.outputs.length) ? 0.4 : costs[walk]), 0)
  return (each * Math.ceil(length / 4) * 4 + 8) / length
}

const axisOfVectors = (kernel: Written, domain: Domain): number => {
  const all = domain.lengths.map((_, axis) => costAlong(kernel, domain, axis))
  return all.lastIndexOf(Math.min(...all))
}

/**
 * Axes in the order in which those leaves lie in memory that change along a row, the farthest steps first. A row that is not yet in the cache is
 * waited for; one that is written is not (measured on exp of rows of 32, each fourth of a row of heads: 0.93 against 0.12 elements a ns).
 */
const inReadingOrder = (
  { outputs }: Written,
  { tracks }: Domain,
  axes: readonly number[],
  row: number,
): readonly number[] => {
  const moving = tracks.slice(outputs.length).filter(({ strides }) => at(strides, row) !== 0)
  const reach = (a: number): number => moving.reduce((sum, { strides }) => sum + Math.abs(at(strides, a)), 0)
  return axes.toSorted((a, b) => reach(b) - reach(a))
}

const phasesOf = (kernel: Written, domain: Domain): readonly Phase[] => {
  const walks = walksAlong(domain, 0)
  const oneAxis = domain.lengths.length === 1
  if (oneAxis && !walks.includes('jumps') && (at(walks, 0) === 'next' || kernel.body.size === 1))
    return [flat(kernel, domain)]
  const axis = axisOfVectors(kernel, domain)
  const across = transposingAxis(kernel, domain, axis)
  const others = range(domain.lengths.length).filter((a) => a !== axis)
  if (across === undefined)
    return rows(kernel, reordered(domain, [...inReadingOrder(kernel, domain, others, axis), axis]))
  const order = [...others.filter((a) => a !== across.axis), across.axis, axis]
  return transposing(kernel, reordered(domain, order), across.leaves, (rest) => phasesOf(kernel, rest))
}

/** The box of a body over its linear index, the outputs' tracks first; undefined where the axes cross. */
const boxOf = ({ body, outputs }: Written): Domain | undefined =>
  domainOf(body.size, [
    ...outputs.map(() => contiguous([body.size])),
    ...leavesOf(body).map(([, leaf]) => viewOf(leaf)),
  ])

/** Each of `count` rows as a run of units; why there are none, where the axes do not allow it or an operand is better turned round as a whole. */
const phaseOfRows = (kernel: Written, domain: Domain, count: number): E.Either<Unsupported, readonly Phase[]> => {
  const found = peeled(domain, count)
  if (found === undefined) return E.left({ kind: 'axes' })
  const { runs, run } = found
  const axis = axisOfVectors(kernel, run)
  if (transposingAxis(kernel, run, axis) !== undefined) return E.left({ kind: 'axes' })
  const others = inReadingOrder(
    kernel,
    run,
    range(run.lengths.length).filter((a) => a !== axis),
    axis,
  )
  const inner = reordered(run, [...others, axis])
  return E.right([
    rowsPhase(kernel, {
      lengths: [...runs.lengths, ...inner.lengths],
      tracks: inner.tracks.map(({ offset, strides }, k) => ({
        offset,
        strides: [...at(runs.tracks, k).strides, ...strides],
      })),
    }),
  ])
}

/** The kernel as code, or why it has none. @param rows into which it is cut, units of one behind those of another */
export const elementwise = (kernel: ElementwiseKernel, rows?: number): E.Either<Unsupported, Generated> => {
  const written = writtenBy(kernel)
  const narrow = written.outputs.find(({ dtype }) => !isLaneType(dtype))
  const reason: Unsupported | undefined =
    narrow === undefined ? whyNotVector(kernel.body) : { kind: 'dtype', dtype: narrow.dtype }
  if (reason !== undefined) return E.left(reason)
  if (kernel.body.size === 0) return E.right({ phases: [], scratch: 0 })
  const domain = boxOf(written)
  if (domain === undefined) return E.left({ kind: 'axes' })
  if (rows === undefined) return E.right({ phases: phasesOf(written, domain), scratch: 0 })
  return pipe(
    phaseOfRows(written, domain, rows),
    E.map((phases) => ({ phases, scratch: 0 })),
  )
}
