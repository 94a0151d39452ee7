/** lucidrains' U-Net that reads an estimate of its images. */
import { describe, expect, it } from 'vitest'
import { lucidrainsNames, unet } from '../../src/models/index.ts'
import { decodeModel, modelOf, takesEstimate, withoutDefaults } from '../../src/models/registry.ts'
import { E } from '../../src/prelude/fp.ts'
import { placesOf } from '../../src/tensor/nameMap.ts'
import { concatenate } from '../../src/tensor/combine.ts'
import { tensor, zeros, zerosLike } from '../../src/tensor/create.ts'
import { key, normal } from '../../src/tensor/random.ts'
import { countElements } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

const size = { width: 8, multipliers: [1, 2] } as const
const settings = { ...size, heads: 2, headWidth: 4 } as const
const device = cpuDevice()

describe('a U-Net with selfCondition', () => {
  const model = unet({ ...size, selfCondition: true })
  const params = model.init(key(0))
  const [x, t] = [normal(key(1), [2, 4, 4, 3]), tensor(Int32Array.of(3, 70))]

  it('has as many parameters as lucidrains’ with self_condition, the estimate’s channels first', () => {
    expect(countElements(unet({ width: 64, selfCondition: true }).init(key(0)))).toBe(35_720_899)
    const stem = placesOf(params, lucidrainsNames(params)).find(({ path }) => path === 'stem.weight')
    expect(stem).toMatchObject({ name: 'init_conv.weight', shape: [8, 6, 7, 7] })
  })

  it('reads zeros where no estimate is given', async () => {
    const without = await values(model.apply(params, { x, t }), device)
    expect(await values(model.apply(params, { x, t, estimate: zerosLike(x) }), device)).toEqual(without)
    expect(await values(model.apply(params, { x, t, estimate: x.mul(0.5) }), device)).not.toEqual(without)
  })

  it('reads the estimate before x: of a stem that passes its first channels it is the estimate that is seen', async () => {
    const { weight } = params.stem
    const first = concatenate([weight.slice([], [], [0, 3]), zeros([7, 7, 3, 8])], 2)
    const ofEstimate = { ...params, stem: { ...params.stem, weight: first } }
    const estimate = normal(key(2), [2, 4, 4, 3])
    const seen = await values(model.apply(ofEstimate, { x, t, estimate }), device)
    expect(await values(model.apply(ofEstimate, { x: x.mul(3), t, estimate }), device)).toEqual(seen)
  })

  it('refuses an estimate that is not like x, and a network without a place for one refuses any', () => {
    expect(() => model.apply(params, { x, t, estimate: zeros([2, 4, 4, 1]) })).toThrow(
      'unet: the estimate is [2,4,4,1] for images [2,4,4,3]; it must be like them',
    )
    const plain = unet(size)
    expect(() => plain.apply(plain.init(key(0)), { x, t, estimate: x })).toThrow(
      'make it with the option selfCondition',
    )
  })

  it('is a setting, whose absence says that there is none', () => {
    expect(withoutDefaults({ ...settings, selfCondition: false })).toEqual(settings)
    expect(withoutDefaults({ ...settings, selfCondition: true })).toEqual({ ...settings, selfCondition: true })
    expect([takesEstimate(settings), takesEstimate({ ...settings, selfCondition: true })]).toEqual([false, true])
    expect(E.isRight(decodeModel({ ...settings, selfCondition: true }))).toBe(true)
    expect(E.isLeft(decodeModel({ ...settings, selfCondition: 1 }))).toBe(true)
    const network = modelOf({ ...settings, selfCondition: true }, 1)
    expect(countElements(network.init(key(0))) - countElements(modelOf(settings, 1).init(key(0)))).toBe(49 * 8)
  })
})
