/** The text of a file, or why it is none. */
import { readFile, stat } from 'node:fs/promises'
import { range } from '../../../prelude/array.ts'
import { E, pipe, TE } from '../../../prelude/fp.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import { charactersOf } from './tokens.ts'

/** Bytes of a text at most: it is one string, and one number for each character. */
const longestText = 2 ** 28

/** The first bytes of files that some programs write for texts. */
const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)

/** What is wrong with the bytes of a file that should be a text; undefined where they may be one. */
const faultOf = (bytes: Uint8Array): string | undefined => {
  if (bytes.length === 0) return 'is empty: put the text into it from which the model is to learn'
  if (isUtf16(bytes)) return 'is a text in UTF-16: save it as UTF-8, for instance by `iconv -f UTF-16 -t UTF-8`'
  return bytes.includes(0) ? 'is no text (it has bytes that are 0): give a file of plain text in UTF-8' : undefined
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

/** Left with what is wrong with a file before it is read. */
const faultOfFile = async (path: string): Promise<string | undefined> => {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return 'is not there: name a file of text'
  if (found.isDirectory()) return 'is a folder: name a file of text in it'
  return found.size > longestText
    ? `has ${mebibytes(found.size)}, and ${mebibytes(longestText)} is the most: give a part of it`
    : undefined
}

/** The text of a file in UTF-8. @returns Left where there is no such file, and where it is empty, too long, or no text */
export const readText =
  (path: string): TE.TaskEither<TrainError, string> =>
  async () => {
    const left = (what: string): E.Either<TrainError, never> => E.left(trainError('DATA', `${path} ${what}`))
    const before = await faultOfFile(path)
    if (before !== undefined) return left(before)
    const bytes = await readFile(path).catch(() => undefined)
    if (bytes === undefined) return left('cannot be read: look at its permissions')
    const fault = faultOf(bytes)
    if (fault !== undefined) return left(fault)
    try {
      return E.right(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch {
      return left('is no text in UTF-8: save it as UTF-8, for instance by `iconv -f LATIN1 -t UTF-8`')
    }
  }

/**
 * The characters of a text in a file, each once, for the setting `alphabet`.
 *
 * @returns Left where there is no such file, and where it is empty, too long, or no text
 * @example
 * ```ts
 * import { replaceFile } from 'fathom/io'
 * import { alphabetIn } from 'fathom/train'
 *
 * await replaceFile('sea.txt', new TextEncoder().encode('the sea'))()
 * await alphabetIn('sea.txt')() // => right(' aehst')
 * await alphabetIn('gone.txt')() // => left({ code: 'DATA', message: 'gone.txt is not there: name a file of text', … })
 * ```
 */
export const alphabetIn = (path: string): TE.TaskEither<TrainError, string> =>
  pipe(
    readText(path),
    TE.map((text) => {
      const { count, decode } = charactersOf(text)
      return decode(range(count))
    }),
  )
