/** Composition: names, keys, modes and inferred types. */
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  compose,
  dropout,
  lift,
  linear,
  parameter,
  sequential,
  silu,
  type LinearParams,
  type Mode,
  type Module,
  type NoParams,
  type ParamsOf,
} from '../../src/nn/index.ts'
import { normal } from '../../src/nn/init/index.ts'
import { tensor } from '../../src/tensor/create.ts'
import { key, type Key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

const paths = (tree: unknown): readonly string[] => leavesWithPaths(tree).map(([path]) => path)

const residual = compose(
  { hidden: linear(3, 3), rest: [linear(3, 3), linear(3, 3)], none: undefined },
  ({ hidden, rest, none }, x: Tensor) => {
    expectTypeOf(none).toEqualTypeOf<undefined>()
    return rest.reduce((y, layer) => layer(y), hidden(x)).add(x)
  },
)

describe('compose', () => {
  it('names the parameters after the children, and members of a list by their number', () => {
    expect(paths(residual.init(key(1)))).toEqual([
      'hidden.bias',
      'hidden.weight',
      'rest.0.bias',
      'rest.0.weight',
      'rest.1.bias',
      'rest.1.weight',
    ])
  })

  it('infers the types of parameters, input and output', () => {
    type Params = ParamsOf<typeof residual>
    expectTypeOf<Params['hidden']>().toEqualTypeOf<LinearParams>()
    expectTypeOf<Params['rest'][number]>().toEqualTypeOf<LinearParams>()
    expectTypeOf(residual.apply).returns.toEqualTypeOf<Tensor>()
    const untold = compose({ a: linear(1, 1) }, ({ a }, x) => a(x))
    expectTypeOf(untold).toEqualTypeOf<Module<{ readonly a: LinearParams }>>()
    expectTypeOf(lift(silu)).toEqualTypeOf<Module<NoParams>>()
    // @ts-expect-error a child takes the input of its module
    compose({ a: linear(1, 1) }, ({ a }, x: Tensor) => a([x]))
    // @ts-expect-error only children that were named exist
    compose({ a: linear(1, 1) }, ({ b }, x: Tensor) => b(x))
  })

  it('gives children different keys by their names, and the same numbers whatever the order', async () => {
    const init = async (model: {
      readonly init: (k: Key) => { readonly a: LinearParams; readonly b: LinearParams }
    }): Promise<readonly (readonly number[])[]> => {
      const { a, b } = model.init(key(5))
      return [await values(a.weight), await values(b.weight)]
    }
    const first = await init(compose({ a: linear(2, 2), b: linear(2, 2) }, ({ a, b }, x: Tensor) => a(b(x))))
    const second = await init(compose({ b: linear(2, 2), a: linear(2, 2) }, ({ a, b }, x: Tensor) => a(b(x))))
    expect(first).toEqual(second)
    expect(first[0]).not.toEqual(first[1])
  })

  it('gives each child its own mode, so that two dropouts draw different masks', async () => {
    const model = compose({ first: dropout(0.5), second: dropout(0.5) }, ({ first, second }, x: Tensor) =>
      first(x).sub(second(x)),
    )
    const x = tensor(new Float32Array(64).fill(1))
    const device = cpuDevice()
    const train = device.compile((input: Tensor, k: Key) =>
      model.apply({ first: {}, second: {} }, input, { train: true, key: k }),
    )
    expect((await values(await train(x, key(1)), device)).some((d) => d !== 0)).toBe(true)
    expect(await values(model.apply({ first: {}, second: {} }, x))).toEqual(Array.from({ length: 64 }, () => 0))
  })

  it('lets a tensor of its own be learned', async () => {
    const scaled = compose({ gain: parameter(normal([2])) }, ({ gain }, x: Tensor) => x.mul(gain()))
    expect(await values(scaled.apply({ gain: tensor([2, 3]) }, tensor([5, 7])))).toEqual([10, 21])
  })
})

describe('sequential', () => {
  it('applies its children in the order of writing', async () => {
    const model = sequential({ double: lift((x: Tensor) => x.mul(2)), addOne: lift((x: Tensor) => x.add(1)) })
    expect(await values(model.apply({ double: {}, addOne: {} }, tensor([3])))).toEqual([7])
  })

  it('refuses a number as a name, which JavaScript would move to the front', () => {
    expect(() => sequential({ first: linear(1, 1), 0: linear(1, 1) })).toThrow("call it 'layer0'")
  })
})

describe('dropout', () => {
  const train: Mode = { train: true, key: key(1) }
  const x = tensor(new Float32Array(4000).fill(1))

  it('keeps the mean in training: an element is 0 or 1 / (1 − rate)', async () => {
    const y = await values(dropout(0.25).apply({}, x, train))
    expect(new Set(y)).toEqual(new Set([0, Math.fround(4 / 3)]))
    expect(Math.abs(y.reduce((a, b) => a + b, 0) / y.length - 1)).toBeLessThan(0.04)
  })

  it('does nothing in evaluation, and at rate 0', () => {
    expect(dropout(0.5).apply({}, x)).toBe(x)
    expect(dropout(0).apply({}, x, train)).toBe(x)
  })

  it('refuses a rate outside [0, 1)', () => {
    expect(() => dropout(1)).toThrow('at least 0 and below 1')
    expect(() => dropout(NaN)).toThrow('at least 0 and below 1')
  })
})
