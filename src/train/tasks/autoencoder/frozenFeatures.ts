/**
 * What a network that is trained already sees in pictures: by its features an autoencoder's reconstructions are compared with what they are of. Its
 * weights are part of the compiled step, like any constant: no optimizer knows of them, and no gradient is asked for.
 */
import { judgeLayers } from '../../../evaluation/features/network.ts'
import { trainedParams } from '../../../evaluation/features/trained.ts'
import { treeFrom } from '../../../io/params.ts'
import { readSafetensors } from '../../../io/safetensors.ts'
import { featuresOf, modelOf } from '../../../models/registry.ts'
import { at } from '../../../prelude/array.ts'
import { E, pipe } from '../../../prelude/fp.ts'
import { full } from '../../../tensor/create.ts'
import { key } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { mapTree } from '../../../tensor/tree.ts'
import { trainError, type TrainError } from '../../trainError.ts'
import { diffusionOf } from '../diffusion/diffusion.ts'
import type { DiffusionRun } from '../diffusion/diffusionConfig.ts'
import { toldTimes } from '../diffusion/toldTimes.ts'
import { configInWeights } from '../diffusion/weightsFile.ts'

/**
 * The layers that count, of pictures [N, H, W, channels] in [−1, 1]; called while a step is traced.
 *
 * @param noise ε ~ N(0, 1) of the pictures' shape, the same for a picture and what is compared with it
 */
export type FrozenFeatures = (pictures: Tensor, noise: Tensor) => readonly Tensor[]

/** Weights in the precision of gradient checks where pictures have it. */
const alike = <P>(params: P, { dtype }: Tensor): P => (dtype === 'f64' ? mapTree(params, (x) => x.cast(dtype)) : params)

/** Those of the network that was trained on procedural seas, by which `fathom eval` judges too. */
export const featuresOfSeas: FrozenFeatures = (pictures) =>
  judgeLayers.apply(alike(trainedParams(), pictures), pictures)

/**
 * The share of the way to pure noise at which a denoiser is asked: there it mends details, and not yet whole scenes (Lin & Yang 2024, arXiv
 * 2401.00110).
 */
const noiseTime = 0.1

/** The network of a file of weights, which says itself what network it is of. */
export interface FrozenDenoiser {
  readonly config: DiffusionRun
  readonly features: FrozenFeatures
}

/**
 * A denoiser of pixels at a low level of noise, from the bytes of a file that `encodeWeights` made.
 *
 * @param path what the file is called in errors
 */
export const denoiserIn = (path: string, bytes: Uint8Array): E.Either<TrainError, FrozenDenoiser> =>
  pipe(
    readSafetensors(bytes),
    E.mapLeft(({ message }) => trainError('WEIGHTS', `${path}: ${message}`)),
    E.bindTo('file'),
    E.bind('config', ({ file: { metadata } }) => configInWeights(path, metadata, 'features')),
    E.bind('read', ({ file: { tensors }, config }) => {
      const { channels = 3, model } = config
      const read = () => treeFrom(modelOf(model, channels).init(key(0)), tensors)
      return pipe(
        read(), // here to see whether it fits, and later anew: tensors that are made while a step is traced are part of it
        E.bimap(
          ({ message }) => trainError('WEIGHTS', `${path}: ${message}`),
          () => () =>
            pipe(
              read(),
              E.getOrElseW(({ message }) => {
                throw new Error(message)
              }),
            ),
        ),
      )
    }),
    E.map(({ config, read }) => {
      const { schedule } = diffusionOf(config)
      const t = Math.floor(noiseTime * schedule.steps)
      const [signal = 1, sigma = 0] = [schedule.signal[t], schedule.noise[t]]
      const network = toldTimes(config, featuresOf(config.model, config.channels ?? 3))
      return {
        config,
        features: (pictures, noise) => {
          // x_t = √ᾱ·x + √(1 − ᾱ)·ε  (Ho 2020, eq. 4)
          const x = pictures.mul(signal).add(noise.mul(sigma))
          return network.apply(alike(read(), x), { x, t: full([at(x.shape, 0)], t, 'i32') })
        },
      }
    }),
  )
