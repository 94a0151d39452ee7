/**
 * The first stage of a run on latents that brings no autoencoder: the training of one, as a run of its own in the run's directory. It is begun, resumed
 * and read like any other.
 */
import { join } from 'node:path'
import { exists } from '../io/exists.node.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import { autoencoderConfigOf } from './config.ts'
import type { TrainHooks, TrainSummary } from './events.ts'
import type { ResumeChanges } from './resumeChanges.ts'
import { metricsIn } from './sinks/metrics.ts'
import { storeIn } from './store.node.ts'
import { names } from './store.ts'
import { secondsOfStage } from './time/secondsOfStage.ts'
import { latentShapeOf, type AutoencoderRun } from './tasks/autoencoder/autoencoderConfig.ts'
import { isDiffusion, type TrainConfig } from './tasks/registry.ts'
import { settingError, type TrainError } from './trainError.ts'

/** The configuration of the first stage; undefined where there is none. */
export const stageOf = (config: TrainConfig): E.Either<TrainError, AutoencoderRun | undefined> => {
  if (!isDiffusion(config) || config.latent?.stage === undefined) return E.right(undefined)
  const { folder, out, seed, device, height, width, channels, precision, time, latent } = config
  const given = {
    folder,
    seed,
    device,
    height,
    width,
    channels,
    precision,
    ...latent.stage,
    out: join(out, names.stage),
  }
  return pipe(
    autoencoderConfigOf({ ...given, ...(time !== undefined && { time: secondsOfStage(time) }) }),
    E.filterOrElse(
      (stage) => {
        const { channels: latents, factor } = latentShapeOf(stage.autoencoder)
        return latents === latent.channels && factor === latent.factor
      },
      (stage) => {
        const { channels: latents, factor } = latentShapeOf(stage.autoencoder)
        return settingError({
          path: 'latent',
          expected: `of ${latents} channels for ${factor}×${factor} pixels, as its autoencoder's`,
          got: `${latent.channels} for ${latent.factor}×${latent.factor}`,
        })
      },
    ),
  )
}

/** The part of a stage's time that its steps take. */
const partOfSteps = 0.88

/**
 * The seconds that were spent on the first stage of a run whose time is given, before it goes on: those of the steps that its metrics tell of, and of
 * what is done beside them. 0 where there is none.
 */
export const secondsSpent = (config: TrainConfig): TE.TaskEither<TrainError, number> =>
  pipe(
    TE.fromEither(config.time === undefined ? E.right(undefined) : stageOf(config)),
    TE.chain((stage) => {
      if (stage === undefined) return TE.right(0)
      const { batch, accumulate, out } = stage
      return pipe(
        metricsIn(storeIn(out)),
        TE.map((metrics) =>
          metrics.reduce((sum, { cropsPerSecond }) => {
            const seconds = typeof cropsPerSecond === 'number' ? (batch * accumulate) / cropsPerSecond : 0
            return sum + (Number.isFinite(seconds) ? seconds : 0) / partOfSteps
          }, 0),
        ),
      )
    }),
  )

/** Goes on with the run in a directory; one of which there is only the configuration begins, which is said unless it is a stage of another. */
export type Resume = (
  directory: string,
  hooks: TrainHooks,
  changes: ResumeChanges,
  isStage: boolean,
) => TE.TaskEither<TrainError, TrainSummary>

const words = { first: 'the autoencoder', second: 'the diffusion model on its latents' } as const

/** What may be changed of the first stage when a run goes on. */
const changesOf = ({ folder, device }: ResumeChanges): ResumeChanges => ({
  ...(folder !== undefined && { folder }),
  ...(device !== undefined && { device }),
})

/**
 * Brings the first stage to its end, from wherever it stands.
 *
 * @returns its summary where it was told to stop; undefined where it is complete, or there is none
 */
export const completeStage = (
  config: TrainConfig,
  hooks: TrainHooks,
  changes: ResumeChanges,
  resume: Resume,
): TE.TaskEither<TrainError, TrainSummary | undefined> => {
  const tell = (number: number, what: string, before?: string): void =>
    hooks.onEvent?.({ _tag: 'Stage', number, of: 2, what, ...(before !== undefined && { before }) })
  return pipe(
    TE.fromEither(stageOf(config)),
    TE.chain((stage): TE.TaskEither<TrainError, TrainSummary | undefined> => {
      if (stage === undefined) return TE.right(undefined)
      return pipe(
        TE.fromTask(() => exists(join(config.out, names.autoencoder))), // the run has its own copy where its second stage has begun
        TE.chain((isOver) => {
          if (isOver) return TE.right(undefined)
          tell(1, words.first)
          return resume(stage.out, hooks, changesOf(changes), true)
        }),
        TE.map((summary) => {
          if (summary?.interrupted === true) return { ...summary, directory: config.out, stage: words.first }
          tell(2, words.second, summary?.words === undefined ? undefined : `${words.first}: ${summary.words}`)
          return undefined
        }),
      )
    }),
  )
}
