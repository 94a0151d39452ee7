/** Bugs in what is refused, and in what is kept beside tensors: settings, sizes, indices, counts, and the range of halves. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const refusals = 'errors and inspection'

/** All of them. */
export const faultMutants: readonly Mutant[] = [
  ...mutantsOf(refusals, 'src/prelude/options.ts', inFile('package/settings'), [
    [
      'a misspelt setting is refused without the one that was meant',
      'missing term',
      '${suggestion(unknown, known)}`',
      '`',
    ],
  ]),
  ...mutantsOf(refusals, 'src/nn/expectSizes.ts', inFile('package/mistakes'), [
    ['a layer of a fraction of channels is made', 'missing check', 'Number.isInteger(n) && ', ''],
  ]),
  ...mutantsOf(refusals, 'src/tensor/combine.ts', inFile('tensor/functions'), [
    [
      'gather: an index outside that the host knows is moved in silence',
      'missing check',
      "requireLabels('gather', 'index', index, at(table.shape, normalizeAxis('gather', axis, table.rank)))",
      '',
    ],
  ]),
  ...mutantsOf('losses', 'src/nn/ctcLoss.ts', inFile('nn/classLosses'), [
    [
      'ctcLoss: what stands behind the labels of a row must be a label',
      'missing check',
      'i % s < (known?.[Math.floor(i / s)] ?? 0) && ',
      '',
    ],
  ]),
  ...mutantsOf('losses', 'src/tensor/precision.ts', inFile('nn/lossesOfHalves'), [
    ['losses of halves are computed in halves', 'wrong dtype', 'f(...xs.map(widened))', 'f(...xs)'],
  ]),
  ...mutantsOf('data order and resume', 'src/io/params.ts', inFile('io/params'), [
    [
      'a count of a tree is that of the template',
      'stale value',
      'made.get(path) ?? leaf',
      'counts.get(path) ?? made.get(path) ?? leaf',
    ],
  ]),
]
