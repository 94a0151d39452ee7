/** Bugs in autoencoders: posteriors, blocks, shortcuts, names, codes and tiles. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const golden = inFile('models/autoencoder/golden')
const posterior = inFile('models/autoencoder/posterior')
const networks = inFile('models/autoencoder/networks')
const sizes = inFile('models/autoencoder/sizes')
const codes = inFile('models/autoencoder/vq')
const tiling = inFile('models/autoencoder/tiling')
const configurations = inFile('models/autoencoder/registry')

const area = 'autoencoders'
const folder = 'src/models/autoencoder'

/** Bugs in src/models/autoencoder. */
export const autoencoderMutants: readonly Mutant[] = [
  ...mutantsOf(area, `${folder}/posterior.ts`, posterior, [
    ['posterior: σ² stands in for σ in a sample', 'factor', 'logVariance.mul(0.5).exp()', 'logVariance.exp()'],
    ['posterior: log variances have no upper end', 'missing clamp', '.minimum(mostLogVariance)', ''],
    [
      'posterior: the divergence has log σ² with the wrong sign',
      'sign',
      '.sub(1).sub(logVariance)',
      '.sub(1).add(logVariance)',
    ],
    [
      'posterior: the mean of the divergence is its sum',
      'factor',
      'divergences({ mean, logVariance }).mean()',
      'divergences({ mean, logVariance }).sum()',
    ],
    ['posterior: its density forgets the variance', 'missing term', '    .add(logVariance)\n', ''],
  ]),
  ...mutantsOf(area, `${folder}/blocks.ts`, golden, [
    [
      'autoencoder: pictures are padded on the left and above where they are halved',
      'off by one',
      'x.pad([0, 0, 0, 0], [0, 1, 1, 0])',
      'x.pad([0, 1, 1, 0], [0, 0, 0, 0])',
    ],
    [
      'autoencoder: a stage with shortcuts has none',
      'missing term',
      "style.shortcuts === 'pixel-unshuffle' ? y.add(shortcut(x, outputs)) : y",
      "style.shortcuts === 'pixel-unshuffle' ? y.add(shortcut(x, outputs).mul(0)) : y",
      networks,
    ],
  ]),
  ...mutantsOf(area, `${folder}/shortcuts.ts`, networks, [
    [
      'shortcuts: channels are repeated in turn, not each in its place',
      'axis',
      '      .expandDims(-1)\n      .broadcastTo([...rest, channels, outputs / channels])',
      '      .expandDims(-2)\n      .broadcastTo([...rest, outputs / channels, channels])',
    ],
    ['shortcuts: channels are summed, not averaged', 'factor', 'matrix.div(matrix.sum(0, true))', 'matrix'],
  ]),
  ...mutantsOf(area, `${folder}/trunk.ts`, networks, [
    [
      'autoencoder: log variances begin at 0 behind shortcuts',
      'wrong constant',
      'const firstLogVariance = -6',
      'const firstLogVariance = 0',
    ],
    [
      'autoencoder: the decoder has as few blocks as the encoder',
      'off by one',
      'blocks: layers + 1,',
      'blocks: layers,',
      sizes,
    ],
  ]),
  ...mutantsOf(area, 'src/models/diffusersAttention.ts', golden, [
    ['autoencoder: attention is scaled by d, not √d', 'factor', 'mul(1 / Math.sqrt(headWidth))', 'mul(1 / headWidth)'],
    [
      'autoencoder: attention forgets what it was given',
      'missing term',
      'out(join(attended)).reshape(x.shape).add(x)',
      'out(join(attended)).reshape(x.shape)',
    ],
    [
      'names of diffusers: old keys of attention are values',
      'swapped operands',
      "    ['key', 'key'],\n    ['value', 'value'],",
      "    ['key', 'value'],\n    ['value', 'key'],",
    ],
  ]),
  ...mutantsOf(area, 'src/tensor/exponentialUnits.ts', inFile('models/autoencoder/networks', 'mish'), [
    [
      'mish: the logistic function stands in for the softplus',
      'wrong operation',
      'softplus(x).tanh()',
      'x.sigmoid().tanh()',
    ],
  ]),
  ...mutantsOf(area, `${folder}/tiny.ts`, networks, [
    ['tiny: pictures stay in [−1, 1] where [0, 1] is meant', 'missing term', 'stem(x.add(1).div(2))', 'stem(x)'],
    ['tiny: the decoder gives [0, 1]', 'missing term', 'y.mul(2).sub(1)', 'y'],
    ['tiny: pools stand in the blocks of every size', 'missing check', 'pool && isMiddle', 'pool || isMiddle', sizes],
    [
      'names of tiny ones: a doubling has no number',
      'off by one',
      'change.flatMap((path) => [undefined, path])',
      'change',
      sizes,
    ],
  ]),
  ...mutantsOf(area, `${folder}/vq.ts`, codes, [
    ['codes: the length of a code counts twice', 'factor', 'square().sum(1).mul(0.5)', 'square().sum(1)'],
    [
      'codes: gradients go to the codes, and none to latents',
      'missing call',
      'nearestCodes(codebook, z)).sub(z).stopGradient())',
      'nearestCodes(codebook, z)).sub(z))',
    ],
    [
      'codes: the two forms of the loss are exchanged',
      'swapped operands',
      "return form === 'paper'",
      "return form === 'legacy'",
    ],
  ]),
  ...mutantsOf(area, `${folder}/scaling.ts`, posterior, [
    [
      'latents are scaled before they are centred',
      'wrong order',
      'z.sub(centreOf(scaling, z)).mul(scaleOf(scaling, z))',
      'z.mul(scaleOf(scaling, z)).sub(centreOf(scaling, z))',
    ],
  ]),
  ...mutantsOf(area, `${folder}/tiling.ts`, tiling, [
    ['tiles: the margin counts once', 'factor', 'size - overlap - 2 * margin\n', 'size - overlap - margin\n'],
    [
      'tiles: what a tile computes in its margin is kept',
      'off by one',
      '(i === 0 ? 0 : margin)',
      '(i === 0 ? margin : 0)',
    ],
    ['tiles: the share of the next one begins at 0', 'off by one', '(j - from + 0.5)', '(j - from)'],
    [
      'tiles: every batch is the first one',
      'stale value',
      'crops.slice(first, first + batch)',
      'crops.slice(0 * first, batch).slice(0, crops.length - first)',
    ],
  ]),
  ...mutantsOf(area, 'src/models/diffusersSettings.ts', configurations, [
    ['a configuration of diffusers: null is a value', 'missing check', 'value !== null && ', ''],
  ]),
]
