/** The norm of all gradients together, and clipping by it (Pascanu et al. 2013, algorithm 1). */
import { full } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leaves, mapTree } from '../tensor/tree.ts'
import { widened } from '../tensor/precision.ts'
import { stateless, type Stateless, type Transform } from './transform.ts'

/** As in PyTorch's `clip_grad_norm_`: keeps the quotient finite when all gradients are 0. */
const clipEpsilon = 1e-6

/**
 * From where on squares leave the range of the dtype, or lose digits at its lower end, and the power of two that brings
 * the largest number back: multiplying by it rounds nothing, so that between the bounds the bits are those of plain
 * sums.
 */
const ranges = {
  f32: { least: 2 ** -40, most: 2 ** 50, factor: 2 ** 80 },
  f64: { least: 2 ** -300, most: 2 ** 400, factor: 2 ** 600 },
} as const

/** ‖c·x‖ of all leaves, and the power of two c that keeps the squares in range. */
interface ScaledNorm {
  readonly norm: Tensor
  readonly scale: Tensor
}

/** c from the largest |x|: 1 nearly always; NaN keeps 1, and ∞ stays ∞. */
const scaleFor = (largest: Tensor, { least, most, factor }: (typeof ranges)[keyof typeof ranges]): Tensor =>
  largest
    .greater(most)
    .select(1 / factor, largest.less(least).select(largest.operand(factor), 1))
    .stopGradient()

const scaledNorm = (tree: unknown): ScaledNorm => {
  const dtype = leaves(tree).some((x) => x.dtype === 'f64') ? 'f64' : 'f32'
  const xs = leaves(tree).flatMap((x) => (x.size === 0 ? [] : [x.cast(dtype)]))
  const zero = full([], 0, dtype)
  const largest = xs.map((x) => x.abs().max()).reduce((a, b) => a.maximum(b), zero)
  const scale = scaleFor(largest, ranges[dtype])
  const sum = xs.map((x) => x.mul(scale).square().sum()).reduce((a, b) => a.add(b), zero)
  const isZero = sum.equal(0)
  const root = isZero.select(1, sum).sqrt() // the root has no derivative at 0, where the norm's is 0 as in PyTorch
  return { norm: isZero.select(0, root), scale }
}

/**
 * √Σ x² over all elements of all leaves, as a scalar: f64 when a leaf is, else f32; f16 leaves are summed in f32. 0 for
 * no leaves. The norm is right wherever it is a number of its dtype, also where squares are none, and NaN where a leaf
 * is.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { globalNorm } from 'fathom/optim'
 *
 * globalNorm({ weight: tensor([[3]]), bias: tensor([4]) }) // => 5
 * globalNorm(tensor([3e20, 4e20])).mul(1e-20) // => 5
 * ```
 */
export const globalNorm = (tree: unknown): Tensor => {
  const { norm, scale } = scaledNorm(tree)
  return norm.div(scale)
}

/**
 * g → g · min(1, maxNorm / (‖g‖ + 1e-6)) with the norm over all leaves together, as PyTorch's `clip_grad_norm_`, and
 * without its overflow: finite gradients are shortened, however long they are.
 *
 * Gradients that are not finite stay so; look at {@link globalNorm} to find them.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { clipByGlobalNorm } from 'fathom/optim'
 *
 * const clip = clipByGlobalNorm(1)
 * const long = tensor([0, 2]) // of norm 2: halved
 * clip.update(long, {}, long)[0] // => [0, 1]
 * const short = tensor([0, 0.5])
 * clip.update(short, {}, short)[0] // => [0, 0.5]
 * ```
 */
export const clipByGlobalNorm = (maxNorm: number): Transform<Stateless> => {
  if (!(maxNorm > 0)) throw new RangeError(`clipByGlobalNorm: the largest norm is ${maxNorm}; it must be above 0`)
  return stateless((gradients) => {
    const { norm, scale } = scaledNorm(gradients)
    // ‖c·g‖ against c·maxNorm, for ‖g‖ itself may be ∞
    const [bound, length] = [scale.mul(maxNorm), norm.add(scale.mul(clipEpsilon))]
    const factor = bound.div(length).minimum(1)
    return mapTree(gradients, (gradient) => {
      const g = widened(gradient)
      return g.mul(factor.cast(g.dtype))
    })
  })
}
