/** Leading a run from its beginning, or from a checkpoint, to its end: on a device that may be lost on the way, and is opened again. */
import { pipe, TE } from '../prelude/fp.ts'
import { configHash, isOf } from './configHash.node.ts'
import type { Device } from '../tensor/device.ts'
import { orDeviceError } from './deviceErrors.ts'
import { ensuring } from './ensuring.ts'
import type { TrainEvent, TrainHooks, TrainSummary } from './events.ts'
import { newestState, settle } from './newestState.node.ts'
import { recovering, type Surroundings } from './recovery.ts'
import type { Restored } from './restore.ts'
import { finishRun, prepareRun, type Run } from './run.ts'
import type { Store } from './store.ts'
import type { Source } from './task.ts'
import { withinTime } from './time/withinTime.ts'
import type { Subject } from './tasks/subject.ts'
import type { TrainConfig } from './tasks/registry.ts'
import { trainError, type TrainError } from './trainError.ts'

/** What a run begins or goes on with. */
export interface Job<P, B, D> {
  readonly subject: Subject<P, B, D>
  readonly config: TrainConfig
  readonly hooks: TrainHooks
  readonly surroundings: Surroundings
  /** When the run's time began, in milliseconds by the clock of the surroundings. */
  readonly since: number
  /** The state to go on with; without it the run begins. */
  readonly found?: Restored<P>
  /** Sentences for the user, before the first step; of the data too, once they are open. */
  readonly notes?: (source: Source<P, B>) => readonly string[]
  /** Writes what must be there before the first step, into the store that the run then has. Nothing is written before it. */
  readonly begin: (run: Run<P, B>) => TE.TaskEither<TrainError, Store>
}

/** The task and the configuration of a run whose steps are known. */
interface Sized<P, B, D> {
  readonly subject: Subject<P, B, D>
  readonly config: TrainConfig
}

/** What of a run outlasts its device. */
interface Lasting<P, B, D> {
  /** Once its steps are known: those that fit into its time are measured. */
  sized?: Sized<P, B, D>
  /** The data, once they are open: they are not looked for a second time. */
  source?: Source<P, B>
  /** Once the run has begun. */
  store?: Store
  /** The step of the newest checkpoint, if there is one. */
  saved?: number
  /** Whether a device was lost. */
  wasLost?: boolean
}

/** Opens the data, once. */
const sourceOf = <P, B, D>(
  { subject, found, notes = () => [] }: Job<P, B, D>,
  lasting: Lasting<P, B, D>,
  device: Device,
  emit: (event: TrainEvent) => void,
): TE.TaskEither<TrainError, Source<P, B>> =>
  lasting.source === undefined
    ? pipe(
        subject.open(device, (what, share) => {
          emit({ _tag: 'Prepared', what, share })
        }),
        TE.map((source) => {
          for (const message of [...source.warnings, ...(found?.warnings ?? []), ...notes(source)])
            emit({ _tag: 'Warning', message })
          return (lasting.source = source)
        }),
      )
    : TE.right(lasting.source)

/** The run with as many steps as fit into its time, if it has one and is to begin. */
const sizedOn = <P, B, D>(
  { subject, config, found, surroundings: { now }, since }: Job<P, B, D>,
  lasting: Lasting<P, B, D>,
  source: Source<P, B>,
  device: Device,
  emit: (event: TrainEvent) => void,
): TE.TaskEither<TrainError, Sized<P, B, D>> => {
  const { time } = config
  if (lasting.sized !== undefined || found !== undefined || time === undefined)
    return TE.right(lasting.sized ?? { subject, config })
  return pipe(
    withinTime({ subject, config, source, device, since, now }, time),
    TE.map(({ secondsPerStep, aside, ...course }) => {
      emit({ _tag: 'Timed', steps: course.steps, secondsPerStep, aside })
      const timed = { ...config, ...course }
      return (lasting.sized = { subject: subject.with(timed), config: timed })
    }),
  )
}

/**
 * The run on a device that is opened for it, and closed in the end. Nothing is written before it begins: a run that is refused here leaves no
 * trace.
 */
const onDevice = <P, B, D>(
  job: Job<P, B, D>,
  lasting: Lasting<P, B, D>,
  emit: (event: TrainEvent) => void,
  found: Restored<P> | undefined,
): TE.TaskEither<TrainError, TrainSummary> => {
  const { subject, config, hooks, surroundings } = job
  return pipe(
    surroundings.open(config.device, hooks.deviceOptions, found?.progress),
    TE.chain((device) =>
      pipe(
        TE.fromEither(subject.requireLeast(device)), // before minutes are spent on decoding photographs
        TE.chain(() => pipe(sourceOf(job, lasting, device, emit), orDeviceError(device.name))),
        TE.bindTo('source'),
        TE.bind('sized', ({ source }) => sizedOn(job, lasting, source, device, emit)),
        TE.chain(({ source, sized }) => {
          const parts = { config: sized.config, task: sized.subject.task, configHash: configHash(sized.config) }
          return prepareRun({ ...parts, emit, signal: hooks.signal, source, device }, found)
        }),
        TE.chain((run) =>
          pipe(
            lasting.store === undefined ? job.begin(run) : TE.right(lasting.store),
            TE.chain((store) => finishRun(run, (lasting.store = store))),
          ),
        ),
        ensuring(() => device.close()),
      ),
    ),
  )
}

/** The state to go on with after a loss, and the directory brought to where it stands. */
const savedState = <P, B, D>(
  job: Job<P, B, D>,
  { store, sized = job }: Lasting<P, B, D>,
  emit: (event: TrainEvent) => void,
): TE.TaskEither<TrainError, Restored<P> | undefined> =>
  store === undefined
    ? TE.right(job.found)
    : pipe(
        newestState(
          store,
          sized.config,
          sized.subject.task,
          (progress) => isOf(sized.config, progress) || progress.configHash === job.found?.progress.configHash,
        ),
        TE.chainFirst((state) =>
          pipe(
            settle(store, state),
            TE.map((lost) => {
              for (const message of [...state.warnings, ...lost]) emit({ _tag: 'Warning', message })
            }),
          ),
        ),
      )

/** How a person goes on with a run that has ended too early. */
const goingOn = (out: string, saved: number | undefined): string =>
  saved === undefined
    ? 'nothing was done yet'
    : `all up to step ${saved} is saved: continue with \`fathom resume ${out}\``

/** What a person should know of a run that has ended for want of memory, in the midst of it. */
const said =
  (out: string, lasting: Pick<Lasting<unknown, unknown, unknown>, 'saved' | 'store'>) =>
  (error: TrainError): TrainError =>
    error.code === 'MEMORY' && error.reason !== undefined && lasting.store !== undefined
      ? {
          ...error,
          message: `${error.message}. That is another run, for this one keeps its settings; ${goingOn(out, lasting.saved)}, when other programs have left the device more memory`,
        }
      : error

/**
 * Leads a run to its end. Where the device is lost, it is opened again, and the run goes on from its newest checkpoint as `resume` does, at most
 * three times an hour.
 */
export const lead = <P, B, D>(job: Job<P, B, D>): TE.TaskEither<TrainError, TrainSummary> => {
  const { config, hooks, found } = job
  const { out } = config
  const lasting: Lasting<P, B, D> = found === undefined ? {} : { saved: found.progress.step }
  const emit = (event: TrainEvent): void => {
    if (event._tag === 'Saved') lasting.saved = event.step
    if (event._tag === 'DeviceLost') lasting.wasLost = true
    hooks.onEvent?.(event)
  }
  const start = performance.now()
  const seconds = (): number => (performance.now() - start) / 1000
  return pipe(
    recovering<Restored<P>, TrainSummary>({
      surroundings: job.surroundings,
      emit,
      signal: hooks.signal,
      attempt: (from) => onDevice(job, lasting, emit, from),
      first: found,
      saved: async () => savedState(job, lasting, emit)(),
      stepOf: ({ progress }) => progress.step,
      stopped: ({ progress: { step } }) => {
        const { steps } = lasting.sized?.config ?? config
        return { directory: out, step, steps, interrupted: step < steps, seconds: seconds() }
      },
      givenUp: ({ message, reason = message }, times) =>
        trainError(
          'DEVICE-LOST',
          `the device '${config.device}' was lost ${times} times within an hour, at last because ${reason}; ${goingOn(out, lasting.saved)}`,
        ),
    }),
    TE.bimap(said(out, lasting), (summary) =>
      lasting.wasLost === true ? { ...summary, seconds: seconds() } : summary,
    ),
  )
}
