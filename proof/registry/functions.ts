/** Every operation of the public interface: methods and functions. The table is total: one without an entry does not compile. */
import type * as combine from '../../src/tensor/combine.ts'
import type * as convolution from '../../src/tensor/convolution.ts'
import type * as create from '../../src/tensor/create.ts'
import type * as named from '../../src/tensor/functions.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import type { Entry } from './entry.ts'
import { activations } from './functions/activations.ts'
import { binaryMethods, unaryMethods } from './functions/arithmetic.ts'
import { axisFunctions, reducingMethods } from './functions/axes.ts'
import { contractionFunctions } from './functions/contractions.ts'
import { creations } from './functions/creation.ts'
import { imageFunctions } from './functions/images.ts'
import { combiningFunctions, shapingMethods } from './functions/shaping.ts'

/** What the folder exports that is no operation: the two numbers of a Pair, and the ways in for data. */
type NoOperation = 'pair' | 'tensor' | 'scalar' | 'constant'

/** The methods of a tensor that compute; `operand` only wraps a number. */
export type MethodName = {
  [K in keyof Tensor]: Tensor[K] extends (...args: never) => Tensor ? K : never
}[Exclude<keyof Tensor, 'operand'>]

/** The functions of the tensor folder that compute. */
export type FunctionName = Exclude<
  keyof typeof named | keyof typeof combine | keyof typeof convolution | keyof typeof create,
  NoOperation
>

/** Name → entry. */
export const functions: { readonly [K in MethodName | FunctionName]: Entry } = {
  ...unaryMethods,
  ...binaryMethods,
  ...reducingMethods,
  ...shapingMethods,
  ...activations,
  ...axisFunctions,
  ...combiningFunctions,
  ...contractionFunctions,
  ...imageFunctions,
  ...creations,
}
