/**
 * The step of training, apply ∘ reduce ∘ gradients: a batch and a step number in, the next state and the loss out, as pure functions of
 * tensors.
 *
 * What varies from step to step (the batch, step number, rates) enters as buffers, so that one plan serves all steps.
 */
import { valueAndGrad } from '../autograd/index.ts'
import type { Plan } from '../compiler/plan.ts'
import type { Profile } from '../compiler/profile.ts'
import { bytesPerElement } from '../graph/dtype.ts'
import { requireWhole } from '../prelude/options.ts'
import { applyUpdates, ema } from '../optim/index.ts'
import { scalar } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn, key, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves } from '../tensor/tree.ts'
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

/** What random numbers depend on. */
type Draw = Pick<StepInputs, 'key' | 'step'>

/** The loss and the gradients of a batch. @param first u32 [], examples of the step before these; absent for 0 */
const gradientsOf =
  <P, B, D>({ task, batch }: Recipe<P, B, D>) =>
  (params: P, examples: B, given: Draw, first?: Tensor): Gradients<P> => {
    const draws = task.draws(foldIn(foldIn(given.key, 'train'), given.step), batch, first)
    const [loss, gradients] = valueAndGrad(task.loss)(params, examples, draws)
    return { gradients, loss }
  }

/** The optimizer's part of a step. */
const applied = <P>(
  { optimizer }: Pick<Training, 'optimizer'>,
  state: TrainState<P>,
  gradients: P,
  { learningRate, decay }: StepInputs,
): TrainState<P> => {
  const [updates, opt] = optimizer.update(gradients, state.opt, state.params, { learningRate })
  const params = applyUpdates(state.params, updates)
  return { params, opt, average: ema(decay, state.average, params) }
}

/** A state and the loss that its step measured. */
export type Stepped<P> = readonly [state: TrainState<P>, measured: { readonly loss: Tensor }]

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
    const { loss, gradients } = gradientsOf(recipe)(state.params, examples, given)
    return [applied(recipe, state, gradients, given), { loss }]
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
    (state: TrainState<P>, { gradients, loss }: Gradients<P>, given: StepInputs): Stepped<P> => [
      applied(recipe, state, gradients, given),
      { loss },
    ],
    { donate: [0, 1, 2] },
  ),
})

const reducingStepper = <P, B, D>(device: Device, recipe: Recipe<P, B, D>, reduce: Reduce): Stepper<P, B> => {
  const { task, batch } = recipe
  const { parts, before, of, gather } = reduce
  const { start, add, apply } = partsOn(device, recipe, reduce)
  const drawAt = (n: number): Draw => {
    const { key: seed, step } = givenAt(recipe, n)
    return { key: seed, step }
  }
  const firstOf = (part: number): number => (before + part) * batch
  const asTensor = (first: number): Tensor => scalar(first, 'u32')
  const plan = ({ params }: TrainState<P>): Plan =>
    add.plan(noGradients(params), params, task.blank(batch), drawAt(1), asTensor(firstOf(0)))
  return {
    count: of * batch,
    run: async (state, examples, n) => {
      const given = drawAt(n)
      let sum = await start(state.params)
      for (let part = 0; part < parts; part++) {
        const first = firstOf(part)
        sum = await add(sum, state.params, examples(first, batch), given, asTensor(first))
      }
      return apply(state, gather === undefined ? sum : await gather(sum), givenAt(recipe, n))
    },
    bytes: (state) =>
      Math.max(
        device.bytesNeeded(plan(state)) + bytesOfTree([state.opt, state.average]), // which lie there meanwhile
        device.bytesNeeded(apply.plan(state, noGradients(state.params), givenAt(recipe, 1))),
      ),
    plan,
    profile: async ({ params }, examples, n) =>
      add.profile(await start(params), params, examples(firstOf(0), batch), drawAt(n), asTensor(firstOf(0))),
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
