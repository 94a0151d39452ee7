/** Operations that move elements: the methods with their conveniences, and the functions that join, split and pick. */
import fc from 'fast-check'
import type { DType } from '../../../src/graph/dtype.ts'
import { concatenate, gather, scatterAdd, splitInto, stack } from '../../../src/tensor/combine.ts'
import type { SliceBounds, Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, count, elementAt, shapes, type NdArray } from '../../array.ts'
import {
  all,
  arithmeticTypes,
  axesOf,
  badDType,
  badShape,
  entry,
  inputOf,
  one,
  table,
  type Entry,
  type Expected,
  unread,
} from '../entry.ts'
import { elementwise } from '../primitives/elementwise.ts'
import { picked, pickings, scattered, scatterings } from '../primitives/indexing.ts'
import {
  joinable,
  joined,
  movement,
  movements,
  orders,
  padOracle,
  paddings,
  permuted,
  pieces,
  refits,
  reversed,
  sliceOracle,
} from '../primitives/movement.ts'
import { alongAxis, broadcastable, stretched, stretchedAt } from './draw.ts'

/** An entry of what moves elements of any dtype. */
export const moving = (cases: Entry['cases'], options: Partial<Entry>): Entry =>
  entry({ dtypes: all, cases, differentiableIn: [0], linearIn: [0], ...options })

const whole = (x: NdArray): Expected => x

/** Sometimes with one length left to be computed. */
const refitsWithHole = (
  shape: readonly number[],
): fc.Arbitrary<readonly [given: readonly number[], full: readonly number[]]> =>
  fc.tuple(refits(shape), fc.nat(4)).map(([full, hole]) => {
    const known = count(full.filter((_, i) => i !== hole))
    return [known === 0 ? full : full.map((n, i) => (i === hole ? -1 : n)), full]
  })

/** Bounds from the end, and bounds left out, that mean the same. */
const shortened = (start: number, limit: number, stride: number, n: number): SliceBounds => {
  const from = start === 0 ? undefined : start === n ? n : start - n
  const [to, by] = [limit === n ? undefined : limit, stride === 1 ? undefined : stride]
  return [from, to, by] as SliceBounds
}

type ShapingMethod =
  | 'reshape'
  | 'transpose'
  | 'broadcastTo'
  | 'expandDims'
  | 'reverse'
  | 'slice'
  | 'pad'
  | 'cast'
  | 'bitcast'

/** The methods that move or reinterpret. */
export const shapingMethods: { readonly [K in ShapingMethod]: Entry } = {
  reshape: moving(
    movement(
      refitsWithHole,
      (x, [given]) => x.reshape(given),
      (x, [, shape]) => ({ shape, data: x.data }),
    ),
    {
      errors: [
        badShape(/^reshape: \[2,3\] has 6 elements, \[4,2\] has 8$/, ['f32[2,3]'], (x) => one(x).reshape([4, 2])),
        badShape(/^reshape: \[2,3\] to \[4,-1\]: 6 elements do not divide by 4$/, ['f32[2,3]'], (x) =>
          one(x).reshape([4, -1]),
        ),
      ],
    },
  ),
  transpose: moving(
    movement(
      (shape) => fc.option(fc.tuple(orders(shape), fc.boolean()), { nil: undefined }),
      (x, p) => (p === undefined ? x.transpose() : x.transpose(p[0].map((a) => (p[1] ? a - x.rank : a)))),
      (x, p) => permuted(x, p?.[0] ?? [...x.shape.keys()].toReversed()),
    ),
    {
      errors: [
        badShape(/^transpose: \[1\] does not name every axis of \[2,3\] once$/, ['f32[2,3]'], (x) =>
          one(x).transpose([1]),
        ),
        badShape(/^transpose: axis 2 does not exist in a tensor of 2 axes$/, ['f32[2,3]'], (x) =>
          one(x).transpose([2, 0]),
        ),
      ],
    },
  ),
  broadcastTo: moving(
    (dtype) =>
      broadcastable(2).chain(([a = [], b = []]) => {
        const shape = stretched([a, b])
        return arrays(a, dtype).map((x) => ({
          inputs: [x],
          build: (t: Tensor | undefined) => one(t).broadcastTo(shape),
          oracle: (x) => table(shape, (index) => stretchedAt(x, index)),
        }))
      }),
    {
      errors: [
        badShape(/^broadcastTo: \[2,3\] does not broadcast to \[3,3\]$/, ['f32[2,3]'], (x) =>
          one(x).broadcastTo([3, 3]),
        ),
        badShape(/^broadcastTo: \[2,3\] does not broadcast to \[3\]$/, ['f32[2,3]'], (x) => one(x).broadcastTo([3])),
      ],
    },
  ),
  expandDims: moving(
    movement(
      (shape) => fc.integer({ min: -shape.length - 1, max: shape.length }),
      (x, axis) => x.expandDims(axis),
      (x, axis) => ({ shape: x.shape.toSpliced(axis < 0 ? axis + x.shape.length + 1 : axis, 0, 1), data: x.data }),
    ),
    {
      errors: [
        badShape(/^expandDims: axis 3 does not exist in a tensor of 3 axes$/, ['f32[2,3]'], (x) =>
          one(x).expandDims(3),
        ),
      ],
    },
  ),
  reverse: moving(
    movement(
      (shape) => axesOf(shape.length),
      (x, axes) => x.reverse(axes.map((a) => (a % 2 === 0 ? a : a - x.rank))),
      reversed,
    ),
    {
      errors: [
        badShape(/^reverse: axis 1 does not exist in a tensor of 1 axes$/, ['f32[2]'], (x) => one(x).reverse(1)),
        badShape(/^reverse: axes \[0,0\] must be different axes/, ['f32[2]'], (x) => one(x).reverse([0, -1])),
      ],
    },
  ),
  slice: moving(
    movement(
      pieces,
      (x, a) => x.slice(...a.map((r, i) => shortened(r.start, r.limit, r.stride, x.shape[i] ?? 0))),
      sliceOracle,
    ),
    {
      errors: [
        badShape(/^slice: 3 ranges for \[2,3\]$/, ['f32[2,3]'], (x) => one(x).slice([], [], [])),
        badShape(/^slice: \[0,2\] … \[2,1\] by \[1,1\] does not lie in \[2,3\]$/, ['f32[2,3]'], (x) =>
          one(x).slice([], [2, 1]),
        ),
      ],
    },
  ),
  pad: moving(
    movement(
      (shape) => fc.tuple(paddings(shape), fc.boolean()),
      (x, [a, plain]) => {
        const [low, high] = [a.map((p) => p.low), a.map((p) => p.high)]
        return plain
          ? x.pad(low, high)
          : x.pad(
              low,
              high,
              a.map((p) => p.interior),
            )
      },
      (x, [a, plain]) => padOracle(x, plain ? a.map((p) => ({ ...p, interior: 0 })) : a),
    ),
    {
      errors: [
        badShape(/^pad: amounts are ≥ 0; use slice to crop$/, ['f32[2,3]'], (x) => one(x).pad([0, -1], [0, 0])),
        badShape(/^pad: needs one whole number for each axis of \[2,3\]$/, ['f32[2,3]'], (x) => one(x).pad([0], [0])),
      ],
    },
  ),
  cast: entry({
    dtypes: all,
    cases: (from) =>
      fc
        .tuple(inputOf(from), fc.constantFrom<DType>(...all))
        .map(([x, dtype]) => ({ inputs: [x], build: (t) => one(t).cast(dtype), oracle: (x) => whole(x) })),
    smooth: inputOf('f64').map((x) => ({ inputs: [x], build: (t) => one(t).cast('f64') })),
    differentiableIn: [0],
  }),
  bitcast: {
    ...elementwise.bitcast,
    cases: (from) =>
      elementwise.bitcast.cases(from).map((c) => ({
        inputs: c.inputs,
        build: (t) => one(t).bitcast('u32').bitcast(from),
        oracle: (x) => x ?? { shape: [], data: [] },
      })),
    errors: [
      badDType(/^bitcast: needs two dtypes of four bytes, got f32 → f64$/, ['f32[2]'], (x) => one(x).bitcast('f64')),
    ],
  },
}

const stacked = (dtype: DType) =>
  fc
    .tuple(shapes(0, 2), fc.integer({ min: 1, max: 3 }), fc.nat(2))
    .chain(([shape, n, a]) =>
      fc.tuple(fc.array(arrays(shape, dtype), { minLength: n, maxLength: n }), fc.constant(a % (shape.length + 1))),
    )

type CombiningFunction = 'concatenate' | 'stack' | 'splitInto' | 'gather' | 'scatterAdd'

/** The functions that join, split and pick. */
export const combiningFunctions: { readonly [K in CombiningFunction]: Entry } = {
  concatenate: {
    ...movements.concatenate,
    cases: (dtype) =>
      fc.tuple(joinable(dtype), fc.boolean()).map(([{ xs, axis }, fromEnd]) => ({
        inputs: xs,
        build: (...ts) => concatenate(ts, fromEnd ? axis - (xs[0]?.shape.length ?? 0) : axis),
        oracle: (...xs) => joined(xs, axis),
      })),
    errors: [
      badShape(/^concatenate: needs at least one tensor$/, [], () => concatenate([], 0)),
      badShape(/^concatenate: axis 2 does not exist in a tensor of 2 axes$/, ['f32[2,3]', 'f32[2,3]'], (...xs) =>
        concatenate(xs, 2),
      ),
      badShape(/^concatenate: \[2,3\], \[2,4\] must agree in every axis but 0$/, ['f32[2,3]', 'f32[2,4]'], (...xs) =>
        concatenate(xs, 0),
      ),
      badDType(/^concatenate: dtypes f32, i32 differ$/, ['f32[2]', 'i32[2]'], (...xs) => concatenate(xs, 0)),
    ],
  },
  stack: entry({
    dtypes: all,
    cases: (dtype) =>
      stacked(dtype).map(([xs, axis]) => ({
        inputs: xs,
        build: (...ts) => stack(ts, axis),
        oracle: (...xs) =>
          table((xs[0]?.shape ?? []).toSpliced(axis, 0, xs.length), (index) => {
            const x = xs[index[axis] ?? 0]
            return x === undefined ? NaN : elementAt(x, index.toSpliced(axis, 1))
          }),
      })),
    differentiableIn: 'floats',
    errors: [
      badShape(/^stack: needs at least one tensor$/, [], () => stack([])),
      badShape(/^concatenate: \[1,2\], \[1,3\] must agree in every axis but 0$/, ['f32[2]', 'f32[3]'], (...xs) =>
        stack(xs),
      ),
    ],
  }),
  splitInto: entry({
    dtypes: all,
    cases: (dtype) =>
      fc
        .tuple(fc.integer({ min: 1, max: 3 }), fc.nat(5), alongAxis(inputOf(dtype, 1, 2)))
        .chain(([parts, i, { x, axis, given }]) => {
          const shape = x.shape.map((n, a) => (a === axis ? n * parts : n))
          return arrays(shape, dtype).map((y) => ({
            inputs: [y],
            build: (t: Tensor | undefined) => one(splitInto(one(t), parts, given)[i % parts]),
            oracle: (y) =>
              table(x.shape, (index) =>
                elementAt(
                  y,
                  index.map((v, a) => (a === axis ? (i % parts) * (x.shape[axis] ?? 0) + v : v)),
                ),
              ),
          }))
        }),
    differentiableIn: [0],
    linearIn: [0],
    lacks: ['scalar'],
    errors: [
      badShape(/^splitInto: axis 1 of \[2,3\] does not divide into 2 parts$/, ['f32[2,3]'], (x) =>
        splitInto(one(x), 2, 1),
      ),
      badShape(/^splitInto: axis 2 does not exist in a tensor of 2 axes$/, ['f32[2,3]'], (x) =>
        splitInto(one(x), 1, 2),
      ),
    ],
  }),
  gather: entry({
    dtypes: all,
    cases: (dtype) =>
      fc.tuple(pickings(dtype), fc.boolean()).map(([p, fromEnd]) => ({
        inputs: [p.table, p.index],
        build: (t, i) => gather(one(t), unread(one(i)), fromEnd ? p.axis - p.table.shape.length : p.axis),
        oracle: (t, index) => picked({ ...p, table: t, index }),
      })),
    differentiableIn: [0],
    linearIn: [0],
    errors: [
      badDType(/^gather: indices must be i32 or u32, got f32$/, ['f32[2]', 'f32[2]'], (t, i) => gather(one(t), one(i))),
      badShape(/^gather: axis 0 of \[0,3\] has no rows to pick from$/, ['f32[0,3]', 'i32[2]'], (t, i) =>
        gather(one(t), one(i)),
      ),
      badShape(/^gather: axis 2 does not exist in a tensor of 2 axes$/, ['f32[2,3]', 'i32[2]'], (t, i) =>
        gather(one(t), one(i), 2),
      ),
    ],
  }),
  scatterAdd: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) =>
      scatterings(dtype).map((s) => ({
        inputs: [s.index, s.updates],
        build: (i, u) => scatterAdd(unread(one(i)), one(u), s.size, s.axis),
        oracle: (index, updates) => scattered({ ...s, index, updates }),
      })),
    differentiableIn: [1],
    linearIn: [1],
    errors: [
      badShape(/^scatterAdd: updates \[2,3\] do not hold \[3\] at axis 0$/, ['i32[3]', 'f32[2,3]'], (i, u) =>
        scatterAdd(one(i), one(u), 4),
      ),
      badShape(/^scatterAdd: there are updates, but 0 rows to add them to$/, ['i32[2]', 'f32[2,3]'], (i, u) =>
        scatterAdd(one(i), one(u), 0),
      ),
      badShape(/^scatterAdd: axis 2 does not exist in a tensor of 2 axes$/, ['i32[2]', 'f32[2,3]'], (i, u) =>
        scatterAdd(one(i), one(u), 2, 2),
      ),
    ],
  }),
}
