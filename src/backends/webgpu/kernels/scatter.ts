/**
 * Sums of rows by the index that each is picked by. No two invocations add to one result, for there are no atomic floats, and their order would
 * change from run to run: each result looks at every pick; or, where that is too much, picks are sorted by row first, and it adds up its own.
 */
import type { ScatterKernel } from '../../../compiler/kernel.ts'
import { alone, independent, inOrder, type Generated, type Phase } from '../phase.ts'
import type { Target } from '../target.ts'
import { addresses, coordinatesOf } from '../wgsl/body.ts'
import type { Address, Pointer, Shader } from '../wgsl/shader.ts'
import { sum, times, u32 } from '../wgsl/text.ts'
import { load, outputOf } from '../wgsl/value.ts'
import { accumulator, finished, partialDType } from './accumulate.ts'
import { lanesOf, overElements } from './lanes.ts'
import { rowOf } from './move.ts'
import { ordered } from './order.ts'

/** A loop over the picks of a row, in their order. */
type EachPick = (shader: Shader, index: Address, row: string, inside: (pick: string) => void) => void

/** Each result is the sum over its picks. */
const sums = ({ updates, index, extent, output, dtype }: ScatterKernel, each: (shader: Shader) => EachPick): Phase => {
  const { outer, rows, picks, inner } = extent
  const partial = partialDType(dtype, dtype)
  return overElements(
    outer * rows * inner,
    lanesOf([dtype]),
    (shader) => {
      const address = addresses(shader)
      const out = outputOf(shader, address({ buffer: output }), dtype)
      return { out, from: address(updates), by: address(index), eachPick: each(shader) }
    },
    (shader, element, { out, from, by, eachPick }) => {
      const [o = '0u', row = '0u', k = '0u'] = coordinatesOf(shader, element, [outer, rows, inner])
      const total = accumulator(shader, 'sum', [partial, partial], picks)
      eachPick(shader, by, row, (pick) => {
        const source = sum([times(sum([times(o, picks), pick]), inner), k])
        total.add(load(shader, from, source, dtype))
      })
      out.store(element, finished(shader, total.total(), dtype, dtype))
    },
  )
}

const lookingAtAll =
  ({ index, extent: { rows, picks } }: ScatterKernel) =>
  (): EachPick =>
  (shader, by, row, inside) => {
    const pick = shader.fresh('pick')
    shader.main.block(`for (var ${pick} = 0u; ${pick} < ${u32(picks)}; ${pick}++)`, () => {
      shader.main.block(`if (${rowOf(shader, by, index, pick, rows)} == ${row})`, () => {
        inside(pick)
      })
    })
  }

/** For each row, and one behind the last, the first place among the sorted picks that is not before it. */
const beginnings = ({ extent: { rows, picks } }: ScatterKernel, keys: Pointer, begins: Pointer): Phase =>
  independent(rows + 1, (shader, turn) => {
    const { main, address, memory, number } = shader
    const [sorted, out] = [address(keys), address(begins)]
    main.add('var low = 0u;', `var high = ${number(picks)};`)
    main.block('while (low < high)', () => {
      main.add('let half = (low + high) / 2u;')
      main.add(`if (${memory(sorted)}[${sorted.name} + half] < ${turn}) { low = half + 1u; } else { high = half; }`)
    })
    main.add(`${memory(out)}[${out.name} + ${turn}] = low;`)
  })

const lookingAtOwn =
  (begins: Pointer, elements: Pointer) =>
  (shader: Shader): EachPick => {
    const { address, memory } = shader
    const [beginOf, pickAt] = [address(begins), address(elements)]
    return ({ main, fresh }, _, row, inside) => {
      const [place, end, pick] = [fresh('place'), fresh('end'), fresh('pick')]
      main.add(`let ${end} = ${memory(beginOf)}[${beginOf.name} + ${row} + 1u];`)
      const first = `${memory(beginOf)}[${beginOf.name} + ${row}]`
      main.block(`for (var ${place} = ${first}; ${place} < ${end}; ${place}++)`, () => {
        main.add(`let ${pick} = ${memory(pickAt)}[${pickAt.name} + ${place}];`)
        inside(pick)
      })
    }
  }

/** Looks at picks that are worth sorting them: launches are dear on a GPU, on a processor the looks are. */
const mostLooks = { gpu: 2 ** 22, software: 2 ** 17 } as const

/** out[o, index[i], r] += updates[o, i, r]. */
export const scatter = (kernel: ScatterKernel, target: Target): Generated => {
  const { outer, rows, picks, inner } = kernel.extent
  if (outer * rows * inner * picks <= mostLooks[target.software ? 'software' : 'gpu'])
    return alone(sums(kernel, lookingAtAll(kernel)))
  const { phases, bytes, keys, elements } = ordered(
    {
      lines: 1,
      length: picks,
      keys: (shader) => {
        const index = shader.address({ kind: 'buffer', buffer: kernel.index.buffer })
        return (_, element) => rowOf(shader, index, kernel.index, element, rows)
      },
    },
    target,
  )
  const begins: Pointer = { kind: 'scratch', offset: bytes }
  const last = sums(kernel, lookingAtOwn(begins, elements))
  return inOrder([...phases, beginnings(kernel, keys, begins), last], bytes + 4 * (rows + 1))
}
