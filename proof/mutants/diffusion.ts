/** Bugs in diffusion: schedules, parameterizations, the loss, samplers. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'diffusion'
const golden = inFile('diffusion/golden')
const samplers = inFile('diffusion/samplers')
const sampling = inFile('diffusion/sample')

/** Bugs in src/diffusion. */
export const diffusionMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/diffusion/forward.ts', inFile('diffusion/forward'), [
    [
      'qSample: image and noise get each other’s factor',
      'swapped operands',
      'x0.mul(signal).add(epsilon.mul(noise))',
      'x0.mul(noise).add(epsilon.mul(signal))',
    ],
    [
      'qPosterior: image and x_t get each other’s factor',
      'swapped operands',
      'x0.mul(gatherTable(schedule.posteriorX0',
      'xt.mul(gatherTable(schedule.posteriorX0',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/prediction.ts', inFile('diffusion/prediction'), [
    [
      'v: image and noise are exchanged',
      'swapped operands',
      'epsilon.mul(signal).sub(x0.mul(noise))',
      'x0.mul(signal).sub(epsilon.mul(noise))',
    ],
    [
      'x₀ from v: the sign of v is wrong',
      'sign',
      'xt.mul(level.signal).sub(v.mul(level.noise))',
      'xt.mul(level.signal).add(v.mul(level.noise))',
    ],
    [
      'ε from v: signal and noise are exchanged',
      'swapped operands',
      'xt.mul(level.noise).add(v.mul(level.signal))',
      'xt.mul(level.signal).add(v.mul(level.noise))',
    ],
    [
      'x₀ from ε: multiplied by the signal',
      'swapped operands',
      'xt.sub(epsilon.mul(noise)).div(signal)',
      'xt.sub(epsilon.mul(noise)).mul(signal)',
    ],
    [
      'clipping keeps the noise of the image before',
      'stale value',
      'epsilonFromX0(level, xt, clipped)',
      'epsilonFromX0(level, xt, x0)',
    ],
    ['clipping has no upper bound', 'missing clamp', 'x0.maximum(-1).minimum(1)', 'x0.maximum(-1)'],
  ]),
  ...mutantsOf(area, 'src/diffusion/loss.ts', inFile('diffusion/loss'), [
    [
      'a network of one channel is compared with every channel',
      'missing check',
      "    requireLike(\"the network's output\", output, 'its target is', target)\n",
      '',
      inFile('diffusion/refusals'),
    ],
    [
      'the weight of a time is not applied',
      'missing term',
      'error.mul(gatherTable(table, t, error))',
      'error.mul(gatherTable(table, t, error).mul(0).add(1))',
      golden,
    ],
    [
      'the network sees the clean image',
      'stale value',
      'denoise(qSample(schedule, x0, t, epsilon), t)',
      'denoise(qSample(schedule, x0, t, epsilon).mul(0).add(x0), t)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/levels.ts', samplers, [
    [
      'DDIM: the times are one too late',
      'off by one',
      '(i * total) / steps - 1)',
      '(i * total) / steps - (i === 0 ? 1 : 0))',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/ddim.ts', samplers, [
    [
      'DDIM: σ divides by the next time’s noise',
      'swapped operands',
      '* (1 - next)) / (1 - a))',
      '* (1 - a)) / (1 - next))',
    ],
    [
      'DDIM: the direction forgets the fresh noise',
      'missing term',
      '1 - next - at(sigma, i) ** 2',
      '1 - next - 0 * at(sigma, i)',
    ],
    [
      'DDIM: the last step goes to time 0, not to the image',
      'off by one',
      't < 0 ? 1 : at(alphaBar, t)',
      'at(alphaBar, Math.max(0, t))',
    ],
    [
      'DDIM: the noise estimate has the image’s factor',
      'swapped operands',
      'epsilon.mul(c.direction)',
      'epsilon.mul(c.signal)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/ddpm.ts', samplers, [
    ['DDPM: the last step adds noise', 'missing check', 't === 0 ? 0 : Math.sqrt(v)', 't < 0 ? 0 : Math.sqrt(v)'],
    ['DDPM: σ is the variance', 'missing term', 't === 0 ? 0 : Math.sqrt(v)', 't === 0 ? 0 : v'],
    [
      'DDPM: the factors of x_t stand in the order of time',
      'swapped operands',
      'schedule.posteriorXt.toReversed()',
      'schedule.posteriorXt.slice()',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/sample.ts', sampling, [
    [
      'sampling: every step adds the same noise',
      'stale value',
      "foldIn(foldIn(key, 'step'), index)",
      "foldIn(key, 'step')",
    ],
    [
      'sampling: estimates are clipped only where that is switched off',
      'swapped operands',
      'clip ? clipEstimate(level, x, raw) : raw',
      'clip ? raw : clipEstimate(level, x, raw)',
    ],
    [
      'sampling: a walk from the middle uses the first steps',
      'off by one',
      'indices.slice(first).reduce',
      'indices.slice(0, indices.length - first).reduce',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/table.ts', inFile('diffusion/forward'), [
    [
      'a schedule’s table is kept in f32 for an f64 batch',
      'wrong dtype',
      "batch.dtype === 'f64' ? 'f64' : 'f32'",
      "batch.dtype === 'f16' ? 'f64' : 'f32'",
    ],
  ]),
]
