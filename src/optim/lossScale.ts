/**
 * The dynamic loss scale of mixed precision, Micikevicius et al. 2018, section 3.2: cotangents are multiplied by a power of two, so that small ones are
 * no zeros as halves, and gradients are divided by it before anybody looks at them. Where one overflows, the step changes nothing and the scale
 * is halved; after many steps in a row that went well it is doubled, as PyTorch's `GradScaler` does.
 *
 * All of it is part of a compiled step: the host never needs to know whether a step was taken.
 */
import { requireKnown, requireWhole } from '../prelude/options.ts'
import { full, zeros } from '../tensor/create.ts'
import { widened } from '../tensor/precision.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, mapTree, zipTrees } from '../tensor/tree.ts'

/** How a loss scale goes. */
export interface LossScaleOptions {
  /** The scale of the first step, a power of two; default 65,536. */
  readonly initial?: number
  /** After so many good steps in a row the scale is doubled; default 2000. */
  readonly doubleAfter?: number
}

/** The state of a loss scale, part of what a step takes over from the step before. */
export interface LossScaleState {
  /** f32 [], a power of two: the cotangent of the loss with which the backward pass begins. */
  readonly scale: Tensor
  /** u32 [], good steps since the scale last changed. */
  readonly good: Tensor
  /** u32 [], steps that were skipped. */
  readonly skipped: Tensor
}

/** PyTorch's. */
const usualScale = 65_536

/** The scale and its inverse stay normal numbers of f32. */
const [least, most] = [2 ** -126, 2 ** 126]

/** The bits of f32's exponent: all of them are ones in ∞ and NaN, and in no other number. */
const exponentBits = 0x7f800000

/**
 * Whether all elements of all leaves are finite, bool []. It is tested on bits: compilers of GPUs may take floats for finite.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { allFinite } from 'fathom/optim'
 *
 * allFinite({ b: tensor([1, -3e38]), w: tensor([0]) }) // => true
 * allFinite({ b: tensor([1, NaN]), w: tensor([0]) }) // => false
 * allFinite([tensor([-Infinity])]) // => false
 * ```
 */
export const allFinite = (tree: unknown): Tensor => {
  const largest = leaves(tree).flatMap((x) => {
    if (x.size === 0) return []
    // Of f64 the difference: beyond f32's range its values are finite still.
    const exponent = x.dtype === 'f64' ? x.sub(x).cast('f32') : widened(x)
    return [exponent.bitcast('u32').and(exponentBits).max()]
  })
  return largest.reduce((a, b) => a.maximum(b), zeros([], 'u32')).less(exponentBits)
}

/**
 * `next` where a condition holds, `before` where it does not, leaf by leaf: what a step that is skipped leaves is `before`, bit for bit.
 *
 * @param condition bool []
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { allFinite, selectTree } from 'fathom/optim'
 *
 * const [before, next] = [{ w: tensor([1, 2]) }, { w: tensor([3, NaN]) }]
 * selectTree(allFinite(next), next, before).w // => [1, 2]
 * ```
 */
export const selectTree = <T>(condition: Tensor, next: T, before: T): T =>
  zipTrees(next, before, (x, y) => condition.select(x, y), {
    operation: 'selectTree',
    first: 'the next state',
    second: 'the one before',
  })

/**
 * Gradients of a scaled loss as those of the loss; a power of two changes no bit of what stays a normal number. Clipping and optimizers come after it.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { initialLossScale, unscaled } from 'fathom/optim'
 *
 * unscaled({ w: tensor([1024, 3]) }, initialLossScale({ initial: 1024 })).w // => [1, 0.00293]
 * ```
 */
export const unscaled = <P>(gradients: P, { scale }: LossScaleState): P => {
  const inverse = scale.operand(1).div(scale)
  return mapTree(gradients, (g) => {
    const wide = widened(g)
    return wide.mul(inverse.cast(wide.dtype))
  })
}

const requireOptions = (options: LossScaleOptions): Required<LossScaleOptions> => {
  requireKnown('lossScale', options, ['initial', 'doubleAfter'])
  const { initial = usualScale, doubleAfter = 2000 } = options
  requireWhole('lossScale', 'doubleAfter', doubleAfter, 1)
  if (!(initial >= least && initial <= most && Number.isInteger(Math.log2(initial))))
    throw new RangeError(
      `lossScale: the initial scale is ${initial}; it must be a power of two from 2⁻¹²⁶ to 2¹²⁶, for then scaling rounds nothing: use ${usualScale}`,
    )
  return { initial, doubleAfter }
}

/**
 * The loss scale before the first step.
 *
 * @throws RangeError for a scale that is no power of two
 * @example
 * ```ts
 * import { initialLossScale } from 'fathom/optim'
 *
 * initialLossScale() // => { good: 0, scale: 65536, skipped: 0 }
 * initialLossScale({ initial: 1000 }) // throws RangeError: lossScale: the initial scale is 1000; it must be a power of two …
 * ```
 */
export const initialLossScale = (options: LossScaleOptions = {}): LossScaleState => ({
  scale: full([], requireOptions(options).initial),
  good: zeros([], 'u32'),
  skipped: zeros([], 'u32'),
})

/**
 * The loss scale after a step.
 *
 * @param finite bool [], whether the gradients were: {@link allFinite}
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { allFinite, initialLossScale, nextLossScale } from 'fathom/optim'
 *
 * const options = { initial: 8, doubleAfter: 2 }
 * const [good, bad] = [allFinite(tensor([1])), allFinite(tensor([Infinity]))]
 * const once = nextLossScale(initialLossScale(options), good, options)
 * once // => { good: 1, scale: 8, skipped: 0 }
 * nextLossScale(once, good, options) // => { good: 0, scale: 16, skipped: 0 }
 * nextLossScale(once, bad, options) // => { good: 0, scale: 4, skipped: 1 }
 * ```
 */
export const nextLossScale = (
  { scale, good, skipped }: LossScaleState,
  finite: Tensor,
  options: LossScaleOptions = {},
): LossScaleState => {
  const { doubleAfter } = requireOptions(options)
  const inRow = good.add(1)
  const isDue = inRow.equal(doubleAfter)
  const [doubled, halved] = [scale.mul(2).minimum(most), scale.mul(0.5).maximum(least)]
  return {
    scale: finite.select(isDue.select(doubled, scale), halved),
    good: finite.and(isDue.not()).select(inRow, 0),
    skipped: skipped.add(finite.select(0, skipped.operand(1))),
  }
}
