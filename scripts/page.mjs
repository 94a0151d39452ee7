/**
 * `npm run page`: the wasm backend in a browser. The built package is bundled with Vite and served to a headless Chromium, first plainly, then
 * isolated from other origins. What its threads compute (proof/page) must have the bits of what Node computes (proof/processor.ts).
 *
 * Then the page that trains (examples/page) is used as a person would (proof/page/trains.ts), on every device that is named, on wasm if none is,
 * with 60 steps or as many as are named: `npm run page -- wasm cpu:30`. A device that cannot be opened is a failure. From the weights that the
 * page saves the command must draw.
 */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundle, sizeOf } from './page/bundle.mjs'
import { visit } from './page/visit.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const browser = process.env.CHROMIUM ?? 'chromium'

const versionOf = () => {
  const { stdout, error } = spawnSync(browser, ['--version'], { encoding: 'utf8' })
  if (error !== undefined)
    throw new Error(
      `page: this needs a Chromium, and ${browser} cannot be run: apt-get install chromium, or name one in CHROMIUM`,
    )
  return stdout.trim().split(' ').slice(0, 2).join(' ')
}

/** What Node computes. */
const linesOfNode = async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'proof', 'processor.ts'), '--gpu'])
  return stdout.trim().split('\n')
}

/** What the threads of a plain page and of an isolated one compute; prints what they report. */
const linesOfPages = async () => {
  const files = await bundle('index.html')
  const lines = []
  for (const isolated of [false, true])
    await visit(browser, files, { isolated }, ({ kind, where, line }) => {
      console.log(`page: ${where}: ${line}`)
      if (kind === 'computed') lines.push(line)
    })
  return lines
}

/** Draws with the command from weights that a page saved. */
const drawFrom = async ({ name, base64 }) => {
  const folder = mkdtempSync(join(tmpdir(), 'fathom-page-weights-'))
  const file = join(folder, name)
  writeFileSync(file, Buffer.from(base64, 'base64'))
  const command = [join(root, 'dist', 'cli', 'main.js'), 'sample', file, '--count', '2', '--steps', '2']
  const { stdout } = await promisify(execFile)(process.execPath, command)
  rmSync(folder, { recursive: true })
  console.log(`page: fathom sample: ${stdout.trim().replaceAll(folder, '…')}`)
}

/** Uses the page that trains. @param devices on which it must compute, each with its steps behind a colon or without */
const useTrainer = async (devices) => {
  const example = await bundle('index.html', 'examples/page')
  console.log(`page: the page that trains ships ${sizeOf(example)}, and nothing of Node`)
  const files = new Map([...example, ...(await bundle('trains.html'))])
  for (const device of devices) {
    const saved = []
    const [name, steps = '60'] = device.split(':')
    const page = `trains.html?device=${name}&steps=${steps}`
    await visit(browser, files, { isolated: true, page, patience: 600 }, (told) => {
      if (told.kind === 'weights') saved.push(told)
      else console.log(`page: ${told.line}`)
    })
    if (saved.length === 0) throw new Error(`page: on ${device} no weights were saved`)
    for (const file of saved) await drawFrom(file)
  }
}

const main = async () => {
  const version = versionOf()
  console.log(`page: a page that opens a device ships ${sizeOf(await bundle('smallest.ts'))}, and nothing of Node`)
  const [expected, found] = await Promise.all([linesOfNode(), linesOfPages()])
  const differing = [...new Set(found)].filter((line) => !expected.includes(line))
  if (differing.length > 0)
    throw new Error(`page: other than on Node:\n${differing.join('\n')}\nwhere it computes:\n${expected.join('\n')}`)
  console.log(`page: ${found.length} lines are equal in ${version} and on Node ${process.versions.node}`)
  const devices = process.argv.slice(2)
  await useTrainer(devices.length === 0 ? ['wasm'] : devices)
}

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
