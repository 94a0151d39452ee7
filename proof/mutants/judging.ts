/** Bugs in the judge: its scores, its tests of chance, what it calls a copy. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'judging pictures'
const golden = inFile('evaluation/scores/golden')
const scores = inFile('evaluation/scores/scores')
const relative = inFile('evaluation/scores/relative')
const textures = inFile('evaluation/scores/textures')
const copies = inFile('evaluation/copies')
const anchors = inFile('evaluation/anchors')
const features = inFile('evaluation/features')
const mobilenet = inFile('evaluation/mobilenet')
const keeps = inFile('train/tasks/autoencoder/keepsLess')
const levels = inFile('train/tasks/diffusion/lossByLevel')

/** Bugs in src/evaluation, and in the loss by level of noise. */
export const judgingMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/evaluation/scores/mmd.ts', golden, [
    ['the kernel distance has a square kernel', 'wrong constant', 'x.width + 1) ** 3', 'x.width + 1) ** 2'],
    [
      'the kernel distance counts pairs of points with themselves',
      'off by one',
      'first / (m * (m - 1))',
      'first / (m * m)',
    ],
    ['the kernel distance takes the pairs across once', 'factor', '- (2 * across) / (m * n)', '- across / (m * n)'],
    [
      'the jackknife has one pair too many for a point left out',
      'factor',
      'first: all.first - 2 * own, across',
      'first: all.first - own, across',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/scores/relative.ts', relative, [
    [
      'two sets are compared without what real pictures are among themselves',
      'missing term',
      'within(own, labels, label) + ofReal - 2',
      'within(own, labels, label) - 2',
    ],
    ['the distance of a set to real pictures is taken once', 'factor', '+ ofReal - 2 * meanOf', '+ ofReal - meanOf'],
    [
      'the nearest neighbour may be of the set that is not compared',
      'missing check',
      'isReal(firstIn(at(order, i), isIn))',
      'isReal(at(order, i)[0] ?? -1)',
    ],
    [
      'a difference between two sets counts in one direction alone',
      'missing term',
      'Math.abs(score(labels, 1) - score(labels, 0))',
      'score(labels, 1) - score(labels, 0)',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/permutations.ts', scores, [
    [
      'the observed labels are not counted among the permutations',
      'off by one',
      '(1 + others.filter((value) => value >= bar).length)',
      'others.filter((value) => value >= bar).length',
    ],
    ['a p-value counts only what is larger', 'wrong tie', 'value >= bar).length', 'value > bar + 1e-9).length'],
  ]),
  ...mutantsOf(area, 'src/evaluation/scores/neighbours.ts', golden, [
    ['a ball reaches to the neighbour after the k-th', 'off by one', '&& ++seen === k)', '&& seen++ === k)'],
    [
      'coverage takes the nearest of its own kind for the other',
      'swapped operands',
      'if (labels[j] !== labels[i]) nearestOther',
      'if (labels[j] === labels[i]) nearestOther',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/scores/manifold.ts', golden, [
    ['density is not divided by k', 'factor', 'density: mean(around) / k', 'density: mean(around)'],
    [
      'precision and recall are exchanged',
      'swapped operands',
      '[balls(generated, real), balls(real, generated)]',
      '[balls(real, generated), balls(generated, real)]',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/scores/fisher.ts', golden, [
    ['Fisher’s sum begins after what was found', 'off by one', 'first.found + i)', 'first.found + i + 1)'],
  ]),
  ...mutantsOf(area, 'src/evaluation/scores/laplacian.ts', textures, [
    ['the pyramid’s zeros are not made up for', 'factor', '4 * valueAt(plane', '1 * valueAt(plane'],
    ['a level of detail holds its light as well', 'missing term', 'value - (soft.values[i] ?? 0)', 'value'],
  ]),
  ...mutantsOf(area, 'src/evaluation/copies.ts', copies, [
    [
      'a copy is told by the second nearest alone, where training has several of a view',
      'missing term',
      'groups = range(pictures.length), ...shape }',
      'groups: _, ...shape }',
    ],
    [
      'a picture of training is called a copy of another of its group',
      'missing check',
      'at(groups, i) !== without)',
      'at(groups, i) !== undefined)',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/memory.ts', copies, [
    [
      'what is usual leaves out pictures of training by their place, not by their group',
      'stale value',
      'at(training.pictures, i), at(originals.groups, i))',
      'at(training.pictures, i), i)',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/anchors.ts', anchors, [
    [
      'the Gaussian has the deviation of a mean',
      'factor',
      'hostNormal(own, j) / Math.sqrt(pictures.length)',
      'hostNormal(own, j) / pictures.length',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/features/whitening.ts', features, [
    [
      'whitening divides by the variance',
      'wrong operation',
      'variances.map((v, k) => Math.max(Math.sqrt(v),',
      'variances.map((v, k) => Math.max(v,',
    ],
    ['far points are not drawn in', 'missing clamp', 'x * Math.min(1, most /', 'x * Math.max(1, 0 * most /'],
  ]),
  ...mutantsOf(area, 'src/evaluation/features/mobilenet/network.ts', mobilenet, [
    [
      'MobileNetV2 is padded on the left and above where it halves pictures',
      'off by one',
      'x.pad([0, 0, 0, 0], [0, 1, 1, 0])',
      'x.pad([0, 1, 1, 0], [0, 0, 0, 0])',
    ],
    ['MobileNetV2: its activation has no upper end', 'missing clamp', 'x.maximum(0).minimum(6)', 'x.maximum(0)'],
  ]),
  ...mutantsOf(area, 'src/evaluation/features/mobilenet/weights.ts', mobilenet, [
    [
      'the norm of MobileNetV2 is folded in without its ε',
      'missing term',
      'Math.sqrt((variance[c] ?? 0) + epsilon)',
      'Math.sqrt(variance[c] ?? 0)',
    ],
    [
      'the bias of a folded norm forgets its scale',
      'factor',
      'b - (mean[c] ?? 0) * (scale[c] ?? 0)',
      'b - (mean[c] ?? 0)',
    ],
    [
      'bytes of weights begin at 0',
      'missing term',
      'quantization.min + quantization.scale * q',
      'quantization.scale * q',
    ],
  ]),
  ...mutantsOf(area, 'src/evaluation/features/mobilenet/space.ts', mobilenet, [
    ['pixels are resized by weights that do not sum to 1', 'missing term', 'weights.map((w) => w / sum)', 'weights'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/keepsLess.ts', keeps, [
    [
      'an autoencoder that keeps less than a linear code passes',
      'wrong constant',
      'kept >= linear',
      'kept >= 0 * linear',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/lossByLevel.ts', levels, [
    [
      'the loss by level takes pictures of training for those held out',
      'stale value',
      'range(count).map((i) => data.heldOut(i))',
      'range(count).map((i) => data.picture(i))',
    ],
    [
      'all levels have the times of the first',
      'missing term',
      '((level + (i + 0.5) / count) / levels)',
      '((0 * level + (i + 0.5) / count) / levels)',
    ],
  ]),
]
