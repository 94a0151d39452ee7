/** Bugs in random numbers, on the host and in the graph. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, type Tests } from './suites.ts'

const keys = inFile('tensor/randomKeys')
const quantiles = inFile('tensor/randomQuantile')
const host = inFile('prelude/threefry')
const distributions = (pattern: string): Tests => inFile('tensor/randomDistributions', pattern)

/** Bugs in src/prelude/threefry.ts and src/tensor/random. */
export const randomMutants: readonly Mutant[] = [
  ...mutantsOf('random numbers', 'src/prelude/threefry.ts', host, [
    ['host: a rotation of Threefry is off by one', 'off by one', '[13, 15, 26, 6]', '[13, 15, 26, 7]'],
    [
      'host: a child’s key is a number of the parent’s stream',
      'missing term',
      '(purposes.fold | high(n))',
      '(purposes.uniform | high(n))',
    ],
    ['host: a permutation of n may give n', 'off by one', 'while (x >= n)', 'while (x > n)'],
    ['host: the Feistel network has one round', 'wrong constant', 'feistelRounds = 8', 'feistelRounds = 1'],
  ]),
  ...mutantsOf('random numbers', 'src/tensor/random/threefry.ts', keys, [
    ['Threefry: the rotations of the two groups are exchanged', 'swapped operands', '((group - 1) % 2)', '(group % 2)'],
    ['Threefry: the number of the group is not added', 'missing term', '.add(group)', '.add(0 * group)'],
    [
      'Threefry: a digit of the parity constant is wrong',
      'wrong constant',
      'parity = 0x1bd11bda',
      'parity = 0x1bd11bdb',
    ],
    ['each pair of words is exchanged', 'swapped operands', 'select(x0, x1)', 'select(x1, x0)'],
  ]),
  ...mutantsOf('random numbers', 'src/tensor/random/uniform.ts', distributions('randint'), [
    ['bits: every element has a block of its own', 'off by one', 'i.shiftRight(1), i)', 'i, i)', keys],
    ['randint: the carry of the product is lost', 'missing term', '.add(middle.and(0xffff))', '.add(0)'],
    ['randint: the range begins at 0', 'missing term', 'offset.add(low >>> 0)', 'offset.add(0 * low)'],
    [
      'uniform: the numbers have one digit less',
      'wrong constant',
      "dtype === 'f16' ? 11 : 24",
      "dtype === 'f16' ? 11 : 23",
      distributions('uniform'),
    ],
    [
      'uniform: the upper bound is drawn',
      'off by one',
      'Math.ceil(high * 2 ** e)]',
      'Math.floor(high * 2 ** e) + 1]',
      distributions('uniform'),
    ],
    [
      'bernoulli: p is the probability of half the words',
      'factor',
      'Math.round(p * 2 ** 32)',
      'Math.round(p * 2 ** 31)',
      distributions('bernoulli'),
    ],
  ]),
  ...mutantsOf('random numbers', 'src/tensor/random/key.ts', keys, [
    ['split: all children are the first', 'stale value', 'iota([count, 2], 0,', 'iota([count, 2], 0).mul(0).cast('],
    [
      'foldIn: a name and a number may give one key',
      'stale value',
      'fold(parent, purposes.name,',
      'fold(parent, purposes.fold,',
    ],
    ['FNV-1a with a wrong prime', 'wrong constant', '0x01000193', '0x01000195'],
  ]),
  ...mutantsOf('random numbers', 'src/tensor/random/normal.ts', quantiles, [
    ['normal: the upper half is off by one unit', 'off by one', '.sub(side)\n    .cast', '.sub(0)\n    .cast'],
    ['normal: the upper half has the sign of the lower', 'sign', '.xor(side)\n', '.xor(0)\n'],
    ['normal: twice the standard deviation', 'factor', '.mul(1 / scale)', '.mul(2 / scale)'],
  ]),
  ...mutantsOf('random numbers', 'src/tensor/random/as241.ts', quantiles, [
    [
      'AS 241: a digit of a coefficient is wrong',
      'wrong constant',
      '1.3314166789178437745e2',
      '1.3314156789178437745e2',
    ],
  ]),
  ...mutantsOf('random numbers', 'src/tensor/random/quantile.ts', quantiles, [
    ['quantile: the interpolation is rounded down', 'off by one', '.add(half).shiftRight', '.add(0).shiftRight'],
  ]),
  ...mutantsOf('random numbers', 'src/tensor/random/categorical.ts', quantiles, [
    [
      'Gumbel: the smallest value is drawn for the largest',
      'sign',
      '(p) => -Math.log(-Math.log(p)), scale',
      '(p) => Math.log(-Math.log(p)), scale',
    ],
    [
      'permutation: n words of one pair',
      'stale value',
      'argsort(bits(key, [n]))',
      'argsort(bits(key, [n]).and(1))',
      distributions('permutation'),
    ],
  ]),
]
