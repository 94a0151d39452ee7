/**
 * Decoded pictures of a folder, packed: one file of bytes N×H×W×C and a manifest, in a folder of their own outside the
 * user's.
 *
 * Why: decoding is the slow part (about 1 ms for a tiny JPEG, 100 ms for a photograph) and is the same in every epoch
 * and every run.
 * A pack is complete or absent: it is written under a temporary name, synced, and renamed. What is opened is checked
 * byte by byte
 * against the sha256 of its manifest, so neither a crash nor a bad disk can change what a model sees without a word.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { E } from '../../prelude/fp.ts'
import { isRecord } from '../../prelude/record.ts'
import { temporaryName, withHeartbeat } from './cacheSweep.node.ts'
import type { ImageShape } from './decodeOptions.ts'
import { groupsBy, type Duplicates } from './duplicates.node.ts'
import { errnoOf } from './folderReader.node.ts'
import { packVersion } from './packKey.node.ts'
import type { SkippedFile } from './scanReport.ts'
import { skipReasons } from './skipReason.ts'

const pixelsName = 'pixels.u8'
const manifestName = 'manifest.json'

/** What the manifest says of the packed pictures. */
export interface PackManifest extends ImageShape {
  readonly version: number
  readonly key: string
  readonly count: number
  /** Paths of the pictures in the folder, in the order of their pixels. */
  readonly names: readonly string[]
  /** Files of the scan that could not be decoded. */
  readonly skipped: readonly SkippedFile[]
  /** Names of pictures whose pixels are equal. */
  readonly duplicates: Duplicates
  /** Of {@link pixelsName}. */
  readonly sha256: string
}

/**
 * A pack in memory: pictures in blocks of at most 1 GiB, because one array cannot hold everything.
 */
export interface Pack {
  readonly manifest: PackManifest
  /** A view of picture `index`; `undefined` where there is none. */
  readonly pictureAt: (index: number) => Uint8Array | undefined
}

/** Why there is no pack to reuse. */
export type PackMiss = { readonly _tag: 'Absent' } | { readonly _tag: 'Damaged'; readonly why: string }

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')

const damaged = (why: string): E.Either<PackMiss, never> => E.left({ _tag: 'Damaged', why })

/** The manifest stands in its file next to its own hash, over the exact text of its JSON. */
const manifestText = (manifest: PackManifest): string => {
  const body = JSON.stringify(manifest)
  return `{"sha256":"${sha256(body)}","manifest":${body}}\n`
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && Number(x) >= 0

const isText = (x: unknown): x is string => typeof x === 'string'

const isSkippedFile = (x: unknown): x is SkippedFile =>
  isRecord(x) &&
  isText(x['reason']) &&
  Object.hasOwn(skipReasons, x['reason']) &&
  [x['path'], x['kind'], x['detail'], x['advice']].every(isText)

const isImageShape = (x: Readonly<Record<string, unknown>>): boolean =>
  isCount(x['height']) && isCount(x['width']) && [1, 3, 4].some((channels) => channels === x['channels'])

const isPackManifest = (x: unknown): x is PackManifest =>
  isRecord(x) &&
  isImageShape(x) &&
  isCount(x['version']) &&
  isCount(x['count']) &&
  isText(x['key']) &&
  isText(x['sha256']) &&
  Array.isArray(x['names']) &&
  x['names'].every(isText) &&
  Array.isArray(x['skipped']) &&
  x['skipped'].every(isSkippedFile) &&
  Array.isArray(x['duplicates']) &&
  x['duplicates'].every((group) => Array.isArray(group) && group.every(isText))

const readManifest = async (folder: string): Promise<E.Either<PackMiss, PackManifest>> => {
  const text = await readFile(join(folder, manifestName), 'utf8')
  const match = /^\{"sha256":"([0-9a-f]{64})","manifest":(.*)\}\n$/s.exec(text)
  const body = match?.[2]
  if (body === undefined || sha256(body) !== match?.[1]) return damaged('its manifest does not match its own hash')
  const manifest: unknown = JSON.parse(body) // its hash says that it was written whole, as JSON
  return isPackManifest(manifest) ? E.right(manifest) : damaged('its manifest does not say what a manifest says')
}

const readBlocks = async (
  folder: string,
  manifest: PackManifest,
  blockBytes: number,
): Promise<E.Either<PackMiss, Pack>> => {
  const each = manifest.height * manifest.width * manifest.channels
  const total = each * manifest.count
  const perBlock = Math.max(1, Math.floor(blockBytes / each))
  const handle = await open(join(folder, pixelsName), 'r')
  try {
    const { size } = await handle.stat()
    if (size !== total) return damaged(`${pixelsName} has ${size} bytes instead of ${total}`)
    const hash = createHash('sha256')
    const blocks: Uint8Array[] = []
    for (let start = 0; start < total; start += perBlock * each) {
      const block = new Uint8Array(Math.min(perBlock * each, total - start))
      for (let at = 0; at < block.length;) {
        const { bytesRead } = await handle.read(block, at, Math.min(block.length - at, 2 ** 24), start + at)
        if (bytesRead === 0) return damaged(`${pixelsName} ends early`)
        hash.update(block.subarray(at, at + bytesRead))
        at += bytesRead
      }
      blocks.push(block)
    }
    if (hash.digest('hex') !== manifest.sha256) return damaged(`${pixelsName} does not match its sha256`)
    const pictureAt = (index: number): Uint8Array | undefined => {
      if (!Number.isInteger(index) || index < 0 || index >= manifest.count) return undefined
      const start = (index % perBlock) * each
      return blocks[Math.floor(index / perBlock)]?.subarray(start, start + each)
    }
    return E.right({ manifest, pictureAt })
  } finally {
    await handle.close()
  }
}

/**
 * Opens the pack `key` in `cacheDirectory` and checks all of it. Never rejects: what cannot be read is damaged.
 *
 * @param blockBytes of one array at most; fewer only for tests
 */
export const openPack = async (
  cacheDirectory: string,
  key: string,
  shape: ImageShape,
  blockBytes = 2 ** 30,
): Promise<E.Either<PackMiss, Pack>> => {
  const folder = join(cacheDirectory, key)
  try {
    const manifest = await readManifest(folder)
    if (E.isLeft(manifest)) return manifest
    const { height, width, channels, names, count } = manifest.right
    const fits =
      height === shape.height && width === shape.width && channels === shape.channels && names.length === count
    if (!fits || manifest.right.key !== key) return damaged('its manifest belongs to another pack')
    return await readBlocks(folder, manifest.right, blockBytes)
  } catch (error) {
    const code = errnoOf(error)
    return code === 'ENOENT' ? await absentOrPartial(folder) : damaged(`it cannot be read (${code})`)
  }
}

const absentOrPartial = async (folder: string): Promise<E.Either<PackMiss, never>> => {
  try {
    await (await open(folder, 'r')).close()
    return damaged('one of its files is missing')
  } catch {
    return E.left({ _tag: 'Absent' })
  }
}

/** One result of decoding, in the order of the recipe's files. */
export type Decoded =
  | { readonly _tag: 'Pixels'; readonly name: string; readonly pixels: Uint8Array }
  | { readonly _tag: 'Skipped'; readonly file: SkippedFile }

const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return // Windows has no handle on a folder to sync
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes the pixels as they come; returns what the manifest needs to know. */
const writePixels = async (
  path: string,
  decoded: AsyncIterable<Decoded>,
): Promise<Pick<PackManifest, 'names' | 'skipped' | 'duplicates' | 'sha256'>> => {
  const hash = createHash('sha256')
  const pictures: { readonly name: string; readonly hash: string }[] = []
  const skipped: SkippedFile[] = []
  const handle = await open(path, 'wx', 0o600)
  try {
    for await (const item of decoded) {
      if (item._tag === 'Skipped') {
        skipped.push(item.file)
        continue
      }
      for (let at = 0; at < item.pixels.length;) at += (await handle.write(item.pixels, at)).bytesWritten
      hash.update(item.pixels)
      pictures.push({ name: item.name, hash: sha256(item.pixels) })
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  const duplicates = groupsBy(pictures, ({ hash }) => hash).map((group) => group.map(({ name }) => name))
  return { names: pictures.map(({ name }) => name), skipped, duplicates, sha256: hash.digest('hex') }
}

/** Puts a finished pack in its place; when another process was faster, its pack (of the same recipe) stays. */
const publish = async (temporary: string, target: string): Promise<void> => {
  try {
    await rename(temporary, target)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(errnoOf(error))) throw error
    await rm(temporary, { recursive: true, force: true })
  }
}

/**
 * Writes a pack. Rejects with Node's error when the disk refuses, after removing what it began; the pack is then
 * absent, as before.
 *
 * @param replace a damaged pack of the same key is in the way and goes first
 */
export const writePack = async (
  cacheDirectory: string,
  key: string,
  shape: ImageShape,
  decoded: AsyncIterable<Decoded>,
  replace: boolean,
): Promise<void> => {
  await mkdir(cacheDirectory, { recursive: true, mode: 0o700 })
  const target = join(cacheDirectory, key)
  const temporary = join(cacheDirectory, temporaryName(key))
  await mkdir(temporary, { mode: 0o700 })
  try {
    const written = await withHeartbeat(temporary, () => writePixels(join(temporary, pixelsName), decoded))
    const { height, width, channels } = shape
    const manifest: PackManifest = {
      version: packVersion,
      key,
      height,
      width,
      channels,
      count: written.names.length,
      ...written,
    }
    await writeFile(join(temporary, manifestName), manifestText(manifest), { mode: 0o600, flag: 'wx', flush: true })
    await syncFolder(temporary)
    if (replace) await rm(target, { recursive: true, force: true })
    await publish(temporary, target)
    await syncFolder(cacheDirectory)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw error
  }
}
