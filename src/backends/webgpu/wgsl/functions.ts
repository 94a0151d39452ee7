/**
 * WGSL functions of numbers: what a shader calls for the primitives of which WGSL has no equal. A shader's text holds those that it uses.
 *
 * The meaning of each is cpu's (cpu/scalar.ts). They ask for no optional feature, and rely on whole numbers and on f32 sums and products alone.
 */
import { keysOf } from '../../../prelude/record.ts'
import { arithmeticFunctions } from './arithmetic.ts'
import { bitFunctions } from './bits.ts'
import { halfFunctions } from './half.ts'
import { integerFunctions } from './integers.ts'
import { mathFunctions } from './math.ts'
import { trigonometricFunctions } from './trigonometry.ts'

const texts = {
  ...bitFunctions,
  ...arithmeticFunctions,
  ...mathFunctions,
  ...trigonometricFunctions,
  ...integerFunctions,
  ...halfFunctions,
}

/** The name of a WGSL function. */
export type FunctionName = keyof typeof texts

/** WGSL functions by name, each with the text of its definition and the names of those it calls. */
const functions = new Map(
  keysOf(texts).map((name) => {
    const called = new Set(texts[name].match(/\w+(?=\()/g))
    return [name, { text: texts[name].trim(), calls: keysOf(texts).filter((k) => k !== name && called.has(k)) }]
  }),
)

/** The text of these functions and of all that they call, each once, callees first. */
export const functionsText = (used: Iterable<FunctionName>): string => {
  const printed = new Set<string>()
  const textsOf = (name: FunctionName): readonly string[] => {
    const { text, calls } = functions.get(name) ?? { text: '', calls: [] }
    if (printed.has(name)) return []
    printed.add(name)
    return [...calls.flatMap(textsOf), text]
  }
  return [...used].flatMap(textsOf).join('\n\n')
}
