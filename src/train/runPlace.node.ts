/** Where a run may lie: not among the pictures that it is trained on, whose folder would hold its sheets of samples from then on. */
import { realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { TE } from '../prelude/fp.ts'
import type { RunConfig } from './runConfig.ts'
import { trainError, type TrainError } from './trainError.ts'

/** The real path of the deepest part that exists, with the rest appended: where a directory will be once it is made. */
const futureRealPath = async (path: string): Promise<string> => {
  try {
    return await realpath(path)
  } catch {
    return dirname(path) === path ? path : join(await futureRealPath(dirname(path)), basename(path))
  }
}

/** Whether a path is the folder or lies in it, links followed. */
export const liesIn = async (path: string, folder: string): Promise<boolean> => {
  const way = relative(await futureRealPath(resolve(folder)), await futureRealPath(resolve(path)))
  return !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way))
}

/** A place beside the folder, as a person in the current directory writes it. */
const beside = (folder: string, out: string): string =>
  relative('.', join(dirname(resolve(folder)), 'runs', basename(out)))

/** Left when the run would lie in the folder of its pictures. */
export const requireOutside =
  ({ folder, out }: RunConfig): TE.TaskEither<TrainError, void> =>
  async () =>
    folder !== null && (await liesIn(out, folder))
      ? TE.left(
          trainError(
            'CFG',
            `the run ${out} would lie in the folder of its pictures, ${folder}, and its samples would be trained on: choose a place outside, for instance --out ${beside(folder, out)}`,
          ),
        )()
      : TE.right(undefined)()
