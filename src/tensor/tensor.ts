/**
 * The Tensor: an immutable handle on a node of the lazy graph. Arithmetic and shape are methods; what has a name from a paper is a
 * function elsewhere in this folder.
 *
 * Nothing is computed here: each method makes nodes. Operands broadcast by NumPy's rule, and the broadcast is written into the graph.
 */
import { at as element, equalNumbers, product, range } from '../prelude/array.ts'
import { DTypeError, ShapeError, typeError } from '../prelude/errors.ts'
import { notATensor } from '../prelude/mistaken.ts'
import { isFloat, type DType } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Definition, Node, OpName, Ops } from '../graph/ops.ts'
import { broadcastShapes, normalizeAxis, showShape, sizeOf, type Shape } from '../graph/shape.ts'
import { completeShape, indexOf, normalizeAxes, requireElements, squeezedShape, type Axes } from './axes.ts'
import { broadcastNode, fullNode } from './broadcast.ts'
import { jsonOf, showNode, type TensorJson } from './inspect.ts'
import { requireLabelNode } from './knownNode.ts'
import { matmulNode } from './matmul.ts'
import { productNode } from './product.ts'
import { inDType } from './tracedNumber.ts'

/** What a binary method takes: a tensor of the same dtype, or a number, which takes the tensor's dtype. */
export type Operand = Tensor | number

/** Bounds of one axis of a slice: start, limit (exclusive) and stride; negative bounds count from the end. */
export type SliceBounds = readonly [start?: number, limit?: number, stride?: number]

const badExponent = (p: unknown): TypeError =>
  p instanceof Tensor
    ? typeError('pow: the exponent must be a number, got a tensor; power(x, y) raises to each power of a tensor')
    : notATensor('pow', p, 'a number')

/** Primitives with these inputs and no attributes. */
type Plain<Inputs> = {
  [K in OpName]: Record<never, never> extends Ops[K]['attrs'] ? (Inputs extends Ops[K]['inputs'] ? K : never) : never
}[OpName]

/**
 * An immutable n-dimensional array that will be computed when a device is asked to.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * const y = x.mul(10).sum(0) // nothing is computed yet: y is a graph of three operations
 * await device.read(y) // => [50, 70, 90]
 * ```
 */
export class Tensor {
  readonly node: Node

  /** Wraps a node of the graph. */
  constructor(node: Node) {
    this.node = node
  }

  /**
   * Axis lengths, outermost first.
   *
   * @example
   * ```ts
   * import { scalar, tensor } from 'fathom'
   *
   * tensor([[1, 2, 3], [4, 5, 6]]).shape // => [2, 3]
   * scalar(7).shape // => []
   * ```
   */
  get shape(): Shape {
    return this.node.shape
  }

  /**
   * Element type.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2]).dtype // => 'f32'
   * tensor([1, 2]).less(2).dtype // => 'bool'
   * ```
   */
  get dtype(): DType {
    return this.node.dtype
  }

  /**
   * Number of axes.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([[1, 2, 3], [4, 5, 6]]).rank // => 2
   * ```
   */
  get rank(): number {
    return this.node.shape.length
  }

  /**
   * Number of elements.
   *
   * @example
   * ```ts
   * import { scalar, tensor } from 'fathom'
   *
   * tensor([[1, 2, 3], [4, 5, 6]]).size // => 6
   * scalar(7).size // => 1
   * ```
   */
  get size(): number {
    return sizeOf(this.node.shape)
  }

  // ── arithmetic ────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * `x + y`.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2]).add(tensor([10, 20])) // => [11, 22]
   * tensor([[1], [2]]).add(tensor([10, 20])) // => [[11, 21], [12, 22]]
   * tensor([1, 2]).add(tensor([1, 2, 3])) // throws ShapeError: …
   * ```
   */
  add(y: Operand): Tensor {
    return this.binary('add', y)
  }

  /**
   * `x − y`.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([5, 7]).sub(tensor([1, 2])) // => [4, 5]
   * tensor([5, 7]).sub(1) // => [4, 6]
   * ```
   */
  sub(y: Operand): Tensor {
    return typeof y === 'number' && isFloat(this.dtype)
      ? this.binary('add', -y)
      : this.binary('add', this.operandOf('sub', y).neg())
  }

  /**
   * `x · y`, element by element.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, 3]).mul(tensor([4, 5, 6])) // => [4, 10, 18]
   * tensor([1, 2, 3]).mul(0.5) // => [0.5, 1.0, 1.5]
   * ```
   */
  mul(y: Operand): Tensor {
    return this.binary('mul', y)
  }

  /**
   * `x / y`; integers truncate towards zero, and division by zero gives 0.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, -7]).div(2) // => [0.5, -3.5]
   * tensor([1, -7], { dtype: 'i32' }).div(2) // => [0, -3]
   * tensor([1, -7], { dtype: 'i32' }).div(0) // => [0, 0]
   * ```
   */
  div(y: Operand): Tensor {
    return this.binary('div', y)
  }

  /**
   * The remainder of `x / y` with the sign of `x`.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([7, -7, 7.5]).rem(3) // => [1, -1, 1.5]
   * ```
   */
  rem(y: Operand): Tensor {
    return this.binary('rem', y)
  }

  /**
   * `−x`.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, -2]).neg() // => [-1, 2]
   * ```
   */
  neg(): Tensor {
    return this.unary('neg')
  }

  /**
   * eˣ.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([0, 1]).exp() // => [1, 2.718]
   * ```
   */
  exp(): Tensor {
    return this.unary('exp')
  }

  /**
   * The natural logarithm.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, Math.E, 0]).log() // => [0, 1, -Infinity]
   * ```
   */
  log(): Tensor {
    return this.unary('log')
  }

  /**
   * √x.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([4, 2, -1]).sqrt() // => [2, 1.414, NaN]
   * ```
   */
  sqrt(): Tensor {
    return this.unary('sqrt')
  }

  /**
   * The sine of an angle in radians.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([0, Math.PI / 6, Math.PI / 2]).sin() // => [0, 0.5, 1]
   * ```
   */
  sin(): Tensor {
    return this.unary('sin')
  }

  /**
   * The cosine of an angle in radians.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([0, Math.PI / 3, Math.PI]).cos() // => [1, 0.5, -1]
   * ```
   */
  cos(): Tensor {
    return this.unary('cos')
  }

  /**
   * The hyperbolic tangent.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([0, 1, 100]).tanh() // => [0, 0.762, 1]
   * ```
   */
  tanh(): Tensor {
    return this.unary('tanh')
  }

  /**
   * The logistic function σ(x) = 1 / (1 + e⁻ˣ).
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([-100, 0, Math.log(3)]).sigmoid() // => [0, 0.5, 0.75]
   * ```
   */
  sigmoid(): Tensor {
    return this.unary('logistic')
  }

  /**
   * The error function.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([-100, 0, 1]).erf() // => [-1, 0, 0.843]
   * ```
   */
  erf(): Tensor {
    return this.unary('erf')
  }

  /**
   * The largest whole number ≤ x.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1.7, -1.2, 3]).floor() // => [1, -2, 3]
   * ```
   */
  floor(): Tensor {
    return this.unary('floor')
  }

  /**
   * The least whole number ≥ x.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1.2, -1.7, 3]).ceil() // => [2, -1, 3]
   * ```
   */
  ceil(): Tensor {
    return this.neg().floor().neg()
  }

  /**
   * The nearest whole number, of two equally near ones the even one, as in PyTorch.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([0.5, 1.5, 2.5, -0.7]).round() // => [0, 2, 2, -1]
   * ```
   */
  round(): Tensor {
    const size = this.abs().stopGradient()
    const below = size.floor()
    const half = below.mul(0.5)
    const isOdd = half.greater(half.floor())
    const over = size.sub(below) // exact
    const goesUp = over.greater(0.5).or(over.equal(0.5).and(isOdd))
    const rounded = goesUp.select(below.add(1), below)
    return this.less(0).select(rounded.neg(), this.equal(0).select(this.stopGradient(), rounded))
  }

  /**
   * −1, 0 or 1, as x is below, at or above 0; NaN stays NaN.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([-2.5, 0, 7, NaN]).sign() // => [-1, 0, 1, NaN]
   * ```
   */
  sign(): Tensor {
    if (this.dtype === 'bool') throw new DTypeError('sign: takes a number, got bool; cast it first')
    const above = this.greater(0).select(1, this.stopGradient().add(0)) // −0 is 0, as in PyTorch
    return this.dtype === 'u8' || this.dtype === 'u32' ? above : this.less(0).select(-1, above)
  }

  /**
   * x².
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([3, -4]).square() // => [9, 16]
   * ```
   */
  square(): Tensor {
    return this.mul(this)
  }

  /**
   * |x|; its gradient is the sign of x: 0 at 0, and NaN at NaN.
   *
   * @example
   * ```ts
   * import { grad, tensor, type Tensor } from 'fathom'
   *
   * tensor([3, -4]).abs() // => [3, 4]
   * grad((x: Tensor) => x.abs().sum())(tensor([3, -4, 0])) // => [1, -1, 0]
   * ```
   */
  abs(): Tensor {
    if (this.dtype === 'bool') throw new DTypeError('abs: takes a number, got bool; cast it first')
    if (this.dtype === 'u8' || this.dtype === 'u32') return this
    // x · sign x, the sign held constant; neither below nor above 0 are ±0 and NaN, which are their own sign: |−0| = 0, |NaN| = NaN.
    const sign = this.less(0).select(-1, this.greater(0).select(1, this))
    return this.mul(sign.stopGradient())
  }

  /**
   * xᵖ for a number p. Whole powers are products, by repeated squaring, in every dtype; of others, those of floats, x < 0 gives NaN, and the
   * gradient is p·xᵖ⁻¹ at 0 too.
   *
   * @example
   * ```ts
   * import { grad, tensor, type Tensor } from 'fathom'
   *
   * tensor([2, -3]).pow(3) // => [8, -27]
   * tensor([2, 4]).pow(-1) // => [0.5, 0.25]
   * tensor([4, 0, -1]).pow(1.5) // => [8, 0, NaN]
   * grad((x: Tensor) => x.pow(1.5).sum())(tensor([4, 0])) // => [3, 0]
   * ```
   */
  pow(p: number): Tensor {
    if (typeof p !== 'number') throw badExponent(p)
    if (!Number.isFinite(p)) throw new RangeError(`pow: the exponent must be a finite number, got ${p}`)
    return Number.isInteger(p) ? this.wholePower(p) : this.realPower(p)
  }

  private wholePower(n: number): Tensor {
    if (n < 0 && !isFloat(this.dtype))
      throw new DTypeError(`pow: ${this.dtype} to the power ${n} is no integer; cast to a float first`)
    if (n < 0) return this.operand(1).div(this).wholePower(-n) // not 1 / xⁿ, whose derivative at ∞ is 0 · ∞
    if (n === 0) return this.operand(1)
    const half = n > 1 ? this.wholePower(Math.floor(n / 2)).square() : undefined
    return half === undefined ? this : n % 2 === 0 ? half : half.mul(this)
  }

  /** A call with a derivative of its own, d xᵖ = p·xᵖ⁻¹ dx: that of exp(p·log x) is 0·∞ at 0. */
  private realPower(p: number): Tensor {
    if (!isFloat(this.dtype))
      throw new DTypeError(
        `pow: ${this.dtype} has whole powers only, got the exponent ${p}; cast the tensor to a float first`,
      )
    const x = makeNode('parameter', { index: 0, shape: this.shape, dtype: this.dtype }, [])
    const definition: Definition = {
      name: 'pow',
      checkpoint: false,
      parameters: [x],
      outputs: [new Tensor(x).powerValue(p).node],
      vjp: (inputs, cotangents) => {
        const [at, g] = [new Tensor(element(inputs, 0)), new Tensor(element(cotangents, 0))]
        return [g.mul(at.pow(p - 1).mul(p)).node]
      },
    }
    return new Tensor(makeNode('call', { definition, output: 0 }, [this.node]))
  }

  /** xᵖ = xⁿ·xᶠ with n = ⌊p⌋: so f·log x is small, and the rounding error of the exponential with it. */
  private powerValue(p: number): Tensor {
    if (this.dtype === 'f16') return this.cast('f32').powerValue(p).cast('f16') // one rounding for four operations
    const n = Math.floor(Math.abs(p))
    const f = Math.abs(p) - n
    const x = this.equal(-Infinity).select(Infinity, this) // as IEEE 754 has it; any other number below 0 gives NaN
    const fraction = f === 0.5 ? x.sqrt() : x.log().mul(f).exp()
    const power = (n === 0 ? fraction : x.wholePower(n).mul(fraction)).add(0) // −0 to a power that is not whole is +0
    return p < 0 ? this.operand(1).div(power) : power
  }

  /**
   * The larger of x and y, NaN where one is; equal elements share the gradient.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 5]).maximum(tensor([2, 3])) // => [2, 5]
   * tensor([-1, 5]).maximum(0) // => [0, 5]
   * ```
   */
  maximum(y: Operand): Tensor {
    return this.binary('max', y)
  }

  /**
   * The smaller of x and y, NaN where one is; equal elements share the gradient.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 5]).minimum(tensor([2, 3])) // => [1, 3]
   * tensor([-1, 5]).minimum(0) // => [-1, 0]
   * ```
   */
  minimum(y: Operand): Tensor {
    const [a, b] = this.met('minimum', y)
    if (!isFloat(a.dtype)) return a.less(b).select(a, b) // −x of an unsigned or the least integer is not smaller
    return a.neg().maximum(b.neg()).neg()
  }

  /**
   * x brought into [`low`, `high`], each a number, a tensor or (undefined) no bound; NaN stays NaN. The gradient is that of x inside and at the
   * bounds, and that of the bound outside.
   *
   * @example
   * ```ts
   * import { grad, tensor, type Tensor } from 'fathom'
   *
   * tensor([-3, 0.5, 3]).clamp(-1, 1) // => [-1, 0.5, 1]
   * tensor([-3, 0.5, 3]).clamp(0) // => [0, 0.5, 3]
   * tensor([-3, 0.5, 3]).clamp(undefined, tensor([-4, 1, 2])) // => [-4, 0.5, 2]
   * grad((x: Tensor) => x.clamp(-1, 1).sum())(tensor([-3, 1, 3])) // => [0, 1, 0]
   * ```
   */
  clamp(low?: Operand, high?: Operand): Tensor {
    if (low === undefined && high === undefined) throw typeError('clamp: needs a lower or an upper bound, or both')
    const above = low === undefined ? this : this.beyond(low, 'less').select(low, this)
    return high === undefined ? above : above.beyond(high, 'greater').select(high, above)
  }

  /** Where a bound takes the place of x: beyond it, and wherever the bound is NaN and x is not. */
  private beyond(bound: Operand, side: 'less' | 'greater'): Tensor {
    const is = this[side](bound)
    const b = typeof bound === 'number' && !Number.isNaN(bound) ? undefined : this.operand(bound)
    return b === undefined || !isFloat(this.dtype) ? is : is.or(this.equal(this).and(b.notEqual(b)))
  }

  // ── comparison and bits ───────────────────────────────────────────────────────────────────────────────────────────

  /**
   * `x < y`, as bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, 3]).less(2) // => [true, false, false]
   * ```
   */
  less(y: Operand): Tensor {
    return this.binary('less', y)
  }

  /**
   * `x > y`, as bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, 3]).greater(2) // => [false, false, true]
   * ```
   */
  greater(y: Operand): Tensor {
    return this.operandOf('greater', y).less(this)
  }

  /**
   * `x = y`, as bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, 3]).equal(tensor([1, 0, 3])) // => [true, false, true]
   * ```
   */
  equal(y: Operand): Tensor {
    return this.binary('equal', y)
  }

  /**
   * `x ≠ y`, as bool; NaN differs from everything, itself too.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, NaN]).notEqual(tensor([1, 0, NaN])) // => [false, true, true]
   * ```
   */
  notEqual(y: Operand): Tensor {
    return this.binary('equal', y).not()
  }

  /**
   * `x ≥ y`, as bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, NaN]).greaterEqual(2) // => [false, true, false]
   * ```
   */
  greaterEqual(y: Operand): Tensor {
    return this.greater(y).or(this.equal(y))
  }

  /**
   * `x ≤ y`, as bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, NaN]).lessEqual(1) // => [true, false, false]
   * ```
   */
  lessEqual(y: Operand): Tensor {
    return this.less(y).or(this.equal(y))
  }

  /**
   * For a bool tensor: `yes` where true, `no` where false; both broadcast. Two numbers are f32.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([-1, 2, -3])
   * x.less(0).select(0, x) // => [0, 2, 0]
   * x.less(0).select(1, 0.5) // => [1, 0.5, 1]
   * ```
   */
  select(yes: Operand, no: Operand): Tensor {
    if (this.dtype !== 'bool')
      throw new DTypeError(
        `select: the condition must be bool, got ${this.dtype}; compare first, as x.greater(0).select(…), or cast('bool')`,
      )
    const like = no instanceof Tensor ? no : new Tensor(fullNode(0, [], 'f32')) // where neither is a tensor
    const [a, b] =
      yes instanceof Tensor ? yes.met('select', no) : [like.operandOf('select', yes), like.operandOf('select', no)]
    const shape = broadcastShapes('select', this.shape, broadcastShapes('select', a.shape, b.shape))
    return new Tensor(
      makeNode('where', {}, [
        broadcastNode(this.node, shape),
        broadcastNode(a.node, shape),
        broadcastNode(b.node, shape),
      ]),
    )
  }

  /**
   * Bitwise and; logical for bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([1, 2, 3, 4])
   * x.greater(1).and(x.less(4)) // => [false, true, true, false]
   * tensor([6], { dtype: 'i32' }).and(3) // => [2]
   * ```
   */
  and(y: Operand): Tensor {
    return this.binary('and', y)
  }

  /**
   * Bitwise or; logical for bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([1, 2, 3, 4])
   * x.less(2).or(x.greater(3)) // => [true, false, false, true]
   * tensor([6], { dtype: 'i32' }).or(3) // => [7]
   * ```
   */
  or(y: Operand): Tensor {
    return this.binary('or', y)
  }

  /**
   * Bitwise exclusive or; logical for bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const a = tensor([1, 1, 0], { dtype: 'bool' })
   * const b = tensor([1, 0, 0], { dtype: 'bool' })
   * a.xor(b) // => [false, true, false]
   * tensor([6], { dtype: 'i32' }).xor(3) // => [5]
   * ```
   */
  xor(y: Operand): Tensor {
    return this.binary('xor', y)
  }

  /**
   * Bitwise complement; logical for bool.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 0], { dtype: 'bool' }).not() // => [false, true]
   * tensor([0, 5], { dtype: 'i32' }).not() // => [-1, -6]
   * ```
   */
  not(): Tensor {
    return this.unary('not')
  }

  /**
   * Bits moved left by `y` mod 32.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 3], { dtype: 'i32' }).shiftLeft(4) // => [16, 48]
   * ```
   */
  shiftLeft(y: Operand): Tensor {
    return this.binary('shiftLeft', y)
  }

  /**
   * Bits moved right by `y` mod 32: zeros come in for unsigned dtypes, the sign for i32.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([16, -16], { dtype: 'i32' }).shiftRight(2) // => [4, -4]
   * tensor([2 ** 31], { dtype: 'u32' }).shiftRight(31) // => [1]
   * ```
   */
  shiftRight(y: Operand): Tensor {
    return this.binary('shiftRight', y)
  }

  // ── reduction ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The sum over `axes` (default all); `keepDims` leaves lengths of 1. Bytes are summed in i32, where 8 million of them fit; i32 and u32
   * wrap.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([[1, 2, 3], [4, 5, 6]])
   * x.sum() // => 21
   * x.sum(0) // => [5, 7, 9]
   * x.sum(-1, true) // => [[6], [15]]
   * tensor([200, 200], { dtype: 'u8' }).sum() // => 400
   * ```
   */
  sum(axes?: Axes, keepDims = false): Tensor {
    const to = this.dtype === 'u8' ? 'i32' : this.dtype
    return this.reduce('sum', axes, keepDims, (x, a) => makeNode('reduceSum', { axes: a, dtype: to }, [x])).cast(to)
  }

  /**
   * The mean over `axes` (default all); of nothing it is NaN. Halves are summed in f32, for their sum may be none: the mean of 70,000 ones
   * is 1.
   *
   * @throws DTypeError for integers, whose mean is no integer
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([[1, 2, 3], [4, 5, 6]])
   * x.mean() // => 3.5
   * x.mean(1) // => [2, 5]
   * tensor([1, 2], { dtype: 'i32' }).mean() // throws DTypeError: mean: takes a float, got i32; cast it first
   * ```
   */
  mean(axes?: Axes, keepDims = false): Tensor {
    if (!isFloat(this.dtype)) throw new DTypeError(`mean: takes a float, got ${this.dtype}; cast it first`)
    const count = product(normalizeAxes('mean', axes, this.rank).map((a) => element(this.shape, a)))
    const to = this.dtype === 'f16' ? 'f32' : this.dtype
    return this.reduce('mean', axes, keepDims, (x, a) => makeNode('reduceSum', { axes: a, dtype: to }, [x]))
      .div(count)
      .cast(this.dtype)
  }

  /**
   * The largest element over `axes` (default all), NaN where one of them is; equal elements share the gradient.
   *
   * @throws ShapeError where there are no elements to choose from
   * @example
   * ```ts
   * import { grad, tensor, type Tensor } from 'fathom'
   *
   * const x = tensor([[1, 5, 3], [4, 2, 6]])
   * x.max() // => 6
   * x.max(1) // => [5, 6]
   * grad((x: Tensor) => x.max())(tensor([7, 1, 7])) // => [0.5, 0, 0.5]
   * tensor([], { shape: [2, 0] }).max(1) // throws ShapeError: max: axis 1 of [2,0] has no elements to choose from
   * ```
   */
  max(axes?: Axes, keepDims = false): Tensor {
    requireElements('max', axes, this.shape)
    return this.reduce('max', axes, keepDims, (x, a) => makeNode('reduceMax', { axes: a }, [x]))
  }

  /**
   * The smallest element over `axes` (default all), NaN where one of them is; equal elements share the gradient.
   *
   * @throws ShapeError where there are no elements to choose from
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([[1, 5, 3], [4, 2, 6]])
   * x.min() // => 1
   * x.min(1, true) // => [[1], [2]]
   * ```
   */
  min(axes?: Axes, keepDims = false): Tensor {
    requireElements('min', axes, this.shape)
    if (isFloat(this.dtype)) return this.neg().max(axes, keepDims).neg()
    return this.not().max(axes, keepDims).not() // the complement of whole numbers, which reverses their order and never wraps
  }

  /**
   * The index of the largest element along `axis`, i32: the first of equal ones, and of the first NaN where there is one.
   *
   * @throws ShapeError where the axis has no elements
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([[3, 1, 2], [4, 6, 6]]).argmax() // => [0, 1]
   * tensor([[3, 1, 2], [4, 6, 6]]).argmax(0) // => [1, 1, 1]
   * tensor([1, NaN, 3]).argmax() // => 1
   * ```
   */
  argmax(axis = -1): Tensor {
    return this.firstEqual('argmax', axis, (a) => this.max(a, true))
  }

  /**
   * The index of the smallest element along `axis`, i32: the first of equal ones, and of the first NaN where there is one.
   *
   * @throws ShapeError where the axis has no elements
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([[3, 1, 1], [4, 6, 0]]).argmin() // => [1, 2]
   * ```
   */
  argmin(axis = -1): Tensor {
    return this.firstEqual('argmin', axis, (a) => this.min(a, true))
  }

  private firstEqual(name: string, axis: number, best: (a: number) => Tensor): Tensor {
    const a = normalizeAxis(name, axis, this.rank)
    requireElements(name, a, this.shape)
    // With a NaN the best is NaN, which nothing equals; then the elements that do not equal themselves are chosen.
    const isBest = this.equal(best(a))
    const chosen = isFloat(this.dtype) ? isBest.or(this.notEqual(this)) : isBest
    const index = new Tensor(makeNode('iota', { shape: this.shape, axis: a, dtype: 'i32' }, []))
    return chosen.select(index, element(this.shape, a)).min(a)
  }

  /**
   * The product over `axes` (default all), multiplied in pairs; of nothing it is 1. Its gradient is right where elements are 0. Bytes are multiplied
   * in i32; i32 and u32 wrap.
   *
   * @example
   * ```ts
   * import { grad, tensor, type Tensor } from 'fathom'
   *
   * tensor([[1, 2, 3], [4, 5, 6]]).prod() // => 720
   * tensor([[1, 2, 3], [4, 5, 6]]).prod(1) // => [6, 120]
   * grad((x: Tensor) => x.prod())(tensor([2, 0, 5])) // => [0, 10, 0]
   * ```
   */
  prod(axes?: Axes, keepDims = false): Tensor {
    const wide = this.dtype === 'u8' ? this.cast('i32') : this.dtype === 'f16' ? this.cast('f32') : this
    return wide.reduce('prod', axes, keepDims, productNode).cast(this.dtype === 'f16' ? 'f16' : wide.dtype)
  }

  /**
   * Whether any element over `axes` (default all) is true, or not 0; NaN is not 0. Of nothing it is false.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([[1, 0], [0, 0]]).any() // => true
   * tensor([[1, 0], [0, 0]]).any(1) // => [true, false]
   * ```
   */
  any(axes?: Axes, keepDims = false): Tensor {
    return this.notEqual(0).cast('i32').sum(axes, keepDims).notEqual(0)
  }

  /**
   * Whether all elements over `axes` (default all) are true, or not 0. Of nothing it is true.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([[1, 2], [3, 0]]).greater(0).all() // => false
   * tensor([[1, 2], [3, 0]]).all(1) // => [true, false]
   * ```
   */
  all(axes?: Axes, keepDims = false): Tensor {
    return this.equal(0).any(axes, keepDims).not()
  }

  /**
   * The mean squared deviation from the mean over `axes` (default all): the sum over the count less `correction`, 0 as in NumPy; 1 is PyTorch's
   * `unbiased`. In two passes, for the mean of squares less the square of the mean would cancel.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, 3, 4]).variance() // => 1.25
   * tensor([1, 2, 3, 4]).variance(0, false, 1) // => 1.6667
   * ```
   */
  variance(axes?: Axes, keepDims = false, correction = 0): Tensor {
    if (this.dtype === 'f16') return this.cast('f32').variance(axes, keepDims, correction).cast('f16')
    const squares = this.sub(this.mean(axes, true)).square().mean(axes, keepDims)
    const count = product(normalizeAxes('variance', axes, this.rank).map((a) => element(this.shape, a)))
    return correction === 0 ? squares : squares.mul(count / Math.max(0, count - correction))
  }

  /**
   * The standard deviation √variance over `axes`, with the correction of {@link Tensor.variance}: write `x.std(axes, false, 1)` for PyTorch's default.
   * Its gradient is 0 where it is 0, as in PyTorch.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([[1, 3], [0, 10]]).std(1) // => [1, 5]
   * tensor([1, 2, 3, 4]).std(undefined, false, 1) // => 1.291
   * ```
   */
  std(axes?: Axes, keepDims = false, correction = 0): Tensor {
    if (this.dtype === 'f16') return this.cast('f32').std(axes, keepDims, correction).cast('f16')
    const v = this.variance(axes, keepDims, correction)
    return v.equal(0).select(0, v.equal(0).select(1, v).sqrt())
  }

  // ── shape ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The same elements in another shape; one length may be −1.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([1, 2, 3, 4, 5, 6])
   * x.reshape([2, -1]) // => [[1, 2, 3], [4, 5, 6]]
   * x.reshape([4, 2]) // throws ShapeError: reshape: [6] has 6 elements, [4,2] has 8
   * ```
   */
  reshape(shape: Shape): Tensor {
    const full = completeShape(this.shape, shape)
    return equalNumbers(full, this.shape) ? this : new Tensor(makeNode('reshape', { shape: full }, [this.node]))
  }

  /**
   * Axes in another order; by default reversed.
   *
   * @example
   * ```ts
   * import { tensor, zeros } from 'fathom'
   *
   * tensor([[1, 2, 3], [4, 5, 6]]).transpose() // => [[1, 4], [2, 5], [3, 6]]
   * zeros([2, 3, 5, 7]).transpose([0, 3, 1, 2]).shape // => [2, 7, 3, 5]
   * ```
   */
  transpose(permutation: readonly number[] = range(this.rank).toReversed()): Tensor {
    const p = permutation.map((a) => normalizeAxis('transpose', a, this.rank))
    return p.every((a, i) => a === i) && p.length === this.rank
      ? this
      : new Tensor(makeNode('transpose', { permutation: p }, [this.node]))
  }

  /**
   * Repeated to `shape` by NumPy's rule.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2]).broadcastTo([3, 2]) // => [[1, 2], [1, 2], [1, 2]]
   * tensor([[1], [2]]).broadcastTo([2, 3]) // => [[1, 1, 1], [2, 2, 2]]
   * ```
   */
  broadcastTo(shape: Shape): Tensor {
    return new Tensor(broadcastNode(this.node, shape))
  }

  /**
   * With a new axis of length 1 at `axis`.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2, 3]).expandDims(0) // => [[1, 2, 3]]
   * tensor([1, 2, 3]).expandDims(-1).shape // => [3, 1]
   * ```
   */
  expandDims(axis: number): Tensor {
    const a = normalizeAxis('expandDims', axis, this.rank + 1)
    return this.reshape([...this.shape.slice(0, a), 1, ...this.shape.slice(a)])
  }

  /**
   * Without `axes`, whose lengths must be 1; by default without all that are.
   *
   * @example
   * ```ts
   * import { zeros } from 'fathom'
   *
   * zeros([1, 3, 1]).squeeze().shape // => [3]
   * zeros([1, 3, 1]).squeeze(-1).shape // => [1, 3]
   * zeros([1, 3, 1]).squeeze(1) // throws ShapeError: squeeze: axis 1 of [1,3,1] has 3 elements; …
   * ```
   */
  squeeze(axes?: Axes): Tensor {
    return this.reshape(squeezedShape(this.shape, axes))
  }

  /**
   * The elements at index `i` of `axis`, without the axis: `x.at(1, 0)` is x[:, 0]. Negative numbers count from the end. An index may be a tensor
   * without axes, i32 or u32, counted from 0 and found when the program runs; outside, it is the nearest, or an error where the host knows it.
   *
   * @throws ShapeError for a number outside the axis; RangeError for a tensor outside whose value is known at the call
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([[1, 2, 3], [4, 5, 6]])
   * x.at(0, 1) // => [4, 5, 6]
   * x.at(1, -1) // => [3, 6]
   * x.at(1, x.argmax(1).at(0, 0)) // => [3, 6]
   * x.at(1, 3) // throws ShapeError: at: there is no index 3 in axis 1 of [2,3]; …
   * ```
   */
  at(axis: number, i: Operand): Tensor {
    const a = normalizeAxis('at', axis, this.rank)
    if (i instanceof Tensor) {
      const picked = new Tensor(makeNode('gather', { axis: a }, [this.node, i.inForm('i32').node]))
      requireLabelNode('at', 'index', i.node, element(this.shape, a))
      return picked
    }
    const from = indexOf(this.shape, a, i)
    const row = this.slice(...this.shape.map((n, j): SliceBounds => (j === a ? [from, from + 1] : [0, n])))
    return row.reshape(this.shape.toSpliced(a, 1))
  }

  /**
   * Elements reversed along `axes`; PyTorch's and NumPy's `flip`.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([[1, 2, 3], [4, 5, 6]]).reverse(1) // => [[3, 2, 1], [6, 5, 4]]
   * ```
   */
  reverse(axes: Axes): Tensor {
    return new Tensor(makeNode('reverse', { axes: normalizeAxes('reverse', axes, this.rank) }, [this.node]))
  }

  /**
   * A part: one range an axis, missing ones are whole. `x.slice([0, 2], [1])` is x[0:2, 1:]; bounds beyond the axis are cut to it, as in NumPy.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([[1, 2, 3], [4, 5, 6]])
   * x.slice([0, 2], [1]) // => [[2, 3], [5, 6]]
   * x.slice([], [-1]) // => [[3], [6]]
   * x.slice([1], [0, 3, 2]) // => [[4, 6]]
   * ```
   */
  slice(...ranges: readonly SliceBounds[]): Tensor {
    if (ranges.length > this.rank) throw new ShapeError(`slice: ${ranges.length} ranges for ${showShape(this.shape)}`)
    const bound = (b: number | undefined, n: number, absent: number): number =>
      b === undefined ? absent : Math.min(n, b < 0 ? b + n : b)
    const start = this.shape.map((n, i) => bound(ranges[i]?.[0], n, 0))
    const limit = this.shape.map((n, i) => bound(ranges[i]?.[1], n, n))
    const stride = this.shape.map((_, i) => ranges[i]?.[2] ?? 1)
    return new Tensor(makeNode('slice', { start, limit, stride }, [this.node]))
  }

  /**
   * Zeros around (`low`, `high`) and between (`interior`) the elements of each axis.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * const x = tensor([1, 2, 3])
   * x.pad([1], [2]) // => [0, 1, 2, 3, 0, 0]
   * x.pad([0], [0], [1]) // => [1, 0, 2, 0, 3]
   * ```
   */
  pad(low: readonly number[], high: readonly number[], interior: readonly number[] = low.map(() => 0)): Tensor {
    return new Tensor(makeNode('pad', { low, high, interior }, [this.node]))
  }

  // ── dtype and contraction ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * The values in another dtype: floats round, integers wrap, everything but 0 is true.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1.9, -1.9]).cast('i32') // => [1, -1]
   * tensor([0, 2]).cast('bool') // => [false, true]
   * tensor([0.1]).cast('f16') // => [0.09998]
   * ```
   */
  cast(dtype: DType): Tensor {
    if (dtype === this.dtype) return this
    const x = this.inForm(isFloat(dtype) ? dtype : 'f64') // a number in f32 is no large whole one
    return x.dtype === dtype ? x : new Tensor(makeNode('cast', { dtype }, [x.node]))
  }

  /**
   * The bits read as another dtype of four bytes.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, -0]).bitcast('u32') // => [1065353216, 2147483648]
   * ```
   */
  bitcast(dtype: DType): Tensor {
    return new Tensor(makeNode('bitcast', { dtype }, [this.node]))
  }

  /**
   * `[…, M, K] · […, K, N] → […, M, N]`; the leading axes broadcast. A vector is a row on the left and a column on the right, and its axis is not in
   * the result: `[K] · [K]` is the inner product.
   *
   * @example
   * ```ts
   * import { tensor, zeros } from 'fathom'
   *
   * tensor([[1, 2], [3, 4]]).matmul(tensor([[5], [6]])) // => [[17], [39]]
   * tensor([[1, 2], [3, 4]]).matmul(tensor([5, 6])) // => [17, 39]
   * zeros([8, 2, 3]).matmul(zeros([3, 4])).shape // => [8, 2, 4]
   * zeros([8, 1, 2, 3]).matmul(zeros([5, 3, 4])).shape // => [8, 5, 2, 4]
   * zeros([2, 3]).matmul(zeros([2, 3])) // throws ShapeError: matmul: [2,3] · [2,3]: 3 columns meet 2 rows
   * ```
   */
  matmul(y: Tensor): Tensor {
    if (!(y instanceof Tensor)) throw notATensor('matmul', y)
    return new Tensor(matmulNode(this.node, y.node))
  }

  /**
   * The value, through which no gradient flows.
   *
   * @example
   * ```ts
   * import { grad, tensor, type Tensor } from 'fathom'
   *
   * grad((x: Tensor) => x.mul(x.stopGradient()).sum())(tensor([3, 4])) // => [3, 4]
   * ```
   */
  stopGradient(): Tensor {
    return this.unary('stopGradient')
  }

  // ── being looked at ───────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Dtype, shape, and the values where they are on the host, else what makes them; `console.log` prints the same.
   *
   * @example
   * ```ts
   * import { tensor, zeros } from 'fathom'
   *
   * const x = tensor([[1, 2.5], [30, 4]])
   * String(x) // =>
   * // Tensor f32[2,2]
   * // [[  1, 2.5],
   * //  [ 30,   4]]
   * String(zeros([3])) // => 'Tensor f32[3] [0, 0, 0]'
   * x.add(1).toString() // => 'Tensor f32[2,2], made by add, not computed yet: await device.read(x)'
   * ```
   */
  toString(): string {
    return showNode(this.node)
  }

  /**
   * What `JSON.stringify` writes: dtype, shape, and up to 1,000 values that are on the host, else what makes them.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * JSON.stringify({ x: tensor([1, 2]) }) // => '{"x":{"dtype":"f32","shape":[2],"values":[1,2]}}'
   * JSON.stringify(tensor([1, 2]).sum()) // => '{"dtype":"f32","shape":[],"op":"reduceSum"}'
   * ```
   */
  toJSON(): TensorJson {
    return jsonOf(this.node)
  }

  // What JavaScript asks of any value that is printed or calculated with. There is no iterator that explains: tests compare what has one element by element.
  static {
    const define = (key: symbol, value: (this: Tensor, hint: string) => unknown): void => {
      Object.defineProperty(this.prototype, key, { value, configurable: true, writable: true })
    }
    define(Symbol.for('nodejs.util.inspect.custom'), function () {
      return this.toString()
    })
    define(Symbol.toPrimitive, function (hint) {
      if (hint === 'string') return this.toString() // `${x}`, and not '…' + x, which `total + x` would be too
      throw typeError(
        `a tensor is no number: JavaScript's operators cannot compute with ${this.dtype}${showShape(this.shape)}; write x.add(y) for x + y, x.mul(2) for x * 2, x.greater(0) for x > 0, await device.item(x) for its one value`,
      )
    })
  }

  // ── making nodes ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * `y` as a tensor: numbers take this tensor's dtype and shape.
   *
   * @example
   * ```ts
   * import { tensor } from 'fathom'
   *
   * tensor([1, 2], { dtype: 'f64' }).operand(3) // => [3, 3]
   * ```
   */
  operand(y: Operand): Tensor {
    return this.operandOf('operand', y)
  }

  private operandOf(operation: string, y: Operand): Tensor {
    if (typeof y === 'number') return new Tensor(fullNode(y, this.shape, this.dtype))
    if (y instanceof Tensor) return y.inForm(this.dtype)
    throw notATensor(operation, y, 'a tensor or a number')
  }

  /** This tensor in a dtype if it is a number that a compiled function was given; else itself. */
  private inForm(dtype: DType): Tensor {
    const node = inDType(this.node, dtype)
    return node === this.node ? this : new Tensor(node)
  }

  /** This tensor and an operand, in one dtype if either is a number. */
  private met(operation: string, y: Operand): readonly [Tensor, Tensor] {
    const other = this.operandOf(operation, y)
    return [this.inForm(other.dtype), other]
  }

  private unary(op: Plain<readonly [Node]>): Tensor {
    return new Tensor(makeNode(op, {}, [this.node]))
  }

  private binary(op: Plain<readonly [Node, Node]>, y: Operand): Tensor {
    const [a, b] = this.met(op, y)
    const shape = broadcastShapes(op, a.shape, b.shape)
    return new Tensor(makeNode(op, {}, [broadcastNode(a.node, shape), broadcastNode(b.node, shape)]))
  }

  private reduce(
    name: string,
    axes: Axes,
    keepDims: boolean,
    make: (x: Node, axes: readonly number[]) => Node,
  ): Tensor {
    const a = normalizeAxes(name, axes, this.rank)
    const reduced = a.length === 0 ? this : new Tensor(make(this.node, a))
    return keepDims ? reduced.reshape(this.shape.map((n, i) => (a.includes(i) ? 1 : n))) : reduced
  }
}

/**
 * Whether gradients flow through the tensor's dtype.
 *
 * @example
 * ```ts
 * import { isDifferentiable, tensor } from 'fathom'
 *
 * isDifferentiable(tensor([1, 2])) // => true
 * isDifferentiable(tensor([1, 2], { dtype: 'i32' })) // => false
 * ```
 */
export const isDifferentiable = (x: Tensor): boolean => isFloat(x.dtype)
