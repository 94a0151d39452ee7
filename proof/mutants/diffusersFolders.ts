/** Bugs in folders of diffusers: how they are read and written, and how runs become of them. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

const folders = inFile('io/diffusers')
const runs = inFile('train/diffusers')

/** Bugs in src/io/diffusers, in what is said of networks to diffusers, and in runs that are taken over. */
export const diffusersFolderMutants: readonly Mutant[] = [
  ...mutantsOf('checkpoints and custom derivatives', 'src/io/diffusers/modelFolder.node.ts', folders, [
    ['files of an index may lie anywhere', 'missing check', '/^[\\w.-]+\\.safetensors$/.test(name)', "name !== ''"],
    [
      'a tensor in two files is taken from the last',
      'missing check',
      'all.size < shards.reduce',
      'all.size < 0 * shards.reduce',
    ],
    [
      'a tensor that the index names may be missing',
      'missing check',
      '(name) => !all.has(name))',
      '(name) => name === "")',
    ],
    [
      'a variant’s weights are not found',
      'missing check',
      '(name) => variants.test(name)',
      '(name) => variants.test(`${name}.json`)',
    ],
    ['files are larger than they may be', 'missing check', 'length > room', 'length > Infinity'],
  ]),
  ...mutantsOf('checkpoints and custom derivatives', 'src/io/diffusers/loadDiffusers.node.ts', folders, [
    [
      'names of before 2023 are not looked for',
      'stale value',
      'unet2dNames(template, shapes)',
      'unet2dNames(template)',
    ],
    [
      'classes are told as numbers',
      'wrong operation',
      "if (conditioning === 'linear') return oneHot(labels, conditions)",
      "if (conditioning === 'linear') return oneHot(labels.mul(0), conditions)",
    ],
  ]),
  ...mutantsOf('checkpoints and custom derivatives', 'src/models/unet2d/toDiffusers.ts', folders, [
    ['a norm’s ε is the usual one', 'stale value', 'norm_eps: all.epsilon', 'norm_eps: usual.epsilon'],
    ['scale and shift are not said', 'missing term', "all.scaleShift ? 'scale_shift' : 'default'", "'default'"],
  ]),
  ...mutantsOf('which pictures, draws and weights', 'src/train/tasks/diffusion/diffusersScheduler.ts', runs, [
    [
      'a scheduler’s β are forgotten',
      'missing term',
      'betas: [beta_start, beta_end] as const',
      'betas: [1e-4, 0.02] as const',
    ],
    [
      'a stretched schedule is taken for a plain one',
      'missing term',
      'rescale_betas_zero_snr && { zeroTerminal: true as const }',
      'rescale_betas_zero_snr && {}',
    ],
    [
      'the shift of a list of β is a ratio of variances',
      'missing term',
      'Math.sqrt((snr * first) / (1 - first))',
      '((snr * first) / (1 - first))',
    ],
  ]),
  ...mutantsOf('which pictures, draws and weights', 'src/train/tasks/diffusion/noiseSchedule.ts', runs, [
    [
      'a linear schedule of few times is written with the ends of a thousand',
      'missing term',
      "schedule === 'linear' ? 1000 / timesteps : 1",
      "schedule === 'linear' ? 1 : 1",
    ],
  ]),
  ...mutantsOf('which pictures, draws and weights', 'src/train/tasks/diffusion/exportDiffusers.node.ts', runs, [
    [
      'changes of pictures are given out as classes',
      'missing check',
      "name !== 'class_embedding.weight' || rows === count",
      "name !== '' || rows === count",
    ],
  ]),
  ...mutantsOf('which pictures, draws and weights', 'src/train/tasks/diffusion/importDiffusers.node.ts', runs, [
    [
      'a run of latents has the size of the latents',
      'factor',
      'height ?? (said && factor * said[0])',
      'height ?? (said && said[0])',
    ],
    [
      'a run is drawn from weights that are not the folder’s',
      'stale value',
      'averages: mapEach(begun.averages, () => params)',
      'averages: begun.averages',
    ],
  ]),
]
