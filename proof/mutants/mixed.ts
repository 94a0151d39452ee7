/** Bugs in mixed precision: where casts stand, what is rounded, the loss scale, and steps that are skipped. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const policies = inFile('tensor/withPrecision')
const halves = inFile('compiler/halves')
const onWasm = inFile('backends/wasm/halves')
const scales = inFile('optim/lossScale')
const training = inFile('train/mixed', 'a step that overflows|leaves the moments|from between two steps')

/** Bugs in what makes halves, and in what is done about their range. */
export const mixedMutants: readonly Mutant[] = [
  ...mutantsOf('derivative rules', 'src/autograd/vjp.ts', policies, [
    [
      'a contraction of halves rounds the gradient of a weight to a half',
      'wrong dtype',
      'return wasWider && isNarrower(operand.dtype, result) ? result : operand.dtype',
      'return wasWider && isNarrower(operand.dtype, result) ? operand.dtype : operand.dtype',
    ],
  ]),
  ...mutantsOf('functions and layers', 'src/tensor/withPrecision.ts', policies, [
    ['a policy stays after its function', 'stale value', 'current.precision = outer', 'current.precision = precision'],
  ]),
  ...mutantsOf('functions and layers', 'src/nn/activation.ts', policies, [
    [
      'a norm’s result is rounded where a module gives it on',
      'missing check',
      'decided.has(x) ? x : rounded(x)',
      'decided.has(x) ? rounded(x) : rounded(x)',
    ],
  ]),
  ...mutantsOf('compiler', 'src/compiler/canonicalise.ts', halves, [
    [
      'an f32 that is rounded to a half and back is the f32',
      'swapped operands',
      'isNarrower(n.dtype, x.dtype)',
      'isNarrower(x.dtype, n.dtype)',
    ],
  ]),
  ...mutantsOf('compiler', 'src/compiler/halves.ts', halves, [
    [
      'parts are taken for halves where the first of them is one',
      'missing check',
      "(op === 'concatenate' ? inputs : inputs.slice(0, 1))",
      '(inputs.slice(0, 1))',
    ],
  ]),
  ...mutantsOf('kernels', 'src/backends/wasm/gemm/halves.ts', onWasm, [
    [
      'wasm: both operands of a contraction of halves are widened into one place',
      'stale value',
      'p.buffer === left ? 0 : room(x)',
      'p.buffer === left ? 0 : 0',
    ],
  ]),
  ...mutantsOf('optimizers and averages', 'src/optim/lossScale.ts', scales, [
    ['∞ counts as finite', 'off by one', '.less(exponentBits)', '.less(exponentBits + 1)'],
    [
      'gradients are multiplied by the loss scale once more',
      'wrong operation',
      'scale.operand(1).div(scale)',
      'scale.mul(1)',
    ],
    [
      'good steps are counted on after one that was skipped',
      'missing term',
      'finite.and(isDue.not()).select(inRow, 0)',
      'isDue.not().select(inRow, 0)',
    ],
    [
      'the loss scale grows where gradients overflow',
      'wrong operation',
      'scale.mul(0.5).maximum(least)',
      'scale.mul(2).maximum(least)',
    ],
  ]),
  ...mutantsOf('optimizers and averages', 'src/train/step.ts', training, [
    [
      'a step that is skipped moves the average on',
      'missing check',
      '...selectTree(finite, next, state), lossScale',
      '...selectTree(finite, next, state), averages: next.averages, lossScale',
    ],
    [
      'the optimizer sees gradients that are still scaled',
      'missing call',
      'unscaled(gradients, lossScale)',
      'gradients',
    ],
  ]),
  ...mutantsOf('data order and resume', 'src/train/stateFiles.ts', training, [
    [
      'a run that goes on begins with the first loss scale again',
      'stale value',
      "part(fileName('lossScale'), template.lossScale)",
      'E.right(template.lossScale)',
    ],
  ]),
]
