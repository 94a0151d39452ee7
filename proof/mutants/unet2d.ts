/** Bugs in the U-Net of diffusers: stages, blocks, times, filters, names and configurations. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const plain = inFile('models/unet2d/plain')
const settings = inFile('models/unet2d/settings')
const training = inFile('train/unet2d')
const tokens = inFile('models/unet2d/tokens')

const area = 'functions and layers'
const folder = 'src/models/unet2d'

/** Bugs in src/models/unet2d. */
export const unet2dMutants: readonly Mutant[] = [
  ...mutantsOf(area, 'src/nn/multiHeadAttention.ts', tokens, [
    ['cross-attention: logits are scaled by the width of all heads', 'factor', 'Math.sqrt(each)', 'Math.sqrt(width)'],
  ]),
  ...mutantsOf(area, `${folder}/transformer.ts`, tokens, [
    [
      'cross-attention: the gate is the first half',
      'swapped operands',
      'part(0).mul(gelu(part(4 * width)))',
      'part(4 * width).mul(gelu(part(0)))',
    ],
    [
      'cross-attention: pixels attend to themselves as they were before the norm',
      'missing call',
      'x.add(own(norm1(x)))',
      'x.add(own(norm1(x).mul(0).add(x)))',
    ],
    [
      'cross-attention: what it was given is lost',
      'missing term',
      'last(seen.reshape(x.shape)).add(x)',
      'last(seen.reshape(x.shape))',
    ],
    [
      'cross-attention: its group norm has the epsilon of the others',
      'wrong constant',
      'const epsilon = 1e-6',
      'const epsilon = 1e-5',
    ],
  ]),
  ...mutantsOf(area, `${folder}/conditionConfig.ts`, tokens, [
    [
      'a configuration of UNet2DConditionModel: heads are channels of a head',
      'wrong operation',
      '  heads: theirs.attention_head_dim,',
      '  headWidth: 8,',
    ],
  ]),
  ...mutantsOf(area, 'src/models/requireInput.ts', tokens, [
    [
      'tokens: a network without cross-attention takes them',
      'missing check',
      '  if (width === 0)\n    throw',
      '  if (width < 0)\n    throw',
    ],
  ]),
  ...mutantsOf(area, `${folder}/blocks.ts`, plain, [
    [
      'unet2d: the skip of a block keeps its size',
      'missing call',
      'const kept = resample(x)',
      'const kept = resampling === undefined ? x : resample(x.mul(0))',
    ],
    [
      'unet2d: scale and shift are exchanged',
      'swapped operands',
      'norm2(first).mul(by.add(1)).add(plus)',
      'norm2(first).mul(plus.add(1)).add(by)',
    ],
    ['unet2d: the time is added behind the norm', 'wrong order', 'norm2(first.add(plus))', 'norm2(first).add(plus)'],
    [
      'unet2d: images are padded on the left and above where they are halved',
      'off by one',
      'x.pad([0, 0, 0, 0], [0, 1, 1, 0])',
      'x.pad([0, 1, 1, 0], [0, 0, 0, 0])',
    ],
  ]),
  ...mutantsOf(area, `${folder}/wayUp.ts`, plain, [
    [
      'unet2d: the way up sees the first image first',
      'wrong order',
      'at(skips, skips.length - 1 - i)',
      'at(skips, skips.length - blocks.length + i)',
    ],
    [
      'unet2d: the small image of the stage before is lost',
      'missing term',
      'larger?.add(added) ?? added',
      'larger?.mul(0).add(added) ?? added',
    ],
  ]),
  ...mutantsOf(area, `${folder}/middle.ts`, plain, [
    [
      'unet2d: the attention in the middle has a norm also where the time scales',
      'missing check',
      'scaleShift ? undefined : groups',
      'groups',
    ],
  ]),
  ...mutantsOf(area, `${folder}/stages.ts`, plain, [
    [
      'unet2d: stages with skip take the groups of the others',
      'missing check',
      'const own = isFir ?',
      'const own = isFir && width < 0 ?',
    ],
    [
      'unet2d: the way up has as few blocks as the way down',
      'off by one',
      'range(layers + 1)',
      'range(layers)',
      settings,
    ],
  ]),
  ...mutantsOf(area, `${folder}/fir.ts`, settings, [
    ['smooth filter: half the size has twice the brightness', 'factor', 'sum.div(8)', 'sum.div(4)'],
    [
      'smooth filter: a doubled pixel leans the wrong way',
      'swapped operands',
      '[before, after].map',
      '[after, before].map',
    ],
  ]),
  ...mutantsOf(area, `${folder}/time.ts`, settings, [
    ['fourier times: frequencies are learned', 'missing call', 'weight.stopGradient()', 'weight'],
    ['fourier times: σ stands in for its logarithm', 'missing call', 'sigma.log()', 'sigma', plain],
    [
      'unet2d: a condition of zeros says something',
      'missing check',
      'linear(conditions, width, { bias: false })',
      'linear(conditions, width)',
    ],
  ]),
  ...mutantsOf(area, `${folder}/unet2d.ts`, plain, [
    [
      'unet2d: a result of fourier times is not divided by σ',
      'missing term',
      "timeKind === 'fourier' ?",
      "timeKind === 'learned' ?",
    ],
    [
      'unet2d: the small image is not added to the result',
      'missing term',
      'small === undefined ? made : made.add(small)',
      'made',
    ],
  ]),
  ...mutantsOf(area, `${folder}/names.ts`, plain, [
    [
      'names of unet2d: a table of classes is turned',
      'axis',
      "  { layout: 'RC->RC', prefix: 'time.condition.weight' },\n",
      '',
    ],
  ]),
  ...mutantsOf(area, `${folder}/diffusersConfig.ts`, settings, [
    ['a configuration of unet2d: an absent setting is null', 'missing term', '{ ...orNull, ...json }', 'json'],
    [
      'a configuration of unet2d: types of resizing reach stages without attention',
      'missing check',
      'stageKinds[kind].resize === wanted',
      "kind !== 'skip'",
      plain,
    ],
  ]),
  ...mutantsOf(area, `${folder}/family.ts`, training, [
    [
      'unet2d: learned times are as many as a run wants',
      'missing check',
      '({ times = Infinity }) => times',
      '() => Infinity',
    ],
  ]),
]
