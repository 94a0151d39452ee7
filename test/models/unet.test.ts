/** The U-Net's size, its errors, and what its weights must be. */
import { describe, expect, it } from 'vitest'
import {
  lucidrainsWeights,
  mlp,
  unet,
  type LucidrainsTensor,
  type UnetInput,
  type UnetParams,
} from '../../src/models/index.ts'
import { E } from '../../src/prelude/fp.ts'
import { ones, tensor, zeros } from '../../src/tensor/create.ts'
import { key, normal, type Key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { countElements, leavesWithPaths } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'
import { goldenTensors } from './golden.ts'

const count = (options: Parameters<typeof unet>[0]): number => countElements(unet(options).init(key(0)))

describe('unet', { timeout: 60_000 }, () => {
  it('has as many parameters as lucidrains’', () => {
    expect(count({ width: 64 })).toBe(35_711_491)
    expect(count({ width: 32, channels: 1 })).toBe(9_196_161)
    expect(count({ width: 16, multipliers: [1, 2, 4] })).toBe(722_787)
  })

  it('gives images of the size it takes, with outChannels channels', () => {
    const model = unet({ width: 8, multipliers: [1, 2, 2], channels: 2, outChannels: 5, initWidth: 12, memory: 0 })
    const y = model.apply(model.init(key(0)), { x: zeros([3, 8, 12, 2]), t: zeros([3], 'i32') })
    expect([y.shape, y.dtype]).toEqual([[3, 8, 12, 5], 'f32'])
  })

  it('draws its dropout from the key in training, and needs none in evaluation', async () => {
    const device = cpuDevice()
    const model = unet({ width: 8, multipliers: [1, 2], dropout: 0.3 })
    const params = await device.realize(model.init(key(0)))
    const input = { x: ones([1, 4, 4, 3]), t: tensor(Int32Array.of(10)) }
    const train = device.compile((p: UnetParams, x: UnetInput, k: Key) => model.apply(p, x, { train: true, key: k }))
    const trained = async (seed: number): Promise<readonly number[]> =>
      values(await train(params, input, key(seed)), device)
    expect(await trained(1)).toEqual(await trained(1))
    expect(await trained(1)).not.toEqual(await trained(2))
    const without = unet({ width: 8, multipliers: [1, 2] })
    expect(await values(model.apply(params, input), device)).toEqual(await values(without.apply(params, input), device))
  })

  describe('with conditions', () => {
    const options = { width: 8, multipliers: [1, 2] }
    const [plain, told] = [unet(options), unet({ ...options, conditions: 3 })]
    const x = normal(key(7), [2, 4, 4, 3])
    const t = tensor(Int32Array.of(3, 700))

    it('has one more matrix, in the network of the time, and begins with the same numbers otherwise', async () => {
      const [before, after] = [leavesWithPaths(plain.init(key(0))), leavesWithPaths(told.init(key(0)))]
      const added = after.filter(([path]) => !before.some(([other]) => other === path))
      expect(added.map(([path, { shape }]) => [path, shape])).toEqual([['time.condition.weight', [3, 32]]])
      expect(leavesWithPaths(unet({ ...options, conditions: 0 }).init(key(0))).map(([path]) => path)).toEqual(
        before.map(([path]) => path),
      )
      const device = cpuDevice()
      const byPath = new Map(after)
      for (const [path, p] of before)
        expect(await values(byPath.get(path) ?? p.mul(NaN), device), path).toEqual(await values(p, device))
    })

    it('is told nothing by zeros and by no condition, and something by another', async () => {
      const device = cpuDevice()
      const params = await device.realize(told.init(key(0)))
      const drawn = async (condition?: Tensor): Promise<readonly number[]> =>
        values(told.apply(params, { x, t, condition }), device)
      const nothing = await drawn()
      expect(await drawn(zeros([2, 3]))).toEqual(nothing)
      const something = await drawn(
        tensor([
          [1, 0, 0],
          [0, 0, 0],
        ]),
      )
      const half = nothing.length / 2
      expect(something.slice(0, half)).not.toEqual(nothing.slice(0, half))
      expect(something.slice(half)).toEqual(nothing.slice(half)) // the second image is told nothing
    })

    it('gives the networks’ outputs without conditions, to the bit, where it is told nothing', async () => {
      const device = cpuDevice()
      const ours = await values(told.apply(told.init(key(0)), { x, t }), device)
      expect(ours).toEqual(await values(plain.apply(plain.init(key(0)), { x, t }), device))
    })

    it('refuses a condition of another shape, one that it was not made for, and a length that is none', () => {
      const apply = (model: typeof told, condition: Tensor) => () =>
        model.apply(model.init(key(0)), { x, t, condition })
      expect(apply(told, zeros([2, 4]))).toThrow(
        'the condition is [2,4], and must be [2,3]: a vector of conditions for',
      )
      expect(apply(told, zeros([3]))).toThrow('the condition is [3], and must be [2,3]')
      expect(apply(plain, zeros([2, 4]))).toThrow('make it with the option conditions: 4')
      expect(() => unet({ width: 8, conditions: -1 })).toThrow('conditions is -1; it must be a whole number')
    })
  })

  it('says which sizes fit when one does not', () => {
    const model = unet({ width: 8, multipliers: [1, 2, 2] })
    const apply =
      (h: number, w: number, c = 3) =>
      () =>
        model.apply(model.init(key(0)), { x: zeros([1, h, w, c]), t: zeros([1]) })
    expect(apply(18, 24)).toThrow(
      'images of 18×24 do not fit: height and width must be divisible by 4 (2 halvings); use height 16 or 20, width 24',
    )
    expect(apply(3, 8)).toThrow('use height 4, width 8')
    expect(apply(8, 8, 1)).toThrow('takes images [N, H, W, 3], got [1,8,8,1]')
  })

  it('refuses options that do not fit together', () => {
    expect(() => unet({ width: 8, multipliers: [] })).toThrow('multipliers is empty')
    expect(() => unet({ width: 8, multipliers: [1, 2], heads: [4] })).toThrow('heads has 1 values for 2 stages')
    expect(() => unet({ width: 7 })).toThrow('must be even')
  })
})

describe('lucidrainsWeights', () => {
  const template = unet({ width: 16, multipliers: [1, 2, 4] }).init(key(0))
  const message = (weights: ReadonlyMap<string, LucidrainsTensor>): string => {
    const result = lucidrainsWeights(template, weights)
    return E.isLeft(result) ? result.left.message : ''
  }

  it('names every tensor that is missing, extra or of another shape', async () => {
    const weights = new Map(await goldenTensors('lucidrains-unet/weights.safetensors'))
    expect(message(weights)).toBe('')
    weights.set('stray', { shape: [1], values: new Float32Array(1) })
    weights.set('final_conv.bias', { shape: [4], values: new Float32Array(4) })
    weights.delete('mid_attn.mem_kv')
    expect(message(weights)).toContain("'mid_attn.mem_kv' [2,4,4,32] is missing")
    expect(message(weights)).toContain("'final_conv.bias' is [4] where the model has [3]")
    expect(message(weights)).toContain("'stray' is not in the model")
  })
})

describe('mlp', () => {
  it('has a linear layer between each two widths', () => {
    const model = mlp([2, 8, 8, 1])
    expect(countElements(model.init(key(0)))).toBe(2 * 8 + 8 + 8 * 8 + 8 + 8 + 1)
    expect(model.apply(model.init(key(0)), tensor([[1, 2]])).shape).toEqual([1, 1])
  })

  it('needs an input and an output', () => {
    expect(() => mlp([3])).toThrow('got [3]')
  })
})
