/**
 * The Tensor: an immutable handle on a node of the lazy graph. Arithmetic and shape are methods; what has a name from a paper is a
 * function elsewhere in this folder.
 *
 * Nothing is computed here: each method makes nodes. Operands broadcast by NumPy's rule, and the broadcast is written into the graph.
 */
import { at, equalNumbers, product, range } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { isFloat, type DType } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node } from '../graph/ops.ts'
import { broadcastShapes, normalizeAxis, showShape, sizeOf, type Shape } from '../graph/shape.ts'
import { broadcastNode, fullNode } from './broadcast.ts'

/** What a binary method takes: a tensor of the same dtype, or a number, which takes the tensor's dtype. */
export type Operand = Tensor | number

/** One axis, several, or (undefined) all of them; negative ones count from the end. */
export type Axes = number | readonly number[] | undefined

/** Bounds of one axis of a slice: start, limit (exclusive) and stride; negative bounds count from the end. */
export type Range = readonly [start?: number, limit?: number, stride?: number]

const normalizeAxes = (operation: string, axes: Axes, rank: number): readonly number[] =>
  axes === undefined
    ? range(rank)
    : (typeof axes === 'number' ? [axes] : axes).map((a) => normalizeAxis(operation, a, rank))

type BinaryName =
  | 'add'
  | 'mul'
  | 'div'
  | 'rem'
  | 'max'
  | 'and'
  | 'or'
  | 'xor'
  | 'shiftLeft'
  | 'shiftRight'
  | 'less'
  | 'equal'
type UnaryName =
  | 'neg'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'logistic'
  | 'erf'
  | 'floor'
  | 'not'
  | 'stopGradient'
  | 'alias'

/** An immutable n-dimensional array that will be computed when a device is asked to. */
export class Tensor {
  readonly node: Node

  /** Wraps a node of the graph. */
  constructor(node: Node) {
    this.node = node
  }

  /** Axis lengths, outermost first. */
  get shape(): Shape {
    return this.node.shape
  }

  /** Element type. */
  get dtype(): DType {
    return this.node.dtype
  }

  /** Number of axes. */
  get rank(): number {
    return this.node.shape.length
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.node.shape)
  }

  // ── arithmetic ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** `x + y`. */
  add(y: Operand): Tensor {
    return this.binary('add', y)
  }

  /** `x − y`. */
  sub(y: Operand): Tensor {
    return typeof y === 'number' && this.dtype !== 'u32'
      ? this.binary('add', -y)
      : this.binary('add', this.operand(y).neg())
  }

  /** `x · y`, element by element. */
  mul(y: Operand): Tensor {
    return this.binary('mul', y)
  }

  /** `x / y`; integers truncate towards zero, and division by zero gives 0. */
  div(y: Operand): Tensor {
    return this.binary('div', y)
  }

  /** The remainder of `x / y` with the sign of `x`. */
  rem(y: Operand): Tensor {
    return this.binary('rem', y)
  }

  /** `−x`. */
  neg(): Tensor {
    return this.unary('neg')
  }

  /** eˣ. */
  exp(): Tensor {
    return this.unary('exp')
  }

  /** The natural logarithm. */
  log(): Tensor {
    return this.unary('log')
  }

  /** √x. */
  sqrt(): Tensor {
    return this.unary('sqrt')
  }

  /** The sine of an angle in radians. */
  sin(): Tensor {
    return this.unary('sin')
  }

  /** The cosine of an angle in radians. */
  cos(): Tensor {
    return this.unary('cos')
  }

  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return this.unary('tanh')
  }

  /** The logistic function σ(x) = 1 / (1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return this.unary('logistic')
  }

  /** The error function. */
  erf(): Tensor {
    return this.unary('erf')
  }

  /** The largest whole number ≤ x. */
  floor(): Tensor {
    return this.unary('floor')
  }

  /** x². */
  square(): Tensor {
    return this.mul(this)
  }

  /** |x|; its gradient at 0 is 0. */
  abs(): Tensor {
    const zero = this.operand(0)
    return this.less(0).select(this.neg(), zero.less(this).select(this, zero))
  }

  /** xⁿ for a whole number n, by repeated squaring. */
  pow(n: number): Tensor {
    if (!Number.isInteger(n))
      throw new RangeError(
        `pow: the exponent must be a whole number, got ${n}; for other powers write x.log().mul(p).exp()`,
      )
    if (n < 0) return this.operand(1).div(this.pow(-n))
    if (n === 0) return this.operand(1)
    const half = n > 1 ? this.pow(Math.floor(n / 2)).square() : undefined
    return half === undefined ? this : n % 2 === 0 ? half : half.mul(this)
  }

  /** The larger of x and y; equal elements share the gradient. */
  maximum(y: Operand): Tensor {
    return this.binary('max', y)
  }

  /** The smaller of x and y; equal elements share the gradient. */
  minimum(y: Operand): Tensor {
    const other = this.operand(y)
    if (!isFloat(this.dtype)) return this.less(other).select(this, other) // −x of an unsigned or the least integer is not smaller
    return this.neg().maximum(other.neg()).neg()
  }

  // ── comparison and bits ───────────────────────────────────────────────────────────────────────────────────────────

  /** `x < y`, as bool. */
  less(y: Operand): Tensor {
    return this.binary('less', y)
  }

  /** `x > y`, as bool. */
  greater(y: Operand): Tensor {
    return this.operand(y).less(this)
  }

  /** `x = y`, as bool. */
  equal(y: Operand): Tensor {
    return this.binary('equal', y)
  }

  /** For a bool tensor: `yes` where true, `no` where false; both broadcast. At least one of the two is a tensor. */
  select(yes: Operand, no: Operand): Tensor {
    const like = typeof yes === 'number' ? no : yes
    if (typeof like === 'number')
      throw new DTypeError('select: one of the two values must be a tensor, which gives the dtype')
    const [a, b] = [like.operand(yes), like.operand(no)]
    const shape = broadcastShapes('select', this.shape, broadcastShapes('select', a.shape, b.shape))
    return new Tensor(
      makeNode('where', {}, [
        broadcastNode(this.node, shape),
        broadcastNode(a.node, shape),
        broadcastNode(b.node, shape),
      ]),
    )
  }

  /** Bitwise and; logical for bool. */
  and(y: Operand): Tensor {
    return this.binary('and', y)
  }

  /** Bitwise or; logical for bool. */
  or(y: Operand): Tensor {
    return this.binary('or', y)
  }

  /** Bitwise exclusive or; logical for bool. */
  xor(y: Operand): Tensor {
    return this.binary('xor', y)
  }

  /** Bitwise complement; logical for bool. */
  not(): Tensor {
    return this.unary('not')
  }

  /** Bits moved left by `y` mod 32. */
  shiftLeft(y: Operand): Tensor {
    return this.binary('shiftLeft', y)
  }

  /** Bits moved right by `y` mod 32: zeros come in for unsigned dtypes, the sign for i32. */
  shiftRight(y: Operand): Tensor {
    return this.binary('shiftRight', y)
  }

  // ── reduction ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The sum over `axes` (default all); `keepDims` leaves lengths of 1. */
  sum(axes?: Axes, keepDims = false): Tensor {
    return this.reduce('sum', axes, keepDims, (x, a) => makeNode('reduceSum', { axes: a, dtype: x.dtype }, [x]))
  }

  /** The mean over `axes` (default all). */
  mean(axes?: Axes, keepDims = false): Tensor {
    const count = product(normalizeAxes('mean', axes, this.rank).map((a) => at(this.shape, a)))
    return this.sum(axes, keepDims).div(count)
  }

  /** The largest element over `axes` (default all); equal elements share the gradient. */
  max(axes?: Axes, keepDims = false): Tensor {
    return this.reduce('max', axes, keepDims, (x, a) => makeNode('reduceMax', { axes: a }, [x]))
  }

  // ── shape ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The same elements in another shape; one length may be −1. */
  reshape(shape: Shape): Tensor {
    const known = product(shape.filter((n) => n !== -1))
    const full = shape.map((n) => (n === -1 ? this.size / known : n))
    return equalNumbers(full, this.shape) ? this : new Tensor(makeNode('reshape', { shape: full }, [this.node]))
  }

  /** Axes in another order; by default reversed. */
  transpose(permutation: readonly number[] = range(this.rank).toReversed()): Tensor {
    const p = permutation.map((a) => normalizeAxis('transpose', a, this.rank))
    return p.every((a, i) => a === i) && p.length === this.rank
      ? this
      : new Tensor(makeNode('transpose', { permutation: p }, [this.node]))
  }

  /** Repeated to `shape` by NumPy's rule. */
  broadcastTo(shape: Shape): Tensor {
    return new Tensor(broadcastNode(this.node, shape))
  }

  /** With a new axis of length 1 at `axis`. */
  expandDims(axis: number): Tensor {
    const a = normalizeAxis('expandDims', axis, this.rank + 1)
    return this.reshape([...this.shape.slice(0, a), 1, ...this.shape.slice(a)])
  }

  /** Elements reversed along `axes`. */
  reverse(axes: Axes): Tensor {
    return new Tensor(makeNode('reverse', { axes: normalizeAxes('reverse', axes, this.rank) }, [this.node]))
  }

  /** A part: one range an axis, missing ones are whole. `x.slice([0, 2], [1])` is x[0:2, 1:]. */
  slice(...ranges: readonly Range[]): Tensor {
    if (ranges.length > this.rank) throw new ShapeError(`slice: ${ranges.length} ranges for ${showShape(this.shape)}`)
    const bound = (b: number | undefined, n: number, absent: number): number =>
      b === undefined ? absent : Math.min(n, b < 0 ? b + n : b)
    const start = this.shape.map((n, i) => bound(ranges[i]?.[0], n, 0))
    const limit = this.shape.map((n, i) => bound(ranges[i]?.[1], n, n))
    const stride = this.shape.map((_, i) => ranges[i]?.[2] ?? 1)
    return new Tensor(makeNode('slice', { start, limit, stride }, [this.node]))
  }

  /** Zeros around (`low`, `high`) and between (`interior`) the elements of each axis. */
  pad(low: readonly number[], high: readonly number[], interior: readonly number[] = low.map(() => 0)): Tensor {
    return new Tensor(makeNode('pad', { low, high, interior }, [this.node]))
  }

  // ── dtype and contraction ─────────────────────────────────────────────────────────────────────────────────────────

  /** The values in another dtype: floats round, integers wrap, everything but 0 is true. */
  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this : new Tensor(makeNode('cast', { dtype }, [this.node]))
  }

  /** The bits read as another dtype of four bytes. */
  bitcast(dtype: DType): Tensor {
    return new Tensor(makeNode('bitcast', { dtype }, [this.node]))
  }

  /** `[…, M, K] · […, K, N] → […, M, N]`; the leading axes must be equal. `y` of rank 2 is shared by all of them. */
  matmul(y: Tensor): Tensor {
    if (this.rank < 2 || y.rank < 2)
      throw new ShapeError(
        `matmul: needs two matrices or stacks of them, got ${showShape(this.shape)} and ${showShape(y.shape)}`,
      )
    const batch = range(y.rank - 2)
    const where = `matmul: ${showShape(this.shape)} · ${showShape(y.shape)}`
    if (this.shape.at(-1) !== y.shape.at(-2))
      throw new ShapeError(`${where}: ${this.shape.at(-1)} columns meet ${y.shape.at(-2)} rows`)
    if (y.rank > 2 && !equalNumbers(this.shape.slice(0, -2), y.shape.slice(0, -2)))
      throw new ShapeError(`${where}: the leading axes differ`)
    const attrs = { contract: [[this.rank - 1], [y.rank - 2]], batch: [batch, batch], dtype: this.dtype } as const
    return new Tensor(makeNode('dotGeneral', attrs, [this.node, y.node]))
  }

  /** The value, through which no gradient flows. */
  stopGradient(): Tensor {
    return this.unary('stopGradient')
  }

  // ── making nodes ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** `y` as a tensor: numbers take this tensor's dtype and shape. */
  operand(y: Operand): Tensor {
    return typeof y === 'number' ? new Tensor(fullNode(y, this.shape, this.dtype)) : y
  }

  private unary(op: UnaryName): Tensor {
    return new Tensor(makeNode(op, {}, [this.node]))
  }

  private binary(op: BinaryName, y: Operand): Tensor {
    const other = this.operand(y)
    const shape = broadcastShapes(op, this.shape, other.shape)
    return new Tensor(makeNode(op, {}, [broadcastNode(this.node, shape), broadcastNode(other.node, shape)]))
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

/** Whether gradients flow through the tensor's dtype. */
export const isDifferentiable = (x: Tensor): boolean => isFloat(x.dtype)
