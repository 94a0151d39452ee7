/** Bugs in variances that are learned. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'diffusion'
const library = inFile('diffusion/learnedVariance')

/** Bugs in the bound, in its loss, and in the steps that are drawn by it. */
export const learnedVarianceMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/diffusion/likelihood.ts', library, [
    [
      'divergence: the means’ distance is over the variance of p',
      'swapped operands',
      'mul(q.logVariance.neg().exp())',
      'mul(p.logVariance.neg().exp())',
    ],
    ['likelihood: a level is twice as wide', 'factor', 'half = 1 / 255', 'half = 2 / 255'],
    ['likelihood: white ends at its upper middle', 'missing term', 'x.greater(0.999)', 'x.greater(1.999)'],
    ['likelihood: what is improbable is impossible', 'missing clamp', 'mass.maximum(least).log()', 'mass.log()'],
  ]),
  ...mutantsOf(area, 'src/diffusion/learnedVariance.ts', library, [
    [
      'learned variance: the least and the greatest are exchanged',
      'swapped operands',
      'least.add(fraction.mul(most.sub(least)))',
      'most.add(fraction.mul(least.sub(most)))',
    ],
    [
      'learned variance: what is said is the fraction',
      'missing term',
      'half(channels).add(1).mul(0.5)',
      'half(channels)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/variationalBound.ts', library, [
    ['bound: it moves the mean too', 'missing call', 'still ? mean.stopGradient() : mean', 'mean'],
    ['bound: a term stands for itself alone', 'factor', 'boundWeight * options.schedule.steps', 'boundWeight'],
    ['bound: it is in nats', 'factor', '.div(Math.LN2)', '.div(1)'],
    ['bound: at t = 0 it is a divergence', 'missing check', 't.equal(0)', 't.equal(-1)'],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/posterior.ts', library, [
    [
      'ddpm: a learned deviation is the variance',
      'missing term',
      'Math.log(at(begins, i).s / to.s)',
      '2 * Math.log(at(begins, i).s / to.s)',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/diffusion/draw.ts', inFile('train/tasks/diffusion/learnedVariance'), [
    ['runs: variances are not drawn by', 'missing call', 'ddpm(schedule, learned)', 'ddpm(schedule)'],
    ['runs: a guide moves the variance', 'missing term', 'varies && weight !== 1', 'varies && weight === 1'],
  ]),
]
