/**
 * A convolutional network of one's own that says what a picture of the sea shows (a boat, a bridge, fog, …), several things at once, by the trainer.
 * `node scripts/node24.mjs examples/sea-classifier.ts`, a minute on two cores.
 */
import { openDevice, type Tensor } from 'fathom'
import { dataOfSeas } from 'fathom/data'
import { compose, conv2d, linear, silu } from 'fathom/nn'
import { classificationRun, memoryStore, usualRun, wholeRun, type TrainEvent } from 'fathom/train'

const side = 32

/** Endless seas with what they show, of which some are held out. */
const data = dataOfSeas({ seed: 5, size: side }, { labels: true })

/** Pictures to logits [N, labels]; `resnetFamily.build` of fathom/models would be another such function. */
const network = ({ classes }: { readonly classes: number }) =>
  compose(
    {
      convolutions: [
        conv2d(3, 16, 3, { padding: 1, stride: 2 }),
        conv2d(16, 32, 3, { padding: 1, stride: 2 }),
        conv2d(32, 64, 3, { padding: 1, stride: 2 }),
      ],
      hidden: linear((side / 8) ** 2 * 64, 64),
      out: linear(64, classes),
    },
    ({ convolutions, hidden, out }, pictures: Tensor) => {
      const x = convolutions.reduce((y, convolution) => silu(convolution(y)), pictures)
      return out(silu(hidden(x.reshape([-1, (side / 8) ** 2 * 64]))))
    },
  )

const { task, source } = classificationRun(data, network, { several: true })

/** What the example takes. */
interface Options {
  readonly steps?: number
  readonly onEvent?: (event: TrainEvent) => void
}

/** The share of labels of held-out seas that who always says what is usual has right. */
const usualShare = (): number => {
  const { heldOutCount, heldOutCondition = () => new Float32Array(), conditions = 0 } = data
  const all = Array.from({ length: heldOutCount }, (_, i) => heldOutCondition(i))
  const shares = Array.from(
    { length: conditions },
    (_, k) => all.reduce((sum, c) => sum + (c[k] ?? 0), 0) / heldOutCount,
  )
  return shares.reduce((sum, share) => sum + Math.max(share, 1 - share), 0) / conditions
}

/** Trains the classifier; returns the share of labels of held-out seas that it has right, and the share when it always says what is usual. */
export const seaClassifier = async ({ steps = 800, onEvent = () => undefined }: Options = {}) => {
  const device = await openDevice()
  const config = usualRun({ steps, device: device.name, batch: 32, learningRate: 2e-3 })
  const result = await wholeRun({ config, task, source, device, emit: onEvent }, memoryStore())()
  await device.close()
  if (result._tag === 'Left') throw new Error(result.left.message)
  return { right: result.right.measured?.['accuracy'] ?? NaN, usual: usualShare() }
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
