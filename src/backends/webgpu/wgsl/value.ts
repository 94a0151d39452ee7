/** Elements in memory as values of variables, and back: memory is words of 32 bits, in which halves, bytes and booleans lie side by side. */
import type { DType } from '../../../graph/dtype.ts'
import { perWord, type Address, type Shader } from './shader.ts'
import { operand, u32 } from './text.ts'

/** The word that holds an element, and its place in it as a number of bits to shift by. */
const wordOf = (shader: Shader, address: Address, element: string, dtype: DType): { word: string; shift: string } => {
  const n = perWord(dtype)
  const memory = shader.memory(address)
  if (n === 1) return { word: `${memory}[${address.name} + ${element}]`, shift: '0u' }
  const [log, bits] = n === 2 ? [1, 4] : [2, 3]
  const e = operand(element)
  return {
    word: `${memory}[${address.name} + (${e} >> ${u32(log)})]`,
    shift: `((${e} & ${u32(n - 1)}) << ${u32(bits)})`,
  }
}

/** The bits that memory holds of an element, in the low bits of a word. @param element its number, an expression */
export const loadBits = (shader: Shader, address: Address, element: string, dtype: DType): string => {
  const { word, shift } = wordOf(shader, address, element, dtype)
  const n = perWord(dtype)
  return n === 1 ? word : `((${word} >> ${shift}) & ${n === 2 ? '65535u' : '255u'})`
}

/** The value of an element. @param element its number, an expression */
export const load = (shader: Shader, address: Address, element: string, dtype: DType): string => {
  const bits = loadBits(shader, address, element, dtype)
  switch (dtype) {
    case 'f32':
    case 'i32':
      return `bitcast<${dtype}>(${bits})`
    case 'f16':
      return `${shader.use('half_of_bits')}(${bits})`
    default:
      return bits
  }
}

/** A value as the bits that memory holds of it, in the low bits of a word. */
export const bitsOf = (shader: Shader, value: string, dtype: DType): string => {
  switch (dtype) {
    case 'f32':
    case 'i32':
      return `bitcast<u32>(${value})`
    case 'f16':
      return `${shader.use('bits_of_half')}(${value})`
    default:
      return value
  }
}

/** An output whose elements a shader stores one after the other. */
export interface Output {
  /** Stores the value of an element, whose number is an expression: a word is written with its last element. */
  readonly store: (element: string, value: string) => void
  /** The same of bits. */
  readonly storeBits: (element: string, bits: string) => void
}

/**
 * An output of which one invocation writes whole words: elements in order, from a multiple of those of a word. The last word may reach past the
 * last element, into what pads the buffer.
 */
export const outputOf = (shader: Shader, address: Address, dtype: DType): Output => {
  const { main, fresh } = shader
  const memory = shader.memory(address)
  const n = perWord(dtype)
  const pending = n === 1 ? '' : fresh('pending')
  if (n > 1) main.add(`var ${pending} = 0u;`)
  const storeBits = (element: string, bits: string): void => {
    if (n === 1) {
      main.add(`${memory}[${address.name} + ${element}] = ${bits};`)
      return
    }
    const [log, width] = n === 2 ? [1, 16] : [2, 8]
    main.add(`${pending} = (${pending} >> ${u32(width)}) | (${operand(bits)} << ${u32(32 - width)});`)
    main.block(`if ((${operand(element)} & ${u32(n - 1)}) == ${u32(n - 1)})`, () => {
      main.add(`${memory}[${address.name} + (${operand(element)} >> ${u32(log)})] = ${pending};`)
    })
  }
  return {
    storeBits,
    store: (element, value) => {
      storeBits(element, bitsOf(shader, value, dtype))
    },
  }
}

/** Stores one word of an output: the values of its elements, in order. @param word its number, an expression */
export const storeWord = (
  shader: Shader,
  address: Address,
  word: string,
  values: readonly string[],
  dtype: DType,
): void => {
  const width = 32 / perWord(dtype)
  const parts = values.map((value, i) => {
    const own = bitsOf(shader, value, dtype)
    return i === 0 ? own : `(${own} << ${u32(i * width)})`
  })
  shader.main.add(`${shader.memory(address)}[${address.name} + ${word}] = ${parts.join(' | ')};`)
}
