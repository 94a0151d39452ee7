/** What a page ships: what it uses, and no more. The bundler is Vite, as a user's would be. */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { describe, expect, it } from 'vitest'

const source = fileURLToPath(new URL('../../src/', import.meta.url))

/** The chunks of a program that is an only module. */
const chunksOf = async (program: string): Promise<readonly Rolldown.OutputChunk[]> => {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    root: source,
    plugins: [
      {
        name: 'program',
        enforce: 'pre',
        resolveId: (id: string) => {
          if (id === 'program') return '\0program'
          const entry = /^fathom(\/\w+)?$/.exec(id)
          return entry === null ? null : `${source}${(entry[1] ?? '').slice(1)}/index.ts`.replace('//', '/')
        },
        load: (id: string) => (id === '\0program' ? program : null),
      },
    ],
    worker: { format: 'es' },
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rollupOptions: { input: 'program', checks: { bundlerTimings: false, pluginTimings: false } },
    },
  })
  const outputs = Array.isArray(built) ? built : [built]
  return outputs.flatMap((each) => ('output' in each ? each.output.filter((file) => file.type === 'chunk') : []))
}

/** Everything that is loaded with a chunk. */
const withImports = (chunks: readonly Rolldown.OutputChunk[], name: string, seen = new Set<string>()): Set<string> => {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const other of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) withImports(chunks, other, seen)
  return seen
}

/** Bytes, compressed, that a page loads: its program, and the modules that it loads when it opens a backend. */
const loadedBytes = (chunks: readonly Rolldown.OutputChunk[], backend?: string): number => {
  const begins = chunks.filter(
    ({ isEntry, moduleIds, isDynamicEntry }) =>
      isEntry ||
      (isDynamicEntry && backend !== undefined && moduleIds.some((id) => id.includes(`/backends/${backend}/`))),
  )
  const names = begins.reduce((seen, { fileName }) => withImports(chunks, fileName, seen), new Set<string>())
  const loaded = chunks.filter(({ fileName }) => names.has(fileName))
  return loaded.reduce((sum, { code }) => sum + gzipSync(code).length, 0)
}

/** A convolutional network, its gradient, an optimizer and a compiled step. */
const training = `
import { openDevice, valueAndGrad } from 'fathom'
import { compose, conv2d, crossEntropy, groupNorm, linear, relu } from 'fathom/nn'
import { adam, applyUpdates } from 'fathom/optim'
const net = compose(
  { conv: conv2d(1, 8, 3), norm: groupNorm(8, 4), out: linear(8, 10) },
  ({ conv, norm, out }, x) => out(relu(norm(conv(x))).mean([1, 2])),
)
const optimizer = adam({ learningRate: 1e-3 })
const device = await openDevice('wasm')
globalThis.step = device.compile(({ params, opt }, x, labels) => {
  const [loss, grads] = valueAndGrad((p) => crossEntropy(net.apply(p, x), labels))(params)
  const [updates, next] = optimizer.update(grads, opt, params)
  return [{ params: applyUpdates(params, updates), opt: next }, loss]
})`

describe('a page', () => {
  it('that adds two tensors ships 40 kB at most, without a layer, an optimizer or a derivative', async () => {
    const chunks = await chunksOf(
      `import { tensor } from 'fathom'\nglobalThis.sum = tensor([1, 2]).add(tensor([3, 4]))`,
    )
    expect(loadedBytes(chunks)).toBeLessThan(40_000)
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds)
    expect(modules.some((id) => id.endsWith('/tensor/tensor.ts'))).toBe(true)
    expect(modules.filter((id) => /\/(nn|optim|autograd|backends|compiler)\//.test(id))).toEqual([])
  }, 120_000)

  it('that trains a small network on wasm loads 112 kB at most, and nothing of WebGPU', async () => {
    const chunks = await chunksOf(training)
    const bytes = loadedBytes(chunks, 'wasm')
    expect(bytes).toBeGreaterThan(40_000)
    expect(bytes).toBeLessThan(112_000)
  }, 120_000)
})
