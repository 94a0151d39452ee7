/** Operations of random programs that move elements: reshapes, permutations, padding, slicing, indexing, sorting. */
import { isFloat } from '../../../src/graph/dtype.ts'
import {
  argmax,
  argsort,
  concatenate,
  gather,
  scatterAdd,
  sort,
  splitInto,
  stack,
} from '../../../src/tensor/combine.ts'
import { averagePool, maxPool } from '../../../src/tensor/pooling.ts'
import { pixelShuffle, pixelUnshuffle, upsampleNearest } from '../../../src/tensor/resampling.ts'
import { iota } from '../../../src/tensor/create.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import {
  another,
  fitted,
  like,
  pick,
  rangeOf,
  raw,
  settled,
  shuffled,
  type Choose,
  type Context,
  type Operation,
} from '../value.ts'

type Make = (x: Tensor, bound: number, context: Context) => Tensor | readonly [Tensor, number]

const any = (): boolean => true
const hasAxes = (x: Tensor): boolean => x.rank > 0
const isNumber = (x: Tensor): boolean => x.dtype !== 'bool'

/** An operation that makes no element larger, unless it says so. */
const operation = (name: string, takes: (x: Tensor) => boolean, make: Make, weight = 1, smooth = true): Operation => ({
  name,
  weight,
  smooth,
  takes,
  make: ({ x, bound }, context) => {
    const made = make(x, bound, context)
    return 'length' in made ? settled(made[0], made[1], context.mode) : settled(made, bound, context.mode)
  },
})

/** Lengths whose product is `size`, of 1 to 4 axes. */
const factored = (size: number, choose: Choose): readonly number[] => {
  if (size === 0) return shuffled([0, 1 + choose(3), 1 + choose(3)], choose)
  let rest = size
  const lengths: number[] = []
  while (lengths.length < choose(4)) {
    const divisors = [1, 2, 3, 4, 5, 6].filter((k) => rest % k === 0)
    const n = pick(divisors, choose)
    lengths.push(n)
    rest /= n
  }
  return shuffled([...lengths, rest], choose)
}

const subset = (rank: number, choose: Choose): readonly number[] =>
  shuffled([...Array.from({ length: rank }).keys()], choose).slice(0, choose(rank + 1))

const moves: readonly Operation[] = [
  operation('reshape', any, (x, _, { choose }) => x.reshape(factored(x.size, choose)), 2),
  operation('reshape to its own shape', any, (x) => raw('reshape', { shape: x.shape }, x)),
  operation('reshape back', any, (x) => x.reshape([x.size, 1]).reshape(x.shape)),
  operation(
    'squeeze',
    (x) => x.shape.includes(1),
    (x) => x.reshape(x.shape.filter((n) => n !== 1)),
  ),
  operation(
    'transpose',
    (x) => x.rank > 1,
    (x, _, { choose }) => x.transpose(shuffled([...x.shape.keys()], choose)),
    2,
  ),
  operation('transpose to itself', any, (x) => raw('transpose', { permutation: [...x.shape.keys()] }, x)),
  operation('transpose back', any, (x) => x.transpose().transpose()),
  operation(
    'expandDims',
    (x) => x.rank < 5,
    (x, _, { choose }) => x.expandDims(choose(x.rank + 1)),
  ),
  operation(
    'broadcast',
    (x) => x.rank < 5 && x.size <= 80,
    (x, _, { choose }) => {
      const axis = choose(x.rank + 1)
      const shape = [...x.shape.slice(0, axis), choose(9) === 0 ? 0 : 1 + choose(3), ...x.shape.slice(axis)]
      return raw('broadcast', { shape, axes: [axis] }, x)
    },
    2,
  ),
  operation('broadcast of nothing', any, (x) => raw('broadcast', { shape: x.shape, axes: [] }, x)),
  operation(
    'repeat',
    (x) => x.shape.includes(1) && x.size <= 80,
    (x, _, { choose }) => x.broadcastTo(x.shape.map((n) => (n === 1 ? 1 + choose(3) : n))),
  ),
  operation('reverse', hasAxes, (x, _, { choose }) => raw('reverse', { axes: subset(x.rank, choose) }, x), 2),
  operation(
    'slice',
    hasAxes,
    (x, _, { choose }) =>
      x.slice(
        ...x.shape.map((n) => {
          const [start, limit] = [choose(Math.min(n, 2) + 1), n - choose(Math.min(n, 2) + 1)]
          return [Math.min(start, limit), Math.max(start, limit), 1 + choose(3)] as const
        }),
      ),
    2,
  ),
  operation('slice of everything', any, (x) => x.slice()),
  operation(
    'pad',
    (x) => x.size <= 80,
    (x, _, { choose }) =>
      x.pad(
        x.shape.map(() => choose(3)),
        x.shape.map(() => choose(3)),
        x.shape.map(() => Math.max(0, choose(4) - 1)),
      ),
    2,
  ),
  operation('pad with nothing', any, (x) =>
    x.pad(
      x.shape.map(() => 0),
      x.shape.map(() => 0),
    ),
  ),
]

const joins: readonly Operation[] = [
  {
    name: 'concatenate',
    weight: 3,
    smooth: true,
    takes: hasAxes,
    make: ({ x, bound }, c) => {
      const axis = c.choose(x.rank)
      const parts = Array.from({ length: c.choose(3) }, () => {
        const y = another(x.dtype, c)
        const shape = x.shape.map((n, a) => (a === axis ? c.choose(4) : n))
        return { x: fitted(y.x, shape), bound: Math.max(3, y.bound) }
      })
      const all = shuffled([{ x, bound }, ...parts], c.choose)
      return settled(raw('concatenate', { axis }, ...all.map((v) => v.x)), Math.max(...all.map((v) => v.bound)), c.mode)
    },
  },
  operation('concatenate of two', hasAxes, (x, b, c) => {
    const y = like(x, c)
    return [concatenate([x, y.x], c.choose(x.rank)), Math.max(b, y.bound)]
  }),
  operation(
    'stack',
    (x) => x.rank < 5,
    (x, _, { choose }) => stack([x, x.reverse([])], choose(x.rank + 1)),
  ),
  {
    name: 'split',
    weight: 1,
    smooth: true,
    takes: (x) => x.shape.some((n) => n > 1 && n % 2 === 0),
    make: ({ x, bound }) =>
      splitInto(
        x,
        2,
        x.shape.findIndex((n) => n > 1 && n % 2 === 0),
      ).map((part) => ({ x: part, bound })),
  },
]

/** Indices, most of them inside. */
const indices = (c: Context, dtype: 'i32' | 'u32', rows: number): Tensor => {
  const { x } = another(dtype, c)
  const flat = x.rank > 2 || x.size > 12 ? fitted(x, [Math.min(x.size, 5)]) : x
  return c.choose(4) === 0 ? flat : flat.rem(rows + 1)
}

/** Indices as a device would have computed them: the host knows none of them, and refuses none. */
const unread = (index: Tensor): Tensor => index.maximum(index)

const indexing: readonly Operation[] = [
  operation(
    'gather',
    (x) => hasAxes(x) && x.size > 0 && x.size <= 100,
    (x, _, c) => {
      const axis = c.choose(x.rank)
      return gather(x, unread(indices(c, pick(['i32', 'u32'] as const, c.choose), x.shape[axis] ?? 1)), axis)
    },
    3,
  ),
  operation(
    'scatterAdd',
    (x) => hasAxes(x) && isNumber(x),
    (x, b, c) => {
      const size = 1 + c.choose(4)
      const axis = c.choose(x.rank)
      const picks = 1 + c.choose(Math.min(2, x.rank - axis))
      const index = fitted(indices(c, pick(['i32', 'u32'] as const, c.choose), size), x.shape.slice(axis, axis + picks))
      return [scatterAdd(unread(index), x, size, axis), b * Math.max(1, index.size)]
    },
    3,
  ),
  operation('scatterAdd of scalars', isNumber, (x, b, c) => {
    const index = fitted(another('i32', c).x, [])
    return [raw('scatterAdd', { axis: c.choose(x.rank + 1), size: 2 }, index, x), b]
  }),
  operation(
    'argsort',
    (x) => hasAxes(x) && isNumber(x),
    (x, _, { choose }) => [argsort(x, choose(x.rank)), x.size],
    1,
    false,
  ),
  operation(
    'sort',
    (x) => hasAxes(x) && isNumber(x) && x.size > 0,
    (x) => sort(x),
    1,
    false,
  ),
  operation(
    'argmax',
    (x) => hasAxes(x) && isNumber(x) && !x.shape.includes(0),
    (x, _, { choose }) => [argmax(x, choose(x.rank)), x.size],
    1,
    false,
  ),
  operation(
    'index by position',
    (x) => hasAxes(x) && isNumber(x) && x.size > 0,
    (x, _, { choose }) => {
      const axis = choose(x.rank)
      return gather(x, iota([Math.min(4, x.shape[axis] ?? 1)], 0).mul(2), axis)
    },
  ),
]

const isImage = (x: Tensor): boolean => x.rank === 4 && isNumber(x) && x.size > 0 && x.size <= 64
const isEven = (x: Tensor): boolean => isImage(x) && [1, 2].every((a) => (x.shape[a] ?? 1) % 2 === 0)

const images: readonly Operation[] = [
  operation(
    'image',
    (x) => x.size > 0 && x.size % 2 === 0 && x.size <= 64,
    (x, _, { choose }) => {
      const side = x.size % 16 === 0 && choose(2) === 0 ? 4 : x.size % 4 === 0 ? 2 : 1
      return x.reshape([-1, side, x.size % (2 * side) === 0 ? 2 : 1, 1 + choose(x.size % (4 * side) === 0 ? 2 : 1)])
    },
    2,
  ),
  operation(
    'averagePool',
    (x) => isEven(x) && isFloat(x.dtype),
    (x) => averagePool(x),
  ),
  operation('maxPool', isEven, (x) => maxPool(x), 1, false),
  operation('upsampleNearest', isImage, (x) => upsampleNearest(x)),
  operation('pixelUnshuffle', isEven, (x) => pixelUnshuffle(x)),
  operation(
    'pixelShuffle',
    (x) => isImage(x) && (x.shape[3] ?? 1) % 4 === 0,
    (x) => pixelShuffle(x),
  ),
]

/** All of them. */
export const shaping: readonly Operation[] = [...moves, ...joins, ...indexing, ...images].map((o) => ({
  ...o,
  // Zeros come in with padding, so a value that was bounded from above only stays so: bounds here are of the magnitude.
  make: (v, c) => o.make({ x: v.x, bound: Math.min(v.bound, rangeOf(v.x.dtype)) }, c),
}))
