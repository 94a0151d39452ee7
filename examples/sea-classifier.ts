/**
 * A convolutional network that says what a picture of the sea shows (a boat, a bridge, fog, …), several things at once: a task of one's own for the
 * trainer. `node scripts/node24.mjs examples/sea-classifier.ts`, a minute on two cores.
 */
import { openDevice, tensor, zeros, type Tensor } from 'fathom'
import { seaLabels, seas } from 'fathom/data'
import { binaryCrossEntropy, compose, conv2d, linear, silu, type ParamsOf } from 'fathom/nn'
import { memoryStore, wholeRun } from 'fathom/train'
import type { RunConfig, Source, Task, TrainEvent } from 'fathom/train'

const side = 32

/** Endless seas, of which those from this number on are held out. */
const data = seas({ seed: 5, size: side })
const labels = seaLabels(data)
const heldOutFrom = 1_000_000
const heldOutCount = 256

/** Pictures u8 [N, 32, 32, 3], and what they show, 0 or 1 [N, labels]. */
interface Seen {
  readonly pictures: Tensor
  readonly shown: Tensor
}

/** Pictures to logits [N, labels]. */
const network = compose(
  {
    convolutions: [
      conv2d(3, 16, 3, { padding: 1, stride: 2 }),
      conv2d(16, 32, 3, { padding: 1, stride: 2 }),
      conv2d(32, 64, 3, { padding: 1, stride: 2 }),
    ],
    hidden: linear((side / 8) ** 2 * 64, 64),
    out: linear(64, labels.names.length),
  },
  ({ convolutions, hidden, out }, pictures: Tensor) => {
    const x = convolutions.reduce((y, convolution) => silu(convolution(y)), pictures.cast('f32').div(127.5).sub(1))
    return out(silu(hidden(x.reshape([-1, (side / 8) ** 2 * 64]))))
  },
)
type Network = ParamsOf<typeof network>

const task: Task<Network, Seen, object> = {
  words: {
    model: 'a classifier of seas',
    goal: `says ${labels.names.join(', ')}`,
    example: { one: 'a sea', many: 'seas', short: 'sea' },
    measured: ({ right }) => (right === undefined ? [] : [`${(100 * right).toFixed(1)} % right on held-out seas`]),
  },
  losses: [{ name: 'heldOut', about: 'the loss on held-out seas', curve: 'held out' }],
  init: network.init,
  draws: () => ({}),
  loss: (params, { pictures, shown }) => binaryCrossEntropy(network.apply(params, pictures), shown),
  blank: (count) => ({
    pictures: zeros([count, side, side, 3], 'u8'),
    shown: zeros([count, labels.names.length]),
  }),
}

const examples = (first: number, count: number): Seen => {
  const numbers = Array.from({ length: count }, (_, i) => first + i)
  return {
    pictures: tensor(Uint8Array.from(numbers.flatMap((i) => [...data.image(i)])), { shape: [count, side, side, 3] }),
    shown: tensor(Float32Array.from(numbers.flatMap((i) => [...labels.of(i)])), {
      shape: [count, labels.names.length],
    }),
  }
}

const source: Source<Network, Seen> = {
  examples,
  measure: (device) => {
    const measured = device.compile((params: Network, { pictures, shown }: Seen) => {
      const logits = network.apply(params, pictures)
      return {
        heldOut: binaryCrossEntropy(logits, shown),
        right: logits.greater(0).equal(shown.greater(0)).cast('f32').mean(),
      }
    })
    return Promise.resolve(async (params) => {
      const { heldOut, right } = await measured(params, examples(heldOutFrom, heldOutCount))
      return { heldOut: await device.item(heldOut), right: await device.item(right) }
    })
  },
  fingerprint: 'seas of seed 5',
  summary: 'procedural seas',
  warnings: [],
  changes: () => [],
}

/** What the example takes. */
interface Options {
  readonly steps?: number
  readonly onEvent?: (event: TrainEvent) => void
}

/** Trains the classifier; returns the share of labels of held-out seas that it has right, and the share when it always says what is usual. */
export const seaClassifier = async ({ steps = 800, onEvent = () => undefined }: Options = {}) => {
  const device = await openDevice()
  const config: RunConfig = {
    folder: null,
    out: 'memory',
    preset: '',
    device: device.name,
    seed: 0,
    batch: 32,
    accumulate: 1,
    steps,
    learningRate: 2e-3,
    rate: 'cosine',
    ema: 0.99,
    saveEvery: steps,
    sampleEvery: steps,
    heldOutEvery: steps,
  }
  const store = memoryStore()
  const result = await wholeRun({ config, task, source, device, emit: onEvent }, store)()
  const shown = await device.read(examples(heldOutFrom, heldOutCount).shown.mean(0))
  await device.close()
  if (result._tag === 'Left') throw new Error(result.left.message)
  const usual = Array.from(shown).reduce((sum, share) => sum + Math.max(share, 1 - share), 0) / shown.length
  return { right: result.right.measured?.['right'] ?? NaN, usual }
}

if (import.meta.main) {
  const show = (event: TrainEvent): void => {
    if (event._tag === 'Stepped' && event.step % 50 === 0) console.log(`step ${event.step}: ${event.loss.toFixed(3)}`)
  }
  const { right, usual } = await seaClassifier({ onEvent: show })
  console.log(
    `${(100 * right).toFixed(1)} % of labels right; what is usual, always said, has ${(100 * usual).toFixed(1)} %`,
  )
}
