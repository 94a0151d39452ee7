/** Which settings a run cannot change on its way, as a hash that its checkpoints hold. */
import { createHash } from 'node:crypto'
import type { Progress } from './stateFiles.ts'
import type { LatentConfig } from './tasks/diffusion/latentConfig.ts'
import type { TrainConfig } from './tasks/registry.ts'

/** A record's values by sorted names, hashed. */
const hashOf = (determining: Readonly<Record<string, unknown>>, model: object): string => {
  const canonical = JSON.stringify(determining, Object.keys({ ...determining, ...model }).toSorted())
  return createHash('sha256').update(canonical).digest('hex')
}

/** What of the latents' setting determines a run's numbers, as a text; that of an autoencoder that was yet to be trained when it was written does not. */
const latentsIn = ({ channels, factor }: LatentConfig): string => `${channels} for ${factor}×${factor}`

/** The settings that determine a run's numbers: where it lies, how often it reports and how long it goes on do not. */
const determiningOf = (config: TrainConfig) => {
  const {
    out: _,
    folder,
    steps: _t,
    saveEvery: _s,
    sampleEvery: _p,
    heldOutEvery: _h,
    sampleCount: _c,
    sampleSteps: _n,
    latent,
    ...determining
  } = config
  return { ...determining, ...(latent !== undefined && { latent: latentsIn(latent) }), seas: folder === null }
}

/**
 * SHA-256 of the settings that a run cannot change on its way. It may go on for more steps, with the rates of a longer run from there
 * on; a checkpoint says for how many it was planned.
 */
export const configHash = (config: TrainConfig): string => hashOf(determiningOf(config), config.model)

/** The hash that runs of before wrote, which went by the steps too. */
const olderConfigHash = (config: TrainConfig): string =>
  hashOf({ ...determiningOf(config), steps: config.steps }, config.model)

/** Whether a checkpoint was saved by a run of this configuration, on its device or on another: a run may go on elsewhere, with other roundings. */
export const isOf = (
  config: TrainConfig,
  { configHash: found, device = config.device }: Pick<Progress, 'configHash'> & Partial<Pick<Progress, 'device'>>,
): boolean =>
  [config, { ...config, device }].some((begun) => found === configHash(begun) || found === olderConfigHash(begun))
