/**
 * A file system in memory that loses power.
 *
 * It logs primitive operations (name an inode, unname it, rename, write, sync) and can rebuild every state that a
 * disk may be in after a crash: names that were not followed by a sync of their directory, and data that was not
 * followed by a sync of its file, are kept or lost in any combination, and data may be torn. Source: Pillai et al.
 * 2014, "All File Systems Are Not Created Equal" (ALICE).
 */
import { TE } from '../../src/prelude/fp.ts'
import type { Destination, FileSystem, FileSystemError, WriteMode } from '../../src/io/fileSystem.ts'

type Op =
  | {
      readonly kind: 'bind'
      readonly inode: number
      readonly name: string
      readonly child: number
      readonly directory: boolean
    }
  | { readonly kind: 'unbind'; readonly inode: number; readonly name: string }
  | { readonly kind: 'rename'; readonly inode: number; readonly name: string; readonly to: string }
  | { readonly kind: 'write'; readonly inode: number; readonly bytes: Uint8Array }
  | { readonly kind: 'sync'; readonly inode: number }

type Disk = { readonly directories: Map<number, Map<string, number>>; readonly files: Map<number, Uint8Array> }

/** What happened to the data of a write that was not synced. */
type WriteFate = 'kept' | 'lost' | 'torn' | 'zeroed'

const emptyDisk = (): Disk => ({ directories: new Map([[0, new Map()]]), files: new Map() })

const apply = (disk: Disk, op: Op): void => {
  const names = disk.directories.get(op.inode)
  if (op.kind === 'write') disk.files.set(op.inode, op.bytes)
  if (names === undefined) return
  if (op.kind === 'bind') {
    names.set(op.name, op.child)
    if (op.directory) disk.directories.set(op.child, disk.directories.get(op.child) ?? new Map())
    else disk.files.set(op.child, disk.files.get(op.child) ?? new Uint8Array(0))
  } else if (op.kind === 'unbind') {
    names.delete(op.name)
  } else if (op.kind === 'rename') {
    const child = names.get(op.name)
    if (child === undefined) return // the name that it moves was lost
    names.delete(op.name)
    names.set(op.to, child)
  }
}

/** An operation that fails: at which index of the log, with which code, and whether every later one fails too. */
export type Fault = { readonly at: number; readonly code: string; readonly forever: boolean }

class SystemError extends Error {
  readonly code: string
  constructor(code: string, path: string) {
    super(`${code}: ${path}`)
    this.code = code
  }
}

/** A disk, its log, and the port that the code under test uses. */
export class CrashFileSystem implements FileSystem {
  readonly log: Op[] = []
  fault: Fault | undefined
  private readonly disk: Disk
  private next: number

  constructor(disk: Disk = emptyDisk()) {
    this.disk = disk
    this.next = 1 + Math.max(...disk.directories.keys(), ...disk.files.keys())
  }

  private act(op: Op, path: string): void {
    const { fault } = this
    if (fault && (this.log.length === fault.at || (fault.forever && this.log.length > fault.at))) {
      if (!fault.forever) this.fault = undefined
      // A disk fills up in mid-write.
      if (op.kind === 'write') this.record({ ...op, bytes: op.bytes.subarray(0, op.bytes.length >> 1) })
      throw new SystemError(fault.code, path)
    }
    this.record(op)
  }

  private record(op: Op): void {
    this.log.push(op)
    apply(this.disk, op)
  }

  private find(path: string): number | undefined {
    return path
      .split('/')
      .filter((part) => part !== '')
      .reduce<number | undefined>(
        (inode, part) => (inode === undefined ? undefined : this.disk.directories.get(inode)?.get(part)),
        0,
      )
  }

  private need(path: string): number {
    const inode = this.find(path)
    if (inode === undefined) throw new SystemError('ENOENT', path)
    return inode
  }

  private split(path: string): readonly [directory: number, name: string] {
    const cut = path.lastIndexOf('/')
    return [this.need(path.slice(0, cut)), path.slice(cut + 1)]
  }

  private call<A>(operation: string, path: string, f: () => A): TE.TaskEither<FileSystemError, A> {
    return TE.tryCatch(
      async () => f(),
      (reason): FileSystemError => {
        if (!(reason instanceof SystemError)) throw reason
        return { _tag: 'FileSystemError', code: reason.code, operation, path, message: reason.message }
      },
    )
  }

  private bind(path: string, directory: boolean): number {
    const [inode, name] = this.split(path)
    const child = this.next++
    this.act({ kind: 'bind', inode, name, child, directory }, path)
    return child
  }

  private removeNow(path: string): void {
    const inode = this.find(path)
    if (inode === undefined) return
    for (const name of this.disk.directories.get(inode)?.keys() ?? []) this.removeNow(`${path}/${name}`)
    const [directory, name] = this.split(path)
    this.act({ kind: 'unbind', inode: directory, name }, path)
  }

  makeDirectory = (path: string): TE.TaskEither<FileSystemError, void> =>
    this.call('make', path, () => {
      if (this.find(path) === undefined) this.bind(path, true)
    })

  writeFile = (path: string, bytes: Uint8Array, mode: WriteMode): TE.TaskEither<FileSystemError, void> =>
    this.call('write', path, () => {
      const found = this.find(path)
      if (found !== undefined && mode === 'exclusive') throw new SystemError('EEXIST', path)
      const inode = found ?? this.bind(path, false)
      this.act({ kind: 'write', inode, bytes: Uint8Array.from(bytes) }, path)
      this.act({ kind: 'sync', inode }, path)
    })

  destination = (path: string): TE.TaskEither<FileSystemError, Destination> => TE.right({ path, isDevice: false })

  syncDirectory = (path: string): TE.TaskEither<FileSystemError, void> =>
    this.call('sync', path, () => this.act({ kind: 'sync', inode: this.need(path) }, path))

  rename = (from: string, to: string): TE.TaskEither<FileSystemError, void> =>
    this.call('rename', from, () => {
      const [inode, name] = this.split(from)
      this.need(from)
      const target = this.find(to)
      if (target !== undefined && this.disk.directories.get(target)?.size) throw new SystemError('ENOTEMPTY', to)
      this.act({ kind: 'rename', inode, name, to: to.slice(to.lastIndexOf('/') + 1) }, from)
    })

  remove = (path: string): TE.TaskEither<FileSystemError, void> => this.call('remove', path, () => this.removeNow(path))

  readFile = (path: string): TE.TaskEither<FileSystemError, Uint8Array> =>
    this.call('read', path, () => {
      const bytes = this.disk.files.get(this.need(path))
      if (bytes === undefined) throw new SystemError('EISDIR', path)
      return bytes
    })

  list = (path: string): TE.TaskEither<FileSystemError, readonly string[]> =>
    this.call('list', path, () => [...(this.disk.directories.get(this.need(path))?.keys() ?? [])].toSorted())
}

/** All subsets of up to 7 pending operations; for more: all, none, every prefix, all but one, only one. */
const subsets = (pending: readonly number[]): readonly ReadonlySet<number>[] => {
  if (pending.length <= 7)
    return Array.from({ length: 2 ** pending.length }, (_, mask) => new Set(pending.filter((_, i) => (mask >> i) & 1)))
  return [[], ...pending.flatMap((p, i) => [pending.slice(0, i + 1), pending.filter((q) => q !== p), [p]])].map(
    (s) => new Set(s),
  )
}

const survived = (op: Op & { readonly kind: 'write' }, fate: WriteFate): Uint8Array | undefined => {
  const half = op.bytes.length >> 1
  if (fate === 'kept') return op.bytes
  if (fate === 'torn') return op.bytes.subarray(0, half)
  return fate === 'zeroed' ? Uint8Array.from(op.bytes, (b, i) => (i < half ? b : 0)) : undefined
}

/** Every state of the disk after a crash that follows the first `length` operations of `log`. */
export function* crashStates(log: readonly Op[], length: number): Generator<CrashFileSystem> {
  const ops = log.slice(0, length)
  const lastSync = new Map<number, number>()
  ops.forEach((op, i) => op.kind === 'sync' && lastSync.set(op.inode, i))
  const pending = (op: Op, i: number): boolean => op.kind !== 'sync' && (lastSync.get(op.inode) ?? -1) < i
  const names = ops.flatMap((op, i) => (op.kind !== 'write' && pending(op, i) ? [i] : []))
  const fates: readonly WriteFate[] = ops.some((op, i) => op.kind === 'write' && pending(op, i))
    ? ['kept', 'lost', 'torn', 'zeroed']
    : ['kept']
  for (const kept of subsets(names)) {
    for (const fate of fates) {
      const disk = emptyDisk()
      ops.forEach((op, i) => {
        if (!pending(op, i)) return apply(disk, op)
        if (op.kind === 'write') {
          const bytes = survived(op, fate)
          if (bytes) apply(disk, { ...op, bytes })
        } else if (kept.has(i)) apply(disk, op)
        else if (op.kind === 'bind' && op.directory) disk.directories.set(op.child, new Map()) // exists, without a name
      })
      yield new CrashFileSystem(disk)
    }
  }
}
