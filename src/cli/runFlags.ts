/** The flags that the commands which begin runs share. */
import { backends } from '../backends/registry.ts'
import { autoencoderPresets, classifierPresets, presets, textPresets } from '../train/index.ts'
import type { Command, Flag } from './flag.ts'

/** The devices, with a word on each. */
export const deviceList = Object.entries(backends)
  .map(([name, about]) => `${name}, ${about}`)
  .join(', or ')

/** Whether a GPU measures its kernels. */
export const tune: Flag = {
  kind: 'toggle',
  value: 'on|off',
  help: 'whether a GPU measures which kernels suit it, once [on]',
  rare: true,
}

/** What the flag of the averages is of each command that trains. */
const ema: Flag = {
  kind: 'averages',
  value: 'X|N%,N%',
  help: 'largest decay of the averaged weights, in [0, 1); or the widths of averages, parts of the run as 5%,10%, of which the better is drawn from; or lucidrains',
  setting: 'ema',
  rare: true,
}

/** Presets, each with what it is for. */
export const listOf = (named: Readonly<Record<string, { readonly purpose: string }>>): string =>
  Object.entries(named)
    .map(([name, { purpose }]) => `${name} (${purpose})`)
    .join(', ')

/** What differs in the flags of the commands that begin runs. */
interface RunWords {
  readonly presets: Readonly<Record<string, unknown>>
  /** What is taken where no preset is named. */
  readonly usual: string
  /** What stands after the folder's name in that of the run. */
  readonly suffix: string
  /** What goes through the network together. */
  readonly examples: string
  /** What time is taken where none is named, and no steps. */
  readonly usualTime: string
  /** What sheets show. */
  readonly shown: string
}

/** The first flags of a run: where it lies, and of which settings. */
export const beginningFlags = ({ presets: named, usual, suffix }: RunWords) =>
  ({
    out: {
      kind: 'text',
      value: 'DIR',
      help: `run directory [runs/<date>-<name>${suffix}-<n>]`,
      setting: 'out',
    },
    preset: { kind: 'text', value: 'NAME', help: `${Object.keys(named).join(', ')} [${usual}]`, setting: 'preset' },
  }) as const satisfies Command['flags']

/** The flags of a run of pictures before those of its task: where it lies, and what pictures it is of. */
export const placeFlags = (words: RunWords) =>
  ({
    ...beginningFlags(words),
    size: { kind: 'size', value: 'N|HxW', help: 'size of the pictures in pixels', setting: 'height' },
    channels: {
      kind: 'number',
      value: 'N',
      help: 'channels of the pictures: 1 is grey, 3 colour, 4 colour with opacity [3]',
      setting: 'channels',
      rare: true,
    },
  }) as const satisfies Command['flags']

/** The flags of a run that say how long and by what it learns. */
export const learningFlags = ({ examples, usualTime }: RunWords) =>
  ({
    batch: {
      kind: 'number',
      value: 'N',
      help: `${examples} that go through the network together`,
      setting: 'batch',
      rare: true,
    },
    accumulate: {
      kind: 'number',
      value: 'N',
      help: 'batches for each step: a larger batch in the same memory [1]',
      setting: 'accumulate',
      rare: true,
    },
    steps: { kind: 'number', value: 'N', help: 'steps of the optimizer', setting: 'steps' },
    time: {
      kind: 'duration',
      value: '12m',
      help: `how long it may take, instead of --steps${usualTime}`,
      more: ': some steps are timed, and as many are made as fit',
      setting: 'time',
    },
    lr: { kind: 'number', value: 'X', help: 'learning rate', setting: 'learningRate', rare: true },
    ema,
  }) as const satisfies Command['flags']

/** The flags of a run after those of its task: where it computes, how often it saves, and where its settings come from. */
export const courseFlags = ({ shown }: RunWords) =>
  ({
    seed: { kind: 'number', value: 'N', help: 'from which everything random is drawn [0]', setting: 'seed' },
    device: {
      kind: 'text',
      value: 'NAME',
      help: `${Object.keys(backends).join(', ')} [the fastest that opens]`,
      more: `: ${deviceList}`,
      setting: 'device',
    },
    tune,
    precision: {
      kind: 'text',
      value: 'NAME',
      help: 'f32, or mixed: halves in contractions and activations, in less memory, and a loss scale [f32]',
      setting: 'precision',
      rare: true,
    },
    'save-every': {
      kind: 'number',
      value: 'N',
      help: 'steps from checkpoint to checkpoint',
      setting: 'saveEvery',
      rare: true,
    },
    'sample-every': {
      kind: 'number',
      value: 'N',
      help: `steps from sheet to sheet of ${shown}`,
      setting: 'sampleEvery',
      rare: true,
    },
    config: {
      kind: 'text',
      value: 'FILE.json',
      help: 'settings as in config.json of a run; flags go over them',
    },
    'dry-run': { kind: 'switch', help: 'print parameters, memory, FLOPs and time; train nothing' },
  }) as const satisfies Command['flags']

/** Those of a diffusion model. */
export const diffusionWords: RunWords = {
  presets,
  usual: 'chosen',
  suffix: '',
  examples: 'pictures',
  usualTime: ' [1h, on a GPU 3h]',
  shown: 'samples',
}

/** Those of an autoencoder. */
export const autoencoderWords: RunWords = {
  presets: autoencoderPresets,
  usual: Object.keys(autoencoderPresets)[0] ?? '',
  suffix: '-vae',
  examples: 'crops',
  usualTime: '',
  shown: 'reconstructions',
}

/** Those of a classifier. */
export const classifierWords: RunWords = {
  presets: classifierPresets,
  usual: Object.keys(classifierPresets)[0] ?? '',
  suffix: '-classes',
  examples: 'pictures',
  usualTime: '',
  shown: 'right and wrong answers',
}

/** Those of a text model. */
export const textWords: RunWords = {
  presets: textPresets,
  usual: Object.keys(textPresets)[0] ?? '',
  suffix: '-text',
  examples: 'stretches of text',
  usualTime: '',
  shown: 'what it writes',
}
