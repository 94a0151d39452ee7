/** Why a kernel has no vector code, as data: what then runs is the code for one element at a time, or several kernels in its place. */
import type { DType } from '../../../graph/dtype.ts'
import type { ElementwiseOp } from '../../../graph/ops.ts'

/** What of a kernel has no vector code. */
export type Unsupported =
  /** Values of this dtype are no lanes. */
  | { readonly kind: 'dtype'; readonly dtype: DType }
  /** An index of this dtype. */
  | { readonly kind: 'index'; readonly dtype: DType }
  /** A primitive of operands from which it makes this dtype. */
  | { readonly kind: 'primitive'; readonly op: ElementwiseOp; readonly dtype: DType }
  /** Values of one dtype, reduced as another one. */
  | { readonly kind: 'reduction'; readonly operation: 'sum' | 'max'; readonly from: DType; readonly to: DType }
  /** A matrix product or convolution of these dtypes. */
  | { readonly kind: 'contraction'; readonly from: DType; readonly to: DType }
  /** Operands whose axes cross, so that no nest of loops walks over all of them. */
  | { readonly kind: 'axes' }
  /** Results of a reduction that do not lie one behind the other. */
  | { readonly kind: 'results apart' }

/** Why, in words. */
export const showUnsupported = (why: Unsupported): string => {
  switch (why.kind) {
    case 'dtype':
      return `${why.dtype} is no lane of a vector`
    case 'index':
      return `an index is ${why.dtype}`
    case 'primitive':
      return `${why.op} of ${why.dtype}`
    case 'reduction':
      return `${why.operation} of ${why.from} as ${why.to}`
    case 'contraction':
      return `products of ${why.from} as ${why.to}`
    case 'axes':
      return 'axes cross'
    case 'results apart':
      return 'results lie apart'
  }
}
