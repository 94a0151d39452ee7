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
      'average(beta2, v, g.square())',
      'average(beta1, v, g.square())',
    ],
    ['Adam: the second moment is of g, not g²', 'missing term', 'v, g.square())', 'v, g)'],
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
    ['weight decay lets weights grow', 'sign', 'u.add(p.mul(rate))', 'u.sub(p.mul(rate))'],
    [
      'weight decay spares what should decay',
      'swapped operands',
      'decays(path, p) ? u.add(',
      '!decays(path, p) ? u.add(',
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/sgd.ts', optimizers, [
    [
      'momentum is not multiplied by μ',
      'missing term',
      '(g, v) => v.mul(momentum).add(g)) // v',
      '(g, v) => v.add(g)) // v',
    ],
    [
      'Nesterov’s momentum forgets the gradient',
      'missing term',
      'zipLike(gradients, velocity, (g, v) => v.mul(momentum).add(g))',
      'zipLike(gradients, velocity, (_, v) => v.mul(momentum))',
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
    [
      'clipping makes short gradients long',
      'missing clamp',
      'norm.add(clipEpsilon)).minimum(1)',
      'norm.add(clipEpsilon))',
    ],
    ['the norm squares halves in f16', 'wrong dtype', 'x.cast(dtype).square().sum()', 'x.square().sum().cast(dtype)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/accumulate.ts', transforms, [
    ['accumulated gradients are summed, not averaged', 'factor', 's.add(g.mul(1 / count))', 's.add(g)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/chain.ts', transforms, [
    ['a chain gives every transform the first state', 'stale value', 'at(state, i)', 'at(state, 0 * i)'],
  ]),
  ...mutantsOf(optimizer, 'src/optim/ema.ts', transforms, [
    [
      'the average moves by d towards the parameters',
      'swapped operands',
      'a.mul(d).add(p.mul(kept))',
      'a.mul(kept).add(p.mul(d))',
    ],
    ['emaSchedule is one update behind', 'off by one', 'decay(step + 1)', 'decay(step)', schedules],
    [
      'the decay is not bounded',
      'missing clamp',
      'Math.min(high, Math.max(low, x))',
      'Math.max(Math.min(low, high), x)',
      schedules,
    ],
    [
      'diffusers’ decay begins at 0',
      'missing term',
      ': (1 + s) / (10 + s), minDecay',
      ': s / (10 + s), minDecay',
      schedules,
    ],
  ]),
  ...mutantsOf(optimizer, 'src/optim/schedules.ts', schedules, [
    ['cosineDecay falls by half', 'factor', '2 * Math.PI * cycles * p', 'Math.PI * cycles * p'],
    [
      'the warm-up is one step ahead',
      'off by one',
      'step / Math.max(1, warmupSteps)',
      '(step + 1) / Math.max(1, warmupSteps)',
    ],
    ['linearDecay goes below 0', 'missing clamp', '(p) => Math.max(0, 1 - p))', '(p) => 1 - p)'],
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
      'member(held + shuffled(order, count, i))',
      'member(shuffled(order, count, i))',
    ],
    ['seas that are held out are trained on', 'missing term', 'firstHeldOutSea + i', '0 * firstHeldOutSea + i'],
    ['every batch is the first', 'stale value', 'data.picture(start + i)', 'data.picture(0 * start + i)'],
  ]),
  ...mutantsOf(drawn, 'src/train/train.node.ts', resuming, [
    ['a resumed run starts one step late', 'off by one', 'let step = from\n', 'let step = from > 0 ? from + 1 : 0\n'],
    [
      'a run never sees its first batch',
      'off by one',
      'batchAt(shop.opened.data, (step - 1) * count, count)',
      'batchAt(shop.opened.data, step * count, count)',
      inFile('train/order'),
    ],
    [
      'a checkpoint has the number of the step before',
      'off by one',
      'await saveAt(shop, state, step)\n      saved',
      'await saveAt(shop, state, step - 1)\n      saved',
    ],
  ]),
  ...mutantsOf(drawn, 'src/train/stateFiles.ts', resuming, [
    [
      'a resumed run takes the parameters for their average',
      'swapped operands',
      "part('average', template.average)",
      "part('params', template.average)",
    ],
  ]),
  ...mutantsOf(drawn, 'src/train/step.ts', steps, [
    [
      'every step draws the same noise',
      'stale value',
      "foldIn(foldIn(given.key, 'train'), given.step)",
      "foldIn(given.key, 'train')",
    ],
    [
      'every micro-batch draws the noise of the first',
      'stale value',
      '[m * batch, (m + 1) * batch] as const',
      '[0 * m, batch] as const',
      inFile('train/step', 'when it accumulates'),
    ],
    [
      'the average follows the parameters before the step',
      'stale value',
      'ema(decay, state.average, params)',
      'ema(decay, state.average, state.params)',
    ],
    ['pictures are scaled to [0, 2]', 'missing term', '.sub(1)\n', '.sub(0)\n'],
    ['mirrored pictures are turned upside down', 'axis', 'x.reverse([2])', 'x.reverse([1])'],
  ]),
]
