/**
 * Connectionist temporal classification (Graves et al. 2006): the likelihood of a sequence of labels whose places in time nobody has marked,
 * summed over all of them.
 */
import { at } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { requireKnown } from '../prelude/options.ts'
import { showShape } from '../graph/shape.ts'
import { customVjp } from '../tensor/annotate.ts'
import { concatenate, gather, stack } from '../tensor/combine.ts'
import { full, iota } from '../tensor/create.ts'
import { expectTensors } from '../tensor/expect.ts'
import { knownValues, storedValues } from '../tensor/known.ts'
import { padWith } from '../tensor/padding.ts'
import { scan } from '../tensor/scan.ts'
import { logSumExp } from '../tensor/softmax.ts'
import { isDifferentiable, type Tensor } from '../tensor/tensor.ts'
import { reductionOf, requireFloat, type ReductionOptions } from './lossShapes.ts'

/** How {@link ctcLoss} reads its labels; PyTorch's meaning of each. */
export interface CtcOptions extends ReductionOptions {
  /** The class between labels, default 0. */
  readonly blank?: number
  /** Whether a loss of ∞, of labels that do not fit into the time there is, is 0 with a gradient of 0. */
  readonly zeroInfinity?: boolean
}

/** The logarithm of what cannot be: finite, so that differences of two of them are numbers. */
const never = -1e30

/** Everything from here on is {@link never} with something added. */
const impossible = 1e29

/** log p of the labels with blanks around each, [N, T, 2S + 1]. */
const emissions = (log: Tensor, labels: Tensor, blank: number): Tensor => {
  const [n, t, c] = [at(log.shape, 0), at(log.shape, 1), at(log.shape, 2)]
  const s = at(labels.shape, 1)
  const blanks = log.slice([], [], [blank, blank + 1])
  if (s === 0) return blanks
  const rows = log.transpose([0, 2, 1]).reshape([n * c, t])
  const isClass = labels.greaterEqual(0).and(labels.less(c))
  const index = isClass
    .select(labels, 0)
    .add(iota([n, s], 0).mul(c))
    .reshape([n * s])
  const picked = gather(rows, index).reshape([n, s, t]).transpose([0, 2, 1])
  const own = isClass.expandDims(1).select(picked, NaN) // as in every loss, where only the device knows the label
  const pairs = stack([blanks.broadcastTo([n, t, s]), own], 3).reshape([n, t, 2 * s])
  return concatenate([pairs, blanks], 2)
}

/** Where a path may pass over the blank before a label: where the label before it is another, [N, 2S + 1]. */
const skips = (labels: Tensor): Tensor => {
  const [n, s] = [at(labels.shape, 0), at(labels.shape, 1)]
  const no = full([n, 1], 0, 'bool')
  if (s < 2) return full([n, 2 * s + 1], 0, 'bool')
  const differ = labels
    .slice([], [1])
    .equal(labels.slice([], [0, s - 1]))
    .not()
  const atLabels = concatenate([no, differ], 1)
  const pairs = stack([full([n, s], 0, 'bool'), atLabels], 2).reshape([n, 2 * s])
  return concatenate([pairs, no], 1)
}

/** Moved by some places to the right; what comes in cannot be. */
const moved = (alpha: Tensor, by: number): Tensor => {
  const length = at(alpha.shape, 1)
  return by >= length
    ? full(alpha.shape, never, alpha.dtype)
    : padWith(alpha.slice([], [0, length - by]), [0, [by, 0]], { value: never })
}

/**
 * −log p of each row of labels (Graves et al. 2006, eq. 6–8): α_t(j) = log Σ e^α_{t−1} over j, j − 1 and, where the blank may be passed over,
 * j − 2, plus log p_t(j).
 */
const losses = (log: Tensor, labels: Tensor, inputs: Tensor, lengths: Tensor, blank: number): Tensor => {
  const frames = emissions(log, labels, blank).maximum(never).transpose([1, 0, 2])
  const [t, n, states] = [at(frames.shape, 0), at(frames.shape, 1), at(frames.shape, 2)]
  const state = iota([n, states], 1)
  const mayPass = skips(labels)
  const begin = state.less(2).select(frames.at(0, 0), never)
  const step = (alpha: Tensor, { frame, time }: { readonly frame: Tensor; readonly time: Tensor }) => {
    const ways = [alpha, moved(alpha, 1), mayPass.select(moved(alpha, 2), never)]
    const next = logSumExp(stack(ways, 2)).add(frame)
    return [inputs.greater(time).expandDims(-1).select(next, alpha), {}] as const
  }
  const [alpha] = scan(step, begin, { frame: frames.slice([1]), time: iota([t - 1], 0).add(1) })
  const last = lengths.mul(2).expandDims(-1)
  const isEnd = state.equal(last).or(state.equal(last.sub(1)))
  return logSumExp(isEnd.select(alpha, never)).neg()
}

/** ∞ where labels do not fit. The gradient in all of the row is NaN there, as PyTorch's: no change of the network makes them fit. */
const orInfinity = customVjp(
  (...[raw]: readonly [raw: Tensor, log: Tensor]): Tensor => raw.greater(impossible).select(Infinity, raw),
  ([raw, log], g): [Tensor, Tensor] => {
    const row = [at(log.shape, 0), 1, 1]
    const tooLong = raw.greater(impossible)
    return [tooLong.select(0, g), tooLong.reshape(row).select(log.operand(NaN), 0)]
  },
)

/** Refuses lengths that the host knows and that are none. */
const requireLengths = (name: string, lengths: Tensor, least: number, most: number): void => {
  const wrong = knownValues(lengths)?.find((k) => k < least || k > most)
  if (wrong !== undefined) throw new RangeError(`ctcLoss: the ${name} length ${wrong} is outside ${least} … ${most}`)
}

/** The labels that count, and some class in the place of those behind them; refuses one outside that the host knows. */
const counted = (labels: Tensor, lengths: Tensor, classes: number): Tensor => {
  const [given, known] = [storedValues(labels), storedValues(lengths)]
  const s = at(labels.shape, 1)
  const outside = given?.find((k, i) => i % s < (known?.[Math.floor(i / s)] ?? 0) && (k < 0 || k >= classes))
  if (outside !== undefined) throw new RangeError(`ctcLoss: the label ${outside} is outside 0 … ${classes - 1}`)
  return iota(labels.shape, 1).less(lengths.cast('i32').expandDims(-1)).select(labels.cast('i32'), 0)
}

const requireSequences = (log: Tensor, labels: Tensor, inputs: Tensor, lengths: Tensor): void => {
  requireFloat('ctcLoss', 'log-probabilities', log)
  expectTensors('ctcLoss', [labels, inputs, lengths])
  const [n, t] = log.shape
  const where = `ctcLoss: log-probabilities ${showShape(log.shape)}, labels ${showShape(labels.shape)}, lengths ${showShape(inputs.shape)} and ${showShape(lengths.shape)}`
  const fit = [inputs, lengths].every((x) => x.rank === 1 && x.shape[0] === n)
  if (log.rank !== 3 || t === 0 || labels.rank !== 2 || labels.shape[0] !== n || !fit)
    throw new ShapeError(`${where}; they are [N, T, classes], [N, S], [N] and [N], with T ≥ 1`)
  const float = [labels, inputs, lengths].find((x) => isDifferentiable(x) || x.dtype === 'bool')
  if (float !== undefined)
    throw new DTypeError(`${where}; labels and lengths are integers, got ${float.dtype}: cast('i32')`)
}

/**
 * −log of the probability of a sequence of labels, summed over all ways to place them in time with blanks between (Graves et al. 2006). It is one
 * `scan` over time, whatever T is.
 *
 * @param logProbabilities [N, T, classes], such as `logSoftmax` of a network's output; batch first, where PyTorch has time first
 * @param labels integers [N, S], each in [0, classes) and not the blank; those from the length of a row on do not count, and may be anything
 * @param inputLengths integers [N] in 1 … T: how much of the time counts
 * @param labelLengths integers [N] in 0 … S
 * @returns the mean of loss / length of the labels (at least 1) over the rows; or the sum, or [N]. Labels that do not fit are ∞, with a gradient of NaN
 * @throws ShapeError or DTypeError for other shapes or dtypes; RangeError for a label or a length outside whose value is known at the call: where only
 * the device knows it, a label outside gives NaN, labels that are longer than S do not fit, and more time than there is is all of it
 * @example
 * ```ts
 * import { logSoftmax, tensor, zeros } from 'fathom'
 * import { ctcLoss } from 'fathom/nn'
 *
 * const log = logSoftmax(zeros([1, 2, 3])) // two times, three classes, all alike
 * const whole = (...xs: number[]) => tensor(Int32Array.from(xs))
 * const loss = ctcLoss(log, whole(1).reshape([1, 1]), whole(2), whole(1))
 * loss // => 1.098612
 * loss.neg().exp() // => 0.333
 * ```
 */
export const ctcLoss = (
  logProbabilities: Tensor,
  labels: Tensor,
  inputLengths: Tensor,
  labelLengths: Tensor,
  options: CtcOptions = {},
): Tensor => {
  requireKnown('ctcLoss', options, ['reduction', 'blank', 'zeroInfinity'])
  const { blank = 0, zeroInfinity = false, reduction = 'mean' } = options
  const reduce = reductionOf('ctcLoss', { reduction })
  requireSequences(logProbabilities, labels, inputLengths, labelLengths)
  const classes = at(logProbabilities.shape, 2)
  if (!(Number.isInteger(blank) && blank >= 0 && blank < classes))
    throw new RangeError(`ctcLoss: the blank ${blank} is outside 0 … ${classes - 1}`)
  requireLengths('input', inputLengths, 1, at(logProbabilities.shape, 1))
  requireLengths('label', labelLengths, 0, at(labels.shape, 1))
  if (logProbabilities.dtype === 'f16')
    return ctcLoss(logProbabilities.cast('f32'), labels, inputLengths, labelLengths, options).cast('f16')
  const lengths = labelLengths.cast('i32')
  const own = counted(labels, labelLengths, classes)
  const raw = losses(logProbabilities, own, inputLengths.cast('i32'), lengths, blank)
  const each = zeroInfinity ? raw.greater(impossible).select(0, raw) : orInfinity(raw, logProbabilities)
  return reduce(reduction === 'mean' ? each.div(lengths.maximum(1).cast(each.dtype)) : each)
}
