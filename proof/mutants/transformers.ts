/** Bugs in DiT and U-ViT: patches, positions, blocks, what they are told, and their settings. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const laws = inFile('models/transformers')
const dit = inFile('models/dit/golden')
const uvit = inFile('models/uvit/golden')

const area = 'functions and layers'
const folder = 'src/models'

/** Bugs in src/models/transformers, dit and uvit. */
export const transformerMutants: readonly Mutant[] = [
  ...mutantsOf(area, `${folder}/transformers/patches.ts`, laws, [
    [
      'patchify: patches stand column by column',
      'axis',
      'const cut = x.reshape([n, rows, patch, columns, patch, channels]).transpose([0, 1, 3, 2, 4, 5])',
      'const cut = x.reshape([n, rows, patch, columns, patch, channels]).transpose([0, 3, 1, 2, 4, 5])',
    ],
    [
      'unpatchify: the pixels of a patch stand column by column',
      'axis',
      'const laid = tokens.reshape([n, rows, columns, patch, patch, channels]).transpose([0, 1, 3, 2, 4, 5])',
      'const laid = tokens.reshape([n, rows, columns, patch, patch, channels]).transpose([0, 1, 4, 2, 3, 5])',
    ],
  ]),
  ...mutantsOf(area, `${folder}/transformers/positions.ts`, laws, [
    ['positions: the row comes first', 'swapped operands', '[...column, ...row]', '[...row, ...column]'],
    ['positions: frequencies fall half as fast', 'factor', '10_000 ** (k / count)', '10_000 ** (k / (2 * count))'],
  ]),
  ...mutantsOf(area, `${folder}/transformers/beginning.ts`, laws, [
    [
      'transformers: what should begin with zeros begins with ones',
      'wrong constant',
      'zeros(x.shape)(key)',
      'zeros(x.shape)(key).add(1)',
    ],
  ]),
  ...mutantsOf(area, `${folder}/transformers/settings.ts`, laws, [
    ['transformers: heads that cannot share the width are taken', 'missing check', 'width % heads !== 0', 'heads < 1'],
    [
      'transformers: the perceptron is as wide as the tokens',
      'missing term',
      '=> mlpRatio * width',
      '=> mlpRatio * 0 + width',
    ],
  ]),
  ...mutantsOf(area, `${folder}/dit/block.ts`, dit, [
    [
      'dit: scale and shift are exchanged',
      'swapped operands',
      '.mul(scale.add(1)).add(shift)',
      '.mul(shift.add(1)).add(scale)',
    ],
    [
      'dit: the perceptron is given the shift of the attention',
      'stale value',
      'modulate(h, part(3), part(4))',
      'modulate(h, part(0), part(4))',
    ],
    ['dit: the perceptron sees what the attention saw', 'stale value', 'mlp(modulate(h,', 'mlp(modulate(x,'],
    ['dit: the size of the attention is 1 more', 'wrong constant', '.mul(part(2))', '.mul(part(2).add(1))'],
    ['dit: the norm has the ε of others', 'wrong constant', 'const epsilon = 1e-6', 'const epsilon = 1e-2'],
  ]),
  ...mutantsOf(area, `${folder}/dit/dit.ts`, dit, [
    ['dit: the time is told sines first', 'wrong order', 'cosinesFirst: true', 'cosinesFirst: false'],
    ['dit: the condition takes the place of the time', 'missing term', 'ofTime.add(ofCondition)', 'ofCondition'],
    [
      'dit: tokens have no positions',
      'missing term',
      '.add(sinCosPositions(grid, width, x.dtype))',
      '.add(sinCosPositions(grid, width, x.dtype).mul(0))',
    ],
    ['dit: features are of the first blocks', 'off by one', '[0.5, 0.75]', '[0, 0.75]', laws],
  ]),
  ...mutantsOf(area, `${folder}/uvit/block.ts`, uvit, [
    ['uvit: the skip comes first', 'swapped operands', 'concatenate([x, skip], -1)', 'concatenate([skip, x], -1)'],
    ['uvit: the norm of the perceptron is not asked', 'missing call', 'mlp(norm2(h))', 'mlp(norm2(h).mul(0).add(h))'],
    ['uvit: what was before the skip is added', 'stale value', 'const h = z.add(', 'const h = x.add('],
  ]),
  ...mutantsOf(area, `${folder}/uvit/uvit.ts`, uvit, [
    [
      'uvit: the second half sees the first block first',
      'wrong order',
      'at(skips, skips.length - 1 - i)',
      'at(skips, i + 1)',
    ],
    [
      'uvit: the second half sees the blocks of the first one earlier',
      'off by one',
      'skip: at(skips, skips.length - 1 - i)',
      'skip: at(skips, skips.length - 2 - i)',
    ],
    [
      'uvit: time and condition have no positions where patches have sines',
      'missing term',
      'concatenate([learned, sinCosPositions(grid, width, dtype)], 0)',
      'concatenate([learned.mul(0), sinCosPositions(grid, width, dtype)], 0)',
    ],
    ['uvit: images of another size get learned positions', 'missing check', 'size[0] !== height ||', 'false ||', laws],
    ['uvit: zeros are told as ones', 'wrong constant', 'zeros([n, conditions])', 'zeros([n, conditions]).add(1)', laws],
    ['uvit: the last norm is left out', 'missing call', 'head(norm(last))', 'head(norm(last).mul(0).add(last))'],
  ]),
  ...mutantsOf(area, `${folder}/uvit/settings.ts`, laws, [
    ['uvit: an even depth is taken', 'missing check', 'if (depth % 2 !== 1)', 'if (depth < 1)'],
  ]),
  ...mutantsOf(area, `${folder}/requireInput.ts`, laws, [
    [
      'a network without a place for an estimate leaves it unread',
      'missing check',
      'if (selfCondition !== true)',
      'if (selfCondition === false)',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/train/tasks/diffusion/diffusionConfig.ts', inFile('train/transformers', 'learned'), [
    [
      'a run gives pictures of another height to a network of one size',
      'missing check',
      'size[0] === rows &&',
      'size[0] > 0 &&',
    ],
    [
      'a run on latents takes the size of its network for that of pictures',
      'missing term',
      '.map((side) => side / (latent?.factor ?? 1))',
      '.map((side) => side / (latent === undefined ? 1 : 1))',
    ],
    [
      'pictures that a network cuts into patches are said to be halved',
      'missing check',
      'if (reason === undefined) return halvings',
      "if (reason !== 'halvings') return halvings",
      inFile('train/transformers', 'refuses settings'),
    ],
  ]),
]
