/** Bugs in where pictures come from: which picture, which part of it, in which order. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'which picture and which part'
const part = inFile('data/folder/whichPart')
const pack = inFile('data/folder/pack')
const stream = inFile('data/stream')
const opened = inFile('train/tasks/diffusion/data')

/** Bugs in src/data, and in how training opens it. */
export const pictureMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/data/folder/decodePixels.node.ts', part, [
    ['tall pictures are cut from the top', 'axis', "position: 'centre'", "position: 'top'"],
    ['wide pictures are cut from the left', 'axis', "position: 'centre'", "position: 'left'"],
    ['pictures are cut to what catches the eye', 'wrong operation', "position: 'centre'", "position: 'attention'"],
    ['pictures are stretched to the size', 'wrong operation', "fit: 'cover'", "fit: 'fill'"],
    [
      'of the pixels that are shrunk to one, one is taken',
      'wrong operation',
      "kernel: 'lanczos3'",
      "kernel: 'nearest'",
    ],
    [
      'pictures are decoded as they lie',
      'missing term',
      'const base = sharp(bytes, { autoOrient: true',
      'const base = sharp(bytes, { autoOrient: false',
    ],
  ]),
  ...mutantsOf(area, 'src/data/folder/imageHeader.node.ts', part, [
    ['a scan tells the size of pictures as they lie', 'axis', '= m.autoOrient\n', '= m\n'],
  ]),
  ...mutantsOf(area, 'src/data/folder/packedCache.node.ts', pack, [
    [
      'a block of pictures is read as if it were the first',
      'missing term',
      '(index % perBlock) * each',
      'index * each',
    ],
    [
      'pictures of the later blocks are those of the first',
      'stale value',
      'blocks[Math.floor(index / perBlock)]',
      'blocks[0 * Math.floor(index / perBlock)]',
    ],
  ]),
  ...mutantsOf(area, 'src/data/folder/packedCache.node.ts', pack, [
    [
      'the names of a pack are in the other order',
      'axis',
      '      ...written,\n',
      '      ...written,\n      names: written.names.toReversed(),\n',
    ],
  ]),
  ...mutantsOf(area, 'src/data/batches.ts', stream, [
    [
      'what is held out and the order of epochs have one key',
      'stale value',
      'split: 0, order: 1',
      'split: 0, order: 0',
    ],
    ['an epoch is gone through backwards', 'axis', 'count, i % count)', 'count, count - 1 - (i % count))'],
    ['an epoch has the order of the next', 'off by one', 'Math.floor(i / count))', 'Math.floor(i / count) + 1)'],
    [
      'the mean picture is of what is held out',
      'stale value',
      'data.picture(i).forEach(',
      'data.heldOut(i % data.heldOutCount).forEach(',
    ],
    ['held-out seas are soon drawn', 'wrong constant', 'firstHeldOutSea = 2 ** 40', 'firstHeldOutSea = 2 ** 20'],
  ]),
  ...mutantsOf(area, 'src/data/seas/index.ts', stream, [
    ['seas begin with the second', 'off by one', 'hostFold(key, index)', 'hostFold(key, index + 1)'],
    ['every sea comes twice', 'stale value', 'hostFold(key, index)', 'hostFold(key, index - (index % 2))'],
    [
      'a sea has the labels of the next',
      'off by one',
      'renderSea(factors(index), size)',
      'renderSea(factors(index + 1), size)',
    ],
    [
      'seas are as wide as they should be high',
      'swapped operands',
      '{ width: config.width, height: config.height }',
      '{ width: config.height, height: config.width }',
    ],
  ]),
  ...mutantsOf(area, 'src/train/pictures/openPictures.node.ts', opened, [
    [
      'what is held out of a folder does not depend on the seed',
      'stale value',
      'dataOfSet(set, seed, {',
      'dataOfSet(set, 0 * seed, {',
    ],
    ['seas do not depend on the seed', 'stale value', 'dataOfSeas({ seed,', 'dataOfSeas({ seed: 0 * seed,'],
    [
      'photographs are as wide as they should be high',
      'swapped operands',
      '{ ...(margin === undefined ? size :',
      '{ ...(margin === undefined ? { height: width, width: height } :',
    ],
  ]),
]
