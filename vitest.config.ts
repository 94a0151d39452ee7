/** Test runner: all of test/, with the package's own names resolved to the source. */
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'
import { LongestFirst } from './test/support/longestFirst.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const source = (path: string): string => at(`./src/${path}`)

const filesOf = (folders: string): string[] => folders.split(' ').map((folder) => `test/${folder}/**/*.test.ts`)

/** Files that take the place of modules, or of what belongs to the whole process: each has a process of its own. */
const apart = [
  ...filesOf('backends/webgpu bench package page scripts'),
  'test/cli/{bench,command,diffusers,doctor,interrupted,kill,lostDevice,reconstruct}.test.ts',
  'test/docs/{addingAnOp,docs,examples}.test.ts',
  'test/backends/wasm/{machine,memory,messages,threads}.test.ts',
  'test/data/folder/pack.test.ts',
  'test/io/durability.test.ts',
  'test/train/{inMemory,reports}.test.ts',
]

/** Folders that look at many seas, whatever they test. */
const runs = filesOf('cli docs evaluation examples train')

/** Where the seas themselves are not what is tested, each is drawn once in a process. */
const drawnOnce: Plugin = {
  name: 'seas are drawn once',
  enforce: 'pre',
  resolveId: (path, importer = '') =>
    path === './render.ts' && importer.endsWith('/src/data/seas/index.ts')
      ? at('./test/support/drawnOnce.ts')
      : undefined,
}

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
      // What leaves nothing behind, neither in the process nor in modules, shares a process, and what it has compiled.
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: [...apart, ...runs], isolate: false },
      },
      { extends: true, plugins: [drawnOnce], test: { name: 'runs', include: runs, exclude: apart, isolate: false } },
      {
        extends: true,
        plugins: [drawnOnce],
        test: { name: 'apart', include: apart, setupFiles: ['test/support/patientPolls.ts'] },
      },
    ],
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
