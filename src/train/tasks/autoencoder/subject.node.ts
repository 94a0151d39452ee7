/** The task of an autoencoder with its data. */
import type { AnySubject } from '../subject.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'

export const autoencoderSubject: (config: AutoencoderRun) => AnySubject = () => () => {
  throw new Error('to be written')
}
