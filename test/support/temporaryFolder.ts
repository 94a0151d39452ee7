/** A temporary folder for a test file, removed at its end, and ways to put files into it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'

/** Call at the top of a test file; gives a function that makes fresh folders with the given files. */
export const temporaryFolders = (): ((files?: Readonly<Record<string, Uint8Array | string>>) => string) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'fathom-folder-')))
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  let next = 0
  return (files = {}) => {
    const folder = join(root, `f${next++}`)
    mkdirSync(folder)
    for (const [path, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), bytes)
    }
    return folder
  }
}
