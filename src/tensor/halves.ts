/** An axis in two. */
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { at } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { splitInto } from './combine.ts'
import { expectTensor } from './expect.ts'
import type { Tensor } from './tensor.ts'

/** The two halves of an axis. @throws ShapeError for an odd length */
export const halves = (who: string, x: Tensor, axis: number): readonly [Tensor, Tensor] => {
  expectTensor(who, x)
  const a = normalizeAxis(who, axis, x.rank)
  if (at(x.shape, a) % 2 !== 0)
    throw new ShapeError(`${who}: axis ${axis} of ${showShape(x.shape)} has no two halves; give an even length`)
  const parts = splitInto(x, 2, a)
  return [at(parts, 0), at(parts, 1)]
}
