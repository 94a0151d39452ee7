/**
 * Functions that modules import from JavaScript: those of f64, where a call costs little beside them, so that f64 and f16 have cpu's bits.
 */
import { erf } from '../../../prelude/erf.ts'
import type { ValueType } from '../assembler/opcodes.ts'

/** A function of doubles that every module can call as `env.<name>`. */
interface Imported {
  readonly parameters: readonly ValueType[]
  readonly apply: (x: number, y: number) => number
}

const unary = (apply: (x: number) => number): Imported => ({ parameters: ['f64'], apply })

/** Name → function; all of f64, and all leave an f64. */
export const javascript = {
  exp: unary(Math.exp),
  log: unary(Math.log),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  erf: unary(erf),
  /** The remainder of a division that rounds to zero, with x's sign. */
  remainder: { parameters: ['f64', 'f64'], apply: (x, y) => x % y },
} as const satisfies Readonly<Record<string, Imported>>

/** The name of an imported function. */
export type JavascriptName = keyof typeof javascript

/** As the assembler wants them. */
export const javascriptImports = Object.entries(javascript).map(([name, { parameters }]) => ({
  name,
  parameters,
  result: 'f64' as const,
}))

/** As an instance wants them. */
export const javascriptFunctions: Readonly<Record<string, (x: number, y: number) => number>> = Object.fromEntries(
  Object.entries(javascript).map(([name, { apply }]) => [name, apply]),
)
