/** A layer is made of sizes; the operation of fathom with the same name takes tensors. */
import { typeError } from '../prelude/errors.ts'
import { Tensor } from '../tensor/tensor.ts'

/** Refuses tensors where the sizes of a layer belong. @param call how the operation of that name is called: `conv2d(x, filter)` */
export const expectSizes = (layer: string, sizes: readonly unknown[], call: string): void => {
  if (sizes.some((size) => size instanceof Tensor))
    throw typeError(
      `${layer}: got a tensor where a size is expected: ${layer} of fathom/nn makes a layer, which is applied to tensors, and ${call} of fathom computes`,
    )
}
