/** Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2): the sign of a momentum. */
import { requireKnown } from '../prelude/options.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { mapTree } from '../tensor/tree.ts'
import { decoupled, decoupledOptions, type DecoupledOptions } from './decoupled.ts'
import { average, requireFraction, zerosFor } from './moments.ts'
import { zipState, type Transform, type Tree } from './transform.ts'

/** What {@link lion} takes; the defaults are the paper's. */
export interface LionOptions extends DecoupledOptions {
  /** β₁, of the average whose sign is the step; default 0.9. */
  readonly beta1?: number
  /** β₂, of the average that is kept; default 0.99. */
  readonly beta2?: number
}

/** The momentum in the structure of the parameters (f32 for f16 ones). */
export interface LionState {
  readonly mean: Tree
}

/** −1, 0 or 1; NaN stays NaN. */
const signOf = (x: Tensor): Tensor => x.greater(0).select(1, x.less(0).select(-1, x))

/**
 * Lion: p ← p − η·(sign(β₁m + (1 − β₁)g) + λp), then m ← β₂m + (1 − β₂)g.
 *
 * Each number of a parameter moves by η, whatever its gradient: take a third to a tenth of AdamW's rate, and as many times more of its decay.
 *
 * @throws RangeError for a beta outside [0, 1)
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { lion } from 'fathom/optim'
 *
 * const optimizer = lion({ learningRate: 0.1 })
 * const g = tensor([0.001, -50, 0])
 * const [updates, state] = optimizer.update(g, optimizer.init(g), g)
 * updates // => [-0.1, 0.1, 0]
 * state.mean // => [0.00001, -0.5, 0]
 * ```
 */
export const lion = (options: LionOptions = {}): Transform<LionState> => {
  requireKnown('lion', options, [...decoupledOptions, 'beta1', 'beta2'])
  const { beta1 = 0.9, beta2 = 0.99 } = options
  requireFraction('lion', 'beta1', beta1)
  requireFraction('lion', 'beta2', beta2)
  const signs: Transform<LionState> = {
    init: (params) => ({ mean: mapTree(params, zerosFor) }),
    update: (gradients, { mean }) => [
      zipState('lion', gradients, mean, (g, m) => signOf(average(beta1, m, widened(g)))),
      { mean: zipState('lion', gradients, mean, (g, m) => average(beta2, m, widened(g))) },
    ],
  }
  return decoupled(signs, options)
}
