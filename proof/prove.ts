/**
 * `npm run prove`: the long run of the whole proof, and its report, docs/proof/report.md.
 *
 *     npm run prove -- [--seed 1] [--scale 10] [--only gradient,fuzz] [--dry]
 *
 * `--scale` is in short runs, which are those of `npm test`. `--only` runs the parts whose title contains one of the words, and leaves
 * the report alone, as does `--dry`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { accuracySuite } from './accuracy/index.ts'
import { arenas, differingLeaves } from './checkpointing.ts'
import { specification, wasm } from './devices.ts'
import { differentiable } from './fuzz/coverage.ts'
import { fuzz, showFailure } from './fuzz/run.ts'
import { ledgerSuite } from './ledger/index.ts'
import { orders } from './orders.ts'
import { report, type Part } from './report.ts'
import { allSuites, derivativeSuites } from './suites/index.ts'
import { usual } from './suites/suite.ts'
import { torchSuite } from './suites/torch.ts'
import { total, type Tally } from './tally.ts'

interface Size {
  readonly seed: number
  readonly scale: number
}

interface Planned extends Omit<Part, 'tallies'> {
  readonly run: (size: Size) => Promise<readonly Tally[]>
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const collected = async (found: AsyncIterable<Tally>, where = ''): Promise<readonly Tally[]> => {
  const tallies: Tally[] = []
  let suite = ''
  for await (const tally of found) {
    if (tally.suite !== suite) say(`  ${tally.suite}${where} …`)
    suite = tally.suite
    tallies.push({ ...tally, suite: `${tally.suite}${where}` })
  }
  return tallies
}

/** All suites, and those of derivatives on wasm too, with a tenth as many cases. */
const registry = async (size: Size): Promise<readonly Tally[]> => [
  ...(await collected(allSuites(size))),
  ...(await collected(allSuites({ ...size, scale: size.scale / 10, on: wasm }, derivativeSuites), ', wasm')),
]

const everyOrder = async ({ seed, scale }: Size): Promise<readonly Tally[]> => {
  const device = usual.open()
  return [await orders(device, { seed, runs: 12 * scale })]
}

/** Fails with the smallest program and its code, as a test to paste. */
const randomPrograms = async ({ seed, scale }: Size): Promise<readonly Tally[]> => {
  const found = await fuzz({
    seed,
    programs: 520 * scale,
    onProgress: (done, of) => {
      if (done % 1000 === 0 || done === of) say(`  ${done} of ${of} programs`)
    },
  })
  const whole = await fuzz({ seed, programs: 150 * scale, modes: ['whole'] })
  const failures = [...found.failures, ...whole.failures]
  if (failures.length > 0) throw new Error(failures.map(showFailure).join('\n\n'))
  const tally = (subject: string, checks: number): Tally => ({ suite: 'fuzz', subject, seed, checks, worst: 0 })
  return [
    tally('programs', found.programs),
    tally('nodes', found.nodes),
    tally('programs of whole numbers', whole.programs),
    tally('values compared', found.values + whole.values),
    tally('gradients compared', found.gradients),
    ...Object.entries(found.laws).map(([law, programs]) => tally(`programs held to ${law}`, programs)),
    tally('the rarest primitive in values', Math.min(...Object.values(found.inValues))),
    tally(
      'the rarest differentiable primitive in gradients',
      Math.min(...differentiable.map((op) => found.inGradients[op])),
    ),
  ]
}

const checkpoints = async ({ seed }: Size): Promise<readonly Tally[]> => {
  const device = usual.open()
  const { plain, checkpointed } = arenas(device, 16)
  const saved = 1 - checkpointed / plain
  say(`  the arena falls by ${(100 * saved).toFixed(1)} %`)
  if (!(saved >= 0.4)) throw new Error(`checkpoints: the arena falls by ${(100 * saved).toFixed(1)} %, less than 40 %`)
  const { leaves, differing } = await differingLeaves(device, 16)
  if (differing.length > 0) throw new Error(`checkpoints: leaves that differ: ${differing.join(', ')}`)
  return [
    { suite: 'memory', subject: '0.4 ÷ the share of the arena that is saved', seed, checks: 1, worst: 0.4 / saved },
    { suite: 'bits', subject: 'the loss and every gradient, as bytes', seed, checks: leaves, worst: 0 },
  ]
}

const plan: readonly Planned[] = [
  {
    title: 'Registry',
    explanation:
      'Random cases of every primitive, function and layer. `gradient` and `gradient of the gradient` compare each element of a derivative with a 5-point difference, in f64: |analytic − numeric| ≤ 1e-9 + 1e-7·|numeric|. `values` and `shapes` hold results to an oracle in every dtype and configuration, `adjoint` and `forward over reverse` to identities, `vmap` and `vmap with derivatives` what is mapped to the stack of its slices, `errors` misuses to their messages.',
    run: registry,
  },
  {
    title: 'Orders',
    explanation:
      'All words of two and three letters of grad, jvp and vjp on random programs, along exchanged directions too; bound 1e-12 relative.',
    run: everyOrder,
  },
  {
    title: 'Fuzz',
    explanation:
      'Random typed programs, their values and gradients, in every configuration, compiled and realized: equal bits. A number is a count, not an error.',
    run: randomPrograms,
  },
  {
    title: 'Checkpoints',
    explanation:
      'The U-Net of width 32 (stages 1, 2, 4) with 16 images of 32×32, every residual block and attention layer checkpointed, against the bare network.',
    run: checkpoints,
  },
  {
    title: 'PyTorch',
    explanation:
      "PyTorch's values and gradients: 1e-10 relative in f64; in f32 1e-5, for contractions 1e-4. See [the golden values](torch.md).",
    run: async () => [...(await torchSuite(usual.open())), ...(await torchSuite(wasm.open()))],
  },
  {
    title: 'Accuracy',
    explanation:
      'Every 4,099th number of f32, all of f16, 20,000 of f64, against exact arithmetic; bounds and figures in [the tables](accuracy.md).',
    run: async () => accuracySuite({ every: 4099, doubles: 20_000 }),
  },
  {
    title: 'Formulas',
    explanation:
      'Every equation that the documentation prints, with a test each: [the ledger](../ledger.md) counts and lists them.',
    elsewhere: true,
    run: async () => ledgerSuite(),
  },
]

const positive = (name: string, text: string): number => {
  const n = Number(text)
  if (Number.isInteger(n) && n > 0) return n
  throw new Error(`--${name} takes a whole number from 1 on, got '${text}'`)
}

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    scale: { type: 'string', default: '10' },
    only: { type: 'string' },
    dry: { type: 'boolean', default: false },
  },
})
const size = { seed: positive('seed', options.seed), scale: positive('scale', options.scale) }
const words = options.only?.toLowerCase().split(',')
const wanted = plan.filter(({ title }) => words?.some((word) => title.toLowerCase().includes(word)) ?? true)
if (wanted.length === 0)
  throw new Error(`--only ${options.only}: there is no such part; choose of ${plan.map((p) => p.title).join(', ')}`)

const parts: Part[] = []
const start = performance.now()
for (const { run, ...part } of wanted) {
  const began = performance.now()
  say(`${part.title} …`)
  const tallies = await run(size)
  parts.push({ ...part, tallies })
  const { checks } = total(tallies)
  say(`${part.title}: ${checks.toLocaleString('en-US')} checks in ${((performance.now() - began) / 1000).toFixed(0)} s`)
}
const minutes = (performance.now() - start) / 60_000
say(`all held, after ${minutes.toFixed(1)} minutes`)
if (options.only === undefined && !options.dry) {
  const folder = new URL('../docs/proof/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const how = `\`npm run prove -- --seed ${size.seed} --scale ${size.scale}\` on Node ${process.versions.node}, ${process.platform} ${process.arch}, in ${minutes.toFixed(0)} minutes on one core; held to the specification, \`${specification.name}\`.`
  writeFileSync(new URL('report.md', folder), report(how, parts))
}
