/**
 * Elementwise kernels with an operand that lies across the output: blocks of 4×4 elements.
 *
 * Four rows of the output are computed together. Such an operand is read in vectors along the axis of the rows, one for each of four columns,
 * and the block is turned round in registers: memory is read as it lies, and written as it lies.
 */
import { at, product } from '../../../prelude/array.ts'
import { joined, part, split, type Domain } from '../../../compiler/domain.ts'
import { block, list, word } from '../emit/block.ts'
import { codeLater, phase, type Phase } from '../emit/kernelCode.ts'
import { leavesOf, walkOf } from '../emit/leaf.ts'
import { odometerField, odometerOf } from '../emit/odometer.ts'
import { pointerFields, startsOf, stepsOf, structureOfWritten, walksAlong, type Written } from '../emit/opening.ts'
import type { Across } from './transposingCode.ts'

/** The axis along which most of the leaves that jump along `axis` lie in order, and which leaves these are. */
export const transposingAxis = (
  { body, outputs }: Written,
  { lengths, tracks }: Domain,
  axis: number,
): { readonly axis: number; readonly leaves: readonly number[] } | undefined => {
  const isNarrow = outputs.some(({ dtype }) => dtype === 'bool' || dtype === 'u8')
  if (at(at(tracks, 0).strides, axis) !== 1 || at(lengths, axis) < 4 || isNarrow) return undefined
  const leaves = leavesOf(body)
  const along = lengths.map((length, a) =>
    leaves.flatMap(([, leaf], k) => {
      const { strides } = at(tracks, outputs.length + k)
      const isAcross = a !== axis && at(strides, a) === 1 && walkOf(at(strides, axis)) === 'jumps' && length >= 4
      return isAcross && leaf.kind === 'load' && leaf.dtype !== 'bool' && leaf.dtype !== 'u8' ? [k] : []
    }),
  )
  const most = Math.max(...along.map((found) => found.length))
  const best = along.findIndex((found) => found.length === most)
  return most === 0 ? undefined : { axis: best, leaves: at(along, best) }
}

/** Its functions are written by `writeAcross`. */
export const acrossCode = codeLater<Across>()('elementwise across', ({ walks: { length }, axes }) =>
  block({ ...pointerFields(length), rowSteps: list(length), length: word, odometer: odometerField(axes, length) }),
)

/**
 * Columns that are walked before the next four rows: what four rows have read of an operand is in the cache for the next ones. More than 16
 * lines a power of two apart push each other out (512×1024: 5.3 elements a ns, against 3.4 with 32 and 2 with 64).
 */
const stripe = 16

/** The number of elements at the beginning of the axis that blocks of `length` cover. */
const covered = (length: number, block: number): number => length - (length % block)

/**
 * Phases for a box whose last axis is the output's own and whose last but one is that of the operands across it.
 *
 * @param rest makes the phases of what the blocks leave over
 */
export const transposing = (
  kernel: Written,
  domain: Domain,
  leaves: readonly number[],
  rest: (domain: Domain) => readonly Phase[],
): readonly Phase[] => {
  const inner = domain.lengths.length - 1
  const across = inner - 1
  const [height, width] = [at(domain.lengths, across), at(domain.lengths, inner)]
  const [rows, columns] = [covered(height, 4), covered(width, width > stripe ? stripe : 4)]
  const left = [
    ...(columns < width ? rest(part(domain, inner, columns, width - columns)) : []),
    ...(rows < height ? rest(part(part(domain, inner, 0, columns), across, rows, height - rows)) : []),
  ]
  const whole = split(part(part(domain, across, 0, rows), inner, 0, columns), inner, Math.min(stripe, columns))
  // [..., rows, stripes, stripe] → [..., stripes, rows / 4, 4, stripe]
  const axes = whole.lengths.length
  const swapped = swap(whole, across, across + 1)
  const blocks = split(swapped, axes - 2, 4)
  const steps = stepsOf(kernel, blocks)
  const outer = joined({
    lengths: blocks.lengths.slice(0, -2),
    tracks: blocks.tracks.map((t) => ({ ...t, strides: t.strides.slice(0, -2) })),
  })
  const length = at(blocks.lengths, axes)
  return [
    phase(
      acrossCode,
      {
        axes: outer.lengths.length,
        turned: leaves,
        walks: walksAlong(blocks, axes),
        written: structureOfWritten(kernel),
      },
      {
        starts: startsOf(kernel, blocks),
        steps: steps.map((s) => at(s, axes)),
        rowSteps: steps.map((s) => at(s, axes - 1)),
        length: 4 * length,
        odometer: odometerOf(outer.lengths, stepsOf(kernel, outer)),
      },
      { units: product(outer.lengths), grain: Math.max(1, Math.ceil(1024 / length)) },
    ),
    ...left,
  ]
}

const swap = ({ lengths, tracks }: Domain, a: number, b: number): Domain => {
  const exchange = (xs: readonly number[]): readonly number[] => xs.with(a, at(xs, b)).with(b, at(xs, a))
  return {
    lengths: exchange(lengths),
    tracks: tracks.map(({ offset, strides }) => ({ offset, strides: exchange(strides) })),
  }
}
