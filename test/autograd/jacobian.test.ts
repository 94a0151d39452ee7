/** Jacobians and Hessians: against matrices known by heart, against products, over trees, and nested. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, vjp } from '../../src/autograd/index.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import { constant, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()
const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor(Float64Array.from(values), { shape })
const read = async (x: Tensor): Promise<readonly number[]> => [...(await device.read(x))]

const close = (got: readonly number[], expected: readonly number[]): void => {
  expect(got.length).toBe(expected.length)
  got.forEach((x, i) => {
    expect(Math.abs(x - (expected[i] ?? NaN))).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(x)))
  })
}

const vectors = (n: number): fc.Arbitrary<readonly number[]> =>
  fc.array(
    fc.integer({ min: -200, max: 200 }).map((k) => k / 100),
    { minLength: n, maxLength: n },
  )

/** A function from n to m numbers without symmetry: y = tanh(W·x) ⊙ (W·sin x). */
const curved =
  (w: Tensor) =>
  (x: Tensor): Tensor => {
    const column = x.reshape([-1, 1])
    return w.matmul(column).tanh().mul(w.matmul(column.sin())).reshape([-1])
  }

const problems = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }))
  .chain(([m, n]) => fc.tuple(fc.constant([m, n] as const), vectors(m * n), vectors(n), vectors(n), vectors(m)))

describe('jacobian', () => {
  it('is the matrix of a linear map, whichever side is shorter', async () => {
    const wide = f64([1, 2, 3, 4, 5, 6], [2, 3])
    const map =
      (w: Tensor) =>
      (x: Tensor): Tensor =>
        w.matmul(x.reshape([-1, 1])).reshape([-1])
    expect(await read(jacobian(map(wide))(f64([7, 8, 9])))).toEqual([1, 2, 3, 4, 5, 6])
    expect(await read(jacobian(map(wide.transpose()))(f64([7, 8])))).toEqual([1, 4, 2, 5, 3, 6])
  })

  it('times a vector is jvp, and a covector times it is vjp', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ([[m, n], w, x, v, g]) => {
        const f = curved(f64(w, [m, n]))
        const j = await read(jacobian(f)(f64(x)))
        const product = Array.from({ length: m }, (_, i) => v.reduce((s, e, k) => s + e * (j[i * n + k] ?? NaN), 0))
        const transposed = Array.from({ length: n }, (_, k) => g.reduce((s, e, i) => s + e * (j[i * n + k] ?? NaN), 0))
        close(await read(jvp(f, [f64(x)], [f64(v)]).tangent), product)
        close(await read(vjp(f, f64(x)).pullback(constant(Float64Array.from(g)))[0]), transposed)
      }),
      { seed: 21, numRuns: 60 },
    )
  })

  it('keeps the shapes of result and argument, leaf by leaf of both trees', async () => {
    const params = { a: f64([1, 2], [2, 1]), b: [f64([3]), scalar(0.5, 'f64')] as const }
    const f = ({ a, b }: typeof params): { readonly sum: Tensor; readonly outer: Tensor } => ({
      sum: a.sum().add(b[0].sum()),
      outer: a.mul(b[0]).mul(b[1]),
    })
    const j = jacobian(f)(params)
    expect([j.sum.a.shape, j.sum.b[0].shape, j.sum.b[1].shape]).toEqual([[2, 1], [1], []])
    expect([j.outer.a.shape, j.outer.b[0].shape, j.outer.b[1].shape]).toEqual([
      [2, 1, 2, 1],
      [2, 1, 1],
      [2, 1],
    ])
    expect(await read(j.outer.a)).toEqual([1.5, 0, 0, 1.5])
    expect(await read(j.outer.b[1])).toEqual([3, 6])
    expect(await read(j.sum.b[1])).toEqual([0])
  })

  it('of a softmax is diag(y) − y·yᵀ', async () => {
    const x = f64([0.3, -1, 2])
    const y = await read(softmax(x))
    close(
      await read(jacobian((v: Tensor) => softmax(v))(x)),
      y.flatMap((a, i) => y.map((b, k) => (i === k ? a : 0) - a * b)),
    )
  })

  it('has empty blocks for empty leaves', async () => {
    const f = (x: Tensor): Tensor => x.mul(2)
    expect(jacobian(f)(zeros([0, 2], 'f64')).shape).toEqual([0, 2, 0, 2])
    expect(await read(jacobian((p: readonly Tensor[]) => p[1] as Tensor)([zeros([0]), f64([4])])[1] as Tensor)).toEqual(
      [1],
    )
  })

  it('differentiates the first argument alone, and compiles', async () => {
    const j = device.compile((x: Tensor, scale: Tensor) =>
      jacobian((y: Tensor, s: Tensor) => y.square().mul(s))(x, scale),
    )
    expect(await read(await j(f64([1, 2]), f64([10, 100])))).toEqual([20, 0, 0, 400])
  })

  it('is the same by rows and by columns, of trees of both sides, and both ways round for second derivatives', async () => {
    const params = { a: f64([0.3, -1]), b: [f64([2], [1, 1]), scalar(0.5, 'f64')] as const }
    const f = ({ a, b }: typeof params): readonly Tensor[] => [
      a
        .sin()
        .mul(b[1])
        .add(b[0].reshape([1])),
      b[0].square().mul(a.sum()),
    ]
    const [all, rows, columns] = [jacobian(f)(params), jacrev(f)(params), jacfwd(f)(params)]
    for (const [k, j] of all.entries())
      for (const [way, x] of [rows[k], columns[k]].entries()) {
        if (x === undefined) throw new Error(`way ${way} has no block ${k}`)
        for (const [own, other] of [
          [j.a, x.a],
          [j.b[0], x.b[0]],
          [j.b[1], x.b[1]],
        ] as const) {
          expect(other.shape).toEqual(own.shape)
          close(await read(other), await read(own))
        }
      }
    const g = (x: Tensor): Tensor => x.mul(x.sum()).exp().sum()
    const point = f64([0.1, 0.2, -0.3])
    close(await read(jacfwd(jacrev(g))(point)), await read(hessian(g)(point)))
    close(await read(jacrev(jacfwd(g))(point)), await read(hessian(g)(point)))
  })

  it('has a graph that does not grow with the result', () => {
    const nodes = (n: number): number => reachable([jacrev((x: Tensor) => x.sin().mul(x))(zeros([n])).node]).length
    expect(nodes(1000)).toBe(nodes(10))
  })

  it('names the function that was called in its errors', () => {
    expect(() => jacfwd((x: Tensor) => x.cast('i32'))(f64([1]))).toThrow("jacfwd: leaf '' of the result is i32")
    expect(() => jacrev((x: Tensor) => x)(tensor([1], { dtype: 'i32' }))).toThrow("jacrev: leaf ''")
  })

  it('refuses integers in the argument and in the result', () => {
    expect(() => jacobian((x: Tensor) => x)(tensor([1], { dtype: 'i32' }))).toThrow(
      'is i32; only floats have gradients',
    )
    expect(() => jacobian((x: Tensor) => ({ y: x.cast('i32') }))(f64([1]))).toThrow(
      "jacobian: leaf 'y' of the result is i32; only floats have derivatives",
    )
  })
})

describe('hessian', () => {
  const loss =
    (w: Tensor) =>
    (x: Tensor): Tensor =>
      curved(w)(x).square().sum()

  it('is symmetric, and its product with a vector is hvp', async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ([[m, n], w, x, v]) => {
        const f = loss(f64(w, [m, n]))
        const h = await read(hessian(f)(f64(x)))
        const at = (i: number, k: number): number => h[i * n + k] ?? NaN
        close(
          h,
          h.map((_, e) => at(e % n, Math.floor(e / n))),
        )
        close(
          await read(hvp(f, f64(x), f64(v))),
          x.map((_, i) => v.reduce((s, e, k) => s + e * at(i, k), 0)),
        )
      }),
      { seed: 22, numRuns: 40 },
    )
  })

  it('has a block for each pair of leaves: ∂²(a·b²)/∂a∂b = 2b', async () => {
    const h = hessian(({ a, b }: { readonly a: Tensor; readonly b: Tensor }) => a.mul(b.square()))({
      a: scalar(3, 'f64'),
      b: scalar(5, 'f64'),
    })
    expect(await Promise.all([h.a.a, h.a.b, h.b.a, h.b.b].map(read))).toEqual([[0], [10], [10], [6]])
  })

  it('goes on: the Jacobian of a Hessian holds third derivatives', async () => {
    const third = jacobian((x: Tensor) => hessian((y: Tensor) => y.pow(4).sum())(x))(f64([1, 2]))
    expect(third.shape).toEqual([2, 2, 2])
    expect(await read(third)).toEqual([24, 0, 0, 0, 0, 0, 0, 48])
    expect(await read(grad((x: Tensor) => hessian((y: Tensor) => y.pow(4).sum())(x).sum())(f64([1, 2])))).toEqual([
      24, 48,
    ])
  })
})
