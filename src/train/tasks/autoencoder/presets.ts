/** Presets: whole configurations by name, as data. What the user names on the command line goes over them. */
import type { PresetOf } from '../settings.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'

/** The settings that the presets share. */
const usual = {
  task: 'autoencoder',
  accumulate: 1,
  rate: 'cosine',
  ema: 0.995,
  flip: true,
  split: 'groups',
  // A patch of 34×34, two of which lie side by side in a crop of 32×32; with three layers, and a penalty of 1, it told nothing apart in 250 steps.
  adversary: { loss: 'hinge', from: 0.85, learningRate: 5e-4, penalty: 0.01, width: 64, layers: 2, norm: 'none' },
  sampleCount: 16,
} as const

/**
 * The presets, from the smallest. They have no norms: shortcuts and last layers that begin at zero keep a network without them steady, it learns
 * sooner (25.2 dB after 100 steps where group norm has 23.5 to 23.8, and 0.2 dB more after 300, on photographs of 64×64), and no pixel depends on
 * the whole picture, so that large ones can be made in tiles.
 */
export const presets = {
  'vae-64': {
    ...usual,
    purpose: 'latents of 16×16×4 for pictures of 64×64, in a quarter of an hour on two cores',
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
      norm: 'none',
      shortcuts: 'pixel-unshuffle',
    },
    // Without an adversary: in the last 15 % of 4,600 steps it costs 0.6 dB, and what it gives there is not measured.
    weights: { pyramid: 0.75, kl: 1e-4, equivariance: 0.25, adversary: 0 },
    batch: 16,
    steps: 2000,
    learningRate: 1e-3,
    saveEvery: 1000,
    sampleEvery: 1000,
    heldOutEvery: 500,
  },
  'vae-128': {
    ...usual,
    purpose: 'latents of 32×32×4 for pictures of 128×128, an hour on a GPU',
    height: 128,
    width: 128,
    crop: 64,
    autoencoder: {
      kind: 'kl',
      channels: 3,
      latentChannels: 4,
      widths: [64, 128, 128],
      layers: 1,
      attention: false,
      norm: 'none',
      shortcuts: 'pixel-unshuffle',
    },
    weights: { pyramid: 0.75, kl: 1e-4, equivariance: 0.25, adversary: 0.5 },
    batch: 32,
    steps: 20_000,
    learningRate: 5e-4,
    saveEvery: 2000,
    sampleEvery: 2000,
    heldOutEvery: 1000,
  },
  'vae-256': {
    ...usual,
    purpose: 'latents of 32×32×8 for pictures of 256×256, some hours on a GPU',
    height: 256,
    width: 256,
    crop: 128,
    autoencoder: { kind: 'tiny', channels: 3, latentChannels: 8, width: 64 },
    weights: { pyramid: 0.75, kl: 0, equivariance: 0.25, adversary: 0.5 },
    batch: 16,
    steps: 40_000,
    learningRate: 5e-4,
    saveEvery: 4000,
    sampleEvery: 4000,
    heldOutEvery: 2000,
  },
} as const satisfies { readonly [name: string]: PresetOf<AutoencoderRun> }
