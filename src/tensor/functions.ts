/** Named functions of a tensor: the derived operations that papers and textbooks name. */
import { at, without } from '../prelude/array.ts'
import { ShapeError } from '../prelude/errors.ts'
import { makeNode } from '../graph/node.ts'
import type { DotAttrs } from '../graph/ops.ts'
import { normalizeAxis, showShape } from '../graph/shape.ts'
import { customVjp } from './annotate.ts'
import { full } from './create.ts'
import { expectTensor, nodeOf } from './expect.ts'
import { Tensor, type Axes } from './tensor.ts'

/** `f` of a half computed in f32 and rounded at the end: a sum of halves may be none, and each step would round. */
const inSingle = (x: Tensor, f: (x: Tensor) => Tensor): Tensor =>
  x.dtype === 'f16' ? f(x.cast('f32')).cast('f16') : f(x)

/**
 * max(x, 0), with gradient 0 at 0 as in PyTorch; NaN stays NaN, and lets the gradient pass.
 *
 * @example
 * ```ts
 * import { relu, tensor } from 'fathom'
 *
 * relu(tensor([-2, 0, 3])) // => [0, 0, 3]
 * ```
 */
export const relu = (x: Tensor): Tensor => x.less(0).or(x.equal(0)).select(0, x)

/**
 * x for x > 0, `slope`·x elsewhere.
 *
 * @example
 * ```ts
 * import { leakyRelu, tensor } from 'fathom'
 *
 * leakyRelu(tensor([-2, 0, 3])) // => [-0.02, 0, 3]
 * ```
 */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => x.greater(0).select(x, x.mul(slope))

/**
 * x · σ(x) (Elfwing et al. 2018); also called swish.
 *
 * @example
 * ```ts
 * import { silu, tensor } from 'fathom'
 *
 * silu(tensor([-100, 0, 1, 100])) // => [0, 0, 0.731, 100]
 * ```
 */
export const silu = (x: Tensor): Tensor => x.mul(x.sigmoid())

/**
 * x · Φ(x), Φ the normal distribution function: the exact GELU (Hendrycks & Gimpel 2016), PyTorch's default.
 *
 * @example
 * ```ts
 * import { gelu, tensor } from 'fathom'
 *
 * gelu(tensor([-100, 0, 1, 100])) // => [0, 0, 0.8413, 100]
 * ```
 */
export const gelu = (x: Tensor): Tensor => x.mul(x.mul(Math.SQRT1_2).erf().add(1).mul(0.5))

/**
 * The tanh approximation of GELU (Hendrycks & Gimpel 2016, section 2).
 *
 * @example
 * ```ts
 * import { geluTanh, tensor } from 'fathom'
 *
 * geluTanh(tensor([-100, 0, 1, 100])) // => [0, 0, 0.8412, 100]
 * ```
 */
export const geluTanh = (x: Tensor): Tensor =>
  // ½x·(1 + tanh u) with u = √(2/π)·(x + 0.044715x³), written as x·σ(2u): 1 + tanh u would cancel where x is negative.
  x.mul(
    x
      .add(x.pow(3).mul(0.044715))
      .mul(2 * Math.sqrt(2 / Math.PI))
      .sigmoid(),
  )

/**
 * log(1 + eˣ) = max(x, 0) + log(1 + e^−|x|), without overflow. Its derivative is the logistic function, at 0 too, where the parts have
 * kinks.
 *
 * @example
 * ```ts
 * import { softplus, tensor } from 'fathom'
 *
 * softplus(tensor([-1000, 0, 1000])) // => [0, 0.693, 1000]
 * ```
 */
export const softplus: (x: Tensor) => Tensor = customVjp(
  (x: Tensor): Tensor => relu(x).add(x.abs().neg().exp().add(1).log()),
  ([x], g): [Tensor] => [g.mul(x.sigmoid())],
)

/**
 * eˣ / Σ eˣ along `axis`; the maximum is taken off first, which changes nothing but the range. Its own derivative, y·(g − Σ g·y), needs
 * the result alone: nothing else waits in memory for the backward pass.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from 'fathom'
 *
 * softmax(tensor([1, 2, 3])) // => [0.09, 0.24, 0.67]
 * softmax(tensor([1000, 1000])) // => [0.5, 0.5]
 * ```
 */
export const softmax = (x: Tensor, axis = -1): Tensor => {
  const a = normalizeAxis('softmax', axis, x.rank)
  return at(x.shape, a) === 0 ? x : inSingle(x, (wide) => softmaxOf(wide, a))
}

const softmaxOf = (x: Tensor, axis: number): Tensor =>
  customVjp(
    (x: Tensor): Tensor => {
      const e = x.sub(x.max(axis, true)).exp()
      return e.div(e.sum(axis, true))
    },
    ([x], g): [Tensor] => {
      const y = softmaxOf(x, axis)
      return [g.sub(g.mul(y).sum(axis, true)).mul(y)]
    },
  )(x)

/** The largest element of each row, held constant: what is taken off before eˣ, which changes nothing but the range. */
const offsetOf = (x: Tensor, axis: number): Tensor => x.max(axis, true).stopGradient()

/** log Σ e^z for z ≤ 0, of which one is 0. */
const logSumOf = (z: Tensor, axis: number): Tensor => z.exp().sum(axis, true).log()

/**
 * log Σ eˣ along `axis`; −∞ where all elements are, or there are none.
 *
 * @example
 * ```ts
 * import { logSumExp, tensor } from 'fathom'
 *
 * logSumExp(tensor([Math.log(1), Math.log(2), Math.log(3)])) // => 1.7918
 * logSumExp(tensor([1000, 1000])).sub(1000) // => 0.693
 * ```
 */
export const logSumExp = (x: Tensor, axis = -1, keepDims = false): Tensor => {
  const a = normalizeAxis('logSumExp', axis, x.rank)
  const kept = x.shape.map((n, i) => (i === a ? 1 : n))
  const y = at(x.shape, a) === 0 ? full(kept, -Infinity, x.dtype) : inSingle(x, (wide) => logSumExpOf(wide, a))
  return keepDims ? y : y.reshape(without(kept, [a]))
}

const logSumExpOf = (x: Tensor, axis: number): Tensor => {
  const largest = offsetOf(x, axis)
  const m = largest.abs().equal(Infinity).select(0, largest) // ∞ − ∞ is no number, and eˣ of ±∞ needs no offset
  return logSumOf(x.sub(m), axis).add(m)
}

/**
 * log softmax(x) along `axis`: (x − max x) − log Σ e^(x − max x). The logarithm is small and comes last: next to a large maximum it would
 * be rounded away.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from 'fathom'
 *
 * logSoftmax(tensor([1, 2, 3])) // => [-2.41, -1.41, -0.41]
 * logSoftmax(tensor([0, 1000])) // => [-1000, 0]
 * logSoftmax(tensor([1e8, 1e8])) // => [-0.693, -0.693]
 * ```
 */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => {
  const a = normalizeAxis('logSoftmax', axis, x.rank)
  if (at(x.shape, a) === 0) return x
  return inSingle(x, (wide) => {
    const z = wide.sub(offsetOf(wide, a))
    return z.sub(logSumOf(z, a))
  })
}

/**
 * The mean squared deviation from the mean over `axes` (divided by the count, not count − 1).
 *
 * @example
 * ```ts
 * import { tensor, variance } from 'fathom'
 *
 * variance(tensor([1, 2, 3, 4])) // => 1.25
 * variance(tensor([[1, 3], [0, 10]]), 1) // => [1, 25]
 * ```
 */
export const variance = (x: Tensor, axes?: Axes, keepDims = false): Tensor =>
  inSingle(x, (wide) => wide.sub(wide.mean(axes, true)).square().mean(axes, keepDims))

/** `x` moved `by` places towards the end of `axis`; zeros come in, and what leaves is lost. */
const moved = (x: Tensor, axis: number, by: number): Tensor => {
  const low = x.shape.map((_, i) => (i === axis ? by : 0))
  const kept = x.shape.map((n, i) => [0, i === axis ? n - by : n] as const)
  return x.slice(...kept).pad(
    low,
    x.shape.map(() => 0),
  )
}

/** Running sums by doubling: when a step begins, each element is the sum of the last `reach` ones up to it (Hillis and Steele 1986). */
const doubled = (x: Tensor, axis: number, reach = 1): Tensor =>
  reach >= at(x.shape, axis) ? x : doubled(x.add(moved(x, axis, reach)), axis, 2 * reach)

/**
 * Running sums along `axis`, in ⌈log₂ n⌉ steps over all elements. Bytes are summed in i32, halves in f32.
 *
 * @example
 * ```ts
 * import { cumsum, tensor } from 'fathom'
 *
 * cumsum(tensor([[1, 2, 3], [4, 5, 6]])) // => [[1, 3, 6], [4, 9, 15]]
 * cumsum(tensor([[1, 2, 3], [4, 5, 6]]), 0) // => [[1, 2, 3], [5, 7, 9]]
 * ```
 */
export const cumsum = (x: Tensor, axis = -1): Tensor => {
  const a = normalizeAxis('cumsum', axis, x.rank)
  return inSingle(x.dtype === 'u8' ? x.cast('i32') : x, (wide) => doubled(wide, a))
}

/**
 * The general contraction: batch axes first, then the free axes of x, then those of y.
 *
 * @example
 * ```ts
 * import { dotGeneral, zeros } from 'fathom'
 *
 * const [x, y] = [zeros([8, 2, 5]), zeros([8, 3, 5])]
 * dotGeneral(x, y, { batch: [[0], [0]], contract: [[2], [2]] }).shape // => [8, 2, 3]
 * ```
 */
export const dotGeneral = (x: Tensor, y: Tensor, attrs: Omit<DotAttrs, 'dtype'>): Tensor =>
  new Tensor(makeNode('dotGeneral', { ...attrs, dtype: x.dtype }, [nodeOf('dotGeneral', x), nodeOf('dotGeneral', y)]))

/**
 * Einstein summation over two tensors, as in NumPy: `einsum('bqd,bkd->bqk', q, k)`.
 *
 * Letters in both inputs and the output are batch axes; in both inputs only, they are contracted.
 *
 * @example
 * ```ts
 * import { einsum, tensor } from 'fathom'
 *
 * const [x, y] = [tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])]
 * einsum('ij,jk->ik', x, y) // => [[19, 22], [43, 50]]
 * einsum('ij,ij->', x, y) // => 70
 * ```
 */
export const einsum = (formula: string, x: Tensor, y: Tensor): Tensor => {
  for (const operand of [x, y]) expectTensor('einsum', operand)
  const match = /^\s*([a-zA-Z]*)\s*,\s*([a-zA-Z]*)\s*->\s*([a-zA-Z]*)\s*$/.exec(formula)
  if (match === null)
    throw new ShapeError(`einsum: '${formula}' is not of the form 'ij,jk->ik': two operands, and the result named`)
  const [xs, ys, out] = [[...(match[1] ?? '')], [...(match[2] ?? '')], [...(match[3] ?? '')]]
  if (xs.length !== x.rank || ys.length !== y.rank)
    throw new ShapeError(
      `einsum: '${formula}' does not name the axes of ${showShape(x.shape)} and ${showShape(y.shape)}`,
    )
  const shared = xs.filter((l) => ys.includes(l))
  const batch = shared.filter((l) => out.includes(l))
  const contract = shared.filter((l) => !out.includes(l))
  const result = [...batch, ...xs.filter((l) => !shared.includes(l)), ...ys.filter((l) => !shared.includes(l))]
  if (result.length !== out.length || out.some((l) => !result.includes(l)))
    throw new ShapeError(
      `einsum: '${formula}' sums a letter that stands in one input only, or repeats one; sum it first`,
    )
  const axes = (letters: readonly string[], of: readonly string[]): readonly number[] =>
    letters.map((l) => of.indexOf(l))
  const z = dotGeneral(x, y, {
    contract: [axes(contract, xs), axes(contract, ys)],
    batch: [axes(batch, xs), axes(batch, ys)],
  })
  return z.transpose(axes(out, result))
}

/**
 * Softmax attention, Vaswani et al. 2017, eq. 1: `[…, Q, D], […, K, D], […, K, V] → […, Q, V]`.
 *
 * @example
 * ```ts
 * import { attention, tensor } from 'fathom'
 *
 * const key = tensor([[100, 0], [0, 100]])
 * const value = tensor([[1, 2, 3], [4, 5, 6]])
 * attention(tensor([[0, 1]]), key, value) // => [[4, 5, 6]]
 * attention(tensor([[1, 1]]), key, value) // => [[2.5, 3.5, 4.5]]
 * ```
 */
export const attention = (query: Tensor, key: Tensor, value: Tensor): Tensor => {
  for (const x of [query, key, value]) expectTensor('attention', x)
  if (query.rank < 2 || key.rank !== query.rank || value.rank !== query.rank)
    throw new ShapeError(
      `attention: takes query […, Q, D], key […, K, D] and value […, K, V] with equal leading axes, got ${[query, key, value].map((x) => showShape(x.shape)).join(', ')}`,
    )
  const scale = 1 / Math.sqrt(at(query.shape, query.rank - 1))
  const n = query.rank
  const batch = query.shape.slice(0, -2).map((_, i) => i)
  const logits = dotGeneral(query.mul(scale), key, { contract: [[n - 1], [n - 1]], batch: [batch, batch] })
  return softmax(logits).matmul(value)
}
