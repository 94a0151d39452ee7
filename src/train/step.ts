/**
 * The step of training, apply ∘ reduce ∘ gradients: a batch and a step number in, the next state and the loss out, as pure functions of
 * tensors.
 *
 * What varies from step to step (the batch, step number, rates) enters as buffers, so that one plan serves all steps.
 */
import { valueAndGrad, vjp } from '../autograd/index.ts'
import type { Plan } from '../compiler/plan.ts'
import type { Profile } from '../compiler/profile.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import { requireWhole } from '../prelude/options.ts'
import { allFinite, applyUpdates, ema, nextLossScale, selectTree, unscaled } from '../optim/index.ts'
import { scalar } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn, key, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves } from '../tensor/tree.ts'
import { precisions, withPrecision } from '../tensor/withPrecision.ts'
import type { Recipe, Training, TrainState } from './recipe.ts'
import { addGradients, isIdentity, noGradients, overMicroBatches, type Gradients, type Reduce } from './reduce.ts'
import type { Examples } from './task.ts'

/** What a step is given besides state and batch, as buffers. */
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
 * import { givenAt, presets, trainingOf } from 'fathom/train'
 *
 * const names = { folder: null, out: 'runs/sea', preset: 'tiny', seed: 0, device: 'wasm' }
 * const { step, learningRate, decay } = givenAt(trainingOf({ ...presets.tiny, ...names }), 6)
 * step // => 6
 * learningRate // => 0.004
 * ```
 */
export const givenAt = (
  { seed, rateAt, decayAt }: Pick<Training, 'seed' | 'rateAt' | 'decayAt'>,
  step: number,
): StepInputs => ({
  key: key(seed),
  step: scalar(step, 'u32'),
  learningRate: scalar(rateAt(step)),
  decay: scalar(decayAt(step)),
})

/** What the gradients of a part of a step depend on, besides its examples: the random numbers, and the loss scale where there is one. */
interface Draw extends Pick<StepInputs, 'key' | 'step'> {
  /** f32 [], of the state. */
  readonly scale?: Tensor
}

/** The scale that the state holds, as the gradients are given it. */
const scaleIn = ({ lossScale }: TrainState<unknown>): Pick<Draw, 'scale'> =>
  lossScale === undefined ? {} : { scale: lossScale.scale }

/** The loss and its gradients, which are multiplied by the scale: the backward pass begins with it. */
const lossAndGradients = <P>(
  loss: (params: P) => Tensor,
  params: P,
  { scale }: Pick<Draw, 'scale'>,
): readonly [Tensor, P] => {
  if (scale === undefined) return valueAndGrad(loss)(params)
  const { value, pullback } = vjp(loss, params)
  return [value, pullback(scale.cast(value.dtype))[0]]
}

/** The loss and the gradients of a batch. @param first u32 [], examples of the step before these; absent for 0 */
const gradientsOf =
  <P, B, D>({ task, batch, precision = precisions.f32 }: Recipe<P, B, D>) =>
  (params: P, examples: B, given: Draw, first?: Tensor): Gradients<P> => {
    const draws = task.draws(foldIn(foldIn(given.key, 'train'), given.step), batch, first)
    const [loss, gradients] = lossAndGradients(
      withPrecision(precision, (p: P) => task.loss(p, examples, draws)),
      params,
      given,
    )
    return { gradients, loss }
  }

/** What the optimizer changes. */
type Learned<P> = Omit<TrainState<P>, 'lossScale'>

/** The optimizer's part of a step. */
const updated = <P>(
  { optimizer }: Pick<Training, 'optimizer'>,
  state: Learned<P>,
  gradients: P,
  { learningRate, decay }: StepInputs,
): Learned<P> => {
  const [updates, opt] = optimizer.update(gradients, state.opt, state.params, { learningRate })
  const params = applyUpdates(state.params, updates)
  return { params, opt, average: ema(decay, state.average, params) }
}

/** The end of a step: with gradients that are not finite it changes nothing but the loss scale. */
const applied = <P>(
  recipe: Pick<Training, 'optimizer' | 'lossScale'>,
  { lossScale, ...state }: TrainState<P>,
  gradients: P,
  given: StepInputs,
): TrainState<P> => {
  if ((recipe.lossScale === undefined) !== (lossScale === undefined))
    throw new TypeError(
      `step: the ${lossScale === undefined ? 'recipe has a loss scale and the state has none' : 'state has a loss scale and the recipe has none'}; begin with initialState of the same recipe`,
    )
  if (lossScale === undefined) return updated(recipe, state, gradients, given)
  const finite = allFinite(gradients)
  const next = updated(recipe, state, unscaled(gradients, lossScale), given)
  return { ...selectTree(finite, next, state), lossScale: nextLossScale(lossScale, finite, recipe.lossScale) }
}

/** What a step measures. */
export interface StepMeasured {
  readonly loss: Tensor
  /** u32 [], steps that were skipped so far; there where the loss is scaled. */
  readonly skipped?: Tensor
}

/** A state and what its step measured. */
export type Stepped<P> = readonly [state: TrainState<P>, measured: StepMeasured]

/** The next state, and what is told of the step. */
const stepped = <P>(state: TrainState<P>, loss: Tensor): Stepped<P> => [
  state,
  { loss, ...(state.lossScale !== undefined && { skipped: state.lossScale.skipped }) },
]

/**
 * A whole step on one batch: what is compiled where nothing is to be reduced.
 *
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { givenAt, initialState, presets, recipeOf, trainStep } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const recipe = recipeOf({ ...presets.tiny, ...names, height: 8, width: 8, model, batch: 4 })
 * const step = device.compile(trainStep(recipe), { donate: [0] })
 * const state = await device.realize(initialState(recipe, key(0)))
 * const [next, { loss }] = await step(state, zeros([4, 8, 8, 3], 'u8'), givenAt(recipe, 1)) // four black pictures
 * loss // => 0.49
 * next.params.head.bias?.shape // => [3]
 * ```
 */
export const trainStep =
  <P, B, D>(recipe: Recipe<P, B, D>) =>
  (state: TrainState<P>, examples: B, given: StepInputs): Stepped<P> => {
    const { loss, gradients } = gradientsOf(recipe)(state.params, examples, { ...given, ...scaleIn(state) })
    return stepped(applied(recipe, state, gradients, given), loss)
  }

/** A step as the loop sees it. */
export interface Stepper<P, B> {
  /** Examples of a whole step, on all ranks. */
  readonly count: number
  /** The next state; the given one is consumed. @param examples of this step, the first of all ranks being 0 */
  readonly run: (state: TrainState<P>, examples: Examples<B>, step: number) => Promise<Stepped<P>>
  /** Bytes that a step takes on the device at its greatest, the whole state included. */
  readonly bytes: (state: TrainState<P>) => number
  /** The plan of the largest part of a step, without running it. */
  readonly plan: (state: TrainState<P>) => Plan
  /** Runs the largest part of a step once, kernel by kernel; the state is kept. */
  readonly profile: (state: TrainState<P>, examples: Examples<B>, step: number) => Promise<Profile>
}

const wholeStepper = <P, B, D>(device: Device, recipe: Recipe<P, B, D>): Stepper<P, B> => {
  const { task, batch } = recipe
  const step = device.compile(trainStep(recipe), { donate: [0, 1, 2] })
  const plan = (state: TrainState<P>): Plan => step.plan(state, task.blank(batch), givenAt(recipe, 1))
  return {
    count: batch,
    run: (state, examples, n) => step(state, examples(0, batch), givenAt(recipe, n)),
    bytes: (state) => device.bytesNeeded(plan(state)),
    plan,
    profile: (state, examples, n) => step.profile(state, examples(0, batch), givenAt(recipe, n)),
  }
}

/** Bytes of all leaves. */
const bytesOfTree = (tree: unknown): number =>
  leaves(tree).reduce((sum, x) => sum + x.size * bytesPerElement[x.dtype], 0)

/** The functions that a step in parts is compiled to: the sum is donated to the next part. */
const partsOn = <P, B, D>(device: Device, recipe: Recipe<P, B, D>, { of }: Reduce) => ({
  start: device.compile((params: P) => noGradients(params)),
  add: device.compile(
    (sum: Gradients<P>, params: P, examples: B, given: Draw, first: Tensor): Gradients<P> =>
      addGradients(sum, gradientsOf(recipe)(params, examples, given, first), of),
    { donate: [0, 2] },
  ),
  apply: device.compile(
    (state: TrainState<P>, { gradients, loss }: Gradients<P>, given: StepInputs): Stepped<P> =>
      stepped(applied(recipe, state, gradients, given), loss),
    { donate: [0, 1, 2] },
  ),
})

const reducingStepper = <P, B, D>(device: Device, recipe: Recipe<P, B, D>, reduce: Reduce): Stepper<P, B> => {
  const { task, batch } = recipe
  const { parts, before, of, gather } = reduce
  const { start, add, apply } = partsOn(device, recipe, reduce)
  const drawAt = (n: number, state: TrainState<P>): Draw => {
    const { key: seed, step } = givenAt(recipe, n)
    return { key: seed, step, ...scaleIn(state) }
  }
  const firstOf = (part: number): number => (before + part) * batch
  const asTensor = (first: number): Tensor => scalar(first, 'u32')
  const plan = (state: TrainState<P>): Plan =>
    add.plan(noGradients(state.params), state.params, task.blank(batch), drawAt(1, state), asTensor(firstOf(0)))
  return {
    count: of * batch,
    run: async (state, examples, n) => {
      const given = drawAt(n, state)
      let sum = await start(state.params)
      for (let part = 0; part < parts; part++) {
        const first = firstOf(part)
        sum = await add(sum, state.params, examples(first, batch), given, asTensor(first))
      }
      return apply(state, gather === undefined ? sum : await gather(sum), givenAt(recipe, n))
    },
    bytes: (state) =>
      Math.max(
        device.bytesNeeded(plan(state)) + bytesOfTree([state.opt, state.average, state.lossScale]), // which lie there meanwhile
        device.bytesNeeded(apply.plan(state, noGradients(state.params), givenAt(recipe, 1))),
      ),
    plan,
    profile: async (state, examples, n) =>
      add.profile(
        await start(state.params),
        state.params,
        examples(firstOf(0), batch),
        drawAt(n, state),
        asTensor(firstOf(0)),
      ),
  }
}

/**
 * The step of a recipe, compiled for a device: one function where nothing is to be reduced, or else one that adds and one that applies.
 *
 * @param reduce default: over the micro-batches of the recipe
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
 * const [, { loss }] = await stepperOn(device, recipe).run(state, recipe.task.examples(pictures), 1) // three times two
 * loss // => 0.49
 * ```
 */
export const stepperOn = <P, B, D>(
  device: Device,
  recipe: Recipe<P, B, D>,
  reduce: Reduce = overMicroBatches(recipe.accumulate),
): Stepper<P, B> => {
  requireWhole('stepperOn', 'batch', recipe.batch, 1)
  return isIdentity(reduce) ? wholeStepper(device, recipe) : reducingStepper(device, recipe, reduce)
}
