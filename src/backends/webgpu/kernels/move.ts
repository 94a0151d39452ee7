/** Kernels that move elements: parts of an output, rows of a table, and their order. */
import { at } from '../../../prelude/array.ts'
import { rowMajor, sizeOf } from '../../../graph/shape.ts'
import type { GatherKernel, Operand, PlaceKernel, ScatterKernel, SortKernel } from '../../../compiler/kernel.ts'
import { alone, independent, type Generated } from '../phase.ts'
import { addresses, addressOf, coordinatesOf } from '../wgsl/body.ts'
import { laneType, type Address, type Shader } from '../wgsl/shader.ts'
import { operand, sum, times, u32 } from '../wgsl/text.ts'
import { load, loadBits, outputOf } from '../wgsl/value.ts'
import { accumulator, finished, partialDType } from './accumulate.ts'
import { lanesOf, overElements } from './lanes.ts'

/** Each element of the output asks every part whether it has it. */
export const place = ({ parts, shape, output, dtype }: PlaceKernel): Generated =>
  alone(
    overElements(
      sizeOf(shape),
      lanesOf([dtype]),
      (shader) => {
        const address = addresses(shader)
        return { address, out: outputOf(shader, address({ buffer: output }), dtype) }
      },
      (shader, element, { address, out }) => {
        const { main, fresh } = shader
        const coordinates = coordinatesOf(shader, element, shape)
        const bits = fresh('bits')
        main.add(`var ${bits} = 0u;`)
        for (const { from, start, stride } of parts) {
          const tests: string[] = []
          const inside = coordinates.map((c, a) => {
            const [first, step, length] = [at(start, a), at(stride, a), at(from.view.shape, a)]
            const distance = first === 0 ? c : `(${operand(c)} - ${u32(first)})`
            const i = fresh('i')
            main.add(`let ${i} = ${step === 1 ? distance : `${operand(distance)} / ${u32(step)}`};`)
            if (step !== 1) tests.push(`${operand(distance)} % ${u32(step)} == 0u`)
            // An element before the first one is very far behind it, for the distance wraps.
            if (first !== 0 || (length - 1) * step + 1 < at(shape, a)) tests.push(`${i} < ${u32(length)}`)
            return i
          })
          main.block(tests.length === 0 ? 'if (true)' : `if (${tests.join(' && ')})`, () => {
            const source = addressOf(from.view.offset, from.view.strides, inside)
            main.add(`${bits} = ${loadBits(shader, address(from), source, dtype)};`)
          })
        }
        out.storeBits(element, bits)
      },
    ),
  )

/** The row that an index names: the nearest that there is. */
const rowOf = (shader: Shader, address: Address, { dtype }: Operand, pick: string, rows: number): string => {
  const type = laneType(dtype)
  const value = load(shader, address, pick, dtype)
  return type === 'i32' ? `u32(clamp(${value}, 0i, ${rows - 1}i))` : `min(${value}, ${u32(rows - 1)})`
}

/** out[o, i, r] = table[o, index[i], r]. */
export const gather = ({ table, index, extent, output, dtype }: GatherKernel): Generated => {
  const { outer, rows, picks, inner } = extent
  return alone(
    overElements(
      outer * picks * inner,
      lanesOf([dtype]),
      (shader) => {
        const address = addresses(shader)
        return { address, out: outputOf(shader, address({ buffer: output }), dtype) }
      },
      (shader, element, { address, out }) => {
        const [o = '0u', pick = '0u', k = '0u'] = coordinatesOf(shader, element, [outer, picks, inner])
        const row = rowOf(shader, address(index), index, pick, rows)
        const source = sum([times(sum([times(o, rows), row]), inner), k])
        out.storeBits(element, loadBits(shader, address(table), source, dtype))
      },
    ),
  )
}

/** out[o, index[i], r] += updates[o, i, r]: each result looks at every index, in order, so that no two invocations add to one. */
export const scatter = ({ updates, index, extent, output, dtype }: ScatterKernel): Generated => {
  const { outer, rows, picks, inner } = extent
  const partial = partialDType(dtype, dtype)
  return alone(
    overElements(
      outer * rows * inner,
      lanesOf([dtype]),
      (shader) => {
        const address = addresses(shader)
        return { address, out: outputOf(shader, address({ buffer: output }), dtype) }
      },
      (shader, element, { address, out }) => {
        const { main, fresh } = shader
        const [o = '0u', row = '0u', k = '0u'] = coordinatesOf(shader, element, [outer, rows, inner])
        const sums = accumulator(shader, 'sum', [partial, partial], picks)
        const pick = fresh('pick')
        main.block(`for (var ${pick} = 0u; ${pick} < ${u32(picks)}; ${pick}++)`, () => {
          main.block(`if (${rowOf(shader, address(index), index, pick, rows)} == ${row})`, () => {
            const source = sum([times(sum([times(o, picks), pick]), inner), k])
            sums.add(load(shader, address(updates), source, dtype))
          })
        })
        out.store(element, finished(shader, sums.total(), dtype, dtype))
      },
    ),
  )
}

/** Indices that sort: each element counts those before it. */
export const sort = ({ from, outer, length, inner, output }: SortKernel): Generated => {
  const strides = rowMajor([outer, length, inner])
  return alone(
    independent(outer * length * inner, (shader, turn) => {
      const { main, fresh, use } = shader
      const address = addresses(shader)
      const [source, out] = [address(from), address({ buffer: output })]
      const [o = '0u', j = '0u', k = '0u'] = coordinatesOf(shader, turn, [outer, length, inner])
      const isFloating = laneType(from.dtype) === 'f32'
      const less = (x: string, y: string): string =>
        isFloating
          ? `(${use('less_f32')}(${x}, ${y}) || (${use('is_nan')}(${y}) && !${use('is_nan')}(${x})))`
          : `(${x} < ${y})`
      const [own, other, value, rank] = [fresh('own'), fresh('other'), fresh('value'), fresh('rank')]
      main.add(`let ${own} = ${load(shader, source, turn, from.dtype)};`, `var ${rank} = 0u;`)
      main.block(`for (var ${other} = 0u; ${other} < ${u32(length)}; ${other}++)`, () => {
        main.add(`let ${value} = ${load(shader, source, addressOf(0, strides, [o, other, k]), from.dtype)};`)
        main.add(`if (${less(value, own)} || (${other} < ${j} && !${less(own, value)})) { ${rank}++; }`)
      })
      main.add(`${shader.memory(out)}[${out.name} + ${addressOf(0, strides, [o, rank, k])}] = ${j};`)
    }),
  )
}
