/** Bugs in what noise there is: schedules, paths, times, weights, and noises that are chosen. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'diffusion'
const tables = inFile('diffusion/schedule')
const schedules = inFile('diffusion/schedules')
const golden = inFile('diffusion/golden')
const times = inFile('diffusion/times')
const chosen = inFile('diffusion/trainingNoise')
const runs = inFile('train/tasks/diffusion/noise')

/** Bugs in src/diffusion/schedules, in times, weights and noises, and in how a run uses them. */
export const noiseMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/diffusion/schedules/tables.ts', tables, [
    [
      'schedule: the posterior variance takes ᾱ of its own time',
      'off by one',
      '(beta(t) * (1 - signal(t - 1))) / (1 - signal(t))',
      '(beta(t) * (1 - signal(t))) / (1 - signal(t))',
    ],
    [
      'schedule: the image’s factor in the posterior takes ᾱ of its own time',
      'off by one',
      'beta(t) * Math.sqrt(signal(t - 1))',
      'beta(t) * Math.sqrt(signal(t))',
    ],
    [
      'schedule: the posterior’s factor of x_t is not rooted',
      'missing term',
      'Math.sqrt(1 - beta(t))',
      '(1 - beta(t))',
    ],
    [
      'schedule: the signal-to-noise ratio is of standard deviations',
      'wrong operation',
      'signal(t) / (1 - signal(t)))',
      'Math.sqrt(signal(t) / (1 - signal(t))))',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/schedules/tables.ts', schedules, [
    [
      'path: the signal-to-noise ratio is of standard deviations',
      'wrong operation',
      '(a / valueAt(noise, t)) ** 2',
      '(a / valueAt(noise, t)) ** 1',
      inFile('diffusion/loss'),
    ],
    [
      'path: its power is a sum of standard deviations',
      'wrong operation',
      'a * a + valueAt(noise, t) ** 2',
      'a + valueAt(noise, t)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/schedules/curveSchedules.ts', tables, [
    [
      'cosine schedule: the cosine is not squared',
      'missing term',
      '* Math.PI) / 2) ** 2)',
      '* Math.PI) / 2) ** 1)',
      golden,
    ],
    ['curves are clipped at β = 0.9999', 'wrong constant', 'largestBeta = 0.999', 'largestBeta = 0.9999'],
    ['sigmoid schedule: the temperature acts on one end only', 'missing term', 'sigmoid(end / tau)', 'sigmoid(end)'],
    ['Laplace schedule: its scale is 1', 'wrong constant', '-0.5 * Math.sign(from)', '-1 * Math.sign(from)', schedules],
    ['exponential schedule: e⁻¹⁰ is left', 'wrong constant', '(-12 * t) / steps', '(-10 * t) / steps', schedules],
  ]),
  ...mutantsOf(area, 'src/diffusion/schedules/betaSchedules.ts', tables, [
    ['linear schedule: β does not depend on the number of steps', 'wrong constant', '1000 / steps', '1000 / 1000'],
    [
      'linear schedule: the last β is never reached',
      'off by one',
      '((end - start) * t) / Math.max(1, steps - 1)',
      '((end - start) * t) / Math.max(1, steps)',
      golden,
    ],
    [
      'scaled linear schedule: β itself is linear',
      'missing term',
      '(to - from) * along(t, steps)) ** 2',
      '(to - from) * along(t, steps)) ** 1',
      schedules,
    ],
    ['sigmoid of β: over −3 … 3', 'wrong constant', '6 - 12 * along(t, steps)', '3 - 6 * along(t, steps)', schedules],
  ]),
  ...mutantsOf(area, 'src/diffusion/schedules/rescaling.ts', schedules, [
    [
      'zero terminal: ᾱ is moved, not its root',
      'wrong operation',
      '((a - last) * scale) ** 2',
      '((a * a - last * last) * scale)',
    ],
    [
      'shift: the signal grows with the noise',
      'swapped operands',
      'signal.map((a, t) => a / valueAt(sum, t))',
      'signal.map((a, t) => (factor * a) / valueAt(sum, t))',
    ],
    [
      'shift of a chain: the ratio is not squared',
      'missing term',
      '(a * a + valueAt(noisier, t) ** 2)',
      '(a * a + factor * valueAt(schedule.noise, t) ** 2)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/schedules/flowSchedule.ts', schedules, [
    ['flow: it ends before pure noise', 'off by one', '(t + 1) / steps', 't / steps'],
  ]),
  ...mutantsOf(area, 'src/diffusion/loss.ts', inFile('diffusion/loss'), [
    ['the weight of v is that of ε', 'missing term', 'power * (snr + 1)', 'power * snr'],
    ['the weight of v forgets the power of the path', 'missing term', 'power * (snr + 1)', '(snr + 1 + 0 * power)'],
    [
      'min-SNR takes the larger',
      'missing clamp',
      'Math.min(imageWeights[weighting](snr), minSnrGamma)',
      'Math.max(imageWeights[weighting](snr), minSnrGamma)',
    ],
    [
      'ε may be predicted where no image is left',
      'missing check',
      "prediction === 'epsilon' && schedule.snr",
      "prediction === 'x0' && schedule.snr",
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/times.ts', times, [
    [
      'times: a logit-normal draw has the other sign',
      'sign',
      '-mean - deviation * normalQuantile(u)',
      '-mean + deviation * normalQuantile(u) + 2 * mean',
    ],
    [
      'times: a ratio is sought among squares',
      'factor',
      '-0.5 * Math.log(snr[t] ?? NaN)',
      '-1 * Math.log(snr[t] ?? NaN)',
    ],
    [
      'times: those of a part of a step begin anew',
      'stale value',
      'randint(key, [count], 0, quantiles, first)',
      'randint(key, [count], 0, quantiles)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/trainingNoise.ts', chosen, [
    ['the farthest noise is taken', 'sign', 'argmax(away.neg(), 0)', 'argmax(away, 0)'],
    [
      'the choice of one sample is taken for another',
      'swapped operands',
      'choice.mul(n).add(places)',
      'choice.mul(n).add(places.mul(0))',
    ],
    [
      'the offset is of a picture, not of its channels',
      'axis',
      'reshape([n, ...between, channels])',
      'slice([], [0, 1]).reshape([n, ...between, 1])',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/edm.ts', inFile('diffusion/edm'), [
    [
      'EDM: the network sees x without its factor',
      'missing term',
      'network(params, x.mul(factors.in)',
      'network(params, x.mul(factors.in.mul(0).add(1))',
    ],
  ]),
  ...mutantsOf('which pictures, draws and weights', 'src/train/tasks/diffusion/noise.ts', runs, [
    ['all candidates are one noise', 'stale value', 'one(foldIn(key, k))', 'one(foldIn(key, k * 0))'],
    ['where the best is chosen, the worst is', 'sign', 'argmax(wrong.neg(), 0)', 'argmax(wrong, 0)'],
  ]),
  ...mutantsOf('which pictures, draws and weights', 'src/train/tasks/diffusion/diffusionTask.ts', runs, [
    [
      'a run’s times are all as often',
      'stale value',
      'trainingTimes(schedule, config.times)',
      'trainingTimes(schedule)',
    ],
  ]),
]
