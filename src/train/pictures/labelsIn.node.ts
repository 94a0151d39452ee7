/** What pictures can be told to show: by the folders in which they lie, or as procedural seas were drawn. */
import { folderLabels, scanFolder, seaLabels, seas } from '../../data/index.ts'
import { pipe, TE } from '../../prelude/fp.ts'
import { trainError, trainErrorOf, type TrainError } from '../trainError.ts'

/**
 * The names of the labels of a folder's pictures, for the setting `labels`: its subfolders that hold any. Of procedural seas, what is known of each.
 *
 * @param folder null for procedural seas
 * @returns Left where the folder cannot be read, or no picture lies in a subfolder
 * @example
 * ```ts
 * import { labelsIn } from 'fathom/train'
 *
 * const names = await labelsIn(null)()
 * if (names._tag === 'Left') throw new Error(names.left.message)
 * names.right.slice(0, 4) // => ['boat', 'bridge', 'stone', 'buoy']
 * ```
 */
export const labelsIn = (folder: string | null): TE.TaskEither<TrainError, readonly string[]> =>
  folder === null
    ? TE.right(seaLabels(seas({ seed: 0, size: 8 })).names)
    : pipe(
        scanFolder(folder),
        TE.bimap(trainErrorOf('DATA'), ({ usable }) => folderLabels(usable.map(({ path }) => path)).names),
        TE.filterOrElse(
          (names) => names.length > 0,
          () =>
            trainError(
              'DATA',
              `no picture of ${folder} lies in a subfolder: labels are the names of subfolders, as boats/ and bridges/`,
            ),
        ),
      )
