/** The geometry of convolutions and their adjoints: the table of the decision page, and its row in chapter 2. */
import fc from 'fast-check'
import { vjp } from '../../src/autograd/grad.ts'
import { makeNode } from '../../src/graph/node.ts'
import type { ConvAttrs, Node, NodeOf } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { tensor } from '../../src/tensor/create.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { agree, at, dot, forAll, holds, read, sum, together, upTo, type Equation, type Outcome } from './equation.ts'

/** A convolution along one axis, which the second axis repeats: lengths n, k; stride s; dilations a, b; paddings. */
interface Geometry {
  readonly n: number
  readonly k: number
  readonly s: number
  readonly a: number
  readonly b: number
  readonly low: number
  readonly high: number
}

const hat = (length: number, dilation: number): number => (length - 1) * dilation + 1

const outputLength = ({ n, k, s, a, b, low, high }: Geometry): number =>
  Math.floor((hat(n, a) + low + high - hat(k, b)) / s) + 1

const geometries: fc.Arbitrary<Geometry> = fc
  .record({
    n: fc.integer({ min: 1, max: 5 }),
    k: fc.integer({ min: 1, max: 3 }),
    s: fc.integer({ min: 1, max: 3 }),
    a: fc.integer({ min: 1, max: 3 }),
    b: fc.integer({ min: 1, max: 2 }),
    low: fc.integer({ min: -1, max: 2 }),
    high: fc.integer({ min: -1, max: 2 }),
  })
  .filter(
    (g) => outputLength(g) >= 1 && hat(g.n, g.a) + g.low + g.high >= hat(g.k, g.b) && g.low > -g.n && g.high > -g.n,
  )

/** Batch 2, three input and two output channels; the second spatial axis has the geometry of the first. */
const [batch, inputs, outputs] = [2, 3, 2]

const numbers = (length: number, seed: number): readonly number[] =>
  upTo(length).map((i) => Math.sin(1 + i * 1.7 + seed * 0.61) * 2)

/** For each (output place, filter place) of one axis, the input place it meets, or −1. */
const meets = (g: Geometry, j: number, u: number): number => {
  const place = j * g.s + u * g.b - g.low
  if (place < 0 || place >= hat(g.n, g.a) || place % g.a !== 0) return -1
  return place / g.a
}

/** Everything that a convolution adds up: x[xi]·w[wi] goes to y[yi]. */
const terms = (g: Geometry): readonly (readonly [xi: number, wi: number, yi: number])[] => {
  const m = outputLength(g)
  return upTo(batch).flatMap((e) =>
    upTo(m * m).flatMap((p) =>
      upTo(g.k * g.k).flatMap((q) => {
        const [i, j, u, v] = [Math.floor(p / m), p % m, Math.floor(q / g.k), q % g.k]
        const [row, column] = [meets(g, i, u), meets(g, j, v)]
        if (row < 0 || column < 0) return []
        return upTo(inputs * outputs).map((co) => {
          const [c, o] = [Math.floor(co / outputs), co % outputs]
          const xi = ((e * g.n + row) * g.n + column) * inputs + c
          return [xi, (q * inputs + c) * outputs + o, (e * m * m + p) * outputs + o] as const
        })
      }),
    ),
  )
}

const attrsOf = (g: Geometry): ConvAttrs => ({
  stride: [g.s, g.s],
  padLow: [g.low, g.low],
  padHigh: [g.high, g.high],
  inputDilation: [g.a, g.a],
  filterDilation: [g.b, g.b],
  groups: 1,
  dtype: 'f64',
})

interface Case {
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly cotangent: readonly number[]
  readonly y: Tensor
  readonly dx: Tensor
  readonly dw: Tensor
}

const caseOf = (g: Geometry): Case => {
  const m = outputLength(g)
  const x = numbers(batch * g.n * g.n * inputs, 1)
  const w = numbers(g.k * g.k * inputs * outputs, 2)
  const cotangent = numbers(batch * m * m * outputs, 3)
  const f64 = (values: readonly number[], shape: readonly number[]): Tensor =>
    tensor([...values], { dtype: 'f64' }).reshape(shape)
  const conv = (p: Tensor, q: Tensor): Tensor => new Tensor(makeNode('conv', attrsOf(g), [p.node, q.node]))
  const traced = vjp(conv, f64(x, [batch, g.n, g.n, inputs]), f64(w, [g.k, g.k, inputs, outputs]))
  const [dx, dw] = traced.pullback(f64(cotangent, [batch, m, m, outputs]))
  return { x, w, cotangent, y: traced.value, dx, dw }
}

/** Σ over the terms, collected by the element that `to` names. */
const collected = (
  g: Geometry,
  size: number,
  term: (t: readonly [number, number, number]) => readonly [to: number, amount: number],
): readonly number[] => {
  const out = new Float64Array(size)
  for (const t of terms(g)) {
    const [to, amount] = term(t)
    out[to] = (out[to] ?? NaN) + amount
  }
  return Array.from(out)
}

const isConv = (node: Node): node is NodeOf<'conv'> => node.op === 'conv'

/** The convolution that a tensor's graph ends in, younger than all others in it. */
const lastConv = (x: Tensor): ConvAttrs => {
  const found = reachable([x.node]).findLast(isConv)
  if (found === undefined) throw new Error('no convolution in the graph')
  return found.attrs
}

const sameGeometry = (attrs: ConvAttrs, expected: Omit<Geometry, 'n' | 'k'>): Outcome =>
  agree(
    0,
    [attrs.stride, attrs.inputDilation, attrs.filterDilation, attrs.padLow, attrs.padHigh].flat(),
    [expected.s, expected.a, expected.b, expected.low, expected.high].flatMap((v) => [v, v]),
  )

const convSource = 'own derivation'

/** The row of the table of derivatives. */
export const convolution: Equation = {
  number: '2.28',
  statement: '`conv`; the convolution of x with w; ∂⟨y, g⟩/∂x as in (D.2); ∂⟨y, g⟩/∂w as in (D.3)',
  source: convSource,
  by: '⟨y, g⟩ = ⟨x, its cotangent⟩ = ⟨w, its cotangent⟩, as y is linear in each, for random geometries',
  check: () =>
    forAll(
      geometries,
      async (g) => {
        const c = caseOf(g)
        const [y, dx, dw] = await Promise.all([c.y, c.dx, c.dw].map(read))
        const whole = dot(y ?? [], c.cotangent)
        return agree(1e-12, [dot(c.x, dx ?? []), dot(c.w, dw ?? [])], [whole, whole])
      },
      30,
    ),
}

/** The entries of the decision page. */
export const adjoints: readonly Equation[] = [
  {
    number: 'D.1',
    statement: 'forward; x with w; s; a; b; p, p′',
    source: convSource,
    by: 'the primitive `conv` against a list of all products x·w that meet, for random geometries',
    check: () =>
      forAll(
        geometries,
        async (g) => {
          const c = caseOf(g)
          const expected = collected(g, c.cotangent.length, ([xi, wi, yi]) => [yi, at(c.x, xi) * at(c.w, wi)])
          return together([
            agree(1e-12, await read(c.y), expected),
            sameGeometry(attrsOf(g), g),
            holds(sum(expected.map(Number.isFinite).map(Number)) === expected.length, 'all finite'),
          ])
        },
        30,
      ),
  },
  {
    number: 'D.2',
    statement: 'cotangent of x; g with w reversed, channels exchanged; a; s; b; k̂ − 1 − p, n̂ − m̂ + p',
    source: convSource,
    by: 'the geometry of the convolution in the graph of the cotangent, and its values against the list of products',
    check: () =>
      forAll(
        geometries,
        async (g) => {
          const c = caseOf(g)
          const [n, k, m] = [hat(g.n, g.a), hat(g.k, g.b), hat(outputLength(g), g.s)]
          const expected = collected(g, c.x.length, ([xi, wi, yi]) => [xi, at(c.cotangent, yi) * at(c.w, wi)])
          return together([
            sameGeometry(lastConv(c.dx), { s: g.a, a: g.s, b: g.b, low: k - 1 - g.low, high: n - m + g.low }),
            agree(1e-12, await read(c.dx), expected),
          ])
        },
        30,
      ),
  },
  {
    number: 'D.3',
    statement: 'cotangent of w; xᵀ with gᵀ (batch and channels exchanged); b; a; s; p, m̂ − n̂ + k̂ − 1 − p',
    source: convSource,
    by: 'the geometry of the convolution in the graph of the cotangent, and its values against the list of products',
    check: () =>
      forAll(
        geometries,
        async (g) => {
          const c = caseOf(g)
          const [n, k, m] = [hat(g.n, g.a), hat(g.k, g.b), hat(outputLength(g), g.s)]
          const expected = collected(g, c.w.length, ([xi, wi, yi]) => [wi, at(c.cotangent, yi) * at(c.x, xi)])
          return together([
            sameGeometry(lastConv(c.dw), { s: g.b, a: g.a, b: g.s, low: g.low, high: m - n + k - 1 - g.low }),
            agree(1e-12, await read(c.dw), expected),
          ])
        },
        30,
      ),
  },
  {
    number: 'D.4',
    statement: 'n̂ = (n − 1)a + 1, k̂ = (k − 1)b + 1, m̂ = (m − 1)s + 1',
    source: convSource,
    by: "the shapes of both cotangents' convolutions: with these lengths they have the shapes of x and of w",
    check: () =>
      forAll(
        geometries,
        (g) => {
          const c = caseOf(g)
          const [n, k, m] = [hat(g.n, g.a), hat(g.k, g.b), hat(outputLength(g), g.s)]
          // Output length of a convolution from dilated input, paddings, dilated filter and stride.
          const length = (input: number, low: number, high: number, filter: number, stride: number): number =>
            Math.floor((input + low + high - filter) / stride) + 1
          return together([
            agree(0, c.dx.shape, [batch, g.n, g.n, inputs]),
            agree(0, c.dw.shape, [g.k, g.k, inputs, outputs]),
            agree(
              0,
              [length(m, k - 1 - g.low, n - m + g.low, k, g.a), length(n, g.low, m - n + k - 1 - g.low, m, g.b)],
              [g.n, g.k],
            ),
          ])
        },
        30,
      ),
  },
]
