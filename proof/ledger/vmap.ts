/** Equations of chapter 27: what vmap is, three of its rules, and what gradients of examples say. */
import { grad, vmap } from '../../src/autograd/index.ts'
import { gather } from '../../src/tensor/combine.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, read, sum, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[]): Tensor =>
  tensor([...values], { dtype: 'f64', shape })

/** The `k`-th group of `n` numbers. */
const part = (values: readonly number[], k: number, n: number): readonly number[] => values.slice(k * n, k * n + n)

/** ℓ(θ, x) = sin θ·x for θ and x of two numbers, and its gradient cos(θ·x)·x. */
const loss = (theta: Tensor, x: Tensor): Tensor => theta.mul(x).sum().sin()
const gradientAt = (theta: readonly number[], x: readonly number[]): readonly number[] =>
  x.map((v) => Math.cos(dot(theta, x)) * v)

const what: Equation = {
  number: '27.1',
  statement: 'vmap(f)(x)ᵦ = f(xᵦ)',
  source: 'definition',
  by: '`vmap` of x ↦ (x₀·x₁, sin x₂) in f64, along each axis, and the same by hand',
  check: () =>
    forAll(vectors(6), async (values) => {
      const f = (x: Tensor): readonly Tensor[] => [
        x
          .slice([0, 1])
          .mul(x.slice([1, 2]))
          .sum(),
        x.slice([2, 3]).sin().sum(),
      ]
      const rows = [part(values, 0, 3), part(values, 1, 3)]
      const expected = [rows.map(([a = 0, b = 0]) => a * b), rows.map(([, , c = 0]) => Math.sin(c))].flat()
      const found = async (ys: readonly Tensor[]): Promise<readonly number[]> =>
        (await Promise.all(ys.map(async (y) => [...(await read(y))]))).flat()
      const x = f64(values, [2, 3])
      return together([
        agree(1e-15, await found(vmap(f)(x)), expected),
        agree(1e-15, await found(vmap(f, { in: 1 })(x.transpose())), expected),
      ])
    }),
}

const rules: readonly Equation[] = [
  {
    number: '27.2',
    statement: 'Yᵦ = Xᵦ·W for all β: the B·m rows of X times W',
    source: 'definition',
    by: '`vmap` of a product of 2×2 matrices in f64, and row by row',
    check: () =>
      forAll(vectors(12), async (values) => {
        const [xs, w] = [values.slice(0, 8), values.slice(8)]
        const found = vmap((x: Tensor, m: Tensor) => x.matmul(m), { in: [0, null] })(f64(xs, [2, 2, 2]), f64(w, [2, 2]))
        const rows = upTo(4).flatMap((r) => upTo(2).map((c) => dot(part(xs, r, 2), [at(w, c), at(w, 2 + c)])))
        return agree(1e-14, await read(found), rows)
      }),
  },
  {
    number: '27.3',
    statement: 'conv(xᵦ, wᵦ) = group β of conv(x₁ … x_B along channels, w₁ … w_B along output channels)',
    source: 'definition of groups',
    by: '`vmap` of a convolution of 1×3 pixels with 1×2 filters in f64, both mapped, and each by hand',
    check: () =>
      forAll(vectors(10), async (values) => {
        const [xs, ws] = [values.slice(0, 6), values.slice(6)]
        const found = vmap((x: Tensor, w: Tensor) => conv2d(x, w))(f64(xs, [2, 1, 1, 3, 1]), f64(ws, [2, 1, 2, 1, 1]))
        const each = upTo(2).flatMap((b) => upTo(2).map((i) => dot(part(xs, b, 3).slice(i, i + 2), part(ws, b, 2))))
        return agree(1e-14, await read(found), each)
      }),
  },
  {
    number: '27.4',
    statement: 'tableᵦ[i] = tables[β·n + min(max(i, 0), n − 1)]',
    source: 'own derivation',
    by: '`vmap` of a gather from tables of three rows with indices from −5 to 5, both mapped',
    check: () =>
      forAll(vectors(10), async (values) => {
        const [table, index] = [values.slice(0, 6), values.slice(6).map((v) => Math.round(5 * Math.sin(9 * v)))]
        const indices = tensor(Int32Array.from(index), { shape: [2, 2] })
        const found = vmap((t: Tensor, i: Tensor) => gather(t, i))(f64(table, [2, 3]), indices)
        const each = index.map((i, k) => at(table, 3 * Math.floor(k / 2) + Math.min(Math.max(i, 0), 2)))
        return agree(0, await read(found), each)
      }),
  },
]

const examples: readonly Equation[] = [
  {
    number: '27.5',
    statement: '∇(1/B)·Σᵦ ℓ(θ, xᵦ) = (1/B)·Σᵦ gᵦ, gᵦ = ∇ℓ(θ, xᵦ)',
    source: 'calculus',
    by: '`vmap(grad(ℓ))` of ℓ = sin θ·x in f64 against cos(θ·x)·x, and its mean against `grad` of the mean',
    check: () =>
      forAll(vectors(8), async (values) => {
        const [theta, xs] = [values.slice(0, 2), values.slice(2)]
        const [p, x] = [f64(theta, [2]), f64(xs, [3, 2])]
        const each = vmap(grad(loss), { in: [null, 0] })(p, x)
        const whole = grad((q: Tensor) => vmap(loss, { in: [null, 0] })(q, x).mean())(p)
        const expected = upTo(3).map((b) => gradientAt(theta, part(xs, b, 2)))
        const means = upTo(2).map((i) => sum(expected.map((g) => at(g, i))) / 3)
        return together([agree(1e-14, await read(each), expected.flat()), agree(1e-14, await read(whole), means)])
      }),
  },
  {
    number: '27.6',
    statement: 'B_simple = tr Σ/|G|²',
    source: 'McCandlish et al. 2018, section 2.2',
    by: 'gradients by `vmap` of three examples: over all nine batches of two, drawn with replacement, the mean squared error of a batch is |G|²·B_simple/2',
    check: () =>
      forAll(vectors(8), async (values) => {
        const [theta, xs] = [values.slice(0, 2), values.slice(2)]
        const found = Array.from(await read(vmap(grad(loss), { in: [null, 0] })(f64(theta, [2]), f64(xs, [3, 2]))))
        const gs = upTo(3).map((b) => part(found, b, 2))
        const mean = upTo(2).map((i) => sum(gs.map((g) => at(g, i))) / 3)
        const distance = (a: readonly number[]): number => sum(a.map((v, i) => (v - at(mean, i)) ** 2))
        const trace = sum(gs.map(distance)) / 3
        const batches = gs.flatMap((a) => gs.map((b) => distance(a.map((v, i) => (v + at(b, i)) / 2))))
        const scale = trace / dot(mean, mean)
        return agree(1e-9, [sum(batches) / 9 / dot(mean, mean)], [scale / 2])
      }),
  },
  {
    number: '27.7',
    statement: 'tr Σ ≈ Σᵦ |gᵦ − ḡ|²/(B − 1), |G|² ≈ |ḡ|² − tr Σ/B',
    source: 'unbiased estimates of a variance and of a squared mean',
    by: 'gradients by `vmap` of all nine batches of two of three examples: the estimates are right on average',
    check: () =>
      forAll(vectors(8), async (values) => {
        const [theta, xs] = [values.slice(0, 2), values.slice(2)]
        const gs = upTo(3).map((b) => gradientAt(theta, part(xs, b, 2)))
        const mean = upTo(2).map((i) => sum(gs.map((g) => at(g, i))) / 3)
        const trace = sum(gs.map((g) => sum(g.map((v, i) => (v - at(mean, i)) ** 2)))) / 3
        const batches = upTo(9).flatMap((k) => [part(xs, Math.floor(k / 3), 2), part(xs, k % 3, 2)].flat())
        const estimate = (x: Tensor): readonly Tensor[] => {
          const each = vmap(grad(loss), { in: [null, 0] })(f64(theta, [2]), x)
          const average = each.mean(0, true)
          const spread = each.sub(average).square().sum() // over B − 1, which is 1
          return [spread, average.square().sum().sub(spread.div(2))]
        }
        const [spreads, squares] = vmap(estimate)(f64(batches, [9, 2, 2])).map((y) => y.mean())
        if (spreads === undefined || squares === undefined) throw new Error('two estimates')
        return together([
          agree(1e-12, await read(spreads), [trace]),
          agree(1e-12, await read(squares), [dot(mean, mean)]),
        ])
      }),
  },
]

/** Chapter 27. */
export const vmapEquations: readonly Equation[] = [what, ...rules, ...examples]
