/**
 * Adafactor (Shazeer & Stern 2018, algorithms 4 and 5): second moments kept as a row and a column of each matrix, so that the state is small beside
 * the parameters.
 *
 * Where it leaves things open it does as Hugging Face's `transformers` does.
 */
import { valueAt } from '../prelude/map.ts'
import { requireKnown, requireNotNegative, requirePositive } from '../prelude/options.ts'
import { joinPath } from '../prelude/treePath.ts'
import { zeros } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leavesWithPaths, mapTree, zipTrees } from '../tensor/tree.ts'
import { rateFor, requireScalar } from './descent.ts'
import { asMatrix, isMatrix, matrixShape } from './matrices.ts'
import { average, correctionDType, requireFraction, zerosFor } from './moments.ts'
import { zipState, type Transform, type Tree } from './transform.ts'

/** What {@link adafactor} takes; the defaults are the paper's. */
export interface AdafactorOptions {
  /** η; left out, and given with no `update`, it is the paper's relative step, min(10⁻², 1/√t). */
  readonly learningRate?: number
  /** Whether rates are multiples of each parameter's root mean square, 10⁻³ at least; default true. */
  readonly scaleParameter?: boolean
  /** c of β₂ = 1 − t^−c; default 0.8. */
  readonly decay?: number
  /** d: updates whose root mean square is above it are shortened to it; default 1. */
  readonly clip?: number
  /** β₁ in [0, 1): a mean of the updates, for the price of a second state; default 0, which keeps none. */
  readonly beta1?: number
  /** λ: each step shrinks the weights by the factor 1 − rate·λ; default 0. */
  readonly weightDecay?: number
  /** ε₁, added to squared gradients; default 1e-30. */
  readonly epsilon?: number
}

/** Second moments, a row and a column of a matrix or the whole of a vector; the mean of updates; and the steps so far. */
export interface AdafactorState {
  readonly moments: Tree
  readonly mean?: Tree
  readonly count: Tensor
}

const optionNames: readonly (keyof AdafactorOptions)[] = [
  'learningRate',
  'scaleParameter',
  'decay',
  'clip',
  'beta1',
  'weightDecay',
  'epsilon',
]

/** ε₂, the least root mean square by which a rate is multiplied. */
const leastScale = 1e-3

/** The second moments of a parameter before the first step. */
const momentsFor = (p: Tensor): Readonly<Record<string, Tensor>> => {
  if (!isMatrix(p)) return { all: zerosFor(p) }
  const [rows, columns] = matrixShape(p)
  const { dtype } = widened(p)
  return { columns: zeros([columns], dtype), rows: zeros([rows], dtype) }
}

/** tᵖ of a count. */
const power = (t: Tensor, p: number): Tensor => t.log().mul(p).exp()

const rootMeanSquare = (x: Tensor): Tensor => x.square().mean().sqrt()

/** The moments after a step. @param kept 1 − β₂ */
const onward = (g: Tensor, kept: Tensor, epsilon: number, path: string, last: (name: string) => Tensor) => {
  const share = kept.cast(g.dtype)
  const mixed = (name: string, now: Tensor): Tensor => {
    const old = last(name)
    return old.add(now.sub(old).mul(share)) // β₂·old + (1 − β₂)·now, and exactly `now` at the first step
  }
  const square = g.square().add(epsilon)
  if (!isMatrix(g)) return { all: mixed('all', square) }
  const matrix = asMatrix('adafactor', square, path)
  return { columns: mixed('columns', matrix.mean(0)), rows: mixed('rows', matrix.mean(1)) }
}

/** g/√v̂, v̂ being rows · columns / mean(rows) of a matrix (algorithm 4). */
const scaled = (g: Tensor, moments: ReturnType<typeof onward>, path: string): Tensor => {
  if ('all' in moments) return g.div(moments.all.sqrt())
  const { rows, columns } = moments
  const byRow = rows.div(rows.mean()).sqrt().expandDims(1)
  return asMatrix('adafactor', g, path).div(byRow).div(columns.sqrt()).reshape(g.shape)
}

/** u / max(1, RMS(u)/d). */
const clipped = (u: Tensor, d: number): Tensor => (u.size === 0 ? u : u.div(rootMeanSquare(u).div(d).maximum(1)))

/** A leaf's updates and moments. */
interface Leaf {
  readonly update: Tensor
  readonly moments: Readonly<Record<string, Tensor>>
}

/** Scaled and clipped updates, and the moments, by path. */
const stepOf = (
  gradients: unknown,
  moments: Tree,
  kept: Tensor,
  { epsilon, clip }: { readonly epsilon: number; readonly clip: number },
): ReadonlyMap<string, Leaf> => {
  const checked = zipState('adafactor', mapTree<unknown>(gradients, momentsFor), moments, (_, s) => s)
  const before = new Map(leavesWithPaths(checked))
  return new Map(
    leavesWithPaths(gradients).map(([path, gradient]) => {
      const g = widened(gradient)
      const next = onward(g, kept, epsilon, path, (name) => valueAt(before, joinPath(path, name)))
      return [path, { update: clipped(scaled(g, next, path), clip), moments: next }]
    }),
  )
}

const requireOptions = (options: AdafactorOptions) => {
  requireKnown('adafactor', options, optionNames)
  const { decay = 0.8, clip = 1, beta1 = 0, weightDecay = 0, epsilon = 1e-30, scaleParameter = true } = options
  requirePositive('adafactor', 'decay', decay)
  requirePositive('adafactor', 'clip', clip)
  requireFraction('adafactor', 'beta1', beta1)
  requireNotNegative('adafactor', 'weightDecay', weightDecay)
  requireNotNegative('adafactor', 'epsilon', epsilon)
  if (options.learningRate !== undefined) requireNotNegative('adafactor', 'the learning rate', options.learningRate)
  return { decay, clip, beta1, weightDecay, epsilon, scaleParameter, learningRate: options.learningRate }
}

/**
 * Adafactor: p ← p − α·(u + λp), u being g/√v̂ with a root mean square of d at most, v̂ = rows · columns / mean(rows) with
 * β₂ = 1 − t^−0.8, and α = max(10⁻³, RMS(p))·min(10⁻², 1/√t).
 *
 * @example
 * ```ts
 * import { countElements, tensor, zeros } from 'fathom'
 * import { adafactor } from 'fathom/optim'
 *
 * const optimizer = adafactor()
 * const w = tensor([[3, 3], [3, 3]])
 * const [updates] = optimizer.update(tensor([[1, 1], [2, 2]]), optimizer.init(w), w)
 * updates // => [[-0.03, -0.03], [-0.03, -0.03]]
 * countElements(optimizer.init(zeros([1000, 500]))) // => 1501
 * ```
 */
export const adafactor = (options: AdafactorOptions = {}): Transform<AdafactorState> => {
  const { decay, clip, beta1, weightDecay, epsilon, scaleParameter, learningRate } = requireOptions(options)
  return {
    init: (params) => ({
      moments: mapTree<unknown>(params, momentsFor),
      ...(beta1 > 0 && { mean: mapTree(params, zerosFor) }),
      count: zeros([], correctionDType(params)),
    }),
    update: (gradients, state, params, given = {}) => {
      const count = state.count.add(1)
      const named = given.learningRate ?? learningRate
      if (named !== undefined) requireScalar('adafactor', 'the learning rate', named, requireNotNegative)
      const rate = named ?? power(count, -0.5).minimum(1e-2)
      const byPath = stepOf(gradients, state.moments, power(count, -decay), { epsilon, clip })
      const now = mapTree(gradients, (_, path) => valueAt(byPath, path).update)
      const mean = beta1 > 0 ? zipState('adafactor', now, state.mean, (u, m) => average(beta1, m, u)) : undefined
      const alpha = (p: Tensor): Tensor | number => {
        const by = rateFor(p, rate)
        return scaleParameter && p.size > 0 ? rootMeanSquare(p).maximum(leastScale).mul(by) : by
      }
      const moved = (u: Tensor, parameter: Tensor): Tensor => {
        const p = widened(parameter)
        return (weightDecay === 0 ? u : u.add(p.mul(weightDecay))).mul(alpha(p)).neg()
      }
      const naming = { operation: 'adafactor', first: 'the gradients', second: 'the parameters' }
      return [
        zipTrees(mean ?? now, params, moved, naming),
        {
          moments: mapTree<unknown>(gradients, (_, path) => valueAt(byPath, path).moments),
          ...(mean !== undefined && { mean }),
          count,
        },
      ]
    },
  }
}
