/** Bugs in what a network is told of its own estimates. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'diffusion'
const library = inFile('diffusion/selfConditioning')
const runs = inFile('train/tasks/diffusion/selfCondition')

/** Bugs in self-conditioning. */
export const selfConditioningMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/diffusion/selfConditioning.ts', library, [
    ['self-conditioning: the first pass has a gradient', 'missing call', 'x0.stopGradient()', 'x0'],
    [
      'self-conditioning: images that are not told get the estimate',
      'swapped operands',
      'select(x0.stopGradient(), nothing)',
      'select(nothing, x0.stopGradient())',
    ],
    [
      'self-conditioning: the estimate of training has no bounds',
      'missing clamp',
      'clip ? clipEstimate(level, xt, raw) : raw',
      'raw',
    ],
    [
      'self-conditioning: a step is told its last estimate',
      'off by one',
      'said[0] ?? estimate',
      'said.at(-1) ?? estimate',
    ],
    ['self-conditioning: every step is told nothing', 'stale value', 'ask(x, level, estimate)', 'ask(x, level)'],
  ]),
  ...mutantsOf(area, 'src/diffusion/guidance.ts', library, [
    [
      'guidance: the guide is not told the estimate',
      'missing term',
      'guide(worse, xt, t, estimate)',
      'guide(worse, xt, t)',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/denoise.ts', runs, [
    ['runs: of a measurement no picture is told', 'off by one', 'i % 2 === 1', 'i % 2 === 2'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/draw.ts', runs, [
    [
      'runs: sheets are drawn without estimates',
      'missing call',
      'batches(selfConditioned(sampler))',
      'batches(sampler)',
    ],
  ]),
  ...mutantsOf('functions and layers', 'src/models/lucidrains/unet.ts', inFile('models/selfCondition'), [
    ['unet: x stands before the estimate', 'wrong order', '[estimate.cast(x.dtype), x]', '[x, estimate.cast(x.dtype)]'],
  ]),
]
