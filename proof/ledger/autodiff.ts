/** Equations of chapter 2 besides its table: the chain rule, forward mode, second order; and the checks of finite differences, for chapter 8. */
import fc from 'fast-check'
import { checkGrad } from '../../src/autograd/check.ts'
import { grad, hvp, jvp, valueAndGrad, vjp } from '../../src/autograd/grad.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { customVjp } from '../../src/tensor/annotate.ts'
import { logSumExp } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import {
  agree,
  at,
  device,
  dot,
  forAll,
  holds,
  read,
  real,
  slope,
  sum,
  together,
  upTo,
  vectors,
  type Equation,
} from './equation.ts'

const f64 = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'f64' })

/** Row i, column j of a plain function's Jacobian, by finite differences. */
const jacobian = (
  f: (x: readonly number[]) => readonly number[],
  x: readonly number[],
): readonly (readonly number[])[] =>
  f(x).map((_, i) => x.map((v, j) => slope((z) => at(f(x.map((w, k) => (k === j ? z : w))), i), v)))

const product = (
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): readonly (readonly number[])[] =>
  a.map((row) => (b[0] ?? []).map((_, j) => sum(row.map((v, k) => v * at(b[k] ?? [], j)))))

/** f₁: three numbers to three, f₂: three to two; in tensors and in plain numbers. */
const inner = (x: Tensor): Tensor => x.sin().mul(x.reverse([0]))
const outer = (y: Tensor): Tensor =>
  y
    .exp()
    .slice([0, 2])
    .add(y.slice([1, 3]).square())
const plainInner = (x: readonly number[]): readonly number[] => x.map((v, i) => Math.sin(v) * at(x, 2 - i))
const plainOuter = (y: readonly number[]): readonly number[] =>
  [0, 1].map((i) => Math.exp(at(y, i)) + at(y, i + 1) ** 2)

/** What `checkGrad` takes for the numeric derivative of f at x: read from the message about a derivative that is NaN. */
const numericOf = async (f: (x: Tensor) => Tensor, x: number, step: number): Promise<number> => {
  const wrong = customVjp(f, (_, g: Tensor): [Tensor] => [g.mul(NaN)])
  // checkGrad weights the result with a fixed number, which the identity reveals.
  const weigh = async (h: (z: Tensor) => Tensor, derivative: (g: Tensor) => Tensor): Promise<number> => {
    const broken = customVjp(h, (_, g: Tensor): [Tensor] => [derivative(g)])
    try {
      await checkGrad(device, (z: Tensor) => broken(z), [f64([x])], { step })
    } catch (error) {
      return Number(/finite differences (\S+)/.exec(String(error))?.[1])
    }
    throw new Error('checkGrad let NaN pass')
  }
  const nan = (g: Tensor): Tensor => g.mul(NaN)
  return (await weigh(wrong, nan)) / (await weigh((z) => z.mul(1), nan))
}

/** The entries after the table. */
export const autodiff: readonly Equation[] = [
  {
    number: '2.32',
    statement: 'd/dx [x · d/dy (x + y)] = 1',
    source: 'Siskind & Pearlmutter 2005',
    by: '`grad` inside `grad`, at random x and y; a confused implementation gives 2',
    check: () =>
      forAll(fc.tuple(real(), real()), async ([x, y]) => {
        const nested = (z: Tensor): Tensor => z.mul(grad((w: Tensor) => z.add(w))(scalar(y, 'f64')))
        return agree(0, await read(grad(nested)(scalar(x, 'f64'))), [1])
      }),
  },
  {
    number: '2.33',
    statement: 'the VJP of g ↦ Jᵀg with cotangent v is (Jᵀ)ᵀv = Jv',
    source: 'J. Townsend 2017',
    by: '`jvp`, and the pullback of a pullback taken by hand, against J·v with J from finite differences',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(3), vectors(2)), async ([x, v, g]) => {
        const f = (z: Tensor): Tensor => outer(inner(z))
        const pullback = (c: Tensor): Tensor => vjp(f, f64(x)).pullback(c)[0]
        const [byHand] = vjp(pullback, f64(g)).pullback(f64(v)) // at any g
        const j = jacobian((z) => plainOuter(plainInner(z)), x)
        const expected = j.map((row) => dot(row, v))
        const { tangent } = jvp(f, [f64(x)], [f64(v)])
        return together([
          agree(1e-8, await read(tangent), expected),
          agree(1e-13, await read(byHand), await read(tangent)),
        ])
      }),
  },
  {
    number: '2.34',
    statement: '∂(r·cos θ)/∂r = cos θ, ∂(r·cos θ)/∂θ = −r·sin θ',
    source: 'calculus',
    by: '`jvp` along both axes and `vjp`, at random points',
    check: () =>
      forAll(vectors(2), async ([r = 0, angle = 0]) => {
        const polar = (p: Tensor): Tensor => p.slice([0, 1]).mul(p.slice([1, 2]).cos())
        const [p, expected] = [f64([r, angle]), [Math.cos(angle), -r * Math.sin(angle)]]
        const along = async (v: readonly number[]): Promise<number> =>
          at(await read(jvp(polar, [p], [f64(v)]).tangent), 0)
        return together([
          agree(1e-14, [await along([1, 0]), await along([0, 1])], expected),
          agree(1e-14, await read(vjp(polar, p).pullback(f64([1]))[0]), expected),
        ])
      }),
  },
  {
    number: '2.35',
    statement: '∇²f(x)·v = ½(A + Aᵀ)v for f(x) = ½xᵀAx',
    source: 'calculus',
    by: '`hvp` with random A, x and v, against the sums over indices',
    check: () =>
      forAll(fc.tuple(vectors(9), vectors(3), vectors(3)), async ([a, x, v]) => {
        const matrix = f64(a).reshape([3, 3])
        const form = (z: Tensor): Tensor =>
          z
            .reshape([1, 3])
            .matmul(matrix)
            .matmul(z.reshape([3, 1]))
            .sum()
            .mul(0.5)
        const expected = upTo(3).map((i) =>
          sum(upTo(3).map((j) => ((at(a, 3 * i + j) + at(a, 3 * j + i)) / 2) * at(v, j))),
        )
        return agree(1e-13, await read(hvp(form, f64(x), f64(v))), expected)
      }),
  },
  {
    number: '2.36',
    statement: 'log Σ exp(xᵢ − c) + c = log Σ exp(xᵢ) for every number c',
    source: 'own derivation',
    by: '`logSumExp` of shifted x, far outside the range of exp; its pullback, the maximum held constant, against softmax',
    check: () =>
      forAll(fc.tuple(vectors(4), vectors(1), real(-3000, 3000)), async ([x, [g = 0], c]) => {
        const whole = x.reduce((all, v) => all + Math.exp(v), 0)
        const { value, pullback } = vjp((z: Tensor) => logSumExp(z), f64(x).sub(c))
        return together([
          agree(1e-12, [at(await read(value), 0) + c], [Math.log(whole)]),
          agree(
            1e-12,
            await read(pullback(scalar(g, 'f64'))[0]),
            x.map((v) => (g * Math.exp(v)) / whole),
          ),
        ])
      }),
  },
]

/** The check of the quotient with two points; chapter 8 prints it too. */
export const twoPoints: Pick<Equation, 'by' | 'check'> = {
  by: "sin and exp of src in f64 at random x with h = 0.01; f′ and f‴ are src's first and third gradients",
  check: () =>
    forAll(real(), async (x) => {
      const h = 0.01
      const outcomes = [(z: Tensor) => z.sin(), (z: Tensor) => z.exp()].map(async (f) => {
        const point = scalar(x, 'f64')
        const quotient = f(point.add(h))
          .sub(f(point.sub(h)))
          .div(2 * h)
        const third = grad(grad(grad(f)))(point)
        const taylor = grad(f)(point).add(third.mul((h * h) / 6))
        return agree(1e-8, await read(quotient), await read(taylor)) // h⁴f⁽⁵⁾/120 < 10⁻⁹
      })
      return together(await Promise.all(outcomes))
    }),
}

/** The check of the quotient with five points. */
export const fivePoints: Pick<Equation, 'by' | 'check'> = {
  by: 'the numeric derivative that `checkGrad` reports for exp with h = 0.1, and for powers up to the sixth',
  check: async () => {
    const outcomes = await forAll(
      real(),
      async (x) => {
        const [numeric, h] = [await numericOf((z) => z.exp(), x, 0.1), 0.1]
        const stencil =
          (Math.exp(x - 2 * h) - 8 * Math.exp(x - h) + 8 * Math.exp(x + h) - Math.exp(x + 2 * h)) / (12 * h)
        return together([
          agree(1e-12, [numeric], [stencil]),
          agree(1e-7, [numeric], [Math.exp(x) * (1 - h ** 4 / 30)]), // what is left is h⁶f⁽⁷⁾/252
          holds(Math.abs(numeric - Math.exp(x)) > 3e-6 * Math.exp(x), 'the term in h⁴ is there'),
        ])
      },
      5,
    )
    const [x, h] = [0.7, 0.25]
    const fifth = await numericOf((z) => z.pow(5), x, h) // f⁽⁵⁾ = 120: the error is −4h⁴, exactly
    const fourth = await numericOf((z) => z.pow(4), x, h)
    return together([outcomes, agree(1e-12, [fourth, fifth], [4 * x ** 3, 5 * x ** 4 - 4 * h ** 4])])
  },
}

/** The check of the bound of `checkGrad`. */
export const boundOfCheckGrad: Pick<Equation, 'by' | 'check'> = {
  by: '`checkGrad` accepts derivatives that are off by 0.9 of the bound and refuses 1.1 of it, for small and large ones',
  check: async () => {
    const passes = async (size: number, share: number): Promise<boolean> => {
      const exact = (z: Tensor): Tensor => z.mul(size)
      const off = customVjp(exact, (_, g: Tensor): [Tensor] => {
        // The bound is on the weighted derivative g·size; g is a fixed number of about 1.
        const bound = g.mul(size).abs().mul(1e-7).add(1e-9).mul(share)
        return [g.mul(size).add(bound)]
      })
      try {
        await checkGrad(device, (z: Tensor) => off(z), [f64([0])])
        return true
      } catch {
        return false
      }
    }
    const facts = [1e-4, 1, 3000].map(async (size) =>
      together([
        holds(await passes(size, 0.9), `0.9 of the bound passes for ${size}`),
        holds(!(await passes(size, 1.1)), `1.1 of the bound is refused for ${size}`),
      ]),
    )
    return together(await Promise.all(facts))
  },
}

/** The entries before the table. */
export const chainRule: readonly Equation[] = [
  {
    number: '2.1',
    statement: 'loss = ½(r₁² + r₂²), ∂loss/∂wᵢ = rᵢ·xᵢ, ∂loss/∂bᵢ = rᵢ, rᵢ = wᵢ·xᵢ + bᵢ',
    source: 'calculus',
    by: "the page's loss and `valueAndGrad` of it, at random w, b and x",
    check: () =>
      forAll(fc.tuple(vectors(2), vectors(2), vectors(2)), async ([w, b, x]) => {
        const loss = (p: { readonly w: Tensor; readonly b: Tensor }, z: Tensor): Tensor =>
          z.mul(p.w).add(p.b).square().mean()
        const [value, gradient] = valueAndGrad(loss)({ w: f64(w), b: f64(b) }, f64(x))
        const r = w.map((v, i) => v * at(x, i) + at(b, i))
        return together([
          agree(1e-14, await read(value), [dot(r, r) / 2]),
          agree(
            1e-14,
            await read(gradient.w),
            r.map((v, i) => v * at(x, i)),
          ),
          agree(1e-14, await read(gradient.b), r),
        ])
      }),
  },
  {
    number: '2.2',
    statement: 'gᵀJ = (gᵀJ₂)J₁ for f = f₂ ∘ f₁',
    source: 'calculus',
    by: '`vjp` of a composition against the two pullbacks in turn, and against products of Jacobians by finite differences',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(2)), async ([x, g]) => {
        const whole = vjp((z: Tensor) => outer(inner(z)), f64(x)).pullback(f64(g))[0]
        const first = vjp(inner, f64(x))
        const second = vjp(outer, first.value)
        const inTurn = first.pullback(second.pullback(f64(g))[0])[0]
        const numeric = product(product([g], jacobian(plainOuter, plainInner(x))), jacobian(plainInner, x))
        return together([
          agree(1e-12, await read(whole), await read(inTurn)),
          agree(1e-8, await read(whole), numeric[0] ?? []),
        ])
      }),
  },
]
