/** Parameters in f16: what an optimizer remembers and adds is f32, and only the parameters are rounded. */
import { describe, expect, it } from 'vitest'
import { accumulate, emptyAccumulation } from '../../src/optim/accumulate.ts'
import { adam, adamW } from '../../src/optim/adam.ts'
import { chain } from '../../src/optim/chain.ts'
import { ema } from '../../src/optim/ema.ts'
import { clipByGlobalNorm } from '../../src/optim/globalNorm.ts'
import { sgd } from '../../src/optim/sgd.ts'
import { applyUpdates, type Transform } from '../../src/optim/transform.ts'
import { scalar, tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { leaves } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

const half = (...xs: readonly number[]): Tensor => tensor(xs, { dtype: 'f16' })
const read = (x: Tensor): Promise<number[]> => values(x.cast('f64'))

describe('an optimizer of halves', () => {
  it('adam does not divide 0 by an ε that is 0 in f16, and squares 300 without overflow', async () => {
    const optimizer = adam({ learningRate: 0.1 })
    const g = half(0, 1, 300, 1e-4)
    const [updates, state] = optimizer.update(g, optimizer.init(g), g)
    const expected = [0, -0.1, -0.1, -0.1]
    ;(await read(updates)).forEach((u, i) => expect(u).toBeCloseTo(expected[i] ?? NaN, 4))
    expect(leaves(state).map((x) => x.dtype)).toEqual(['f32', 'f32', 'f32', 'f32'])
    const [, again] = optimizer.update(g, state, g)
    expect(leaves(again).map((x) => x.dtype)).toEqual(['f32', 'f32', 'f32', 'f32']) // so that the next step runs the same plan
  })

  /** The parameters after three compiled steps. */
  const three =
    <S>(optimizer: Transform<S>) =>
    async (start: Tensor): Promise<number[]> => {
      const device = cpuDevice()
      const step = device.compile((w: Tensor, state: S) => {
        const [updates, next] = optimizer.update(w.mul(0.5), state, w)
        return [applyUpdates(w, updates), next] as const
      })
      let now: readonly [Tensor, S] = [start, optimizer.init(start)]
      for (let i = 0; i < 3; i++) now = await step(...now)
      expect(now[0].dtype).toBe(start.dtype)
      return values(now[0].cast('f64'), device)
    }

  const all = [
    ['adam', three(adam({ learningRate: 1e-3 }))],
    ['adamW', three(adamW({ learningRate: 1e-3 }))],
    ['sgd', three(sgd({ learningRate: 1e-3 }))],
    ['sgd with momentum', three(sgd({ learningRate: 1e-3, momentum: 0.9, nesterov: true }))],
    ['a chain with clipping', three(chain(clipByGlobalNorm(1), adam({ learningRate: 1e-3 })))],
  ] as const

  it.each(all)(
    '%s: three compiled steps are those of f32, but for the rounding of the parameters',
    async (_, steps) => {
      const [found, expected] = [await steps(half(1, -2, 0.25)), await steps(tensor([1, -2, 0.25]))]
      found.forEach((x, i) => expect(Math.abs(x - (expected[i] ?? NaN))).toBeLessThan(3e-3))
    },
  )

  it('an average in f32 follows halves with the decay 0.9999, which is 1 in f16', async () => {
    const next = ema(scalar(0.9999), tensor([1]), half(0))
    expect(next.dtype).toBe('f32')
    expect((await read(next))[0]).toBeCloseTo(0.9999, 6)
  })

  it('gradients of halves are accumulated in f32', async () => {
    const sum = accumulate(emptyAccumulation({ w: half(7) }), { w: half(6e-8) }, 4)
    expect(sum.w.dtype).toBe('f32')
    expect(((await read(sum.w))[0] ?? NaN) / (2 ** -24 / 4)).toBeCloseTo(1, 6)
  })
})
