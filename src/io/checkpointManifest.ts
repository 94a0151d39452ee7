/**
 * The manifest of a checkpoint: which files belong to it, their sizes and SHA-256 sums.
 *
 * It has one canonical text. A manifest that differs from the text of what it says is refused, so that a flipped bit
 * cannot hide in it.
 */
import { E } from '../prelude/fp.ts'
import { printable } from '../prelude/printable.ts'
import { isRecord } from '../prelude/record.ts'

/** One file of a checkpoint: size in bytes, SHA-256 as 64 lower-case hexadecimal digits. */
export type ManifestFile = { readonly name: string; readonly size: number; readonly sha256: string }

/** What `MANIFEST.json` says. */
export type CheckpointManifest = { readonly step: number; readonly files: readonly ManifestFile[] }

/** The file's name inside a checkpoint. */
export const manifestName = 'MANIFEST.json'

const formatVersion = 1

/**
 * Whether a name may be a checkpoint's file: letters, digits, `.`, `_`, `-`; not hidden, no path, not the manifest
 * itself.
 */
export const isFileName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name) && name !== manifestName

/** The canonical text: fixed key order, files sorted by name, two spaces of indent. */
export const manifestText = ({ step, files }: CheckpointManifest): string => {
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const ordered = sorted.map(({ name, size, sha256 }) => ({ name, size, sha256 }))
  return `${JSON.stringify({ formatVersion, step, files: ordered }, null, 2)}\n`
}

const isManifestFile = (x: unknown): x is ManifestFile =>
  isRecord(x) &&
  typeof x['name'] === 'string' &&
  isFileName(x['name']) &&
  Number.isSafeInteger(x['size']) &&
  typeof x['sha256'] === 'string' &&
  /^[0-9a-f]{64}$/.test(x['sha256'])

/**
 * Reads a manifest.
 *
 * @returns Left with the reason why it cannot be trusted
 */
export const parseManifest = (text: string): E.Either<string, CheckpointManifest> => {
  const parsed = E.tryCatch(
    () => JSON.parse(text) as unknown,
    () => undefined,
  )
  if (E.isLeft(parsed) || !isRecord(parsed.right)) return E.left(`${manifestName} is not a JSON object`)
  const { formatVersion: version, step, files } = parsed.right
  if (version !== formatVersion)
    return E.left(
      `${manifestName} has format version ${printable(String(version).slice(0, 40))}, and this program reads ${formatVersion}`,
    )
  if (typeof step !== 'number' || !Array.isArray(files) || !files.every(isManifestFile))
    return E.left(`${manifestName} is damaged`)
  const manifest = { step, files }
  return manifestText(manifest) === text ? E.right(manifest) : E.left(`${manifestName} is damaged`)
}
