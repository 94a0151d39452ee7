/**
 * `npm run bench:scenes -- RUN`: do the samples of a run have the scenes of the seas it was trained on? As a table; `--json`
 * prints JSON, `--charts DIR` draws.
 *
 *     npm run bench:scenes -- runs/ocean --count 256 --charts out
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { E, pipe, TE } from '../src/prelude/fp.ts'
import { load, sample, type LoadedRun, type Samples, type TrainError } from '../src/train/index.ts'
import { estimate } from '../src/evaluation/scenes/factors.ts'
import { histogramChart } from './scenes/histogramChart.ts'
import { realEstimates, sceneReport, sceneTable, type FactorReport } from './scenes/sceneReport.ts'

flags.set()

const usage = `npm run bench:scenes -- RUN [flags]
  --count N      pictures to draw and compare [256]
  --steps N      steps of DDIM [the run's sampleSteps]
  --seed N       of the pictures' noise, of the real seas and of their halves [0]
  --pool N       real seas from which halves are drawn [8 × count]
  --pairs N      pairs of halves [200]
  --json         print JSON
  --charts DIR   write scenes.svg: the histograms
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '256' },
    steps: { type: 'string' },
    seed: { type: 'string', default: '0' },
    pool: { type: 'string' },
    pairs: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
    charts: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

const say = (text: string): void => {
  process.stderr.write(text)
}

const stepsDone = (done: number, total: number): void => {
  if (process.stderr.isTTY) say(`\r  sampling ${done}/${total}${done === total ? '\r\u001b[K' : ''}`)
}

/** A whole number ≥ `least`, or an error that names its flag. */
const wholeNumber = (flag: string, word: string, least: number): number => {
  const n = Number(word)
  if (word.trim() === '' || !Number.isSafeInteger(n) || n < least)
    throw new Error(`--${flag} must be a whole number ≥ ${least}, got '${word}'`)
  return n
}

interface Settings {
  readonly count: number
  readonly steps: number | undefined
  readonly seed: number
  readonly pool: number
  readonly pairs: number
}

const readSettings = (): Settings => {
  const count = wholeNumber('count', values.count, 1)
  return {
    count,
    steps: values.steps === undefined ? undefined : wholeNumber('steps', values.steps, 1),
    seed: wholeNumber('seed', values.seed, 0),
    pool: wholeNumber('pool', values.pool ?? String(8 * count), 2 * count),
    pairs: wholeNumber('pairs', values.pairs, 1),
  }
}

interface Drawn {
  readonly run: LoadedRun
  readonly steps: number
  readonly samples: Samples
}

const draw = (directory: string, { count, seed, ...settings }: Settings): TE.TaskEither<TrainError, Drawn> =>
  pipe(
    load(directory),
    TE.chain((run) => {
      const steps = settings.steps ?? run.config.sampleSteps
      return pipe(
        sample(run, { count, steps, seed, onStep: stepsDone, deviceOptions: { wasm: { v8Flags: true } } }),
        TE.map((samples) => ({ run, steps, samples })),
      )
    }),
  )

/** A row as JSON: without the values of each picture. */
const plain = ({
  factor,
  generated,
  real,
  distance,
  noise,
  ratio,
  within,
}: FactorReport): Omit<FactorReport, 'values'> => ({
  factor,
  generated,
  real,
  distance,
  noise,
  ratio,
  within,
})

const report = ({ run, steps, samples }: Drawn, settings: Settings): void => {
  const { height, width, pictures } = samples
  for (const warning of run.warnings) say(`${warning}\n`)
  if (run.config.folder !== null)
    say(`the run was trained on ${run.config.folder}, and is compared with procedural seas\n`)
  const real = realEstimates({ height, width }, settings)
  const generated = pictures.map((pixels) => estimate({ height, width, pixels }))
  const reports = sceneReport(generated, real, settings)
  const facts = { step: run.step, height, width, ...settings, steps }
  const line = `${pictures.length} pictures of ${width}×${height} after training step ${run.step}, drawn in ${steps} steps; ${real.length} real seas, ${settings.pairs} pairs of halves of ${pictures.length}`
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ ...facts, factors: reports.map(plain) }, null, 2)}\n`
      : `${line}\n\n${sceneTable(reports)}\n`,
  )
  if (values.charts !== undefined) {
    mkdirSync(values.charts, { recursive: true })
    writeFileSync(join(values.charts, 'scenes.svg'), histogramChart(reports))
  }
}

const main = async (directory: string): Promise<void> => {
  const settings = readSettings()
  const drawn = await draw(directory, settings)()
  if (E.isLeft(drawn)) throw new Error(drawn.left.message)
  report(drawn.right, settings)
}

const [directory] = positionals
if (values.help) process.stdout.write(usage)
else if (directory === undefined) {
  say(`bench:scenes: which run? Name its directory.\n${usage}`)
  process.exitCode = 1
} else
  await main(directory).catch((error: unknown) => {
    say(`bench:scenes: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
