/**
 * The step of training: a batch of bytes and a step number in, the next state and the loss out, as pure functions of tensors.
 *
 * What varies from step to step (pictures, step number, rates) enters as buffers, so that one plan serves all steps. Random numbers
 * depend on the seed, the step and the place in the whole batch, not on how the batch is cut for accumulation.
 */
import { valueAndGrad } from '../autograd/index.ts'
import type { Plan } from '../compiler/plan.ts'
import type { Profile } from '../compiler/profile.ts'
import { diffusionLoss } from '../diffusion/index.ts'
import { accumulate, applyUpdates, ema, emptyAccumulation } from '../optim/index.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import { scalar, tensor, zeros } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import { bernoulli, foldIn, key, normal, randint, split, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves } from '../tensor/tree.ts'
import type { Params, Recipe, TrainState } from './recipe.ts'
import { channelsOf } from './trainConfig.ts'

/** What a step is given besides state and pictures, as buffers. */
export interface StepInputs {
  /** u32 [2], of the seed. */
  readonly key: Key
  /** u32 [], counted from 1. */
  readonly step: Tensor
  readonly learningRate: Tensor
  /** d of average ← d·average + (1 − d)·params. */
  readonly decay: Tensor
}

/**
 * The buffers of a step.
 *
 * @param step counted from 1
 * @example
 * ```ts
 * import { givenAt, presets, recipeOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { step, learningRate, decay } = givenAt(recipeOf({ ...presets.tiny, ...names }), 6)
 * step // => 6
 * learningRate // => 0.004
 * ```
 */
export const givenAt = ({ config, rateAt, decayAt }: Recipe, step: number): StepInputs => ({
  key: key(config.seed),
  step: scalar(step, 'u32'),
  learningRate: scalar(rateAt(step)),
  decay: scalar(decayAt(step)),
})

/** What random numbers depend on. */
type Draw = Pick<StepInputs, 'key' | 'step'>

/** The random numbers of some pictures: times [N] i32, noise [N, H, W, C], and which are mirrored, [N] bool. */
export interface Draws {
  readonly t: Tensor
  readonly epsilon: Tensor
  readonly mirrored: Tensor
}

/**
 * The draws of a step for `count` pictures; more pictures begin with the draws of fewer.
 *
 * @param first u32 [], pictures of the step before these: a micro-batch draws its part of the whole batch's numbers, and no more
 */
const drawsOf = ({ config }: Recipe, count: number, given: Draw, first?: Tensor): Draws => {
  const [times, noise, mirrors] = split(foldIn(foldIn(given.key, 'train'), given.step), 3)
  const picture = [config.height, config.width, channelsOf(config)]
  return {
    t: randint(times, [count], 0, config.timesteps, first),
    epsilon: normal(noise, [count, ...picture], 'f32', first?.mul(picture.reduce((a, b) => a * b))),
    mirrored: bernoulli(mirrors, config.flip ? 0.5 : 0, [count], first),
  }
}

/** Bytes 0 … 255 as numbers in [−1, 1]. @param images u8 [N, H, W, C] */
export const normalise = (images: Tensor): Tensor =>
  images
    .cast('f32')
    .mul(1 / 127.5)
    .sub(1)

const mirror = (x: Tensor, mirrored: Tensor): Tensor =>
  mirrored.reshape([mirrored.size, 1, 1, 1]).select(x.reverse([2]), x)

/** The training loss of a batch (Ho et al. 2020, eq. 14, in the weighting of the objective) as a function of the parameters. */
const batchLoss = ({ model, lossOptions }: Recipe) => {
  const loss = diffusionLoss(lossOptions)
  return (params: Params, images: Tensor, { t, epsilon, mirrored }: Draws): Tensor =>
    loss((x, time) => model.apply(params, { x, t: time }), mirror(normalise(images), mirrored), t, epsilon)
}

/** The optimizer's part of a step. */
const descend = (
  { optimizer }: Recipe,
  state: TrainState,
  gradients: Params,
  { learningRate, decay }: StepInputs,
): TrainState => {
  const [updates, opt] = optimizer.update(gradients, state.opt, state.params, { learningRate })
  const params = applyUpdates(state.params, updates)
  return { params, opt, average: ema(decay, state.average, params) }
}

/** A state and the loss that its step measured. */
export type Stepped = readonly [state: TrainState, measured: { readonly loss: Tensor }]

/**
 * A whole step on one batch: what is compiled without accumulation.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { givenAt, initialState, presets, recipeOf, trainStep } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const recipe = recipeOf({ ...presets.tiny, ...names, height: 8, width: 8, model })
 * const step = device.compile(trainStep(recipe), { donate: [0] })
 * const state = await device.realize(initialState(recipe, key(0)))
 * const [next, { loss }] = await step(state, zeros([4, 8, 8, 3], 'u8'), givenAt(recipe, 1)) // four black pictures
 * loss // => 0.49
 * next.params.head.bias?.shape // => [3]
 * ```
 */
export const trainStep =
  (recipe: Recipe) =>
  (state: TrainState, images: Tensor, given: StepInputs): Stepped => {
    const [loss, gradients] = valueAndGrad(batchLoss(recipe))(
      state.params,
      images,
      drawsOf(recipe, images.shape[0] ?? 1, given),
    )
    return [descend(recipe, state, gradients, given), { loss }]
  }

/** The pictures of a step: u8 bytes of accumulate × batch of them, or, where these are many, a function that gives `count` from the `first`. */
export type StepPictures = Uint8Array | ((first: number, count: number) => Uint8Array)

/** A step as the loop sees it. */
export interface Stepper {
  /** The next state; the given one is consumed. */
  readonly run: (state: TrainState, pictures: StepPictures, step: number) => Promise<Stepped>
  /** Bytes that a step takes on the device at its greatest, the whole state included. */
  readonly bytes: (state: TrainState) => number
  /** The plan of the largest part of a step, without running it. */
  readonly plan: (state: TrainState) => Plan
  /** Runs the largest part of a step once, kernel by kernel; the state is kept. */
  readonly profile: (state: TrainState, pictures: StepPictures, step: number) => Promise<Profile>
}

const shapeOf = ({ config }: Pick<Recipe, 'config'>): readonly number[] => [
  config.batch,
  config.height,
  config.width,
  channelsOf(config),
]

/** A batch of a step's pictures, from the `first` on. */
const imagesAt = ({ config }: Recipe, pictures: StepPictures, first: number): Tensor => {
  const shape = shapeOf({ config })
  const each = config.height * config.width * 3
  const bytes =
    typeof pictures === 'function'
      ? pictures(first, config.batch)
      : pictures.subarray(first * each, (first + config.batch) * each)
  return tensor(bytes, { shape })
}

const wholeStepper = (device: Device, recipe: Recipe): Stepper => {
  const step = device.compile(trainStep(recipe), { donate: [0, 1, 2] })
  const plan = (state: TrainState): Plan => step.plan(state, zeros(shapeOf(recipe), 'u8'), givenAt(recipe, 1))
  return {
    run: (state, pictures, n) => step(state, imagesAt(recipe, pictures, 0), givenAt(recipe, n)),
    bytes: (state) => device.bytesNeeded(plan(state)),
    plan,
    profile: (state, pictures, n) => step.profile(state, imagesAt(recipe, pictures, 0), givenAt(recipe, n)),
  }
}

interface Running {
  readonly gradients: Params
  readonly loss: Tensor
}

/** Bytes of all leaves. */
const bytesOfTree = (tree: unknown): number =>
  leaves(tree).reduce((sum, x) => sum + x.size * bytesPerElement[x.dtype], 0)

const accumulatingStepper = (device: Device, recipe: Recipe): Stepper => {
  const { batch, accumulate: count } = recipe.config
  const add = device.compile(
    (running: Running, params: Params, images: Tensor, given: Draw, first: Tensor): Running => {
      const draws = drawsOf(recipe, batch, given, first)
      const [loss, gradients] = valueAndGrad(batchLoss(recipe))(params, images, draws)
      return { gradients: accumulate(running.gradients, gradients, count), loss: running.loss.add(loss.mul(1 / count)) }
    },
    { donate: [0, 2] },
  )
  const finish = device.compile(
    (state: TrainState, { gradients, loss }: Running, given: StepInputs): Stepped => [
      descend(recipe, state, gradients, given),
      { loss },
    ],
    { donate: [0, 1, 2] },
  )
  const nothing = (params: Params): Running => ({ gradients: emptyAccumulation(params), loss: zeros([]) })
  const start = device.compile(nothing)
  const drawAt = (n: number): Draw => {
    const { key: seed, step } = givenAt(recipe, n)
    return { key: seed, step }
  }
  const firstOf = (m: number): Tensor => scalar(m * batch, 'u32')
  const plan = (state: TrainState): Plan =>
    add.plan(nothing(state.params), state.params, zeros(shapeOf(recipe), 'u8'), drawAt(1), firstOf(0))
  return {
    run: async (state, pictures, n) => {
      const given = drawAt(n)
      let running = await start(state.params)
      for (let m = 0; m < count; m++)
        running = await add(running, state.params, imagesAt(recipe, pictures, m * batch), given, firstOf(m))
      return finish(state, running, givenAt(recipe, n))
    },
    bytes: (state) =>
      Math.max(
        device.bytesNeeded(plan(state)) + bytesOfTree([state.opt, state.average]), // which lie there meanwhile
        device.bytesNeeded(finish.plan(state, nothing(state.params), givenAt(recipe, 1))),
      ),
    plan,
    profile: async (state, pictures, n) =>
      add.profile(await start(state.params), state.params, imagesAt(recipe, pictures, 0), drawAt(n), firstOf(0)),
  }
}

/**
 * The step of a configuration, compiled for a device: one function, or with accumulation one that adds and one that steps.
 *
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { batchAt, dataOfSeas } from 'fathom/data'
 * import { initialState, presets, recipeOf, stepperOn } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const recipe = recipeOf({ ...presets.tiny, ...names, height: 8, width: 8, model, batch: 2, accumulate: 3 })
 * const state = await device.realize(initialState(recipe, key(0)))
 * const pictures = batchAt(dataOfSeas({ seed: 0, size: 8 }), 0, 6)
 * const [, { loss }] = await stepperOn(device, recipe).run(state, pictures, 1) // three times two pictures
 * loss // => 0.49
 * ```
 */
export const stepperOn = (device: Device, recipe: Recipe): Stepper =>
  (recipe.config.accumulate === 1 ? wholeStepper : accumulatingStepper)(device, recipe)
