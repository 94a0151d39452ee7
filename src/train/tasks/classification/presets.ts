/** Presets: whole configurations by name, as data. What the user names on the command line goes over them. */
import { classifierDefaults } from '../../../models/classifierRegistry.ts'
import type { PresetOf } from '../settings.ts'
import type { ClassificationRunConfig } from './classificationConfig.ts'

/** The settings that the presets share. The classes are those of the data. */
const usual = {
  task: 'classification',
  accumulate: 1,
  rate: 'cosine',
  ema: 0.99,
  labels: [],
  several: false,
  flip: true,
  split: 'groups',
} as const

/** The presets, from the smallest. */
export const presets = {
  'classes-32': {
    ...usual,
    purpose: 'pictures of 32×32, some minutes on two cores',
    height: 32,
    width: 32,
    model: classifierDefaults('resnet'),
    batch: 32,
    steps: 600,
    learningRate: 2e-3,
    saveEvery: 200,
    sampleEvery: 200,
    heldOutEvery: 50,
  },
  'classes-64': {
    ...usual,
    purpose: 'pictures of 64×64, an hour on two cores',
    height: 64,
    width: 64,
    model: { kind: 'resnet', blocks: [2, 2, 2, 2], block: 'basic', width: 32, stem: 'small' },
    batch: 32,
    steps: 3000,
    learningRate: 1e-3,
    saveEvery: 500,
    sampleEvery: 500,
    heldOutEvery: 100,
  },
} as const satisfies { readonly [name: string]: PresetOf<ClassificationRunConfig> }
