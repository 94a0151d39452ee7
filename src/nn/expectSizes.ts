/** A layer is made of sizes; the operation of fathom with the same name takes tensors. */
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { Tensor } from '../tensor/tensor.ts'

/**
 * Refuses what is no size where the sizes of a layer belong: a tensor, or what is no whole number from 1 (or `least`) on.
 *
 * @param sizes by name; a list of numbers, as those of a kernel, is one size for each axis
 * @param least 0 where there may be none: a sum of nothing is 0
 * @param call how the operation of that name is called: `conv2d(x, filter)`
 */
export const expectSizes = (
  layer: string,
  sizes: Readonly<Record<string, unknown>>,
  call = `${layer}(${Object.keys(sizes).join(', ')})`,
  least = 1,
): void => {
  for (const [name, size] of Object.entries(sizes)) {
    if (size instanceof Tensor)
      throw typeError(
        `${layer}: got a tensor where a size is expected: ${layer} of fathom/nn makes a layer, which is applied to tensors, and ${call} of fathom computes`,
      )
    const wrong = [size].flat().find((n) => !(Number.isInteger(n) && Number(n) >= least))
    if (wrong !== undefined || size === undefined)
      throw new RangeError(`${layer}: ${name} must be a whole number ≥ ${least}, got ${whatIs(wrong)}`)
  }
}
