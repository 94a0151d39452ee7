/**
 * The formats of files of weights. A new one is an entry of the list; `loadParams`, `loadTensors` and `saveParams` know none by name.
 */
import { E, pipe } from '../prelude/fp.ts'
import { suggestion } from '../prelude/nearest.ts'
import { readSafetensors, writeSafetensors } from './safetensors.ts'
import type { FormatError, WeightsFormat } from './weightsFormat.ts'

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

const formatError = (message: string): E.Either<FormatError, never> => E.left({ _tag: 'FormatError', message })

/** The end of the last part of a path, from its last dot; '' where it has none. */
const extensionOf = (path: string): string => /\.[^./\\]*$/u.exec(path)?.[0].toLowerCase() ?? ''

const byName = (path: string): WeightsFormat | undefined =>
  formats.find(({ extension }) => extension === extensionOf(path))

/** The format in which a file of this name is written; Left for a name that says none. */
export const formatToWrite = (path: string): E.Either<FormatError, WeightsFormat> => {
  const format = byName(path)
  if (format !== undefined) return E.right(format)
  const extensions = formats.map(({ extension }) => extension)
  const hint = suggestion(extensionOf(path), extensions)
  return formatError(`its name does not say in which format to write it; end it in one of ${known()}${hint}`)
}

/** The format of a file: that of its bytes, or else of its name, which then says what is wrong with them. Left where neither is known. */
export const formatOf = (path: string, bytes: Uint8Array): E.Either<FormatError, WeightsFormat> => {
  const format = formats.find(({ begins }) => begins(bytes)) ?? byName(path)
  return format === undefined
    ? formatError(`neither its bytes nor its name are those of a format that is read: ${known()}`)
    : E.right(format)
}
