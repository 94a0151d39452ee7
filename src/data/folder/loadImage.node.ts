/** One picture file → its pixels at one size, or why not. Apart from the decoder, so that its types do without sharp's. */
import { requireKnown } from '../../prelude/options.ts'
import { E, TE, pipe } from '../../prelude/fp.ts'
import { checkOptions } from './checkOptions.ts'
import type { DataError } from './dataError.ts'
import { fileError } from './dataError.ts'
import { decodeImage, readWhole } from './decodeImage.node.ts'
import { decodeOptions, type DecodedImage, type DecodeOptions } from './decodeOptions.ts'
import type { FolderReader } from './folderReader.node.ts'
import { nodeFolderReader } from './folderReader.node.ts'
import { defaultLimits } from './limits.ts'
import { loadSharp } from './sharp.node.ts'

/**
 * Reads and decodes one file.
 *
 * @param path where it lies; links are followed
 * @returns the pixels; `DATA-FILE` with the fault when the file cannot be used, `DATA-OPTION`, `DATA-SHARP`
 * @example
 * ```ts
 * import { loadImage, seas } from 'fathom/data'
 * import { encodePng, replaceFile } from 'fathom/io'
 *
 * const pixels = seas({ seed: 1, size: 16 }).image(0)
 * await replaceFile('sea.png', encodePng({ width: 16, height: 16, channels: 3, pixels }))()
 * await loadImage('sea.png', { height: 8, width: 8, channels: 1 })() // => right({ height: 8, width: 8, channels: 1, pixels: … })
 * await loadImage('gone.png', { height: 8, width: 8, channels: 1 })() // => left({ code: 'DATA-FILE', … })
 * ```
 */
export const loadImage = (
  path: string,
  options: DecodeOptions,
  fileSystem: FolderReader = nodeFolderReader,
): TE.TaskEither<DataError, DecodedImage> => {
  requireKnown('loadImage', options, decodeOptions)
  return pipe(
    TE.fromEither(checkOptions(options)),
    TE.chain(() => loadSharp()),
    TE.chain((sharp) => async () => {
      const file = await readWhole(fileSystem, path, options.maxBytes ?? defaultLimits.maxBytes)
      const image = E.isLeft(file) ? file : await decodeImage(sharp, file.right.bytes, options)
      return pipe(
        image,
        E.mapLeft((fault) => fileError(path, fault)),
      )
    }),
  )
}
