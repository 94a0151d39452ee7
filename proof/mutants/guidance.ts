/** Bugs in guidance, in what lies between pictures, and in conditions of the U-Net. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const guided = inFile('diffusion/guidance', 'guided denoiser')
const classifierFree = inFile('diffusion/guidance', 'classifier-free')
const between = inFile('diffusion/guidance', 'slerp')
const walks = inFile('diffusion/guidance', 'begins at a picture')
const conditions = inFile('models/unet', 'conditions')
const settings = inFile('models/registry')

/** Bugs in src/diffusion/guidance.ts and interpolate.ts, and in how the U-Net is told its condition. */
export const guidanceMutants: readonly Mutant[] = [
  ...mutantsOf('diffusion', 'src/diffusion/classifierGuidance.ts', inFile('diffusion/classifierGuidance'), [
    [
      'a classifier moves the noise with the image',
      'sign',
      'own.epsilon.sub(slope.mul(noise))',
      'own.epsilon.add(slope.mul(noise))',
    ],
    [
      'a classifier moves the image by s, not by s²/a',
      'missing term',
      'slope.mul(noise.square()).div(signal)',
      'slope.mul(noise)',
    ],
    [
      'pure noise is divided by its signal',
      'missing check',
      'signal.equal(0).broadcastTo',
      'signal.equal(-1).broadcastTo',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/guidance.ts', guided, [
    [
      'guidance: w where w − 1 belongs',
      'off by one',
      "typeof weight === 'number' ? weight - 1",
      "typeof weight === 'number' ? weight",
    ],
    ['guidance: toward the guide', 'sign', 'mine.sub(guides)', 'guides.sub(mine)'],
    [
      'guidance: zeros lose their sign where the guide agrees',
      'wrong tie',
      'difference.equal(0).select(x, x.add(difference.mul(strength)))',
      'x.add(difference.mul(strength))',
    ],
    [
      'guidance: acts outside its interval',
      'sign',
      'time.less(from).or(time.greater(to)).not()',
      'time.less(from).or(time.greater(to))',
    ],
    [
      'guidance: the interval’s ends are outside',
      'off by one',
      'time.less(from).or(time.greater(to)).not()',
      'time.greater(from).and(time.less(to))',
    ],
    [
      'guidance: the spread is that of the whole batch',
      'axis',
      'variance(x, axes, true).sqrt()',
      'variance(x, undefined, true).broadcastTo(variance(x, axes, true).shape).sqrt()',
    ],
    [
      'guidance: an image of one colour is divided by its spread',
      'missing check',
      'spread.equal(0).select(1, deviation(own).div(spread))',
      'deviation(own).div(spread)',
    ],
    [
      'guidance: the guide is told the condition too',
      'stale value',
      'concatenate([condition, zerosLike(condition)], 0)',
      'concatenate([condition, condition], 0)',
      classifierFree,
    ],
    [
      'guidance: zeros lose their sign where a tensor’s weight is 1',
      'missing check',
      "typeof weight === 'number' ? bounded : weight",
      "typeof weight === 'number' || weight.rank === 0 ? bounded : weight",
    ],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/interpolate.ts', between, [
    [
      'slerp: the shares are exchanged',
      'swapped operands',
      'a.mul(weight(1 - share)).add(b.mul(weight(share)))',
      'a.mul(weight(share)).add(b.mul(weight(1 - share)))',
    ],
    ['slerp: obtuse angles are acute', 'sign', 'x.less(0).select(angle.neg().add(Math.PI), angle)', 'angle'],
    [
      'slerp: parallel noises are divided by sin 0',
      'missing check',
      'isLine.select(s, angle.mul(s).sin().div(isLine.select(1, sine)))',
      'angle.mul(s).sin().div(sine)',
    ],
    [
      'slerp: one angle for the whole batch',
      'axis',
      'const axes = a.shape.slice(1).map((_, i) => i + 1)',
      'const axes = a.shape.map((_, i) => i)',
    ],
    [
      'a walk begins one step later',
      'off by one',
      'total - Math.max(1, Math.round(strength * total))',
      'total - Math.max(1, Math.round(strength * total) - 1)',
      walks,
    ],
    [
      'a walk begins with the noise of the level after',
      'off by one',
      'at(Array.from(levels.noise), step)',
      'at(Array.from(levels.noise), step + 1)',
      walks,
    ],
  ]),
  ...mutantsOf('diffusion', 'src/models/lucidrains/unet.ts', conditions, [
    [
      'a condition has a bias, which says something where nothing is told',
      'missing check',
      'linear(conditions, 4 * width, { bias: false })',
      'linear(conditions, 4 * width)',
    ],
    [
      'a condition stands in for the time',
      'missing term',
      'time.add(condition(given.cast(x.dtype)))',
      'condition(given.cast(x.dtype))',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/models/requireInput.ts', conditions, [
    [
      'a condition of one image is every image’s',
      'missing check',
      'if (!equalNumbers(condition.shape, expected))',
      'if (condition.shape.at(-1) !== conditions)',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/models/registry.ts', settings, [
    ['dropout of 0 is another configuration than none', 'missing term', '  dropout: 0,\n', ''],
    [
      'settings of another kind are taken for those of the first',
      'missing check',
      'if (kind !== defaultKind) return model',
      'if (kind === undefined) return model',
    ],
  ]),
]
