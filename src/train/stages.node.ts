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
import { names } from './store.ts'
import { latentShapeOf, type AutoencoderRun } from './tasks/autoencoder/autoencoderConfig.ts'
import type { TrainConfig } from './tasks/registry.ts'
import { settingError, type TrainError } from './trainError.ts'

/** The part of a run's time that its autoencoder takes. */
const shareOfTime = 0.4

/** Whether a run trains its autoencoder itself. */
const hasStages = (config: TrainConfig): boolean => config.task !== 'autoencoder' && config.latent?.stage !== undefined

/** The seconds of a run's time that are for its own steps. */
export const ownTime = (config: TrainConfig): number | undefined =>
  config.time === undefined ? undefined : config.time * (hasStages(config) ? 1 - shareOfTime : 1)

/** The configuration of the first stage; undefined where there is none. */
export const stageOf = (config: TrainConfig): E.Either<TrainError, AutoencoderRun | undefined> => {
  if (config.task === 'autoencoder' || config.latent?.stage === undefined) return E.right(undefined)
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
    autoencoderConfigOf({ ...given, ...(time !== undefined && { time: shareOfTime * time }) }),
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
  const tell = (number: number, what: string): void => hooks.onEvent?.({ _tag: 'Stage', number, of: 2, what })
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
          tell(2, words.second)
          return undefined
        }),
      )
    }),
  )
}
