/**
 * `npm run bench:loops`: a training step of an LSTM written out against one with `scan`: how long the first step takes, which is traced and compiled,
 * how long a later one, and bytes of temporaries; PyTorch's nn.LSTM beside it where a Python has torch (bench/loops.py).
 *
 *     npm run bench:loops -- --turns 100,1000 --threads 1 --rounds 10
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { key, normal, openDevice, stack, valueAndGrad, type Tensor } from '../src/index.ts'
import { lstm, lstmCell, type LstmState, type ParamsOf } from '../src/nn/index.ts'
import { median } from '../src/evaluation/statistics.ts'
import { findPython } from './peers/python.ts'

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '100,1000' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '9' },
  },
})

const [batch, width] = [64, 128]
const rounds = Number(values.rounds)
const python = findPython()
const device = await openDevice('wasm', { v8Flags: true, threads: Number(values.threads) })
const layer = lstm(width, width)
type Params = ParamsOf<typeof layer>
const params = await device.realize(layer.init(key(0)))

const scanned = (p: Params, x: Tensor): Tensor => layer.apply(p, x)

const writtenOut = (p: Params, x: Tensor): Tensor => {
  const cell = lstmCell(width, width)
  let state: LstmState | undefined
  const hs: Tensor[] = []
  for (let t = 0; t < (x.shape[1] ?? 0); t++) {
    const now = x.slice([], [t, t + 1]).reshape([batch, width])
    state = cell.apply(p, { x: now, ...(state === undefined ? {} : { state }) })
    hs.push(state.h)
  }
  return stack(hs, 1)
}

const line = (cells: readonly (string | number)[]): void => {
  process.stdout.write(`${cells.map((c) => String(c).padEnd(16)).join('')}\n`)
}

/** Milliseconds of wall and of processor. */
const timed = async (f: () => Promise<unknown>): Promise<readonly [wall: number, processor: number]> => {
  const [before, start] = [process.cpuUsage(), performance.now()]
  device.release(await f())
  const { user, system } = process.cpuUsage(before)
  return [performance.now() - start, (user + system) / 1000]
}

const measure = async (name: string, network: typeof scanned, turns: number): Promise<void> => {
  const x = await device.realize(normal(key(1), [batch, turns, width]))
  const step = device.compile((p: Params, x: Tensor) => valueAndGrad((q: Params) => network(q, x).square().mean())(p))
  const [first] = await timed(() => step(params, x))
  const times: (readonly [number, number])[] = []
  for (let i = 0; i < rounds; i++) times.push(await timed(() => step(params, x)))
  const plan = step.plan(params, x)
  const [wall, processor] = [median(times.map(([w]) => w)), median(times.map(([, p]) => p))]
  const megabytes = (plan.arenaBytes / 1e6).toFixed(1)
  line([name, turns, first.toFixed(0), wall.toFixed(1), processor.toFixed(1), plan.kernels.length, megabytes])
}

line(['', 'turns', 'first, ms', 'step, ms', 'processor, ms', 'kernels', 'arena, MB'])
for (const turns of values.turns.split(',').map(Number)) {
  await measure('scan', scanned, turns)
  await measure('written out', writtenOut, turns)
  const script = fileURLToPath(new URL('loops.py', import.meta.url))
  if (python === undefined) continue
  const { stdout, status } = spawnSync(python, [script, String(turns), values.threads, values.rounds], {
    encoding: 'utf8',
  })
  if (status === 0) line(['PyTorch', turns, '', ...stdout.trim().split(' ')])
}
await device.close()
