/** The newest state of a run on this disk, and the run brought to where it stands. */
import { completeSave } from '../io/index.ts'
import { pipe, TE } from '../prelude/fp.ts'
import { key } from '../tensor/random.ts'
import { initialState, trainingOf, type Beginning } from './recipe.ts'
import { restore, type Restored } from './restore.ts'
import { rewindMetrics } from './sinks/metrics.ts'
import type { Progress } from './stateFiles.ts'
import type { Store } from './store.ts'
import { partOf } from './store.node.ts'
import type { TrainConfig } from './tasks/registry.ts'
import { trainErrorOf, type TrainError } from './trainError.ts'

/** The state in the newest checkpoint that can be used. @param isOfRun whether a checkpoint was saved by this run */
export const newestState = <P>(
  store: Store,
  config: TrainConfig,
  task: Beginning<P>,
  isOfRun: (progress: Progress) => boolean,
): TE.TaskEither<TrainError, Restored<P>> =>
  restore(store, initialState<P>({ ...trainingOf(config), task }, key(0)), isOfRun)

/** Brings the directory to where the checkpoint stands. @returns sentences about what is missing */
export const settle = <P>(
  store: Store,
  { name, progress: { step } }: Restored<P>,
): TE.TaskEither<TrainError, readonly string[]> =>
  pipe(
    completeSave(partOf(store.place, 'checkpoints'), { name, step }),
    TE.mapLeft(trainErrorOf('CKPT')),
    TE.chain(() => rewindMetrics(store, step)),
  )
