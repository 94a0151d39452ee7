/** Labels that are left out, and labels whose places in time nobody knows. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { crossEntropy, ctcLoss } from '../../src/nn/index.ts'
import { constant, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { logSoftmax } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const whole = (...xs: readonly number[]): Tensor => tensor(Int32Array.from(xs))
const device = cpuDevice()

describe('labels that are left out', () => {
  const logits = tensor([[0, 2], [1, -1], [3, 0]], { dtype: 'f64' }) // prettier-ignore

  it('the mean is that of the other rows, and their gradient is 0', async () => {
    const f = (z: Tensor): Tensor => crossEntropy(z, whole(1, -1, 0), { ignoreIndex: -1 })
    const others = crossEntropy(tensor([[0, 2], [3, 0]], { dtype: 'f64' }), whole(1, 0)) // prettier-ignore
    const [mine, theirs] = [await values(f(logits), device), await values(others, device)]
    expect(mine[0]).toBeCloseTo(theirs[0] ?? NaN, 12)
    expect((await values(grad(f)(logits), device)).slice(2, 4).map(Math.abs)).toEqual([0, 0])
  })

  it('of no rows at all it is NaN, as in PyTorch', async () => {
    expect(await values(crossEntropy(logits, whole(9, 9, 9), { ignoreIndex: 9 }), device)).toEqual([NaN])
  })
})

describe('ctcLoss', () => {
  const loss = (time: number): Tensor => {
    const log = logSoftmax(
      tensor(
        Array.from({ length: time * 2 }, () => 0),
        { dtype: 'f64' },
      ).reshape([1, time, 2]),
    )
    return ctcLoss(log, whole(1, 1).reshape([1, 2]), whole(time), whole(2), { reduction: 'sum' })
  }

  it('two equal labels want a blank between: three times are one path of eight, two times are none', async () => {
    expect((await values(loss(3), device))[0]).toBeCloseTo(Math.log(8), 12)
    expect(await values(loss(2), device)).toEqual([Infinity])
  })

  const log = logSoftmax(normal(key(0), [2, 6, 4], 'f64'))
  const padded = (behind: number): Tensor => whole(1, 2, 3, 3, behind, behind).reshape([2, 3])
  const of = (x: Tensor, labels: Tensor): Tensor => ctcLoss(x, labels, whole(6, 4), whole(3, 1))

  it('what stands behind the labels of a row is not looked at, whatever it is', async () => {
    const [value] = await values(of(log, padded(1)), device)
    const slopes = await values(grad((x: Tensor) => of(x, padded(1)))(log), device)
    for (const behind of [0, -1, -100, 4, 2 ** 31 - 1]) {
      expect(await values(of(log, padded(behind)), device)).toEqual([value])
      expect(await values(grad((x: Tensor) => of(x, padded(behind)))(log), device)).toEqual(slopes)
    }
  })

  it('labels and lengths that cannot be meant are refused, where the host knows them', () => {
    const one = (labels: Tensor, inputs: Tensor, lengths: Tensor) => () => ctcLoss(log, labels, inputs, lengths)
    expect(one(padded(0), whole(6, 7), whole(3, 1))).toThrow('ctcLoss: the input length 7 is outside 1 … 6')
    expect(one(padded(0), whole(0, 6), whole(3, 1))).toThrow('ctcLoss: the input length 0 is outside 1 … 6')
    expect(one(padded(0), whole(6, 6), whole(3, 4))).toThrow('ctcLoss: the label length 4 is outside 0 … 3')
    expect(one(padded(0), whole(6, 6), whole(-1, 1))).toThrow('ctcLoss: the label length -1 is outside 0 … 3')
    expect(one(padded(4), whole(6, 6), whole(3, 2))).toThrow('ctcLoss: the label 4 is outside 0 … 3')
    expect(one(padded(-1), whole(6, 6), whole(3, 2))).toThrow('ctcLoss: the label -1 is outside 0 … 3')
  })

  it('a label outside that only the device knows is NaN, in its row alone', async () => {
    const labels = padded(9).maximum(padded(9))
    const losses = ctcLoss(log, labels, whole(6, 4), whole(3, 2), { reduction: 'none' })
    expect((await values(losses, device)).map(Number.isNaN)).toEqual([false, true])
  })

  it('its program is of one size, whatever the time', () => {
    const kernels = (time: number): number => {
      const step = device.compile((x: Tensor) =>
        grad((y: Tensor) =>
          ctcLoss(
            logSoftmax(y),
            constant(
              [
                [1, 2, 3],
                [3, 0, 0],
              ],
              { dtype: 'i32' },
            ),
            constant([time, time], { dtype: 'i32' }),
            constant([3, 1], { dtype: 'i32' }),
          ),
        )(x),
      )
      return step.plan(zeros([2, time, 4])).kernels.length
    }
    expect(kernels(100)).toBe(kernels(10))
  })
})
