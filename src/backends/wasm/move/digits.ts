/** How rows are sorted by their digits, as who writes it and who gives it memory know it. */
import type { DType } from '../../../graph/dtype.ts'

/** How a row is sorted. */
export interface Digits {
  readonly dtype: DType
  readonly bits: number
}

/** How often a row is gone through: for each digit of a word. */
export const passesOf = (bits: number): number => Math.ceil(32 / bits)

/** Bytes of the counters of a row. */
export const counterBytes = (bits: number): number => 4 * passesOf(bits) * 2 ** bits
