/**
 * `npm run play FILE`: runs a TypeScript file on the pinned Node 24, whatever Node you have, with `fathom` and its parts resolved to src/.
 * Nothing has to be built, and a change of the source is there at once. FILE is a path, or a name in play/, whose files git and the checks
 * ignore. What stands before FILE goes to Node, what stands after it to the program: `npm run play -- --watch a.ts`.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findNode24 } from './node24.mjs'

const folder = fileURLToPath(new URL('../play/', import.meta.url))

const fail = (message) => {
  console.error(message)
  process.exit(1)
}

const args = process.argv.slice(2)
const position = args.findIndex((word) => !word.startsWith('-'))
const file = args[position]
if (file === undefined) {
  const own = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  fail(
    `play: name a file, as in \`npm run play a.ts\`; in play/ there ${own.length === 0 ? 'is none' : `is ${own.join(', ')}`}`,
  )
}
const path = [file, `${folder}${file}`].find((place) => existsSync(place))
if (path === undefined) fail(`play: there is no ${file}, here or in play/`)
const node = findNode24()
if (node instanceof Error) fail(node.message)

const sources = new URL('sources.mjs', import.meta.url).href
const child = spawn(node, ['--import', sources, ...args.slice(0, position), path, ...args.slice(position + 1)], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})
