/** What a page ships: what it uses, and no more. The bundler is Vite, as a user's would be. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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

/** Bytes, compressed, of some chunks. */
const bytesOf = (chunks: readonly Rolldown.OutputChunk[]): number =>
  chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0)

/** Where a program of a page runs: Node, with nothing that tells of it. Afterwards it prints the chunks that were loaded, and what the program says. */
const page = `
globalThis.loaded = []
Object.defineProperty(process, 'versions', { value: {} })
await import(process.argv[1])
console.log(JSON.stringify({ loaded: globalThis.loaded, said: globalThis.said }))`

/** Runs a bundled program: the chunks that it loads, with all that is imported later, and what it says. */
const run = async (
  chunks: readonly Rolldown.OutputChunk[],
): Promise<{ readonly loaded: readonly Rolldown.OutputChunk[]; readonly said: unknown }> => {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-page-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const { fileName, code } of chunks) {
      mkdirSync(dirname(join(folder, fileName)), { recursive: true })
      writeFileSync(join(folder, fileName), `globalThis.loaded.push(${JSON.stringify(fileName)});${code}`)
    }
    const entry = chunks.find(({ isEntry }) => isEntry)?.fileName ?? ''
    const options = ['--input-type=module', '--eval', page, join(folder, entry)]
    const { stdout } = await promisify(execFile)(process.execPath, options)
    const { loaded, said } = JSON.parse(stdout) as { readonly loaded: readonly string[]; readonly said: unknown }
    return { loaded: chunks.filter(({ fileName }) => loaded.includes(fileName)), said }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A convolutional network, its gradient, an optimizer and a compiled step. */
const training = `
import { key, ones, openDevice, valueAndGrad, zeros } from 'fathom'
import { compose, conv2d, crossEntropy, groupNorm, linear, relu } from 'fathom/nn'
import { adam, applyUpdates } from 'fathom/optim'
const net = compose(
  { conv: conv2d(1, 8, 3), norm: groupNorm(4, 8), out: linear(8, 10) },
  ({ conv, norm, out }, x) => out(relu(norm(conv(x))).mean([1, 2])),
)
const optimizer = adam({ learningRate: 1e-3 })
const device = await openDevice('wasm', { threads: 1 })
const step = device.compile(({ params, opt }, x, labels) => {
  const [loss, grads] = valueAndGrad((p) => crossEntropy(net.apply(p, x), labels))(params)
  const [updates, next] = optimizer.update(grads, opt, params)
  return [{ params: applyUpdates(params, updates), opt: next }, loss]
})
const params = net.init(key(0))
const [, loss] = await step({ params, opt: optimizer.init(params) }, ones([8, 28, 28, 1]), zeros([8], 'i32'))
globalThis.said = (await device.read(loss))[0] > 0`

/** A program with kernels that few have. */
const seldom = `
import { cumsum, openDevice, sort, tensor } from 'fathom'
const device = await openDevice('wasm', { threads: 1 })
const sorted = device.compile((x) => sort(x))
const x = tensor([3, 1, 2])
const explained = sorted.explain(x).includes('sort')
let early = ''
try { sorted.source(x) } catch (e) { early = e.message }
const [first, second] = await Promise.all([sorted(x), device.read(cumsum(x))])
globalThis.said = [explained, early, [...(await device.read(first))], [...second], sorted.source(x).join().includes('(func')]`

describe('a page', () => {
  it('that adds two tensors ships 40 kB at most, without a layer, an optimizer or a derivative', async () => {
    const chunks = await chunksOf(
      `import { tensor } from 'fathom'\nglobalThis.sum = tensor([1, 2]).add(tensor([3, 4]))`,
    )
    expect(bytesOf((await run(chunks)).loaded)).toBeLessThan(40_000)
    const modules = chunks.flatMap(({ moduleIds }) => moduleIds)
    expect(modules.some((id) => id.endsWith('/tensor/tensor.ts'))).toBe(true)
    expect(modules.filter((id) => /\/(nn|optim|autograd|backends|compiler)\//.test(id))).toEqual([])
  }, 120_000)

  it('that trains a small network on wasm loads 100 kB at most, and nothing of WebGPU', async () => {
    const { loaded, said } = await run(await chunksOf(training))
    expect(said).toBe(true)
    const bytes = bytesOf(loaded)
    expect(bytes).toBeGreaterThan(40_000)
    expect(bytes).toBeLessThan(100_000)
    expect(loaded.flatMap(({ moduleIds }) => moduleIds).filter((id) => /webgpu|whole/.test(id))).toEqual([])
  }, 120_000)

  it('loads what writes kernels that few programs have when a plan has one, and says so where its code is asked for earlier', async () => {
    const { loaded, said } = await run(await chunksOf(seldom))
    const early = "source: what writes 'sort {dtype:f32}' is loaded with the first call; await one, and ask again"
    expect(said).toEqual([true, early, [1, 2, 3], [3, 4, 6], true])
    expect(loaded.flatMap(({ moduleIds }) => moduleIds).some((id) => id.endsWith('wasm/whole.ts'))).toBe(true)
  }, 120_000)
})
