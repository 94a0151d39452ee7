/** Presets: whole configurations by name, as data. What the user names on the command line goes over them. */
import type { PresetOf } from '../settings.ts'
import type { TextRunConfig } from './textConfig.ts'

/** The settings that the presets share. */
const usual = {
  task: 'text',
  accumulate: 1,
  rate: 'cosine',
  ema: 0.99,
  tokens: 'characters',
  heldOut: 0.1,
  written: 400,
} as const

/** The presets, from the smallest. */
export const presets = {
  'text-128': {
    ...usual,
    purpose: 'sees 128 characters, some minutes on two cores',
    model: { kind: 'gpt', context: 128, width: 128, depth: 4, heads: 4, positions: 'rotary', tied: true, dropout: 0 },
    batch: 16,
    steps: 1000,
    learningRate: 3e-3,
    saveEvery: 250,
    sampleEvery: 250,
    heldOutEvery: 100,
  },
  'text-256': {
    ...usual,
    purpose: 'sees 256 characters, an hour on a GPU',
    model: { kind: 'gpt', context: 256, width: 384, depth: 6, heads: 6, positions: 'rotary', tied: true, dropout: 0.2 },
    batch: 64,
    steps: 5000,
    learningRate: 1e-3,
    saveEvery: 500,
    sampleEvery: 500,
    heldOutEvery: 250,
  },
} as const satisfies { readonly [name: string]: PresetOf<TextRunConfig> }
