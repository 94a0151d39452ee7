/** The bytes of a picture file → its pixels at one size, or why not. */
import { E } from '../../prelude/fp.ts'
import { decodePixels, isZeroFilled } from './decodePixels.node.ts'
import type { FolderReader } from './folderReader.node.ts'
import { errnoOf } from './folderReader.node.ts'
import { defaultTimeout, type DecodedImage, type DecodeOptions } from './decodeOptions.ts'
import type { Header } from './imageHeader.node.ts'
import { readHeader, vipsMessage } from './imageHeader.node.ts'
import { defaultLimits } from './limits.ts'
import type { Sharp } from './sharp.node.ts'
import type { Fault } from './skipReason.ts'

/** What a failed decoding says of its file. `seconds`: how long it took, because the messages of a stopped decoder vary. */
const decodeFault = ({ kind }: Header, error: unknown, seconds: number, timeout: number): Fault => {
  const all = error instanceof Error ? error.message : String(error)
  const message = vipsMessage(error)
  if (/timeout|killed for image/i.test(all) || seconds >= timeout)
    return {
      reason: 'too-slow',
      kind,
      detail: `It was not decoded in ${timeout} s.`,
    }
  if (/out of memory|cannot allocate|allocation fail|bad_alloc|memory_allocation|resource temporarily/i.test(all))
    return { reason: 'out-of-memory', kind, detail: `The memory was not enough to decode it (${message}).` }
  if (/premature|truncated|unexpected end|end of (file|stream)|not enough/i.test(all))
    return { reason: 'truncated', kind, detail: `The ${kind} data end too early (${message}).` }
  return { reason: 'corrupt', kind, detail: `The ${kind} data are damaged (${message}).` }
}

/**
 * Decodes a whole file in memory. Its faults are those of {@link readHeader}, `truncated`, `corrupt`, and of the moment
 * `too-slow` and `out-of-memory`.
 *
 * The shorter side is resized (Lanczos) to fit and the middle is cut out. Of several pages or frames the first is used.
 */
export const decodeImage = async (
  sharp: Sharp,
  bytes: Uint8Array,
  options: DecodeOptions,
): Promise<E.Either<Fault, DecodedImage>> => {
  const { height, width, channels, maxPixels = defaultLimits.maxPixels, maxBytes = defaultLimits.maxBytes } = options
  const source = { bytes: bytes.length, read: async (at: number, length: number) => bytes.subarray(at, at + length) }
  const header = await readHeader(sharp, source, { maxPixels, maxBytes })
  if (E.isLeft(header)) return header
  const { format, kind } = header.right
  const start = performance.now()
  try {
    if (await isZeroFilled(sharp, bytes, format, options))
      return E.left({ reason: 'truncated', kind, detail: `A part of its ${kind} data was never written: it is zeros.` })
    const pixels = await decodePixels(sharp, bytes, header.right, options)
    if (pixels.length !== height * width * channels)
      throw new Error(`the decoder gave ${pixels.length} bytes instead of ${height}×${width}×${channels}`)
    return E.right({ height, width, channels, pixels })
  } catch (error) {
    const seconds = (performance.now() - start) / 1000
    return E.left(decodeFault(header.right, error, seconds, options.timeoutSeconds ?? defaultTimeout))
  }
}

/** All bytes of a file, or why not; reads no more than `maxBytes`. */
export const readWhole = async (
  fileSystem: FolderReader,
  path: string,
  maxBytes: number,
): Promise<E.Either<Fault, { readonly bytes: Uint8Array; readonly ctime: number }>> => {
  try {
    return await fileSystem.withFile(path, async (file) => {
      const { bytes: size, ctime, kind } = await file.status()
      if (kind !== 'file')
        return E.left<Fault>({ reason: 'special-file', kind, detail: `It is not a file but a ${kind}.` })
      if (size > maxBytes)
        return E.left<Fault>({
          reason: 'too-many-bytes',
          kind: 'file',
          detail: `It has ${size} bytes; the limit is ${maxBytes}.`,
        })
      const bytes = await file.read(0, size)
      const after = await file.status()
      if (bytes.length !== size || after.bytes !== size || after.ctime !== ctime)
        return E.left<Fault>({ reason: 'changed', kind: 'file', detail: 'It was written to while it was read.' })
      return E.right({ bytes, ctime })
    })
  } catch (error) {
    const code = errnoOf(error)
    return E.left(
      code === 'ENOENT'
        ? { reason: 'missing', kind: 'file', detail: 'There is no such file.' }
        : { reason: 'unreadable', kind: 'file', detail: `The system refuses to read it: ${code}.` },
    )
  }
}
