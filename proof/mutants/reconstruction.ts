/** Bugs in what autoencoders are trained and judged by. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile, values } from './suites.ts'

const area = 'reconstruction'
const adversary = inFile('models/adversary')
const losses = inFile('models/reconstruction')
const quality = inFile('data/quality/quality')
const learning = inFile('train/tasks/autoencoder/learning')
const runs = inFile('train/tasks/autoencoder/run')
const seeing = inFile('train/tasks/autoencoder/features')

/** Bugs in the losses of pictures, the adversary, and the measures. */
export const reconstructionMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/nn/losses.ts', inFile('nn/losses'), [
    [
      'charbonnier: what is far apart pulls by its distance',
      'missing clamp',
      'far.select(d.greater(0).select(1, d.operand(-1)), d.div(epsilon))',
      'far.select(d, d.div(epsilon))',
    ],
  ]),
  ...mutantsOf(area, 'src/nn/featureLoss.ts', losses, [
    [
      'featureLoss: large features count for more',
      'missing call',
      'normalizeVectors(f).sub(normalizeVectors(w))',
      'f.sub(w)',
    ],
    [
      'featureLoss: the layers are added, not averaged',
      'missing term',
      '.div(distances.length)',
      '',
      values('featureLoss'),
    ],
  ]),
  ...mutantsOf(area, 'src/models/reconstruction/pyramidLoss.ts', losses, [
    [
      'pyramidLoss: every level is the first',
      'stale value',
      '    rest = half\n',
      '    rest = levels < 0 ? half : rest\n',
    ],
    ['pyramidLoss: a half is twice as bright', 'factor', 'const quarter = x.mul(0.25)', 'const quarter = x.mul(0.5)'],
    [
      'pyramidLoss: the diagonals are the columns again',
      'sign',
      'topDifference.sub(bottomDifference)]',
      'topDifference.add(bottomDifference)]',
    ],
  ]),
  ...mutantsOf(area, 'src/models/reconstruction/equivarianceLoss.ts', losses, [
    [
      'equivarianceLoss: pictures turn the other way than latents',
      'swapped operands',
      'return across.reverse(quarters === 1 ? 1 : 2)',
      'return across.reverse((quarters === 1) === (x.shape[1] === 2) ? 1 : 2)',
    ],
    [
      'equivarianceLoss: all pictures turn alike',
      'stale value',
      'const own = turns.slice([i, count, parts.length])',
      'const own = turns.slice([i, count, parts.length]).mul(0).add(turns.slice([0, 1]))',
    ],
    [
      'equivarianceLoss: small parts count as much as large ones',
      'factor',
      '.mul(own.size / count)',
      '.mul(1 / parts.length)',
    ],
  ]),
  ...mutantsOf(area, 'src/models/adversary/patchDiscriminator.ts', adversary, [
    ['patchDiscriminator: the last block halves too', 'wrong constant', 'i + 1 < layers ? 2 : 1', 'i < layers ? 2 : 1'],
    ['patchDiscriminator: channels double without end', 'missing clamp', 'Math.min(2 ** halvings, 8)', '2 ** halvings'],
    [
      'patchDiscriminator: the slope of its activations is ten times smaller',
      'wrong constant',
      'const slope = 0.2',
      'const slope = 0.02',
    ],
    ['patchDiscriminator: it begins five times as steep', 'wrong constant', 'outputs], 0.02)', 'outputs], 0.1)'],
  ]),
  ...mutantsOf(area, 'src/models/adversary/adversarialLosses.ts', adversary, [
    ['hinge: made pictures are pushed the wrong way', 'sign', 'relu(made.add(1))', 'relu(made.neg().add(1))'],
    [
      'vanilla: the generator saturates where it is far behind',
      'sign',
      'generator: (made) => softplus(made.neg()).mean()',
      'generator: (made) => softplus(made).mean().neg()',
    ],
  ]),
  ...mutantsOf(area, 'src/models/adversary/r1Penalty.ts', adversary, [
    ['r1Penalty: it grows with the number of patches', 'missing term', '.sum().div(count)', '.sum()'],
  ]),
  ...mutantsOf(area, 'src/models/adversary/adaptiveWeight.ts', adversary, [
    [
      'adaptiveWeight: the quotient is upside down',
      'swapped operands',
      'wanted.div(pushing.add(epsilon))',
      'pushing.div(wanted.add(epsilon))',
    ],
    ['adaptiveWeight: gradients flow through it', 'missing call', '.mul(factor).stopGradient()', '.mul(factor)'],
    ['adaptiveWeight: nothing bounds it', 'missing clamp', '.minimum(most)', ''],
  ]),
  ...mutantsOf(area, 'src/data/quality/psnr.ts', quality, [
    ['PSNR: the peak is not squared', 'missing term', '(peak * peak) / error', 'peak / error'],
  ]),
  ...mutantsOf(area, 'src/data/quality/ssim.ts', quality, [
    ['SSIM: the window is twice as wide', 'wrong constant', 'const deviation = 1.5', 'const deviation = 3'],
    ['SSIM: the covariance keeps the means', 'missing term', 'product - x * y,', 'product,'],
    [
      'SSIM: all channels are the first',
      'stale value',
      'picture[i * channels + channel]',
      'picture[i * channels + 0 * channel]',
    ],
  ]),
  ...mutantsOf(area, 'src/data/quality/reconstruction.ts', quality, [
    [
      'the ratio of the mean error is the mean of the ratios',
      'swapped operands',
      'psnr: decibels(errors / count, peak)',
      'psnr: ratios / count',
    ],
  ]),
  ...mutantsOf(area, 'src/data/quality/linearProjection.ts', quality, [
    [
      'the line is fitted to what it is measured on',
      'stale value',
      'yield data.picture(i)',
      'yield data.heldOut(i % data.heldOutCount)',
    ],
    [
      'the least components are kept',
      'wrong order',
      'vectors.slice(0, code.latentChannels)',
      'vectors.slice(-code.latentChannels)',
    ],
    [
      'patches begin one row of pixels after the other',
      'axis',
      '(y * width + x) * factor * channels',
      '(y * width + x * factor) * channels',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/learning.ts', learning, [
    [
      'the adversary is trained through what the decoder makes',
      'missing call',
      'judgingLosses(judging, crops.x, made.stopGradient())',
      'judgingLosses(judging, made, crops.x.stopGradient())',
    ],
    [
      'the adversary’s weight is of all of the decoder',
      'wrong operation',
      "path.split('.', 1)[0] === 'head'",
      "path.split('.', 1)[0] !== 'nothing'",
    ],
    [
      'the encoder goes on learning against the adversary',
      'missing check',
      "[against]: ['decoder', 'adversary']",
      "[against]: ['encoder', 'decoder', 'adversary']",
    ],
    [
      'the adversary comes with the first step',
      'missing check',
      'weights.adversary > 0 ? Math.floor(adversary.from * phaseSteps) : undefined',
      'weights.adversary > 0 ? 0 : undefined',
    ],
    [
      'decoder and adversary go on at the rate of both halves',
      'stale value',
      'learningRate: adversary.learningRate',
      'learningRate: learningRate',
    ],
    [
      'the rate of both halves comes to its end with the run, not before the adversary',
      'stale value',
      'rateOf({ rate, learningRate, steps: alone })',
      'rateOf({ rate, learningRate, steps: phaseSteps })',
    ],
    [
      'the divergence counts in full from the first step',
      'missing clamp',
      'Math.min(1, step / warmup)',
      'Math.min(1, warmup / warmup)',
    ],
    ['crops are not mirrored with their draws', 'missing term', '.select(x.reverse([2]), x)', '.select(x, x)'],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/losses.ts', learning, [
    [
      'equivariance is of samples, not of the most probable latents',
      'swapped operands',
      'equivarianceLoss(decode, mean, x, turns)',
      'equivarianceLoss(decode, z.stopGradient(), x, turns)',
    ],
    [
      'the pyramid counts as much as pixels',
      'missing term',
      'value: pyramidLoss(made, x), weight: fixed.pyramid',
      'value: pyramidLoss(made, x), weight: 1',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/losses.ts', seeing, [
    [
      'features: reconstructions are compared with themselves',
      'swapped operands',
      'sees(pictures, disturbance), made, x)',
      'sees(pictures, disturbance), made, made)',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/learning.ts', seeing, [
    [
      'features count from the first step',
      'missing clamp',
      'Math.max(0, (step - featuresFrom * phaseSteps) / warmup)',
      'Math.max(0, (step + 0 * featuresFrom * phaseSteps) / warmup)',
    ],
    [
      'phases go by the steps that a run goes on for',
      'stale value',
      'Math.floor(adversary.from * phaseSteps)',
      'Math.floor(adversary.from * Math.max(steps, phaseSteps))',
      runs,
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/frozenFeatures.ts', seeing, [
    [
      'features: a denoiser is shown pictures without noise',
      'missing term',
      '.add(noise.mul(sigma))',
      '.add(noise.mul(0 * sigma))',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/features.node.ts', seeing, [
    [
      'features: any network in the place of the run’s own will do',
      'missing check',
      '() => sha256(file) === fingerprint',
      '() => sha256(file).length === fingerprint.length',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/crops.ts', runs, [
    [
      'crops come from the left',
      'axis',
      'hostUniform(place, 1) * (width - side + 1)',
      '0 * hostUniform(place, 1) * (width - side + 1)',
    ],
    ['the last place of a crop is never taken', 'off by one', '(height - side + 1))', '(height - side))'],
    [
      'all crops of a run are from one place',
      'stale value',
      'hostFold(key, first + i)',
      'hostFold(key, 0 * (first + i))',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/latentScale.ts', runs, [
    ['the deviation of latents is about 0', 'missing term', '(value - (mean[c] ?? 0)) ** 2', 'value ** 2'],
    [
      'the scale of a channel is that of the next',
      'off by one',
      'f(i % channels, value)',
      'f((i + 1) % channels, value)',
    ],
  ]),
  ...mutantsOf(area, 'src/train/tasks/autoencoder/reconstructing.ts', runs, [
    [
      'the last pictures of a batch are those that fill it',
      'off by one',
      'Math.min(first + i, pictures.length - 1)',
      'Math.min(first + i + 1, pictures.length - 1)',
    ],
  ]),
]
