/**
 * How an autoencoder learns. First encoder and decoder together, by what reconstructions lose. In the last part of the run, where an adversary is
 * wanted, the encoder rests, so that latents stay what they are: decoder and adversary are trained against one another, each by a gradient with
 * respect to its own parameters and nothing else.
 */
import { grad } from '../../../autograd/index.ts'
import { adaptiveWeight } from '../../../models/adversary/adaptiveWeight.ts'
import { adversarialLosses } from '../../../models/adversary/adversarialLosses.ts'
import { patchDiscriminator, type PatchDiscriminatorParams } from '../../../models/adversary/patchDiscriminator.ts'
import { r1Penalty } from '../../../models/adversary/r1Penalty.ts'
import type { Autoencoder, AutoencoderParams } from '../../../models/autoencoder/autoencoder.ts'
import type { Module } from '../../../nn/index.ts'
import { at } from '../../../prelude/array.ts'
import { zeros, zerosLike } from '../../../tensor/create.ts'
import type { Tensor } from '../../../tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../../tensor/tree.ts'
import { normalise } from '../../pictures/pixels.ts'
import { rateOf } from '../../rates.ts'
import type { Differentiate, LearnedBy, Learning, LearningStep, Phase } from '../../task.ts'
import type { AutoencoderRun } from './autoencoderConfig.ts'
import type { FrozenFeatures } from './frozenFeatures.ts'
import { autoencoderLosses, type AutoencoderLosses, type Crops, type Losses, type StepWeights } from './losses.ts'

/** The parameters of the task. */
export interface AutoencoderTaskParams<Enc, Dec> extends AutoencoderParams<Enc, Dec> {
  /** There where the run has one. */
  readonly adversary?: PatchDiscriminatorParams
}

/** The random numbers of some crops. */
export interface AutoencoderDraws extends Pick<Crops, 'noise' | 'turns' | 'disturbance'> {
  /** bool [N] */
  readonly mirrored: Tensor
}

/** Of `Learning.phases`. */
const [fit, against] = ['fit', 'against'] as const

/** Share of the steps before equivariance counts, and over which the divergence's weight rises. */
const warmupShare = 0.1

/** Share of the steps before features count; over the next {@link warmupShare} their weight rises. */
const featuresFrom = 0.2

/** The adversary of a configuration; undefined where it has none. */
export const adversaryOf = ({
  weights,
  adversary: { width, layers, norm },
  channels = 3,
}: Pick<AutoencoderRun, 'weights' | 'adversary' | 'channels'>): Module<PatchDiscriminatorParams> | undefined =>
  weights.adversary > 0 ? patchDiscriminator({ channels, width, layers, norm }) : undefined

/**
 * The phase of a step, and what changes with it. Where an adversary comes, the rate at which both halves learn has come to its end before: decoder
 * and adversary begin with one of their own, which is the same to the end.
 */
const phaseOf = (
  { steps, phaseSteps = steps, rate, learningRate, weights, adversary }: AutoencoderRun,
  step: number,
): Phase => {
  const warmup = warmupShare * phaseSteps
  const alone = weights.adversary > 0 ? Math.floor(adversary.from * phaseSteps) : undefined
  const opposing = alone !== undefined && step > alone
  return {
    name: opposing ? against : fit,
    ...(alone !== undefined && {
      learningRate: opposing
        ? rateOf({ rate: 'constant', learningRate: adversary.learningRate, steps: phaseSteps - alone })(step - alone)
        : rateOf({ rate, learningRate, steps: alone })(step),
    }),
    weights: {
      kl: weights.kl * Math.min(1, step / warmup),
      equivariance: step > warmup ? weights.equivariance : 0,
      ...(weights.features !== undefined && {
        features: weights.features * Math.min(1, Math.max(0, (step - featuresFrom * phaseSteps) / warmup)),
      }),
    },
  }
}

/** Crops as networks see them. @param batch u8 [N, H, W, channels] */
const cropsOf = (batch: Tensor, { mirrored, ...drawn }: AutoencoderDraws): Crops => {
  const x = normalise(batch)
  return { x: mirrored.reshape([mirrored.size, 1, 1, 1]).select(x.reverse([2]), x), ...drawn }
}

const weightsOf = ({
  kl = 0,
  equivariance = 0,
  features = 0,
}: Readonly<Record<string, Tensor | number>>): StepWeights => ({ kl, equivariance, features })

/** A value's gradient, and all that was found on the way to it. */
const differentiated = <Q, L extends Losses>(
  differentiate: Differentiate,
  losses: (params: Q) => L,
  params: Q,
): { readonly gradient: Q; readonly loss: Tensor; readonly found: L } => {
  const seen: L[] = []
  const [loss, gradient] = differentiate((own: Q) => {
    const found = losses(own)
    seen.push(found)
    return found.total
  }, params)
  return { gradient, loss, found: at(seen, 0) }
}

/** The gradient of a decoder's last convolution, which all families call its head. */
const headOf = (gradient: unknown): readonly Tensor[] =>
  leavesWithPaths(gradient).flatMap(([path, g]) => (path.split('.', 1)[0] === 'head' ? [g] : []))

const nothingOf = <T>(tree: T): T => mapTree(tree, zerosLike)

/** A step of both halves. */
const fitted =
  <Enc, Dec>({ ofBoth }: AutoencoderLosses<Enc, Dec>) =>
  (
    { adversary, ...own }: AutoencoderTaskParams<Enc, Dec>,
    { batch, draws, weights, differentiate }: LearningStep<Tensor, AutoencoderDraws>,
  ): LearnedBy<AutoencoderTaskParams<Enc, Dec>> => {
    const crops = cropsOf(batch, draws)
    const { gradient, loss, found } = differentiated(
      differentiate,
      (params: AutoencoderParams<Enc, Dec>) => ofBoth(params, crops, weightsOf(weights)),
      { encoder: own.encoder, decoder: own.decoder },
    )
    const rests = adversary === undefined ? {} : { adversary: nothingOf(adversary) }
    return { gradients: { ...gradient, ...rests }, loss, parts: found.parts }
  }

/** What the adversary is, and how it loses. */
interface Judging extends Pick<AutoencoderRun, 'adversary' | 'weights'> {
  readonly judge: Module<PatchDiscriminatorParams>
}

/** The adversary's own losses, on real crops and on what was made of them. */
const judgingLosses =
  ({ judge, adversary: { loss, penalty } }: Judging, x: Tensor, made: Tensor) =>
  (params: PatchDiscriminatorParams): Losses => {
    const D = (pictures: Tensor): Tensor => judge.apply(params, pictures)
    const discriminator = adversarialLosses[loss].discriminator(D(x), D(made))
    if (penalty === 0) return { total: discriminator, parts: { discriminator } }
    const steepness = r1Penalty(grad, D, x)
    return { total: discriminator.add(steepness.mul(penalty)), parts: { discriminator, steepness } }
  }

/** The decoder's gradient: of what it loses, and of being told from what is real, in a weight that keeps the second from being the larger. */
const opposed = <Dec>(
  { judge, adversary: { loss }, weights }: Judging,
  judging: PatchDiscriminatorParams,
  ofDecoder: (decoder: Dec) => Losses & { readonly made: Tensor },
  decoder: Dec,
  differentiate: Differentiate,
) => {
  const fooling = (params: Dec): Losses & { readonly made: Tensor } => {
    const { made, total, parts } = ofDecoder(params)
    return {
      made,
      total,
      parts: { ...parts, adversary: adversarialLosses[loss].generator(judge.apply(judging, made)) },
    }
  }
  const gradientOf = (f: (found: Losses) => Tensor): Dec =>
    differentiated(
      differentiate,
      (params: Dec) => {
        const found = fooling(params)
        return { ...found, total: f(found) }
      },
      decoder,
    ).gradient
  const fooled = ({ parts: { adversary } }: Losses): Tensor => {
    if (adversary === undefined) throw new Error('the adversary has said nothing') // fooling has asked it
    return adversary
  }
  // Of these two gradients only the last layer is asked for: the rest of them is not computed.
  const weight = adaptiveWeight(headOf(gradientOf(({ total }) => total)), headOf(gradientOf(fooled)), {
    factor: weights.adversary,
  })
  const {
    gradient,
    loss: told,
    found,
  } = differentiated(
    differentiate,
    (params: Dec) => {
      const all = fooling(params)
      return { ...all, total: all.total.add(fooled(all).mul(weight)) }
    },
    decoder,
  )
  return { gradient, loss: told, made: found.made, parts: { ...found.parts, adversaryWeight: weight } }
}

/** A step of decoder and adversary. */
const fought =
  <Enc, Dec>({ encode, ofDecoder }: AutoencoderLosses<Enc, Dec>, judging: Judging) =>
  (
    params: AutoencoderTaskParams<Enc, Dec>,
    { batch, draws, weights, differentiate }: LearningStep<Tensor, AutoencoderDraws>,
  ): LearnedBy<AutoencoderTaskParams<Enc, Dec>> => {
    const { encoder, decoder, adversary } = params
    if (adversary === undefined) throw new Error('an autoencoder without an adversary has no such phase')
    const crops = cropsOf(batch, draws)
    const { kl, ...latents } = encode(encoder, crops)
    const { gradient, loss, made, parts } = opposed(
      judging,
      adversary,
      (own: Dec) => ofDecoder(own, latents, crops, weightsOf(weights)),
      decoder,
      differentiate,
    )
    const own = differentiated(differentiate, judgingLosses(judging, crops.x, made.stopGradient()), adversary)
    return {
      gradients: { encoder: nothingOf(encoder), decoder: gradient, adversary: own.gradient },
      loss,
      parts: { ...parts, kl, ...own.found.parts },
    }
  }

/** All of these names, those that a phase says nothing of with 0. */
const complete = (
  names: readonly string[],
  parts: Readonly<Record<string, Tensor>>,
): Readonly<Record<string, Tensor>> => Object.fromEntries(names.map((name) => [name, parts[name] ?? zeros([])]))

/** How the autoencoder of a configuration learns. @param sees where features count */
export const autoencoderLearning = <Enc, Dec>(
  config: AutoencoderRun,
  autoencoder: Autoencoder<Enc, Dec>,
  sees?: FrozenFeatures,
): Learning<AutoencoderTaskParams<Enc, Dec>, Tensor, AutoencoderDraws> => {
  const losses = autoencoderLosses(autoencoder, config.weights, config.autoencoder.kind === 'kl', sees)
  const judge = adversaryOf(config)
  const together = fitted(losses)
  const apart = judge === undefined ? undefined : fought(losses, { judge, ...config })
  const names = [
    ...losses.names,
    ...(judge === undefined ? [] : ['adversary', 'adversaryWeight', 'discriminator']),
    ...(judge === undefined || config.adversary.penalty === 0 ? [] : ['steepness']),
  ]
  return {
    phases: {
      [fit]: ['encoder', 'decoder'],
      ...(judge !== undefined && { [against]: ['decoder', 'adversary'] }),
    },
    phaseAt: (step) => phaseOf(config, step),
    parts: names,
    gradients: (params, step) => {
      const learned = step.phase === against && apart !== undefined ? apart(params, step) : together(params, step)
      return { ...learned, parts: complete(names, learned.parts) }
    },
  }
}
