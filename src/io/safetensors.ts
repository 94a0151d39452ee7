/**
 * safetensors, read strictly and written deterministically: 8 bytes header length (little-endian), a JSON header,
 * then the data.
 *
 * A file that came from elsewhere is an attack surface, so every rule of the format is checked and each has its own
 * code; no tensor is ever looked up in a plain object, and no byte of data is copied. Source:
 * https://github.com/huggingface/safetensors (README, tensor.rs).
 */
import { requireKnown } from '../prelude/options.ts'
import { E, pipe } from '../prelude/fp.ts'
import { bitsPerElement, type ArrayRecord } from './arrayRecord.ts'
import {
  dtypeNames,
  parseHeader,
  quoted,
  safetensorsError,
  type Header,
  type HeaderEntry,
  type SafetensorsError,
} from './safetensorsHeader.ts'

export type { SafetensorsCode, SafetensorsError } from './safetensorsHeader.ts'

/**
 * What a safetensors file holds. The records are views of the file's bytes; a Map, because `__proto__` is a legal
 * name.
 */
export type Safetensors = {
  readonly tensors: ReadonlyMap<string, ArrayRecord>
  readonly metadata: ReadonlyMap<string, string>
}

/** Longest header that is accepted, in bytes (tensor.rs: MAX_HEADER_SIZE). */
const maxHeaderBytes = 100_000_000

/** Most tensors by default: ours; a header of 100 MB could name millions and keep the reader busy. */
const defaultMaxTensors = 100_000

const fail = (...args: Parameters<typeof safetensorsError>): E.Either<SafetensorsError, never> =>
  E.left(safetensorsError(...args))

/** Where the data starts, from the first 8 bytes. */
const dataStart = (bytes: Uint8Array): E.Either<SafetensorsError, number> => {
  if (bytes.length < 8)
    return fail('ST-SHORT', `it has ${bytes.length} bytes, and 8 are needed for the header's length`)
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(maxHeaderBytes))
    return fail('ST-HEADER-LIMIT', `its header claims ${length} bytes, and ${maxHeaderBytes} is the limit`)
  if (length > BigInt(bytes.length - 8))
    return fail('ST-HEADER-TRUNCATED', `its header claims ${length} bytes, and ${bytes.length - 8} are there`)
  return E.right(8 + Number(length))
}

/** Decodes strictly: the default decoder would replace bad bytes by U+FFFD and drop a byte order mark. */
const decodeHeader = (header: Uint8Array): E.Either<SafetensorsError, string> =>
  header[0] === 0xef && header[1] === 0xbb && header[2] === 0xbf
    ? fail('ST-BOM', 'its header starts with a byte order mark')
    : E.tryCatch(
        () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header),
        () => safetensorsError('ST-UTF8', 'its header is not UTF-8'),
      )

/**
 * The bits that a shape takes, or undefined past 2⁵³ − 1. Checked in order, as the reference does: [2⁵³ − 1, 2, 0]
 * overflows.
 */
const bitsOf = ({ dtype, shape }: Pick<ArrayRecord, 'dtype' | 'shape'>): number | undefined => {
  let bits = 1
  for (const size of [...shape, bitsPerElement[dtype]]) {
    bits *= size
    if (!Number.isSafeInteger(bits)) return undefined
  }
  return bits
}

const checkSize = (entry: HeaderEntry): SafetensorsError | undefined => {
  const where = `tensor ${quoted(entry.name)} (${dtypeNames[entry.dtype]} [${entry.shape.join(', ')}])`
  const bits = bitsOf(entry)
  if (bits === undefined) return safetensorsError('ST-OVERFLOW', `${where} has more elements than can be counted`)
  if (bits % 8 !== 0) return safetensorsError('ST-SUB-BYTE', `${where} does not fill whole bytes`)
  const given = entry.end - entry.begin
  return given === bits / 8
    ? undefined
    : safetensorsError('ST-SIZE', `${where} needs ${bits / 8} bytes, its data_offsets give ${given}`)
}

/** Checks that the tensors, in order of their offsets, cover the data section exactly once. */
const checkLayout = (header: Header, dataBytes: number): E.Either<SafetensorsError, Header> => {
  const ordered = header.entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const entry of ordered) {
    const where = `tensor ${quoted(entry.name)}`
    if (entry.begin < covered)
      return fail('ST-OVERLAP', `${where} begins at ${entry.begin}, inside the tensor that ends at ${covered}`)
    if (entry.begin > covered)
      return fail('ST-HOLE', `${where} begins at ${entry.begin}, and the tensor before it ends at ${covered}`)
    const size = checkSize(entry)
    if (size !== undefined) return E.left(size)
    covered = entry.end
  }
  if (covered > dataBytes)
    return fail(
      'ST-TRUNCATED',
      `its tensors take ${covered} bytes, and ${dataBytes} are there: was it copied completely?`,
    )
  if (covered < dataBytes) return fail('ST-TRAILING', `${dataBytes - covered} bytes follow the last tensor`)
  return E.right(header)
}

/**
 * Reads a safetensors file strictly; never throws, whatever the bytes.
 *
 * @param bytes the whole file; the returned records are views of it, valid as long as it is not changed
 * @param options maxTensors: most tensors, and most metadata entries (default 100,000)
 * @returns the tensors in the header's order, and the metadata
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from 'fathom/io'
 * import * as E from 'fp-ts/lib/Either.js'
 * import { pipe } from 'fp-ts/lib/function.js'
 *
 * const file = writeSafetensors([['bias', { dtype: 'u8', shape: [3], bytes: Uint8Array.of(1, 2, 3) }]])
 * const bias = pipe(
 *   readSafetensors(file),
 *   E.map(({ tensors }) => tensors.get('bias')),
 * )
 * bias // => right({ dtype: 'u8', shape: [3], bytes: [1, 2, 3] })
 * readSafetensors(file.subarray(0, -1)) // => left({ code: 'ST-TRUNCATED', … })
 * ```
 */
export const readSafetensors = (
  bytes: Uint8Array,
  options: { readonly maxTensors?: number } = {},
): E.Either<SafetensorsError, Safetensors> => {
  requireKnown('readSafetensors', options, ['maxTensors'])
  return pipe(
    dataStart(bytes),
    E.chain((start) =>
      pipe(
        decodeHeader(bytes.subarray(8, start)),
        E.chain((text) => parseHeader(text, options.maxTensors ?? defaultMaxTensors)),
        E.chain((header) => checkLayout(header, bytes.length - start)),
        E.map(({ entries, metadata }) => ({
          tensors: new Map(
            entries.map(({ name, dtype, shape, begin, end }) => [
              name,
              { dtype, shape, bytes: bytes.subarray(start + begin, start + end) },
            ]),
          ),
          metadata,
        })),
      ),
    ),
  )
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const requireText = (text: string, what: string): string => {
  if (/[\ud800-\udfff]/u.test(text))
    throw new RangeError(
      `writeSafetensors: the ${what} ${quoted(text)} has half a surrogate pair and cannot be written as UTF-8`,
    )
  return text
}

const requireRecord = (name: string, record: ArrayRecord): void => {
  const where = `writeSafetensors: tensor ${quoted(requireText(name, 'name'))}`
  const bits = record.shape.every((d) => Number.isSafeInteger(d) && d >= 0) ? bitsOf(record) : undefined
  if (name === '__metadata__') throw new RangeError(`${where}: this name is taken by the format`)
  if (bits === undefined || bits !== record.bytes.length * 8) {
    throw new RangeError(
      `${where}: ${record.bytes.length} bytes do not fit ${record.dtype} [${record.shape.join(', ')}]`,
    )
  }
}

const headerText = (
  ordered: readonly (readonly [string, ArrayRecord])[],
  metadata: ReadonlyMap<string, string>,
): string => {
  const pairs = [...metadata].toSorted(([a], [b]) => compareText(a, b))
  const meta = pairs.map(
    ([key, value]) =>
      `${JSON.stringify(requireText(key, 'metadata key'))}:${JSON.stringify(requireText(value, 'metadata value'))}`,
  )
  let at = 0
  const entries = ordered.map(([name, { dtype, shape, bytes }]) => {
    const begin = at
    at += bytes.length
    const value = `{"dtype":"${dtypeNames[dtype]}","shape":[${shape.join(',')}],"data_offsets":[${begin},${at}]}`
    return `${JSON.stringify(name)}:${value}`
  })
  // Text, not an object: JavaScript moves integer-like keys of objects to the front.
  return `{${[...(meta.length > 0 ? [`"__metadata__":{${meta.join(',')}}`] : []), ...entries].join(',')}}`
}

/**
 * Writes a safetensors file. The same tensors give the same bytes, in whatever order they come: sorted by dtype size
 * (largest first, so that each is aligned to its element), then by name (UTF-16 order); the header is padded with
 * spaces to a multiple of 8.
 *
 * @throws RangeError for a name that comes twice or is `__metadata__`, and for bytes that do not fit dtype and shape:
 *   bugs of the caller
 * @example
 * ```ts
 * import { writeSafetensors } from 'fathom/io'
 *
 * const file = writeSafetensors([['bias', { dtype: 'u8', shape: [3], bytes: Uint8Array.of(1, 2, 3) }]])
 * new TextDecoder().decode(file.subarray(8, -3)).trim() // => '{"bias":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}'
 * file.subarray(-3) // => [1, 2, 3]
 * ```
 */
export const writeSafetensors = (
  tensors: Iterable<readonly [name: string, record: ArrayRecord]>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array => {
  const ordered = [...tensors].toSorted(
    ([nameA, a], [nameB, b]) => bitsPerElement[b.dtype] - bitsPerElement[a.dtype] || compareText(nameA, nameB),
  )
  const names = new Set<string>()
  for (const [name, record] of ordered) {
    requireRecord(name, record)
    if (names.has(name)) throw new RangeError(`writeSafetensors: tensor ${quoted(name)} comes twice`)
    names.add(name)
  }
  const header = new TextEncoder().encode(headerText(ordered, metadata))
  const start = 8 + Math.ceil(header.length / 8) * 8
  const file = new Uint8Array(start + ordered.reduce((sum, [, record]) => sum + record.bytes.length, 0))
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true)
  file.fill(0x20, 8, start)
  file.set(header, 8)
  let at = start
  for (const [, { bytes }] of ordered) {
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}
