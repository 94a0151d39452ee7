/** Bugs in diffusion: schedules, parameterizations, the loss, samplers. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'diffusion'
const golden = inFile('diffusion/golden')
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
      'clip === false) return raw',
      'clip === true) return raw',
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
