/** Sums and maxima in a variable. Sums of floats are made of sums of at most 256 terms, so that errors do not grow with the length. */
import { isFloat, type DType } from '../../../graph/dtype.ts'
import { applied, rounded } from '../wgsl/ops.ts'
import { literal } from '../wgsl/literal.ts'
import { laneType, type Shader } from '../wgsl/shader.ts'

/** What terms are put together to. */
export interface Accumulator {
  readonly add: (value: string) => void
  /** The result so far, in the dtype in which it accumulates. */
  readonly total: () => string
}

/** The dtype of partial results of terms of `from` that become `to`. */
export const partialDType = (from: DType, to: DType): DType =>
  isFloat(to) || isFloat(from) ? 'f32' : laneType(to) === 'i32' ? 'i32' : 'u32'

/** Terms of a sum that are added one by one. */
const block = 256

/**
 * An accumulator of terms of `from`.
 *
 * @param count how many terms there are at most
 */
export const accumulator = (
  shader: Shader,
  operation: 'sum' | 'max',
  [from, to]: readonly [from: DType, to: DType],
  count: number,
): Accumulator => {
  const { main, fresh } = shader
  const dtype = partialDType(from, to)
  const [total, part, terms] = [fresh('total'), fresh('part'), fresh('terms')]
  const first =
    operation === 'sum'
      ? `${laneType(dtype)}(0)`
      : literal(shader, dtype === 'f32' ? -Infinity : dtype === 'i32' ? -(2 ** 31) : 0, dtype)
  main.add(`var ${total}: ${laneType(dtype)} = ${first};`)
  const converted = (value: string): string =>
    dtype === laneType(from) ? value : applied('cast', { shader, x: value, y: '', z: '', from, to: dtype })
  if (operation === 'max')
    return {
      add: (value) => {
        const larger = applied('max', { shader, x: total, y: converted(value), z: '', from: dtype, to: dtype })
        main.add(`${total} = ${larger};`)
      },
      total: () => total,
    }
  if (dtype !== 'f32' || count <= block)
    return {
      add: (value) => {
        main.add(`${total} += ${converted(value)};`)
      },
      total: () => total,
    }
  main.add(`var ${part} = 0.0f;`, `var ${terms} = 0u;`)
  return {
    add: (value) => {
      main.add(`${part} += ${converted(value)};`, `${terms}++;`)
      main.block(`if ((${terms} & ${block - 1}u) == 0u)`, () => {
        main.add(`${total} += ${part};`, `${part} = 0.0f;`)
      })
    },
    total: () => `(${total} + ${part})`,
  }
}

/** A partial result as the value of an element of `to`. */
export const finished = (shader: Shader, value: string, from: DType, to: DType): string => {
  const dtype = partialDType(from, to)
  return dtype === 'f32' && !isFloat(to)
    ? applied('cast', { shader, x: value, y: '', z: '', from: 'f32', to })
    : rounded(shader, value, to)
}
