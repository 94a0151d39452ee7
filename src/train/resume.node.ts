/** Going on with a run, exactly where its newest checkpoint stands. */
import { requireKnown } from '../prelude/options.ts'
import { access } from 'node:fs/promises'
import { E, pipe, TE } from '../prelude/fp.ts'
import { isBegun, tidy } from './beginning.node.ts'
import { readConfig, writeConfig } from './configFile.ts'
import { isOf } from './configHash.node.ts'
import { ensuring } from './ensuring.ts'
import { trainHooks, type TrainHooks, type TrainSummary } from './events.ts'
import { lead } from './lead.node.ts'
import { newestState, settle } from './newestState.node.ts'
import type { ResumeChanges } from './resumeChanges.ts'
import { realSurroundings, type Surroundings } from './recovery.ts'
import type { Restored } from './restore.ts'
import { beginRun } from './run.ts'
import { liesIn } from './runPlace.node.ts'
import { completeStage, secondsSpent } from './stages.node.ts'
import { metricsIn } from './sinks/metrics.ts'
import type { Store } from './store.ts'
import { lockRun, storeIn } from './store.node.ts'
import type { Source, Task } from './task.ts'
import { subjectOf } from './tasks/registry.node.ts'
import type { Subject } from './tasks/subject.ts'
import { decodeConfig, forSteps, type TrainConfig } from './tasks/registry.ts'
import { settingError, trainError, type TrainError } from './trainError.ts'

/** The configuration to go on with. @param done steps */
const changed = (
  config: TrainConfig,
  { steps = config.steps, folder, device = config.device }: ResumeChanges,
  done: number,
): E.Either<TrainError, TrainConfig> => {
  if (folder !== undefined && config.folder === null)
    return E.left(
      trainError('CFG', `${config.out} trains on procedural seas: it has no folder of pictures that could have moved`),
    )
  if (steps !== config.steps && steps <= done)
    return E.left(settingError({ path: 'steps', expected: `more than the ${done} that are done`, got: String(steps) }))
  return decodeConfig({ ...forSteps(config, steps), device, folder: folder ?? config.folder })
}

/** What a person should know when the run goes on for other steps than its checkpoint was planned for. */
const otherSteps = ({ steps, rate }: TrainConfig, planned: number, done: number): readonly string[] =>
  steps === planned
    ? []
    : [
        `the run was planned for ${planned} steps and is now for ${steps}: from step ${done + 1} on its learning rate is that of step ${done + 1} of ${steps}` +
          `${rate === 'cosine' ? ', which is another than it would have been' : ''}, so it is not the run that would have begun with ${steps}`,
      ]

/** What a person should know when the run goes on with another device. */
const otherDevice = ({ device }: TrainConfig, before: string): readonly string[] =>
  device === before
    ? []
    : [`the run goes on with ${device}, and went with ${before} before: what follows differs from it in the last bits`]

/** What a person should know of a run that lies among its pictures. */
const insideFolder = async ({ folder, out }: TrainConfig): Promise<readonly string[]> =>
  folder !== null && (await liesIn(out, folder))
    ? [`the run lies in the folder of its pictures, ${folder}: move it out, or the pictures out of it`]
    : []

/** A folder of pictures that is gone may have moved. */
const requireFolder =
  ({ folder, out, task }: TrainConfig): TE.TaskEither<TrainError, void> =>
  async () => {
    if (folder === null) return E.right(undefined)
    try {
      await access(folder)
      return E.right(undefined)
    } catch {
      return E.left(
        trainError(
          'DATA',
          task === 'text'
            ? `the text of the run, ${folder}, is not there; if it has moved, name it: fathom resume ${out} --data FILE`
            : `the folder of the run's pictures, ${folder}, is not there; if it has moved, name it: fathom resume ${out} --data FOLDER`,
        ),
      )
    }
  }

/** The summary of a run that has nothing left to do, from its metrics. */
const completed = (store: Store, config: TrainConfig, task: Pick<Task<never, never, unknown>, 'words'>, step: number) =>
  pipe(
    metricsIn(store),
    TE.map((metrics): TrainSummary => {
      const last = (name: string): number | undefined =>
        metrics.flatMap((m) => (typeof m[name] === 'number' ? [m[name]] : [])).at(-1)
      const notMeasured = new Set(['step', 'loss', `${task.words.example.many}PerSecond`])
      const measuredNames = [...new Set(metrics.flatMap(Object.keys))].filter((name) => !notMeasured.has(name))
      const measured = Object.fromEntries(
        measuredNames.flatMap((name) => {
          const value = last(name)
          return value === undefined ? [] : [[name, value] as const]
        }),
      )
      const loss = last('loss')
      const words = task.words.measured(measured).at(-1)
      return {
        directory: config.out,
        step,
        steps: config.steps,
        interrupted: false,
        ...(loss !== undefined && { loss }),
        ...(words !== undefined && { measured, words }),
        seconds: 0,
      }
    }),
  )

/** A run in a directory that this process holds. */
interface HeldRun<P, B, D> {
  readonly subject: Subject<P, B, D>
  /** The configuration as it is written there. */
  readonly written: TrainConfig
  readonly store: Store
  readonly hooks: TrainHooks
  readonly surroundings: Surroundings
  /** When its time began. */
  readonly since: number
  readonly changes: ResumeChanges
  /** Whether it is the first stage of another run, which speaks for it. */
  readonly isStage: boolean
}

/** Goes on from a checkpoint. */
const goOn = <P, B, D>(
  { subject, written, store, hooks, surroundings, since, changes }: HeldRun<P, B, D>,
  found: Restored<P>,
): TE.TaskEither<TrainError, TrainSummary> => {
  const { step, steps: planned = written.steps, data } = found.progress
  return pipe(
    TE.fromEither(changed(written, changes, step)),
    TE.bindTo('config'),
    TE.bind('lost', () => settle(store, found)),
    TE.chain(({ config, lost }) => {
      const now = subject.with(config)
      if (step >= config.steps) return completed(store, config, now.task, step)
      const notes = (inside: readonly string[]) => (source: Source<P, B>) => [
        ...lost,
        ...inside,
        ...source.changes(data, written.folder),
        ...otherSteps(config, planned, step),
        ...otherDevice(config, written.device),
      ]
      const isChanged = (['steps', 'folder', 'device'] as const).some((name) => config[name] !== written[name])
      return pipe(
        requireFolder(config),
        TE.chain(() => TE.fromTask(() => insideFolder(config))),
        TE.chain((inside) =>
          lead({
            subject: now,
            config,
            hooks,
            surroundings,
            since,
            found,
            notes: notes(inside),
            begin: () =>
              pipe(
                isChanged ? writeConfig(store, config) : TE.right(undefined),
                TE.map(() => store),
              ),
          }),
        ),
      )
    }),
  )
}

/** Begins a run of which there is only the configuration. */
const beginLate = <P, B, D>({
  subject,
  written,
  store,
  hooks,
  surroundings,
  since,
  changes,
  isStage,
}: HeldRun<P, B, D>): TE.TaskEither<TrainError, TrainSummary> =>
  pipe(
    TE.fromEither(changed(written, changes, 0)),
    TE.chainFirst(requireFolder),
    TE.chain((config) => {
      const notes = () => (isStage ? [] : [`nothing was done in ${config.out} yet: the run begins`])
      return lead({
        subject: subject.with(config),
        config,
        hooks,
        surroundings,
        since,
        notes,
        begin: (run) =>
          pipe(
            beginRun(run, store),
            TE.map(() => store),
          ),
      })
    }),
  )

/** Goes on with the run in a directory that this process holds, or begins it. */
const continued = <P, B, D>(run: HeldRun<P, B, D>): TE.TaskEither<TrainError, TrainSummary> => {
  const { subject, written, store } = run
  return pipe(
    TE.fromTask<void, TrainError>(() => tidy(written.out)),
    TE.chain(() => isBegun(written.out)),
    TE.chain((begun) =>
      begun
        ? pipe(
            newestState<P>(store, written, subject.task, (progress) => isOf(written, progress)),
            TE.chain((found) => goOn(run, found)),
          )
        : beginLate(run),
    ),
  )
}

/** `resume`, in these surroundings. @param subjects what a configuration trains */
export const resumeIn =
  (surroundings: Surroundings, subjects: typeof subjectOf = subjectOf) =>
  (
    directory: string,
    hooks: TrainHooks,
    changes: ResumeChanges,
    isStage = false,
  ): TE.TaskEither<TrainError, TrainSummary> =>
    pipe(
      readConfig(storeIn(directory)), // before anything is written where no run is
      TE.chain(() => lockRun(directory)),
      TE.chain((lock) => {
        const store = storeIn(directory, lock)
        const resumeStage = resumeIn(surroundings, subjects)
        return pipe(
          readConfig(store), // again, now that nobody else can change it
          TE.bindTo('written'),
          TE.bind('since', ({ written }) =>
            pipe(
              secondsSpent(written),
              TE.map((seconds) => (hooks.since ?? surroundings.now()) - 1000 * seconds),
            ),
          ),
          TE.bind('stopped', ({ written, since }) => completeStage(written, { ...hooks, since }, changes, resumeStage)),
          TE.chain(({ written, since, stopped }) =>
            stopped === undefined
              ? subjects(written)((subject) =>
                  continued({ subject, written, store, hooks, surroundings, since, changes, isStage }),
                )
              : TE.right(stopped),
          ),
          ensuring(lock.release),
        )
      }),
    )

/**
 * Continues the run in a directory from its newest valid checkpoint, with the same bits as if it had never stopped.
 *
 * A run that ended before its first checkpoint begins here. More steps than it was planned for go on with the rates of a run of so many,
 * from there on; pictures that have moved are the same pictures if their contents are. A device that is lost on the way is opened again, as by
 * `train`.
 *
 * @param changes more steps, the folder in which the pictures lie now, another device; they are written into config.json
 * @returns the summary, at once if the run is complete; Left when there is no run, no valid checkpoint, or another process works on it
 * @example
 * ```ts
 * import { configOf, resume, train, type TrainHooks } from 'fathom/train'
 * import { pipe } from 'fp-ts/lib/function.js'
 * import * as TE from 'fp-ts/lib/TaskEither.js'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const config = configOf({ out: 'run', height: 8, width: 8, model, batch: 2 })
 * const oneStep = (): TrainHooks => {
 *   const stop = new AbortController()
 *   return { signal: stop.signal, onEvent: ({ _tag }) => (_tag === 'Stepped' ? stop.abort() : undefined) }
 * }
 * const begin = pipe(
 *   TE.fromEither(config),
 *   TE.chain((c) => train(c, oneStep())),
 * )
 * await begin() // => right({ step: 1, steps: 600, interrupted: true, … })
 * await resume('run', oneStep())() // => right({ step: 2, steps: 600, interrupted: true, … })
 * await resume('run', oneStep(), { steps: 1 })() // => left({ code: 'CFG', message: 'steps must be more than the 2 …', … })
 * await resume('run', oneStep(), { steps: 900 })() // => right({ step: 3, steps: 900, interrupted: true, … })
 * ```
 */
export const resume = (
  directory: string,
  hooks: TrainHooks = {},
  changes: ResumeChanges = {},
): TE.TaskEither<TrainError, TrainSummary> => {
  requireKnown('resume', hooks, trainHooks)
  requireKnown('resume', changes, ['steps', 'folder', 'device'])
  return resumeIn(realSurroundings)(directory, hooks, changes)
}
