/** Gradients by argument number, and what a function gives beside its loss. */
import { describe, expect, expectTypeOf, it } from 'vitest'
import { grad, valueAndGrad } from '../../src/autograd/index.ts'
import { checkpoint } from '../../src/tensor/annotate.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()
type Params = { readonly w: Tensor }
const loss = ({ w }: Params, x: Tensor, scale: number): Tensor => w.mul(x).mul(scale).sum()
const params: Params = { w: tensor([1, 2]) }
const x = tensor([3, 4])

describe('argument', () => {
  it('is the first one where none is named, and others by their number', async () => {
    const [value, first] = valueAndGrad(loss)(params, x, 10)
    expectTypeOf(first).toEqualTypeOf<Params>()
    expect([await values(value), await values(first.w)]).toEqual([[110], [30, 40]])
    const second = grad(loss, { argument: 1 })(params, x, 10)
    expectTypeOf(second).toEqualTypeOf<Tensor>()
    expect(await values(second)).toEqual([10, 20])
  })

  it('may be several, whose gradients come in their order', async () => {
    const gradients = grad(loss, { argument: [1, 0] })(params, x, 10)
    expectTypeOf(gradients).toEqualTypeOf<readonly [Tensor, Params]>()
    expect([await values(gradients[0]), await values(gradients[1].w)]).toEqual([
      [10, 20],
      [30, 40],
    ])
  })

  it('that is given twice has a gradient in each place', async () => {
    const product = (a: Tensor, b: Tensor): Tensor => a.mul(b.square())
    const same = scalar(3)
    const [a, b] = grad(product, { argument: [0, 1] })(same, same)
    expect([await values(a), await values(b)]).toEqual([[9], [18]])
  })

  it('leaves the others as they are, whatever they are', () => {
    class Counter {
      calls = 0
      count(): number {
        return ++this.calls
      }
    }
    const counter = new Counter()
    grad((c: Counter, y: Tensor) => y.mul(c.count()), { argument: 1 })(counter, scalar(1))
    expect(counter.calls).toBe(1)
  })

  it('must be one of the function', () => {
    expect(() => grad(loss, { argument: 3 })(params, x, 1)).toThrow(
      'grad: there is no argument 3: the function was called with 3, which are counted from 0',
    )
    expect(() => grad(loss, { argument: [0, 0] })(params, x, 1)).toThrow('grad: argument 0 is named twice')
    expect(() => grad((a: Tensor) => a.sum(), { argument: -1 })(x)).toThrow('there is no argument -1')
    const whole = tensor(Int32Array.of(1))
    expect(() => grad((a: Tensor, b: Tensor) => a.mul(b.cast('f32')).sum(), { argument: 1 })(x, whole)).toThrow(
      "grad: leaf '' of the second argument is i32; only floats have gradients",
    )
  })
})

describe('aux', () => {
  const withParts = ({ w }: Params, y: Tensor) =>
    [w.mul(y).sum(), { product: w.mul(y), name: 'part', none: undefined }] as const

  it('comes back beside the loss, any tree, and has no part in the gradient', async () => {
    const [[value, aux], gradient] = valueAndGrad(withParts, { aux: true })(params, x)
    expectTypeOf(gradient).toEqualTypeOf<Params>()
    expectTypeOf(aux.product).toEqualTypeOf<Tensor>()
    expect([await values(value), await values(aux.product), await values(gradient.w)]).toEqual([[11], [3, 8], [3, 4]])
    expect([aux.name, aux.none]).toEqual(['part', undefined])
    const [g, same] = grad(withParts, { aux: true, argument: 1 })(params, x)
    expectTypeOf(g).toEqualTypeOf<Tensor>()
    expect([await values(g), await values(same.product)]).toEqual([
      [1, 2],
      [3, 8],
    ])
  })

  it('is differentiated by an outer gradient, through inner ones and checkpoints', async () => {
    const inner = checkpoint((a: Tensor): readonly [Tensor, Tensor] => [a.square().sum(), a.pow(3)])
    const outer = grad((a: Tensor) => grad(inner, { aux: true })(a)[1].sum())
    expect(await values(outer(tensor([1, 2])))).toEqual([3, 12])
  })

  it('compiles', async () => {
    const step = device.compile((p: Params, y: Tensor) => valueAndGrad(withParts, { aux: true })(p, y))
    const [[value, aux], gradient] = await step(params, x)
    expect([await values(value, device), await values(aux.product, device), await values(gradient.w, device)]).toEqual([
      [11],
      [3, 8],
      [3, 4],
    ])
  })

  it('is refused where it is not asked for, and missed where it is', () => {
    expect(() => grad(((a: Tensor) => [a.sum(), a]) as never)(x as never)).toThrow(
      'it returned an array; where it is [loss, aux], give { aux: true }',
    )
    expect(() => grad(((a: Tensor) => a.sum()) as never, { aux: true })(x as never)).toThrow(
      'grad: with aux the function must return [loss, aux], it returned a tensor',
    )
    expect(() => valueAndGrad((a: Tensor) => [a, a] as const, { aux: true })(x)).toThrow('must return a scalar')
    // @ts-expect-error a function that gives two things needs to say so
    expect(() => grad((a: Tensor) => [a.sum(), a] as const)(x)).toThrow('aux: true')
  })
})
