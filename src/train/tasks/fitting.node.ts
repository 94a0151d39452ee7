/** What cannot work is refused before anything of its size is made: the plan of a step says exactly, but is itself too large for a batch of 10⁹. */
import { totalmem } from 'node:os'
import { showBytes } from '../../compiler/print.ts'
import { E } from '../../prelude/fp.ts'
import type { Device } from '../../tensor/device.ts'
import { lessMemory } from '../deviceErrors.ts'
import { trainError, type TrainError } from '../trainError.ts'

/** Left where a step that needs so many bytes at least does not fit. */
export const requireBytes = (
  { name, memoryLimit }: Pick<Device, 'name' | 'memoryLimit'>,
  needed: number,
): E.Either<TrainError, void> => {
  const limit = Math.min(memoryLimit, totalmem())
  return needed > limit
    ? E.left(
        trainError(
          'MEMORY',
          `a step needs more than ${showBytes(needed)}, and '${name}' can use ${showBytes(limit)}: ${lessMemory(name)}`,
        ),
      )
    : E.right(undefined)
}
