/** Windows of an image that do not overlap: what pooling and pixel shuffles work on. */
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { showShape } from '../graph/shape.ts'
import { expectImages } from './expect.ts'
import { wholePair, type Pair } from './pair.ts'
import type { Tensor } from './tensor.ts'

/** An image as its windows of a size, which must tile it: [N, H / size, size, W / size, size, C]. */
export const windows = (name: string, x: Tensor, given: Pair): Tensor => {
  expectImages(name, x)
  const size = wholePair(name, 'size', given, 1)
  const [n, h, w, c] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)]
  if (h % size[0] !== 0 || w % size[1] !== 0)
    throw new ShapeError(`${name}: windows of ${showShape(size)} do not tile ${showShape(x.shape)}`)
  return x.reshape([n, h / size[0], size[0], w / size[1], size[1], c])
}
