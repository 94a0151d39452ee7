/** Bugs in Fourier features of times, and in what networks of runs are told of times. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

/** Bugs in what networks see of times. */
export const toldTimeMutants: readonly Mutant[] = [
  ...mutantsOf('functions and layers', 'src/nn/fourierTimeEmbedding.ts', inFile('nn/fourierTimeEmbedding'), [
    ['fourier features: the angle is π·t·w', 'factor', 'mul(2 * Math.PI)', 'mul(Math.PI)'],
    [
      'fourier features: cosines stand before sines',
      'wrong order',
      'angles.sin(), angles.cos()',
      'angles.cos(), angles.sin()',
    ],
    [
      'fourier features: frequencies that are not learned have a gradient',
      'missing call',
      'frequencies.stopGradient()',
      'frequencies',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/train/tasks/diffusion/toldTimes.ts', inFile('train/tasks/diffusion/toldTimes'), [
    [
      'runs: the network is told t where it takes shares',
      'missing call',
      ".cast('f32').div(timesteps)",
      ".cast('f32')",
    ],
  ]),
]
