/** vmap: what slices share, annotations, and the other transforms, inside it and around it. */
import { describe, expect, it } from 'vitest'
import { grad, hessian, hvp, jacobian, jvp, vjp, vmap } from '../../src/autograd/index.ts'
import { printGraph } from '../../src/graph/print.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { call, checkpoint, customVjp } from '../../src/tensor/annotate.ts'
import { stack } from '../../src/tensor/combine.ts'
import { conv2d } from '../../src/tensor/convolution.ts'
import { constant, iota, scalar, tensor, zeros } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { precisions, withPrecision } from '../../src/tensor/withPrecision.ts'
import { cpuDevice, values } from '../support/device.ts'

const xs = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
])
const f64 = (numbers: readonly number[], shape: readonly number[] = [numbers.length]): Tensor =>
  tensor(Float64Array.from(numbers), { shape })

/** The slices along axis 0. */
const slices = (x: Tensor): readonly Tensor[] =>
  Array.from({ length: x.shape[0] ?? 0 }, (_, i) => x.slice([i, i + 1]).reshape(x.shape.slice(1)))

const opsOf = (...ys: readonly Tensor[]): readonly string[] => reachable(ys.map((y) => y.node)).map((n) => n.op)

describe('vmap: what slices share', () => {
  it('is not copied: a matrix that all slices are multiplied with stays one factor of one product', () => {
    const w = tensor([[1, 2, 3]])
    const y = vmap((x: Tensor) => x.reshape([2, 1]).matmul(w))(xs)
    const dots = reachable([y.node]).filter((n) => n.op === 'dotGeneral')
    expect(dots.map((n) => n.inputs[1])).toEqual([w.node])
    expect(dots.map((n) => n.shape)).toEqual([[3, 2, 3]])
    expect(opsOf(y)).not.toContain('broadcast')
  })

  it('is multiplied with each slice where the result would have to be put in order: few rows are, many are not', () => {
    const made = (rows: number): readonly string[] => {
      const y = vmap((w: Tensor) => zeros([5, 4]).matmul(w))(zeros([3, 4, rows]))
      expect(y.shape).toEqual([3, 5, rows])
      return reachable([y.node]).flatMap((n) => (n.op === 'dotGeneral' ? [n.shape.join()] : []))
    }
    expect(made(2)).toEqual(['5,3,2'])
    expect(made(40)).toEqual(['3,5,40'])
  })

  it('is made once: what depends on no slice keeps its nodes', () => {
    const w = tensor([1, 2]).exp()
    const y = vmap((x: Tensor) => x.mul(w))(xs)
    expect(reachable([y.node])).toContain(w.node)
    expect(opsOf(y).filter((op) => op === 'exp')).toHaveLength(1)
  })

  it('is widened where it is uniform: a number stays one broadcast', () => {
    const y = vmap((x: Tensor) => x.mul(3))(xs)
    expect(opsOf(y)).toEqual(['buffer', 'constant', 'broadcast', 'mul'])
  })

  it('waits behind a checkpoint as it is', () => {
    const w = tensor([
      [1, 2],
      [3, 4],
    ])
    const layer = checkpoint((x: Tensor, w: Tensor): Tensor => x.reshape([1, 2]).matmul(w).tanh().matmul(w).sum())
    const [, dw] = vjp((x: Tensor, w: Tensor) => vmap(layer, { in: [0, null] })(x, w), xs, w).pullback(
      tensor([1, 1, 1]),
    )
    const perExample = vmap(
      grad((w: Tensor, x: Tensor) => layer(x, w).square()),
      { in: [null, 0] },
    )(w, xs)
    for (const y of [dw, perExample]) {
      const barriers = reachable([y.node]).filter((n) => n.op === 'barrier')
      expect(barriers.length).toBeGreaterThan(0)
      expect(barriers.filter((n) => n.shape.join() === '2,2')).toHaveLength(1) // the weights
    }
  })

  it('convolves with shared filters as further images, shared images with further channels', () => {
    const [x, w] = [zeros([3, 2, 4, 4, 2]), zeros([3, 2, 2, 2, 5])]
    const conv = (x: Tensor, w: Tensor): Tensor => conv2d(x, w)
    const made = (y: Tensor): readonly string[] =>
      reachable([y.node]).flatMap((n) => (n.op === 'conv' ? [`${n.attrs.groups} ${n.shape.join()}`] : []))
    const shared = (t: Tensor): Tensor => t.slice([0, 1]).reshape(t.shape.slice(1))
    expect(made(vmap(conv, { in: [0, null] })(x, shared(w)))).toEqual(['1 6,3,3,5'])
    expect(made(vmap(conv, { in: [null, 0] })(shared(x), w))).toEqual(['1 2,3,3,15'])
    expect(made(vmap(conv)(x, w))).toEqual(['3 2,3,3,15'])
  })
})

describe('vmap: annotations', () => {
  it('a call stays one call of its name; results that were made together stay so', () => {
    const f = call('pair', (x: Tensor): readonly Tensor[] => [x.exp(), x.sum()])
    const made = vmap(f)(xs)
    expect(printGraph(made.map((y) => y.node))).toBe(
      [
        '%0 = buffer (data) : f32[3,2]',
        '%1 = call %0 (pair → 0) : f32[3,2]',
        '%2 = call %0 (pair → 1) : f32[3]',
        'return %1, %2',
      ].join('\n'),
    )
    const [a, b] = made.map((y) => y.node)
    expect(a?.inputs).toBe(b?.inputs)
    expect(a?.op === 'call' && b?.op === 'call' && a.attrs.definition === b.attrs.definition).toBe(true)
  })

  it('a result of a call that depends on nothing mapped is not repeated', () => {
    const f = call('pair', (x: Tensor, w: Tensor): readonly Tensor[] => [x.mul(w), w.exp()])
    const [product, power] = vmap(f, { in: [0, null], out: [0, null] })(xs, tensor([1, 2]))
    expect([product?.shape, power?.shape]).toEqual([[3, 2], [2]])
  })

  /** x·w with a derivative that says so: ten times the right one for x, and twice for w. */
  const marked = customVjp(
    (x: Tensor, w: Tensor): Tensor => x.mul(w),
    ([x, w], g): [Tensor, Tensor] => [g.mul(w).mul(10), g.mul(x).mul(2)],
  )

  it('a derivative of its own is that of each slice, and summed for what slices share', async () => {
    const w = tensor([1, -1])
    const all = vmap(marked, { in: [0, null] })
    const [dx, dw] = vjp(all, xs, w).pullback(
      tensor([
        [1, 1],
        [10, 10],
        [100, 100],
      ]),
    )
    expect(await values(dx)).toEqual([10, -10, 100, -100, 1000, -1000])
    expect(await values(dw)).toEqual([1062, 1284])
    const per = vmap((x: Tensor, w: Tensor) => grad((w: Tensor) => marked(x, w).sum())(w), { in: [0, null] })(xs, w)
    expect(await values(per)).toEqual([2, 4, 6, 8, 10, 12])
    const twice = grad((w: Tensor) => vmap((y: Tensor) => vmap(marked, { in: [0, null] })(xs, y))(stack([w, w])).sum())(
      w,
    )
    expect(await values(twice)).toEqual([36, 48])
    expect(await values(jvp((w: Tensor) => all(xs, w), [w], [tensor([1, 1])]).tangent)).toEqual([2, 4, 6, 8, 10, 12])
  })

  it('a derivative of its own may use what is mapped around it', async () => {
    const clipped = (x: Tensor, scale: Tensor): Tensor =>
      customVjp(
        (x: Tensor): Tensor => x,
        (_, g): [Tensor] => [g.mul(scale)],
      )(x)
    const scales = tensor([1, 10, 100])
    expect(await values(grad((x: Tensor) => vmap(clipped)(x, scales).sum())(xs))).toEqual([1, 1, 10, 10, 100, 100])
  })

  it('a derivative of its own with results that depend on nothing mapped counts once for each slice', async () => {
    const both = customVjp(
      (x: Tensor, w: Tensor): readonly [Tensor, Tensor] => [x.mul(w), w.mul(3)],
      ([x, w], [g, h]): [Tensor, Tensor] => [g.mul(w), g.mul(x).add(h.mul(3))],
    )
    const loss =
      (map: (w: Tensor) => readonly (readonly [Tensor, Tensor])[]) =>
      (w: Tensor): Tensor =>
        map(w)
          .map(([a, b]) => a.sum().add(b.square().sum()))
          .reduce((s, y) => s.add(y))
    const w = tensor([1, 2])
    const mapped = grad(loss((w) => [vmap(both, { in: [0, null] })(xs, w)]))(w)
    const each = grad(loss((w) => slices(xs).map((x) => both(x, w))))(w)
    expect(await values(mapped)).toEqual(await values(each))
  })

  it('stopGradient holds for every slice', async () => {
    const f = (x: Tensor): Tensor => x.mul(x.stopGradient()).sum()
    expect(await values(vmap(grad(f))(xs))).toEqual([1, 2, 3, 4, 5, 6])
    expect(await values(grad((x: Tensor) => vmap(f)(x).sum())(xs))).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('halves stay halves: the gradient of a weight that slices share is no half', async () => {
    const [x, w] = [
      tensor(
        Array.from({ length: 12 }, (_, i) => Math.sin(i)),
        { shape: [3, 1, 4] },
      ),
      tensor([[1.0001], [2], [3], [0.3]]),
    ]
    const loss = withPrecision(precisions.mixed, (w: Tensor, x: Tensor): Tensor => x.matmul(w).tanh().sum())
    const batch = grad((w: Tensor) => vmap(loss, { in: [null, 0] })(w, x).sum())(w)
    const each = slices(x).map((x) => grad(loss)(w, x))
    const sum = each.reduce((a, b) => a.add(b))
    for (const [i, g] of (await values(batch)).entries()) expect(g).toBeCloseTo((await values(sum))[i] ?? NaN, 6)
    expect(await values(vmap(grad(loss), { in: [null, 0] })(w, x))).toEqual(await values(stack(each)))
    const conv = withPrecision(precisions.mixed, (w: Tensor, x: Tensor): Tensor => conv2d(x, w).square().sum())
    const [images, filters] = [
      iota([3, 1, 3, 3, 1], 2).cast('f32').mul(0.37),
      constant([0.1234567, 0.7, 0.3, 0.2], { shape: [2, 2, 1, 1] }),
    ]
    const repeated = stack([filters, filters, filters])
    const own = grad((w: Tensor) => vmap(conv)(w, images).sum())(repeated)
    expect(await values(own)).toEqual(await values(stack(slices(images).map((x) => grad(conv)(filters, x)))))
  })
})

describe('vmap with other transforms', () => {
  const f = (x: Tensor): Tensor => x.sin().mul(x.sum()).sum()
  const points = f64([0.1, 0.7, -1.2, 0.4, 2, -0.3], [3, 2])
  const device = cpuDevice()
  const close = async (a: Tensor, b: Tensor): Promise<void> => {
    const [got, expected] = [await values(a, device), await values(b, device)]
    expect(a.shape).toEqual(b.shape)
    got.forEach((x, i) => {
      expect(x).toBeCloseTo(expected[i] ?? NaN, 12)
    })
  }

  it('per-example gradients, Hessians and Jacobians', async () => {
    await close(vmap(grad(f))(points), stack(slices(points).map((x) => grad(f)(x))))
    await close(vmap(hessian(f))(points), stack(slices(points).map((x) => hessian(f)(x))))
    await close(vmap((x: Tensor) => hvp(f, x, x.cos()))(points), stack(slices(points).map((x) => hvp(f, x, x.cos()))))
    const g = (x: Tensor): Tensor => x.mul(x.sum()).exp()
    await close(vmap(jacobian(g))(points), stack(slices(points).map((x) => jacobian(g)(x))))
    await close(jacobian(vmap(g))(points), jacobian((x: Tensor) => stack(slices(x).map(g)))(points))
  })

  it('a derivative inside keeps apart what it differentiates and what is mapped', async () => {
    const mixed = vmap((x: Tensor) =>
      grad((y: Tensor) => vmap((z: Tensor) => x.mul(y).mul(z))(points).sum())(scalar(1, 'f64')),
    )
    await close(mixed(f64([1, 2])), points.sum().mul(f64([1, 2])))
    const across = grad((x: Tensor) =>
      vmap((z: Tensor) => grad((y: Tensor) => x.mul(y).mul(z).sum())(z).sum())(points).sum(),
    )
    await close(across(scalar(3, 'f64')), points.sum())
  })

  it('compiles, with numbers among the arguments', async () => {
    const step = device.compile((x: Tensor, rate: number) => vmap((x: Tensor) => x.sub(grad(f)(x).mul(rate)))(x))
    await close(await step(points, 0.1), points.sub(vmap(grad(f))(points).mul(0.1)))
    const shared = device.compile((x: Tensor, k: Tensor) =>
      vmap((x: Tensor, k: Tensor) => x.mul(k), { in: [0, null] })(x, k),
    )
    await close(await shared(points, scalar(2, 'f64')), points.mul(2))
  })

  it('stands in a call and in a checkpoint', async () => {
    const inside = (x: Tensor): Tensor => vmap(f)(x).sum()
    await close(grad(checkpoint(inside))(points), grad(inside)(points))
    await close(
      vmap(grad(call('whole', inside)))(stack([points, points])),
      stack([grad(inside)(points), grad(inside)(points)]),
    )
  })
})
