/** Bundles a page with Vite, as a user of the package would. */
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build, createLogger } from 'vite'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The programs name the source, for Node and the compiler; a page gets the built package in its place. */
const alias = [{ find: /^.*\/src\/(.*)\.ts$/, replacement: `${root}dist/$1.js` }]

/** A logger that keeps warnings. */
const keeping = (warnings) => {
  const logger = createLogger('warn')
  const keep = (message) => void warnings.push(message)
  return { ...logger, warn: keep, warnOnce: keep }
}

const bytesOf = (file) => Buffer.from(file.type === 'chunk' ? file.code : file.source)

/** Warnings of slow plugins are about a busy machine, not about what is bundled. */
const checks = { bundlerTimings: false, pluginTimings: false }

/**
 * Files by name. Throws on what would trouble a user: a warning, or something of Node, for which Vite has no more than a warning.
 *
 * @param entry a file of the folder: a page, or a module alone
 */
export const bundle = async (entry, folder = 'proof/page') => {
  const warnings = []
  const { output } = await build({
    configFile: false,
    root: `${root}${folder}`,
    base: './',
    logLevel: 'warn',
    customLogger: keeping(warnings),
    resolve: { alias },
    worker: { format: 'es', rollupOptions: { checks } }, // proof/page/worker.ts awaits at its top level
    build: {
      write: false,
      target: 'es2022',
      chunkSizeWarningLimit: 2000, // kB: the programs hold fast-check
      rollupOptions: { input: `${root}${folder}/${entry}`, checks },
    },
  })
  if (warnings.length > 0) throw new Error(`page: Vite warns of ${entry}:\n${warnings.join('\n')}`)
  const files = new Map(output.map((file) => [file.fileName, bytesOf(file)]))
  for (const [name, bytes] of files)
    if (name.endsWith('.js') && /["'`]node:\w|__vite-browser-external/.test(bytes.toString()))
      throw new Error(`page: ${name} of ${entry} holds something of Node`)
  return files
}

/** How much JavaScript there is, in words. */
export const sizeOf = (files) => {
  const scripts = [...files].filter(([name]) => name.endsWith('.js')).map(([, bytes]) => bytes)
  const kilobytes = (parts) => `${(parts.reduce((sum, { length }) => sum + length, 0) / 1000).toFixed(0)} kB`
  return `${kilobytes(scripts)}, ${kilobytes(scripts.map((bytes) => gzipSync(bytes)))} compressed`
}
