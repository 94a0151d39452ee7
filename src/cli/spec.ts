/**
 * What the command understands: one table, from which arguments are parsed and help is printed, so that the two cannot differ.
 */
import { allSources } from '../models/registry.ts'
import { autoencoderPresets, presets } from '../train/index.ts'
import {
  autoencoderWords,
  courseFlags,
  deviceList,
  diffusionWords,
  learningFlags,
  listOf,
  placeFlags,
  tune,
} from './runFlags.ts'
import { comparedWith, features, samplerFlags } from './drawFlags.ts'
import { trainOwn, useOwn } from './classifiersAndTexts.ts'
import type { Command } from './flag.ts'

/** The commands by name. */
export const commands = {
  train: {
    positional: { name: 'folder', required: false },
    summary: 'train a model on a folder of pictures, or on procedural seas',
    about:
      'Without --preset, --steps and --config it chooses what to train, by the pictures, the device and the time, and says why. Without a folder it draws seas itself.',
    more: ` Presets: ${listOf(presets)}.`,
    flags: {
      ...placeFlags(diffusionWords),
      ...learningFlags(diffusionWords),
      latent: {
        kind: 'text',
        value: 'VAE',
        help: 'train on the latents of this autoencoder',
        more: ': a run of `fathom train-vae`, or a folder of diffusers',
      },
      objective: {
        kind: 'text',
        value: 'NAME',
        help: 'what the network predicts: v, epsilon, x0 or flow',
        setting: 'objective',
        rare: true,
      },
      schedule: {
        kind: 'text',
        value: 'NAME',
        help: 'noise schedule: cosine, linear, sigmoid, flow, and others of docs/21-noise.md',
        setting: 'schedule',
        rare: true,
      },
      labels: {
        kind: 'switch',
        help: 'tell the network in which subfolder each picture lies',
        more: ', or what a procedural sea was drawn with',
      },
      augment: {
        kind: 'number',
        value: 'P',
        help: 'mirror, scale, turn and move pictures, each so often, and tell the network [0]',
        setting: 'augment',
        rare: true,
      },
      margin: {
        kind: 'number',
        value: 'X',
        help: 'decode photographs so much larger, and train on parts of them, for instance 1.25',
        setting: 'margin',
        rare: true,
      },
      watch: {
        kind: 'text',
        value: 'on|off',
        help: 'count copies of photographs among the pictures of each sheet, and measure how far they are from real ones [on]',
        setting: 'watch',
        rare: true,
      },
      ...courseFlags(diffusionWords),
    },
  },
  'train-vae': {
    positional: { name: 'folder', required: false },
    summary: 'train an autoencoder: pictures to small latents, and back',
    about: `A diffusion model learns on such latents in a fraction of the time. It trains on random crops, and is measured on whole pictures that it never sees, beside the best linear code of that size. Without a folder it draws seas itself.`,
    more: ` Presets: ${listOf(autoencoderPresets)}.`,
    flags: {
      ...placeFlags(autoencoderWords),
      crop: { kind: 'number', value: 'N', help: 'side of the crops in pixels', setting: 'crop', rare: true },
      kind: {
        kind: 'text',
        value: 'NAME',
        help: 'family of the autoencoder: kl, tiny or vq',
        setting: 'autoencoder.kind',
        rare: true,
      },
      latents: {
        kind: 'number',
        value: 'N',
        help: 'channels of the latents: more keep more, but are harder',
        setting: 'autoencoder.latentChannels',
      },
      ...learningFlags(autoencoderWords),
      pyramid: {
        kind: 'number',
        value: 'X',
        help: 'weight of the details by scale',
        setting: 'weights.pyramid',
        rare: true,
      },
      kl: {
        kind: 'number',
        value: 'X',
        help: 'weight of the divergence of latents from a normal distribution, a mean over their numbers',
        setting: 'weights.kl',
        rare: true,
      },
      equivariance: {
        kind: 'number',
        value: 'X',
        help: 'weight of latents that shrink and turn as pictures do',
        setting: 'weights.equivariance',
        rare: true,
      },
      features: {
        kind: 'text',
        value: 'seas|RUN|none',
        help: 'compare reconstructions also by what a trained network sees in them: the one that comes with fathom, or that of a run on pixels [none]',
        setting: 'features',
        rare: true,
      },
      'feature-weight': {
        kind: 'number',
        value: 'X',
        help: 'what these count [0.1]',
        setting: 'weights.features',
        rare: true,
      },
      adversary: {
        kind: 'number',
        value: 'X',
        help: 'how much an adversary may count that trains the decoder in the last part of the run; 0 for none [0, of the larger presets 0.5]',
        setting: 'weights.adversary',
        rare: true,
      },
      ...courseFlags(autoencoderWords),
    },
  },
  ...trainOwn,
  resume: {
    positional: { name: 'directory', required: true },
    summary: 'continue a run exactly where its newest checkpoint stands',
    about:
      'The result is the same, bit for bit, as if the run had never stopped. A run that ended before its first checkpoint begins.',
    flags: {
      steps: {
        kind: 'number',
        value: 'N',
        help: 'steps in all, more than are done: trains longer, from here with the rates of a run of N',
      },
      data: { kind: 'text', value: 'FOLDER', help: 'where the pictures lie now, if they have moved' },
      device: { kind: 'text', value: 'NAME', help: 'where to go on, if the device of the run is not here' },
      tune,
    },
  },
  sample: {
    positional: { name: 'directory', required: true },
    summary: 'draw pictures from what a run has learned',
    about: 'The same seed draws the same pictures.',
    more: ' In the place of a directory may stand a file of weights, WEIGHTS.safetensors, with the --config that says what network it is, unless the file says it itself.',
    flags: {
      count: { kind: 'number', value: 'N', help: 'how many pictures [16]' },
      ...samplerFlags,
      seed: { kind: 'number', value: 'N', help: 'from which the noise is drawn [0]' },
      weights: {
        kind: 'text',
        value: 'NAME',
        help: 'which averaged weights: last, best or early [last]',
        more: '; best is on held-out pictures',
      },
      class: { kind: 'text', value: 'NAME', help: 'what the pictures are told to show, of the labels of the run' },
      guide: {
        kind: 'text',
        value: 'NAME|RUN',
        help: 'worse weights to move away from: early, or another run',
        more: ' of the same settings, or best or last of this run',
      },
      guidance: {
        kind: 'number',
        value: 'W',
        help: 'how far to move away from the guide, or from no class [1]',
        more: ': 1 is not at all',
      },
      cfgpp: {
        kind: 'switch',
        help: 'guide by CFG++: --guidance is then a share from 0 to 1, with ddim, euler or euler-ancestral',
        rare: true,
      },
      threshold: {
        kind: 'number',
        value: 'P',
        help: 'scale each picture back into range by the size below which this share of its values lies, for instance 0.995, where strong guidance drives them out [clip them]',
        rare: true,
      },
      from: { kind: 'text', value: 'PHOTO', help: 'begin with this picture instead of with noise' },
      strength: { kind: 'number', value: 'S', help: 'for what share of the steps it is drawn anew [0.6]' },
      to: {
        kind: 'number',
        value: 'SEED',
        help: 'draw the way from the noise of --seed to that of this seed',
        rare: true,
      },
      seeds: {
        kind: 'switch',
        help: 'give each picture a seed of its own, from --seed on: --seed N --count 1 then draws it again',
        rare: true,
      },
      fill: {
        kind: 'text',
        value: 'PHOTO',
        help: 'fill in a part of this picture, to fit the rest',
        more: ' (RePaint)',
      },
      mask: {
        kind: 'text',
        value: 'MASK.png',
        help: 'which part: white where it is to be filled in',
        more: ', and as large as the picture',
      },
      jump: {
        kind: 'number',
        value: 'N',
        help: 'steps that the walk goes back up at once, so that both parts are drawn as one [10]',
        rare: true,
      },
      resamples: {
        kind: 'number',
        value: 'N',
        help: 'how often each stretch of so many steps is walked [10]',
        rare: true,
      },
      device: { kind: 'text', value: 'NAME', help: 'where to draw [the device of the run]' },
      tune,
      out: {
        kind: 'text',
        value: 'FILE.png',
        help: 'the sheet [<directory>/samples/seed-<seed>….png]',
        more: ', named by what it was drawn with',
      },
      config: {
        kind: 'text',
        value: 'FILE.json',
        help: 'of a file of weights: network, size and schedule, as a run writes them in config.json',
        rare: true,
      },
      names: {
        kind: 'text',
        value: 'NAME',
        help: `of a file of weights: whose names its tensors have, ${allSources.join(' or ')} [${allSources[0]}]`,
        rare: true,
      },
    },
  },
  ...useOwn,
  encode: {
    positional: { name: 'folder', required: false },
    summary: 'encode pictures before a run on their latents needs them',
    about:
      'Encodes each picture and its mirror image, and keeps the latents in the cache of the user, where `fathom train --latent` looks for them. Without a folder it encodes procedural seas. Prints the mean and deviation of each channel.',
    flags: {
      latent: {
        kind: 'text',
        value: 'VAE',
        help: 'the autoencoder: a run of `fathom train-vae`, a folder of diffusers, or the file that such a run keeps',
      },
      size: { kind: 'size', value: 'N|HxW', help: 'size of the pictures in pixels [64]' },
      channels: { kind: 'number', value: 'N', help: 'channels of the pictures: 1, 3 or 4 [3]' },
      device: { kind: 'text', value: 'NAME', help: `where to compute: ${deviceList} [the fastest that opens]` },
      tune,
    },
  },
  reconstruct: {
    positional: { name: 'directory', required: true },
    summary: 'show what an autoencoder keeps of pictures it has not seen',
    about:
      'Puts the held-out pictures of the run through its autoencoder and back, writes a sheet of pictures beside their reconstructions, and compares them with the best linear code that has as many numbers: an autoencoder that is not better has learned nothing. The run is one of `fathom train-vae`, or of a model on its latents.',
    flags: {
      count: { kind: 'number', value: 'N', help: 'pictures on the sheet [16]' },
      out: { kind: 'text', value: 'FILE.png', help: 'the sheet [<directory>/reconstructions.png]' },
      device: { kind: 'text', value: 'NAME', help: 'where to compute [the device of the run]' },
      tune,
      json: {
        kind: 'switch',
        help: 'print psnr, linearPsnr, ssim, latentShape, and mean and deviation of each channel of the latents as JSON, and nothing else',
      },
    },
  },
  eval: {
    positional: { name: 'directory', required: true },
    summary: 'judge what a run has learned, beside real pictures',
    about: `Compares what it draws with pictures of training and with those held out: how far apart they are, whether they can be told apart, which kinds are missing, which are copies. Every number stands beside that of sets of known quality. Writes report.html, to be looked at, and report.json.`,
    flags: {
      count: { kind: 'number', value: 'N', help: 'how many pictures [256]' },
      ...samplerFlags,
      seed: { kind: 'number', value: 'N', help: 'from which noise, comparisons and tests are drawn [0]' },
      weights: {
        kind: 'text',
        value: 'NAME',
        help: 'which averaged weights: last, best or early [last]',
        more: '; best is on held-out pictures',
      },
      data: comparedWith,
      features,
      device: { kind: 'text', value: 'NAME', help: 'where to draw and judge [the device of the run]' },
      tune,
      out: { kind: 'text', value: 'DIR', help: 'where the report goes [<directory>/eval]' },
      json: { kind: 'switch', help: 'print everything as JSON' },
    },
  },
  compare: {
    positional: { name: 'directory', required: true },
    summary: 'say which of two runs draws pictures nearer to real ones',
    about:
      'Draws from both runs, and compares both sets with the same pictures of training of the first: how far each is from them, and how often each can be told from them, with the chance that the two differ so by luck. Both must be of pictures of one size.',
    flags: {
      with: { kind: 'text', value: 'DIRECTORY', help: 'the other run' },
      count: { kind: 'number', value: 'N', help: 'how many pictures of each [256]' },
      ...samplerFlags,
      seed: { kind: 'number', value: 'N', help: 'from which noise, comparisons and tests are drawn [0]' },
      data: comparedWith,
      features,
      device: { kind: 'text', value: 'NAME', help: 'where to draw and compare [the device of each run]' },
      tune,
      json: { kind: 'switch', help: 'print everything as JSON' },
    },
  },
  import: {
    positional: { name: 'folder', required: true },
    summary: 'make a run of a network that diffusers has saved',
    about:
      'The folder holds a UNet2DModel (config.json with its weights in safetensors), or a pipeline with one: DDPM, DDIM, or unconditional latent diffusion. The run can be drawn from, and `fathom resume RUN --data FOLDER --steps N` trains it on photographs, after which it can be judged. Of a network with classes the subfolders are called `class 0`, `class 1`, …',
    flags: {
      out: { kind: 'text', value: 'DIR', help: 'run directory, which must not hold a run [runs/<date>-<name>-<n>]' },
      size: { kind: 'size', value: 'N|HxW', help: 'size of the pictures in pixels, where the folder does not say it' },
    },
  },
  export: {
    positional: { name: 'directory', required: true },
    summary: 'write what a run has learned as a folder for diffusers',
    about:
      'Writes a pipeline: the network, its noise, and its autoencoder where it works on latents. The network is one of `"model": { "kind": "unet2d" }`, for diffusers has no other; tensors keep their bytes.',
    flags: {
      to: { kind: 'text', value: 'diffusers', help: 'the program that is to read it [diffusers]' },
      out: { kind: 'text', value: 'FOLDER', help: 'where it goes, which must be empty [<directory>/diffusers]' },
      weights: {
        kind: 'text',
        value: 'NAME',
        help: 'which averaged weights: last, best or early [last]',
        more: '; best is on held-out pictures',
      },
    },
  },
  scan: {
    positional: { name: 'folder', required: true },
    summary: 'say which files of a folder can be trained on, or why not',
    about: 'Nothing is written. Exits with 1 when no file can be used.',
    flags: { json: { kind: 'switch', help: 'print the whole report as JSON' } },
  },
  doctor: {
    summary: 'say what devices there are, whether they are right, how fast',
    about:
      'Tries every family of kernels on each device that opens, and compares with the specification. Nothing is written but, in the cache of the user, which kernels suit a GPU. Exits with 1 when a kernel came out wrong.',
    flags: {
      retune: { kind: 'switch', help: 'forget which kernels were measured to suit a GPU: the next run measures again' },
      json: { kind: 'switch', help: 'print everything as JSON' },
    },
  },
  bench: {
    summary: 'measure how fast this machine trains',
    about:
      'Runs training steps of a preset on made-up pictures, and compares them with what the machine reaches at best. Nothing is written but, in the cache of the user, which kernels suit a GPU.',
    flags: {
      preset: { kind: 'text', value: 'NAME', help: `${Object.keys(presets).join(', ')} [tiny]`, setting: 'preset' },
      size: { kind: 'size', value: 'N|HxW', help: 'size of the pictures in pixels', setting: 'height' },
      batch: { kind: 'number', value: 'N', help: 'pictures that go through the network together', setting: 'batch' },
      device: {
        kind: 'text',
        value: 'NAME',
        help: `${deviceList} [the fastest that opens]`,
        setting: 'device',
      },
      tune,
      steps: { kind: 'number', value: 'N', help: 'steps that are measured, after two that are not [10]' },
      profile: { kind: 'switch', help: 'print the time of each kernel, and where it stands against the roofline' },
      rows: { kind: 'number', value: 'N', help: 'rows of the profile [25]' },
      json: { kind: 'switch', help: 'print everything as JSON' },
    },
  },
} as const satisfies { readonly [name: string]: Command }

/** The name of a command. */
export type CommandName = keyof typeof commands
