/** Every operation of the public interface: methods and functions. The table is total: one without an entry does not compile. */
import type * as activations from '../../src/tensor/activations.ts'
import type * as attention from '../../src/tensor/attention.ts'
import type * as combine from '../../src/tensor/combine.ts'
import type * as comparisons from '../../src/tensor/comparisons.ts'
import type * as contractions from '../../src/tensor/contractions.ts'
import type * as convolution from '../../src/tensor/convolution.ts'
import type * as create from '../../src/tensor/create.ts'
import type * as cumsum from '../../src/tensor/cumsum.ts'
import type * as exponentialUnits from '../../src/tensor/exponentialUnits.ts'
import type * as gatedUnits from '../../src/tensor/gatedUnits.ts'
import type * as gridSample from '../../src/tensor/gridSample.ts'
import type * as hardActivations from '../../src/tensor/hardActivations.ts'
import type * as linalg from '../../src/tensor/linalg/index.ts'
import type * as padding from '../../src/tensor/padding.ts'
import type * as cumulative from '../../src/tensor/cumulative.ts'
import type * as division from '../../src/tensor/division.ts'
import type * as dynamicSlice from '../../src/tensor/dynamicSlice.ts'
import type * as hyperbolic from '../../src/tensor/hyperbolic.ts'
import type * as indexing from '../../src/tensor/indexing.ts'
import type * as logarithms from '../../src/tensor/logarithms.ts'
import type * as movement from '../../src/tensor/movement.ts'
import type * as norms from '../../src/tensor/norms.ts'
import type * as orders from '../../src/tensor/orders.ts'
import type * as pooling from '../../src/tensor/pooling.ts'
import type * as powers from '../../src/tensor/powers.ts'
import type * as resampling from '../../src/tensor/resampling.ts'
import type * as resizing from '../../src/tensor/resizing.ts'
import type * as softmax from '../../src/tensor/softmax.ts'
import type * as triangles from '../../src/tensor/triangles.ts'
import type * as trigonometry from '../../src/tensor/trigonometry.ts'
import type * as variance from '../../src/tensor/variance.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Entry } from './entry.ts'
import { activations as activationFunctions } from './functions/activations.ts'
import { binaryMethods, unaryMethods } from './functions/arithmetic.ts'
import { axisFunctions, reducingMethods } from './functions/axes.ts'
import { bentActivations } from './functions/bentActivations.ts'
import { contractionFunctions } from './functions/contractions.ts'
import { creations } from './functions/creation.ts'
import { elementaryFunctions } from './functions/elementary.ts'
import { imageFunctions } from './functions/images.ts'
import { linalg as linearAlgebra } from './functions/linalg.ts'
import { poolFunctions } from './functions/pools.ts'
import { resizings } from './functions/resizings.ts'
import { matrixFunctions } from './functions/matrices.ts'
import { pickingFunctions } from './functions/picking.ts'
import { questions } from './functions/questions.ts'
import { reducingFunctions } from './functions/reducing.ts'
import { roundingFunctions } from './functions/rounding.ts'
import { combiningFunctions, shapingMethods } from './functions/shaping.ts'

/** What the folder exports that is no operation: the ways in for data. */
type NoOperation = 'tensor' | 'scalar' | 'constant'

/** The methods of a tensor that compute; `operand` only wraps a number. */
export type MethodName = {
  [K in keyof Tensor]: Tensor[K] extends (...args: never) => Tensor ? K : never
}[Exclude<keyof Tensor, 'operand'>]

/** The functions of the tensor folder that compute. */
export type FunctionName = Exclude<
  | keyof typeof activations
  | keyof typeof attention
  | keyof typeof combine
  | keyof typeof comparisons
  | keyof typeof contractions
  | keyof typeof convolution
  | keyof typeof create
  | keyof typeof cumsum
  | keyof typeof exponentialUnits
  | keyof typeof gatedUnits
  | keyof typeof gridSample
  | keyof typeof hardActivations
  | keyof typeof linalg
  | keyof typeof padding
  | keyof typeof cumulative
  | keyof typeof division
  | keyof typeof dynamicSlice
  | keyof typeof hyperbolic
  | keyof typeof indexing
  | keyof typeof logarithms
  | keyof typeof movement
  | keyof typeof norms
  | keyof typeof orders
  | keyof typeof pooling
  | keyof typeof powers
  | keyof typeof resampling
  | keyof typeof resizing
  | keyof typeof softmax
  | keyof typeof triangles
  | keyof typeof trigonometry
  | keyof typeof variance,
  NoOperation
>

/** Name → entry. */
export const functions: { readonly [K in MethodName | FunctionName]: Entry } = {
  ...unaryMethods,
  ...binaryMethods,
  ...reducingMethods,
  ...shapingMethods,
  ...activationFunctions,
  ...bentActivations,
  ...axisFunctions,
  ...combiningFunctions,
  ...contractionFunctions,
  ...imageFunctions,
  ...linearAlgebra,
  ...poolFunctions,
  ...resizings,
  ...creations,
  ...elementaryFunctions,
  ...matrixFunctions,
  ...pickingFunctions,
  ...questions,
  ...reducingFunctions,
  ...roundingFunctions,
}
