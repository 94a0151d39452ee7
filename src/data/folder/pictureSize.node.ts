/** How large a picture file is, from its header alone. */
import { E, TE, pipe } from '../../prelude/fp.ts'
import { fileError, type DataError } from './dataError.ts'
import { readWhole } from './decodeImage.node.ts'
import type { FolderReader } from './folderReader.node.ts'
import { nodeFolderReader } from './folderReader.node.ts'
import { readHeader } from './imageHeader.node.ts'
import { defaultLimits } from './limits.ts'
import { loadSharp } from './sharp.node.ts'

/** Height and width in pixels. */
export interface PictureSize {
  readonly height: number
  readonly width: number
}

/**
 * The size of a picture, as it stands after the orientation that its camera noted.
 *
 * @param path where it lies; links are followed
 * @returns height and width in pixels; `DATA-FILE` with the fault when the file cannot be used, `DATA-SHARP`
 * @example
 * ```ts
 * import { pictureSize, seas } from 'fathom/data'
 * import { encodePng, replaceFile } from 'fathom/io'
 *
 * const pixels = seas({ seed: 1, size: 16 }).image(0)
 * await replaceFile('sea.png', encodePng({ width: 16, height: 16, channels: 3, pixels }))()
 * await pictureSize('sea.png')() // => right({ height: 16, width: 16 })
 * ```
 */
export const pictureSize = (
  path: string,
  fileSystem: FolderReader = nodeFolderReader,
): TE.TaskEither<DataError, PictureSize> =>
  pipe(
    loadSharp(),
    TE.chain((sharp) => async () => {
      const file = await readWhole(fileSystem, path, defaultLimits.maxBytes)
      if (E.isLeft(file)) return E.left(fileError(path, file.left))
      const { bytes } = file.right
      const source = {
        bytes: bytes.length,
        read: async (at: number, length: number) => bytes.subarray(at, at + length),
      }
      return pipe(
        await readHeader(sharp, source, defaultLimits),
        E.bimap(
          (fault) => fileError(path, fault),
          ({ height, width }) => ({ height, width }),
        ),
      )
    }),
  )
