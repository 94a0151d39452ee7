/**
 * Stages over rows as one phase: a unit is some rows, and its function calls those of the stages one after the other for what they have of these
 * rows. So threads wait for each other once, not after each stage, and what one stage leaves is in the cache when the next reads it.
 */
import { range } from '../../../prelude/array.ts'
import { E } from '../../../prelude/fp.ts'
import type { RowsKernel, Stage } from '../../../compiler/kernel.ts'
import { add, get, mul, performIndirect } from '../assembler/code.ts'
import { elementwise } from '../elementwise/elementwise.ts'
import { block, kept, listOf, words } from '../emit/block.ts'
import { code, phase, type Phase } from '../emit/kernelCode.ts'
import { eachUnit } from '../emit/opening.ts'
import { reduce } from '../reduce/reduce.ts'

/** A function that the rows call, its block, and how many of its units belong to a unit of rows. */
const callField = block(words('function', 'block', 'units'))

/** How many functions are called. */
interface Calls {
  readonly calls: number
}

const rowsCode = code(
  'rows of stages',
  ({ calls }: Calls) => block({ calls: listOf(calls, callField) }),
  (unit) => {
    const { e, words: w, first } = unit
    const calls = kept(e, w.calls)
    eachUnit(unit, (turn) => {
      for (const { function: index, block: address, units } of calls) {
        const begin = mul(get(first), units)
        turn.statements.push(performIndirect(index, address, begin, add(begin, units)))
      }
    })
  },
)

/** Elements that a unit of rows has, of the stage that has most, where rows are short; the least, where it is to be worth the calls. */
const [wanted, least] = [8192, 512]

/** Units that occupy all threads. */
const enoughUnits = 8

/** Into how many units rows are put together; undefined where the stages had better run one after the other. */
const unitsOf = ({ rows, stages }: RowsKernel): number | undefined => {
  const size = Math.max(...stages.map(({ body }) => body.size))
  const divisors = range(Math.floor(Math.sqrt(rows)) + 1).filter((d) => d > 0 && rows % d === 0)
  const counts = [...divisors, ...divisors.map((d) => rows / d)].toSorted((a, b) => a - b)
  const units = counts.find((count) => size / count <= wanted) ?? rows
  return units === 1 || (units >= enoughUnits && size / units >= least) ? units : undefined
}

const stageCode = (stage: Stage, units: number): readonly Phase[] | undefined => {
  const found = stage.kind === 'reduce' ? reduce(stage, units) : elementwise(stage, units)
  return E.isRight(found) ? found.right.phases : undefined
}

/** The stages as one phase; undefined where they had better run one after the other, or one of them cannot be cut into rows. */
export const rows = (kernel: RowsKernel): Phase | undefined => {
  const units = unitsOf(kernel)
  if (units === undefined) return undefined
  const found = kernel.stages.map((stage) => stageCode(stage, units))
  const phases = found.flatMap((stage) => stage ?? [])
  if (found.includes(undefined)) return undefined
  return phase(
    rowsCode,
    { calls: phases.length },
    {
      calls: phases.map((p) => ({
        function: { kind: 'function', key: p.key } as const,
        block: { kind: 'block', words: p.parameters } as const,
        units: p.units / units,
      })),
    },
    { units, grain: 1 },
    phases,
  )
}
