/** Presets: whole configurations by name, as data. What the user names on the command line goes over them. */
import type { PresetOf } from '../settings.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'

/** The settings that the presets share. */
const usual = {
  task: 'autoencoder',
  accumulate: 1,
  batch: 16,
  rate: 'cosine',
  ema: 0.995,
  flip: true,
  weights: { pyramid: 0.75, kl: 1e-4, equivariance: 0.25, adversary: 0 },
  adversary: { loss: 'hinge', from: 0.7, penalty: 1, width: 64, layers: 3, norm: 'group' },
  saveEvery: 500,
  sampleEvery: 1000,
  heldOutEvery: 500,
  sampleCount: 16,
} as const

/** The presets, from the smallest. */
export const presets = {
  'vae-64': {
    ...usual,
    purpose: 'latents of 16×16×4 for pictures of 64×64, in minutes on a few cores',
    height: 64,
    width: 64,
    crop: 32,
    autoencoder: {
      kind: 'kl',
      channels: 3,
      latentChannels: 4,
      widths: [32, 64, 128],
      layers: 1,
      attention: false,
      shortcuts: 'pixel-unshuffle',
    },
    steps: 3000,
    learningRate: 1e-3,
  },
} as const satisfies { readonly [name: string]: PresetOf<AutoencoderRun> }
