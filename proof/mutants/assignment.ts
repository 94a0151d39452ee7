/** Bugs in noises that are assigned, and in the weighted objective. */
import { mutantsOf, type Mutant } from './mutant.ts'
import { inFile } from './suites.ts'

/** Bugs in assignments and in weighted predictions. */
export const assignmentMutants: readonly Mutant[] = [
  ...mutantsOf('diffusion', 'src/diffusion/assignment.ts', inFile('diffusion/assignment'), [
    [
      'assignment: columns keep their potentials',
      'missing term',
      'columns[j] = of(columns, j) - least',
      'columns[j] = of(columns, j)',
    ],
    [
      'assignment: slack keeps what a step has used up',
      'stale value',
      'slack[j] = of(slack, j) - least',
      'slack[j] = of(slack, j)',
    ],
    [
      'assignNoise: the pictures are put in order, not the noises',
      'swapped operands',
      'assigned.set(part(epsilon, at([...order], i)), i * each)',
      'assigned.set(part(epsilon, i), at([...order], i) * each)',
    ],
  ]),
  ...mutantsOf('diffusion', 'src/diffusion/weightedObjective.ts', inFile('diffusion/weightedObjective'), [
    [
      'weighted objective: the weights are exchanged',
      'swapped operands',
      'meant.mul(weight(0)).add(x0.mul(weight(1)))',
      'meant.mul(weight(1)).add(x0.mul(weight(0)))',
    ],
    [
      'weighted objective: the image that noise means has no bounds',
      'missing clamp',
      '.maximum(-farthest).minimum(farthest)',
      '',
    ],
    [
      'weighted objective: the error of the noise is left out',
      'missing term',
      '.add(error(said.epsilon, epsilon).mul(noiseWeight))',
      '',
    ],
  ]),
]
