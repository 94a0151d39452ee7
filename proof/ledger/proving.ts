/** Equations of chapters 8 and 9: what the checks of gradients rest on, and second derivatives. */
import fc from 'fast-check'
import { grad, hvp, jvp, vjp } from '../../src/autograd/grad.ts'
import { hessian, jacobian } from '../../src/autograd/jacobian.ts'
import { gather } from '../../src/tensor/combine.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { checkpoint } from '../../src/tensor/annotate.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { boundOfCheckGrad, fivePoints, twoPoints } from './autodiff.ts'
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

const f64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor([...values], { dtype: 'f64' }).reshape(shape)

/** Three numbers to two, in tensors and in plain numbers. */
const curved = (y: Tensor): Tensor => y.slice([0, 2]).mul(y.slice([1, 3]).sin())
const plainCurved = (y: readonly number[]): readonly number[] => [0, 1].map((i) => at(y, i) * Math.sin(at(y, i + 1)))

/** Its Jacobian, row by row. */
const jacobianOfCurved = (y: readonly number[]): readonly (readonly number[])[] =>
  [0, 1].map((i) =>
    upTo(3).map((j) => (j === i ? Math.sin(at(y, i + 1)) : j === i + 1 ? at(y, i) * Math.cos(at(y, i + 1)) : 0)),
  )

/** A scalar function of three numbers, and its gradient in plain numbers: f = Σ sin(xᵢ)·xᵢ₊₁², cyclic. */
const next = (x: Tensor): Tensor => gather(x, tensor(Int32Array.of(1, 2, 0)))
const wave = (x: Tensor): Tensor => x.sin().mul(next(x).square()).sum()
const waveGradient = (x: readonly number[]): readonly number[] =>
  upTo(3).map((i) => {
    const [before, after] = [at(x, (i + 2) % 3), at(x, (i + 1) % 3)]
    return Math.cos(at(x, i)) * after ** 2 + 2 * Math.sin(before) * at(x, i)
  })
const waveHessian = (x: readonly number[]): readonly (readonly number[])[] =>
  upTo(3).map((i) =>
    upTo(3).map((j) => {
      const [before, own, after] = [at(x, (i + 2) % 3), at(x, i), at(x, (i + 1) % 3)]
      if (i === j) return -Math.sin(own) * after ** 2 + 2 * Math.sin(before)
      return j === (i + 1) % 3 ? 2 * Math.cos(own) * after : 2 * Math.cos(before) * own
    }),
  )

const times = (a: readonly (readonly number[])[], v: readonly number[]): readonly number[] =>
  a.map((row) => dot(row, v))

/** f along v at x by each of the three transforms. */
type Along = (f: (x: Tensor) => Tensor, x: Tensor, v: Tensor) => Tensor

const letters: readonly Along[] = [
  (f, x, v) => grad(f)(x).mul(v).sum(),
  (f, x, v) => jvp(f, [x], [v]).tangent,
  (f, x, v) => vjp(f, x).pullback(scalar(1, 'f64'))[0].mul(v).sum(),
]

const images = f64(
  upTo(18).map((i) => Math.sin(i)),
  [3, 3, 2, 1],
)

/** Linear maps of 16 numbers. */
const linearMaps: readonly ((x: Tensor) => Tensor)[] = [
  (x) => conv2d(x.reshape([1, 4, 2, 2]), images, { padding: 1 }),
  (x) => gather(x.reshape([4, 4]), tensor(Int32Array.of(3, 0, 3))),
  (x) => x.pad([2], [1], [1]),
  (x) => x.reshape([4, 4]).matmul(f64(upTo(8), [4, 2])),
  (x) => x.reshape([4, 4]).slice([1, 4, 2]).transpose([1, 0]),
]

const proofs: readonly Equation[] = [
  {
    number: '8.1',
    statement: '(f(x + h) − f(x − h)) / 2h = f′(x) + h²·f‴(x)/6 + O(h⁴)',
    source: 'Taylor',
    ...twoPoints,
  },
  {
    number: '8.2',
    statement: '(f(x − 2h) − 8f(x − h) + 8f(x + h) − f(x + 2h)) / 12h = f′(x) − h⁴·f⁽⁵⁾(x)/30 + O(h⁶)',
    source: 'Abramowitz & Stegun, table 25.2',
    ...fivePoints,
  },
  {
    number: '8.3',
    statement: '|analytic − numeric| ≤ 10⁻⁹ + 10⁻⁷·|numeric|',
    source: 'definition',
    ...boundOfCheckGrad,
  },
  {
    number: '8.4',
    statement: '⟨g, A·v⟩ = ⟨Aᵀ·g, v⟩',
    source: 'definition of the adjoint',
    by: 'a convolution, a gather, a pad, a product and a strided slice with random g and v',
    check: () =>
      forAll(fc.tuple(vectors(16), vectors(64)), async ([v, numbers]) => {
        const outcomes = linearMaps.map(async (map) => {
          const { value, pullback } = vjp(map, f64(v))
          const g = numbers.slice(0, value.size)
          const [back] = pullback(f64(g, value.shape))
          return agree(1e-13, [dot(v, await read(back))], [dot(g, await read(value))])
        })
        return together(await Promise.all(outcomes))
      }),
  },
  {
    number: '8.5',
    statement: '⟨g, J·v⟩ = ⟨Jᵀ·g, v⟩',
    source: 'chain rule',
    by: "`jvp` and `vjp` of the page's function against its Jacobian written out",
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(3), vectors(2)), async ([x, v, g]) => {
        const forward = await read(jvp(curved, [f64(x)], [f64(v)]).tangent)
        const [back] = vjp(curved, f64(x)).pullback(f64(g))
        const expected = dot(g, times(jacobianOfCurved(x), v))
        return agree(1e-13, [dot(g, forward), dot(await read(back), v)], [expected, expected])
      }),
  },
  {
    number: '8.6',
    statement: '⟨∇f(x), v⟩ = J·v = ⟨Jᵀ·1, v⟩',
    source: 'definitions',
    by: '`grad`, `jvp` and `vjp` of Σ sin(xᵢ)·xᵢ₊₁² against its gradient written out',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(3)), async ([x, v]) => {
        const found = await Promise.all(letters.map(async (along) => read(along(wave, f64(x), f64(v)))))
        const expected = dot(waveGradient(x), v)
        return agree(
          1e-13,
          found.flat(),
          letters.map(() => expected),
        )
      }),
  },
  {
    number: '8.7',
    statement: '∂²f/∂u∂v = ∂²f/∂v∂u',
    source: 'Schwarz',
    by: 'all nine words of two transforms, along u then v and v then u, against uᵀHv written out',
    check: () =>
      forAll(
        fc.tuple(vectors(3), vectors(3), vectors(3)),
        async ([x, u, v]) => {
          const words = letters.flatMap((outer) =>
            letters.flatMap((inner) =>
              [
                [u, v],
                [v, u],
              ].map(async ([a = [], b = []]) => read(outer((z) => inner(wave, z, f64(a)), f64(x), f64(b)))),
            ),
          )
          const expected = dot(u, times(waveHessian(x), v))
          return agree(
            1e-12,
            (await Promise.all(words)).flat(),
            words.map(() => expected),
          )
        },
        5,
      ),
  },
]

/** A positive quadratic form of two numbers, from its eigenvalues and the angle of its first eigenvector. */
const formOf = (first: number, second: number, angle: number): readonly (readonly number[])[] => {
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  const mixed = (first - second) * c * s
  return [
    [first * c * c + second * s * s, mixed],
    [mixed, first * s * s + second * c * c],
  ]
}

const bowl =
  (matrix: readonly (readonly number[])[], lowest: readonly number[]) =>
  (x: Tensor): Tensor => {
    const d = x.sub(f64(lowest)).reshape([2, 1])
    return d
      .transpose([1, 0])
      .matmul(f64(matrix.flat(), [2, 2]))
      .matmul(d)
      .sum()
      .mul(0.5)
  }

const secondOrder: readonly Equation[] = [
  {
    number: '9.1',
    statement: 'eᵢᵀJ = row i, J·eⱼ = column j',
    source: 'definition',
    by: '`jacobian` by rows and by columns, pullbacks and pushforwards of unit vectors, against J written out',
    check: () =>
      forAll(vectors(3), async (x) => {
        const expected = jacobianOfCurved(x)
        const rows = await Promise.all(
          [0, 1].map(async (i) => read(vjp(curved, f64(x)).pullback(f64([0, 1].map((k) => Number(k === i))))[0])),
        )
        const columns = await Promise.all(
          upTo(3).map(async (j) => read(jvp(curved, [f64(x)], [f64(upTo(3).map((k) => Number(k === j)))]).tangent)),
        )
        // Three results of three: rows. Six of three, the same twice: columns.
        const twice = (z: Tensor): Tensor => f64([1, 1], [2, 1]).mul(curved(z)).reshape([4])
        return together([
          agree(1e-14, await read(jacobian(curved)(f64(x))), expected.flat()),
          agree(1e-14, await read(jacobian(twice)(f64(x))), [...expected, ...expected].flat()),
          agree(1e-14, rows.flat(), expected.flat()),
          agree(
            1e-14,
            columns.flat(),
            upTo(3).flatMap((j) => expected.map((row) => at(row, j))),
          ),
          agree(
            1e-8,
            expected.flat(),
            [0, 1].flatMap((i) =>
              upTo(3).map((j) => slope((z) => at(plainCurved(x.map((w, k) => (k === j ? z : w))), i), at(x, j))),
            ),
          ),
        ])
      }),
  },
  {
    number: '9.2',
    statement: '∂yᵢ/∂xⱼ = yᵢ·(δᵢⱼ − yⱼ) for y = softmax(x), so that Jᵀg = y ⊙ (g − ⟨g, y⟩)',
    source: 'own derivation',
    by: '`jacobian` and pullback of `softmax` of four numbers, with y from exponentials in plain numbers',
    check: () =>
      forAll(fc.tuple(vectors(4), vectors(4)), async ([x, g]) => {
        const all = sum(x.map(Math.exp))
        const y = x.map((v) => Math.exp(v) / all)
        const j = await read(jacobian((z: Tensor) => softmax(z))(f64(x)))
        const [back] = vjp((z: Tensor) => softmax(z), f64(x)).pullback(f64(g))
        return together([
          agree(
            1e-15,
            j,
            y.flatMap((p, i) => y.map((q, k) => p * (Number(i === k) - q))),
          ),
          agree(
            1e-14,
            await read(back),
            y.map((p, i) => p * (at(g, i) - dot(g, y))),
          ),
        ])
      }),
  },
  {
    number: '9.3',
    statement: 'H·v = d/dt ∇f(x + t·v) at t = 0',
    source: 'Pearlmutter 1994, eq. 1',
    by: '`hvp` and `hessian` of Σ sin(xᵢ)·xᵢ₊₁² against H written out, and against differences of the gradient along v',
    check: () =>
      forAll(fc.tuple(vectors(3), vectors(3)), async ([x, v]) => {
        const product = await read(hvp(wave, f64(x), f64(v)))
        const along = (i: number): number => slope((t) => at(waveGradient(x.map((w, k) => w + t * at(v, k))), i), 0)
        return together([
          agree(1e-13, product, times(waveHessian(x), v)),
          agree(1e-13, await read(hessian(wave)(f64(x))), waveHessian(x).flat()),
          agree(1e-8, product, upTo(3).map(along)),
        ])
      }),
  },
  {
    number: '9.4',
    statement: 'xₖ₊₁ − x* = (1 − η·λ)(xₖ − x*), which shrinks if and only if 0 < η < 2/λ',
    source: 'Nesterov 2004, section 1.2',
    by: 'steps of `grad` along eigenvectors of random forms, with rates below 0, inside, at and above the bound',
    check: () =>
      forAll(fc.tuple(real(0.5, 5), real(0.5, 5), real(0, 3), vectors(2)), async ([lambda, other, angle, lowest]) => {
        const f = bowl(formOf(lambda, other, angle), lowest)
        const direction = [Math.cos(angle), Math.sin(angle)]
        const start = lowest.map((v, i) => v + at(direction, i))
        const rates = [-0.1, 0.1, 1, 1.9, 2.1].map((share) => share / lambda)
        const outcomes = rates.map(async (eta) => {
          const x = await read(f64(start).sub(grad(f)(f64(start)).mul(eta)))
          const left = x.map((v, i) => v - at(lowest, i))
          const shrinks = Math.hypot(...left) < 1 - 1e-9
          return together([
            agree(
              1e-13,
              left,
              direction.map((v) => (1 - eta * lambda) * v),
            ),
            holds(shrinks === (eta > 0 && eta < 2 / lambda), `a rate of ${eta} for a curvature of ${lambda}`),
          ])
        })
        return together(await Promise.all(outcomes))
      }),
  },
  {
    number: '9.5',
    statement: 'x ← x − H⁻¹·∇f(x)',
    source: 'Nocedal & Wright 2006, eq. 2.15',
    by: 'one step with `hessian` and `grad` from anywhere ends at the minimum of a random quadratic form',
    check: () =>
      forAll(
        fc.tuple(real(0.5, 5), real(0.5, 5), real(0, 3), vectors(2), vectors(2)),
        async ([l, m, angle, lowest, x]) => {
          const f = bowl(formOf(l, m, angle), lowest)
          const [a = NaN, b = NaN, c = NaN, d = NaN] = await read(hessian(f)(f64(x)))
          const [g = NaN, h = NaN] = await read(grad(f)(f64(x)))
          const determinant = a * d - b * c
          const after = [at(x, 0) - (d * g - b * h) / determinant, at(x, 1) - (a * h - c * g) / determinant]
          return agree(1e-12, after, lowest)
        },
      ),
  },
]

/** The arena of a gradient through n layers tanh(x·w), in values of a layer. */
const valuesKept = (n: number, blocks: number): number => {
  const width = 64
  const block = (x: Tensor, w: Tensor): Tensor => upTo(n / blocks).reduce<Tensor>((y) => y.matmul(w).tanh(), x)
  const wrapped = blocks === 1 ? block : checkpoint(block)
  const through = (x: Tensor, w: Tensor): Tensor =>
    upTo(blocks)
      .reduce<Tensor>((y) => wrapped(y, w), x)
      .sum()
  const square = tensor(new Float32Array(width * width), { shape: [width, width] })
  return device.compile(grad(through)).plan(square, square).arenaBytes / (4 * width * width)
}

const memory: Equation = {
  number: '9.6',
  statement: 'n layers in √n checkpointed blocks of √n keep 2√n values instead of n',
  source: 'Chen et al. 2016, section 4',
  by: 'the arenas of plans for n of 16, 36, 64 and 100 layers tanh(x·w), to within three values',
  check: () =>
    together(
      [4, 6, 8, 10].map((root) => {
        const [plain, cheap] = [valuesKept(root * root, 1), valuesKept(root * root, root)]
        return together([
          holds(Math.abs(plain - root * root) <= 3, `${root * root} layers keep ${plain} values`),
          holds(Math.abs(cheap - 2 * root) <= 3, `${root * root} layers in blocks keep ${cheap} values`),
        ])
      }),
    ),
}

/** The entries. */
export const proving: readonly Equation[] = [...proofs, ...secondOrder, memory]
