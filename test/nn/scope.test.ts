/** Errors inside a model say the layer's path, and whose parameters they were. */
import { describe, expect, it } from 'vitest'
import { zeros } from '../../src/tensor/create.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { relu } from '../../src/tensor/activations.ts'
import { currentScope } from '../../src/graph/scope.ts'
import { checkpointed } from '../../src/nn/checkpointed.ts'
import { dropout } from '../../src/nn/dropout.ts'
import { layerNorm } from '../../src/nn/layerNorm.ts'
import { linear } from '../../src/nn/linear.ts'
import { compose, lift, sequential } from '../../src/nn/module.ts'

const thrownBy = (f: () => unknown): Error => {
  try {
    f()
  } catch (e) {
    if (e instanceof Error) return e
  }
  throw new Error('nothing was thrown')
}

const mlp = (c: number) => sequential({ up: linear(c, 4 * c), act: lift(relu), down: linear(3 * c, c) }) // 3c meets 4c
const block = (c: number) =>
  compose({ norm: layerNorm(c), mlp: mlp(c) }, ({ norm, mlp }, x: Tensor) => x.add(mlp(norm(x))))
const net = sequential({ inp: linear(4, 8), b0: block(8), b1: block(8) })

describe('an error inside a model', () => {
  it('says the path of the layer once, outermost first', () => {
    const error = thrownBy(() => net.apply(net.init(key(0)), zeros([2, 4])))
    expect(error.message).toBe('b0.mlp.down: matmul: [2,32] · [24,8]: 32 columns meet 24 rows')
    expect(error.stack?.split('\n')[0]).toBe(`ShapeError: ${error.message}`)
  })

  it('keeps the line that applied the model in its stack, however deep the layer', () => {
    const deeper = (n: number): ReturnType<typeof mlp> =>
      n === 0 ? mlp(8) : (sequential({ inner: deeper(n - 1) }) as unknown as ReturnType<typeof mlp>)
    const model = deeper(6)
    const error = thrownBy(() => model.apply(model.init(key(0)), zeros([2, 8])))
    expect(error.message).toMatch(/^inner\.inner\.inner\.inner\.inner\.inner\.down: matmul/)
    expect(error.stack).toMatch(/scope\.test\.ts/)
  })

  it('names the member of an array, inside a checkpoint too, and leaves no scope behind', () => {
    const model = compose({ layers: [linear(4, 4), checkpointed(mlp(4))] }, ({ layers: [a, b] }, x: Tensor) => {
      const y = a?.(x) ?? x
      return b?.(y) ?? y
    })
    const error = thrownBy(() => model.apply(model.init(key(0)), zeros([1, 4])))
    expect(error.message).toMatch(/^layers\.1\.down: matmul/)
    expect(currentScope()).toBeUndefined()
  })

  it("that the user's own layer throws keeps its words", () => {
    const own = sequential({
      a: lift((): Tensor => {
        throw new Error('my own words')
      }),
    })
    expect(thrownBy(() => own.apply({ a: {} }, zeros([1]))).message).toBe('my own words')
  })

  it('of a type names the layer: training without a key', () => {
    const model = sequential({ drop: dropout(0.5) })
    const error = thrownBy(() => model.apply({ drop: {} }, zeros([1]), { train: true } as never))
    expect(error.message).toMatch(/^drop: random: got undefined where a key is expected/)
    expect(thrownBy(() => dropout(0.5).apply({}, zeros([1]), { train: true } as never)).message).toBe(
      "dropout: training draws a mask from the mode's key: give { train: true, key: key(seed) }; the key is undefined",
    )
  })
})

describe('parameters of another model', () => {
  const model = sequential({ a: linear(3, 8), body: sequential({ b: linear(8, 2), act: lift(relu) }) })
  const a = linear(3, 8).init(key(0))
  const x = zeros([1, 3])
  const messageOf = (params: unknown): string => thrownBy(() => model.apply(params as never, x)).message

  it('are named by the path of what they lack, a layer or a tensor of one', () => {
    expect(messageOf({ a })).toBe("the parameters have no 'body': were they made by another model?")
    expect(messageOf({ a, body: {} })).toBe("body: the parameters have no 'b': were they made by another model?")
    expect(messageOf({ a, body: { b: { bias: zeros([2]) } } })).toBe(
      "body.b: the parameters have no 'weight': were they made by another model?",
    )
    expect(messageOf(undefined)).toBe("the parameters have no 'a': were they made by another model?")
  })

  it('that are a promise, or no tree, are named', () => {
    expect(messageOf(Promise.resolve({ a }))).toBe('the parameters of a model are a tree of tensors, got a Promise')
    expect(messageOf(3)).toBe('the parameters of a model are a tree of tensors, got 3')
  })

  it('may lack the empty branches of layers that have none, as a file does', () => {
    const b = linear(8, 2).init(key(1))
    expect(model.apply({ a, body: { b } } as never, x).shape).toEqual([1, 2])
  })
})
