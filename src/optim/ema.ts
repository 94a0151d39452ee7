/**
 * The exponential moving average of the parameters, from which samples are drawn (Ho et al. 2020, appendix B).
 *
 * The decay of a step (emaDecay.ts) enters it as a buffer: 0 copies the parameters, 1 leaves the
 * average as it is, both exactly, also where the other is not finite, so that one compiled step serves every step of
 * training, and an average that has met a NaN can be copied anew.
 */
import { requireShare } from '../prelude/options.ts'
import { widened } from '../tensor/precision.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { zipTrees } from '../tensor/tree.ts'
import { rateFor, requireScalar } from './descent.ts'

/** d·a + (1 − d)·p, and exactly p for d = 0 and a for d = 1: 0 · NaN would be NaN. */
const mixed = (d: Tensor | number, a: Tensor, p: Tensor): Tensor => {
  if (typeof d === 'number') return d === 0 ? p : d === 1 ? a : a.mul(d).add(p.mul(1 - d))
  const between = a.mul(d).add(p.mul(d.operand(1).sub(d)))
  return d.equal(0).select(p, d.equal(1).select(a, between))
}

/**
 * d·average + (1 − d)·params, leaf by leaf, in the dtypes of the average; leaves that are not floats are copied from the
 * parameters. Of f16 parameters keep an f32 average: 0.9999 of a half is the half.
 *
 * @param decay d in [0, 1]: a number (part of the program) or a tensor of no axes (`scalar(schedule(step))`)
 * @throws RangeError for a number outside [0, 1]; ShapeError where the average is of other parameters
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { ema } from 'fathom/optim'
 *
 * ema(0.9, tensor([1, 1]), tensor([1, 2])) // => [1, 1.1]
 * ```
 */
export const ema = <P>(decay: Tensor | number, average: P, params: P): P => {
  requireScalar('ema', 'the decay', decay, requireShare)
  return zipTrees(
    average,
    params,
    (a, p) => {
      if (!isDifferentiable(p)) return p
      const wide = widened(a)
      return mixed(rateFor(wide, decay), wide, widened(p)).cast(a.dtype)
    },
    { operation: 'ema', first: 'the average', second: 'the parameters' },
  )
}
