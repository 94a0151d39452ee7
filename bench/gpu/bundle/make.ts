/** Makes a bundle: a compressed folder from which a machine that has Node, and nothing else, measures its GPU. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve, sep } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  compiled,
  faultsOf,
  loaderFiles,
  manifestOf,
  packagesFor,
  placeOfCompiled,
  plainFiles,
  platforms,
  textOfCompiled,
  type Platform,
} from './contents.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The folder that a bundle unpacks to. */
const folderName = 'fathom-gpu'

const must = (command: string, args: readonly string[], cwd: string): void => {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll(sep, '/'),
    )
    .toSorted()

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const copy = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

/** Compiles the repository's TypeScript. @returns the folder of what came out */
const compile = (work: string): string => {
  const out = join(work, 'compiled')
  const config = join(root, '.cache', 'bench-gpu.tsconfig.json')
  const options = {
    noEmit: false,
    rootDir: root,
    outDir: out,
    declaration: false,
    sourceMap: false,
    removeComments: false,
  }
  write(
    config,
    JSON.stringify({
      extends: '../tsconfig.json',
      compilerOptions: options,
      include: compiled.map((folder) => join(root, folder)),
    }),
  )
  const tsc = join(root, 'node_modules/@typescript/native/bin/tsc')
  must(process.execPath, [tsc, '-p', config], root)
  return out
}

/** Takes symbols out of a binary, where there is a program that does. */
const strip = (binary: string): void => {
  if (process.platform === 'linux' && binary.includes('linux-x64') && process.arch === 'x64')
    spawnSync('strip', ['--strip-unneeded', binary], { stdio: 'ignore' })
}

/** Adds Vulkan's loader, where this machine has it for that platform. */
const addLoader = (folder: string, platform: Platform): void => {
  if (platform !== 'linux-x64') return
  if (loaderFiles.every(([from]) => existsSync(from)))
    for (const [from, to] of loaderFiles) copy(from, join(folder, to))
  else
    process.stdout.write(
      "without Vulkan's loader, which is not installed here (apt-get install libvulkan1): the other machine needs its own\n",
    )
}

const fill = (folder: string, platform: Platform, work: string): void => {
  const built = compile(work)
  for (const path of filesIn(built)) {
    const place = placeOfCompiled(path)
    if (place !== undefined) write(join(folder, place), textOfCompiled(path, readFileSync(join(built, path), 'utf8')))
  }
  for (const { name, needs } of packagesFor(platform)) {
    const from = join(root, 'node_modules', name)
    for (const path of filesIn(from).filter((path) => needs(path)))
      copy(join(from, path), join(folder, 'node_modules', name, path))
  }
  strip(join(folder, 'node_modules/webgpu/dist', platform, 'dawn.node'))
  for (const [from, to] of plainFiles) copy(join(root, from), join(folder, to))
  addLoader(folder, platform)
  for (const script of ['run.sh', 'run-mac.sh']) chmodSync(join(folder, script), 0o755)
  write(
    join(folder, 'package.json'),
    manifestOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>),
  )
}

const isPlatform = (name: string): name is Platform => platforms.some((platform) => platform === name)

/** Makes the bundle that the arguments ask for. */
export const makeBundle = (args: readonly string[]): void => {
  const { values } = parseArgs({
    args: [...args],
    options: { bundle: { type: 'string' }, platform: { type: 'string', default: 'linux-x64' } },
  })
  const { platform, bundle = '' } = values
  if (!/\.(?:tar\.gz|tgz)$/.test(bundle))
    throw new Error(`--bundle takes a file's name that ends with .tar.gz, got '${bundle}'`)
  if (!isPlatform(platform)) throw new Error(`--platform: there is no '${platform}'; choose of ${platforms.join(', ')}`)
  const work = mkdtempSync(join(tmpdir(), 'fathom-bundle-'))
  try {
    const folder = join(work, folderName)
    fill(folder, platform, work)
    const faults = faultsOf(filesIn(folder))
    if (faults.length > 0) throw new Error(`the bundle is wrong: ${faults.join('; ')}`)
    const flags = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner']
    must('tar', ['-czf', resolve(bundle), ...(process.platform === 'linux' ? flags : []), '-C', work, folderName], root)
    const megabytes = (statSync(bundle).size / 1e6).toFixed(1)
    process.stdout.write(`${bundle}: ${filesIn(folder).length} files for ${platform}, ${megabytes} MB\n`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
