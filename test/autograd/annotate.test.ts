/** Annotations: checkpoints and calls change no bit, custom derivatives replace the definition's. */
import { describe, expect, it } from 'vitest'
import { checkGrad, grad, hvp, jvp, valueAndGrad, vjp } from '../../src/autograd/index.ts'
import { call, checkpoint, customVjp } from '../../src/tensor/annotate.ts'
import { constant, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuForms } from '../support/device.ts'

const x0 = tensor([0.3, -1.1, 2], { dtype: 'f64' })
const w0 = tensor([1.5, 0.2, -0.7], { dtype: 'f64' })

type Wrap = <A extends readonly unknown[], R>(fn: (...args: A) => R) => (...args: A) => R

const plain: Wrap = (fn) => fn
const named: Wrap = (fn) => call('block', fn)

describe.each(cpuForms)('annotations on cpu, %s', (_, open) => {
  const device = open()
  const read = async (xs: readonly Tensor[]): Promise<readonly (readonly number[])[]> =>
    Promise.all(xs.map(async (x) => [...(await device.read(x))]))

  /** Two nested blocks with two results each, one of them an integer-free view, that use a tensor from outside. */
  const network =
    (wrap: Wrap) =>
    (x: Tensor, w: Tensor): Tensor => {
      const block = wrap((h: Tensor): { readonly a: Tensor; readonly b: Tensor } => {
        const inner = wrap((k: Tensor): readonly [Tensor, Tensor] => [k.sin().mul(w), k.mul(k)])
        const [p, q] = inner(h.mul(w))
        return { a: p.mul(q).exp(), b: q.sub(p) }
      })
      const { a, b } = block(x)
      const again = block(a.mul(0.1))
      return again.a.mul(b).add(again.b).sum()
    }

  it.each([
    ['checkpoint', checkpoint],
    ['call', named],
  ])(
    '%s: an argument that is a result too, and a result that is there twice, keep one name and the order of their sums',
    async (_name, wrap) => {
      const x = tensor([0.1, 0.7, -1.3, 2.9])
      const loss =
        (f: Wrap) =>
        (x: Tensor): Tensor => {
          const y = x.mul(1.1)
          const [a, b, c] = f((p: Tensor): readonly [Tensor, Tensor, Tensor] => {
            const q = p.sin()
            return [p, q, q]
          })(y)
          const terms = [a.mul(0.3), y.mul(0.7), a.exp(), b.mul(a), c.mul(y).cos(), b.mul(0.1), y.tanh(), c.exp()]
          return terms.reduce((sum, term) => sum.add(term)).sum()
        }
      expect(await read([grad(loss(wrap))(x)])).toEqual(await read([grad(loss(plain))(x)]))
      const [same, once, twice] = wrap((p: Tensor) => [p, p.sin(), p] as const)(x)
      expect([same, twice]).toEqual([x, x])
      expect(once.node.op).toBe('call')
    },
  )

  it.each([
    ['checkpoint', checkpoint],
    ['call', named],
  ])('%s: value and gradients are those of the bare function, bit for bit', async (_name, wrap) => {
    const results = async (f: typeof plain): Promise<unknown> => {
      const both = device.compile((x: Tensor, w: Tensor) => {
        const { value, pullback } = vjp(network(f), x, w)
        return [value, ...pullback(constant(1, { dtype: 'f64' }))]
      })
      return read(await both(x0, w0))
    }
    expect(await results(wrap)).toEqual(await results(plain))
  })

  it.each([
    ['checkpoint', checkpoint],
    ['call', named],
  ])('%s: gradients of gradients, jvp and Hessians are right', async (_name, wrap) => {
    await checkGrad(device, network(wrap), [x0, w0])
    await checkGrad(
      device,
      grad((x: Tensor, w: Tensor) => network(wrap)(x, w)),
      [x0, w0],
      { absolute: 1e-7 },
    )
    const direction = tensor([1, 0.5, -1], { dtype: 'f64' })
    const along = (f: Wrap): Tensor => jvp(network(f), [x0, w0], [direction, direction]).tangent
    const curved = (f: Wrap): Tensor => hvp((x: Tensor) => network(f)(x, w0), x0, direction)
    const [a, b, c, d] = (await read([along(wrap), along(plain), curved(wrap), curved(plain)])).map((r) =>
      r.map((e) => e.toPrecision(12)),
    )
    expect(a).toEqual(b)
    expect(c).toEqual(d)
  })

  it('checkpoint: the backward pass computes the block again', () => {
    const plan = (f: Wrap): string => {
      const block = f((h: Tensor) => h.tanh().exp().cos())
      return device
        .compile((x: Tensor) => valueAndGrad((y: Tensor) => block(block(y).sum(0, true).mul(x)).sum())(x))
        .plan(x0)
        .program.nodes.filter((n) => n.op === 'tanh')
        .length.toString()
    }
    expect([plan(plain), plan(checkpoint)]).toEqual(['2', '4'])
  })

  it('customVjp: its rule is used instead of the derivative of the definition', async () => {
    const straightThrough = customVjp(
      (x: Tensor) => x.floor(),
      (_args, g): [Tensor] => [g],
    )
    expect(await read([grad((x: Tensor) => straightThrough(x).mul(3).sum())(x0)])).toEqual([[3, 3, 3]])
    expect(await read([straightThrough(x0)])).toEqual([[0, -2, 2]])
  })

  it('customVjp: several results arrive at one rule, and the rule can be differentiated again', async () => {
    const both = customVjp(
      (x: Tensor): { readonly s: Tensor; readonly c: Tensor } => ({ s: x.sin(), c: x.cos() }),
      ([x], g): [Tensor] => [g.s.mul(x.cos()).sub(g.c.mul(x.sin()))],
    )
    const f = (x: Tensor): Tensor => {
      const { s, c } = both(x)
      return s.mul(s).mul(c).sum()
    }
    await checkGrad(device, f, [x0])
    await checkGrad(device, grad(f), [x0])
  })

  it('customVjp inside a checkpoint inside a compiled function keeps its rule', async () => {
    const doubled = customVjp(
      (x: Tensor) => x.mul(1),
      (_args, g): [Tensor] => [g.mul(2)],
    )
    const f = device.compile((x: Tensor) =>
      grad((y: Tensor) => checkpoint((z: Tensor) => doubled(z).sin())(y).sum())(x),
    )
    expect(await read([await f(x0)])).toEqual([(await read([x0.cos().mul(2)]))[0]])
  })

  it.each([
    ['checkpoint', checkpoint],
    ['call', named],
  ])('%s: returns tensors from outside as they are, with their gradients', async (_name, wrap) => {
    const f = device.compile((x: Tensor, w: Tensor) => {
      const block = wrap((h: Tensor): readonly Tensor[] => [w, h.mul(2), w.sin(), h])
      const loss = (p: readonly Tensor[]): Tensor =>
        wrap((h: Tensor): readonly Tensor[] => [p[1] ?? h, h.mul(2), h])(p[0] ?? x)
          .reduce((a, b) => a.mul(b))
          .sum()
      return [...block(x), ...grad(loss)([x, w])]
    })
    const [same, twice, sine, own, dx, dw] = await read(await f(x0, w0))
    const [xs, ws] = [
      [0.3, -1.1, 2],
      [1.5, 0.2, -0.7],
    ]
    expect([same, twice, own]).toEqual([ws, xs.map((x) => 2 * x), xs])
    expect(sine).toEqual(ws.map(Math.sin))
    dx?.forEach((g, i) => expect(g).toBeCloseTo(4 * (xs[i] ?? NaN) * (ws[i] ?? NaN), 12))
    dw?.forEach((g, i) => expect(g).toBeCloseTo(2 * (xs[i] ?? NaN) ** 2, 12))
  })

  it('stopGradient keeps the value and stops the gradient', async () => {
    const f = (x: Tensor): Tensor => x.mul(x.stopGradient()).sum()
    expect(await read([grad(f)(x0), x0.stopGradient()])).toEqual([
      [0.3, -1.1, 2],
      [0.3, -1.1, 2],
    ])
  })
})

describe('what annotations refuse', () => {
  it('a function with its own vjp that uses a tensor from outside', () => {
    const f = customVjp(
      (x: Tensor) => x.mul(w0),
      (_args, g): [Tensor] => [g],
    )
    expect(() => f(x0)).toThrow(
      'customVjp: a function with its own vjp must take everything it uses as an argument; 1 tensors came from outside',
    )
  })

  it('a rule that returns too few cotangents, or one of another shape', () => {
    const few = customVjp((x: Tensor, y: Tensor) => x.mul(y), ((_args: unknown, g: Tensor) => [g]) as never)
    expect(() => grad((x: Tensor) => few(x, w0).sum())(x0)).toThrow(
      'customVjp: the vjp returned 1 cotangents for 2 arguments',
    )
    const wide = customVjp(
      (x: Tensor) => x.sum(),
      (_args, g): [Tensor] => [g],
    )
    expect(() => grad((x: Tensor) => wide(x))(x0)).toThrow(
      'customVjp: the vjp returned a cotangent f64[] for an argument f64[3]',
    )
  })

  it('a rule that is not linear in its cotangent, when it is transposed for jvp', () => {
    const squared = customVjp(
      (x: Tensor) => x.mul(1),
      (_args, g): [Tensor] => [g.mul(g)],
    )
    expect(() => jvp(squared, [x0], [w0])).toThrow('jvp: a custom vjp in the function is not linear in its cotangent')
  })
})
