/** Bugs in gradients by argument, in states and caches, and in attention with masks and positions. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const argument = inFile('autograd/argument')
const state = inFile('nn/state')
const attention = inFile('nn/multiHeadAttention')
const partition = inFile('tensor/partition')
const run = inFile('train/stateBranch')

const area = 'functions and layers'

/** Bugs in what a model keeps, and in attention. */
export const stateAndAttentionMutants: readonly Mutant[] = [
  ...mutantsOf('reverse and forward mode', 'src/autograd/grad.ts', argument, [
    [
      'grad: the gradient of several arguments is that of the first',
      'stale value',
      'const sources = numbers.map((n) => named[n])',
      'const sources = numbers.map(() => named[0])',
    ],
  ]),
  ...mutantsOf('reverse and forward mode', 'src/autograd/argument.ts', argument, [
    ['grad: an argument may be named twice', 'missing check', 'numbers.indexOf(n) !== i', 'numbers.indexOf(n) > i'],
  ]),
  ...mutantsOf(area, 'src/nn/batchNorm.ts', state, [
    ['batchNorm: the running variance is the biased one', 'factor', '.mul(n / (n - 1))', '.mul(n / n)'],
    [
      'batchNorm: the momentum is that of the old statistics',
      'wrong operation',
      'const share = momentum ??',
      'const share = (momentum === null ? null : 1 - momentum) ??',
    ],
    [
      'batchNorm: evaluation normalises by the batch',
      'stale value',
      'const used = train ? statisticsOf(wide) : state',
      'const used = statisticsOf(wide)',
    ],
    [
      'batchNorm: statistics take a gradient on',
      'missing call',
      'now.stopGradient().sub(running)',
      'now.sub(running)',
      inFile('nn/state'),
    ],
  ]),
  ...mutantsOf(area, 'src/nn/spectralNorm.ts', state, [
    [
      'spectralNorm: the vectors are iterated in evaluation too',
      'missing check',
      'mode.train && i < iterations',
      'i < iterations',
    ],
    [
      'spectralNorm: the gradient flows through the vectors',
      'missing call',
      'const fixed = matrix.stopGradient()',
      'const fixed = matrix',
    ],
  ]),
  ...mutantsOf(area, 'src/nn/checkpointed.ts', state, [
    ['checkpointed: the next state is lost', 'missing call', 'scope.write(next)', 'scope.write(scope.read())'],
  ]),
  ...mutantsOf(area, 'src/nn/mode.ts', state, [
    [
      'a mode loses the fields of the user on its way to a child',
      'missing term',
      '.filter(([field]) => !ofEachChild.includes(field))',
      '.filter(([field]) => field === ofEachChild[3])',
    ],
  ]),
  ...mutantsOf(area, 'src/nn/multiHeadAttention.ts', attention, [
    [
      'attention: neighbours of the heads of keys are exchanged',
      'axis',
      '.expandDims(2)\n    .broadcastTo([n, few, heads / few, length, d])',
      '.expandDims(1)\n    .broadcastTo([n, heads / few, few, length, d])',
    ],
    [
      'attention: tokens behind a cache are turned as the first',
      'stale value',
      'const queries = placed(splitHeads(query(x), heads), kept?.position)',
      'const queries = placed(splitHeads(query(x), heads), undefined)',
    ],
  ]),
  ...mutantsOf(area, 'src/nn/attentionMask.ts', attention, [
    [
      'a mask hides what it should show',
      'swapped operands',
      '.select(biased, -Infinity)',
      '.select(-Infinity, biased)',
    ],
    [
      'a block of queries has the mask of the first one',
      'stale value',
      'mask.slice([], [], [first, first + count])',
      'mask.slice([], [], [0, count])',
    ],
    [
      'a query that sees no key is NaN',
      'missing check',
      'const left = mayBlind(hiding) ? seen.or(seesAny(seen).not()) : seen',
      'const left = seen',
    ],
    [
      'causal: a place sees the one after it',
      'off by one',
      'return iota(size, 1).greater(own).not()',
      'return iota(size, 1).greater(own.add(1)).not()',
    ],
  ]),
  ...mutantsOf(area, 'src/nn/cache.ts', attention, [
    ['a cache is written one place too far', 'off by one', '[0, 0, position, 0]', '[0, 0, position.add(1), 0]'],
    ['a cache that is full takes more', 'missing check', '.greater(length)', '.greater(2 * length)'],
  ]),
  ...mutantsOf(area, 'src/nn/rotary.ts', attention, [
    [
      'rotary: one channel of a pair is turned the other way',
      'sign',
      'a.mul(sin).add(b.mul(cos))',
      'a.mul(sin).sub(b.mul(cos))',
    ],
    ['rotary: rates fall twice as fast', 'factor', 'base ** ((-2 * i) / width)', 'base ** ((-4 * i) / width)'],
  ]),
  ...mutantsOf('functions and layers', 'src/tensor/partition.ts', partition, [
    [
      'mergeTrees: a longer list loses its end',
      'off by one',
      'Math.max(a.length, b.length)',
      'Math.min(a.length, b.length)',
    ],
  ]),
  ...mutantsOf('optimizers and averages', 'src/train/stateBranch.ts', run, [
    [
      'the optimizer sees the state',
      'missing check',
      '(isOfState(path) ? undefined : x)',
      "(path === 'modelState' ? undefined : x)",
    ],
    ['the state of a step is the sum of those of its parts', 'factor', '.mul(1 / of)', '.mul(of / of)'],
  ]),
  ...mutantsOf('optimizers and averages', 'src/train/step.ts', run, [
    ['the state of a run stays as it began', 'stale value', 'asState(next ?? {}, ', 'asState(stateIn(state.params), '],
  ]),
  ...mutantsOf(
    'optimizers and averages',
    'src/train/tasks/classification/classificationTask.ts',
    inFile('train/tasks/ownData'),
    [['the statistics of a classifier stay as they began', 'stale value', '{ modelState: next }', '{ modelState }']],
  ),
  ...mutantsOf(
    'optimizers and averages',
    'src/train/tasks/classification/classificationSource.ts',
    inFile('train/tasks/ownData'),
    [
      [
        'a classifier is measured with the statistics of its last step alone',
        'stale value',
        'await compiled(average, held)',
        'await compiled({ ...average, modelState: variables.modelState }, held)',
      ],
    ],
  ),
]
