/** Bugs in optimizers, averages, annotations, and in what a run draws and resumes. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const optimizers = inFile('optim/optimizers')
const transforms = inFile('optim/transforms')
const schedules = inFile('optim/schedules')
const annotations = inFile('autograd/annotate')
const order = inFile('data/batches')
const resuming = inFile('train/resume', 'when it had stopped twice|when stopped after step')
const steps = inFile('train/step', 'a step, part by part')

const optimizer = 'optimizers and averages'

/** Bugs in src/optim. */
export const optimizerMutants: readonly Mutant[] = [
  ...mutantsOf(optimizer, 'src/optim/adam.ts', optimizers, [
    [
      'Adam: the second moment decays with β₁',
      'stale value',
      'average(beta2, v, squared(g))',
      'average(beta1, v, squared(g))',
    ],
    ['Adam: the second moment is of g, not g²', 'missing term', 'widened(g).square()', 'widened(g)'],
    [
      'Adam: the correction of the variance is not rooted',
      'missing term',
      '.div(varianceCorrection.sqrt())',
      '.div(varianceCorrection)',
    ],
    [
      'Adam: ε is added under the root',
      'swapped operands',
      'v.sqrt().mul(b.cast(v.dtype)).add(epsilon)',
      'v.mul(b.cast(v.dtype).square()).add(epsilon).sqrt()',
    ],
    [
      'Adam: the mean is not corrected',
      'missing term',
      'm.mul(a.cast(m.dtype)).div',
      'm.mul(a.cast(m.dtype).mul(0).add(1)).div',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/weightDecay.ts', optimizers, [
    ['weight decay lets weights grow', 'sign', 'widened(u).add(widened(p)', 'widened(u).sub(widened(p)'],
    [
      'weight decay spares what should decay',
      'swapped operands',
      'times === 0 ? widened(u)',
      'times !== 0 ? widened(u)',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/sgd.ts', optimizers, [
    ['momentum is not multiplied by μ', 'missing term', 'v.mul(momentum).add(widened(g))', 'v.add(widened(g))'],
    [
      'Nesterov’s momentum forgets the gradient',
      'missing term',
      "zipState('sgd', gradients, velocity, onward)",
      "zipState('sgd', gradients, velocity, (_, v) => v.mul(momentum))",
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/descent.ts', optimizers, [
    ['descent climbs', 'sign', 'u.mul(rateFor(u, rate)).neg()', 'u.mul(rateFor(u, rate))'],
    [
      'a learning rate that is given with the step is ignored',
      'stale value',
      'given.learningRate ?? learningRate',
      'learningRate ?? given.learningRate',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/globalNorm.ts', transforms, [
    ['clipping makes short gradients long', 'missing clamp', 'bound.div(length).minimum(1)', 'bound.div(length)'],
    [
      'the norm squares halves in f16',
      'wrong dtype',
      'x.mul(scale).square().sum())',
      "x.cast('f16').mul(scale.cast('f16')).square().sum().cast(dtype))",
    ],
    ['the norm of large gradients overflows', 'missing term', '.select(1 / factor, largest', '.select(1, largest'],
    [
      'the norm of small gradients is 0',
      'missing term',
      'select(largest.operand(factor), 1)',
      'select(largest.operand(1), 1)',
    ],
    ['clipping forgets that the norm is scaled', 'factor', '[scale.mul(maxNorm), ', '[norm.operand(maxNorm), '],
  ]),
  ...mutantsOf(optimizer, 'src/tensor/tree.ts', inFile('optim/refusals'), [
    [
      'a state of other shapes broadcasts',
      'missing check',
      'if (!equalNumbers(x.shape, y.shape))',
      'if (x.dtype !== y.dtype)',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/accumulate.ts', transforms, [
    ['accumulated gradients are summed, not averaged', 'factor', 'widened(g).mul(1 / count)', 'widened(g)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/chain.ts', transforms, [
    ['a chain gives every transform the first state', 'stale value', 'at(state, i)', 'at(state, 0 * i)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/ema.ts', transforms, [
    [
      'the average moves by d towards the parameters',
      'swapped operands',
      'a.mul(d).add(p.mul(d.operand(1).sub(d)))',
      'p.mul(d).add(a.mul(d.operand(1).sub(d)))',
    ],
    [
      'a copy of the parameters is 0 · average + parameters',
      'missing check',
      'd.equal(0).select(p, d.equal(1)',
      'd.equal(1).select(a, d.equal(1)',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/emaDecay.ts', schedules, [
    ['emaSchedule is one update behind', 'off by one', 'decay(step + 1)', 'decay(step)'],
    [
      'the decay is not bounded',
      'missing clamp',
      'Math.min(high, Math.max(low, x))',
      'Math.max(Math.min(low, high), x)',
    ],
    ['diffusers’ decay begins at 0', 'missing term', ': (1 + s) / (10 + s), minDecay', ': s / (10 + s), minDecay'],
    ['the power of an average is one too small', 'off by one', '(1 - 1 / t) ** (gamma + 1)', '(1 - 1 / t) ** gamma'],
    [
      'the width of an average takes a factor for another',
      'off by one',
      '(gamma + 2) ** 2 * (gamma + 3) - ',
      '(gamma + 2) ** 2 * (gamma + 2) - ',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/schedules.ts', schedules, [
    ['cosineDecay falls by half', 'factor', '2 * Math.PI * cycles * p', 'Math.PI * cycles * p'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/rates.ts', schedules, [
    [
      'the warm-up is one step ahead',
      'off by one',
      'step / Math.max(1, warmupSteps)',
      '(step + 1) / Math.max(1, warmupSteps)',
    ],
    [
      'a rate goes on after the last step',
      'missing clamp',
      'after(Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps)))',
      'after((step - warmupSteps) / Math.max(1, steps - warmupSteps))',
    ],
    [
      'a warm-up may be longer than the training',
      'missing check',
      'if (warmupSteps > steps)',
      'if (warmupSteps > steps + 1000)',
      inFile('optim/refusals'),
    ],
  ]),
]

const annotated = 'checkpoints and custom derivatives'

/** Bugs in annotations, in how autograd honours them, and in devices. */
export const annotationMutants: readonly Mutant[] = [
  ...mutantsOf(annotated, 'src/autograd/backward.ts', annotations, [
    [
      'a checkpoint keeps its values instead of computing them again',
      'missing term',
      "definition.checkpoint ? makeNode('barrier'",
      "!definition.checkpoint ? makeNode('barrier'",
    ],
    [
      'a call with two results is differentiated once for each',
      'missing check',
      'for (const c of together) done.add(c)',
      'if (together.length > 0) done.add(node)',
    ],
    [
      'a call’s cotangents replace what had arrived before',
      'missing sum',
      'sources.map(([x]) => cotangents.get(x)),',
      'sources.map(() => undefined),',
    ],
    [
      'every cotangent of a call arrives at its first result',
      'stale value',
      '[[c.attrs.output, g] as const]',
      '[[c.attrs.output * 0, g] as const]',
    ],
    [
      'a custom rule may return too few cotangents',
      'missing check',
      'found.length !== inputs.length',
      'found.length > inputs.length',
    ],
    [
      'a custom rule may return a cotangent of another shape',
      'missing check',
      '!equalNumbers(n.shape, x.shape)',
      '!equalNumbers(n.shape.slice(1), x.shape.slice(1))',
    ],
  ]),
  ...mutantsOf(annotated, 'src/graph/substitute.ts', annotations, [
    [
      'a tensor that a call returns as it came from outside is not captured',
      'missing check',
      '.flatMap((n) => n.inputs), ...outputs].filter(isOutside)',
      '.flatMap((n) => n.inputs)].filter(isOutside)',
    ],
  ]),
]

const drawn = 'data order and resume'

/** Bugs in the order of data, and in what a run takes up again. */
export const orderMutants: readonly Mutant[] = [
  ...mutantsOf(drawn, 'src/data/batches.ts', order, [
    [
      'every epoch has the order of the first',
      'stale value',
      'hostFold(key, Math.floor(i / count))',
      'hostFold(key, Math.floor(i / count / 1e9))',
    ],
    [
      'pictures that are held out are trained on',
      'missing term',
      'split.at(split.held + shuffled(order, count, i))',
      'split.at(shuffled(order, count, i))',
    ],
    ['seas that are held out are trained on', 'missing term', 'firstHeldOutSea + i', '0 * firstHeldOutSea + i'],
    ['every batch is the first', 'stale value', 'data.picture(start + i)', 'data.picture(0 * start + i)'],
  ]),
  ...mutantsOf(drawn, 'src/train/loop.ts', resuming, [
    ['a resumed run starts one step late', 'off by one', 'let step = from\n', 'let step = from > 0 ? from + 1 : 0\n'],
    [
      'a run never sees its first batch',
      'off by one',
      'const before = (step - 1) * count',
      'const before = step * count',
      inFile('train/order'),
    ],
  ]),
  ...mutantsOf(drawn, 'src/train/sinks/checkpoints.ts', resuming, [
    [
      'a checkpoint has the number of the step before',
      'off by one',
      'report.state, report.step)',
      'report.state, report.step - 1)',
    ],
  ]),
  ...mutantsOf(drawn, 'src/train/stateFiles.ts', resuming, [
    [
      'a resumed run takes the parameters for their average',
      'swapped operands',
      'part(averageName(i), average)',
      "part(fileName('params'), average)",
    ],
  ]),
  ...mutantsOf(drawn, 'src/train/pictures/pixels.ts', steps, [
    ['pictures are scaled to [0, 2]', 'missing term', '.sub(1)\n', '.sub(0)\n'],
  ]),
  ...mutantsOf(drawn, 'src/train/tasks/diffusion/diffusion.ts', steps, []),
  ...mutantsOf(drawn, 'src/train/tasks/diffusion/space.ts', steps, [
    ['mirrored pictures are turned upside down', 'axis', 'x.reverse([2])', 'x.reverse([1])'],
  ]),
  ...mutantsOf(drawn, 'src/train/tasks/diffusion/diffusionTask.ts', steps, []),
  ...mutantsOf(drawn, 'src/train/step.ts', steps, [
    [
      'every average has the decay of the first',
      'stale value',
      'ema(at(decays, i), average, params)',
      'ema(at(decays, 0 * i), average, params)',
      inFile('train/averages', 'two averages'),
    ],
    [
      'every step draws the same noise',
      'stale value',
      "foldIn(foldIn(given.key, 'train'), given.step)",
      "foldIn(given.key, 'train')",
    ],
    [
      'every micro-batch draws the noise of the first',
      'stale value',
      "scalar(first, 'u32')",
      "scalar(0 * first, 'u32')",
      inFile('train/step', 'when it accumulates'),
    ],
    [
      'the average follows the parameters before the step',
      'stale value',
      'averaged(state.averages, decays, params)',
      'averaged(state.averages, decays, state.params)',
    ],
  ]),
]
