/**
 * The task of a diffusion model on pictures: noise is added to a picture, and the network learns to say what was added.
 *
 * Random numbers depend on the key of the step and on a picture's place in the whole step, not on how the step is cut into parts.
 */
import { diffusionLoss } from '../../../diffusion/index.ts'
import { titleOf } from '../../../models/registry.ts'
import { product } from '../../../prelude/array.ts'
import { tensor, zeros } from '../../../tensor/create.ts'
import { bernoulli, normal, randint, split } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Examples, Loss, Measured, Task } from '../../task.ts'
import { diffusionOf, type Diffusion, type Given, type Params } from './diffusion.ts'
import type { DiffusionRun } from './diffusionConfig.ts'
import type { Example, Space } from './space.ts'

/** The random numbers of some pictures: times [N] i32, noise [N, H, W, C], and which are mirrored, [N] bool. */
export interface Draws {
  readonly t: Tensor
  readonly epsilon: Tensor
  readonly mirrored: Tensor
}

/** The examples of a step: bytes or numbers of all of them, or, where these are many, a function that gives `count` from the `first`. */
export type StepPictures = Example | ((first: number, count: number) => Example)

/** The task, whose batches are u8 [N, H, W, C], or f32 of latents, and what it is made of. */
export interface DiffusionTask extends Task<Params, Tensor, Draws>, Diffusion {
  readonly loss: Loss<Params, Tensor, Draws>
  /** Examples as batches. */
  readonly examples: (pictures: StepPictures) => Examples<Tensor>
}

/** The draws of a step for `count` pictures. */
const drawsOf =
  ({ config, space }: Diffusion): DiffusionTask['draws'] =>
  (key, count, first) => {
    const [times, noise, mirrors] = split(key, 3)
    return {
      t: randint(times, [count], 0, config.timesteps, first),
      epsilon: normal(noise, [count, ...space.shape], 'f32', first?.mul(product(space.shape))),
      mirrored: bernoulli(mirrors, config.flip ? 0.5 : 0, [count], first),
    }
  }

/** The training loss of a batch (Ho et al. 2020, eq. 14, in the weighting of the objective) as a function of the parameters. */
const batchLoss = ({ model, space, lossOptions }: Diffusion): DiffusionTask['loss'] => {
  const loss = diffusionLoss(lossOptions)
  return (params, examples, { t, epsilon, mirrored }) =>
    loss((x, time) => model.apply(params, { x, t: time }), space.x0(examples, mirrored), t, epsilon)
}

const examplesOf =
  ({ example: { shape } }: Space): DiffusionTask['examples'] =>
  (pictures) =>
  (first, count) => {
    const each = product(shape)
    const values =
      typeof pictures === 'function' ? pictures(first, count) : pictures.subarray(first * each, (first + count) * each)
    return tensor(values, { shape: [count, ...shape] })
  }

const measuredInWords = ({ heldOut, heldOutRelative: relative }: Measured): readonly string[] => {
  if (heldOut === undefined) return []
  const short = `held-out ${heldOut.toFixed(4)}`
  if (relative === undefined) return [short]
  return [
    short,
    `${short} (${relative.toFixed(2)} of guessing)`,
    `${short}, which is ${relative.toFixed(3)} of the best constant guess`,
  ]
}

/**
 * The task of a configuration.
 *
 * @param given a network in the place of the configuration's, and the autoencoder of its latents
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { diffusionTask, presets } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { schedule, draws, blank } = diffusionTask({ ...presets.tiny, ...names })
 * schedule.steps // => 1000
 * draws(key(0), 4).epsilon.shape // => [4, 16, 16, 3]
 * blank(4).shape // => [4, 16, 16, 3]
 * ```
 */
export const diffusionTask = (config: DiffusionRun, given: Given = {}): DiffusionTask => {
  const diffusion = diffusionOf(config, given)
  const { space } = diffusion
  return {
    ...diffusion,
    words: {
      model: `${titleOf(config.model)} ${config.height}×${config.width}${config.latent === undefined ? '' : ` in latents of ${space.shape.join('×')}`}`,
      goal: `predicts ${config.objective}, ${config.schedule} schedule`,
      example: { one: 'an image', many: 'images', short: 'img' },
      measured: measuredInWords,
    },
    losses: [{ name: 'heldOut', about: 'the loss on held-out pictures', curve: 'held out' }],
    init: diffusion.model.init,
    draws: drawsOf(diffusion),
    loss: batchLoss(diffusion),
    blank: (count) => zeros([count, ...space.example.shape], space.example.dtype),
    examples: examplesOf(space),
  }
}
