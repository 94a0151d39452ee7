/** vitest inside a private copy: the project's own settings, without shrinking, and nothing written outside the copy. */
import { fileURLToPath } from 'node:url'
import { mergeConfig } from 'vitest/config'
import base from '../../vitest.config.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default mergeConfig(base, {
  root: here('../..'),
  cacheDir: here('../../.vite'),
  test: { setupFiles: [here('setup.ts')], testTimeout: 60_000, fileParallelism: false },
})
