/** The flags that the commands share which draw pictures, and judge them. */
import { defaultSampler, samplers, sigmaCurves, spacings } from '../diffusion/index.ts'
import { featureSpaces } from '../evaluation/index.ts'
import type { Command, Flag } from './flag.ts'

/** Where samplers are described. */
const samplersPage = 'docs/20-samplers.md'

/** By what way pictures are drawn, in the commands that draw. */
export const samplerFlags = {
  sampler: {
    kind: 'text',
    value: 'NAME',
    help: `a name of ${samplersPage} [${defaultSampler}]`,
    more: `: ${Object.keys(samplers).join(', ')}`,
  },
  steps: {
    kind: 'number',
    value: 'N',
    help: `steps of the sampler [50 of ${defaultSampler}, 25 of most, all of ddpm]`,
  },
  spacing: {
    kind: 'text',
    value: 'NAME',
    help: `which times of the schedule are visited: ${spacings.join(', ')} [${spacings[0]}]`,
    rare: true,
  },
  sigmas: {
    kind: 'text',
    value: 'NAME',
    help: `along which curve the noise falls, instead of a spacing: ${sigmaCurves.join(', ')}`,
    rare: true,
  },
} as const satisfies Command['flags']

/** By what pictures are judged, in the commands that judge. */
export const features: Flag = {
  kind: 'text',
  value: 'NAMES',
  help: `some of ${Object.keys(featureSpaces).join(', ')}, mobilenet [the first two]`,
  more: ': feature spaces, parted by commas; mobilenet where the package nsfwjs is installed',
}

/** With what pictures are compared, in the commands that judge. */
export const comparedWith: Flag = {
  kind: 'text',
  value: 'FOLDER',
  help: 'pictures to compare with [those the run was trained on]',
}
