/**
 * `npm run bench:classes -- RUN --class bridge`: does a run on labelled seas draw what it is asked for? A classifier is trained here on seas of its own
 * and tested on others; then it looks at pictures that were drawn with the class and without one.
 *
 *     npm run bench:classes -- runs/seas --class bridge --guidance 1,2,4
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { flags } from '../src/backends/wasm/threads/v8Flags.node.ts'
import { seaLabels, seas } from '../src/data/index.ts'
import { foldIn, key, openDevice, scalar, silu, tensor, valueAndGrad, type Device, type Tensor } from '../src/index.ts'
import { binaryCrossEntropy, compose, conv2d, linear, type Module } from '../src/nn/index.ts'
import { adam, applyUpdates, cosineDecay } from '../src/optim/index.ts'
import { E, pipe } from '../src/prelude/fp.ts'
import { at, range } from '../src/prelude/array.ts'
import { load, sample, type LoadedRun } from '../src/train/index.ts'
import { table } from './report.ts'

flags.set()

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    class: { type: 'string', default: 'bridge' },
    guidance: { type: 'string', default: '1,2,4' },
    count: { type: 'string', default: '64' },
    seed: { type: 'string', default: '0' },
    steps: { type: 'string', default: '2000' },
  },
})
const [directory] = positionals
if (directory === undefined) throw new Error('npm run bench:classes -- RUN --class bridge')
const [count, seed, steps] = [Number(values.count), Number(values.seed), Number(values.steps)]
const guidances = values.guidance.split(',').map(Number)
const wanted = values.class

/** Seas that the classifier learns from, and those that it is tested on: no run has seen either. */
const [learned, tested] = [8192, 1024] as const
const batch = 64

/** Says by one number whether a picture shows the class: logits [N]. @param side of the pictures, divisible by 8 */
const classifier = (side: number): Module<unknown> => {
  const parts = {
    conv1: conv2d(3, 24, 3, { padding: 1 }),
    conv2: conv2d(24, 48, 3, { padding: 1, stride: 2 }),
    conv3: conv2d(48, 64, 3, { padding: 1, stride: 2 }),
    conv4: conv2d(64, 64, 3, { padding: 1, stride: 2 }),
    hidden: linear((side / 8) ** 2 * 64, 64),
    out: linear(64, 1),
  }
  return compose(parts, ({ conv1, conv2, conv3, conv4, hidden, out }, x: Tensor) => {
    const features = [conv1, conv2, conv3, conv4].reduce((y, conv) => silu(conv(y)), x)
    const n = at(x.shape, 0)
    return out(silu(hidden(features.reshape([n, features.size / n])))).reshape([n])
  }) as Module<unknown>
}

/** Bytes as a network sees them. */
const inputs = (pictures: readonly Uint8Array[], side: number): Tensor =>
  tensor(
    Float32Array.from(
      pictures.flatMap((pixels) => [...pixels]),
      (byte) => byte / 127.5 - 1,
    ),
    {
      shape: [pictures.length, side, side, 3],
    },
  )

/** Trains a classifier: from pictures to whether each shows the class. */
const classify = async (
  device: Device,
  side: number,
): Promise<(pictures: readonly Uint8Array[]) => Promise<readonly boolean[]>> => {
  const data = seas({ seed: 77_000 + seed, size: side })
  const labels = seaLabels(data)
  const place = labels.names.indexOf(wanted)
  if (place < 0) throw new Error(`--class must be one of ${labels.names.join(', ')}, got '${wanted}'`)
  const shows = (i: number): number => labels.of(i)[place] ?? 0
  const pictures = range(learned).map((i) => data.image(i))
  const model = classifier(side)
  const optimizer = adam()
  const rate = cosineDecay({ learningRate: 1e-3, warmupSteps: 100, steps: steps + 1 })
  const loss = (params: unknown, x: Tensor, y: Tensor): Tensor => binaryCrossEntropy(model.apply(params, x), y)
  const step = device.compile(
    (
      state: { params: unknown; optimizer: ReturnType<typeof optimizer.init> },
      x: Tensor,
      y: Tensor,
      learningRate: Tensor,
    ) => {
      const [, gradients] = valueAndGrad(loss)(state.params, x, y)
      const [updates, next] = optimizer.update(gradients, state.optimizer, state.params, { learningRate })
      return { params: applyUpdates(state.params, updates), optimizer: next }
    },
    { donate: [0] },
  )
  const initial = model.init(foldIn(key(seed), 'classifier'))
  let state = { params: initial, optimizer: optimizer.init(initial) }
  for (const n of range(steps)) {
    const places = range(batch).map((i) => (n * batch + i * 127) % learned)
    const y = tensor(Float32Array.from(places, shows))
    state = await step(
      state,
      inputs(
        places.map((i) => at(pictures, i)),
        side,
      ),
      y,
      scalar(rate(n)),
    )
  }
  const logits = device.compile((params: unknown, x: Tensor) => model.apply(params, x))
  const says = async (all: readonly Uint8Array[]): Promise<readonly boolean[]> => {
    const said: boolean[] = []
    for (let i = 0; i < all.length; i += batch)
      said.push(
        ...[...(await device.read(await logits(state.params, inputs(all.slice(i, i + batch), side))))].map(
          (z) => z > 0,
        ),
      )
    return said
  }
  const unseen = range(tested).map((i) => learned + i)
  const right = (await says(unseen.map((i) => data.image(i)))).filter(
    (said, i) => said === shows(at(unseen, i)) > 0,
  ).length
  const share = unseen.filter((i) => shows(i) > 0).length / tested
  process.stdout.write(
    `${(100 * share).toFixed(1)} % of seas show a ${wanted}; of ${tested} seas that it has not seen the classifier is right on ${((100 * right) / tested).toFixed(1)} %\n`,
  )
  return says
}

const orThrow = <A>(result: E.Either<{ readonly message: string }, A>): A =>
  pipe(
    result,
    E.getOrElse(({ message }): A => {
      throw new Error(message)
    }),
  )

/** The share of what a run draws that shows the class. */
const shareOf = async (
  run: LoadedRun,
  says: (pictures: readonly Uint8Array[]) => Promise<readonly boolean[]>,
  options: { readonly label?: string; readonly guidance?: number },
): Promise<string> => {
  const { pictures } = orThrow(
    await sample(run, { count, seed, ...options, deviceOptions: { wasm: { v8Flags: true } } })(),
  )
  const shown = (await says(pictures)).filter(Boolean).length
  return `${shown} of ${count}, ${((100 * shown) / count).toFixed(0)} %`
}

const run = orThrow(await load(directory)())
if (run.step === 0) throw new Error(`${directory} has no checkpoint yet: train it first`)
if (run.config.height !== run.config.width) throw new Error('the run must be of square pictures')
const device = await openDevice('wasm')
const says = await classify(device, run.config.height)
const rows = [['no class', await shareOf(run, says, {})]]
for (const guidance of guidances)
  rows.push([`--class ${wanted} --guidance ${guidance}`, await shareOf(run, says, { label: wanted, guidance })])
process.stdout.write(`\n${table([['drawn with', `shows a ${wanted}`], ...rows])}\n`)
await device.close()
