/**
 * A residual network that says what a picture of the sea shows (a boat, a bridge, fog, …), several things at once, by the trainer.
 * `node scripts/node24.mjs examples/sea-classifier.ts`, a minute on two cores.
 */
import { openDevice } from 'fathom'
import { dataOfSeas } from 'fathom/data'
import { resnetFamily } from 'fathom/models'
import { classificationRun, memoryStore, usualRun, wholeRun, type TrainEvent } from 'fathom/train'

/** Endless seas with what they show, of which some are held out. */
const data = dataOfSeas({ seed: 5, size: 32 }, { labels: true })

const { task, source } = classificationRun(
  data,
  (purpose) => resnetFamily.build({ blocks: [1, 1, 1], width: 8, stem: 'large' }, purpose),
  { several: true },
)

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
  const config = usualRun({ steps, device: device.name, batch: 32, learningRate: 4e-3 })
  const result = await wholeRun({ config, task, source, device, emit: onEvent }, memoryStore())()
  await device.close()
  if (result._tag === 'Left') throw new Error(result.left.message)
  return { right: result.right.measured?.['right'] ?? NaN, usual: usualShare() }
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
