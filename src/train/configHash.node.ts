/** Which settings a run cannot change on its way, as a hash that its checkpoints hold. */
import { createHash } from 'node:crypto'
import { isRecord } from '../prelude/record.ts'
import type { Progress } from './stateFiles.ts'
import type { LatentConfig } from './tasks/diffusion/latentConfig.ts'
import type { TrainConfig } from './tasks/registry.ts'

/** The names of a record and of all records in it. */
const namesIn = (settings: object): readonly string[] =>
  Object.entries(settings).flatMap(([name, value]) => [name, ...(isRecord(value) ? namesIn(value) : [])])

/** A record's values by sorted names, hashed. */
const hashOf = (determining: object): string => {
  const canonical = JSON.stringify(determining, [...new Set(namesIn(determining))].toSorted())
  return createHash('sha256').update(canonical).digest('hex')
}

/** What of the latents' setting determines a run's numbers: where the autoencoder was read from does not, and its weights are held beside the data. */
const determiningLatents = ({ channels, factor }: LatentConfig) => ({ latent: `${channels} for ${factor}×${factor}` })

/** The settings that determine a run's numbers: where it lies, how often it reports and how long it goes on do not. */
const determiningOf = (config: TrainConfig) => {
  const {
    out: _,
    folder,
    steps: _t,
    time: _b,
    saveEvery: _s,
    sampleEvery: _p,
    heldOutEvery: _h,
    sampleCount: _c,
    sampleSteps: _n,
    phaseSteps: _f,
    watch: _w,
    written: _l,
    latent,
    features,
    ...determining
  } = {
    sampleSteps: undefined,
    phaseSteps: undefined,
    watch: undefined,
    sampleCount: undefined,
    written: undefined,
    latent: undefined,
    features: undefined,
    ...config,
  }
  return {
    ...determining,
    ...(latent !== undefined && determiningLatents(latent)),
    ...(features !== undefined && { features: features === 'seas' ? features : features.fingerprint }),
    seas: folder === null,
  }
}

/**
 * SHA-256 of the settings that a run cannot change on its way. It may go on for more steps, with the rates of a longer run from there
 * on; a checkpoint says for how many it was planned.
 */
export const configHash = (config: TrainConfig): string => hashOf(determiningOf(config))

/** The hash that runs of before wrote, which went by the steps too. */
const olderConfigHash = (config: TrainConfig): string => hashOf({ ...determiningOf(config), steps: config.steps })

/** Whether a checkpoint was saved by a run of this configuration, on its device or on another: a run may go on elsewhere, with other roundings. */
export const isOf = (
  config: TrainConfig,
  { configHash: found, device = config.device }: Pick<Progress, 'configHash'> & Partial<Pick<Progress, 'device'>>,
): boolean =>
  [config, { ...config, device }].some((begun) => found === configHash(begun) || found === olderConfigHash(begun))
