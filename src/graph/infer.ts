/** Shape and dtype inference: one rule a primitive, with errors that say the operation, what it got and what it expected. */
import { at, equalNumbers, permute, range, without } from '../prelude/array.ts'
import { DTypeError, ShapeError } from '../prelude/errors.ts'
import { bytesPerElement, isFloat, isInteger, requireKnownDType, type DType } from './dtype.ts'
import type { ConvAttrs, DotAttrs, Node, OpName, Ops } from './ops.ts'
import { requireWholeShape, showShape, sizeOf, type Shape } from './shape.ts'

/** The shape and dtype of a node. */
export interface Typing {
  readonly shape: Shape
  readonly dtype: DType
}

type Rule<K extends OpName> = (inputs: Ops[K]['inputs'], attrs: Ops[K]['attrs']) => Typing

const requireShape = (ok: boolean, message: () => string): void => {
  if (!ok) throw new ShapeError(message())
}

const requireDType = (ok: boolean, message: () => string): void => {
  if (!ok) throw new DTypeError(message())
}

const unary =
  (name: string, takes: (d: DType) => boolean, kinds: string) =>
  ([x]: readonly [Node]): Typing => {
    requireDType(takes(x.dtype), () => `${name}: takes ${kinds}, got ${x.dtype}; cast it first`)
    return { shape: x.shape, dtype: x.dtype }
  }

const floatUnary = (name: string) => unary(name, isFloat, 'a float')

const binary =
  (name: string, takes: (d: DType) => boolean, kinds: string, result?: DType) =>
  ([x, y]: readonly [Node, Node]): Typing => {
    requireShape(
      equalNumbers(x.shape, y.shape),
      () => `${name}: shapes ${showShape(x.shape)} and ${showShape(y.shape)} differ; broadcast first`,
    )
    requireDType(x.dtype === y.dtype, () => `${name}: dtypes ${x.dtype} and ${y.dtype} differ; cast one of them`)
    requireDType(takes(x.dtype), () => `${name}: takes ${kinds}, got ${x.dtype}`)
    return { shape: x.shape, dtype: result ?? x.dtype }
  }

const isNumber = (d: DType): boolean => d !== 'bool'
const isBits = (d: DType): boolean => isInteger(d) || d === 'bool'
const arithmetic = (name: string) => binary(name, isNumber, 'numbers; cast bool first')
const bitwise = (name: string) => binary(name, isBits, 'integers or bool')
const shift = (name: string) => binary(name, isInteger, 'integers')
const comparison = (name: string) => binary(name, () => true, 'anything', 'bool')

const checkAxes = (name: string, axes: readonly number[], rank: number): void => {
  requireShape(
    axes.every((a, i) => Number.isInteger(a) && a >= 0 && a < rank && axes.indexOf(a) === i),
    () => `${name}: axes ${showShape(axes)} must be different axes of a tensor with ${rank} axes`,
  )
}

const leaf = (_: readonly [], { shape, dtype }: Typing): Typing => {
  requireWholeShape(shape)
  requireKnownDType(dtype)
  return { shape, dtype }
}

const same = ([x]: readonly [Node, ...Node[]]): Typing => ({ shape: x.shape, dtype: x.dtype })

const inferDot = ([x, y]: readonly [Node, Node], { contract, batch, dtype }: DotAttrs): Typing => {
  const [xc, yc] = contract
  const [xb, yb] = batch
  checkAxes('dotGeneral (left)', [...xc, ...xb], x.shape.length)
  checkAxes('dotGeneral (right)', [...yc, ...yb], y.shape.length)
  const agree = (a: readonly number[], b: readonly number[]): boolean =>
    a.length === b.length && a.every((axis, i) => x.shape[axis] === y.shape[at(b, i)])
  requireShape(
    agree(xc, yc),
    () =>
      `dotGeneral: cannot contract axes ${showShape(xc)} of ${showShape(x.shape)} with axes ${showShape(yc)} of ${showShape(y.shape)}: lengths differ`,
  )
  requireShape(
    agree(xb, yb),
    () =>
      `dotGeneral: batch axes ${showShape(xb)} of ${showShape(x.shape)} and ${showShape(yb)} of ${showShape(y.shape)} differ`,
  )
  requireDType(
    x.dtype === y.dtype && isNumber(x.dtype),
    () => `dotGeneral: dtypes ${x.dtype} and ${y.dtype} must be the same number type`,
  )
  return {
    shape: [...permute(x.shape, xb), ...without(x.shape, [...xc, ...xb]), ...without(y.shape, [...yc, ...yb])],
    dtype,
  }
}

/** Length of a dilated axis. */
export const dilated = (n: number, dilation: number): number => (n === 0 ? 0 : (n - 1) * dilation + 1)

/** The spatial output lengths of a convolution. */
const convOutput = (x: Shape, w: Shape, a: ConvAttrs): readonly [number, number] => {
  const length = (axis: 0 | 1): number => {
    const padded = dilated(at(x, axis + 1), a.inputDilation[axis]) + a.padLow[axis] + a.padHigh[axis]
    const filter = dilated(at(w, axis), a.filterDilation[axis])
    return padded < filter ? 0 : Math.floor((padded - filter) / a.stride[axis]) + 1
  }
  return [length(0), length(1)]
}

const inferConv = ([x, w]: readonly [Node, Node], a: ConvAttrs): Typing => {
  const where = `(x: ${showShape(x.shape)}, w: ${showShape(w.shape)})`
  requireShape(x.shape.length === 4, () => `conv2d: input must be [N, H, W, C] ${where}`)
  requireShape(w.shape.length === 4, () => `conv2d: filter must be [KH, KW, C, O] ${where}`)
  const channels = at(x.shape, 3)
  const perGroup = at(w.shape, 2)
  requireShape(
    channels === perGroup * a.groups,
    () =>
      `conv2d: input has ${channels} channels, filter expects ${perGroup * a.groups}${a.groups > 1 ? ` (${a.groups} groups of ${perGroup})` : ''} ${where}`,
  )
  requireShape(
    at(w.shape, 3) % a.groups === 0,
    () => `conv2d: ${at(w.shape, 3)} output channels do not divide into ${a.groups} groups ${where}`,
  )
  requireShape(
    [...a.stride, ...a.inputDilation, ...a.filterDilation, a.groups].every((n) => Number.isInteger(n) && n >= 1),
    () => `conv2d: strides, dilations and groups are whole numbers ≥ 1 ${where}`,
  )
  requireShape(
    [...a.padLow, ...a.padHigh].every(Number.isInteger),
    () =>
      `conv2d: padding is a whole number of pixels, got ${showShape(a.padLow)} and ${showShape(a.padHigh)} ${where}`,
  )
  requireDType(
    x.dtype === w.dtype && isNumber(x.dtype),
    () => `conv2d: input is ${x.dtype} and filter is ${w.dtype}; both must be the same number type`,
  )
  return { shape: [at(x.shape, 0), ...convOutput(x.shape, w.shape, a), at(w.shape, 3)], dtype: a.dtype }
}

const lengths = (name: string, shape: Shape, ...lists: readonly (readonly number[])[]): void => {
  requireShape(
    lists.every((l) => l.length === shape.length && l.every(Number.isInteger)),
    () => `${name}: needs one whole number for each axis of ${showShape(shape)}`,
  )
}

const inferScan = (inputs: readonly Node[], { loop, result }: Ops['scan']['attrs']): Typing => {
  const { length, constants, carries, elements, next } = loop
  const whole = [...constants, ...carries, ...elements.map((x) => ({ ...x, shape: [length, ...x.shape] }))]
  const show = (x: Typing): string => `${x.dtype}${showShape(x.shape)}`
  const isLike = (x: Typing, y: Typing | undefined): boolean =>
    y !== undefined && x.dtype === y.dtype && equalNumbers(x.shape, y.shape)
  requireShape(
    inputs.length === whole.length && inputs.every((x, i) => isLike(x, whole[i])),
    () => `scan: a loop over ${whole.map(show).join(', ')} is given ${inputs.map(show).join(', ')}`,
  )
  requireShape(
    next.length === carries.length && next.every((x, i) => isLike(x, carries[i])),
    () => `scan: carries ${carries.map(show).join(', ')} become ${next.map(show).join(', ')}`,
  )
  if (result.kind === 'last') return at(carries, result.carry)
  return { shape: [length, ...result.node.shape], dtype: result.node.dtype }
}

/** Name → rule. */
export const inferRules: { readonly [K in OpName]: Rule<K> } = {
  parameter: leaf,
  buffer: leaf,
  constant: leaf,
  iota: (_, attrs) => {
    checkAxes('iota', [attrs.axis], attrs.shape.length)
    return leaf(_, attrs)
  },
  alias: same,
  stopGradient: same,
  barrier: same,
  call: (inputs, { definition, output }) => {
    const fits =
      inputs.length === definition.parameters.length &&
      inputs.every((x, i) => equalNumbers(x.shape, at(definition.parameters, i).shape))
    requireShape(fits, () => `${definition.name}: called with ${inputs.map((x) => showShape(x.shape)).join(', ')}`)
    return at(definition.outputs, output)
  },
  scan: inferScan,
  neg: unary('neg', isNumber, 'a number'),
  exp: floatUnary('exp'),
  log: floatUnary('log'),
  sqrt: floatUnary('sqrt'),
  sin: floatUnary('sin'),
  cos: floatUnary('cos'),
  tanh: floatUnary('tanh'),
  logistic: floatUnary('logistic'),
  erf: floatUnary('erf'),
  floor: floatUnary('floor'),
  not: unary('not', isBits, 'an integer or a bool'),
  cast: ([x], { dtype }) => {
    requireKnownDType(dtype)
    return { shape: x.shape, dtype }
  },
  bitcast: ([x], { dtype }) => {
    requireKnownDType(dtype)
    requireDType(
      bytesPerElement[dtype] === 4 && bytesPerElement[x.dtype] === 4,
      () => `bitcast: needs two dtypes of four bytes, got ${x.dtype} → ${dtype}`,
    )
    return { shape: x.shape, dtype }
  },
  add: arithmetic('add'),
  mul: arithmetic('mul'),
  div: arithmetic('div'),
  rem: arithmetic('rem'),
  max: arithmetic('max'),
  and: bitwise('and'),
  or: bitwise('or'),
  xor: bitwise('xor'),
  shiftLeft: shift('shiftLeft'),
  shiftRight: shift('shiftRight'),
  less: comparison('less'),
  equal: comparison('equal'),
  where: ([c, x, y]) => {
    requireDType(c.dtype === 'bool', () => `where: the condition must be bool, got ${c.dtype}`)
    requireDType(x.dtype === y.dtype, () => `where: dtypes ${x.dtype} and ${y.dtype} differ`)
    requireShape(
      equalNumbers(c.shape, x.shape) && equalNumbers(x.shape, y.shape),
      () => `where: shapes ${showShape(c.shape)}, ${showShape(x.shape)} and ${showShape(y.shape)} differ`,
    )
    return { shape: x.shape, dtype: x.dtype }
  },
  reduceSum: ([x], { axes, dtype }) => {
    checkAxes('reduceSum', axes, x.shape.length)
    requireDType(isNumber(x.dtype), () => 'reduceSum: takes numbers; cast bool to i32 first')
    return { shape: without(x.shape, axes), dtype }
  },
  reduceMax: ([x], { axes }) => {
    checkAxes('reduceMax', axes, x.shape.length)
    requireDType(isNumber(x.dtype), () => 'reduceMax: takes numbers; cast bool to i32 first')
    return { shape: without(x.shape, axes), dtype: x.dtype }
  },
  broadcast: ([x], { shape, axes }) => {
    requireWholeShape(shape)
    checkAxes('broadcast', axes, shape.length)
    requireShape(
      equalNumbers(without(shape, axes), x.shape),
      () => `broadcast: ${showShape(x.shape)} is not ${showShape(shape)} without axes ${showShape(axes)}`,
    )
    return { shape, dtype: x.dtype }
  },
  reshape: ([x], { shape }) => {
    requireWholeShape(shape)
    requireShape(
      sizeOf(shape) === sizeOf(x.shape),
      () => `reshape: ${showShape(x.shape)} has ${sizeOf(x.shape)} elements, ${showShape(shape)} has ${sizeOf(shape)}`,
    )
    return { shape, dtype: x.dtype }
  },
  transpose: ([x], { permutation }) => {
    checkAxes('transpose', permutation, x.shape.length)
    requireShape(
      permutation.length === x.shape.length,
      () => `transpose: ${showShape(permutation)} does not name every axis of ${showShape(x.shape)} once`,
    )
    return { shape: permute(x.shape, permutation), dtype: x.dtype }
  },
  reverse: ([x], { axes }) => {
    checkAxes('reverse', axes, x.shape.length)
    return { shape: x.shape, dtype: x.dtype }
  },
  pad: ([x], { low, high, interior }) => {
    lengths('pad', x.shape, low, high, interior)
    requireShape(
      [...low, ...high, ...interior].every((n) => n >= 0),
      () => 'pad: amounts are ≥ 0; use slice to crop',
    )
    return { shape: x.shape.map((n, i) => at(low, i) + dilated(n, at(interior, i) + 1) + at(high, i)), dtype: x.dtype }
  },
  slice: ([x], { start, limit, stride }) => {
    lengths('slice', x.shape, start, limit, stride)
    requireShape(
      x.shape.every(
        (n, i) => at(start, i) >= 0 && at(start, i) <= at(limit, i) && at(limit, i) <= n && at(stride, i) >= 1,
      ),
      () =>
        `slice: ${showShape(start)} … ${showShape(limit)} by ${showShape(stride)} does not lie in ${showShape(x.shape)}`,
    )
    return { shape: start.map((s, i) => Math.ceil((at(limit, i) - s) / at(stride, i))), dtype: x.dtype }
  },
  concatenate: (inputs, { axis }) => {
    const first = inputs[0]
    if (first === undefined) throw new ShapeError('concatenate: needs at least one tensor')
    checkAxes('concatenate', [axis], first.shape.length)
    requireShape(
      inputs.every((x) => equalNumbers(without(x.shape, [axis]), without(first.shape, [axis]))),
      () => `concatenate: ${inputs.map((x) => showShape(x.shape)).join(', ')} must agree in every axis but ${axis}`,
    )
    requireDType(
      inputs.every((x) => x.dtype === first.dtype),
      () => `concatenate: dtypes ${inputs.map((x) => x.dtype).join(', ')} differ`,
    )
    return {
      shape: first.shape.map((n, i) => (i === axis ? inputs.reduce((sum, x) => sum + at(x.shape, axis), 0) : n)),
      dtype: first.dtype,
    }
  },
  gather: ([table, index], { axis }) => {
    checkAxes('gather', [axis], table.shape.length)
    requireDType(
      index.dtype === 'i32' || index.dtype === 'u32',
      () => `gather: indices must be i32 or u32, got ${index.dtype}`,
    )
    requireShape(
      at(table.shape, axis) > 0 || sizeOf(index.shape) === 0,
      () => `gather: axis ${axis} of ${showShape(table.shape)} has no rows to pick from`,
    )
    return {
      shape: [...table.shape.slice(0, axis), ...index.shape, ...table.shape.slice(axis + 1)],
      dtype: table.dtype,
    }
  },
  scatterAdd: ([index, updates], { axis, size }) => {
    const rank = index.shape.length
    requireDType(
      index.dtype === 'i32' || index.dtype === 'u32',
      () => `scatterAdd: indices must be i32 or u32, got ${index.dtype}`,
    )
    requireDType(isNumber(updates.dtype), () => 'scatterAdd: adds numbers; cast bool first')
    requireShape(
      Number.isInteger(size) && size >= 0 && (size > 0 || sizeOf(index.shape) === 0),
      () => `scatterAdd: there are updates, but ${size} rows to add them to`,
    )
    requireShape(
      Number.isInteger(axis) && axis >= 0 && axis + rank <= updates.shape.length,
      () =>
        `scatterAdd: updates ${showShape(updates.shape)} have no axes ${axis} … ${axis + rank - 1} for indices ${showShape(index.shape)}`,
    )
    requireShape(
      equalNumbers(updates.shape.slice(axis, axis + rank), index.shape),
      () => `scatterAdd: updates ${showShape(updates.shape)} do not hold ${showShape(index.shape)} at axis ${axis}`,
    )
    return { shape: [...updates.shape.slice(0, axis), size, ...updates.shape.slice(axis + rank)], dtype: updates.dtype }
  },
  cumsum: ([x], { axis }) => {
    checkAxes('cumsum', [axis], x.shape.length)
    requireDType(isNumber(x.dtype), () => 'cumsum: takes numbers; cast bool to i32 first')
    return { shape: x.shape, dtype: x.dtype }
  },
  argsort: ([x], { axis }) => {
    checkAxes('argsort', [axis], x.shape.length)
    return { shape: x.shape, dtype: 'i32' }
  },
  dotGeneral: inferDot,
  conv: inferConv,
}

/** The axes of `0 … rank − 1` that are in none of the lists. */
export const freeAxes = (rank: number, ...lists: readonly (readonly number[])[]): readonly number[] =>
  range(rank).filter((a) => !lists.some((l) => l.includes(a)))
