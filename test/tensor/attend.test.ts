/** Attention of many tokens: in blocks it is what it is at once, and its memory grows with the number of tokens. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/grad.ts'
import { attention as attentionLayer } from '../../src/nn/attention.ts'
import { attention } from '../../src/tensor/attention.ts'
import { dotGeneral } from '../../src/tensor/contractions.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { openWasm } from '../../src/backends/wasm/whole.ts'
import { deviceOn } from '../../src/tensor/device.ts'

const device = deviceOn(await openWasm({ threads: 1 }))

type Triple = readonly [q: Tensor, k: Tensor, v: Tensor]

const triple = (queries: number, keys: number): Triple => [
  normal(key(1), [2, queries, 4]),
  normal(key(2), [2, keys, 4]),
  normal(key(3), [2, keys, 3]),
]

/** As the formula says. */
const atOnce = (...[q, k, v]: Triple): Tensor =>
  softmax(dotGeneral(q.mul(0.5), k, { contract: [[2], [2]], batch: [[0], [0]] })).matmul(v)

const withGradients =
  (f: (...args: Triple) => Tensor) =>
  (...args: Triple): readonly Tensor[] => [
    f(...args),
    ...leaves(grad(([q, k, v]: Triple) => f(q, k, v).square().sum())(args)),
  ]

const farthest = async (a: Tensor, b: Tensor): Promise<number> => {
  const [x, y] = [await device.read(a), await device.read(b)]
  let most = 0
  for (const [i, value] of x.entries()) most = Math.max(most, Math.abs(value - (y[i] ?? NaN)))
  return most
}

describe('attention of more than 2²⁰ pairs of tokens', () => {
  it.each([
    [1100, 1000],
    [1025, 1024],
    [3, 400_000],
    [2, 2 ** 20 + 1],
  ])('of %i queries to %i keys is what it is at once, with its gradients', async (queries, keys) => {
    const args = triple(queries, keys)
    const [blocks, whole] = [
      await device.compile(withGradients(attention))(...args),
      await device.compile(withGradients(atOnce))(...args),
    ]
    for (const [i, y] of whole.entries()) expect(await farthest(blocks[i] ?? y, y)).toBeLessThan(2e-4)
  })

  it('needs memory in proportion to the tokens, not to their square', () => {
    const bytes = (tokens: number): number =>
      device.compile(withGradients(attention)).plan(...triple(tokens, tokens)).arenaBytes
    expect(bytes(4096) / bytes(2048)).toBeLessThan(2.2)
    expect(bytes(4096)).toBeLessThan(device.compile(withGradients(atOnce)).plan(...triple(4096, 4096)).arenaBytes / 4)
  })

  it('sees no later token where it is causal', async () => {
    const layer = attentionLayer(4, { causal: true })
    const params = await device.realize(layer.init(key(0)))
    const x = normal(key(4), [1, 1200, 4])
    const changed = x.slice([], [0, 1150]).pad([0, 0, 0], [0, 50, 0])
    const [y, z] = [layer.apply(params, x), layer.apply(params, changed)].map((t) => t.slice([], [0, 1150]))
    expect(await farthest(y ?? x, z ?? x)).toBe(0)
  })
})
