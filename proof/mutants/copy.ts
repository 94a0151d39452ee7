/** Private copies of the tree, in which bugs are planted: the working tree is only read. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mutant } from './mutant.ts'

/** What the tests need; node_modules is linked, not copied. */
const parts = ['src', 'test', 'proof', 'examples', 'package.json', 'vitest.config.ts', 'tsconfig.json'] as const

/** A copy of the tree in a temporary folder. */
export interface Copy {
  readonly root: string
  /** Deletes it; twice does no harm. */
  readonly remove: () => void
}

/** Copies the tree at `root`. */
export const copyOf = (root: string): Copy => {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-mutants-'))
  for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  return {
    root: folder,
    remove: () => {
      rmSync(join(folder, 'node_modules'), { force: true }) // the link, before anything follows it
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The file with the bug in it. @throws Error unless the text that it replaces occurs exactly once */
export const mutated = (source: string, { name, file, find, replace }: Mutant): string => {
  const [before, after, ...more] = source.split(find)
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`mutants: '${name}' looks for a text that ${file} does not hold exactly once: ${find}`)
  return `${before}${replace}${after}`
}

/** Runs `work` while the bug is in the copy. */
export const withMutant = async <T>({ root }: Copy, mutant: Mutant, work: () => Promise<T>): Promise<T> => {
  const path = join(root, mutant.file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, mutated(source, mutant))
  try {
    return await work()
  } finally {
    writeFileSync(path, source)
  }
}
