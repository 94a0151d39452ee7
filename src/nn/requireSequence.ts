/** Sequences of vectors, [N, T, width], as layers of transformers and of recurrent networks take them. */
import { showShape } from '../graph/shape.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { expectTensor } from '../tensor/expect.ts'
import type { Tensor } from '../tensor/tensor.ts'

/**
 * Refuses what is no sequence of so wide vectors.
 *
 * @param what it is taken for, in the error: `a context`
 */
export const requireSequence = (who: string, x: Tensor, width: number, what = 'a sequence'): void => {
  expectTensor(who, x)
  if (x.rank !== 3 || at(x.shape, 2) !== width)
    throw new ShapeError(
      `${who}: takes ${what} [N, T, ${width}], got ${showShape(x.shape)}${x.rank === 4 ? '; for images, x.reshape([N, H·W, C])' : ''}`,
    )
}
