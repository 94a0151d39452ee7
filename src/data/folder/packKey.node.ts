/** The name of a pack: the hash of everything that its bytes depend on. */
import { createHash } from 'node:crypto'
import type { ImageShape } from './decodeOptions.ts'

/** Part of every key: a change of layout or of decoding makes new packs. */
export const packVersion = 2

/** Everything that the packed bytes depend on; `files` holds path, bytes, mtime and ctime of each. */
export interface PackRecipe extends ImageShape {
  readonly folder: string
  readonly matte: number
  readonly maxPixels: number
  readonly maxBytes: number
  readonly maxEnlargement: number
  readonly followLinks: boolean
  /** Names and versions of the decoders. */
  readonly decoder: string
  readonly files: readonly (readonly [path: string, bytes: number, mtime: number, ctime: number])[]
}

const digits = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16)

/** 16 digits for the folder and the options, and 16 for all, the files and the decoder among it. */
export const packKey = (recipe: PackRecipe): string => {
  const { files: _files, decoder: _decoder, ...lasting } = recipe
  return digits([packVersion, lasting]) + digits([packVersion, recipe])
}

/** Equal for packs of one folder with the same options, of which only the newest is of use. */
export const packGroup = (key: string): string => key.slice(0, 16)
