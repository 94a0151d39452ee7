/** Bugs in what makes much of few photographs: likeness, groups, parts, changes, labels. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'photographs'
const likeness = inFile('data/likeness/likeness')
const duplicates = inFile('data/likeness/nearDuplicates')
const split = inFile('data/batches', 'a split of groups')
const crop = inFile('data/crop')
const augment = inFile('data/augment')
const labels = inFile('data/labels')

const likenessMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/data/likeness/windows.ts', likeness, [
    [
      'likeness: a picture in brighter light is another',
      'missing term',
      '((window[i] ?? 0) - sum / n) * scale',
      '(window[i] ?? 0) * scale',
    ],
    ['likeness: a shifted copy is compared as it lies', 'wrong constant', 'const reach = 4', 'const reach = 0'],
  ]),
  ...mutantsOf(area, 'src/data/likeness/likeness.ts', likeness, [
    ['likeness: a mirror image is another picture', 'missing call', 'measured(mirrored(middle))', 'measured(middle)'],
    [
      'likeness: the first picture alone is shifted',
      'missing term',
      'Math.min(oneWay(a, b), oneWay(b, a))',
      'oneWay(a, b)',
    ],
  ]),
  ...mutantsOf(area, 'src/data/likeness/pictureIndex.ts', likeness, [
    ['the nearest of a picture of the set is itself', 'missing check', 'i !== index && among(i)', 'among(i)'],
  ]),
  ...mutantsOf(area, 'src/data/likeness/copies.ts', likeness, [
    [
      'a copy is compared with the next of its own group',
      'missing check',
      'groupOf(i) !== groupOf(nearest.index)',
      'i !== nearest.index',
    ],
  ]),
  ...mutantsOf(area, 'src/data/likeness/nearDuplicates.ts', duplicates, [
    [
      'groups of near-duplicates do not grow together',
      'missing call',
      'const [a, b] = [find(i), find(j)]',
      'const [a, b] = [i, j]',
    ],
  ]),
  ...mutantsOf(area, 'src/data/likeness/overlap.ts', duplicates, [
    [
      'cuts: the second picture is scaled the wrong way',
      'wrong operation',
      'valueAt(b, scale * y + down',
      'valueAt(b, y / scale + down',
    ],
  ]),
]

/** Bugs in src/data, but for its folders and seas. */
export const smallDataMutants: readonly Mutant[] = [
  ...likenessMutants,
  ...mutantsOf(area, 'src/data/split.ts', split, [
    [
      'a group that is partly held out is trained on',
      'missing check',
      'return { held: count, at',
      'return { held: heldOutShare(groups.length), at',
    ],
    [
      'a large group is held out though the share is passed',
      'missing term',
      'count + group.length > share',
      'count >= share',
    ],
  ]),
  ...mutantsOf(area, 'src/data/resample.ts', crop, [
    ['a picture that is shrunk grows darker', 'factor', ') / (high - low)', ') / Math.max(2, high - low)'],
  ]),
  ...mutantsOf(area, 'src/data/crop.ts', crop, [
    ['parts are all of one scale', 'missing term', 'least + (1 - least) * hostUniform(key, 0)', 'least'],
    ['parts all touch the upper edge', 'missing term', '* hostUniform(key, 1)', '* 0'],
  ]),
  ...mutantsOf(area, 'src/data/batches.ts', crop, [
    [
      'what is held out is seen in part',
      'wrong operation',
      'wholeAt(whole.heldOut(i), set, crop)',
      'cropAt(whole.heldOut(i), set, crop, key)',
    ],
    [
      'a picture shows the same part in every epoch',
      'stale value',
      'crop, hostFold(key, i))',
      'crop, hostFold(key, i % whole.count))',
    ],
    [
      'what is held out has the labels of what is trained on',
      'stale value',
      'of(heldOutAt(i))',
      'of(indexAt(i))',
      labels,
    ],
  ]),
  ...mutantsOf(area, 'src/data/augment.ts', augment, [
    [
      'a picture that is told larger is smaller',
      'swapped operands',
      'const shrink = (1 - v) / (1 + v)',
      'const shrink = (1 + v) / (1 - v)',
    ],
    ['a turn is a squeeze', 'sign', '-sin * shrink, sign', 'sin * shrink, sign'],
    [
      'beyond an edge a picture begins anew',
      'wrong operation',
      'turn < size ? turn : 2 * size - 1 - turn',
      'turn % size',
    ],
  ]),
  ...mutantsOf(area, 'src/data/seas/labels.ts', labels, [
    ['every sea has a coast', 'off by one', 'sea.coast > 0', 'sea.coast >= 0'],
  ]),
]
