/** Labels that are left out, and labels whose places in time nobody knows. */
import { describe, expect, it } from 'vitest'
import { grad } from '../../src/autograd/index.ts'
import { crossEntropy, ctcLoss } from '../../src/nn/index.ts'
import { tensor } from '../../src/tensor/create.ts'
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
})
