/** Presets: whole configurations by name, as data. What the user names on the command line goes over them. */
import { augmentationNames } from '../../../data/augment.ts'
import type { ModelConfig } from '../../../models/registry.ts'
import type { PresetOf } from '../settings.ts'
import type { DiffusionRun } from './diffusionConfig.ts'

/** What a preset chooses; where and from what to train it leaves to the user. */
export type Preset = PresetOf<DiffusionRun>

/** The settings that the larger presets share: lucidrains' trainer, with the velocity as the target. */
const usual = {
  accumulate: 1,
  rate: 'constant',
  ema: 0.995,
  objective: 'v',
  schedule: 'cosine',
  minSnr: 5,
  weighting: 'snr',
  timesteps: 1000,
  flip: true,
  split: 'groups',
  saveEvery: 500,
  sampleEvery: 1000,
  heldOutEvery: 500,
  sampleCount: 16,
  sampleSteps: 50,
  watch: 'on',
} as const

/** Averages that look back so much of the run, of which the better on held-out pictures is drawn from: a run may be of any length (Karras et al. 2024). */
export const ofTheRun = { widths: [0.05, 0.1] } as const

const model = (width: number, multipliers: readonly number[], heads: number, headWidth: number): ModelConfig => ({
  width,
  multipliers,
  heads,
  headWidth,
})

/**
 * The presets, from the smallest.
 *
 * @example
 * ```ts
 * import { presets } from 'fathom/train'
 *
 * Object.keys(presets).slice(0, 4) // => ['tiny', 'small', 'base', 'photos-32']
 * presets.tiny.steps // => 600
 * ```
 */
export const presets = {
  tiny: {
    ...usual,
    purpose: 'a first sea in seconds',
    height: 16,
    width: 16,
    model: model(16, [1, 2], 2, 8),
    batch: 16,
    steps: 600,
    learningRate: 4e-3,
    rate: 'cosine',
    saveEvery: 50,
    sampleEvery: 200,
    heldOutEvery: 50,
    sampleSteps: 25,
  },
  small: {
    ...usual,
    purpose: 'seas of 32×32 in minutes on a few cores',
    height: 32,
    width: 32,
    model: model(32, [1, 2, 4], 4, 16),
    batch: 16,
    steps: 1800,
    learningRate: 1e-3,
    rate: 'cosine',
    saveEvery: 200,
    sampleEvery: 400,
    heldOutEvery: 200,
    weighting: 'snr+1', // the light of a sea is decided in noise: with 'snr' its lightness varied too little (bench:scenes)
  },
  base: {
    ...usual,
    purpose: 'photographs of 64×64, for a GPU',
    height: 64,
    width: 64,
    model: model(64, [1, 2, 4, 8], 4, 32),
    batch: 32,
    steps: 100_000,
    learningRate: 2e-4,
  },
  'photos-32': {
    ...usual,
    purpose: 'some hundred photographs of 32×32, in twenty minutes on two cores',
    height: 32,
    width: 32,
    model: model(32, [1, 2, 4], 4, 16),
    batch: 16,
    steps: 5000,
    learningRate: 1e-3,
    rate: 'cosine',
    ema: ofTheRun,
    weighting: 'snr+1',
  },
  'photos-64': {
    ...usual,
    purpose: 'up to two thousand photographs of 64×64, in three hours on the GPU of a laptop',
    height: 64,
    width: 64,
    // The network is told how pictures are changed (9 numbers in EDM, 5 here), and seldom sees one as it is: what it learns by heart it learns late.
    model: { ...model(64, [1, 2, 2, 4], 4, 32), dropout: 0.2, conditions: augmentationNames.length },
    augment: 0.15,
    flip: false,
    batch: 32,
    steps: 50_000,
    learningRate: 4e-4,
    rate: 'cosine',
    ema: ofTheRun,
    weighting: 'snr+1',
    saveEvery: 2000,
    sampleEvery: 4000,
    heldOutEvery: 1000,
  },
  'latent-64': {
    ...usual,
    purpose: 'photographs of 64×64 through latents of their own autoencoder, in an hour on a few cores',
    height: 64,
    width: 64,
    latent: { channels: 4, factor: 4, stage: { preset: 'vae-64' } },
    model: model(64, [1, 2, 4], 4, 32),
    batch: 16,
    steps: 6000,
    learningRate: 1e-3,
    rate: 'cosine',
    ema: ofTheRun,
    weighting: 'snr+1',
  },
  'latent-128': {
    ...usual,
    purpose: 'photographs of 128×128 through latents, some hours on a GPU',
    height: 128,
    width: 128,
    latent: { channels: 4, factor: 4, stage: { preset: 'vae-128' } },
    model: model(128, [1, 2, 4], 4, 32),
    batch: 32,
    steps: 50_000,
    learningRate: 4e-4,
    rate: 'cosine',
    ema: ofTheRun,
    weighting: 'snr+1',
  },
  'latent-256': {
    ...usual,
    purpose: 'photographs of 256×256 through latents, a day on a GPU',
    height: 256,
    width: 256,
    latent: { channels: 8, factor: 8, stage: { preset: 'vae-256' } },
    model: model(128, [1, 2, 4], 4, 32),
    batch: 32,
    steps: 80_000,
    learningRate: 4e-4,
    rate: 'cosine',
    ema: ofTheRun,
    weighting: 'snr+1',
  },
} as const satisfies { readonly [name: string]: Preset }

/** The name of a preset. */
export type PresetName = keyof typeof presets

/** The preset of those who name none. */
export const defaultPreset: PresetName = 'tiny'
