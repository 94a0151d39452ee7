/** LSTM and GRU: PyTorch's numbers and gradients under its names, in both directions; cells, parts of a sequence, refusals. */
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { valueAndGrad } from '../../src/autograd/grad.ts'
import type { Shape } from '../../src/graph/shape.ts'
import { gru, gruCell, gruWithState } from '../../src/nn/gru.ts'
import { lstm, lstmCell, lstmWithState, type LstmState } from '../../src/nn/lstm.ts'
import { torchRecurrent, type RecurrentOptions, type RecurrentParams } from '../../src/nn/recurrent.ts'
import { at } from '../../src/prelude/array.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { placesOf, torchLayouts } from '../../src/tensor/nameMap.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { precisions, withPrecision } from '../../src/tensor/withPrecision.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves, refill } from '../../src/tensor/tree.ts'
import { cpuDevice } from '../support/device.ts'

interface Numbers {
  readonly shape: Shape
  readonly values: readonly number[]
}

interface Golden {
  readonly parameters: Readonly<Record<string, Numbers>>
  readonly x: Numbers
  readonly states: readonly Numbers[]
  readonly y: Numbers
  readonly last: readonly Numbers[]
  readonly cotangents: readonly Numbers[]
  readonly gradients: Pick<Golden, 'parameters' | 'x' | 'states'>
}

const golden = JSON.parse(
  await readFile(new URL('../golden/recurrent/recurrent.json', import.meta.url), 'utf8'),
) as Readonly<Record<'lstm' | 'gru', Golden>>

const device = cpuDevice()
const tensorOf = ({ shape, values }: Numbers): Tensor => tensor(values, { shape, dtype: 'f64' })

/** Of a tensor of both directions, [2, …] or […, 2·H], that of one. */
const direction = (x: Tensor, reverse: boolean): Tensor => x.slice(reverse ? [1, 2] : [0, 1]).reshape(x.shape.slice(1))
const half = (x: Tensor, reverse: boolean): Tensor => x.slice([], [], reverse ? [2, 4] : [0, 2])

/** Parameters of one direction under PyTorch's names, as ours. */
const ours = (template: RecurrentParams, theirs: Golden['parameters'], reverse: boolean): RecurrentParams =>
  refill(
    template,
    placesOf(template, { rename: torchRecurrent(0, reverse), layout: torchLayouts }).map(
      ({ name, shape, permutation }) => {
        const found = theirs[name]
        if (found === undefined) throw new Error(`golden values have no ${name}`)
        expect(found.shape).toEqual(shape)
        return tensorOf(found).transpose(permutation)
      },
    ),
  )

interface Run {
  readonly y: Tensor
  readonly last: readonly Tensor[]
}

type Apply = (params: RecurrentParams, x: Tensor, states: readonly Tensor[]) => Run

const layers: {
  readonly [K in 'lstm' | 'gru']: (options: RecurrentOptions) => {
    readonly init: RecurrentParams
    readonly apply: Apply
  }
} = {
  lstm: (options) => {
    const layer = lstmWithState(3, 2, options)
    return {
      init: layer.init(key(0)),
      apply: (params, x, [h, c]) => {
        const { y, state } = layer.apply(params, {
          x,
          ...(h === undefined || c === undefined ? {} : { state: { h, c } }),
        })
        return { y, last: [state.h, state.c] }
      },
    }
  },
  gru: (options) => {
    const layer = gruWithState(3, 2, options)
    return {
      init: layer.init(key(0)),
      apply: (params, x, [state]) => {
        const found = layer.apply(params, { x, ...(state === undefined ? {} : { state }) })
        return { y: found.y, last: [found.state] }
      },
    }
  },
}

const expectClose = async (found: Tensor, wanted: Tensor): Promise<void> => {
  expect(found.shape).toEqual(wanted.shape)
  const [a, b] = [await device.read(found), await device.read(wanted)]
  a.forEach((x, i) => {
    expect(x).toBeCloseTo(Number(b[i]), 10)
  })
}

describe.each(['lstm', 'gru'] as const)('%s', (name) => {
  const { parameters, x, states, y, last, cotangents, gradients } = golden[name]

  it.each([
    [false, false],
    [true, false],
    [false, 2],
  ])('is PyTorch, values and gradients; backwards: %s, checkpoint: %s', async (reverse, checkpoint) => {
    const { init, apply } = layers[name]({ reverse, checkpoint })
    const params = ours(init, parameters, reverse)
    const begin = states.map((s) => direction(tensorOf(s), reverse))
    const result = apply(params, tensorOf(x), begin)
    await expectClose(result.y, half(tensorOf(y), reverse))
    for (const [i, found] of result.last.entries()) await expectClose(found, direction(tensorOf(at(last, i)), reverse))

    const weights = [
      half(tensorOf(at(cotangents, 0)), reverse),
      ...cotangents.slice(1).map((c) => direction(tensorOf(c), reverse)),
    ]
    const loss = (all: { readonly params: RecurrentParams; readonly begin: readonly Tensor[] }): Tensor => {
      const run = apply(all.params, tensorOf(x), all.begin)
      return [run.y, ...run.last].reduce((sum, v, i) => sum.add(v.mul(at(weights, i)).sum()), zeros([], 'f64'))
    }
    const [, found] = valueAndGrad(loss)({ params, begin })
    const wanted = leaves(ours(init, gradients.parameters, reverse))
    for (const [i, g] of leaves(found.params).entries()) await expectClose(g, at(wanted, i))
    for (const [i, g] of found.begin.entries())
      await expectClose(g, direction(tensorOf(at(gradients.states, i)), reverse))
  })

  it('gives its input the gradient of PyTorch, both directions together', async () => {
    const loss = (input: Tensor): Tensor =>
      [false, true].reduce(
        (sum, reverse) => {
          const { init, apply } = layers[name]({ reverse })
          const run = apply(
            ours(init, parameters, reverse),
            input,
            states.map((s) => direction(tensorOf(s), reverse)),
          )
          const terms = [run.y.mul(half(tensorOf(at(cotangents, 0)), reverse)).sum()]
          run.last.forEach((v, i) => terms.push(v.mul(direction(tensorOf(at(cotangents, i + 1)), reverse)).sum()))
          return terms.reduce((a, b) => a.add(b), sum)
        },
        zeros([], 'f64'),
      )
    await expectClose(valueAndGrad(loss)(tensorOf(x))[1], tensorOf(gradients.x))
  })

  it('begins with zeros where it is given no state', async () => {
    const { init, apply } = layers[name]({})
    const params = ours(init, parameters, false)
    const none = states.map((s) => zeros(direction(tensorOf(s), false).shape, 'f64'))
    await expectClose(apply(params, tensorOf(x), []).y, apply(params, tensorOf(x), none).y)
  })

  it('begins as PyTorch: every parameter in ±1/√H', async () => {
    const layer = name === 'lstm' ? lstm(3, 100) : gru(3, 100)
    for (const p of leaves(layer.init(key(1)))) {
      const numbers = Array.from(await device.read(p), Number)
      expect(Math.max(...numbers.map(Math.abs))).toBeLessThanOrEqual(0.1)
      expect(Math.max(...numbers.map(Math.abs))).toBeGreaterThan(0.095)
    }
  })
})

describe('cells', () => {
  it('an lstmCell, time by time, is an lstm', async () => {
    const params = lstm(3, 2).init(key(0))
    const x = normal(key(1), [2, 4, 3])
    let state: LstmState | undefined
    for (let t = 0; t < 4; t++)
      state = lstmCell(3, 2).apply(params, {
        x: x.slice([], [t, t + 1]).reshape([2, 3]),
        ...(state === undefined ? {} : { state }),
      })
    const { y, state: last } = lstmWithState(3, 2).apply(params, { x })
    await expectClose(state?.h ?? y, last.h)
    await expectClose(state?.c ?? y, last.c)
    await expectClose(last.h, y.slice([], [3, 4]).reshape([2, 2]))
  })

  it('a gruCell, time by time, is a gru; without biases too', async () => {
    const params = gru(3, 2, { bias: false }).init(key(0))
    expect(Object.keys(params.hidden)).toEqual(['weight'])
    const x = normal(key(1), [2, 4, 3])
    let state: Tensor | undefined
    for (let t = 0; t < 4; t++)
      state = gruCell(3, 2, { bias: false }).apply(params, {
        x: x.slice([], [t, t + 1]).reshape([2, 3]),
        ...(state === undefined ? {} : { state }),
      })
    const y = gru(3, 2, { bias: false }).apply(params, x)
    await expectClose(state ?? y, y.slice([], [3, 4]).reshape([2, 2]))
  })
})

describe('what recurrent layers take', () => {
  it('names what is no sequence, and a state of another size', () => {
    const params = lstm(3, 2).init(key(0))
    expect(() => lstm(3, 2).apply(params, zeros([2, 4, 5]))).toThrow('lstm: takes a sequence [N, T, 3], got [2,4,5]')
    expect(() => gru(3, 2).apply(gru(3, 2).init(key(0)), zeros([4, 3]))).toThrow(
      'gru: takes a sequence [N, T, 3], got [4,3]',
    )
    expect(() =>
      lstmWithState(3, 2).apply(params, { x: zeros([4, 5, 3]), state: { h: zeros([4, 2]), c: zeros([1, 2]) } }),
    ).toThrow('lstmWithState: the state is [4, 2] for this input, got [1,2]')
    expect(() => gruCell(3, 2).apply(gru(3, 2).init(key(0)), { x: zeros([2, 4, 3]) })).toThrow(
      'gruCell: takes the input of one time, [N, 3], got [2,4,3]',
    )
  })

  it('takes no sequence and no times', async () => {
    const params = lstm(3, 2).init(key(0))
    expect((await device.realize(lstm(3, 2).apply(params, zeros([0, 4, 3])))).shape).toEqual([0, 4, 2])
    const { y, state } = lstmWithState(3, 2).apply(params, { x: zeros([2, 0, 3]) })
    expect(y.shape).toEqual([2, 0, 2])
    expect(Array.from(await device.read(state.c))).toEqual([0, 0, 0, 0])
  })

  it('computes in f16 and in mixed precision', async () => {
    const params = lstm(3, 2).init(key(0))
    const x = normal(key(1), [2, 4, 3])
    const wanted = await device.read(lstm(3, 2).apply(params, x))
    const mixed = withPrecision(precisions.mixed, (p: RecurrentParams) => lstm(3, 2).apply(p, x).square().sum())
    const halves = refill(
      params,
      leaves(params).map((p) => p.cast('f16')),
    )
    const found = await device.read(lstm(3, 2).apply(halves, x.cast('f16')))
    found.forEach((v, i) => {
      expect(Math.abs(v - (wanted[i] ?? NaN))).toBeLessThan(4e-3)
    })
    const [, exact] = valueAndGrad((p: RecurrentParams) => lstm(3, 2).apply(p, x).square().sum())(params)
    const [, g] = valueAndGrad(mixed)(params)
    for (const [i, p] of leaves(g).entries()) {
      expect(p.dtype).toBe('f32')
      const [a, b] = [await device.read(p), await device.read(at(leaves(exact), i))]
      a.forEach((v, k) => {
        expect(Math.abs(v - (b[k] ?? NaN))).toBeLessThan(1e-2)
      })
    }
  })
})
