/**
 * Kills a run of two stages by SIGKILL at twenty moments, each a run of its own, resumes it, and compares all its files with those of a run that
 * was never killed: `node scripts/node24.mjs scripts/kill-stages.ts [moments]`.
 *
 * A moment is a call that changes files, for between two of them nothing changes that a resumed run could see. Some are named: between the two
 * configurations, in the first stage's last steps, where latents are kept, where the second stage takes over the autoencoder, and before its first
 * checkpoint. The others are spread evenly over all calls.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { seas } from '../src/data/index.ts'
import { encodePng } from '../src/io/index.ts'
import { range } from '../src/prelude/array.ts'
import { buildCommand, run, type Ended } from '../test/cli/command.ts'

const moments = Number(process.argv[2] ?? 20)
const root = mkdtempSync(join(tmpdir(), 'fathom-kill-stages-'))
const preload = fileURLToPath(new URL('kill-at-call.mjs', import.meta.url))
const main = buildCommand('kill-stages')

const often = { saveEvery: 1, heldOutEvery: 2, sampleEvery: 3, sampleCount: 2, batch: 2 }
const stage = {
  ...often,
  preset: 'vae-64',
  autoencoder: { widths: [4, 4], groups: 2, latentChannels: 2 },
  weights: { adversary: 0.5, equivariance: 0 },
  adversary: { layers: 1, width: 4, from: 0.5 },
  crop: 8,
  steps: 4,
}
const settings = {
  ...often,
  device: 'cpu',
  height: 8,
  width: 8,
  model: { width: 4, multipliers: [1], heads: 1, headWidth: 4 },
  latent: { channels: 2, factor: 2, stage },
  timesteps: 20,
  sampleSteps: 2,
  steps: 4,
}
/** Photographs, of which there are few: of endless seas many would be drawn and encoded. */
const folder = join(root, 'photographs')
mkdirSync(folder)
const sea = seas({ seed: 5, size: 8 })
for (const i of range(12))
  writeFileSync(join(folder, `${i}.png`), encodePng({ width: 8, height: 8, channels: 3, pixels: sea.image(i) }))

const config = join(root, 'config.json')
writeFileSync(config, JSON.stringify(settings))

/** The command in a directory of its own, with a cache of its own. */
const inPlace = (
  place: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> => {
  mkdirSync(place, { recursive: true })
  const options = { ...process.env, XDG_CACHE_HOME: join(place, 'cache'), NODE_OPTIONS: `--import ${preload}`, ...env }
  return run(main, args, { cwd: place, env: options })
}

const begin = ['train', folder, '--config', config, '--out', 'run'] as const

/** What a file says, without how fast the run was. */
const contents = (path: string): string =>
  path.endsWith('metrics.jsonl')
    ? readFileSync(path, 'utf8').replaceAll(/"\w+PerSecond":[\d.e+-]+/g, '')
    : readFileSync(path, 'base64')

const filesOf = (place: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(place, 'run'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [path.slice(place.length), contents(path)]),
  )

const whole = join(root, 'whole')
const trace = join(root, 'calls')
const ended = await inPlace(whole, begin, { KILL_TRACE: trace })
if (ended.code !== 0) throw new Error(ended.stderr)
const expected = filesOf(whole)
const calls = readFileSync(trace, 'utf8').trimEnd().split('\n')

/** The number of the first call that fits, counted from 1. */
const first = (what: string, fits: (call: string) => boolean): readonly [number, string] => {
  const place = calls.findIndex(fits)
  if (place < 0) throw new Error(`no call is of ${what}`)
  return [place + 1, what]
}

const named = [
  first('the first configuration', (call) => call.includes('run/autoencoder/.tmp-config.json')),
  first('the second configuration', (call) => call.includes('run/.tmp-config.json')),
  first('the last checkpoint of the first stage', (call) => call.includes('run/autoencoder/checkpoints/.tmp-000004')),
  first('the latents', (call) => call.includes('cache/fathom/latents')),
  first('the second stage’s own autoencoder', (call) => call.includes('run/.tmp-autoencoder.safetensors')),
  first('the second stage’s first checkpoint', (call) => call.includes('run/checkpoints/.tmp-000000')),
] as const
const spread = Math.max(0, moments - named.length)
const chosen = new Map([
  ...range(spread).map((i): readonly [number, string] => {
    const n = Math.max(1, Math.round(((i + 0.5) * calls.length) / spread))
    return [n, calls[n - 1]?.replace(`${whole}/`, '') ?? '']
  }),
  ...named.slice(0, moments),
])
const all = [...chosen].toSorted(([a], [b]) => a - b)

/** What differs after a kill at a call and all that resuming takes. */
const differences = async (call: number): Promise<readonly string[]> => {
  const place = join(root, `killed-${call}`)
  const killed = await inPlace(place, begin, { KILL_AT: String(call) })
  if (killed.signal !== 'SIGKILL') return [`it was not killed: ${killed.code} ${killed.stderr}`]
  const again = existsSync(join(place, 'run', 'config.json')) ? ['resume', 'run'] : begin
  const resumed = await inPlace(place, again)
  if (resumed.code !== 0) return [`${again[0]} ended with ${resumed.code}: ${resumed.stderr}`]
  const found = filesOf(place)
  return [...new Set([...expected.keys(), ...found.keys()])].filter((path) => found.get(path) !== expected.get(path))
}

console.log(`${calls.length} calls that change files; killed before …`)
for (const [call, what] of all) {
  const different = await differences(call)
  console.log(
    `${String(call).padStart(5)}  ${what}: ${different.length === 0 ? 'all files equal' : `DIFFERENT: ${different.join(', ')}`}`,
  )
  if (different.length > 0) process.exitCode = 1
}
console.log(`${all.length} kills, ${expected.size} files (${root})`)
