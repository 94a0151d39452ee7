/** The classes of a folder of pictures, which are its subfolders. */
import { scanFolder, type ScanReport } from '../../../data/index.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { folderLabels } from '../../../data/labels.ts'
import { trainError, trainErrorOf, type TrainError } from '../../trainError.ts'

/** The classes of a folder, and what a person should know of them. */
export interface FoundClasses {
  /** In the order of their names. */
  readonly names: readonly string[]
  readonly notes: readonly string[]
}

const quoted = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ')

/** How a folder should be. */
const wanted = 'make a subfolder for each class, as boats/ and bridges/, with pictures in it'

const found = ({ folder, usable, skipped }: ScanReport): E.Either<TrainError, FoundClasses> => {
  const left = (message: string): E.Either<TrainError, never> => E.left(trainError('DATA', message))
  const { names } = folderLabels(usable.map(({ path }) => path))
  const broken = folderLabels(skipped.map(({ path }) => path)).names.filter((name) => !names.includes(name))
  if (usable.length === 0)
    return left(
      skipped.length === 0
        ? `${folder} holds no pictures: ${wanted}`
        : `no file of ${folder} is a picture that can be used: \`fathom scan ${folder}\` says why`,
    )
  if (names.length === 0) return left(`no picture of ${folder} lies in a subfolder: ${wanted}`)
  if (names.length === 1)
    return left(
      `${folder} has pictures of one class alone, ${quoted(names)}${broken.length === 0 ? '' : ` (none of ${quoted(broken)} can be used: \`fathom scan ${folder}\` says why)`}, and there is nothing to tell apart: ${wanted}`,
    )
  const notes = broken.map((name) => `no picture of '${name}' can be used, so it is no class: \`fathom scan\` says why`)
  return E.right({ names, notes })
}

/**
 * The classes of the pictures in a folder, for the setting `labels`: its subfolders that hold any.
 *
 * @returns Left where the folder cannot be read, and where its pictures are not of two classes at least
 * @example
 * ```ts
 * import { seas } from 'fathom/data'
 * import { encodePng, replaceFile } from 'fathom/io'
 * import { classesIn } from 'fathom/train'
 * import { mkdir } from 'node:fs/promises'
 *
 * for (const [i, name] of ['boats', 'bridges'].entries()) {
 *   await mkdir(`pictures/${name}`, { recursive: true })
 *   const pixels = seas({ seed: 1, size: 16 }).image(i)
 *   await replaceFile(`pictures/${name}/1.png`, encodePng({ width: 16, height: 16, channels: 3, pixels }))()
 * }
 * await classesIn('pictures')() // => right({ names: ['boats', 'bridges'], notes: [] })
 * await classesIn('pictures/boats')() // => left({ code: 'DATA', message: 'no picture of pictures/boats lies in a subfolder: …', … })
 * ```
 */
export const classesIn = (folder: string): TE.TaskEither<TrainError, FoundClasses> =>
  pipe(scanFolder(folder), TE.mapLeft(trainErrorOf('DATA')), TE.chainEitherK(found))
