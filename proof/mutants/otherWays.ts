/** Bugs in other ways: filling in a part of a picture, CFG++, continuous time, and other axes. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const repaint = inFile('diffusion/repaint')
const filling = inFile('train/tasks/diffusion/filling')

const continuous = inFile('diffusion/continuous')

const overAxes = inFile('models/axes.golden', 'cpu fused')

/** Bugs in src/diffusion/samplers/repaint.ts and in how pictures are filled in. */
export const otherWayMutants: readonly Mutant[] = [
  ...mutantsOf('diffusion', 'src/diffusion/samplers/repaint.ts', repaint, [
    ['RePaint: what is known is drawn', 'swapped operands', 'select(next, beside)', 'select(beside, next)'],
    [
      'RePaint: the known part is as noisy as the level before',
      'off by one',
      'const end = tablesOf(ends)',
      'const end = visited',
    ],
    ['RePaint: going up, one of the two noises is lost', 'missing term', 'Math.hypot(kept * factor, added)', 'added'],
    [
      'RePaint: going up adds noise as if none were there',
      'missing term',
      'to.s ** 2 - (kept * from.s) ** 2',
      'to.s ** 2',
    ],
    ['RePaint: each stretch is walked once more', 'off by one', '? resamples - 1 : 0', '? resamples : 0'],
    ['RePaint: goes up beyond its first level', 'off by one', 'n + jump <= steps', 'n <= steps'],
    [
      'RePaint: a jump that never goes up is taken',
      'missing check',
      'resamples > 1 && jump >= steps',
      'resamples > 1 && jump > steps',
    ],
    ['RePaint: turns one level later', 'off by one', 'n % jump === 1 % jump', 'n % jump === 0'],
  ]),
  ...mutantsOf('diffusion', 'src/train/tasks/diffusion/filling.ts', filling, [
    ['filling in: the mask’s black is filled in', 'sign', '?? 0) >= white ? byte', '?? 0) < white ? byte'],
    ['filling in: a place of latents is known where any pixel is', 'wrong operation', '.some(\n', '.every(\n'],
    [
      'filling in: rows and columns of latents change places',
      'axis',
      '[Math.floor(i / w) * factor, (i % w) * factor]',
      '[(i % w) * factor, Math.floor(i / w) * factor]',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/cfgPlusPlus.ts', inFile('diffusion/cfgPlusPlus'), [
    ['CFG++: the noise is the guided one', 'swapped operands', 'noise: guide', 'noise: between'],
    [
      'CFG++: moves from the network, not from the guide',
      'swapped operands',
      'guide.add(own.sub(guide)',
      'own.add(own.sub(guide)',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/sample.ts', inFile('diffusion/cfgPlusPlus'), [
    [
      'sampling: of two predictions the image’s noise counts',
      'swapped operands',
      'seen(output.noise).epsilon',
      'seen(output.image).epsilon',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/guidance.ts', inFile('diffusion/cfgPlusPlus', 'parallel'), [
    ['guidance: what is parallel is all that is kept', 'sign', 'mul(1 - kept)', 'mul(kept)'],
    [
      'guidance: the parallel part has the length of the guide’s',
      'swapped operands',
      'turned(difference, mine, parallel)',
      'turned(difference, guides, parallel)',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/continuous/logSnr.ts', continuous, [
    [
      'λ: the shift is of the deviation, not of the variance',
      'factor',
      'const shift = 2 * Math.log(from / to)',
      'const shift = Math.log(from / to)',
    ],
    ['λ: in little noise as for large pictures', 'swapped operands', 't.mul(coarse.of(t))', 't.mul(fine.of(t))'],
    ['λ of EDM: t counts from noise', 'sign', '-2 * deviation)', '2 * deviation)'],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/continuous/arithmetic.ts', continuous, [
    ['arithmetic: e^x − 1 cancels where x is small', 'missing check', 'x.abs().less(1e-2)', 'x.abs().less(0)'],
    ['arithmetic: values lie at the ends of their parts', 'off by one', 'x.mul(parts).sub(0.5)', 'x.mul(parts)'],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/continuous/continuousLoss.ts', continuous, [
    [
      'continuous loss: γ is the least weight',
      'wrong operation',
      'x0: (snr, gamma) => snr.minimum(gamma)',
      'x0: (snr, gamma) => snr.maximum(gamma)',
    ],
    ['continuous loss: an error of v is one of ε', 'missing term', '.div(snr.add(1))', '.div(snr)'],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/continuous/learnedLogSnr.ts', continuous, [
    ['learned λ: units may fall', 'missing call', '.sigmoid().mul(softplus(weight))', '.sigmoid().mul(weight)'],
  ]),
  ...mutantsOf('functions and layers', 'src/nn/conv3d.ts', overAxes, [
    [
      'conv3d: frames are stacked in another order than the filter’s',
      'axis',
      'transpose([1, 2, 0, 3, 4])',
      'transpose([1, 2, 3, 0, 4])',
    ],
    [
      'conv3d: time has no frames around it',
      'missing term',
      'const around = [0, padding, 0, 0, 0]',
      'const around = [0, 0, padding, 0, 0]',
    ],
  ]),
  ...mutantsOf('functions and layers', 'src/models/lucidrains/axes.ts', overAxes, [
    [
      'axes: places are put back in one row',
      'axis',
      'at(x.shape, x.rank - 1)])\n    return apply(params, row, mode).reshape(x.shape)',
      'at(x.shape, x.rank - 1)])\n    return apply(params, row, mode).reverse([2]).reshape(x.shape)',
    ],
    [
      'axes: sequences are halved a place later',
      'off by one',
      'conv1d(inputs, outputs, 4, { stride: 2, padding: 1 })',
      'conv1d(inputs, outputs, 2, { stride: 2 })',
    ],
    [
      'axes: sequences are doubled one after the other',
      'axis',
      '.broadcastTo([n, length, 2, c])',
      '.broadcastTo([n, length, 2, c]).transpose([0, 2, 1, 3])',
    ],
  ]),
]
