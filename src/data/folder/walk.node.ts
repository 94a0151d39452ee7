/**
 * All files under a folder. Names are data and are never handed to anything that would interpret them; links may not
 * lead out of the
 * folder unless allowed; nothing is visited twice, so a loop ends.
 */
import { isAbsolute, join, relative, sep } from 'node:path'
import type { FolderReader } from './folderReader.node.ts'
import { errnoOf } from './folderReader.node.ts'
import { ignoredKind, type IgnoredKind } from './ignoredNames.ts'
import { isRunFolder } from './runFolder.node.ts'
import { comparePaths, countBy, skippedFile } from './scanReport.ts'
import type { SkippedFile } from './scanReport.ts'
import type { Fault } from './skipReason.ts'

/** A file to look at. */
export interface FoundFile {
  /** Relative to the folder, with `/`. */
  readonly path: string
  /** Where to open it: free of links below the folder. */
  readonly real: string
}

/** All files, and everything that was passed over. */
export interface Walk {
  readonly files: readonly FoundFile[]
  readonly skipped: readonly SkippedFile[]
  /** Names that were left out, and how many of which kind. */
  readonly ignored: number
  readonly ignoredByKind: Readonly<Partial<Record<IgnoredKind, number>>>
  /** Folders that are runs of fathom; not searched. */
  readonly runs: readonly string[]
}

interface State {
  readonly fileSystem: FolderReader
  readonly root: string
  readonly followLinks: boolean
  readonly files: FoundFile[]
  readonly links: FoundFile[]
  readonly skipped: SkippedFile[]
  /** Identities of the folders that were listed. */
  readonly folders: Set<string>
  /** Real paths of the files that were found. */
  readonly seen: Set<string>
  readonly ignored: IgnoredKind[]
  readonly runs: string[]
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The name as a string, or `undefined` when it is not UTF-8 and could not be opened by a string again. */
const decodeName = (name: Uint8Array): string | undefined => {
  try {
    return utf8.decode(name)
  } catch {
    return undefined
  }
}

const child = (parent: FoundFile, name: string): FoundFile => ({
  path: parent.path === '' ? name : `${parent.path}/${name}`,
  real: join(parent.real, name),
})

const skip = (state: State, path: string, fault: Fault): void => {
  state.skipped.push(skippedFile(path, fault))
}

const unreadable = (error: unknown, kind: string): Fault => ({
  reason: 'unreadable',
  kind,
  detail: `The system refuses to read it: ${errnoOf(error)}.`,
})

const addFile = (state: State, file: FoundFile): void => {
  state.seen.add(file.real)
  state.files.push(file)
}

/** Lists one folder into `state`; returns the folders below. */
const listFolder = async (state: State, folder: FoundFile): Promise<readonly FoundFile[]> => {
  const { identity } = await state.fileSystem.status(folder.real)
  if (state.folders.has(identity)) {
    skip(state, folder.path, {
      reason: 'link-loop',
      kind: 'folder',
      detail: 'It is a folder that was visited already.',
    })
    return []
  }
  const below: FoundFile[] = []
  const entries = await state.fileSystem.list(folder.real)
  state.folders.add(identity)
  // The folder that was asked for is searched whatever it is.
  if (folder.path !== '' && (await isRunFolder(state.fileSystem, folder.real, entries))) {
    state.runs.push(folder.path)
    return []
  }
  for (const { name: bytes, kind } of entries) {
    const name = decodeName(bytes)
    if (name === undefined) {
      const detail = `Its name holds the bytes ${Buffer.from(bytes).toString('hex')}.`
      skip(state, child(folder, Buffer.from(bytes).toString('latin1')).path, {
        reason: 'name-not-utf8',
        kind: 'file',
        detail,
      })
      continue
    }
    const item = child(folder, name)
    const ignored = ignoredKind(name, kind)
    if (ignored !== undefined) state.ignored.push(ignored)
    else if (kind === 'file') addFile(state, item)
    else if (kind === 'folder') below.push(item)
    else if (kind === 'link') state.links.push(item)
    else skip(state, item.path, { reason: 'special-file', kind: 'file', detail: 'It is a pipe, a socket or a device.' })
  }
  return below
}

/** Lists a folder and all below it; one that cannot be listed is reported. */
const walkFrom = async (state: State, start: FoundFile): Promise<void> => {
  const pending: FoundFile[] = [start]
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    try {
      pending.push(...(await listFolder(state, folder)))
    } catch (error) {
      if (folder.path === '') throw error
      skip(state, folder.path, unreadable(error, 'folder'))
    }
  }
}

const isInside = (folder: string, path: string): boolean => {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

const linkFault = (reason: 'link-broken' | 'link-loop' | 'link-outside' | 'link-duplicate', detail: string): Fault => ({
  reason,
  kind: 'link',
  detail,
})

const followLink = async (state: State, link: FoundFile): Promise<void> => {
  let real: string
  try {
    real = await state.fileSystem.realPath(link.real)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT') return skip(state, link.path, linkFault('link-broken', 'It points at nothing.'))
    if (code === 'ELOOP')
      return skip(state, link.path, linkFault('link-loop', 'It points at itself, perhaps through others.'))
    return skip(state, link.path, unreadable(error, 'link'))
  }
  if (!state.followLinks && !isInside(state.root, real))
    return skip(state, link.path, linkFault('link-outside', 'Its target is not inside the folder.'))
  if (isInside(real, link.real))
    return skip(state, link.path, linkFault('link-loop', 'It points at a folder that contains it.'))
  try {
    const { kind, identity } = await state.fileSystem.status(real)
    if (state.seen.has(real) || state.folders.has(identity))
      return skip(state, link.path, linkFault('link-duplicate', 'Its target was found at another path.'))
    if (kind === 'file') addFile(state, { path: link.path, real })
    else if (kind === 'folder') await walkFrom(state, { path: link.path, real })
    else
      skip(state, link.path, {
        reason: 'special-file',
        kind: 'link',
        detail: 'It points at a pipe, a socket or a device.',
      })
  } catch (error) {
    skip(state, link.path, unreadable(error, 'link'))
  }
}

/**
 * Every file under `folder`. True paths win over links, and links are followed in the order of their paths, so that the
 * result does not
 * depend on the order in which the disk lists names.
 *
 * @param folder an existing folder; may itself be a link
 * @param followLinks whether links may leave the folder
 * @returns files in the order of their paths' bytes; rejects with Node's error when `folder` itself cannot be listed
 */
export const walkFolder = async (fileSystem: FolderReader, folder: string, followLinks: boolean): Promise<Walk> => {
  const root = await fileSystem.realPath(folder)
  const state: State = {
    fileSystem,
    root,
    followLinks,
    files: [],
    links: [],
    skipped: [],
    folders: new Set(),
    seen: new Set(),
    ignored: [],
    runs: [],
  }
  await walkFrom(state, { path: '', real: root })
  // Following a link may find more links, so this is a queue; each round is sorted.
  while (state.links.length > 0) {
    const round = state.links.splice(0).toSorted((a, b) => comparePaths(a.path, b.path))
    for (const link of round) await followLink(state, link)
  }
  const { files, skipped, ignored, runs } = state
  return {
    files: files.toSorted((a, b) => comparePaths(a.path, b.path)),
    skipped,
    ignored: ignored.length,
    ignoredByKind: countBy(ignored, (kind) => kind),
    runs: runs.toSorted(comparePaths),
  }
}
