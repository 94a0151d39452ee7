/**
 * The task of a diffusion model on pictures: noise is added to a picture, and the network learns to say what was added.
 *
 * Random numbers depend on the key of the step and on a picture's place in the whole step, not on how the step is cut into parts.
 */
import { diffusionLosses, isChain, learnedVarianceLosses, trainingTimes } from '../../../diffusion/index.ts'
import { learnsVariance, projectOf, takesEstimate, titleOf } from '../../../models/registry.ts'
import { at, product, range } from '../../../prelude/array.ts'
import { tensor, zeros } from '../../../tensor/create.ts'
import { bernoulli, foldIn, split } from '../../../tensor/random.ts'
import { Tensor } from '../../../tensor/tensor.ts'
import { averageInWords } from '../../averages.ts'
import type { Examples, Loss, Measured, Task } from '../../task.ts'
import { diffusionOf, type Diffusion, type Given, type Params } from './diffusion.ts'
import { conditionsOf, type DiffusionRun } from './diffusionConfig.ts'
import { denoiseOf } from './denoise.ts'
import { drawnNoises, noiseFor, type Noises } from './noise.ts'
import type { Example } from './space.ts'

/** The random numbers of some pictures: times [N] i32, noise [N, H, W, C], and which are mirrored, [N] bool. */
export interface Draws extends Noises {
  readonly t: Tensor
  readonly mirrored: Tensor
  /** Whose labels the network is told, [N] bool; there where there are labels. */
  readonly labelled?: Tensor
  /** Of which pictures the network is told its estimate, [N] bool; there where it has a place for one. */
  readonly estimated?: Tensor
}

/** Examples, and what the network is told of each, f32 [N, K]. */
export interface ConditionedBatch {
  readonly examples: Tensor
  readonly condition: Tensor
}

/** Examples: u8 [N, H, W, C], or f32 of latents; with conditions where the network is told any. */
export type Batch = Tensor | ConditionedBatch

/** The examples of a step: bytes or numbers of all of them, or, where these are many, a function that gives `count` from the `first`. */
export type StepPictures = Example | ((first: number, count: number) => Example)

/** The conditions of `count` examples from the `first` on: f32 [count, K]. */
export type StepConditions = (first: number, count: number) => Float32Array

/** The task, and what it is made of. */
export interface DiffusionTask extends Task<Params, Batch, Draws>, Diffusion {
  readonly loss: Loss<Params, Batch, Draws>
  /** Examples as batches, with their conditions where the network is told any. */
  readonly examples: (pictures: StepPictures, conditions?: StepConditions) => Examples<Batch>
}

/** The draws of a step for `count` pictures. */
const drawsOf = ({ config, schedule, space }: Diffusion): DiffusionTask['draws'] => {
  const timesOf = trainingTimes(schedule, config.times)
  return (key, count, first) => {
    const [times, noise, mirrors] = split(key, 3)
    return {
      t: timesOf(times, count, first),
      ...drawnNoises({ noise: config.noise, space }, noise, count, first),
      mirrored: bernoulli(mirrors, config.flip ? 0.5 : 0, [count], first),
      ...(config.labels !== undefined && {
        labelled: bernoulli(foldIn(key, 'labels'), 1 - labelDropoutOf(config), [count], first),
      }),
      ...(takesEstimate(config.model) && { estimated: bernoulli(foldIn(key, 'estimate'), 0.5, [count], first) }),
    }
  }
}

const labelDropoutOf = ({ labelDropout = 0.1 }: DiffusionRun): number => labelDropout

/** Examples and conditions of a batch. */
const partsOf = (batch: Batch): { readonly examples: Tensor; readonly condition?: Tensor } =>
  batch instanceof Tensor ? { examples: batch } : batch

/** Conditions of which the labels, the first numbers, are zeros where they are kept from the network. @param condition [N, K] */
const withoutLabels = ({ labels = [] }: DiffusionRun, condition: Tensor, labelled: Tensor | undefined): Tensor => {
  if (labelled === undefined) return condition
  const [n, told] = [at(condition.shape, 0), at(condition.shape, 1)]
  const isLabel = tensor(range(told).map((k) => k < labels.length))
  const kept = labelled.reshape([n, 1]).or(isLabel.not())
  return kept.broadcastTo(condition.shape).select(condition, 0)
}

/** The losses of a run: with the bound, by which variances are learned, where its network learns them. */
const lossesOfRun = ({ model }: DiffusionRun, { schedule, ...options }: Diffusion['lossOptions']) =>
  learnsVariance(model) && isChain(schedule)
    ? learnedVarianceLosses({ schedule, ...options })
    : diffusionLosses({ schedule, ...options })

/** The training loss of a batch (Ho et al. 2020, eq. 14, in the weighting of the objective) as a function of the parameters. */
const batchLoss = (diffusion: Diffusion): DiffusionTask['loss'] => {
  const { config, space, lossOptions } = diffusion
  const losses = lossesOfRun(config, lossOptions)
  return (params, batch, { t, mirrored, labelled, estimated, ...noises }) => {
    const { examples, condition } = partsOf(batch)
    const told = condition === undefined ? undefined : withoutLabels(config, condition, labelled)
    const x0 = space.x0(examples, mirrored)
    const lossesOf = (epsilon: Tensor): Tensor =>
      losses(denoiseOf(diffusion, params, { condition: told, estimated }), x0, t, epsilon)
    return lossesOf(noiseFor(config.noise ?? {}, noises, x0, lossesOf)).mean()
  }
}

const examplesOf =
  ({ config, space: { example } }: Diffusion): DiffusionTask['examples'] =>
  (pictures, conditions) =>
  (first, count) => {
    const { shape } = example
    const each = product(shape)
    const values =
      typeof pictures === 'function' ? pictures(first, count) : pictures.subarray(first * each, (first + count) * each)
    const examples = tensor(values, { shape: [count, ...shape] })
    const told = conditionsOf(config)
    if (told === 0) return examples
    if (conditions === undefined)
      throw new TypeError('examples: the network is told something of each picture: give the conditions too')
    return { examples, condition: tensor(conditions(first, count), { shape: [count, told] }) }
  }

const blankOf =
  ({ config, space: { example } }: Diffusion): DiffusionTask['blank'] =>
  (count) => {
    const examples = zeros([count, ...example.shape], example.dtype)
    const told = conditionsOf(config)
    return told === 0 ? examples : { examples, condition: zeros([count, told]) }
  }

const measuredInWords = ({ heldOut, heldOutRelative: relative, ...others }: Measured): readonly string[] => {
  if (heldOut === undefined) return []
  const short = `held-out ${heldOut.toFixed(4)}`
  if (relative === undefined) return [short]
  return [
    short,
    `${short} (${relative.toFixed(2)} of guessing)`,
    `${short}, which is ${relative.toFixed(3)} of the best constant guess${averageInWords(others)}`,
  ]
}

/**
 * The task of a configuration.
 *
 * @param given a network in the place of the configuration's, and the autoencoder of its latents
 * @example
 * ```ts
 * import { key, leaves } from 'fathom'
 * import { diffusionTask, presets } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { schedule, draws, blank } = diffusionTask({ ...presets.tiny, ...names })
 * schedule.steps // => 1000
 * draws(key(0), 4).epsilon.shape // => [4, 16, 16, 3]
 * leaves(blank(4)).map(({ shape }) => shape) // => [[4, 16, 16, 3]]
 * ```
 */
export const diffusionTask = (config: DiffusionRun, given: Given = {}): DiffusionTask => {
  const diffusion = diffusionOf(config, given)
  const { space } = diffusion
  const project = given.model === undefined ? projectOf(config.model) : undefined // of another network nothing is known
  return {
    ...diffusion,
    words: {
      model: `${titleOf(config.model)} ${config.height}×${config.width}${config.latent === undefined ? '' : ` in latents of ${space.shape.join('×')}`}`,
      goal: `predicts ${config.objective}, ${config.schedule} schedule`,
      example: { one: 'an image', many: 'images', short: 'img' },
      measured: measuredInWords,
    },
    losses: [
      { name: 'heldOut', about: 'the loss on held-out pictures', curve: 'held out' },
      {
        name: 'heldOutAverage',
        about: 'the loss of the averaged weights on held-out pictures',
        curve: 'held out, averaged',
        chooses: true,
      },
    ],
    init: diffusion.model.init,
    ...(project !== undefined && { project }),
    draws: drawsOf(diffusion),
    loss: batchLoss(diffusion),
    blank: blankOf(diffusion),
    examples: examplesOf(diffusion),
  }
}
