/** The grad family: products with Jacobians, derivatives of derivatives in every order, trees, and what must be refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkGrad, grad, hvp, jvp, valueAndGrad, vjp } from '../../src/autograd/index.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { constant, scalar, tensor } from '../../src/tensor/create.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import { makeNode } from '../../src/graph/node.ts'
import { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, cpuForms } from '../support/device.ts'
import { duality } from '../../proof/fuzz/checks.ts'
import { inputsOf, outputsOf, programs } from '../../proof/fuzz/program.ts'

const f64 = (values: number | readonly number[] | readonly (readonly number[])[]): Tensor =>
  tensor(values, { dtype: 'f64' })
const device = cpuDevice()
/** x · y, summed up in another dtype. */
const dotGeneral = (x: Tensor, y: Tensor, dtype: 'f16' | 'f32' | 'f64'): Tensor =>
  new Tensor(makeNode('dotGeneral', { contract: [[0], [0]], batch: [[], []], dtype }, [x.node, y.node]))
const read = async (x: Tensor): Promise<readonly number[]> => [...(await device.read(x))]
const number = async (x: Tensor): Promise<number> => (await read(x))[0] ?? NaN

describe.each(cpuForms)('grad on cpu, %s', (_, open) => {
  const own = open()

  it('differentiates with respect to the first argument, leaf by leaf of a tree', async () => {
    const params = {
      layers: [
        {
          w: f64([
            [1, 2],
            [3, 4],
          ]),
        },
        {
          w: f64([
            [0.5, -1],
            [2, 1],
          ]),
        },
      ],
      scale: f64(3),
    }
    const x = f64([[1, -1]])
    const loss = (p: typeof params, input: Tensor): Tensor =>
      p.layers
        .reduce((h, { w }) => h.matmul(w).tanh(), input)
        .sum()
        .mul(p.scale)
    await checkGrad(own, loss, [params, x])
    const [value, gradient] = valueAndGrad(loss)(params, x)
    expect(gradient.layers.map((l) => l.w.shape)).toEqual([
      [2, 2],
      [2, 2],
    ])
    expect([...(await own.read(gradient.scale))][0]).toBeCloseTo(((await own.read(value))[0] ?? NaN) / 3, 12)
  })

  it('adds the gradients of a value that is used several times', async () => {
    const g = grad((x: Tensor) => x.mul(x).add(x).sum())(f64([1, 2, -3]))
    expect([...(await own.read(g))]).toEqual([3, 5, -5])
  })

  it('gives zeros of the right shape where the function does not use a leaf', async () => {
    const g = grad((p: { readonly used: Tensor; readonly unused: Tensor }) => p.used.sum())({
      used: f64([1]),
      unused: f64([[1, 2]]),
    })
    expect([...(await own.read(g.unused))]).toEqual([0, 0])
    expect(g.unused.shape).toEqual([1, 2])
  })
})

describe('derivatives of derivatives', () => {
  it('x⁵ has the derivatives 5x⁴, 20x³, 60x², 120x, 120, 0', async () => {
    const orders = [(x: Tensor): Tensor => x.pow(5)]
    for (let i = 0; i < 6; i++) orders.push(grad(orders.at(-1) ?? ((x: Tensor) => x)))
    const found = await Promise.all(orders.map(async (f) => number(f(f64(2)))))
    expect(found).toEqual([32, 80, 160, 240, 240, 120, 0])
  })

  it('forward over reverse, reverse over forward, reverse over reverse and forward over forward agree', async () => {
    const f = (x: Tensor): Tensor => x.sin().mul(x.exp()).sum()
    const x = f64([0.3, -0.7])
    const v = f64([1.2, 0.4])
    const along = (g: Tensor): Tensor => g.mul(constant([1.2, 0.4], { dtype: 'f64' })).sum()
    const ways = [
      jvp(grad(f), [x], [v]).tangent,
      grad((y: Tensor) => jvp(f, [y], [v]).tangent)(x),
      grad((y: Tensor) => along(grad(f)(y)))(x),
      hvp(f, x, v),
    ]
    const expected = [0.3, -0.7].map((t, i) => 2 * Math.exp(t) * Math.cos(t) * ([1.2, 0.4][i] ?? 0))
    for (const way of ways) (await read(way)).forEach((e, i) => expect(e).toBeCloseTo(expected[i] ?? NaN, 12))
    const quadratic = jvp((y: Tensor) => jvp(f, [y], [v]).tangent, [x], [v]).tangent
    const curvature = (await read(ways[0] ?? x)).reduce((sum, e, i) => sum + e * ([1.2, 0.4][i] ?? 0), 0)
    expect(await number(quadratic)).toBeCloseTo(curvature, 12)
  })

  it('does not confuse perturbations: d/dx [x · d/dy (x + y)] = 1', async () => {
    const d = grad((x: Tensor) => x.mul(grad((y: Tensor) => x.add(y))(f64(1))))(f64(1))
    expect(await number(d)).toBe(1)
    const e = jvp(
      (x: Tensor) => x.mul(jvp((y: Tensor) => x.mul(y), [f64(2)], [f64(1)]).tangent),
      [f64(3)],
      [f64(1)],
    ).tangent
    expect(await number(e)).toBe(6)
  })

  it('differentiates with respect to the same value under two names', async () => {
    const x = f64(3)
    expect(await number(grad((y: Tensor) => y.mul(x))(x))).toBe(3)
    expect(
      await Promise.all(
        vjp((a: Tensor, b: Tensor) => a.mul(a).mul(b), x, x)
          .pullback(f64(1))
          .map(number),
      ),
    ).toEqual([18, 9])
  })
})

describe('jvp and vjp', () => {
  it('⟨ct, J·v⟩ = ⟨Jᵀ·ct, v⟩ for random programs in f64', async () => {
    await fc.assert(
      fc.asyncProperty(programs(8, 20, ['double']), async (program) => {
        expect(await duality.run((...xs) => outputsOf(program, xs), inputsOf(program))).toBeUndefined()
      }),
      { seed: 5, numRuns: 150 },
    )
  }, 30_000)

  it('the tangent agrees with a difference quotient', async () => {
    const f = (x: Tensor): Tensor => concatenate([softmax(x), x.max(1, true).mul(x)], 1)
    const [x, v] = [[[0.1, 0.9, -0.3]], [[1, -1, 2]]]
    const { tangent } = jvp(f, [f64(x)], [f64(v)])
    const at = async (t: number): Promise<readonly number[]> => read(f(f64(x).add(f64(v).mul(t))))
    const [plus, minus] = [await at(1e-5), await at(-1e-5)]
    ;(await read(tangent)).forEach((e, i) => expect(e).toBeCloseTo(((plus[i] ?? 0) - (minus[i] ?? 0)) / 2e-5, 8))
  })

  it('carries trees on both sides', async () => {
    const f = (p: { readonly a: Tensor; readonly b: Tensor }): { readonly sum: Tensor; readonly product: Tensor } => ({
      sum: p.a.add(p.b),
      product: p.a.mul(p.b),
    })
    const { value, tangent } = jvp(f, [{ a: f64(2), b: f64(5) }], [{ a: f64(1), b: f64(0) }])
    expect([await number(value.product), await number(tangent.sum), await number(tangent.product)]).toEqual([10, 1, 5])
  })
})

describe('integers and kinks', () => {
  it('integer arguments of vjp have zero cotangents, integer results need none', async () => {
    const index = tensor(Int32Array.from([1, 0, 1]))
    const f = (x: Tensor, i: Tensor): readonly [Tensor, Tensor] => [x.mul(i.cast('f64')), i.add(1)]
    const { value, pullback } = vjp(f, f64([1, 2, 3]), index)
    const [dx, di] = pullback([f64([1, 1, 1]), value[1]])
    expect(await read(dx)).toEqual([1, 0, 1])
    expect([di.dtype, ...(await read(di))]).toEqual(['i32', 0, 0, 0])
  })

  it('equal elements share the gradient of a maximum', async () => {
    expect(await read(grad((x: Tensor) => x.max())(f64([1, 3, 3])))).toEqual([0, 0.5, 0.5])
    expect(await read(grad((x: Tensor) => x.maximum(3).sum())(f64([1, 3, 4])))).toEqual([0, 0.5, 1])
  })

  it('the remainder of negative numbers is differentiated as it is computed: quotients are cut towards zero', async () => {
    const [x, y] = [f64([7, -7, 7, -7, 0.5]), f64([2, 2, -2, -2, -3])]
    await checkGrad(device, (a: Tensor, b: Tensor) => a.rem(b), [x, y])
    const [, dy] = vjp((a: Tensor, b: Tensor) => a.rem(b), x, y).pullback(f64([1, 1, 1, 1, 1]))
    expect((await read(dy)).map((g) => g + 0)).toEqual([-3, 3, 3, -3, 0])
  })

  it('a gradient has the dtype of its argument, through casts and through sums in another dtype', async () => {
    for (const dtype of ['f16', 'f32', 'f64'] as const)
      for (const to of ['f16', 'f32', 'f64'] as const) {
        const x = tensor([1, 2], { dtype })
        const ways = [
          (y: Tensor): Tensor => y.cast(to).mul(3).sum(),
          (y: Tensor): Tensor => new Tensor(makeNode('reduceSum', { axes: [0], dtype: to }, [y.node])).mul(3),
          (y: Tensor): Tensor => dotGeneral(y, y.stopGradient(), to),
        ]
        for (const [i, f] of ways.entries()) {
          const g = grad(f)(x)
          expect([g.dtype, ...(await read(g))]).toEqual([dtype, ...(i === 2 ? [1, 2] : [3, 3])])
        }
      }
  })

  it('|x| has gradient 0 at 0', async () => {
    expect(await read(grad((x: Tensor) => x.abs().sum())(f64([-2, 0, 2])))).toEqual([-1, 0, 1])
  })
})

describe('what grad refuses, and what it says', () => {
  it('a function that does not return a scalar', () => {
    expect(() => grad((x: Tensor) => x.mul(2))(f64([1, 2]))).toThrow(
      'grad: the function must return a scalar, it returned [2]; take a sum or a mean, or use vjp',
    )
  })

  it('an integer result', () => {
    expect(() => grad((x: Tensor) => x.cast('i32').sum())(f64([1, 2]))).toThrow(
      'grad: the function must return a float, it returned i32',
    )
  })

  it('an integer leaf of the first argument, by its path', () => {
    const params = { w: f64(1), steps: tensor(3, { dtype: 'i32' }) }
    expect(() => grad((p: typeof params) => p.w)(params)).toThrow(
      "grad: leaf 'steps' of the first argument is i32; only floats have gradients, pass it as another argument",
    )
  })

  it('a direction of another shape, of other leaves, or of another dtype', () => {
    const f = (p: { readonly w: Tensor }): Tensor => p.w.pow(3).sum()
    expect(() => hvp(f, { w: f64([1, 2]) }, { w: f64([1]) })).toThrow(
      "hvp: 'w' is [2] in the parameters and [1] in the direction",
    )
    expect(() => hvp(f, { w: f64([1, 2]) }, {} as never)).toThrow("hvp: 'w' is missing in the direction")
    expect(() => jvp(f, [{ w: f64([1, 2]) }], [{ w: f64([[1], [2]]) }])).toThrow(
      "jvp: '0.w' is [2] in the arguments and [2,1] in the tangents",
    )
    expect(() => jvp(f, [{ w: f64([1]) }], [{ w: f64([1]).cast('f32') }])).toThrow(
      "jvp: '0.w' is f64 in the arguments and f32 in the tangents; cast one of them",
    )
  })

  it('a cotangent of another shape', () => {
    expect(() => vjp((x: Tensor) => x, f64([1, 2])).pullback(f64([1, 2, 3]))).toThrow(
      'vjp: the tensor is [2] in the value and [3] in the cotangent',
    )
  })

  it('checkGrad reports the worst element of a wrong derivative with its path', async () => {
    const wrong = (p: { readonly w: Tensor }): Tensor =>
      p.w
        .square()
        .sum()
        .add(p.w.stopGradient().slice([1, 2]).sum())
    await expect(checkGrad(device, wrong, [{ w: f64([1, 2]) }])).rejects.toThrow(
      /checkGrad: element 1 of argument '0\.w' \[2\]: derivative 0\.58\d+, finite differences 0\.72\d+ \(1 elements differ\)/,
    )
    await expect(checkGrad(device, (x: Tensor) => x, [scalar(1)])).rejects.toThrow(
      "checkGrad: '0' is f32; finite differences need f64",
    )
  })
})
