/** Kernels that move elements: parts of an output, and rows of a table. */
import { at } from '../../../prelude/array.ts'
import { sizeOf } from '../../../graph/shape.ts'
import type { GatherKernel, Operand, PlaceKernel } from '../../../compiler/kernel.ts'
import { alone, type Generated } from '../phase.ts'
import { addresses, addressOf, coordinatesOf } from '../wgsl/body.ts'
import { laneType, type Address, type Shader } from '../wgsl/shader.ts'
import { operand, sum, times, u32 } from '../wgsl/text.ts'
import { load, loadBits, outputOf } from '../wgsl/value.ts'
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
export const rowOf = (shader: Shader, address: Address, { dtype }: Operand, pick: string, rows: number): string => {
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
