/**
 * The averaged weights that were best on held-out examples, and those of early in the run: kept beside the checkpoints, which are of the end. With few
 * examples a network learns them by heart: its loss on others falls, and rises again.
 */
import { recordsOf } from '../../io/params.ts'
import { readSafetensors, writeSafetensors } from '../../io/safetensors.ts'
import { E, pipe, TE } from '../../prelude/fp.ts'
import type { Device } from '../../tensor/device.ts'
import type { ChosenAverage } from '../chosenAverage.ts'
import { deviceErrorOf } from '../deviceErrors.ts'
import type { TrainEvent } from '../events.ts'
import { names, storeError, type Store } from '../store.ts'
import type { Measured, MeasuredLoss } from '../task.ts'
import type { TrainError } from '../trainError.ts'
import { nothing, type Report, type Sink } from './sink.ts'

/** Which weights were best so far. */
interface Best {
  readonly step: number
  readonly loss: number
}

/** What a file of weights says beside them. */
type Texts = Readonly<Record<string, string>>

/** Which of several averages they are, among these. */
const textOf = (chosen: ChosenAverage): Texts => {
  const width = chosen.width()
  return chosen.count === 1 || width === undefined ? {} : { averageWidth: String(width) }
}

/** Keeps averaged weights under a name. */
const keep = <P>(
  store: Store,
  device: Device,
  name: string,
  average: P,
  texts: Texts,
): TE.TaskEither<TrainError, void> =>
  pipe(
    TE.tryCatch(
      async () =>
        writeSafetensors(await recordsOf(device, average), new Map(Object.entries({ format: 'fathom', ...texts }))),
      (reason) =>
        deviceErrorOf(reason, device.name) ?? storeError(`${store.pathOf(name)} cannot be made: ${String(reason)}`),
    ),
    TE.chain((bytes) => store.replace(name, bytes)),
  )

/** Which weights are kept as the best; undefined where none are, or their file cannot be read. */
export const bestIn = (store: Store): TE.TaskEither<TrainError, Best | undefined> =>
  pipe(
    store.read(names.best),
    TE.map((bytes) => {
      const read = bytes === undefined ? undefined : readSafetensors(bytes)
      if (read === undefined || E.isLeft(read)) return undefined
      const [step, loss] = ['step', 'loss'].map((name) => Number(read.right.metadata.get(name) ?? NaN))
      return step === undefined || loss === undefined || Number.isNaN(step + loss) ? undefined : { step, loss }
    }),
  )

/** By how much, and in how many measurements since, the loss must have risen for the best to be past. */
const [risen, measurements] = [1.02, 3] as const

/** What is asked of who keeps the best. */
export interface BestOptions {
  readonly device: Device
  readonly chosen: ChosenAverage
  /** By which it is chosen. */
  readonly loss: MeasuredLoss
  readonly emit: (event: TrainEvent) => void
}

/** Takes what was measured after a step. */
export type TakeMeasured<P> = (report: Report<P>, values: Measured) => TE.TaskEither<TrainError, unknown>

/** Keeps the averaged weights whose held-out loss is the least so far, and says once when it has risen for good. */
export const keepBest = <P>(store: Store, { device, chosen, loss, emit }: BestOptions): TakeMeasured<P> => {
  let best: Best | undefined
  let looked = false
  let worse = 0
  let said = false
  const look = async (): Promise<E.Either<TrainError, Best | undefined>> => {
    const found = looked ? E.right(best) : await bestIn(store)()
    looked = true
    return found
  }
  return ({ step, state }, values) =>
    async () => {
      const found = await look()
      if (E.isLeft(found)) return found
      best = found.right
      const value = values[loss.name]
      if (value === undefined) return E.right(undefined)
      if (best === undefined || value < best.loss) {
        best = { step, loss: value }
        worse = 0
        said = false
        const texts = { step: String(step), loss: String(value), ...textOf(chosen) }
        return keep(store, device, names.best, chosen.of(state), texts)()
      }
      worse = value > risen * best.loss && step > best.step ? worse + 1 : 0
      if (worse >= measurements && !said) {
        said = true
        emit({ _tag: 'Passed', step, best: best.step, about: loss.about, loss: value, least: best.loss })
      }
      return E.right(undefined)
    }
}

/** The part of a run after which its weights are kept as those of early. */
const earlyPart = 1 / 16

/** Whether the weights after this step are those of early. */
export const isEarly = ({ step, steps }: Pick<Report<unknown>, 'step' | 'steps'>): boolean =>
  step === Math.ceil(earlyPart * steps)

/** Keeps the averaged weights of early in the run, which can guide the later ones (Karras et al. 2024, autoguidance). */
export const earlySink = <P>(store: Store, device: Device, chosen: ChosenAverage): Sink<P> => ({
  take: (report) =>
    isEarly(report)
      ? keep(store, device, names.early, chosen.of(report.state), { step: String(report.step), ...textOf(chosen) })
      : nothing,
})
