/** What the command understands of classifiers and texts: rows of the table of `spec.ts`. */
import { classifierPresets, textPresets } from '../train/index.ts'
import type { Command } from './flag.ts'
import {
  beginningFlags,
  classifierWords,
  courseFlags,
  learningFlags,
  listOf,
  placeFlags,
  textWords,
  tune,
} from './runFlags.ts'

/** The commands that begin such runs. */
export const trainOwn = {
  'train-classifier': {
    positional: { name: 'folder', required: false },
    summary: 'train a network that says what a picture shows',
    about:
      'The subfolders of the folder are the classes, as boats/ and bridges/. It is measured on pictures that it never sees. Without a folder it learns what procedural seas show, several things at once.',
    more: ` Presets: ${listOf(classifierPresets)}.`,
    flags: {
      ...placeFlags(classifierWords),
      model: {
        kind: 'text',
        value: 'NAME',
        help: 'resnet, vit or mlp [resnet]',
        more: '; settings of the network stand in the file of --config, as "model": { "kind": "vit", "patch": 8 }',
        setting: 'model.kind',
      },
      flip: { kind: 'toggle', value: 'on|off', help: 'mirror half of the pictures [on]', setting: 'flip', rare: true },
      ...learningFlags(classifierWords),
      ...courseFlags(classifierWords),
    },
  },
  'train-text': {
    positional: { name: 'file', required: true },
    summary: 'train a model that goes on with a text',
    about:
      'The file is plain text in UTF-8. A GPT learns which character follows the last ones, and is measured on the end of the text, in nats a character: less is better, and a guess among n characters has ln n.',
    more: ` Presets: ${listOf(textPresets)}.`,
    flags: {
      ...beginningFlags(textWords),
      context: { kind: 'number', value: 'N', help: 'tokens that it sees at once', setting: 'model.context' },
      width: { kind: 'number', value: 'N', help: 'length of a token in the network', setting: 'model.width' },
      depth: { kind: 'number', value: 'N', help: 'blocks of the network', setting: 'model.depth' },
      heads: {
        kind: 'number',
        value: 'N',
        help: 'heads of attention, which share the width',
        setting: 'model.heads',
        rare: true,
      },
      dropout: {
        kind: 'number',
        value: 'P',
        help: 'rate of dropout in each block: for a text that is learned by heart',
        setting: 'model.dropout',
        rare: true,
      },
      tokens: {
        kind: 'text',
        value: 'NAME',
        help: 'what it reads one by one: characters, or bytes [characters]',
        setting: 'tokens',
        rare: true,
      },
      ...learningFlags(textWords),
      ...courseFlags(textWords),
    },
  },
} as const satisfies { readonly [name: string]: Command }

/** The commands that use what such runs have learned. */
export const useOwn = {
  classify: {
    positional: { name: 'directory', required: true },
    others: 'picture',
    summary: 'say what pictures show, by a run of `train-classifier`',
    about:
      'Prints the likeliest classes of each picture with their probabilities. Exits with 1 when one cannot be read.',
    flags: {
      top: { kind: 'number', value: 'N', help: 'classes that are told of each picture [3]' },
      weights: { kind: 'text', value: 'NAME', help: 'which averaged weights: last, best or early [last]' },
      device: { kind: 'text', value: 'NAME', help: 'where to compute [the device of the run]' },
      tune,
      json: { kind: 'switch', help: 'print the class and all probabilities of each picture as JSON' },
    },
  },
  write: {
    positional: { name: 'directory', required: true },
    summary: 'write what follows a text, by a run of `train-text`',
    about: 'The same seed writes the same text. What is printed begins with the prompt.',
    flags: {
      prompt: { kind: 'text', value: 'TEXT', help: 'how the text begins [the end of a line]' },
      length: { kind: 'number', value: 'N', help: 'how many tokens more [400]' },
      seed: { kind: 'number', value: 'N', help: 'from which tokens are drawn [0]' },
      temperature: { kind: 'number', value: 'X', help: 'below 1 the likely becomes likelier [0.8]' },
      'top-p': {
        kind: 'number',
        value: 'P',
        help: 'draw from the likeliest tokens alone that have so much of the probability together [1]',
      },
      weights: { kind: 'text', value: 'NAME', help: 'which averaged weights: last, best or early [last]' },
      device: { kind: 'text', value: 'NAME', help: 'where to compute [the device of the run]' },
      tune,
    },
  },
} as const satisfies { readonly [name: string]: Command }
