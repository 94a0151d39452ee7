/** Bugs in what a user sees when something is wrong: messages, layers, places, prints, and the search for what is not finite. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'errors and inspection'
const checked = inFile('backends/cpu/checked')

const search = mutantsOf(area, 'src/backends/cpu/nonFinite.ts', checked, [
  [
    'checked device: the last node that is not finite is blamed, not the first',
    'swapped operands',
    'a.node.id <= b.node.id ? a : b',
    'a.node.id >= b.node.id ? a : b',
  ],
  [
    'checked device: the branch of a select that is not taken counts',
    'missing check',
    '(condition[j] !== 0) === (i === 1)',
    'true',
  ],
  [
    'checked device: infinities that were given are blamed',
    'missing check',
    'return finding.nans > 0 ? finding : undefined',
    'return finding',
  ],
  [
    'checked device: NaN made of infinities that were given is not found',
    'missing term',
    'from.length === 0 || (finding.nans > 0 && from.every((trail) => trail.finding.nans === 0))',
    'from.length === 0',
  ],
])

const places = mutantsOf(area, 'src/graph/origin.ts', inFile('graph/origin'), [
  [
    'origin: a rebuilt node forgets where it was made',
    'missing term',
    'if (origin !== undefined) origins.set(node, origin)',
    'if (origin === undefined) origins.delete(node)',
  ],
  [
    'origin: after an inner gradient, the outer one is forgotten',
    'stale value',
    'recording.gradientOf = outer',
    'recording.gradientOf = undefined',
    inFile('graph/origin'),
  ],
])

const layers = mutantsOf(area, 'src/graph/scope.ts', inFile('nn/scope'), [
  [
    'layer path: every layer on the way out writes its path again',
    'missing check',
    '!namesAMistake(e) || located.has(e)',
    '!namesAMistake(e)',
  ],
  [
    'layer path: the scope stays after the layer',
    'stale value',
    'current.scope = outer',
    'current.scope = outer ?? scope',
  ],
])

const seen = [
  ...mutantsOf(area, 'src/tensor/nested.ts', inFile('tensor/inspect'), [
    [
      'toArray: rows begin where columns should',
      'factor',
      'const step = product(inner)',
      'const step = inner.length === 0 ? 1 : length',
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/inspect.ts', inFile('tensor/inspect'), [
    [
      'print: of a long axis the end is shown one element too early',
      'off by one',
      'length - edge + i',
      'length - edge + i - 1',
    ],
  ]),
  ...mutantsOf(area, 'src/prelude/stack.ts', inFile('prelude/stack'), [
    [
      "stack: what the engine ran for the user goes with the library's frames",
      'wrong operation',
      'return isBuiltIn(line.text) && isLibrarys(i + 1)',
      'return isBuiltIn(line.text)',
    ],
  ]),
]

const powers = mutantsOf('functions and layers', 'src/tensor/tensor.ts', inFile('tensor/power'), [
  ['pow: the derivative keeps the exponent', 'off by one', 'at.pow(p - 1).mul(p)', 'at.pow(p).mul(p)'],
  [
    'pow: −0 to a power that is not whole stays −0',
    'missing term',
    ': x.wholePower(n).mul(fraction)).add(0)',
    ': x.wholePower(n).mul(fraction))',
  ],
])

/** All of them. */
export const messageMutants: readonly Mutant[] = [...search, ...places, ...layers, ...seen, ...powers]
