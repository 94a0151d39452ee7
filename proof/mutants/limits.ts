/** Bugs in what keeps programs within their bounds: the size of kernels, integers that wrap, memory, and the part of a stream that is drawn. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const cut = inFile('compiler/narrowest', 'kernels that would be|narrowest')
const integers = inFile('backends/integers', 'products|product|convolutions')

/** Bugs at the bounds. */
export const limitMutants: readonly Mutant[] = [
  ...mutantsOf('compiler', 'src/compiler/narrowest.ts', cut, [
    ['a kernel is cut where the most values go on', 'wrong operation', 'live <= fewest', 'live >= Math.min(fewest, 9)'],
    [
      'a stretch is one operation too long',
      'off by one',
      'if (weight > most && place > start) return best',
      'if (weight > most + at(weights, place)) return best',
    ],
  ]),
  ...mutantsOf('compiler', 'src/compiler/join.ts', cut, [
    [
      'joining looks at the length of the second kernel alone',
      'stale value',
      'operationsIn(both.body) > limits.operations',
      'operationsIn(second.body) > limits.operations',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/cpu/wholeGemm.ts', integers, [
    ['products of whole numbers go through doubles', 'wrong dtype', '? wholeGemm : gemm', '? gemm : gemm'],
  ]),
  ...mutantsOf('kernels', 'src/backends/cpu/interpret.ts', integers, [
    [
      'the specification multiplies whole numbers as doubles',
      'wrong dtype',
      'times: Math.imul',
      'times: (x, y) => x * y',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/scalar/scalarValue.ts', integers, [
    [
      'wasm sums products of whole numbers as doubles',
      'wrong dtype',
      'isWrapping(x, to) && isWrapping(y, to)',
      "isWrapping(x, to) && isWrapping(y, 'f64')",
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/program.ts', inFile('backends/wasm/memory', 'needs'), [
    [
      'memory between the phases of a kernel is not counted',
      'missing term',
      'roomOf(scratchOf(generated)) +',
      'padded(0) +',
    ],
  ]),
  ...mutantsOf(
    'kernels',
    'src/backends/wasm/threads/pool.ts',
    inFile('backends/wasm/threads', 'nothing to do: the next run'),
    [
      [
        'a worker that failed in idleness is not missed',
        'missing check',
        '(address + control.failed) / 4) !== 0)',
        '(address + control.failed) / 4) > 1)',
      ],
    ],
  ),
  ...mutantsOf('random numbers', 'src/tensor/random/uniform.ts', inFile('tensor/randomKeys', 'begins anywhere'), [
    ['a part of a stream is its beginning', 'missing term', 'place.add(first)', 'place.add(first.mul(0))'],
  ]),
  ...mutantsOf('data order and resume', 'src/train/step.ts', inFile('train/step', 'a million micro-batches'), [
    [
      'what lies beside the gradients is counted without the average',
      'missing term',
      'bytesOfTree([state.opt, state.averages, state.lossScale])',
      'bytesOfTree([state.params])',
    ],
  ]),
]
