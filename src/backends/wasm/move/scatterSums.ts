/** What short rows are summed in, as who writes it and who gives it memory know it. */
import type { DType } from '../../../graph/dtype.ts'
import { isWhole } from '../scalar/register.ts'

/** Columns of a unit. */
export const strip = 64

/** In what sums are kept. */
export const sumType = (dtype: DType): DType => (isWhole(dtype) ? dtype : 'f64')
