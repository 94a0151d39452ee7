/** The loop of training, as a generator of reports, and what leads the reports to their sinks. */
import { E, pipe, TE } from '../prelude/fp.ts'
import { macrotask } from '../tensor/collector.ts'
import type { Device } from '../tensor/device.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { TrainState } from './recipe.ts'
import type { Report, Sink } from './sinks/sink.ts'
import type { Stepper } from './step.ts'
import type { Examples } from './task.ts'
import type { TrainError } from './trainError.ts'

/** What a loop goes through. */
export interface Course<P, B> {
  readonly device: Pick<Device, 'read'>
  readonly stepper: Pick<Stepper<P, B>, 'run' | 'count'>
  /** The endless stream of examples; step n takes the n-th `stepper.count` of them. */
  readonly examples: Examples<B>
  /** Steps that are done; 0 if it is not given. */
  readonly from?: number
  /** Steps in all. */
  readonly steps: number
  /** When aborted, the step is finished, and none follows. */
  readonly signal?: AbortSignal | undefined
}

/** Scalars by name, as numbers. */
const numbersOf = async (
  device: Pick<Device, 'read'>,
  scalars: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, number>>> => {
  const read = Object.entries(scalars).map(async ([name, x]) => [name, (await device.read(x))[0] ?? NaN] as const)
  return Object.fromEntries(await Promise.all(read))
}

/**
 * Trains: makes step after step, and yields a report of each. The state of a report is consumed when the next is asked for.
 *
 * @param begin the state after `from` steps, on the device
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { batchAt, dataOfSeas } from 'fathom/data'
 * import { initialState, presets, recipeOf, stepperOn, steps } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const recipe = recipeOf({ ...presets.tiny, ...names, height: 8, width: 8, model, batch: 2 })
 * const data = dataOfSeas({ seed: 0, size: 8 })
 * const examples = recipe.task.examples((first, count) => batchAt(data, first, count))
 * const begin = await device.realize(initialState(recipe, key(0)))
 * const losses: number[] = []
 * for await (const { loss } of steps({ device, stepper: stepperOn(device, recipe), examples, steps: 3 }, begin)) losses.push(loss)
 * losses.length // => 3
 * ```
 */
export async function* steps<P, B>(
  { device, stepper, examples, from = 0, steps: last, ...course }: Course<P, B>,
  begin: TrainState<P>,
): AsyncGenerator<Report<P>, void> {
  const { count } = stepper
  let state = begin
  let step = from
  while (step < last && course.signal?.aborted !== true) {
    step++
    const start = performance.now()
    const before = (step - 1) * count
    // Part by part: the examples of all of them may be more than memory holds.
    const [next, measured] = await stepper.run(state, (first, n) => examples(before + first, n), step)
    const [loss = NaN] = await device.read(measured.loss)
    const skipped = measured.skipped === undefined ? undefined : await device.read(measured.skipped)
    const parts = measured.parts === undefined ? undefined : await numbersOf(device, measured.parts)
    state = next
    yield {
      step,
      steps: last,
      state,
      loss,
      examplesPerSecond: (1000 * count) / (performance.now() - start),
      ...(skipped?.[0] !== undefined && { skipped: skipped[0] }),
      ...(parts !== undefined && { parts }),
    }
    await macrotask() // lets signals in
  }
}

/** Steps in a row that may be skipped: by then the loss scale has been halved so often that gradients are not finite for another reason. */
const mostSkipped = 60

/** What is no number in a report, in words; undefined where all is well. @param inARow steps that were skipped, up to this one */
const notFinite = ({ loss }: Report<unknown>, inARow: number): string | undefined => {
  if (!Number.isFinite(loss)) return `the loss is ${loss}`
  return inARow < mostSkipped
    ? undefined
    : `gradients were not finite in ${inARow} steps in a row, whatever the loss scale,`
}

/**
 * Leads every report to every sink, in their order.
 *
 * @param diverged the error of a run that has diverged
 * @returns the last report, undefined where there was none; Left from the first sink that fails, and when a loss is no number or all steps are skipped
 * @example
 * ```ts
 * import { key, tensor } from 'fathom'
 * import { drain, initialState, presets, trainingOf, type Sink } from 'fathom/train'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const training = trainingOf({ ...presets.tiny, folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'cpu' })
 * const state = initialState({ ...training, task: { init: () => tensor([0]) } }, key(0))
 * async function* reports() {
 *   for (const step of [1, 2]) yield { step, steps: 2, state, loss: 1 / step, examplesPerSecond: 1 }
 * }
 * const losses: number[] = []
 * const sink: Sink<unknown> = { take: ({ loss }) => TE.fromIO(() => losses.push(loss)) }
 * const diverged = (message: string) => ({ _tag: 'TrainError', code: 'DIVERGED', message }) as const
 * await drain(reports(), [sink], diverged)() // => right({ step: 2, loss: 0.5, … })
 * losses // => [1, 0.5]
 * ```
 */
export const drain =
  <P>(
    reports: AsyncIterable<Report<P>>,
    sinks: readonly Sink<P>[],
    diverged: (what: string, step: number) => TrainError,
  ): TE.TaskEither<TrainError, Report<P> | undefined> =>
  async () => {
    const each = (does: (sink: Sink<P>) => TE.TaskEither<TrainError, unknown> | undefined) =>
      pipe(
        sinks,
        TE.traverseSeqArray((sink) => does(sink) ?? TE.right(undefined)),
      )
    let last: Report<P> | undefined
    let inARow = 0
    for await (const report of reports) {
      const { step, skipped = 0 } = report
      inARow = skipped > (last?.skipped ?? skipped) ? inARow + 1 : 0
      const what = notFinite(report, inARow)
      const taken =
        what === undefined
          ? await each((sink) => sink.take(report))()
          : await pipe(
              each((sink) => sink.diverged?.(step)),
              TE.chain(() => TE.left(diverged(what, step))),
            )()
      if (E.isLeft(taken)) return taken
      last = report
    }
    return pipe(
      each((sink) => sink.end?.(last)),
      TE.map(() => last),
    )()
  }
