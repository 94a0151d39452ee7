/** Bugs in EDM2's U-Net: magnitudes, weights, blocks, times, and the step that brings weights back to their length. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const golden = inFile('models/edm2/golden')
const laws = inFile('models/edm2/laws')
const training = inFile('train/edm2')

const area = 'functions and layers'
const folder = 'src/models/edm2'

/** Bugs in src/models/edm2, and in the step behind which its weights are moved. */
export const edm2Mutants: readonly Mutant[] = [
  ...mutantsOf(area, `${folder}/magnitudes.ts`, laws, [
    ['edm2: the sum is not divided by its length', 'wrong constant', 'Math.hypot(1 - t, t)', 'Math.abs(1 - t) + t'],
    [
      'edm2: channels side by side forget how many they are',
      'swapped operands',
      'b.mul((scale * t) / Math.sqrt(second))',
      'b.mul((scale * t) / Math.sqrt(first))',
    ],
    ['edm2: silu is divided by its mean square', 'wrong constant', 'silu(x).div(0.596)', 'silu(x).div(0.355)'],
    ['edm2: the gradient of a pixel of zeros is NaN', 'missing clamp', '.maximum(1e-24)', ''],
  ]),
  ...mutantsOf(area, `${folder}/weights.ts`, laws, [
    [
      'edm2: the length of a weight is that of all outputs',
      'axis',
      'const inputs = range(w.rank - 1)',
      'const inputs = range(w.rank)',
    ],
    [
      'edm2: weights come back to a length of 1',
      'factor',
      'directions(w).mul(Math.sqrt(product(w.shape.slice(0, -1))))',
      'directions(w).mul(product([]))',
    ],
  ]),
  ...mutantsOf(area, `${folder}/blocks.ts`, golden, [
    [
      'edm2: a block on the way down goes on from what it was given',
      'stale value',
      'mpSum(isDown ? start : matched,',
      'mpSum(matched,',
    ],
    [
      'edm2: values have no largest',
      'missing clamp',
      '.maximum(-largest).minimum(largest)',
      '.maximum(-largest)',
      laws,
    ],
  ]),
  ...mutantsOf(area, `${folder}/settings.ts`, laws, [
    [
      'edm2: the width of heads that an error names fits one width alone',
      'wrong operation',
      '.find((n) => widths.every(',
      '.find((n) => widths.some(',
    ],
  ]),
  ...mutantsOf(area, `${folder}/edm2.ts`, golden, [
    [
      'edm2: the way up sees the first image first',
      'wrong order',
      'at(skips, skips.length - 1 - i)',
      'at(skips, skips.length - blocks.length + i)',
    ],
  ]),
  ...mutantsOf(area, `${folder}/time.ts`, laws, [
    [
      'edm2: a condition of zeros says something',
      'missing term',
      'return mpSilu(mpSum(time, told, conditionBalance))',
      'return mpSilu(told === undefined ? time : mpSum(time, told, conditionBalance))',
    ],
    [
      'edm2: frequencies of times are learned',
      'missing call',
      'frequencies.stopGradient().cast(t.dtype)',
      'frequencies.cast(t.dtype)',
    ],
  ]),
  ...mutantsOf('optimizers and averages', 'src/train/step.ts', training, [
    [
      'step: parameters stay where the optimizer moves them',
      'missing call',
      'moved(project(whole), state.params, moves)',
      'moved(whole, state.params, moves)',
    ],
  ]),
]
