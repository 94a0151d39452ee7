/** Optimizers over ten steps, averages, clipping and learning rates, as test/golden/torch/training.py names them. */
import { grad, valueAndGrad } from '../../src/autograd/grad.ts'
import { mlp, type MlpParams } from '../../src/models/mlp.ts'
import { binaryCrossEntropy, mse } from '../../src/nn/losses.ts'
import { accumulate, emptyAccumulation } from '../../src/optim/accumulate.ts'
import { adam, adamW, type AdamWOptions } from '../../src/optim/adam.ts'
import { chain } from '../../src/optim/chain.ts'
import { ema } from '../../src/optim/ema.ts'
import { clipByGlobalNorm, globalNorm } from '../../src/optim/globalNorm.ts'
import {
  constantWithWarmup,
  cosineDecay,
  cosineWithRestarts,
  linearDecay,
  piecewiseConstant,
  polynomialDecay,
  type RateSchedule,
} from '../../src/optim/schedules.ts'
import { sgd, type SgdOptions } from '../../src/optim/sgd.ts'
import { applyUpdates, type Transform } from '../../src/optim/transform.ts'
import { addDecayedWeights } from '../../src/optim/weightDecay.ts'
import { range } from '../../src/prelude/array.ts'
import { stack } from '../../src/tensor/combine.ts'
import { constant } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { widthsOf } from './layers.ts'
import { row, type Row, type Rows } from './row.ts'

interface Task {
  readonly params: MlpParams
  readonly x: Tensor
  readonly target: Tensor
  readonly loss?: 'mse' | 'bce'
  /** A learning rate for each step, in the place of the optimizer's own. */
  readonly rates?: readonly number[]
}

const lossOf =
  (loss: 'mse' | 'bce' = 'mse') =>
  (params: MlpParams, x: Tensor, target: Tensor): Tensor =>
    (loss === 'mse' ? mse : binaryCrossEntropy)(mlp(widthsOf(params)).apply(params, x), target)

interface Trained<S> {
  readonly params: MlpParams
  readonly state: S
  readonly losses: readonly Tensor[]
  readonly shown: Readonly<Record<string, MlpParams>>
}

const stepsShown: readonly number[] = [1, 2, 10]

/** Ten steps: the loss before each, and the parameters after some. */
const train = <S>({ params, x, target, loss, rates }: Task, optimizer: Transform<S>): unknown => {
  const start: Trained<S> = { params, state: optimizer.init(params), losses: [], shown: {} }
  const end = range(10).reduce((now, i): Trained<S> => {
    const [value, gradients] = valueAndGrad(lossOf(loss))(now.params, x, target)
    const learningRate = rates?.[i]
    const [updates, state] = optimizer.update(
      gradients,
      now.state,
      now.params,
      learningRate === undefined ? {} : { learningRate },
    )
    const after = applyUpdates(now.params, updates)
    const shown = stepsShown.includes(i + 1) ? { ...now.shown, [`after${i + 1}`]: after } : now.shown
    return { params: after, state, losses: [...now.losses, value], shown }
  }, start)
  return { losses: stack(end.losses), ...end.shown }
}

interface Decay {
  readonly weightDecay?: number
}

const taskNames: ReadonlySet<string> = new Set(['params', 'x', 'target', 'loss', 'rates'] satisfies (keyof Task)[])

/** The options of the optimizer itself. */
const optimizerOptions = <A extends Task>(task: A): Omit<A, keyof Task> =>
  Object.fromEntries(Object.entries(task).filter(([name]) => !taskNames.has(name))) as Omit<A, keyof Task>

const accumulated = ({ params, x, target, count }: Task & { readonly count: number }): MlpParams => {
  const rows = (x.shape[0] ?? 0) / count
  const part = (t: Tensor, i: number): Tensor => t.slice([i * rows, (i + 1) * rows])
  return range(count).reduce(
    (sum, i) => accumulate(sum, grad(lossOf())(params, part(x, i), part(target, i)), count),
    emptyAccumulation(params),
  )
}

const averaged = ({ average, params, decays }: { average: Tensor; params: Tensor; decays: Tensor }): Tensor =>
  range(decays.size).reduce(
    (mean, i) =>
      ema(decays.slice([i, i + 1]).reshape([]), [mean], [params.slice([i, i + 1]).reshape(average.shape)])[0] as Tensor,
    average,
  )

/** The rates of 24 steps from `first` on. */
const rates = (schedule: RateSchedule, first = 0): Tensor =>
  constant(
    range(24).map((i) => schedule(first + i)),
    { dtype: 'f64' },
  )

const scheduled = <A>(f: (options: A & { readonly learningRate: number }) => RateSchedule, first = 0): Row =>
  row<A & { readonly learningRate: number }>((options) => rates(f(options), first))

const schedules: Rows = {
  constantWithWarmup: scheduled<{ warmupSteps: number }>(constantWithWarmup, 1), // PyTorch's begins one step after 0
  linearDecay: scheduled<{ steps: number }>(linearDecay),
  cosineDecay: scheduled<{ steps: number }>(cosineDecay),
  cosineWithRestarts: scheduled<{ steps: number; cycles: number }>(cosineWithRestarts),
  polynomialDecay: scheduled<{ steps: number; power: number }>((options) => polynomialDecay({ ...options, end: 0 })),
  piecewiseConstant: scheduled<{ milestones: number[]; gamma: number }>(({ learningRate, milestones, gamma }) =>
    piecewiseConstant(
      learningRate,
      milestones.map((until, i) => ({ until, factor: gamma ** i })),
      gamma ** milestones.length,
    ),
  ),
}

/** Subject → function. */
export const training: Rows = {
  sgd: row<Task & SgdOptions & Decay>((task) => {
    const { weightDecay = 0, ...options } = optimizerOptions(task)
    return train(task, chain(addDecayedWeights(weightDecay), sgd(options)))
  }),
  adam: row<Task & AdamWOptions>((task) => {
    const { weightDecay = 0, ...options } = optimizerOptions(task)
    return train(task, chain(addDecayedWeights(weightDecay), adam(options)))
  }),
  adamW: row<Task & AdamWOptions>((task) => train(task, adamW(optimizerOptions(task)))),
  clipByGlobalNorm: row<Task & SgdOptions & { readonly maxNorm: number }>((task) => {
    const { maxNorm, ...options } = optimizerOptions(task)
    return train(task, chain(clipByGlobalNorm(maxNorm), sgd(options)))
  }),
  globalNorm: row<Readonly<Record<string, Tensor>>>(globalNorm),
  ema: row(averaged),
  accumulate: row(accumulated),
  ...schedules,
}
