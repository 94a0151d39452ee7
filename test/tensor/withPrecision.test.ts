/** Mixed precision as casts in the graph: where they stand, that nothing else changes, and that gradients lose nothing that halves can hold. */
import { describe, expect, it } from 'vitest'
import type { Passes } from '../../src/compiler/passes.ts'
import { grad, hvp, valueAndGrad } from '../../src/autograd/grad.ts'
import { printGraph } from '../../src/graph/print.ts'
import type { Node } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { unet } from '../../src/models/index.ts'
import {
  attention,
  checkpointed,
  compose,
  conv2d,
  convTranspose2d,
  groupNorm,
  layerNorm,
  linear,
  mse,
  rmsNorm,
  sequential,
  type AnyModule,
  type Module,
} from '../../src/nn/index.ts'
import { silu } from '../../src/tensor/activations.ts'
import { dotGeneral } from '../../src/tensor/contractions.ts'
import { ones, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { precisions, withPrecision, type Precision } from '../../src/tensor/withPrecision.ts'
import { cpuDevice, cpuForms, values } from '../support/device.ts'

const { f32, mixed } = precisions

const net = unet({ width: 4, multipliers: [1, 2], heads: 1, headWidth: 4 })
const params = net.init(key(0))
const images = zeros([2, 8, 8, 3])
const times = tensor(Int32Array.of(3, 700))

const lossAt = (p: typeof params, x: Tensor, t: Tensor): Tensor => mse(net.apply(p, { x, t }), x.mul(0.5))
const loss = (p: typeof params, x: Tensor): Tensor => lossAt(p, x, times)

const nodesOf = (tree: unknown): readonly Node[] => leaves(tree).map((x) => x.node)
const textOf = (tree: unknown): string => printGraph(nodesOf(tree))

/** Ops whose elements are those of others. */
const movements = new Set([
  'alias',
  'barrier',
  'broadcast',
  'concatenate',
  'pad',
  'reshape',
  'reverse',
  'slice',
  'transpose',
])

describe('a policy', () => {
  it('of f32 leaves a network and its gradients the graph that they were', () => {
    expect(textOf(withPrecision(f32, valueAndGrad(loss))(params, images))).toBe(
      textOf(valueAndGrad(loss)(params, images)),
    )
  })

  it('of halves leaves norms, softmax, activations, sums and losses in f32: halves are made by casts, moved, and contracted', () => {
    const nodes = reachable(nodesOf(withPrecision(mixed, valueAndGrad(loss))(params, images)))
    const halves = nodes.filter((n) => n.dtype === 'f16').map((n) => n.op)
    expect(halves.filter((op) => op !== 'cast' && !movements.has(op))).toEqual([])
    const contractions = nodes.filter((n) => n.op === 'dotGeneral' || n.op === 'conv')
    expect(contractions.length).toBeGreaterThan(60)
    for (const { inputs, dtype } of contractions)
      expect([...inputs.map((x) => x.dtype), dtype]).toEqual(['f16', 'f16', 'f32'])
  })

  it('is the same around a derivative and inside of it', () => {
    const inside = grad(withPrecision(mixed, loss))(params, images)
    expect(textOf(withPrecision(mixed, grad(loss))(params, images))).toBe(textOf(inside))
  })

  it('of the innermost function counts, and the one around it counts again afterwards', () => {
    const product = (x: Tensor): Tensor => x.matmul(x)
    const both = withPrecision(mixed, (x: Tensor) => product(withPrecision(f32, product)(product(x))))
    const dtypes = reachable([both(ones([2, 2])).node]).flatMap((n) =>
      n.op === 'dotGeneral' ? [n.inputs[0].dtype] : [],
    )
    expect(dtypes).toEqual(['f16', 'f32', 'f16'])
  })

  it('ends with its function, also where that throws', () => {
    const failing = withPrecision(mixed, () => zeros([2, 3]).matmul(zeros([2, 3])))
    expect(failing).toThrow('3 columns meet 2 rows')
    expect(textOf(ones([2, 2]).matmul(ones([2, 2])))).not.toContain('f16')
  })

  it('refuses a function that returns a promise, whose later parts it could not reach', () => {
    const later = withPrecision(mixed, () => Promise.reject(new Error('nobody hears of it')))
    expect(later).toThrow(/^withPrecision: the function returned a Promise/)
  })

  it('leaves f64, halves and integers what they are', () => {
    for (const dtype of ['f64', 'f16', 'i32'] as const) {
      const x = ones([2, 2], dtype)
      expect(withPrecision(mixed, () => x.matmul(x))().dtype).toBe(dtype)
      expect(textOf(withPrecision(mixed, () => x.matmul(x))())).toBe(textOf(x.matmul(x)))
    }
  })
})

describe('activations', () => {
  const layers = {
    linear: linear(4, 4),
    conv2d: conv2d(4, 4, 1),
    convTranspose2d: convTranspose2d(4, 4, 1),
  }
  const outputOf = (layer: AnyModule, x: Tensor): Node => {
    const module = layer as unknown as Module<unknown>
    return withPrecision(mixed, () => module.apply(module.init(key(0)), x))().node
  }
  const isRounded = (node: Node): boolean => node.op === 'cast' && node.inputs[0].dtype === 'f16'

  it.each(Object.entries(layers))('%s gives halves, read again as f32', (_, layer) => {
    expect(isRounded(outputOf(layer, ones([1, 4, 4, 4])))).toBe(true)
  })

  it.each(Object.entries({ rmsNorm: rmsNorm(4), groupNorm: groupNorm(2, 4), layerNorm: layerNorm(4) }))(
    '%s gives what it computes, also out of a module that ends with it',
    (_, norm) => {
      expect(isRounded(outputOf(norm, ones([1, 4, 4, 4])))).toBe(false)
      expect(isRounded(outputOf(sequential({ conv: conv2d(4, 4, 1), norm }), ones([1, 4, 4, 4])))).toBe(false)
    },
  )

  it('a module gives halves of what its forward function makes itself', () => {
    const block = compose({ norm: rmsNorm(4) }, ({ norm }, x: Tensor) => silu(norm(x)).add(x))
    expect(isRounded(outputOf(block, ones([1, 4, 4, 4])))).toBe(true)
  })

  it('and attention take dotGeneral and matmul to halves alike', () => {
    const nodes = reachable([outputOf(attention(4), ones([1, 4, 4]))])
    const operands = nodes.flatMap((n) => (n.op === 'dotGeneral' ? n.inputs.map((x) => x.dtype) : []))
    expect(new Set(operands)).toEqual(new Set(['f16']))
  })
})

describe.each(cpuForms)('gradients through halves, %s', (_, open) => {
  const device = open()

  it('of weights are sums in f32 of products of halves, however small', async () => {
    const w = tensor([[0.5], [0.25]])
    const x = tensor([
      [1, 2 ** -12],
      [0, 2 ** -12],
    ])
    const small = 2 ** -14 // the least normal half; times 2⁻¹² it is none
    const gradient = grad(withPrecision(mixed, (v: Tensor) => x.matmul(v).mul(small).sum()))(w)
    expect(gradient.dtype).toBe('f32')
    expect(await values(gradient, device)).toEqual([2 ** -14, 2 ** -25])
  })

  it('of filters too, in both kinds of convolution', async () => {
    const small = 2 ** -14
    const x = tensor([2 ** -12, 2 ** -12, 1, 1], { shape: [1, 2, 2, 1] })
    const filter = ones([1, 1, 1, 1])
    for (const layer of [conv2d(1, 1, 1, { bias: false }), convTranspose2d(1, 1, 1, { bias: false })]) {
      const f = (weight: Tensor): Tensor =>
        layer
          .apply({ weight }, x.mul(2 ** -12))
          .mul(small)
          .sum()
      const gradient = grad(withPrecision({ ...mixed, activations: 'f32' }, f))(filter)
      expect(await values(gradient, device)).toEqual([2 ** -14 * (2 ** -23 + 2 ** -11)])
    }
  })

  it('of values that are used as halves elsewhere too are added in f32', async () => {
    const w = tensor([[3]])
    const f = (v: Tensor): Tensor => {
      const half = v.cast('f16')
      const product = dotGeneral(half, half, { contract: [[1], [0]], batch: [[], []] })
      return product
        .cast('f32')
        .add(half.mul(2).cast('f32'))
        .add(withPrecision(mixed, (x: Tensor) => x.matmul(x))(v))
        .sum()
    }
    expect(await values(grad(f)(w), device)).toEqual([6 + 2 + 6])
  })

  it('are those of f32 as near as halves are', async () => {
    const p = params
    const x = normal(key(1), [2, 8, 8, 3])
    const all = (tree: unknown): Tensor =>
      leaves(tree)
        .map((g) => g.reshape([-1]).square().sum())
        .reduce((a, b) => a.add(b))
    const [exact, rounded] = [grad(loss)(p, x), grad(withPrecision(mixed, loss))(p, x)]
    const gap = leaves(exact).map((g, i) => g.sub(leaves(rounded)[i] ?? g))
    const [size, error] = await Promise.all([device.item(all(exact)), device.item(all(gap))])
    expect(Math.sqrt(error / size)).toBeLessThan(0.004)
    expect(error).toBeGreaterThan(0)
  })

  it('come through a checkpoint bit for bit', async () => {
    const block = compose({ conv: conv2d(3, 4, 3, { padding: 1 }), norm: rmsNorm(4) }, ({ conv, norm }, x: Tensor) =>
      silu(norm(conv(x))),
    )
    const own = block.init(key(2))
    const x = normal(key(3), [1, 4, 4, 3])
    const gradientOf = (m: typeof block): Promise<readonly number[][]> =>
      Promise.all(
        leaves(grad(withPrecision(mixed, (p: typeof own) => m.apply(p, x).square().sum()))(own)).map((g) =>
          values(g, device),
        ),
      )
    expect(await gradientOf(checkpointed(block))).toEqual(await gradientOf(block))
  })

  it('are differentiated again', async () => {
    const x = tensor([[1, 2]])
    const cube = withPrecision(mixed, (w: Tensor) => x.matmul(w).pow(3).sum())
    const w = tensor([[1], [1]])
    expect(await values(hvp(cube, w, tensor([[1], [0]])), device)).toEqual([18, 36]) // 6·(x·w)·xxᵀ·v
  })
})

describe('a plan of halves', () => {
  const step = (precision: Precision) => withPrecision(precision, valueAndGrad(lossAt))

  it('is smaller than that of f32', () => {
    const [wide = 0, narrow = 0] = [f32, mixed].map(
      (p) => cpuDevice().compile(step(p)).plan(params, images, times).arenaBytes,
    )
    expect(narrow / wide).toBeLessThan(0.85)
  })

  it('computes what it computes without the passes that move its casts', async () => {
    const x = normal(key(1), [2, 8, 8, 3])
    const run = async (passes: Partial<Passes>): Promise<readonly number[][]> => {
      const device = cpuDevice({ passes })
      return Promise.all(leaves(await device.compile(step(mixed))(params, x, times)).map((y) => values(y, device)))
    }
    expect(await run({})).toEqual(await run({ rewrite: false, fuse: false, recompute: false }))
  })
})
