/**
 * Measures the accuracy of functions on every backend and writes the tables of docs/proof/accuracy.md:
 *
 *     node scripts/node24.mjs proof/accuracy.ts [--every 4099] [--doubles 20000] [--only exp,log] [--jobs 1] [--dry]
 *
 * `--every 1` sweeps all 2³² numbers of f32. `--only` takes names as the tables have them. The page is
 * written after each function, so an interrupted sweep keeps what it has. Exits with 1 if a published bound is exceeded.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { updatedPage } from './accuracy/page.ts'
import { measureAll, names, tallies, type AccuracyOptions, type Readings } from './accuracy/suite.ts'

const page = new URL('../docs/proof/accuracy.md', import.meta.url)

/** What a worker is asked for: one function. */
type Task = Pick<AccuracyOptions, 'every' | 'doubles'> & { readonly name: string }

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const measureTask = async ({ name, ...density }: Task): Promise<Readings> =>
  measureAll({ ...density, only: [name], report: say })

/** One function in a thread of its own. */
const inThread = async (task: Task): Promise<Readings> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: task })
    worker.once('message', resolve)
    worker.once('error', reject)
  })

const isWhole = (text: string): boolean => /^[1-9]\d*$/.test(text)

const options = () => {
  const { values } = parseArgs({
    options: {
      every: { type: 'string', default: '4099' },
      doubles: { type: 'string', default: '20000' },
      jobs: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      dry: { type: 'boolean', default: false },
    },
  })
  for (const name of ['every', 'doubles', 'jobs'] as const)
    if (!isWhole(values[name]))
      throw new Error(`accuracy: --${name} takes a whole number from 1, got '${values[name]}'`)
  const only = values.only === '' ? names : values.only.split(',')
  const unknown = only.filter((name) => !names.includes(name))
  if (unknown.length > 0)
    throw new Error(`accuracy: there is no function '${unknown.join("', '")}'; choose from: ${names.join(', ')}`)
  return { ...values, only, every: Number(values.every), doubles: Number(values.doubles), jobs: Number(values.jobs) }
}

const main = async (): Promise<void> => {
  const { only, every, doubles, jobs, dry } = options()
  const waiting = [...only]
  const broken: string[] = []
  const measureOn = async (run: (task: Task) => Promise<Readings>): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const readings = await run({ name, every, doubles })
      if (!dry) writeFileSync(page, updatedPage(readFileSync(page, 'utf8'), readings))
      try {
        tallies(readings)
      } catch (e) {
        broken.push(String(e))
      }
    }
  }
  await Promise.all(Array.from({ length: jobs }, async () => measureOn(jobs === 1 ? measureTask : inThread)))
  for (const message of broken) say(message)
  if (broken.length > 0) process.exitCode = 1
}

if (isMainThread) await main()
else parentPort?.postMessage(await measureTask(workerData as Task), [])
