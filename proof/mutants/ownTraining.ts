/** Bugs in the optimizers of the field, in the step and the batches of programs of one's own, and in networks that classify and write. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const more = inFile('optim/moreOptimizers')
const parts = inFile('optim/partition')
const rates = inFile('optim/laterSchedules')
const stepping = inFile('train/trainStep')
const arrays = inFile('data/arrays')
const residual = inFile('models/networks', 'basic-batch: logits')
const vision = inFile('models/networks', 'token: logits')
const writing = inFile('models/networks', 'writes with a cache, learned|draws by the seed')
const texts = inFile('train/tasks/ownData', 'every stretch')
const nucleus = inFile('models/networks', 'share topP together')
const saying = inFile('train/tasks/classifier', 'in its place|of many pictures|each label by itself|beside them')
const configured = inFile('train/tasks/classifier', 'names settings of its network')
const read = inFile('train/tasks/text', 'that has moved|is refused in words')

const optimizer = 'optimizers and averages'
const order = 'data order and resume'
const layer = 'functions and layers'
const which = 'which pictures, draws and weights'

/** All of them. */
export const ownTrainingMutants: readonly Mutant[] = [
  ...mutantsOf(optimizer, 'src/optim/lion.ts', more, [
    [
      'Lion steps by the sign of the momentum that it keeps',
      'stale value',
      'signOf(average(beta1, m, widened(g)))',
      'signOf(average(beta2, m, widened(g)))',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/muon.ts', more, [
    [
      'Muon forgets that a tall matrix was turned',
      'axis',
      'iterations).transpose() //',
      'iterations).reshape(g.shape) //',
    ],
    ['Muon’s steps do not grow with the matrix', 'factor', 'columns / rows)', 'rows / rows)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/adafactor.ts', more, [
    [
      'Adafactor’s rate does not go by small parameters',
      'wrong constant',
      'rootMeanSquare(p).maximum(leastScale).mul(by)',
      'rootMeanSquare(p).maximum(1).mul(by)',
    ],
    ['Adafactor’s steps may be of any length', 'missing clamp', '.div(d).maximum(1)', '.div(d).add(0)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/adamVariants.ts', more, [
    [
      'NAdam takes the momentum of this step for that of the next',
      'off by one',
      'momentumAt(count.add(1))]',
      'momentumAt(count)]',
    ],
    ['RAdam rectifies from the first step on', 'missing check', 'length.greater(5)', 'length.greater(-5)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/rmsProp.ts', more, [
    ['centred RMSprop forgets to square the mean', 'missing term', 'v.sub(m.square())', 'v.sub(m)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/lamb.ts', more, [
    ['LAMB divides by the length of the weights', 'swapped operands', 'length.div(step)', 'step.div(length)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/parts.ts', parts, [
    [
      'a transform of a partition gets all parameters',
      'stale value',
      'state, part), own.get(part), given)',
      'state, part), params, given)',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/applyIfFinite.ts', parts, [
    [
      'a step that is sat out changes the state',
      'missing check',
      'inner: selectTree(finite, next, inner)',
      'inner: next',
    ],
    [
      'what is frozen is added 0, and −0 is lost',
      'wrong constant',
      'full(u.shape, -0, u.dtype)',
      'full(u.shape, 0, u.dtype)',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/laterSchedules.ts', rates, [
    [
      'one cycle reaches its top a step late',
      'off by one',
      '[pctStart * steps - 1, steps - 1]',
      '[pctStart * steps, steps - 1]',
    ],
    ['the transformer’s rate begins at 0', 'off by one', 'rate(step + 1)', 'rate(step)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/reduceOnPlateau.ts', rates, [
    ['a plateau is one value shorter', 'off by one', 'inRow > patience', 'inRow >= patience'],
  ]),
  ...mutantsOf(order, 'src/train/trainStep.ts', stepping, [
    [
      'every step of a program draws the same numbers',
      'stale value',
      'foldIn(seed, step), step, modelState',
      'seed, step, modelState',
    ],
    ['running statistics stay as they were', 'stale value', 'modelState: next,\n', 'modelState,\n'],
  ]),
  ...mutantsOf(order, 'src/data/arrays/batches.ts', arrays, [
    ['every epoch of arrays has the order of the first', 'stale value', 'Math.floor(step / perEpoch))', '0 * step)'],
    ['the last batch of an epoch is of the next', 'missing clamp', 'Math.min(size, count - first)', 'size'],
  ]),
  ...mutantsOf(order, 'src/train/tasks/text/textSource.ts', texts, [
    ['text that is held out is learned', 'missing term', 'ids.length - held - length + 1', 'ids.length - length + 1'],
  ]),
  ...mutantsOf(layer, 'src/models/resnet/blocks.ts', residual, [
    ['a residual block bends what it adds twice', 'missing call', 'return relu(f.add(', 'return relu(relu(f).add('],
  ]),
  ...mutantsOf(layer, 'src/models/resnet/resnet.ts', residual, [
    ['every stage of a residual network is as wide as the first', 'factor', 'width * 2 ** stage', 'width * 1 ** stage'],
  ]),
  ...mutantsOf(layer, 'src/models/vit/vit.ts', vision, [
    ['the class is read off the first patch', 'off by one', 'y.slice([], [0, 1])', 'y.slice([], [1, 2])'],
  ]),
  ...mutantsOf(layer, 'src/models/gpt/generate.ts', writing, [
    [
      'a context that is full is gone on with from its beginning',
      'stale value',
      '.slice(-Math.ceil(context / 2))',
      '.slice(0, Math.ceil(context / 2))',
    ],
    [
      'tokens that are not among the likeliest may be drawn',
      'swapped operands',
      'logits.less(topK',
      'logits.greater(topK',
    ],
  ]),
  ...mutantsOf(layer, 'src/models/gpt/generate.ts', nucleus, [
    [
      'the token that fills the share of the likeliest is left out',
      'off by one',
      'cumsum(shares).sub(shares)',
      'cumsum(shares)',
    ],
  ]),
  ...mutantsOf(which, 'src/train/tasks/classification/classify.node.ts', saying, [
    [
      'every picture is said to show what the first of its batch shows',
      'stale value',
      'all.slice(i * labels.length, (i + 1) * labels.length)',
      'all.slice(0, labels.length)',
    ],
    [
      'what a sea shows is one of its labels alone',
      'wrong operation',
      'several ? logits.sigmoid() : softmax(logits)',
      'softmax(logits)',
    ],
  ]),
  ...mutantsOf(which, 'src/train/tasks/classification/subject.node.ts', saying, [
    [
      'a picture without a class is taken for one of the first',
      'missing check',
      'return stray === 0',
      'return stray >= 0',
    ],
  ]),
  ...mutantsOf('errors and inspection', 'src/train/tasks/settings.ts', configured, [
    [
      'a network of another kind takes the settings of the preset’s',
      'missing check',
      'another === undefined ? base : defaults(another)',
      'base',
    ],
  ]),
  ...mutantsOf('errors and inspection', 'src/train/tasks/text/readText.node.ts', read, [
    ['bytes that are no UTF-8 are read as a text', 'missing check', '{ fatal: true }', '{ fatal: false }'],
  ]),
]
