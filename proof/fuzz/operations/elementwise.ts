/** Elementwise operations of random programs: floats, integers, comparisons, casts, leaves that are part of the program. */
import { isFloat, type DType } from '../../../src/graph/dtype.ts'
import { constant, iota, oneHot } from '../../../src/tensor/create.ts'
import { gelu, geluTanh, leakyRelu, relu, silu, softplus } from '../../../src/tensor/activations.ts'
import { stopGradient } from '../../../src/index.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { another, asDType, fitted, floatsOf, like, pick, raw, settled, type Context, type Operation } from '../value.ts'

const isFloatTensor = (x: Tensor): boolean => isFloat(x.dtype)
const isWhole = (x: Tensor): boolean => x.dtype === 'i32' || x.dtype === 'u32' || x.dtype === 'u8'
const isNumber = (x: Tensor): boolean => x.dtype !== 'bool'
const isBits = (x: Tensor): boolean => !isFloat(x.dtype)
const any = (): boolean => true

type Make = (x: Tensor, bound: number, context: Context) => readonly [Tensor, number]

const operation = (
  name: string,
  takes: (x: Tensor, context: Context) => boolean,
  make: Make,
  { smooth = false, weight = 1 }: { readonly smooth?: boolean; readonly weight?: number } = {},
): Operation => ({
  name,
  weight,
  smooth,
  takes,
  make: ({ x, bound }, context) => {
    const [y, b] = make(x, bound, context)
    return settled(y, b, context.mode)
  },
})

const smooth = { smooth: true } as const

/** The bare function in `wild` programs, one that is defined and bounded everywhere in all others. */
const guarded =
  (bare: (x: Tensor) => Tensor, tame: (x: Tensor, bound: number) => readonly [Tensor, number]): Make =>
  (x, bound, { mode }) =>
    mode === 'wild' ? [bare(x), Infinity] : tame(x, bound)

const floats: readonly Operation[] = [
  operation(
    'exp',
    isFloatTensor,
    guarded(
      (x) => x.exp(),
      (x, b) => (b <= 2 ? [x.exp(), 7.4] : [x.square().neg().exp(), 1]),
    ),
    smooth,
  ),
  operation(
    'log',
    isFloatTensor,
    guarded(
      (x) => x.log(),
      (x, b) => [x.square().add(0.5).log(), Math.max(1, 2 * Math.log(b + 1))],
    ),
    smooth,
  ),
  operation(
    'sqrt',
    isFloatTensor,
    guarded(
      (x) => x.sqrt(),
      (x, b) => [x.square().add(0.25).sqrt(), b + 0.5],
    ),
    smooth,
  ),
  operation('sin', isFloatTensor, (x) => [x.sin(), 1], smooth),
  operation('cos', isFloatTensor, (x) => [x.cos(), 1], smooth),
  operation('tanh', isFloatTensor, (x) => [x.tanh(), 1], smooth),
  operation('logistic', isFloatTensor, (x) => [x.sigmoid(), 1], smooth),
  operation('erf', isFloatTensor, (x) => [x.erf(), 1], smooth),
  operation('floor', isFloatTensor, (x, b) => [x.mul(4).floor(), 4 * b + 1]),
  operation('abs', isNumber, (x, b) => [x.abs(), b]),
  operation('silu', isFloatTensor, (x, b) => [silu(x), b], smooth),
  operation('gelu', isFloatTensor, (x, b, { choose }) => [pick([gelu, geluTanh], choose)(x), b + 1], smooth),
  operation('relu', isFloatTensor, (x, b, { choose }) => [pick([relu, leakyRelu], choose)(x), b]),
  operation('softplus', isFloatTensor, (x, b) => [softplus(x), b + 1], smooth),
  operation('square', isFloatTensor, (x, b) => [x.square(), b * b], smooth),
  operation(
    'pow',
    isFloatTensor,
    (x, b, { choose }) => (b <= 2 ? [x.pow(choose(4)), b ** 3 + 1] : [x.tanh().pow(3), 1]),
    smooth,
  ),
]

const binary: readonly Operation[] = [
  operation(
    'add',
    isNumber,
    (x, b, c) => {
      const y = like(x, c)
      return [x.add(y.x), b + y.bound]
    },
    { ...smooth, weight: 2 },
  ),
  operation(
    'sub',
    isNumber,
    (x, b, c) => {
      const y = like(x, c)
      return [x.sub(y.x), x.dtype === 'u32' || x.dtype === 'u8' ? Infinity : b + y.bound]
    },
    smooth,
  ),
  operation(
    'mul',
    isNumber,
    (x, b, c) => {
      const y = like(x, c)
      return [x.mul(y.x), b * y.bound]
    },
    { ...smooth, weight: 2 },
  ),
  operation(
    'div',
    isNumber,
    (x, b, c) => {
      const y = like(x, c)
      return isFloat(x.dtype) && c.mode !== 'wild'
        ? [x.div(y.x.square().add(1)), b]
        : [x.div(y.x), isFloat(x.dtype) ? Infinity : b]
    },
    smooth,
  ),
  operation('rem', isNumber, (x, b, c) => {
    const y = like(x, c)
    return [x.rem(isFloat(x.dtype) && c.mode !== 'wild' ? y.x.abs().add(0.5) : y.x), b]
  }),
  operation(
    'max',
    isNumber,
    (x, b, c) => {
      const y = like(x, c)
      return [c.choose(2) === 0 ? x.maximum(y.x) : x.minimum(y.x), Math.max(b, y.bound)]
    },
    { weight: 2 },
  ),
  operation(
    'scale',
    isNumber,
    (x, b, { choose }) => [
      isFloat(x.dtype) ? x.mul(pick([0.5, 1, -1, 2, 0.1], choose)) : x.mul(pick([1, 2, 3], choose)),
      3 * b,
    ],
    smooth,
  ),
  operation('shift by a number', isNumber, (x, b, { choose }) => [x.add(pick([0, 1, 2], choose)), b + 2], smooth),
  operation('neg', isNumber, (x, b) => [x.neg(), x.dtype === 'u32' || x.dtype === 'u8' ? Infinity : b], smooth),
  operation('neg neg', isNumber, (x, b) => [x.neg().neg(), b], smooth),
]

const logic: readonly Operation[] = [
  operation('less', any, (x, _, c) => [c.choose(2) === 0 ? x.less(like(x, c).x) : x.greater(like(x, c).x), 1]),
  operation('equal', any, (x, _, c) => [x.equal(like(x, c).x), 1]),
  operation(
    'where',
    any,
    (x, b, c) => {
      const [y, by] = [like(x, c), like(x, c)]
      const condition =
        c.values.find((v) => v.x.dtype === 'bool' && v.x.shape.join() === x.shape.join() && c.choose(2) === 0)?.x ??
        by.x.less(x)
      return [condition.select(x, y.x), Math.max(b, y.bound)]
    },
    { weight: 2 },
  ),
  operation(
    'where of a bool',
    (x) => x.dtype === 'bool',
    (x, _, c) => {
      const y = another(pick([...floatsOf(c.mode), 'i32'], c.choose), c)
      const z = another(y.x.dtype, c)
      return [x.select(fitted(y.x, x.shape), fitted(z.x, x.shape)), Math.max(3, y.bound, z.bound)]
    },
    { weight: 2 },
  ),
  operation('and', isBits, (x, _, c) => [x.and(like(x, c).x), Infinity]),
  operation('or', isBits, (x, _, c) => [x.or(like(x, c).x), Infinity]),
  operation('xor', isBits, (x, _, c) => [x.xor(like(x, c).x), Infinity]),
  operation('not', isBits, (x) => [x.not(), Infinity]),
  operation('shiftLeft', isWhole, (x, _, c) => [x.shiftLeft(like(x, c).x), Infinity]),
  operation('shiftRight', isWhole, (x, b, c) => [x.shiftRight(like(x, c).x), b]),
]

const integers: readonly DType[] = ['i32', 'u32', 'u8', 'bool']

const casts: readonly Operation[] = [
  {
    name: 'cast',
    weight: 3,
    smooth: false,
    takes: any,
    make: (v, { choose, mode }) => asDType(v, pick(choose(2) === 0 ? floatsOf(mode) : integers, choose), mode),
  },
  operation('cast to its own dtype', any, (x, b) => [raw('cast', { dtype: x.dtype }, x), b], smooth),
  operation(
    'cast there and back',
    (x, { mode }) => isFloat(x.dtype) && floatsOf(mode).length > 1,
    (x, b) => [x.cast('f16').cast(x.dtype), b + 1],
  ),
  operation(
    'bitcast of a float',
    (x) => x.dtype === 'f32',
    (x, _, { choose }) => [
      // A NaN has many patterns, and which one arises is nobody's promise.
      x
        .equal(x)
        .select(x, 0)
        .bitcast(pick(['i32', 'u32'] as const, choose)),
      Infinity,
    ],
  ),
  operation(
    'bitcast between integers',
    (x) => x.dtype === 'i32' || x.dtype === 'u32',
    (x, _, { choose }) => [x.bitcast(pick(['i32', 'u32'] as const, choose)), Infinity],
  ),
  operation(
    'bitcast to a float',
    (x, { mode }) => (x.dtype === 'i32' || x.dtype === 'u32') && floatsOf(mode).length > 1,
    (x) => [
      x.and(0x007f_ffff).or(0x3f80_0000).bitcast('f32'), // in [1, 2)
      2,
    ],
  ),
]

const leaves: readonly Operation[] = [
  operation(
    'iota',
    (x) => x.rank > 0 && isNumber(x),
    (x, b, { choose }) => [iota(x.shape, choose(x.rank), x.dtype).add(x), b + x.size],
    smooth,
  ),
  operation(
    'constant',
    (x) => isNumber(x) && x.size > 0,
    (x, b, { choose }) => {
      const table = Array.from({ length: x.size }, () => choose(9) / (isFloat(x.dtype) ? 2 : 1))
      return [constant(table, { dtype: x.dtype }).reshape(x.shape).add(x), b + 9]
    },
    smooth,
  ),
  operation(
    'one hot',
    (x) => isWhole(x) && x.rank < 4 && x.size <= 40,
    (x) => [oneHot(x.and(3), 4), 1],
  ),
  operation('stopGradient', any, (x, b) => [stopGradient(x), b]),
  operation('alias', any, (x, b) => [raw('alias', {}, x), b], smooth),
  operation('barrier', any, (x, b, { values, choose }) => [raw('barrier', {}, x, pick(values, choose).x), b], smooth),
]

/** All of them. */
export const elementwise: readonly Operation[] = [...floats, ...binary, ...logic, ...casts, ...leaves]
