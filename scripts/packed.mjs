/**
 * Installs the package as a user would and uses it: packs a tarball, installs it into an empty project without optional
 * dependencies, imports every entry, compiles a program against its types, and runs `npx fathom --help`. All of it on
 * the Node that runs this script, and with nothing of the repository in reach.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'fathom-packed-'))
const isWindows = process.platform === 'win32'

/** The environment of a user: no npm_* of an enclosing npm script, and no node_modules/.bin (which holds Node 24). */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|command|execpath|node)/.test(name)),
  ),
  PATH: (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
    .join(delimiter),
}

const fail = (message) => {
  throw new Error(`packed: ${message} (project: ${project})`)
}

/** Standard output of a command in a folder; throws with what it printed when it fails. */
const run = (cwd, command, ...args) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env: environment,
    encoding: 'utf8',
    shell: isWindows,
  })
  if (error) throw error
  if (status !== 0) fail(`\`${command} ${args.join(' ')}\` exited with ${status}\n${stdout}${stderr}`)
  return stdout
}

console.log(`packed: on Node ${run(root, 'node', '--version').trim()}`)
const [{ filename, files, unpackedSize }] = JSON.parse(
  run(root, 'npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', project),
)
const stray = files.filter(({ path }) => !/^(dist\/|src\/|README\.md$|LICENSE$|package\.json$)/.test(path))
if (stray.length > 0) fail(`the tarball holds ${stray.map(({ path }) => path).join(', ')}`)
const isStale = (source) => !existsSync(join(root, 'dist', source.replace(/\.ts$/, '.js')))
const missing = readdirSync(join(root, 'src'), { recursive: true }).filter(
  (path) => path.endsWith('.ts') && isStale(path),
)
if (missing.length > 0) fail(`dist/ lacks ${missing.join(', ')}; run \`npm run build\``)
console.log(`packed: ${files.length} files, ${(unpackedSize / 1e6).toFixed(1)} MB unpacked`)

writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }))
run(project, 'npm', 'install', '--omit=optional', '--no-audit', '--no-fund', `./${filename}`)
const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'))
const unwanted = installed.filter(
  (name) => name.startsWith('node-') || name === '@fathom' || name === 'sharp' || name === 'libheif-js',
)
if (unwanted.length > 0) fail(`users would receive ${unwanted.join(', ')}`)
console.log(`packed: an empty project receives ${installed.join(', ')}`)

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const entries = Object.keys(exports)
  .filter((entry) => entry !== './package.json')
  .map((entry) => entry.replace(/^\./, 'fathom'))
writeFileSync(
  join(project, 'use.mjs'),
  `${entries.map((entry, i) => `import * as entry${i} from '${entry}'`).join('\n')}
for (const [name, entry] of Object.entries({ ${entries.map((entry, i) => `'${entry}': entry${i}`).join(', ')} })) {
  const count = Object.keys(entry).length
  if (count === 0) throw new Error(name + ' exports nothing')
  console.log('packed: ' + name + ' exports ' + count + ' names')
}
`,
)
process.stdout.write(run(project, 'node', 'use.mjs'))

/** Type checks a program that uses the given entries, under strict and without skipLibCheck. */
const compile = (name, used, ...types) => {
  writeFileSync(join(project, name), `${used.map((entry, i) => `export * as entry${i} from '${entry}'`).join('\n')}\n`)
  const tsc = join(root, 'node_modules/@typescript/native/bin/tsc')
  const flags = '--noEmit --strict --module nodenext --target es2023 --lib es2023,dom'.split(' ')
  run(project, 'node', tsc, ...flags, ...types, name)
}
const needsNode = new Set(['fathom/io', 'fathom/data', 'fathom/train'])
const core = entries.filter((entry) => !needsNode.has(entry))
compile('page.ts', core, '--types', '')
compile('program.ts', entries, '--typeRoots', join(root, 'node_modules/@types'), '--types', 'node')
console.log("packed: its types compile under strict; those of layers 0-8 without Node's types")

const help = run(project, 'npx', '--no-install', 'fathom', '--help')
if (!/usage/i.test(help)) fail(`\`npx fathom --help\` printed no usage but:\n${help}`)
console.log('packed: npx fathom --help prints its usage')
rmSync(project, { recursive: true, force: true })
