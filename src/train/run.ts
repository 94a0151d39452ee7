/**
 * A run: a task with its data on a device, led through its steps into a store. The device, the data and the store are values, so that it is the same
 * in Node, in a page and in a test.
 */
import { pipe, TE } from '../prelude/fp.ts'
import type { Device } from '../tensor/device.ts'
import { key, type Key } from '../tensor/random.ts'
import { chosenAverage, measuredWith, type ChosenAverage } from './chosenAverage.ts'
import { writeConfig } from './configFile.ts'
import { orDeviceError } from './deviceErrors.ts'
import type { TrainEvent, TrainSummary } from './events.ts'
import { factsOf } from './facts.ts'
import { diverged } from './finite.ts'
import { drain, steps } from './loop.ts'
import { requireMemory } from './openDevice.ts'
import { initialState, trainingOf, type TrainState } from './recipe.ts'
import type { Restored } from './restore.ts'
import type { RunConfig } from './runConfig.ts'
import { earlySink, isEarly, keepBest } from './sinks/best.ts'
import { chartSink } from './sinks/chart.ts'
import { checkpointsSink, saveState, type SaveOptions } from './sinks/checkpoints.ts'
import { keptSink } from './sinks/kept.ts'
import { metricsSink } from './sinks/metrics.ts'
import { progressSink } from './sinks/progress.ts'
import { oncePerStep, sheetsSink } from './sinks/sheets.ts'
import type { Sink } from './sinks/sink.ts'
import type { Progress } from './stateFiles.ts'
import { stepperOn, type Stepper } from './step.ts'
import { names, type Store } from './store.ts'
import type { Measured, Source, Task } from './task.ts'
import type { TrainError } from './trainError.ts'

/** What a run is made of. */
export interface RunParts<P, B, D> {
  readonly config: RunConfig
  readonly task: Task<P, B, D>
  readonly source: Source<P, B>
  readonly device: Device
  /** What a checkpoint holds of the configuration. */
  readonly configHash: string
  /** Called with everything that happens. */
  readonly emit: (event: TrainEvent) => void
  readonly signal?: AbortSignal | undefined
}

/** A run whose step is planned, and fits. */
export interface Run<P, B> extends Omit<RunParts<P, B, unknown>, 'task'> {
  readonly task: Pick<Task<P, B, unknown>, 'words' | 'losses' | 'sheets'>
  readonly stepper: Stepper<P, B>
  /** The state to begin or to go on with, on the device. */
  readonly state: TrainState<P>
  /** Steps that are done. */
  readonly from: number
  /** Which of its averages is drawn from. */
  readonly chosen: ChosenAverage
}

/**
 * Makes or takes over the state of a run, plans the step, and checks the memory. Nothing is written: a run that is refused here leaves no trace.
 * Left, too, where the device is lost or has too little memory.
 *
 * @param found the state of a run that goes on; without it the run begins
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 * import { diffusionTask, pictureSource, prepareRun, presets } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const small = { height: 8, width: 8, model, batch: 2, steps: 2, sampleCount: 1, sampleSteps: 1 }
 * const config = { ...presets.tiny, folder: null, out: 'sea', preset: 'tiny', seed: 0, device: 'wasm', ...small }
 * const task = diffusionTask(config)
 * const data = dataOfSeas({ seed: 0, size: 8 })
 * const source = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * const prepared = prepareRun({ config, task, source, device, configHash: '', emit: () => undefined })
 * const firstStep = pipe(
 *   prepared,
 *   TE.map(({ from, stepper }) => [from + 1, stepper.count]),
 * )
 * await firstStep() // => right([1, 2])
 * ```
 */
export const prepareRun = <P, B, D>(
  parts: RunParts<P, B, D>,
  found?: Pick<Restored<P>, 'state' | 'progress'>,
): TE.TaskEither<TrainError, Run<P, B>> => {
  const { config, task, source, device, emit } = parts
  const recipe = { ...trainingOf(config), task }
  const from = found?.progress.step ?? 0
  return pipe(
    TE.fromTask<TrainState<P>, TrainError>(() =>
      found === undefined
        ? device.compile((seed: Key) => initialState<P>(recipe, seed))(key(config.seed))
        : device.realize(found.state),
    ),
    TE.bindTo('state'),
    TE.let('stepper', () => stepperOn(device, recipe)),
    TE.let('plan', ({ stepper, state }) => stepper.plan(state)),
    TE.chainFirstEitherK(({ stepper, state }) => requireMemory(device, stepper.bytes(state))),
    TE.map(({ state, stepper, plan }) => {
      const { words } = task
      const known = { config, words, device: device.description, data: source.summary }
      emit({ _tag: 'Started', facts: factsOf({ ...known, state, plan }), from })
      return { ...parts, stepper, state, from, chosen: chosenAverage(config, found?.progress.average) }
    }),
    orDeviceError(device.name),
  )
}

/** What of a run its checkpoints say. */
interface Said extends Pick<Run<unknown, unknown>, 'config' | 'device' | 'configHash' | 'chosen'> {
  readonly source: { readonly fingerprint: string }
}

/** What a checkpoint says beside its tensors. */
const progressOf = ({ config, device, source, configHash, chosen }: Said, step: number): Progress => ({
  step,
  steps: config.steps,
  seed: config.seed,
  configHash,
  data: source.fingerprint,
  device: device.name,
  ...(device.choices === undefined ? {} : { machine: device.choices }),
  ...(chosen.count > 1 && { average: chosen.index() }),
})

const divergedIn =
  (config: RunConfig) =>
  (what: string, step: number): TrainError =>
    diverged(config, what, step)

const savingOf = <P, B>(run: Run<P, B>): SaveOptions => ({
  device: run.device,
  progressAt: (step) => progressOf(run, step),
  emit: run.emit,
  diverged: divergedIn(run.config),
})

/** The measurement of a run, prepared when it is first asked for: a run that stops before needs none. */
const measureOf = <P, B>(run: Run<P, B>): ((state: TrainState<P>) => Promise<Measured>) | undefined => {
  const { device, source, chosen, config, task } = run
  const { measure } = source
  if (measure === undefined) return undefined
  let prepared: ReturnType<typeof measure> | undefined
  const by = { loss: task.losses[0]?.name, ema: config.ema }
  return async (state) => {
    prepared ??= measure(device)
    return measuredWith(await prepared, state, chosen, by)
  }
}

/**
 * The sinks of a run: it is watched, its metrics are written and drawn, sheets of samples are drawn from the averaged weights if the task has any,
 * and checkpoints saved. A program with others gives those to `drain`.
 *
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 * import { diffusionTask, memoryStore, pictureSource, prepareRun, presets, runSinks } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const small = { height: 8, width: 8, model, batch: 2, steps: 2, sampleCount: 1, sampleSteps: 1 }
 * const config = { ...presets.tiny, folder: null, out: 'sea', preset: 'tiny', seed: 0, device: 'wasm', ...small }
 * const task = diffusionTask(config)
 * const data = dataOfSeas({ seed: 0, size: 8 })
 * const source = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * const prepared = prepareRun({ config, task, source, device, configHash: '', emit: () => undefined })
 * const count = pipe(
 *   prepared,
 *   TE.map((run) => runSinks(run, memoryStore()).length),
 * )
 * await count() // => right(5)
 * ```
 */
export const runSinks = <P, B>(run: Run<P, B>, store: Store): readonly Sink<P>[] => {
  const { config, task, source, device, emit, chosen } = run
  const measure = measureOf(run)
  const sheets = source.sheets ?? task.sheets
  const chooses = task.losses.find((loss) => loss.chooses === true)
  const sheet =
    sheets === undefined ? undefined : { draw: oncePerStep(sheets(device), chosen), every: config.sampleEvery }
  return [
    progressSink(emit),
    metricsSink(store, {
      measure,
      every: config.heldOutEvery,
      ...(chosen.count > 1 && { also: isEarly }),
      watched: source.watches === true ? sheet : undefined,
      task,
      emit,
      diverged: divergedIn(config),
      ...(chooses !== undefined && { take: keepBest<P>(store, { device, chosen, loss: chooses, emit }) }),
    }),
    chartSink(store, { losses: task.losses, every: config.heldOutEvery }),
    ...(sheet === undefined ? [] : [sheetsSink(store, { ...sheet, emit })]),
    ...(chooses === undefined ? [] : [earlySink<P>(store, device, chosen)]),
    ...(source.kept === undefined
      ? []
      : [keptSink(store, { make: source.kept(device), every: config.saveEvery, chosen })]),
    checkpointsSink(store, { every: config.saveEvery, ...savingOf(run) }),
  ]
}

/**
 * Begins a run that is prepared: keeps its configuration, what the network will see, and a checkpoint to come back to.
 *
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 * import { beginRun, diffusionTask, memoryStore, pictureSource, prepareRun, presets } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const small = { height: 8, width: 8, model, batch: 2, steps: 2, sampleCount: 1, sampleSteps: 1 }
 * const config = { ...presets.tiny, folder: null, out: 'sea', preset: 'tiny', seed: 0, device: 'wasm', ...small }
 * const task = diffusionTask(config)
 * const data = dataOfSeas({ seed: 0, size: 8 })
 * const source = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * const prepared = prepareRun({ config, task, source, device, configHash: '', emit: () => undefined })
 * const store = memoryStore()
 * const begun = pipe(
 *   prepared,
 *   TE.chain((run) => beginRun(run, store)),
 * )
 * await begun() // => right(undefined)
 * const left = [...store.files.keys(), ...store.saved.keys()]
 * left // => ['config.json', 0]
 * ```
 */
export const beginRun = <P, B>(run: Run<P, B>, store: Store): TE.TaskEither<TrainError, void> => {
  const preview = run.source.preview?.()
  return pipe(
    writeConfig(store, run.config),
    TE.chain(() =>
      preview === undefined
        ? TE.right(undefined)
        : store.replace(`${names.preview}.${preview.extension}`, preview.bytes),
    ),
    TE.chain(() =>
      pipe(
        [...(run.source.files ?? [])],
        TE.traverseSeqArray(([name, bytes]) => store.replace(name, bytes)),
      ),
    ),
    TE.chain(() => saveState(store, savingOf(run), run.state, run.from)),
  )
}

/**
 * Leads a run that is prepared through the steps that are left, to the last or to the signal; all that it leaves goes to the store. Left where the
 * device is lost on the way: the run can go on from its newest checkpoint, by `restore`, on a device that is opened again.
 *
 * @example
 * ```ts
 * import { dataOfSeas } from 'fathom/data'
 * import { diffusionTask, finishRun, memoryStore, pictureSource, prepareRun, presets, sheetsOf } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const small = { height: 8, width: 8, model, batch: 2, steps: 2, sampleCount: 1, sampleSteps: 1 }
 * const config = { ...presets.tiny, folder: null, out: 'sea', preset: 'tiny', seed: 0, device: 'wasm', ...small }
 * const plain = diffusionTask(config)
 * const task = { ...plain, sheets: sheetsOf(plain) }
 * const data = dataOfSeas({ seed: 0, size: 8 })
 * const source = pictureSource(task, { data, fingerprint: 'seas', summary: 'procedural seas', warnings: [] })
 * const prepared = prepareRun({ config, task, source, device, configHash: '', emit: () => undefined })
 * const store = memoryStore()
 * const finished = pipe(
 *   prepared,
 *   TE.chain((run) => finishRun(run, store)),
 * )
 * await finished() // => right({ step: 2, steps: 2, interrupted: false, … })
 * const left = [...store.files.keys(), ...store.saved.keys()]
 * left // => ['metrics.jsonl', 'early.safetensors', 'best.safetensors', 'loss.svg', 'samples/step-000002.png', 2]
 * ```
 */
export const finishRun =
  <P, B>(run: Run<P, B>, store: Store): TE.TaskEither<TrainError, TrainSummary> =>
  () => {
    const { config, device, stepper, source, from, state, signal } = run
    const start = performance.now()
    let seen: Pick<TrainSummary, 'measured' | 'words'> = {}
    const emit = (event: TrainEvent): void => {
      if (event._tag === 'Measured') seen = { measured: event.values, words: event.words.at(-1) ?? '' }
      run.emit(event)
    }
    const course = { device, stepper, examples: source.examples, from, steps: config.steps, signal }
    return pipe(
      drain(steps(course, state), runSinks({ ...run, emit }, store), divergedIn(config)),
      TE.map((last): TrainSummary => {
        const { step, loss } = last ?? { step: from }
        return {
          directory: config.out,
          step,
          steps: config.steps,
          interrupted: step < config.steps,
          ...(loss !== undefined && { loss }),
          ...seen,
          seconds: (performance.now() - start) / 1000,
        }
      }),
      orDeviceError(device.name),
    )()
  }
