/**
 * The task of a diffusion model on pictures: noise is added to a picture, and the network learns to say what was added.
 *
 * Random numbers depend on the key of the step and on a picture's place in the whole step, not on how the step is cut into parts.
 */
import { diffusionLoss } from '../../../diffusion/index.ts'
import { titleOf } from '../../../models/registry.ts'
import { tensor, zeros } from '../../../tensor/create.ts'
import { bernoulli, normal, randint, split } from '../../../tensor/random.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import type { Examples, Measured, Task } from '../../task.ts'
import { diffusionOf, normalise, pictureOf, type Diffusion, type Params } from './diffusion.ts'
import type { DiffusionConfig, DiffusionRun } from './diffusionConfig.ts'

/** The random numbers of some pictures: times [N] i32, noise [N, H, W, C], and which are mirrored, [N] bool. */
export interface Draws {
  readonly t: Tensor
  readonly epsilon: Tensor
  readonly mirrored: Tensor
}

/** The pictures of a step: u8 bytes of all of them, or, where these are many, a function that gives `count` from the `first`. */
export type StepPictures = Uint8Array | ((first: number, count: number) => Uint8Array)

/** The task, whose batches are u8 [N, H, W, C], and what it is made of. */
export interface DiffusionTask extends Task<Params, Tensor, Draws>, Diffusion {
  /** Pictures as batches. */
  readonly examples: (pictures: StepPictures) => Examples<Tensor>
}

/** The draws of a step for `count` pictures. */
const drawsOf =
  (config: DiffusionConfig): DiffusionTask['draws'] =>
  (key, count, first) => {
    const [times, noise, mirrors] = split(key, 3)
    const picture = pictureOf(config)
    return {
      t: randint(times, [count], 0, config.timesteps, first),
      epsilon: normal(noise, [count, ...picture], 'f32', first?.mul(picture.reduce((a, b) => a * b))),
      mirrored: bernoulli(mirrors, config.flip ? 0.5 : 0, [count], first),
    }
  }

const mirror = (x: Tensor, mirrored: Tensor): Tensor =>
  mirrored.reshape([mirrored.size, 1, 1, 1]).select(x.reverse([2]), x)

/** The training loss of a batch (Ho et al. 2020, eq. 14, in the weighting of the objective) as a function of the parameters. */
const batchLoss = ({ model, lossOptions }: Diffusion): DiffusionTask['loss'] => {
  const loss = diffusionLoss(lossOptions)
  return (params, images, { t, epsilon, mirrored }) =>
    loss((x, time) => model.apply(params, { x, t: time }), mirror(normalise(images), mirrored), t, epsilon)
}

const examplesOf =
  (config: DiffusionConfig): DiffusionTask['examples'] =>
  (pictures) =>
  (first, count) => {
    const picture = pictureOf(config)
    const each = picture.reduce((a, b) => a * b)
    const bytes =
      typeof pictures === 'function' ? pictures(first, count) : pictures.subarray(first * each, (first + count) * each)
    return tensor(bytes, { shape: [count, ...picture] })
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
 * @param model default: the network that the configuration names
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
export const diffusionTask = (config: DiffusionRun, model?: Diffusion['model']): DiffusionTask => {
  const diffusion = diffusionOf(config, model)
  return {
    ...diffusion,
    words: {
      model: `${titleOf(config.model)} ${config.height}×${config.width}`,
      goal: `predicts ${config.objective}, ${config.schedule} schedule`,
      example: { one: 'an image', many: 'images', short: 'img' },
      measured: measuredInWords,
    },
    losses: [{ name: 'heldOut', about: 'the loss on held-out pictures', curve: 'held out' }],
    init: diffusion.model.init,
    draws: drawsOf(config),
    loss: batchLoss(diffusion),
    blank: (count) => zeros([count, ...pictureOf(config)], 'u8'),
    examples: examplesOf(config),
  }
}
