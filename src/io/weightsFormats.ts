/**
 * The formats of files of weights. A new one is an entry of the list; `loadParams`, `loadTensors` and `saveParams` know none by name.
 */
import { E, pipe } from '../prelude/fp.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'
import { formatError, type FormatError, type WeightsFormat } from './weightsFormat.ts'

const brace = 0x7b

const safetensors: WeightsFormat = {
  name: 'safetensors',
  extension: '.safetensors',
  begins: (bytes) => bytes[8] === brace, // no magic number: a length of 8 bytes, and JSON
  read: (bytes) =>
    pipe(
      readSafetensors(bytes),
      E.map(({ tensors }) => tensors),
    ),
  write: (records, metadata = new Map([['format', 'fathom']])) => E.right(writeSafetensors(records, metadata)),
}

/** The formats; of a file that begins like several the first is tried. */
const formats: readonly WeightsFormat[] = [safetensors]

const known = (): string => formats.map(({ name, extension }) => `${name} (${extension})`).join(', ')

/** The end of the last part of a path, from its last dot; '' where it has none. */
const extensionOf = (path: string): string => /\.[^./\\]*$/u.exec(path)?.[0].toLowerCase() ?? ''

const byName = (path: string): WeightsFormat | undefined =>
  formats.find(({ extension }) => extension === extensionOf(path))

/** The format in which a file of this name is written: that of its extension, safetensors where it has none of a format. */
export const formatToWrite = (path: string): WeightsFormat => byName(path) ?? safetensors

/** The format of a file: that of its bytes, or else of its name, which then says what is wrong with them. Left where neither is known. */
export const formatOf = (path: string, bytes: Uint8Array): E.Either<FormatError, WeightsFormat> => {
  const format = formats.find(({ begins }) => begins(bytes)) ?? byName(path)
  return format === undefined
    ? E.left(formatError(`neither its bytes nor its name are those of a format that is read: ${known()}`))
    : E.right(format)
}
