/** Bugs in the programs of the cookbook, which the figure that a program is held to must notice. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const area = 'functions and layers'
const folder = 'examples/cookbook'
const held = (program: string) => inFile(`examples/cookbook/${program}`)

/** Bugs in examples/cookbook. */
export const cookbookMutants: readonly Mutant[] = [
  ...mutantsOf(area, `${folder}/saving.ts`, held('saving'), [
    [
      'cookbook, saving: the step is not counted',
      'stale value',
      'steps: state.steps.add(1)',
      'steps: state.steps.add(2)',
    ],
    [
      'cookbook, saving: weights keep the axes that they have',
      'missing call',
      "to: 'fc.' }], layout: torchLayouts }",
      "to: 'fc.' }] }",
    ],
  ]),
  ...mutantsOf(area, `${folder}/lora.ts`, held('lora'), [
    [
      'cookbook, LoRA: the frozen weights are not adapted',
      'missing term',
      'weight: layer.weight.add(own.down.matmul(own.up))',
      'weight: layer.weight.add(own.down.matmul(own.up).mul(0))',
    ],
  ]),
  ...mutantsOf(area, `${folder}/pinn.ts`, held('pinn'), [
    [
      'cookbook, PINN: the source has the other sign',
      'sign',
      '.add(wave.mul(Math.PI ** 2))',
      '.sub(wave.mul(Math.PI ** 2))',
    ],
    ['cookbook, PINN: nothing is asked of the ends', 'missing term', '.add(ends.square().mean().mul(100))', ''],
  ]),
  ...mutantsOf(area, `${folder}/lstm.ts`, held('lstm'), [
    ['cookbook, LSTM: the first output is taken for the last', 'off by one', '.slice([], [-1])', '.slice([], [0, 1])'],
  ]),
  ...mutantsOf(area, `${folder}/own-optimizer.ts`, held('own-optimizer'), [
    [
      'cookbook, own optimizer: updates that the gradient speaks for are left out',
      'sign',
      'u.mul(g).less(0).select(u, 0)',
      'u.mul(g).less(0).select(0, u)',
    ],
  ]),
  ...mutantsOf(area, `${folder}/resnet.ts`, held('resnet'), [
    [
      'cookbook, ResNet: the running statistics stay as they began',
      'stale value',
      '{ modelState: next }',
      '{ modelState }',
    ],
  ]),
]
