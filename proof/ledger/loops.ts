/** Equations of chapter 26: loops, their derivatives, what is kept for these, and recurrent networks. */
import fc from 'fast-check'
import { grad } from '../../src/autograd/grad.ts'
import { gruCell } from '../../src/nn/gru.ts'
import { lstmCell } from '../../src/nn/lstm.ts'
import type { RecurrentParams } from '../../src/nn/recurrent.ts'
import { tensor } from '../../src/tensor/create.ts'
import { scan } from '../../src/tensor/scan.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, device, forAll, holds, read, together, upTo, vectors, type Equation } from './equation.ts'

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64', shape })

/** f: c' = sin(w·c + x), y = c·x; and its partial derivatives. */
const next = (w: number, c: number, x: number): number => Math.sin(w * c + x)
const slopeOf = (w: number, c: number, x: number): number => Math.cos(w * c + x)

const loop = ({
  w,
  c,
  xs,
}: {
  readonly w: Tensor
  readonly c: Tensor
  readonly xs: Tensor
}): readonly [Tensor, Tensor] => scan((c: Tensor, x: Tensor) => [c.mul(w).add(x).sin(), c.mul(x)] as const, c, xs)

/** c₀ … c_T in plain numbers. */
const carries = (w: number, c0: number, xs: readonly number[]): readonly number[] =>
  xs.reduce<readonly number[]>((cs, x) => [...cs, next(w, at(cs, cs.length - 1), x)], [c0])

const backwards = (w: number, c0: number, xs: readonly number[], last: number, ys: readonly number[]) => {
  const cs = carries(w, c0, xs)
  let [c, total] = [last, 0]
  for (const t of upTo(xs.length).toReversed()) {
    const slope = slopeOf(w, at(cs, t), at(xs, t))
    total += slope * at(cs, t) * c
    c = slope * w * c + at(xs, t) * at(ys, t)
  }
  return { c, w: total }
}

const kept = (turns: number): number => {
  const last = (w: Tensor, xs: Tensor): Tensor =>
    scan((h: Tensor, x: Tensor) => [h.mul(w).add(x).tanh(), undefined], f64(upTo(256).map(() => 0)), xs, {
      checkpoint: true,
    })[0].sum()
  return device.compile(grad(last)).plan(
    f64(upTo(256).map(() => 1)),
    f64(
      upTo(256 * turns).map(() => 0),
      [turns, 256],
    ),
  ).arenaBytes
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Parameters of one input and one hidden unit, with gates weights and biases each. */
const cellOf = (
  gates: number,
): fc.Arbitrary<{ readonly numbers: readonly number[]; readonly params: RecurrentParams }> =>
  vectors(4 * gates, -1, 1).map((numbers) => {
    const part = (from: number, shape: readonly number[]): Tensor =>
      f64(numbers.slice(from * gates, (from + 1) * gates), shape)
    return {
      numbers,
      params: {
        input: { weight: part(0, [1, gates]), bias: part(1, [gates]) },
        hidden: { weight: part(2, [1, gates]), bias: part(3, [gates]) },
      },
    }
  })

/** The parts of x·W + b, and of h·U + d. */
const partsOf = (numbers: readonly number[], gates: number, x: number, h: number) => ({
  input: upTo(gates).map((g) => x * at(numbers, g) + at(numbers, gates + g)),
  hidden: upTo(gates).map((g) => h * at(numbers, 2 * gates + g) + at(numbers, 3 * gates + g)),
})

/** The entries. */
export const loopEquations: readonly Equation[] = [
  {
    number: '26.1',
    statement: '(c_{t+1}, y_t) = f(w, c_t, x_t), t = 0 … T − 1',
    source: "the signature of JAX's `jax.lax.scan`",
    by: '`scan` with f = (sin(w·c + x), c·x), and the same turns in plain numbers',
    check: () =>
      forAll(vectors(7), async ([w = 0, c = 0, ...xs]) => {
        const [last, ys] = loop({ w: f64([w], []), c: f64([c], []), xs: f64(xs) })
        const cs = carries(w, c, xs)
        return agree(
          1e-12,
          [...(await read(last)), ...(await read(ys))],
          [at(cs, xs.length), ...xs.map((x, t) => x * at(cs, t))],
        )
      }),
  },
  {
    number: '26.2',
    statement: 'c̄_t = (∂c_{t+1}/∂c_t)ᵀ c̄_{t+1} + (∂y_t/∂c_t)ᵀ ȳ_t, w̄ = Σ_t ((∂c_{t+1}/∂w)ᵀ c̄_{t+1} + (∂y_t/∂w)ᵀ ȳ_t)',
    source: 'Werbos 1990, backpropagation through time',
    by: '`grad` through `scan` with f = (sin(w·c + x), c·x), and the recursion in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(6), vectors(5)), async ([[w = 0, c = 0, ...xs], [cotangent = 0, ...cotangents]]) => {
        const loss = (p: { readonly w: Tensor; readonly c: Tensor }): Tensor => {
          const [last, ys] = loop({ ...p, xs: f64(xs) })
          return last.mul(f64([cotangent], [])).add(ys.mul(f64(cotangents)).sum())
        }
        const found = grad(loss)({ w: f64([w], []), c: f64([c], []) })
        const wanted = backwards(w, c, xs, cotangent, cotangents)
        return agree(1e-10, [...(await read(found.c)), ...(await read(found.w))], [wanted.c, wanted.w])
      }),
  },
  {
    number: '26.3',
    statement: 'memory ∝ T/s + s, the least at s = √T, 2√T',
    source: 'Chen et al. 2016, section 3',
    by: "the arena of a gradient with `checkpoint: true` for 16, 64 and 256 turns: twice as much for four times as many; and the sum's minimum among whole s",
    check: () => {
      const [a, b, c] = [kept(16), kept(64), kept(256)]
      const least = upTo(400).reduce((best, s) => (s > 0 && 400 / s + s < 400 / best + best ? s : best), 1)
      return together([
        holds((b - a) * 2.2 > c - b && c - b > (b - a) * 1.8, `arenas of ${a}, ${b}, ${c} bytes`),
        agree(0, [least, 400 / least + least], [Math.sqrt(400), 2 * Math.sqrt(400)]),
      ])
    },
  },
  {
    number: '26.4',
    statement: '[i f g o] = x·W + b + h·U + d, c ← σ(f)·c + σ(i)·tanh g, h ← σ(o)·tanh c',
    source: 'Hochreiter & Schmidhuber 1997; Gers et al. 2000',
    by: '`lstmCell` of one unit, and the formulas in plain numbers',
    check: () =>
      forAll(fc.tuple(cellOf(4), vectors(3)), async ([{ numbers, params }, [x = 0, h = 0, c = 0]]) => {
        const one = (v: number): Tensor => f64([v], [1, 1])
        const found = lstmCell(1, 1).apply(params, { x: one(x), state: { h: one(h), c: one(c) } })
        const { input, hidden } = partsOf(numbers, 4, x, h)
        const [i = 0, f = 0, g = 0, o = 0] = [0, 1, 2, 3].map((k) => at(input, k) + at(hidden, k))
        const cell = sigmoid(f) * c + sigmoid(i) * Math.tanh(g)
        return agree(1e-12, [...(await read(found.c)), ...(await read(found.h))], [cell, sigmoid(o) * Math.tanh(cell)])
      }),
  },
  {
    number: '26.5',
    statement: 'r = σ(x_r + h_r), z = σ(x_z + h_z), n = tanh(x_n + r·h_n), h ← (1 − z)·n + z·h',
    source: 'Cho et al. 2014, with the reset gate behind the product',
    by: '`gruCell` of one unit, and the formulas in plain numbers',
    check: () =>
      forAll(fc.tuple(cellOf(3), vectors(2)), async ([{ numbers, params }, [x = 0, h = 0]]) => {
        const found = gruCell(1, 1).apply(params, { x: f64([x], [1, 1]), state: f64([h], [1, 1]) })
        const { input, hidden } = partsOf(numbers, 3, x, h)
        const r = sigmoid(at(input, 0) + at(hidden, 0))
        const z = sigmoid(at(input, 1) + at(hidden, 1))
        const n = Math.tanh(at(input, 2) + r * at(hidden, 2))
        return agree(1e-12, await read(found), [(1 - z) * n + z * h])
      }),
  },
]
