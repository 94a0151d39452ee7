/** Where nodes come from. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/grad.ts'
import { dataOrigin, noteData, originOf, recordOrigins } from '../../src/graph/origin.ts'
import type { Node } from '../../src/graph/ops.ts'
import { reachable } from '../../src/graph/traverse.ts'
import { canonicalise } from '../../src/compiler/canonicalise.ts'
import { customVjp } from '../../src/tensor/annotate.ts'
import { scalar, tensor, zeros } from '../../src/tensor/create.ts'
import { softmax } from '../../src/tensor/softmax.ts'
import { foldIn, key, split } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { compose, lift } from '../../src/nn/module.ts'

const line = /^made at test\/graph\/origin\.test\.ts:\d+:\d+$/
const data = (x: Tensor): readonly Node[] => reachable([x.node]).filter(({ op }) => op === 'buffer')

describe('data', () => {
  it('always knows the line that made it: tensor, scalar, key, and the number of foldIn', () => {
    for (const x of [tensor([1]), scalar(1), key(0)]) expect(originOf(x.node)).toMatch(line)
    const [child] = split(key(0))
    const made = data(foldIn(child, 3)).map(originOf)
    expect(made).toHaveLength(2)
    for (const origin of made) expect(origin).toMatch(line)
  })

  it('that a run makes is noted together', () => {
    const [a, b] = [zeros([1]).node, zeros([1]).node]
    const run = (): void => {
      const origin = dataOrigin(run)
      for (const node of [a, b]) noteData(node, origin)
    }
    run()
    expect(originOf(a)).toMatch(line)
    expect(originOf(b)).toBe(originOf(a))
  })
})

describe('other nodes', () => {
  it('know nothing while nobody records', () => {
    expect(originOf(scalar(1).add(1).node)).toBeUndefined()
  })

  describe('while somebody records', () => {
    let stop: () => void = () => undefined
    beforeEach(() => {
      stop = recordOrigins()
    })
    afterEach(() => {
      stop()
      stop() // twice does no harm to who else records
    })

    it('know their line and layer', () => {
      const net = compose({ half: lift((x: Tensor) => x.mul(0.5)) }, ({ half }, x: Tensor) => half(x))
      const origin = originOf(net.apply({ half: {} }, scalar(1)).node)
      expect(origin).toMatch(/^in layer half, made at test\/graph\/origin\.test\.ts:\d+:\d+$/)
    })

    it('of a backward pass know whose gradient they are, through gradients of gradients and custom derivatives', () => {
      const slope = grad((x: Tensor) => x.log().sum())(tensor([1, 2]))
      expect(originOf(slope.node)).toMatch(/^in the gradient of log, made at test\/graph/)
      const second = grad((x: Tensor) => grad((x: Tensor) => x.log().sum())(x).sum())(tensor([1, 2]))
      expect(originOf(second.node)).toMatch(/^in the gradient of div, in the gradient of log, made at test\/graph/)
      const custom = grad((x: Tensor) => softmax(x).square().sum())(tensor([1, 2]))
      expect(originOf(custom.node)).toMatch(/^in the gradient of customVjp, made at test\/graph/)
    })

    it('know it behind a gradient that a custom derivative takes for itself', () => {
      const cube = customVjp(
        (x: Tensor) => x.pow(3),
        ([x], g): [Tensor] => [grad((x: Tensor) => x.pow(3).sum())(x).mul(g)],
      )
      const slope = grad((x: Tensor) => cube(x).sum())(tensor([1, 2]))
      expect(originOf(slope.node)).toMatch(/^in the gradient of customVjp, made at test\/graph/)
    })

    it('keep it when a compiler makes them again', () => {
      const x = zeros([2]).exp()
      const { outputs } = canonicalise([], [x.node])
      expect(outputs[0]).not.toBe(x.node)
      expect(outputs.map(originOf)).toEqual([originOf(x.node)])
    })
  })
})
