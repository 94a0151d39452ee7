/** Options that a caller misspelt: TypeScript finds them, JavaScript would take the default in silence. */
import { typeError } from './errors.ts'
import { whatIs } from './mistaken.ts'
import { suggestion } from './nearest.ts'
import { isRecord } from './record.ts'

/** Refuses what is no object of options, and options of names that do not exist. @param who whose options they are: the beginning of the message */
export const requireKnown = (who: string, options: object, known: readonly string[]): void => {
  if (!isRecord(options))
    throw typeError(
      `${who}: got ${whatIs(options)} where options are expected: write { ${known.join(', ')} }, or some of them`,
    )
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new RangeError(
      `${who}: there is no option '${unknown}'; the options are ${known.join(', ')}${suggestion(unknown, known)}`,
    )
}

/** Refuses what is no function where one belongs. @param call how it is written: `vmap((x) => …)` */
export const requireFunction = (who: string, f: unknown, call: string): void => {
  if (typeof f !== 'function') throw typeError(`${who}: got ${whatIs(f)} where a function is expected: write ${call}`)
}

/** Refuses what is no whole number from `least` on. */
export const requireWhole = (who: string, name: string, value: number, least = 0): void => {
  if (!(Number.isInteger(value) && value >= least))
    throw new RangeError(`${who}: ${name} is ${value}; it must be a whole number ≥ ${least}`)
}

/** Refuses what is no finite number above 0. */
export const requirePositive = (who: string, name: string, value: number): void => {
  if (!(value > 0 && Number.isFinite(value)))
    throw new RangeError(`${who}: ${name} is ${value}; it must be a finite number above 0`)
}

/** Refuses what is no finite number ≥ 0. */
export const requireNotNegative = (who: string, name: string, value: number): void => {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new RangeError(`${who}: ${name} is ${value}; it must be a finite number ≥ 0`)
}

/** Refuses what is not in [0, 1]. */
export const requireShare = (who: string, name: string, value: number): void => {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${who}: ${name} is ${value}; it must be in [0, 1]`)
}
