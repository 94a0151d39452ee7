/** Bugs in samplers: their engine, the levels that they walk, and each family. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'diffusion'
const samplers = inFile('diffusion/samplers')
const spacing = inFile('diffusion/spacing')
const golden = inFile('diffusion/goldenSamplers')
const bars = inFile('diffusion/bars')
const between = inFile('diffusion/between')
const orders = inFile('diffusion/convergence', 'on a path that is preserving')
const threshold = inFile('diffusion/threshold')

/** Bugs in src/diffusion/samplers, and in what they walk. */
export const samplerMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/diffusion/spacing.ts', spacing, [
    [
      'DDIM: the times are one too late',
      'off by one',
      '((i + 1) * total) / points - 1)',
      '((i + 1) * total) / points - (i === points - 1 ? 1 : 0))',
      samplers,
    ],
    ['spacing: halves are rounded up', 'wrong tie', 'below % 2 === 0 ? below : below + 1', 'below + 1'],
    ['spacing: the spare point is the noisiest one', 'off by one', '.slice(points - steps)', '.slice(0, steps)'],
  ]),
  ...mutantsOf(area, 'src/diffusion/scheduleClock.ts', spacing, [
    [
      'schedule’s clock: a fraction of time is σ’s, not its logarithm’s',
      'wrong operation',
      'Math.log(value) - low',
      'value - low',
    ],
    [
      'schedule’s clock: between times the noisier end comes first',
      'swapped operands',
      'sigma(low) + share * (sigma(high) - sigma(low))',
      'sigma(high) - share * (sigma(high) - sigma(low))',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/sigmas.ts', spacing, [
    [
      'sigmas: the curve of beta rises',
      'swapped operands',
      'betaQuantile(1 - share, betaShape)',
      'betaQuantile(share, betaShape)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/form.ts', golden, [
    [
      'forms: x is carried without its noise’s share',
      'missing term',
      'to.s - (from.s * to.a) / from.a',
      'to.s - 0 * (from.s * to.a)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/multistep.ts', golden, [
    [
      'multistep: the factors of every entry are those of one that knows nothing',
      'missing term',
      '.mul(width).add(known)',
      '.mul(width).add(known.mul(0))',
    ],
    ['multistep: one entry more is known than was made', 'off by one', 'known: scalar(0,', 'known: scalar(1,', between],
    ['multistep: what was kept is kept for ever', 'stale value', 'kept: keeps.map(made)', 'kept'],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/posterior.ts', samplers, [
    [
      'DDIM: σ divides by the next time’s noise',
      'swapped operands',
      'const rho = (from.a * to.s) / (to.a * from.s)',
      'const rho = (from.a * from.s) / (to.a * to.s)',
    ],
    ['DDIM: the direction forgets the fresh noise', 'missing term', '1 - eta * eta * share', '1 - 0 * eta * share'],
    [
      'DDIM: the noise estimate has the image’s factor',
      'swapped operands',
      '[to.s * Math.sqrt(Math.max(0, 1 - eta',
      '[to.a * Math.sqrt(Math.max(0, 1 - eta',
    ],
    ['DDPM: the last step adds noise', 'missing check', 'to.s === 0 ? 0 : deviation', 'to.s < 0 ? 0 : deviation'],
    ['DDPM: σ is the variance', 'missing term', 'deviation * Math.sqrt(share)', 'deviation * share'],
    [
      'DDPM: the large variance is the next level’s',
      'swapped operands',
      "variance === 'small' ? to.s : from.s",
      "variance === 'small' ? to.s : to.s",
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/orders.ts', golden, [
    ['orders: the step to the image is of full order', 'missing check', 'at(points, index + 1).s === 0 || ', ''],
    ['orders: short walks end with full order', 'wrong constant', 'const few = 15', 'const few = 5', bars],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/dpmSolver.ts', golden, [
    [
      'DPM-Solver++: the slope of heun’s rule has the wrong sign',
      'sign',
      'heun: -to.a * phi2(-h)',
      'heun: to.a * phi2(-h)',
    ],
    ['DPM-Solver++: third order has half its curvature', 'factor', 'published ? 1 : 2', 'published ? 1 : 1', orders],
    [
      'DPM-Solver: the second difference takes the widths in each other’s place',
      'swapped operands',
      '1 + r0 / (r0 + r1), near], [-r0 / (r0 + r1), far]',
      '1 + r1 / (r0 + r1), near], [-r1 / (r0 + r1), far]',
    ],
    [
      'the SDE of DPM-Solver++: the noise is that of the ODE’s step',
      'missing term',
      'to.s * Math.sqrt(1 - decay * decay)',
      'to.s * Math.sqrt(1 - decay)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/dpmSingle.ts', bars, [
    [
      'DPM-Solver++ in single steps: a step begins where it has come to',
      'stale value',
      'place === 1 ? terms.x : base',
      'terms.x',
    ],
    [
      'DPM-Solver++ in single steps: the far slope takes the near one’s share',
      'swapped operands',
      'r2 / (r2 - r1), near], [-r1 / (r2 - r1), far]',
      'r1 / (r2 - r1), near], [-r2 / (r2 - r1), far]',
      orders,
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/uniPc.ts', golden, [
    ['UniPC: the corrector makes no use of the new estimate', 'missing term', '[x0, 1] as const]', '[m0, 1] as const]'],
    ['UniPC: the corrected x is not kept', 'stale value', 'kept: [corrected, x0', 'kept: [x, x0'],
    ['UniPC: a factorial is left out of the right sides', 'missing term', '(phi * factorial) / b', 'phi / b'],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/adams.ts', golden, [
    ['Adams: a weight is of the node before', 'swapped operands', '(at(nodes, j) - node)', '(node - at(nodes, j))'],
    ['Adams: the clock of DEIS goes as that of LMS', 'wrong operation', 'rate: Math.exp', 'rate: () => 1', bars],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/quadrature.ts', golden, [
    [
      'quadrature: a weight is of the slope, not of its square',
      'missing term',
      'slope(x) ** 2)',
      'Math.abs(slope(x)))',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/pndm.ts', golden, [
    ['PNDM: Runge and Kutta’s middles weigh a sixth', 'factor', 'total(t, 1 / 3)', 'total(t, 1 / 6)'],
    ['PNDM: of four noises the third has the weight of three', 'wrong constant', '37 / 24', '5 / 24'],
    [
      'PLMS: the step that is made twice takes its second noise alone',
      'missing term',
      'sum([0.5, at(t.kept, 2)], [0.5, t.epsilon])',
      'sum([0, at(t.kept, 2)], [1, t.epsilon])',
    ],
    [
      'PLMS: the noise of the second entry is kept',
      'missing check',
      'filter((entry) => entry !== 1)',
      'filter((entry) => entry >= 0)',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/secondOrder.ts', golden, [
    [
      'Heun in σ: the corrected step takes the first noise alone',
      'stale value',
      'sum([0.5, first], [0.5, epsilon])',
      'sum([1, first], [0, epsilon])',
    ],
    [
      'DPM-2: the middle is of σ, not of ln σ',
      'wrong operation',
      'way(Math.sqrt(sigma(from) * down))',
      'way((sigma(from) + down) / 2)',
      bars,
    ],
    [
      'ancestral steps: no noise comes back',
      'missing term',
      'up: after * Math.sqrt(1 - (after / before) ** 2)',
      'up: 0 * after',
      bars,
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/churn.ts', between, [
    [
      'churn: deviations are taken from one another, not variances',
      'wrong operation',
      'Math.sqrt(sigma(up) ** 2 - sigma(to) ** 2)',
      '(sigma(up) - sigma(to))',
    ],
  ]),
  ...mutantsOf(area, 'src/diffusion/samplers/inversion.ts', between, [
    ['inversion: a level asked again begins where it has come to', 'stale value', 'round === 0 ? x : base', 'x'],
  ]),
  ...mutantsOf(area, 'src/diffusion/threshold.ts', threshold, [
    [
      'dynamic thresholding: pictures within range are blown up',
      'missing clamp',
      '.maximum(1).minimum(most)',
      '.minimum(most)',
    ],
    [
      'dynamic thresholding: the noise is that of before',
      'stale value',
      'epsilon: epsilonFromX0(level, xt, scaled)',
      'epsilon: epsilonFromX0(level, xt, x0)',
    ],
  ]),
]
