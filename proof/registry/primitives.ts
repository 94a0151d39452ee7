/**
 * One entry a primitive: inputs and attributes at random, the graph, and an oracle in plain JavaScript that shares no code with the
 * library. Oracles return exact numbers; the test rounds them to the result's dtype.
 */
import fc from 'fast-check'
import type { DType } from '../../src/graph/dtype.ts'
import { makeNode } from '../../src/graph/node.ts'
import type { OpName } from '../../src/graph/ops.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { constant } from '../../src/tensor/create.ts'
import { call } from '../../src/tensor/annotate.ts'
import {
  arrays,
  count,
  elementAt,
  indices,
  numbers,
  shapes,
  stored,
  tabulate,
  type Interval,
  type NdArray,
} from '../array.ts'

/** A primitive with inputs and attributes chosen. */
export interface OpCase {
  readonly inputs: readonly NdArray[]
  readonly build: (...xs: readonly Tensor[]) => Tensor
  readonly oracle: (...xs: readonly NdArray[]) => readonly number[]
}

/** What is tested of a primitive. */
export interface OpEntry {
  readonly dtypes: readonly DType[]
  readonly cases: (dtype: DType) => fc.Arbitrary<OpCase>
  /** Whether finite differences in f64 apply. */
  readonly differentiable: boolean
  /** The inputs in which the primitive is linear while the others stand still. */
  readonly linearIn: readonly number[]
  /** Whether the oracle's number, rounded once, is the only right answer; else the last two bits may differ. */
  readonly exact: boolean
}

const floats: readonly DType[] = ['f64', 'f32', 'f16']
const wholes: readonly DType[] = ['i32', 'u32', 'u8']
const all: readonly DType[] = [...floats, ...wholes, 'bool']
const arithmeticTypes: readonly DType[] = [...floats, ...wholes]

const isFloating = (d: DType): boolean => floats.includes(d)

const entry = (given: Partial<OpEntry> & Pick<OpEntry, 'dtypes' | 'cases'>): OpEntry => ({
  differentiable: false,
  linearIn: [],
  exact: true,
  ...given,
})

const one = (x: Tensor | undefined): Tensor => {
  if (x === undefined) throw new Error('the case has too few inputs')
  return x
}

type UnaryOp =
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
  | 'alias'
  | 'stopGradient'

const unary = (
  op: UnaryOp,
  dtypes: readonly DType[],
  f: (x: number, dtype: DType) => number,
  domain: Interval,
  options: Partial<OpEntry> = {},
): OpEntry =>
  entry({
    dtypes,
    cases: (dtype) =>
      shapes()
        .chain((shape) => arrays(shape, dtype, numbers(dtype, domain)))
        .map((x) => ({
          inputs: [x],
          build: (t) => new Tensor(makeNode(op, {}, [one(t).node])),
          oracle: (v) => (v ?? x).data.map((e) => f(e, dtype)),
        })),
    ...options,
  })

type BinaryOp =
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

const big = (x: number): bigint => BigInt(Math.trunc(x))

const binary = (
  op: BinaryOp,
  dtypes: readonly DType[],
  f: (x: number, y: number, dtype: DType) => number,
  domains: readonly [Interval, Interval] = [
    [-2, 2],
    [-2, 2],
  ],
  options: Partial<OpEntry> = {},
): OpEntry =>
  entry({
    dtypes,
    cases: (dtype) =>
      shapes()
        .chain((shape) =>
          fc.tuple(arrays(shape, dtype, numbers(dtype, domains[0])), arrays(shape, dtype, numbers(dtype, domains[1]))),
        )
        .map(([x, y]) => ({
          inputs: [x, y],
          build: (a, b) => new Tensor(makeNode(op, {}, [one(a).node, one(b).node])),
          oracle: (a = x, b = y) => a.data.map((e, i) => f(e, b.data[i] ?? 0, dtype)),
        })),
    ...options,
  })

/** Exact integer arithmetic, for dtypes whose products leave the doubles. */
const wrapping =
  (float: (x: number, y: number) => number, whole: (x: bigint, y: bigint) => bigint) =>
  (x: number, y: number, dtype: DType): number =>
    isFloating(dtype)
      ? float(x, y)
      : dtype === 'i32'
        ? Number(BigInt.asIntN(32, whole(big(x), big(y))))
        : Number(BigInt.asUintN(dtype === 'u8' ? 8 : 32, whole(big(x), big(y))))

const bitwise = (f: (x: bigint, y: bigint) => bigint) => wrapping(() => NaN, f)

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt, by Simpson's rule with 2000 panels: error below 1e-13 on [−3, 3]. */
const erfBySimpson = (x: number): number => {
  const n = 2000
  const h = x / n
  const f = (i: number): number => Math.exp(-((i * h) ** 2))
  let sum = f(0) + f(n)
  for (let i = 1; i < n; i++) sum += (i % 2 === 1 ? 4 : 2) * f(i)
  return ((2 / Math.sqrt(Math.PI)) * sum * h) / 3
}

const axesOf = (rank: number): fc.Arbitrary<readonly number[]> =>
  fc.shuffledSubarray(Array.from({ length: rank }, (_, i) => i))

const inputOf = (dtype: DType, minRank = 0, maxRank = 4, elements = numbers(dtype)): fc.Arbitrary<NdArray> =>
  shapes(minRank, maxRank).chain((shape) => arrays(shape, dtype, elements))

/** Distinct values, at least 0.05 apart, so that a maximum and an order stay what they are under small changes. */
const distinct = (dtype: DType, minRank: number): fc.Arbitrary<NdArray> =>
  shapes(minRank, 3).chain((shape) =>
    fc
      .shuffledSubarray(
        Array.from({ length: count(shape) }, (_, i) => stored(dtype, (i - 7) / 16)),
        { minLength: count(shape) },
      )
      .map((data) => ({ shape, dtype, data })),
  )

const reduction = (op: 'reduceSum' | 'reduceMax', dtype: DType): fc.Arbitrary<OpCase> =>
  (op === 'reduceMax' && isFloating(dtype) ? distinct(dtype, 0) : inputOf(dtype))
    .filter((x) => op === 'reduceSum' || count(x.shape) > 0)
    .chain((x) => axesOf(x.shape.length).map((axes) => ({ x, axes })))
    .map(({ x, axes }) => ({
      inputs: [x],
      build: (t) =>
        new Tensor(
          op === 'reduceSum' ? makeNode(op, { axes, dtype }, [one(t).node]) : makeNode(op, { axes }, [one(t).node]),
        ),
      oracle: (v = x) => {
        const kept = v.shape.flatMap((n, a) => (axes.includes(a) ? [] : [{ n, a }]))
        return tabulate(
          kept.map((k) => k.n),
          (index) => {
            const terms = indices(v.shape)
              .filter((i) => kept.every(({ a }, k) => i[a] === index[k]))
              .map((i) => elementAt(v, i))
            return op === 'reduceSum' ? terms.reduce((s, e) => s + e, 0) : Math.max(...terms)
          },
        )
      },
    }))

const movement = <A>(
  dtype: DType,
  attributes: (shape: readonly number[]) => fc.Arbitrary<A>,
  build: (x: Tensor, a: A) => Tensor,
  oracle: (x: NdArray, a: A) => readonly number[],
  minRank = 0,
): fc.Arbitrary<OpCase> =>
  inputOf(dtype, minRank).chain((x) =>
    attributes(x.shape).map((a) => ({ inputs: [x], build: (t) => build(one(t), a), oracle: (v = x) => oracle(v, a) })),
  )

const perAxis = <T>(shape: readonly number[], of: (n: number) => fc.Arbitrary<T>): fc.Arbitrary<readonly T[]> =>
  fc.tuple(...shape.map(of))

const pad = (dtype: DType): fc.Arbitrary<OpCase> =>
  movement(
    dtype,
    (shape) => perAxis(shape, () => fc.record({ low: fc.nat(2), high: fc.nat(2), interior: fc.nat(2) })),
    (x, a) =>
      x.pad(
        a.map((p) => p.low),
        a.map((p) => p.high),
        a.map((p) => p.interior),
      ),
    (x, a) => {
      const shape = x.shape.map(
        (n, i) => (a[i]?.low ?? 0) + (n === 0 ? 0 : n + (n - 1) * (a[i]?.interior ?? 0)) + (a[i]?.high ?? 0),
      )
      return tabulate(shape, (index) =>
        elementAt(
          x,
          index.map((v, i) => (v - (a[i]?.low ?? 0)) / ((a[i]?.interior ?? 0) + 1)),
        ),
      )
    },
  )

const slice = (dtype: DType): fc.Arbitrary<OpCase> =>
  movement(
    dtype,
    (shape) =>
      perAxis(shape, (n) =>
        fc
          .tuple(fc.nat(n), fc.nat(n), fc.integer({ min: 1, max: 3 }))
          .map(([a, b, stride]) => ({ start: Math.min(a, b), limit: Math.max(a, b), stride })),
      ),
    (x, a) => x.slice(...a.map((r) => [r.start, r.limit, r.stride] as const)),
    (x, a) => {
      const picks = a.map((r) => Array.from({ length: 6 }, (_, k) => r.start + k * r.stride).filter((i) => i < r.limit))
      return tabulate(
        picks.map((p) => p.length),
        (index) =>
          elementAt(
            x,
            index.map((v, i) => picks[i]?.[v] ?? -1),
          ),
      )
    },
  )

const broadcast = (dtype: DType): fc.Arbitrary<OpCase> =>
  fc.tuple(inputOf(dtype, 0, 3), fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 2 })).map(([x, inserted]) => {
    let tagged: readonly { readonly n: number; readonly fresh: boolean }[] = x.shape.map((n) => ({ n, fresh: false }))
    for (const [position, n] of inserted)
      tagged = [...tagged.slice(0, position), { n, fresh: true }, ...tagged.slice(position)]
    const axes = tagged.flatMap((axis, i) => (axis.fresh ? [i] : []))
    const shape = tagged.map((axis) => axis.n)
    return {
      inputs: [x],
      build: (t) => new Tensor(makeNode('broadcast', { shape, axes }, [one(t).node])),
      oracle: (v = x) =>
        tabulate(shape, (index) =>
          elementAt(
            v,
            index.filter((_, i) => !axes.includes(i)),
          ),
        ),
    }
  })

const concatenate = (dtype: DType): fc.Arbitrary<OpCase> =>
  fc
    .tuple(shapes(1, 3), fc.nat(2), fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }))
    .chain(([shape, a, lengths]) => {
      const axis = a % shape.length
      return fc
        .tuple(
          ...lengths.map((n) =>
            arrays(
              shape.map((m, i) => (i === axis ? n : m)),
              dtype,
            ),
          ),
        )
        .map((xs) => ({ xs, axis }))
    })
    .map(({ xs, axis }) => ({
      inputs: xs,
      build: (...ts) =>
        new Tensor(
          makeNode(
            'concatenate',
            { axis },
            ts.map((t) => t.node),
          ),
        ),
      oracle: (...vs) => {
        const total = vs.reduce((sum, v) => sum + (v.shape[axis] ?? 0), 0)
        return tabulate(
          (vs[0]?.shape ?? []).map((n, i) => (i === axis ? total : n)),
          (index) => {
            let position = index[axis] ?? 0
            for (const v of vs) {
              const n = v.shape[axis] ?? 0
              if (position < n)
                return elementAt(
                  v,
                  index.map((e, i) => (i === axis ? position : e)),
                )
              position -= n
            }
            return NaN
          },
        )
      },
    }))

const clamped = (i: number, n: number): number => Math.min(Math.max(i, 0), n - 1)

const gather = (dtype: DType): fc.Arbitrary<OpCase> =>
  fc
    .tuple(shapes(1, 3), shapes(0, 2), fc.nat(2))
    .filter(([shape, , a]) => (shape[a % shape.length] ?? 0) > 0)
    .chain(([shape, picks, a]) => {
      const axis = a % shape.length
      return fc.tuple(
        arrays(shape, dtype),
        arrays(picks, 'i32', fc.integer({ min: -1, max: shape[axis] ?? 0 })),
        fc.constant(axis),
      )
    })
    .map(([table, index, axis]) => ({
      inputs: [table, index],
      build: (t, i) => new Tensor(makeNode('gather', { axis }, [one(t).node, one(i).node])),
      oracle: (t = table, i = index) => {
        const rank = i.shape.length
        return tabulate([...t.shape.slice(0, axis), ...i.shape, ...t.shape.slice(axis + 1)], (at) =>
          elementAt(t, [
            ...at.slice(0, axis),
            clamped(elementAt(i, at.slice(axis, axis + rank)), t.shape[axis] ?? 0),
            ...at.slice(axis + rank),
          ]),
        )
      },
    }))

const scatterAdd = (dtype: DType): fc.Arbitrary<OpCase> =>
  fc
    .tuple(shapes(0, 2), shapes(0, 2), fc.nat(2), fc.integer({ min: 1, max: 4 }))
    .filter(([around, picks]) => count(around) * count(picks) <= 40)
    .chain(([around, picks, a, size]) => {
      const axis = a % (around.length + 1)
      const shape = [...around.slice(0, axis), ...picks, ...around.slice(axis)]
      return fc.tuple(
        arrays(picks, 'i32', fc.integer({ min: -1, max: size })),
        arrays(shape, dtype),
        fc.constant({ axis, size, around }),
      )
    })
    .map(([index, updates, { axis, size, around }]) => ({
      inputs: [index, updates],
      build: (i, u) => new Tensor(makeNode('scatterAdd', { axis, size }, [one(i).node, one(u).node])),
      oracle: (i = index, u = updates) => {
        return tabulate([...around.slice(0, axis), size, ...around.slice(axis)], (at) =>
          indices(i.shape)
            .filter((pick) => clamped(elementAt(i, pick), size) === at[axis])
            .reduce((sum, pick) => sum + elementAt(u, [...at.slice(0, axis), ...pick, ...at.slice(axis + 1)]), 0),
        )
      },
    }))

const argsort = (dtype: DType): fc.Arbitrary<OpCase> =>
  inputOf(dtype, 1, 3)
    .chain((x) => fc.nat(x.shape.length - 1).map((axis) => ({ x, axis })))
    .map(({ x, axis }) => ({
      inputs: [x],
      build: (t) => new Tensor(makeNode('argsort', { axis }, [one(t).node])),
      oracle: (v = x) =>
        tabulate(v.shape, (index) => {
          const value = (j: number): number =>
            elementAt(
              v,
              index.map((e, a) => (a === axis ? j : e)),
            )
          // The j that has exactly index[axis] elements before it.
          const positions = Array.from({ length: v.shape[axis] ?? 0 }, (_, j) => j)
          const before = (j: number): number =>
            positions.filter((i) => value(i) < value(j) || (value(i) === value(j) && i < j)).length
          return positions.find((j) => before(j) === index[axis]) ?? -1
        }),
    }))

/** Roles of axes, laid out at random in both operands. */
const dotGeneral = (dtype: DType): fc.Arbitrary<OpCase> =>
  fc
    .record({
      batch: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
      contract: fc.array(
        fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 3 }) }, { weight: 1, arbitrary: fc.constant(0) }),
        { maxLength: 2 },
      ),
      rows: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
      columns: fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 2 }),
    })
    .filter(
      ({ batch, contract, rows, columns }) =>
        count([...batch, ...contract, ...rows]) <= 40 && count([...batch, ...contract, ...columns]) <= 40,
    )
    .chain((roles) => {
      const name = (role: string, lengths: readonly number[]): readonly (readonly [string, number])[] =>
        lengths.map((n, i) => [`${role}${i}`, n])
      const [b, c] = [name('b', roles.batch), name('c', roles.contract)]
      const layout = (
        axes: readonly (readonly [string, number])[],
      ): fc.Arbitrary<readonly (readonly [string, number])[]> =>
        fc.shuffledSubarray([...axes], { minLength: axes.length })
      return fc.tuple(
        layout([...b, ...c, ...name('r', roles.rows)]),
        layout([...b, ...c, ...name('k', roles.columns)]),
        layout(b),
        layout(c),
      )
    })
    .chain(([x, y, b, c]) =>
      fc
        .tuple(
          arrays(
            x.map(([, n]) => n),
            dtype,
          ),
          arrays(
            y.map(([, n]) => n),
            dtype,
          ),
        )
        .map(([xs, ys]) => ({ x, y, b, c, xs, ys })),
    )
    .map(({ x, y, b, c, xs, ys }) => {
      const find = (layout: typeof x, role: typeof x): readonly number[] =>
        role.map(([name]) => layout.findIndex(([other]) => other === name))
      const attrs = { contract: [find(x, c), find(y, c)], batch: [find(x, b), find(y, b)], dtype } as const
      const out = [...b, ...x.filter(([n]) => n.startsWith('r')), ...y.filter(([n]) => n.startsWith('k'))]
      return {
        inputs: [xs, ys],
        build: (s, t) => new Tensor(makeNode('dotGeneral', attrs, [one(s).node, one(t).node])),
        oracle: (s = xs, t = ys) =>
          tabulate(
            out.map(([, n]) => n),
            (index) => {
              let sum = 0
              for (const inner of indices(c.map(([, n]) => n))) {
                const value = new Map([
                  ...out.map(([name], i) => [name, index[i] ?? 0] as const),
                  ...c.map(([name], i) => [name, inner[i] ?? 0] as const),
                ])
                const of = (layout: typeof x): readonly number[] => layout.map(([name]) => value.get(name) ?? -1)
                sum += elementAt(s, of(x)) * elementAt(t, of(y))
              }
              return sum
            },
          ),
      }
    })

const spatial = (low: number, high: number): fc.Arbitrary<readonly [number, number]> =>
  fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))

const conv = (dtype: DType): fc.Arbitrary<OpCase> =>
  fc
    .record({
      stride: spatial(1, 3),
      padLow: spatial(-2, 3),
      padHigh: spatial(-2, 3),
      inputDilation: spatial(1, 3),
      filterDilation: spatial(1, 2),
      groups: fc.integer({ min: 1, max: 2 }),
      size: spatial(1, 4),
      kernel: spatial(1, 3),
      n: fc.integer({ min: 0, max: 2 }),
      c: fc.integer({ min: 1, max: 2 }),
      o: fc.integer({ min: 1, max: 3 }),
    })
    .chain((a) =>
      fc.tuple(
        fc.constant(a),
        arrays([a.n, ...a.size, a.c * a.groups], dtype),
        arrays([...a.kernel, a.c, a.o * a.groups], dtype),
      ),
    )
    .map(([{ stride, padLow, padHigh, inputDilation, filterDilation, groups, size, kernel, n, c, o }, x, w]) => ({
      inputs: [x, w],
      build: (s, t) =>
        new Tensor(
          makeNode('conv', { stride, padLow, padHigh, inputDilation, filterDilation, groups, dtype }, [
            one(s).node,
            one(t).node,
          ]),
        ),
      oracle: (s = x, t = w) => {
        const length = (i: 0 | 1): number => {
          const padded = (size[i] - 1) * inputDilation[i] + 1 + padLow[i] + padHigh[i]
          const reach = (kernel[i] - 1) * filterDilation[i] + 1
          return padded < reach ? 0 : Math.floor((padded - reach) / stride[i]) + 1
        }
        return tabulate([n, length(0), length(1), o * groups], (index) => {
          const [b = 0, y = 0, z = 0, channel = 0] = index
          let sum = 0
          for (const [ky = 0, kx = 0, k = 0] of indices([...kernel, c])) {
            const row = (y * stride[0] + ky * filterDilation[0] - padLow[0]) / inputDilation[0]
            const column = (z * stride[1] + kx * filterDilation[1] - padLow[1]) / inputDilation[1]
            sum += elementAt(s, [b, row, column, Math.floor(channel / o) * c + k]) * elementAt(t, [ky, kx, k, channel])
          }
          return sum
        })
      },
    }))

const bitsOf = (x: number, from: DType, to: DType): number => {
  const source = from === 'f32' ? new Float32Array([x]) : from === 'i32' ? new Int32Array([x]) : new Uint32Array([x])
  const target =
    to === 'f32'
      ? new Float32Array(source.buffer)
      : to === 'i32'
        ? new Int32Array(source.buffer)
        : new Uint32Array(source.buffer)
  return target[0] ?? NaN
}

const leafCase = (dtype: DType, build: (x: NdArray) => (t: Tensor) => Tensor): fc.Arbitrary<OpCase> =>
  inputOf(dtype).map((x) => ({ inputs: [x], build: (t) => build(x)(one(t)), oracle: (v = x) => v.data }))

const four: readonly DType[] = ['f32', 'i32', 'u32']

/** Every primitive. */
export const primitives: { readonly [K in OpName]: OpEntry } = {
  parameter: entry({ dtypes: all, cases: (d) => leafCase(d, () => (t) => t), linearIn: [0] }),
  buffer: entry({ dtypes: all, cases: (d) => leafCase(d, () => (t) => t) }),
  constant: entry({
    dtypes: all,
    cases: (d) => leafCase(d, (x) => () => constant([...x.data], { dtype: d }).reshape(x.shape)),
  }),
  iota: entry({
    dtypes: arithmeticTypes,
    cases: (dtype) =>
      shapes(1).chain((shape) =>
        fc.nat(shape.length - 1).map((axis) => ({
          inputs: [],
          build: () => new Tensor(makeNode('iota', { shape, axis, dtype }, [])),
          oracle: () => tabulate(shape, (index) => index[axis] ?? -1),
        })),
      ),
  }),
  alias: unary('alias', all, (x) => x, [-2, 2], { differentiable: true, linearIn: [0] }),
  stopGradient: unary('stopGradient', all, (x) => x, [-2, 2]),
  barrier: entry({
    dtypes: all,
    cases: (d) =>
      fc.tuple(inputOf(d), inputOf('f32')).map(([x, y]) => ({
        inputs: [x, y],
        build: (a, b) => new Tensor(makeNode('barrier', {}, [one(a).node, one(b).node])),
        oracle: (v = x) => v.data,
      })),
    linearIn: [0],
  }),
  call: entry({
    dtypes: floats,
    cases: (d) =>
      inputOf(d).map((x) => ({
        inputs: [x],
        build: (t) => call('twice', (y: Tensor) => y.add(y))(one(t)),
        oracle: (v = x) => v.data.map((e) => 2 * e),
      })),
    differentiable: true,
    linearIn: [0],
  }),
  neg: unary('neg', arithmeticTypes, (x) => -x, [-2, 2], { differentiable: true, linearIn: [0] }),
  exp: unary('exp', floats, Math.exp, [-3, 3], { differentiable: true, exact: false }),
  log: unary('log', floats, Math.log, [0.2, 5], { differentiable: true, exact: false }),
  sqrt: unary('sqrt', floats, Math.sqrt, [0.3, 5], { differentiable: true }),
  sin: unary('sin', floats, Math.sin, [-4, 4], { differentiable: true, exact: false }),
  cos: unary('cos', floats, Math.cos, [-4, 4], { differentiable: true, exact: false }),
  tanh: unary('tanh', floats, Math.tanh, [-3, 3], { differentiable: true, exact: false }),
  logistic: unary('logistic', floats, (x) => 1 / (1 + Math.exp(-x)), [-4, 4], { differentiable: true, exact: false }),
  erf: unary('erf', floats, erfBySimpson, [-3, 3], { differentiable: true, exact: false }),
  floor: unary('floor', floats, Math.floor, [-4, 4]),
  not: unary('not', [...wholes, 'bool'], (x, d) => (d === 'bool' ? 1 - x : -x - 1), [0, 0]),
  cast: entry({
    dtypes: all,
    cases: (from) =>
      fc
        .tuple(inputOf(from, 0, 3, numbers(from, [-300, 300])), fc.constantFrom(...all))
        .map(([x, dtype]) => ({ inputs: [x], build: (t) => one(t).cast(dtype), oracle: (v = x) => v.data })),
  }),
  bitcast: entry({
    dtypes: four,
    cases: (from) =>
      fc
        .tuple(
          inputOf(
            from,
            0,
            3,
            from === 'f32'
              ? fc.oneof(numbers(from), fc.constantFrom(-0, Infinity, 1e-40))
              : fc.integer({ min: 0, max: 0x7f7f_ffff }),
          ),
          fc.constantFrom(...four),
        )
        .map(([x, to]) => ({
          inputs: [x],
          build: (t) => one(t).bitcast(to),
          oracle: (v = x) => v.data.map((e) => bitsOf(e, from, to)),
        })),
  }),
  add: binary(
    'add',
    arithmeticTypes,
    wrapping(
      (x, y) => x + y,
      (x, y) => x + y,
    ),
    undefined,
    { differentiable: true },
  ),
  mul: binary(
    'mul',
    arithmeticTypes,
    wrapping(
      (x, y) => x * y,
      (x, y) => x * y,
    ),
    undefined,
    { differentiable: true, linearIn: [0, 1] },
  ),
  div: binary(
    'div',
    arithmeticTypes,
    wrapping(
      (x, y) => x / y,
      (x, y) => (y === 0n ? 0n : x / y),
    ),
    [
      [-2, 2],
      [0.4, 3],
    ],
    { differentiable: true, linearIn: [0] },
  ),
  // Quotients 1.1 … 1.9: away from the jumps at whole numbers.
  rem: binary(
    'rem',
    arithmeticTypes,
    wrapping(
      (x, y) => x - y * Math.trunc(x / y),
      (x, y) => (y === 0n ? 0n : x % y),
    ),
    [
      [2.1, 2.9],
      [1.6, 1.9],
    ],
    { differentiable: true },
  ),
  max: binary(
    'max',
    arithmeticTypes,
    (x, y) => (x > y ? x : y),
    [
      [-2, 2],
      [2.5, 3],
    ],
    { differentiable: true },
  ),
  and: binary(
    'and',
    [...wholes, 'bool'],
    bitwise((x, y) => x & y),
  ),
  or: binary(
    'or',
    [...wholes, 'bool'],
    bitwise((x, y) => x | y),
  ),
  xor: binary(
    'xor',
    [...wholes, 'bool'],
    bitwise((x, y) => x ^ y),
  ),
  shiftLeft: binary(
    'shiftLeft',
    wholes,
    bitwise((x, y) => x << (y & 31n)),
  ),
  shiftRight: binary(
    'shiftRight',
    wholes,
    bitwise((x, y) => x >> (y & 31n)),
  ),
  less: binary('less', all, (x, y) => Number(x < y)),
  equal: binary('equal', all, (x, y) => Number(x === y)),
  where: entry({
    dtypes: all,
    cases: (d) =>
      shapes()
        .chain((shape) => fc.tuple(arrays(shape, 'bool'), arrays(shape, d), arrays(shape, d)))
        .map(([c, x, y]) => ({
          inputs: [c, x, y],
          build: (p, a, b) => new Tensor(makeNode('where', {}, [one(p).node, one(a).node, one(b).node])),
          oracle: (p = c, a = x, b = y) => p.data.map((e, i) => (e === 0 ? b : a).data[i] ?? NaN),
        })),
    differentiable: true,
  }),
  reduceSum: entry({
    dtypes: arithmeticTypes,
    cases: (d) => reduction('reduceSum', d),
    differentiable: true,
    linearIn: [0],
  }),
  reduceMax: entry({ dtypes: arithmeticTypes, cases: (d) => reduction('reduceMax', d), differentiable: true }),
  broadcast: entry({ dtypes: all, cases: broadcast, differentiable: true, linearIn: [0] }),
  reshape: entry({
    dtypes: all,
    cases: (d) =>
      movement(
        d,
        (shape) =>
          fc
            .shuffledSubarray([...shape], { minLength: shape.length })
            .chain((s) => fc.constantFrom(s, [...s, 1], [count(s)])),
        (x, s) => x.reshape(s),
        (x) => x.data,
      ),
    differentiable: true,
    linearIn: [0],
  }),
  transpose: entry({
    dtypes: all,
    cases: (d) =>
      movement(
        d,
        (shape) => fc.shuffledSubarray([...shape.keys()], { minLength: shape.length }),
        (x, p) => x.transpose(p),
        (x, p) =>
          tabulate(
            p.map((a) => x.shape[a] ?? 0),
            (index) =>
              elementAt(
                x,
                x.shape.map((_, a) => index[p.indexOf(a)] ?? 0),
              ),
          ),
      ),
    differentiable: true,
    linearIn: [0],
  }),
  reverse: entry({
    dtypes: all,
    cases: (d) =>
      movement(
        d,
        (shape) => axesOf(shape.length),
        (x, axes) => x.reverse(axes),
        (x, axes) =>
          tabulate(x.shape, (index) =>
            elementAt(
              x,
              index.map((v, a) => (axes.includes(a) ? (x.shape[a] ?? 0) - 1 - v : v)),
            ),
          ),
      ),
    differentiable: true,
    linearIn: [0],
  }),
  pad: entry({ dtypes: all, cases: pad, differentiable: true, linearIn: [0] }),
  slice: entry({ dtypes: all, cases: slice, differentiable: true, linearIn: [0] }),
  concatenate: entry({ dtypes: all, cases: concatenate, differentiable: true }),
  gather: entry({ dtypes: all, cases: gather, differentiable: true, linearIn: [0] }),
  scatterAdd: entry({ dtypes: arithmeticTypes, cases: scatterAdd, differentiable: true, linearIn: [1] }),
  argsort: entry({ dtypes: arithmeticTypes, cases: argsort }),
  dotGeneral: entry({ dtypes: floats, cases: dotGeneral, differentiable: true, linearIn: [0, 1] }),
  conv: entry({ dtypes: floats, cases: conv, differentiable: true, linearIn: [0, 1] }),
}
