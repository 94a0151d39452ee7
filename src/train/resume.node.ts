/** Going on with a run, exactly where its newest checkpoint stands. */
import { access } from 'node:fs/promises'
import { completeSave, type RunLock } from '../io/index.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { key } from '../tensor/random.ts'
import { isBegun, tidy } from './beginning.node.ts'
import { decodeConfig } from './config.ts'
import { changedData, type OpenedData } from './data.node.ts'
import type { TrainHooks, TrainSummary } from './events.ts'
import { guarded, need } from './failure.ts'
import { initialState, recipeOf } from './recipe.ts'
import {
  lockRun,
  metricsOf,
  partOf,
  readConfig,
  restore,
  rewind,
  writeConfig,
  type Restored,
} from './runDirectory.node.ts'
import { liesIn } from './runPlace.node.ts'
import { begin, holding, inShop, loop } from './train.node.ts'
import type { TrainConfig } from './trainConfig.ts'
import { settingError, trainError, trainErrorOf, type TrainError } from './trainError.ts'

/** What may be changed of a run that goes on. */
export interface ResumeChanges {
  /** Steps in all; more than are done. */
  readonly steps?: number
  /** Where the run's pictures lie now. */
  readonly folder?: string
}

/** The configuration to go on with. @param done steps */
const changed = (
  config: TrainConfig,
  { steps = config.steps, folder }: ResumeChanges,
  done: number,
): E.Either<TrainError, TrainConfig> => {
  if (folder !== undefined && config.folder === null)
    return E.left(
      trainError('CFG', `${config.out} trains on procedural seas: it has no folder of pictures that could have moved`),
    )
  if (steps !== config.steps && steps <= done)
    return E.left(settingError({ path: 'steps', expected: `more than the ${done} that are done`, got: String(steps) }))
  return decodeConfig({ ...config, steps, folder: folder ?? config.folder })
}

/** What a person should know when the run goes on for other steps than its checkpoint was planned for. */
const otherSteps = ({ steps, rate }: TrainConfig, planned: number, done: number): readonly string[] =>
  steps === planned
    ? []
    : [
        `the run was planned for ${planned} steps and is now for ${steps}: from step ${done + 1} on its learning rate is that of step ${done + 1} of ${steps}` +
          `${rate === 'cosine' ? ', which is another than it would have been' : ''}, so it is not the run that would have begun with ${steps}`,
      ]

/** What a person should know of a run that lies among its pictures. */
const insideFolder = async ({ folder, out }: TrainConfig): Promise<readonly string[]> =>
  folder !== null && (await liesIn(out, folder))
    ? [`the run lies in the folder of its pictures, ${folder}: move it out, or the pictures out of it`]
    : []

/** A folder of pictures that is gone may have moved. */
const requireFolder =
  ({ folder, out }: TrainConfig): TE.TaskEither<TrainError, void> =>
  async () => {
    if (folder === null) return E.right(undefined)
    try {
      await access(folder)
      return E.right(undefined)
    } catch {
      return E.left(
        trainError(
          'DATA',
          `the folder of the run's pictures, ${folder}, is not there; if it has moved, name it: fathom resume ${out} --data FOLDER`,
        ),
      )
    }
  }

/** Goes on from a checkpoint. */
const goOn = async (
  written: TrainConfig,
  found: Restored,
  lock: RunLock,
  hooks: TrainHooks,
  changes: ResumeChanges,
) => {
  const { out } = written
  const { step, steps: planned = written.steps } = found.progress
  const root = partOf(out, 'checkpoints')
  const config = await need(TE.fromEither(changed(written, changes, step)))
  await need(pipe(completeSave(root, { name: found.name, step }), TE.mapLeft(trainErrorOf('CKPT'))))
  const lost = await need(rewind(out, step))
  if (step >= config.steps) return completed(config, step)
  await need(requireFolder(config))
  const inside = await insideFolder(config)
  const notes = (opened: OpenedData): readonly string[] => [
    ...lost,
    ...inside,
    ...changedData(found.progress.data, opened, config.folder, written.folder),
    ...otherSteps(config, planned, step),
  ]
  return inShop({ config, hooks, found, notes }, async (shop, state) => {
    if (config.steps !== written.steps || config.folder !== written.folder) await need(writeConfig(config))
    return loop({ ...shop, lock }, state, step)
  })
}

/** Begins a run of which there is only the configuration. */
const beginLate = async (written: TrainConfig, lock: RunLock, hooks: TrainHooks, changes: ResumeChanges) => {
  const config = await need(TE.fromEither(changed(written, changes, 0)))
  await need(requireFolder(config))
  const notes = (): readonly string[] => [`nothing was done in ${config.out} yet: the run begins`]
  return inShop({ config, hooks, notes }, async (shop, state) => {
    await begin({ ...shop, lock }, state)
    return loop({ ...shop, lock }, state, 0)
  })
}

/**
 * Continues the run in a directory from its newest valid checkpoint, with the same bits as if it had never stopped.
 *
 * A run that ended before its first checkpoint begins here. More steps than it was planned for go on with the rates of a run of so many,
 * from there on; pictures that have moved are the same pictures if their contents are.
 *
 * @param changes more steps, or the folder in which the pictures lie now; both are written into config.json
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
): TE.TaskEither<TrainError, TrainSummary> =>
  guarded(async () => {
    await need(readConfig(directory)) // before anything is written where no run is
    const lock = await need(lockRun(directory))
    return holding(lock, async () => {
      const config = await need(readConfig(directory)) // again, now that nobody else can change it
      await tidy(directory)
      if (!(await need(isBegun(directory)))) return beginLate(config, lock, hooks, changes)
      const found = await need(restore(config, initialState(recipeOf(config), key(0))))
      return goOn(config, found, lock, hooks, changes)
    })
  })

/** The summary of a run that has nothing left to do. */
const completed = async (config: TrainConfig, step: number): Promise<TrainSummary> => {
  const metrics = await need(metricsOf(config.out))
  const numbers = (name: string): readonly number[] =>
    metrics.flatMap((m) => (typeof m[name] === 'number' ? [m[name]] : []))
  const [loss, heldOut, heldOutRelative] = ['loss', 'heldOut', 'heldOutRelative'].map((name) => numbers(name).at(-1))
  return {
    directory: config.out,
    step,
    steps: config.steps,
    interrupted: false,
    ...(loss !== undefined && { loss }),
    ...(heldOut !== undefined && { heldOut }),
    ...(heldOutRelative !== undefined && { heldOutRelative }),
    seconds: 0,
  }
}
