/** Test runner: all of test/, with the package's own names resolved to the source. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** Folders whose tests leave nothing behind, neither in the process nor in modules: they share a process, and what it has compiled. */
const shared = 'autograd compiler diffusion evaluation graph models nn optim prelude proof tensor'
  .split(' ')
  .map((folder) => `test/${folder}/**/*.test.ts`)

export default defineConfig({
  resolve: {
    alias: [
      { find: /^fathom$/, replacement: source('index.ts') },
      {
        find: /^fathom\/(nn|nn\/init|optim|models|diffusion|io|data|evaluation|train)$/,
        replacement: source('$1/index.ts'),
      },
    ],
  },
  // One worker a core: the runner's own choice leaves one core idle, and of two that is half. A test that takes longer than its fellows because
  // the machine is busy is no failure: only one that hangs is.
  // No GPU is taken unless a test asks for one by name: a machine that has one gives the same results as one that has none.
  test: {
    env: { FATHOM_WEBGPU: '0' },
    projects: [
      { extends: true, test: { name: 'shared', include: shared, isolate: false } },
      { extends: true, test: { name: 'apart', include: ['test/**/*.test.ts'], exclude: shared } },
    ],
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
