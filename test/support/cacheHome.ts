/** A cache of its own for the tests of a file: what the user keeps is neither read nor written. */
import process from 'node:process'
import { afterAll, beforeAll } from 'vitest'

/** Sets the home of caches while the tests of a file or of a `describe` run. @param directory gives one that is removed afterwards */
export const withCacheHome = (directory: () => string): void => {
  const before = process.env['XDG_CACHE_HOME']
  beforeAll(() => {
    process.env['XDG_CACHE_HOME'] = directory()
  })
  afterAll(() => {
    if (before === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = before
  })
}
