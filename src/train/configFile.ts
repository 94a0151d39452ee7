/** The configuration of a run in its store. */
import { E, pipe, TE } from '../prelude/fp.ts'
import type { RunConfig } from './runConfig.ts'
import { encoded, names, type Store } from './store.ts'
import { decodeConfig, type TrainConfig } from './tasks/registry.ts'
import { trainError, type TrainError } from './trainError.ts'

/** Writes the configuration of a run; where it lies is not part of it. */
export const writeConfig = (store: Store, config: RunConfig): TE.TaskEither<TrainError, void> => {
  const { out: _, ...written } = config
  return store.replace(names.config, encoded(`${JSON.stringify(written, undefined, 2)}\n`))
}

/** The configuration of the run in a store. */
export const readConfig = (store: Store): TE.TaskEither<TrainError, TrainConfig> => {
  const { place } = store
  const path = store.pathOf(names.config)
  return pipe(
    store.read(names.config),
    TE.chainEitherK(
      E.fromNullable(
        trainError(
          'RUN-NONE',
          `${place} holds no run (no ${names.config}): name the directory that \`fathom train\` made`,
        ),
      ),
    ),
    TE.chainEitherK((bytes) =>
      E.tryCatch(
        (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
        () => trainError('CFG', `${path} is not JSON: restore it from a copy`),
      ),
    ),
    TE.chainEitherK((written) =>
      pipe(
        decodeConfig(typeof written === 'object' && written !== null ? { ...written, out: place } : written),
        E.mapLeft(({ message }) => trainError('CFG', `${path}: ${message}`)),
      ),
    ),
  )
}
