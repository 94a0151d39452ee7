/**
 * node:fs/promises as a test sees it: every call that changes a disk, or that makes a change last, is written down in its order, and
 * may be made to fail. It stands between the code and Node itself, so that no sync can go unseen; use with `vi.mock`.
 */
import type { FileHandle } from 'node:fs/promises'

type FsPromises = typeof import('node:fs/promises')

/** What happened, in order: `open w PATH`, `write PATH`, `sync PATH`, `rename FROM → TO`, … */
export const calls: string[] = []

/** Called with each call before it is made; what it throws is thrown. */
export const hooks: { before: (call: string) => void } = { before: () => undefined }

const note = (call: string): void => {
  hooks.before(call)
  calls.push(call)
}

const shown = (path: unknown): string => String(path)

/** The handle, with its changes noted. */
const watched = (handle: FileHandle, path: string): FileHandle =>
  new Proxy(handle, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      const name = String(property)
      const changes = ['sync', 'datasync', 'write', 'writeFile', 'appendFile', 'truncate'].includes(name)
      return async (...args: readonly unknown[]): Promise<unknown> => {
        if (changes) note(`${name === 'writeFile' ? 'write' : name} ${path}`)
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })

/** The module with its changes noted. */
export const watchedFs = (actual: FsPromises): FsPromises => ({
  ...actual,
  open: async (path, flags, mode) => {
    const opened = `open ${flags ?? 'r'} ${shown(path)}`
    if (flags !== 'r' && flags !== undefined) note(opened)
    return watched(await actual.open(path, flags, mode), shown(path))
  },
  writeFile: async (path, data, options) => {
    const flushed = typeof options === 'object' && options !== null && 'flush' in options && options.flush === true
    note(`write ${shown(path)}`)
    await actual.writeFile(path, data, options)
    if (flushed) note(`sync ${shown(path)}`)
  },
  rename: async (from, to) => {
    note(`rename ${shown(from)} → ${shown(to)}`)
    await actual.rename(from, to)
  },
  rm: async (path, options) => {
    note(`remove ${shown(path)}`)
    await actual.rm(path, options)
  },
})

/** The calls since the last reset whose text holds one of these, with the prefix of all paths cut and what is random in a temporary name as N. */
export const callsAbout = (prefix: string, ...parts: readonly string[]): readonly string[] =>
  calls
    .filter((call) => parts.length === 0 || parts.some((part) => call.includes(part)))
    .map((call) =>
      call.replaceAll(`${prefix}/`, '').replaceAll(/(\.tmp-[^/ ]*?)(-[0-9a-f]{8})?-\d+(?=$|[ /])/g, '$1-N'),
    )
