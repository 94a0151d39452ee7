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
import type { ModelState } from '../nn/stateScope.ts'
import { at } from '../prelude/array.ts'
import { requireWhole } from '../prelude/options.ts'
import { allFinite, applyUpdates, ema, nextLossScale, selectTree, separately, unscaled } from '../optim/index.ts'
import { scalar } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import { foldIn } from '../tensor/random.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, zipTrees } from '../tensor/tree.ts'
import { precisions, withPrecision, type Precision } from '../tensor/withPrecision.ts'
import { mapEach, type OneOrMore } from './averages.ts'
import type { NetworkOptimizerState, OptimizerState, Recipe, Training, TrainState } from './recipe.ts'
import { addGradients, isIdentity, noGradients, overMicroBatches, type Gradients, type Reduce } from './reduce.ts'
import { asState, givesState, learnedOf, stateIn, withoutState, withState } from './stateBranch.ts'
import { givenAt, type StepInputs } from './stepInputs.ts'
import { isLearning, type Differentiate, type Examples, type Learning, type LossWithState, type Task } from './task.ts'

/** How the task learns, where that is more than one loss. */
const learningOf = <P, B, D>({ loss }: Pick<Task<P, B, D>, 'loss'>): Learning<P, B, D> | undefined =>
  isLearning<P, B, D>(loss) ? loss : undefined

/** What the gradients of a part of a step depend on, besides its examples: the random numbers, the weights of losses, and the loss scale where there is one. */
interface Draw extends Pick<StepInputs, 'key' | 'step' | 'weights'> {
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

/** The loss, the next state, and the gradients of what is learned, which are multiplied by the scale. */
const withNextState = <P, B, D>(
  { lossAndState }: LossWithState<P, B, D>,
  params: P,
  batch: B,
  draws: D,
  { scale, precision }: Pick<Draw, 'scale'> & { readonly precision: Precision },
): Gradients<P> => {
  const before = stateIn(params)
  const scaledLoss = (learned: P): readonly [Tensor, readonly [Tensor, ModelState]] => {
    const [loss, { modelState }] = lossAndState(withState(learned, before), batch, draws)
    return [scale === undefined ? loss : loss.mul(scale.cast(loss.dtype)), [loss, modelState]]
  }
  const [[, [loss, state]], gradients] = valueAndGrad(withPrecision(precision, scaledLoss), { aux: true })(
    withoutState(params),
  )
  return { gradients, loss, state }
}

/** The phase of those tasks that have one loss. */
const onePhase = ''

/** The loss and the gradients of a batch. @param first u32 [], examples of the step before these; absent for 0 */
const gradientsOf =
  <P, B, D>({ task, batch, precision = precisions.f32 }: Recipe<P, B, D>, phase: string) =>
  (params: P, examples: B, given: Draw, first?: Tensor): Gradients<P> => {
    const draws = task.draws(foldIn(foldIn(given.key, 'train'), given.step), batch, first)
    const differentiate: Differentiate = (loss, of) => lossAndGradients(withPrecision(precision, loss), of, given)
    const { loss } = task
    if (givesState<P, B, D>(loss)) return withNextState(loss, params, examples, draws, { ...given, precision })
    if (typeof loss === 'object')
      return loss.gradients(params, { phase, batch: examples, draws, weights: given.weights ?? {}, differentiate })
    const [value, gradients] = differentiate((p: P) => loss(p, examples, draws), params)
    return { gradients, loss: value }
  }

/** What the optimizer changes. */
type Learned<P> = Omit<TrainState<P>, 'lossScale'>

/** What the end of a step goes by. */
interface Updating<P> extends Pick<Training, 'optimizer' | 'lossScale'> {
  /** Of the task. */
  readonly loss: unknown
  /** Of the task. */
  readonly project?: ((params: P) => P) | undefined
  /** Branches of the parameters that move; absent for all. */
  readonly moves?: readonly string[] | undefined
  /** The model's state after this step; absent where it has none. */
  readonly next?: ModelState | undefined
}

const isOfBranches = (opt: OptimizerState): opt is Exclude<OptimizerState, NetworkOptimizerState> => !Array.isArray(opt)

/** The tree, save for what lies in branches that do not move, which is as before. */
const moved = <T>(after: T, before: T, moves: Updating<T>['moves']): T =>
  moves === undefined
    ? after
    : zipTrees<T, unknown>(after, before, (a, b, path) => (moves.includes(path.split('.', 1)[0] ?? '') ? a : b))

/** The averages after a step, each with its own decay. */
const averaged = <P>(averages: OneOrMore<P>, decays: OneOrMore<Tensor>, params: P): OneOrMore<P> => {
  if (averages.length !== decays.length)
    throw new TypeError(
      `step: the state has ${averages.length} averages and the recipe ${decays.length}; begin with initialState of the same recipe`,
    )
  return mapEach(averages, (average, i) => ema(at(decays, i), average, params))
}

/** The optimizer's part of a step. */
const updated = <P>(
  { optimizer, moves, project = (params) => params, loss, next }: Updating<P>,
  { opt: before, ...state }: Learned<P>,
  gradients: P,
  { learningRate, decays }: StepInputs,
): Learned<P> => {
  const learned = learnedOf(state.params, loss)
  const [updates, after] = isOfBranches(before)
    ? separately(optimizer).update(gradients, before, learned, { learningRate })
    : optimizer.update(gradients, before, learned, { learningRate })
  const stepped = applyUpdates(learned, updates)
  const whole = givesState(loss) ? withState(stepped, asState(next ?? {}, stateIn(state.params))) : stepped
  const params = moved(project(whole), state.params, moves)
  return {
    params,
    opt: moved<OptimizerState>(after, before, moves),
    averages: averaged(state.averages, decays, params),
  }
}

/** The end of a step: with gradients that are not finite it changes nothing but the loss scale. */
const applied = <P>(
  recipe: Updating<P>,
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
  /** What the task tells beside the loss, by name. */
  readonly parts?: Readonly<Record<string, Tensor>>
}

/** A state and what its step measured. */
export type Stepped<P> = readonly [state: TrainState<P>, measured: StepMeasured]

/** The next state, and what is told of the step. */
const stepped = <P>(state: TrainState<P>, { loss, parts }: Omit<Gradients<P>, 'gradients'>): Stepped<P> => [
  state,
  {
    loss,
    ...(state.lossScale !== undefined && { skipped: state.lossScale.skipped }),
    ...(parts !== undefined && { parts }),
  },
]

/** What the end of a step of a phase goes by. */
const updatingIn = <P, B, D>(
  { optimizer, lossScale, task }: Recipe<P, B, D>,
  phase: string,
  next: ModelState | undefined,
): Updating<P> => ({
  optimizer,
  loss: task.loss,
  next,
  ...(lossScale !== undefined && { lossScale }),
  moves: learningOf(task)?.phases[phase],
  project: task.project,
})

/**
 * A whole step on one batch: what is compiled where nothing is to be reduced.
 *
 * @param phase of the task's learning, where it has phases
 *
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { givenAt, initialState, presets, recipeOf, recipeStep } from 'fathom/train'
 *
 * const model = { width: 4, multipliers: [1], heads: 1, headWidth: 4 }
 * const names = { folder: null, out: 'run', preset: 'tiny', seed: 0, device: 'wasm' }
 * const recipe = recipeOf({ ...presets.tiny, ...names, height: 8, width: 8, model, batch: 4 })
 * const step = device.compile(recipeStep(recipe), { donate: [0] })
 * const state = await device.realize(initialState(recipe, key(0)))
 * const [next, { loss }] = await step(state, zeros([4, 8, 8, 3], 'u8'), givenAt(recipe, 1)) // four black pictures
 * loss // => 0.49
 * countElements(next.params) === countElements(state.params) // => true
 * ```
 */
export const recipeStep =
  <P, B, D>(recipe: Recipe<P, B, D>, phase = onePhase) =>
  (state: TrainState<P>, examples: B, given: StepInputs): Stepped<P> => {
    const { gradients, ...told } = gradientsOf(recipe, phase)(state.params, examples, { ...given, ...scaleIn(state) })
    return stepped(applied(updatingIn(recipe, phase, told.state), state, gradients, given), told)
  }

/** What is compiled for each phase of a task; one thing for those that have one loss. */
interface ByPhase<A> {
  readonly all: readonly A[]
  readonly at: (step: number) => A
}

const byPhase = <P, B, D, A>(task: Pick<Task<P, B, D>, 'loss'>, compiled: (phase: string) => A): ByPhase<A> => {
  const learning = learningOf(task)
  const names = learning === undefined ? [onePhase] : Object.keys(learning.phases)
  const made = new Map(names.map((name) => [name, compiled(name)]))
  return {
    all: [...made.values()],
    at: (step) => {
      const name = learning?.phaseAt(step).name ?? onePhase
      const found = made.get(name)
      if (found === undefined)
        throw new RangeError(`step ${step} is in phase '${name}', and the task has ${names.join(', ')}`)
      return found
    },
  }
}

/** The plan that takes the most bytes. */
const largest = (device: Device, plans: readonly Plan[]): Plan =>
  plans.reduce((a, b) => (device.bytesNeeded(b) > device.bytesNeeded(a) ? b : a))

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
  const steps = byPhase(task, (phase) => device.compile(recipeStep(recipe, phase), { donate: [0, 1, 2] }))
  const plan = (state: TrainState<P>): Plan =>
    largest(
      device,
      steps.all.map((step) => step.plan(state, task.blank(batch), givenAt(recipe, 1))),
    )
  return {
    count: batch,
    run: (state, examples, n) => steps.at(n)(state, examples(0, batch), givenAt(recipe, n)),
    bytes: (state) => device.bytesNeeded(plan(state)),
    plan,
    profile: (state, examples, n) => steps.at(n).profile(state, examples(0, batch), givenAt(recipe, n)),
  }
}

/** Bytes of all leaves. */
const bytesOfTree = (tree: unknown): number =>
  leaves(tree).reduce((sum, x) => sum + x.size * bytesPerElement[x.dtype], 0)

/** The functions that a step in parts is compiled to: the sum is donated to the next part. */
const partsOn = <P, B, D>(device: Device, recipe: Recipe<P, B, D>, { of }: Reduce, phase: string) => ({
  add: device.compile(
    (sum: Gradients<P>, params: P, examples: B, given: Draw, first: Tensor): Gradients<P> =>
      addGradients(sum, gradientsOf(recipe, phase)(params, examples, given, first), of),
    { donate: [0, 2] },
  ),
  apply: device.compile(
    (state: TrainState<P>, { gradients, ...told }: Gradients<P>, given: StepInputs): Stepped<P> =>
      stepped(applied(updatingIn(recipe, phase, told.state), state, gradients, given), told),
    { donate: [0, 1, 2] },
  ),
})

const reducingStepper = <P, B, D>(device: Device, recipe: Recipe<P, B, D>, reduce: Reduce): Stepper<P, B> => {
  const { task, batch } = recipe
  const { parts, before, of, gather } = reduce
  const zeroOf = (params: P): Gradients<P> => noGradients(params, task.loss, learningOf(task)?.parts)
  const start = device.compile(zeroOf)
  const compiled = byPhase(task, (phase) => partsOn(device, recipe, reduce, phase))
  const drawAt = (n: number, state: TrainState<P>): Draw => {
    const { key: seed, step, weights } = givenAt(recipe, n)
    return { key: seed, step, ...(weights !== undefined && { weights }), ...scaleIn(state) }
  }
  const firstOf = (part: number): number => (before + part) * batch
  const asTensor = (first: number): Tensor => scalar(first, 'u32')
  const plan = (state: TrainState<P>): Plan =>
    largest(
      device,
      compiled.all.map(({ add }) =>
        add.plan(zeroOf(state.params), state.params, task.blank(batch), drawAt(1, state), asTensor(firstOf(0))),
      ),
    )
  return {
    count: of * batch,
    run: async (state, examples, n) => {
      const given = drawAt(n, state)
      const { add, apply } = compiled.at(n)
      let sum = await start(state.params)
      for (let part = 0; part < parts; part++) {
        const first = firstOf(part)
        sum = await add(sum, state.params, examples(first, batch), given, asTensor(first))
      }
      return apply(state, gather === undefined ? sum : await gather(sum), givenAt(recipe, n))
    },
    bytes: (state) =>
      Math.max(
        device.bytesNeeded(plan(state)) + bytesOfTree([state.opt, state.averages, state.lossScale]), // which lie there meanwhile
        ...compiled.all.map(({ apply }) =>
          device.bytesNeeded(apply.plan(state, zeroOf(state.params), givenAt(recipe, 1))),
        ),
      ),
    plan,
    profile: async (state, examples, n) =>
      compiled
        .at(n)
        .add.profile(
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
