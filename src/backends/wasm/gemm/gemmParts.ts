/**
 * Long contractions in parts: a product with few results and many terms (a filter's gradient over all pixels of a batch) is summed in stretches
 * of its contracted axis, whose operands stay in the second-level cache while all tiles pass over them; the parts are added in their order.
 *
 * How many there are follows from the shapes alone, so the order of every sum is fixed with the plan.
 */
import { partsOf, type PartsPolicy } from '../../../compiler/contraction/contraction.ts'
import { add, apply, countTo, get, i32, mul, select, set, store, sub, type Expression } from '../assembler/code.ts'
import { block, words } from '../emit/block.ts'
import { fadd, fresh, inside, keep, type Emitter } from '../emit/emitter.ts'
import { code, phase, type Parameter, type Phase } from '../emit/kernelCode.ts'

const policy: PartsPolicy = {
  partLength: 1024, // some of an image's rows, with which both operands of a usual width take a few hundred kilobytes
  mostParts: 16,
  mostResults: 131_072,
}

/** Parts of a contraction with this many results and terms. */
export const partsFor = (results: number, terms: number): number => partsOf(results, terms, policy)

/** Bytes of the result that a unit adds. */
const unitBytes = 16_384

const sumCode = code(
  'sum of parts',
  () => block(words('from', 'to', 'step', 'parts', 'bytes')),
  ({ e, words: w, first, last }) => {
    const step = keep(e, 'step', w.step)
    const i = fresh(e, 'i', 'i32')
    const next = mul(get(last), i32(unitBytes))
    const { bytes } = w
    const end = keep(e, 'end', select(apply('i32.lt_s', [next, bytes]), next, bytes))
    /** The sum of the parts at byte i, as `width` values that lie side by side. */
    const sum = (into: Emitter, width: number, load: 'v128.load' | 'f32.load'): void => {
      const isVector = load === 'v128.load'
      const sums = Array.from({ length: width }, () => fresh(into, 'sum', isVector ? 'v128' : 'f32'))
      const from = fresh(into, 'from', 'i32')
      const part = fresh(into, 'part', 'i32')
      const read = (v: number): Expression => apply(load, [get(from)], 16 * v)
      into.statements.push(
        set(from, add(w.from, get(i))),
        ...sums.map((s, v) => set(s, read(v))),
        set(part, i32(1)),
        countTo(part, w.parts, 1, [
          set(from, add(get(from), step)),
          ...sums.map((s, v) => set(s, isVector ? fadd(get(s), read(v)) : apply('f32.add', [get(s), read(v)]))),
        ]),
      )
      const to = keep(into, 'to', add(w.to, get(i)))
      into.statements.push(...sums.map((s, v) => store(isVector ? 'v128.store' : 'f32.store', to, get(s), 16 * v)))
    }
    const [wide, one] = [inside(e), inside(e)]
    sum(wide, 2, 'v128.load')
    sum(one, 1, 'f32.load')
    e.statements.push(
      set(i, mul(get(first), i32(unitBytes))),
      countTo(i, keep(e, 'whole', sub(end, i32(31))), 32, wide.statements),
      countTo(i, end, 4, one.statements),
    )
  },
)

/** The phase that adds `parts` results of `bytes` each, which lie one after the other, into one. */
export const sumParts = (from: Parameter, to: Parameter, parts: number, bytes: number): Phase =>
  phase(sumCode, {}, { from, to, step: bytes, parts, bytes }, { units: Math.ceil(bytes / unitBytes), grain: 2 })
