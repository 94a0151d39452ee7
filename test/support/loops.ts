/** Loops for tests: each as a function of a `scan`, which may be the library's, or one that unrolls. */
import { gather, stack, concatenate, sort } from '../../src/tensor/combine.ts'
import { constant, iota, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { scan, type ScanOptions } from '../../src/tensor/scan.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, mapTree, refill } from '../../src/tensor/tree.ts'
import { at, range } from '../../src/prelude/array.ts'
import { numbersFrom } from './views.ts'

/** `scan`, or another function of its type. */
export type Scan = typeof scan

/** The loop written out, turn by turn. */
export const unrolled: Scan = <C, X, Y>(
  body: (carry: C, x: X) => readonly [C, Y],
  init: C,
  xs: X,
  options?: ScanOptions,
): readonly [C, Y] => {
  const { length, reverse = false } = options ?? {}
  const turns = length ?? at(leaves(xs), 0).shape[0] ?? 0
  const order = reverse ? range(turns).toReversed() : range(turns)
  let carry = init
  const made = new Map<number, Y>()
  for (const i of order) {
    const [next, y] = body(
      carry,
      mapTree(xs, (x) => x.slice([i, i + 1]).reshape(x.shape.slice(1))),
    )
    carry = next
    made.set(i, y)
  }
  const ys = range(turns).flatMap((i) => made.get(i) ?? [])
  const first = at(ys, 0)
  return [
    carry,
    refill(
      first,
      leaves(first).map((_, k) => stack(ys.map((y) => at(leaves(y), k)))),
    ),
  ]
}

/** The library's, with segments that are computed again in the backward pass. */
export const inSegments =
  (checkpoint: boolean | number): Scan =>
  (body, init, xs, options) =>
    scan(body, init, xs, { ...options, checkpoint })

const numbers = (seed: number, shape: readonly number[]): Tensor =>
  tensor(
    new Float32Array(
      numbersFrom(
        seed,
        shape.reduce((a, b) => a * b, 1),
      ),
    ),
    { shape },
  )

/** A recurrent network with a term of its own in every turn, from all that it depends on. */
export const recurrent =
  (loop: Scan, reverse = false) =>
  (p: { readonly w: Tensor; readonly gain: Tensor; readonly h: Tensor; readonly xs: Tensor }): Tensor => {
    const [h, ys] = loop(
      (h: Tensor, x: Tensor) => {
        const next = h.matmul(p.w).add(x.mul(p.gain)).tanh().mul(p.gain.exp())
        return [next, { product: next.mul(h).sum([1]), max: next.max([0]) }] as const
      },
      p.h,
      p.xs,
      { reverse },
    )
    return h.sum().add(ys.product.square().sum()).add(ys.max.sum())
  }

/** Where {@link recurrent} begins: 3 of 5 numbers, in 7 turns. */
export const recurrentAt = (): Parameters<ReturnType<typeof recurrent>>[0] => ({
  w: numbers(1, [5, 5]),
  gain: numbers(2, [5]).mul(0.5),
  h: numbers(3, [3, 5]),
  xs: numbers(4, [7, 3, 5]),
})

/** Loops by what is special about them; each gives a list of tensors. */
export const loops: { readonly [name: string]: (loop: Scan) => readonly Tensor[] } = {
  'running sums and products, trees of carries and elements': (loop) => {
    const [{ sum, product }, ys] = loop(
      (
        { sum, product }: { readonly sum: Tensor; readonly product: Tensor },
        x: { readonly a: Tensor; readonly b: Tensor },
      ) => {
        const next = { product: product.mul(x.b), sum: sum.add(x.a) }
        return [next, { s: next.sum, both: [next.product, x.a] }] as const
      },
      { sum: zeros([3]), product: scalar(1) },
      { a: numbers(1, [6, 3]), b: numbers(2, [6]).add(1) },
    )
    return [sum, product, ys.s, ...ys.both]
  },
  'carries that change places, and one that is in the way of another': (loop) => {
    const [carry, ys] = loop(
      ([a, b, c]: readonly [Tensor, Tensor, Tensor]) => [[b, a, c.add(a).mul(0.5)] as const, a.sub(b)] as const,
      [numbers(1, [33]), numbers(2, [33]), numbers(3, [33])] as const,
      undefined,
      { length: 5 },
    )
    return [...carry, ys]
  },
  'odd bytes and halves, from the end': (loop) => {
    const [carry, ys] = loop(
      ({ n, h, flag }: { readonly n: Tensor; readonly h: Tensor; readonly flag: Tensor }, x: Tensor) => {
        const next = { n: n.add(x), h: h.mul(0.5).add(x.cast('f16')), flag: flag.equal(x.less(100)) }
        return [next, next] as const
      },
      {
        n: tensor([1, 2, 3, 4, 5], { dtype: 'u8' }),
        h: zeros([5], 'f16'),
        flag: zeros([5]).less(1),
      },
      tensor(
        range(35).map((i) => (i * 37) % 256),
        { dtype: 'u8' },
      ).reshape([7, 5]),
      { reverse: true },
    )
    return [...leaves(carry), ...leaves(ys)]
  },
  'elements seen through views: turned round, repeated, transposed, cut out': (loop) => {
    const x = numbers(5, [6, 4])
    const [carry, ys] = loop(
      (sum: Tensor, { turned, repeated, transposed, cut }: { readonly [name: string]: Tensor }) => {
        const next = [turned, repeated, transposed, cut].reduce<Tensor>((s, v, i) => s.add((v ?? s).mul(i + 1)), sum)
        return [next, next.mul(2)] as const
      },
      zeros([4]),
      {
        turned: x.reverse([0]),
        repeated: numbers(6, [4]).expandDims(0).broadcastTo([6, 4]),
        transposed: numbers(7, [4, 6]).transpose([1, 0]),
        cut: numbers(8, [8, 4]).slice([1, 7]),
      },
    )
    return [carry, ys]
  },
  'literals, indices, gather and sort in the body': (loop) => {
    const table = constant([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
      [10, 11, 12],
    ])
    const [state, ys] = loop(
      (i: Tensor, x: Tensor) => {
        const row = gather(table, i)
          .add(iota([3], 0, 'f32'))
          .mul(x)
        return [i.add(3).rem(4), sort(row)] as const
      },
      scalar(1, 'i32'),
      numbers(3, [5, 3]),
    )
    return [state, ys]
  },
  'a loop in a loop, which uses what is outside of both': (loop) => {
    const w = numbers(1, [4, 4])
    const [h, ys] = loop(
      (h: Tensor, x: Tensor) => {
        const [inner, steps] = loop((z: Tensor, s: Tensor) => [z.matmul(w).add(s).mul(h).sin(), z.sum()] as const, h, x)
        return [inner.add(h), steps] as const
      },
      numbers(2, [2, 4]),
      numbers(3, [3, 5, 2, 4]),
    )
    return [h, ys]
  },
  'one turn': (loop) => {
    const [c, ys] = loop((c: Tensor, x: Tensor) => [c.mul(x), c.add(x)] as const, scalar(3), numbers(1, [1]))
    return [c, ys]
  },
  'results that depend on no turn, and rows without elements': (loop) => {
    const outside = numbers(1, [3])
    const [c, ys] = loop(
      (c: Tensor, x: Tensor) => [c, { outside: outside.mul(2), literal: scalar(7), x, c, empty: zeros([0]) }] as const,
      scalar(3),
      numbers(2, [4]),
    )
    return [c, ys.outside, ys.literal, ys.x, ys.c, ys.empty]
  },
  'more inputs than a kernel may read': (loop) => {
    const many = range(20).map((i) => numbers(i, [4, 6]))
    const [c, ys] = loop(
      (c: Tensor, xs: readonly Tensor[]) => [xs.reduce((sum, x) => sum.add(x), c), concatenate([...xs], 0)] as const,
      zeros([6]),
      many,
    )
    return [c, ys]
  },
}
