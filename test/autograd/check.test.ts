/** The check of gradients is checked: what it must not let pass. */
import { describe, expect, it } from 'vitest'
import { checkGrad, gradientError } from '../../src/autograd/check.ts'
import { customVjp } from '../../src/tensor/annotate.ts'
import { tensor } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice } from '../support/device.ts'

const device = cpuDevice()
const x0 = tensor([0.3, -1.1, 2], { dtype: 'f64' })

/** sin with a rule that is off by a factor. */
const almostSin = (factor: number): ((x: Tensor) => Tensor) =>
  customVjp(
    (x: Tensor) => x.sin(),
    ([x], g): [Tensor] => [g.mul(x.cos()).mul(factor)],
  )

describe('checkGrad', () => {
  it('lets a derivative pass that is right, and reports one that is wrong by a millionth', async () => {
    await checkGrad(device, almostSin(1), [x0])
    await expect(checkGrad(device, almostSin(1 + 1e-6), [x0])).rejects.toThrow('checkGrad: element 2')
  })

  it('reports derivatives of exchanged elements, whose sums agree', async () => {
    const reversed = customVjp(
      (x: Tensor) => x.mul(2),
      (_args, g): [Tensor] => [g.mul(2).reverse(0)],
    )
    await expect(checkGrad(device, reversed, [x0])).rejects.toThrow('checkGrad')
  })

  it('reports a derivative that is not a number, and one that is infinite', async () => {
    const broken = (value: number): ((x: Tensor) => Tensor) =>
      customVjp(
        (x: Tensor) => x.sin(),
        (_args, g): [Tensor] => [g.mul(0).add(value)],
      )
    await expect(checkGrad(device, broken(NaN), [x0])).rejects.toThrow(/derivative NaN.*3 elements differ/)
    await expect(checkGrad(device, broken(Infinity), [x0])).rejects.toThrow('derivative Infinity')
    expect((await gradientError(device, broken(NaN), [x0])).worst).toBe(Infinity)
  })

  it('counts every element of every float argument, and refuses floats that are too coarse for differences', async () => {
    const index = tensor([1, 0], { dtype: 'i32' })
    const f = (p: { readonly a: Tensor; readonly b: Tensor }, i: Tensor): Tensor =>
      p.a.mul(p.b).mul(i.cast('f64').sum())
    expect(await gradientError(device, f, [{ a: x0, b: x0.add(1) }, index])).toMatchObject({ checked: 6 })
    for (const dtype of ['f32', 'f16'] as const)
      await expect(checkGrad(device, (x: Tensor) => x.sin(), [tensor([1], { dtype })])).rejects.toThrow(
        `checkGrad: '0' is ${dtype}; finite differences need f64`,
      )
  })
})
