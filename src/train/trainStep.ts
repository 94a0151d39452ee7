/**
 * The step that every program writes: the loss and its gradients, the optimizer, the parameters after it; with an average, running statistics and
 * random numbers where they are wanted. What varies from step to step enters as buffers, so that one plan serves all of them.
 *
 * The trainer's own steps (`recipeStep`) go by a task instead, and know micro-batches, loss scales and phases.
 */
import { valueAndGrad } from '../autograd/index.ts'
import type { ModelState } from '../nn/index.ts'
import { applyUpdates, ema, globalNorm, type DecaySchedule, type RateSchedule, type Transform } from '../optim/index.ts'
import { ShapeError, typeError } from '../prelude/errors.ts'
import { requireKnown, requireNotNegative, requireShare, requireWhole } from '../prelude/options.ts'
import { scalar } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn, key, type Key } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, leavesWithPaths, mapTree } from '../tensor/tree.ts'

/** What a loss is given besides parameters and batch. */
export interface LossGiven {
  /** Of the seed and the step: another at each. */
  readonly key: Key
  /** u32 [], counted from 0. */
  readonly step: Tensor
  /** The running statistics of the model; empty for a model that keeps none. */
  readonly modelState: ModelState
}

/** What a loss tells besides itself; `modelState`, where it is, is taken over into the next step. */
export interface LossAux {
  readonly modelState?: ModelState
  readonly [name: string]: unknown
}

/** A loss: a scalar, or `[loss, aux]`. */
export type StepLoss<P, B, X extends LossAux> = (
  params: P,
  batch: B,
  given: LossGiven,
) => Tensor | readonly [loss: Tensor, aux: X]

/** What {@link trainStep} takes. */
export interface TrainStepOptions<P, B, S, X extends LossAux> {
  readonly loss: StepLoss<P, B, X>
  readonly optimizer: Transform<S>
  /** The learning rate, or one by step; absent: the optimizer's own. */
  readonly rate?: number | RateSchedule
  /** The decay d of an average of the parameters, or one by step; absent: none is kept. `scheduled` and the like of fathom/optim are decays by step. */
  readonly average?: number | DecaySchedule
  /** Of the keys that the loss is given; default 0. */
  readonly seed?: number
}

/** What training has come to. Steps consume it: give the one that came last. */
export interface StepState<P, S> {
  /** Steps done, counted by the host. `saveParams` and `loadParams` of fathom/io keep it with the rest: `init` of any parameters is their template. */
  readonly step: number
  readonly params: P
  readonly optimizer: S
  /** The average of the parameters; there where one is kept. */
  readonly average?: P
  readonly modelState: ModelState
}

/** What a step tells. */
export interface StepTold<X> {
  /** f32 [], of the batch, before the step. */
  readonly loss: Tensor
  /** [], the norm of all gradients together. */
  readonly gradientNorm: Tensor
  /** What the loss told beside itself, without the model's state; empty where it told nothing. */
  readonly aux: Omit<X, 'modelState'>
}

/** A step that is ready to be taken on a device. */
export interface TrainStep<P, B, S, X extends LossAux> {
  /** The state before the first step. @param modelState of `stateOf(model)`, for a model with running statistics */
  readonly init: (params: P, modelState?: ModelState) => StepState<P, S>
  /** The step, compiled at its first call: the state given is donated. */
  readonly on: (
    device: Device,
  ) => (state: StepState<P, S>, batch: B) => Promise<readonly [StepState<P, S>, StepTold<X>]>
}

/** What changes, without the number of steps, which the host counts. */
type Learned<P, S> = Omit<StepState<P, S>, 'step'>

/** Buffers of a step. */
interface Given {
  readonly key: Key
  readonly step: Tensor
  readonly learningRate?: Tensor
  readonly decay?: Tensor
}

const optionNames = ['loss', 'optimizer', 'rate', 'average', 'seed'] as const

const isPair = <X>(result: Tensor | readonly [Tensor, X]): result is readonly [Tensor, X] => Array.isArray(result)

/** A number at every step, or one by step, checked when it is asked for. */
const byStep = (
  value: number | ((step: number) => number) | undefined,
  check: (value: number) => void,
): ((step: number) => number | undefined) => {
  if (typeof value !== 'function') {
    if (value !== undefined) check(value)
    return () => value
  }
  return (step) => {
    const now = value(step)
    check(now)
    return now
  }
}

/** The loss as one that always tells something. */
const tellingLoss =
  <P, B>(loss: StepLoss<P, B, LossAux>) =>
  (params: P, batch: B, given: LossGiven): readonly [Tensor, LossAux] => {
    const result = loss(params, batch, given)
    return isPair(result) ? result : [result, {}]
  }

/** A state that the loss forgets would stay as it began, and an average that was never taken would be used. */
const requireNextState = (before: unknown, next: unknown): void => {
  if (leaves(before).length === 0 && next === undefined) return
  const [wanted, given] = [before, next].map((tree) =>
    leavesWithPaths(tree)
      .map(([path]) => path)
      .join(', '),
  )
  if (wanted !== given)
    throw typeError(
      `trainStep: the state of the model is { ${wanted} }, and the loss gave ${next === undefined ? 'none' : `{ ${given} }`} for the next step: return [loss, { modelState: next }]`,
    )
}

/** One step as a pure function of tensors. */
const stepOf =
  <P, B, S>({ loss, optimizer }: TrainStepOptions<P, B, S, LossAux>) =>
  (learned: Learned<P, S>, batch: B, given: Given) => {
    const { params, modelState } = learned
    const { key: seed, step, learningRate, decay } = given
    const drawn = { key: foldIn(seed, step), step, modelState }
    const [[value, told], gradients] = valueAndGrad(tellingLoss(loss), { aux: true })(params, batch, drawn)
    const [updates, state] = optimizer.update(
      gradients,
      learned.optimizer,
      params,
      learningRate === undefined ? {} : { learningRate },
    )
    const { modelState: next = modelState, ...aux } = told
    requireNextState(modelState, told.modelState)
    const after = applyUpdates(params, updates)
    return {
      learned: {
        params: after,
        optimizer: state,
        ...(learned.average !== undefined && decay !== undefined && { average: ema(decay, learned.average, after) }),
        modelState: next,
      },
      told: { loss: value, gradientNorm: globalNorm(gradients), aux },
    }
  }

/**
 * The training step of a loss and an optimizer: `init` makes the state, `on(device)` a function from state and batch to the next state and what the
 * step told. Rates by step, the average's decay and random keys are buffers; the state is donated; the losses of steps may be read late.
 *
 * @param options `loss` of parameters, batch and `{ key, step, modelState }`: a scalar, or `[loss, aux]`; `optimizer`; `rate`, `average`, `seed`
 * @throws RangeError for a rate or a decay that is none
 * @example
 * ```ts
 * import { key, tensor, type Tensor } from 'fathom'
 * import { batches } from 'fathom/data'
 * import { linear, mse, type ParamsOf } from 'fathom/nn'
 * import { adam, cosineDecay } from 'fathom/optim'
 * import { trainStep } from 'fathom/train'
 *
 * const model = linear(1, 1)
 * const data = { x: tensor([[0], [1], [2], [3]]), y: tensor([[1], [3], [5], [7]]) } // y = 2x + 1
 * const training = trainStep({
 *   loss: (params: ParamsOf<typeof model>, { x, y }: { readonly x: Tensor; readonly y: Tensor }) =>
 *     mse(model.apply(params, x), y),
 *   optimizer: adam(),
 *   rate: cosineDecay({ learningRate: 0.2, steps: 600 }),
 *   average: 0.9,
 * })
 * const step = training.on(device)
 * let state = training.init(model.init(key(0)))
 * for (const batch of batches(data, { size: 2, shuffle: 0, epochs: 300 })) [state] = await step(state, batch)
 * state.step // => 600
 * state.params // => { bias: [1], weight: [[2]] }
 * ```
 */
export function trainStep<P, B, S, X extends LossAux = LossAux>(
  options: TrainStepOptions<P, B, S, X>,
): TrainStep<P, B, S, X>
export function trainStep<P, B, S>(options: TrainStepOptions<P, B, S, LossAux>): TrainStep<P, B, S, LossAux> {
  const who = 'trainStep'
  requireKnown(who, options, optionNames)
  const { loss, optimizer, average, seed = 0 } = options
  if (typeof loss !== 'function')
    throw typeError(`${who}: loss must be a function of (params, batch, { key, step, modelState })`)
  if (typeof optimizer?.update !== 'function')
    throw typeError(`${who}: optimizer must be one of fathom/optim, such as adam()`)
  requireWhole(who, 'seed', seed)
  const rateAt = byStep(options.rate, (rate) => {
    requireNotNegative(who, 'the learning rate', rate)
  })
  const decayAt = byStep(average, (decay) => {
    requireShare(who, 'the decay of the average', decay)
  })
  const givenAt = (step: number): Given => {
    const [rate, decay] = [rateAt(step), decayAt(step)]
    return {
      key: key(seed),
      step: scalar(step, 'u32'),
      ...(rate !== undefined && { learningRate: scalar(rate) }),
      ...(decay !== undefined && { decay: scalar(decay) }),
    }
  }
  return {
    init: (params, modelState = {}) => ({
      step: 0,
      params,
      optimizer: optimizer.init(params),
      ...(average !== undefined && { average: mapTree(params, (p) => (p.dtype === 'f16' ? p.cast('f32') : p)) }),
      modelState,
    }),
    on: (device) => {
      const compiled = device.compile(stepOf<P, B, S>(options), { donate: [0] })
      return async ({ step, ...learned }, batch) => {
        if ((learned.average === undefined) !== (average === undefined))
          throw new ShapeError(
            `${who}: the state ${learned.average === undefined ? 'has no average, and one is asked for' : 'has an average, and none is asked for'}: begin with init(params)`,
          )
        const { learned: next, told } = await compiled(learned, batch, givenAt(step))
        return [{ step: step + 1, ...next }, told]
      }
    },
  }
}
