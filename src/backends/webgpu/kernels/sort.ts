/** Indices that sort the middle axis: by counting where it is short, else by merging. */
import type { DType } from '../../../graph/dtype.ts'
import { rowMajor } from '../../../graph/shape.ts'
import type { SortKernel } from '../../../compiler/kernel.ts'
import { inOrder, type Generated } from '../phase.ts'
import type { Target } from '../target.ts'
import { addressOf } from '../wgsl/body.ts'
import { laneType, type Shader } from '../wgsl/shader.ts'
import { divided, modulo } from '../wgsl/text.ts'
import { load } from '../wgsl/value.ts'
import { ordered } from './order.ts'

/** A value as a u32 in the order of sorting. */
const keyOf = (shader: Shader, value: string, dtype: DType): string => {
  switch (laneType(dtype)) {
    case 'f32':
      return `${shader.use('sort_key')}(${value})`
    case 'i32':
      return `bitcast<u32>(${value}) ^ 0x80000000u`
    case 'u32':
      return value
  }
}

/** Indices that sort; NaN comes last, and equal elements keep their order. */
export const sort = ({ from, outer, length, inner, output }: SortKernel, target: Target): Generated => {
  const strides = rowMajor([outer, length, inner])
  const placeOf = (line: string, element: string): string =>
    addressOf(0, strides, [divided(line, inner), element, modulo(line, inner)])
  const { phases, bytes } = ordered(
    {
      lines: outer * inner,
      length,
      keys: (shader) => {
        const source = shader.address({ kind: 'buffer', buffer: from.buffer })
        return (line, element) => keyOf(shader, load(shader, source, placeOf(line, element), from.dtype), from.dtype)
      },
      store: (shader) => {
        const out = shader.address({ kind: 'buffer', buffer: output })
        return (line, place, element) => {
          shader.main.add(`${shader.memory(out)}[${out.name} + ${placeOf(line, place)}] = ${element};`)
        }
      },
    },
    target,
  )
  return inOrder(phases, bytes)
}
