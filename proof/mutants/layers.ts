/** Bugs in functions, layers and losses. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { gradients, inFile, values } from './suites.ts'

const layers = inFile('nn/layers')
const init = inFile('nn/init')
const modules = inFile('nn/module')
const unet = inFile('models/unet.golden')
const functions = inFile('tensor/functions')

const layer = 'functions and layers'

/** Bugs in src/nn, and in the functions of src/tensor. */
export const layerMutants: readonly Mutant[] = [
  ...mutantsOf(layer, 'src/tensor/softmax.ts', functions, [
    [
      'softmax: the sum is always over the last axis',
      'axis',
      'e.div(e.sum(axis, true))',
      'e.div(e.sum(-1, true))',
      values('softmax'),
    ],
    [
      'softmax: large logits overflow',
      'missing clamp',
      'const e = x.sub(x.max(axis, true)).exp()',
      'const e = x.sub(x.max(axis, true).mul(0)).exp()',
      inFile('tensor/functions', 'overflow'),
    ],
    [
      'softmax: the derivative forgets that the results sum to one',
      'missing term',
      'g.sub(g.mul(y).sum(axis, true)).mul(y)',
      'g.mul(y)',
      gradients('softmax'),
    ],
    [
      'logSumExp: the maximum is not added again',
      'missing term',
      'logSumOf(x.sub(m), axis).add(m)',
      'logSumOf(x.sub(m), axis)',
      values('logSumExp'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/activations.ts', functions, [
    ['gelu: √2 where 1/√2 belongs', 'wrong constant', 'Math.SQRT1_2', 'Math.SQRT2', values('gelu')],
    [
      'geluTanh: a digit of the cubic’s coefficient is wrong',
      'wrong constant',
      'mul(0.044715)',
      'mul(0.044751)',
      values('geluTanh'),
    ],
    [
      'leakyRelu: the slope is on the wrong side',
      'swapped operands',
      'select(x, x.mul(slope))',
      'select(x.mul(slope), x)',
      values('leakyRelu'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/tensor.ts', functions, [
    [
      'variance: divided by the axis, not by all axes',
      'axis',
      'this.sub(this.mean(axes, true)).square()',
      'this.sub(this.mean(undefined, true)).square()',
      inFile('tensor/vocabulary'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/cumsum.ts', functions, [
    ['cumsum: from the end of the axis', 'axis', 'reverse: false', 'reverse: true', values('cumsum')],
  ]),
  ...mutantsOf(layer, 'src/tensor/attention.ts', functions, [
    [
      'attention: scores are divided by D, not √D',
      'factor',
      '1 / Math.sqrt(at(query.shape, query.rank - 1))',
      '1 / at(query.shape, query.rank - 1)',
      values('attention'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/contractions.ts', functions, [
    [
      'einsum: the result’s axes stay in the order of the contraction',
      'axis',
      'x.transpose(output.map((l) => labels.indexOf(l)))',
      'x.transpose(labels.map((l) => output.indexOf(l)))',
      inFile('tensor/functions', 'einsum'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/convolution.ts', functions, [
    [
      'convTranspose2d: the filter is not reversed',
      'missing term',
      'filter.reverse([0, 1])',
      'filter.reverse([])',
      values('convTranspose2d'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/resampling.ts', functions, [
    [
      'pixelUnshuffle: channels in TensorFlow’s order',
      'axis',
      '[0, 1, 3, 5, 2, 4]',
      '[0, 1, 3, 2, 4, 5]',
      values('pixelUnshuffle'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/pooling.ts', functions, [
    [
      'averagePool: the largest, not the mean',
      'wrong operation',
      'tiles(x, windows).mean([2, 4])',
      'tiles(x, windows).max([2, 4])',
      values('averagePool'),
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/tensor.ts', functions, [
    [
      'argmax: the last of equal elements',
      'wrong tie',
      'chosen.select(index, element(this.shape, a)).min(a)',
      'chosen.select(index, -1).max(a)',
      inFile('tensor/vocabulary'),
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/groupNorm.ts', layers, [
    [
      'groupNorm: the mean is over pixels alone',
      'axis',
      'grouped.sub(grouped.mean([1, 3], true))',
      'grouped.sub(grouped.mean([1], true))',
      inFile('nn/layers', 'groupNorm'),
    ],
    [
      'groupNorm: ε is added to the deviation',
      'swapped operands',
      '.add(epsilon).sqrt()',
      '.sqrt().add(epsilon)',
      values('groupNorm'),
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/layerNorm.ts', layers, [
    [
      'layerNorm: the variance is over the whole batch',
      'axis',
      'variance(wide, -1, true)',
      'variance(wide, undefined, true)',
      values('layerNorm'),
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/rmsNorm.ts', layers, [
    [
      'rmsNorm: C where √C belongs',
      'factor',
      'Math.sqrt(at(x.shape, x.rank - 1))',
      'at(x.shape, x.rank - 1)',
      values('rmsNorm'),
    ],
    [
      'rmsNorm: a zero vector is divided by zero',
      'missing clamp',
      '.maximum(smallestNorm ** 2)',
      '.maximum(0 * smallestNorm)',
      inFile('nn/layers', 'zero vector'),
    ],
  ]),
  ...mutantsOf(layer, 'src/models/lucidrains/attention.ts', unet, [
    [
      'attention layer: queries and keys are exchanged',
      'swapped operands',
      '[part(0), part(1), part(2)]',
      '[part(1), part(0), part(2)]',
      values('pixelAttention'),
    ],
    [
      'attention layer: memory keys stand in for memory values',
      'stale value',
      'memory.slice([i, i + 1])',
      'memory.slice([0, 1 + 0 * i])',
      values('pixelAttention'),
    ],
    [
      'attention layer: heads and pixels are not exchanged back',
      'axis',
      'x.transpose([0, 2, 1, 3]).reshape([at(x.shape, 0)',
      'x.transpose([0, 1, 2, 3]).reshape([at(x.shape, 0)',
      unet,
    ],
  ]),
  ...mutantsOf(layer, 'src/models/lucidrains/linearAttention.ts', unet, [
    [
      'linear attention: the query’s softmax is over the pixels',
      'axis',
      'softmax(query, 3)',
      'softmax(query, 2)',
      values('linearAttention'),
    ],
  ]),
  ...mutantsOf(layer, 'src/models/lucidrains/resBlock.ts', unet, [
    [
      'residual block: scale where 1 + scale belongs',
      'missing term',
      'scale.add(1)',
      'scale.add(0)',
      values('resBlock'),
    ],
    [
      'residual block: scale and shift are exchanged',
      'swapped operands',
      '[half(0), half(channels)]',
      '[half(channels), half(0)]',
      values('resBlock'),
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/dropout.ts', modules, [
    ['dropout: what is kept is not scaled up', 'missing term', 'select(x.div(1 - rate), 0)', 'select(x, 0)'],
    [
      'dropout: the rate is that of keeping',
      'swapped operands',
      'bernoulli(mode.key, 1 - rate, shape)',
      'bernoulli(mode.key, rate, shape)',
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/module.ts', modules, [
    [
      'children share the key of their parent',
      'stale value',
      'child.init(foldIn(key, name))',
      'child.init(foldIn(key, name.slice(0, 0)))',
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/timeEmbedding.ts', layers, [
    [
      'time embedding: the last frequency is not 1/θ',
      'off by one',
      'i) / (half - shift))',
      'i) / half)',
      values('sinusoidalTimeEmbedding'),
    ],
    [
      'time embedding: cosines come first',
      'swapped operands',
      '? [cosines, sines] : [sines, cosines]',
      '? [sines, cosines] : [cosines, sines]',
      values('sinusoidalTimeEmbedding'),
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/conv2d.ts', init, [
    [
      'conv2d: the fan counts the channels of all groups',
      'factor',
      '(height * width * inputs) / groups\n',
      'height * width * inputs\n',
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/init.ts', init, [
    ['kaimingUniform: the bound is √(3 / fan)', 'factor', '1 / Math.sqrt(fanIn)', 'Math.sqrt(3 / fanIn)'],
  ]),
]

const lossValues = inFile('nn/layers', 'value and the reduction')
const lossTests = inFile('nn/losses')
const norms = inFile('nn/norms')

/** Bugs in losses, and in what losses and norms do at the ends of their ranges. */
export const lossMutants: readonly Mutant[] = [
  ...mutantsOf('losses', 'src/nn/lossShapes.ts', lossTests, [
    ['the mean of a loss is its sum', 'factor', 'losses.mean()', 'losses.sum()', values('mse')],
    [
      'a loss of two shapes with as many elements broadcasts',
      'missing check',
      'if (!equalNumbers(prediction.shape, target.shape))',
      'if (sizeOf(prediction.shape) !== sizeOf(target.shape))',
    ],
  ]),
  ...mutantsOf('losses', 'src/nn/losses.ts', lossValues, [
    ['l1: without the absolute value', 'missing term', 'reduce(p.sub(y).abs())', 'reduce(p.sub(y))', values('l1')],
    [
      'huber: the tangent misses its point by δ²/2',
      'factor',
      'distance.sub(q.mul(0.5))',
      'distance.sub(q)',
      values('huber'),
    ],
    [
      'huber: it stays a parabola beyond δ',
      'missing clamp',
      'const q = distance.greater(delta).select(delta, distance)',
      'const q = distance',
      lossTests,
    ],
    [
      'binaryCrossEntropy: the logarithm overflows for large logits',
      'missing clamp',
      'distance.neg().exp()',
      'distance.exp()',
      inFile('nn/layers', 'binaryCrossEntropy'),
    ],
    [
      'binaryCrossEntropy: the target counts for its complement',
      'sign',
      'wrong = z.greater(0).select(y.neg().add(1), y)',
      'wrong = z.greater(0).select(y, y.neg().add(1))',
      values('binaryCrossEntropy'),
    ],
    [
      'binaryCrossEntropy: an infinite logit on the right side is 0 · ∞',
      'missing clamp',
      'wrong.equal(0).select(0, wrong.mul(distance))',
      'wrong.mul(distance)',
      lossTests,
    ],
  ]),
  ...mutantsOf('losses', 'src/nn/classLosses.ts', lossTests, [
    [
      'crossEntropy: the sign is wrong',
      'sign',
      'likelihoodOf(logProbabilities, known).neg()',
      'likelihoodOf(logProbabilities, known)',
      values('crossEntropy'),
    ],
    [
      'crossEntropy: the loss of no class is NaN, and its gradient 0',
      'missing term',
      'isLabel.or(known.not()).select(logProbabilities, 0)',
      'isLabel.select(logProbabilities, 0)',
    ],
    ['crossEntropy: label −1 counts', 'missing check', '.and(label.less(0).not())', ''],
  ]),
  ...mutantsOf('losses', 'src/nn/crossEntropy.ts', lossTests, [
    [
      'crossEntropy: a class that is impossible in both costs 0 · ∞',
      'missing clamp',
      'isNothing.select(0, logProbabilities)',
      'logProbabilities',
    ],
  ]),
  ...mutantsOf(layer, 'src/nn/embedding.ts', norms, [
    [
      'embedding: an index outside reads its neighbour',
      'missing check',
      'isRow.expandDims(-1).select(gather(weight, index), NaN)',
      'gather(weight, index)',
    ],
  ]),
  ...mutantsOf(layer, 'src/tensor/precision.ts', norms, [
    ['halves are normalised in f16', 'wrong dtype', "f(x.cast('f32')).cast('f16')", 'f(x)'],
  ]),
]
