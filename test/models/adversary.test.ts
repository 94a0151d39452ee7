/** The patch discriminator, what both sides lose, and how they are held in balance. Constants are PyTorch 1.13's in f64, unless a line says otherwise. */
import { describe, expect, it } from 'vitest'
import { checkGrad } from '../../src/autograd/check.ts'
import { grad } from '../../src/autograd/grad.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import {
  adaptiveWeight,
  adversarialLosses,
  patchDiscriminator,
  r1Penalty,
  type PatchDiscriminatorParams,
} from '../../src/models/index.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn } from '../../src/tensor/device.ts'
import { key } from '../../src/tensor/random.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { countElements, leavesWithPaths, mapTree } from '../../src/tensor/tree.ts'
import { cpuDevice, values } from '../support/device.ts'

const device = cpuDevice()

/** s·sin(a·i + b) for element i, in row-major order. */
const wave = (shape: readonly number[], a: number, b: number, s = 1): Tensor => {
  const size = shape.reduce((m, n) => m * n, 1)
  return tensor(
    Float64Array.from({ length: size }, (_, i) => s * Math.sin(a * i + b)),
    { shape },
  )
}

const small = { width: 4, layers: 2, groups: 2 } as const

/** The layers in order, so that each has a wave of its own; norms come after all convolutions. */
const order = ['first', 'blocks.0.conv', 'blocks.1.conv', 'last', 'blocks.0.norm', 'blocks.1.norm']

/** Parameters that the program in Python has as well. */
const filled = (params: PatchDiscriminatorParams): PatchDiscriminatorParams =>
  mapTree(params, (p, path) => {
    const [layer, kind] = [path.slice(0, path.lastIndexOf('.')), path.slice(path.lastIndexOf('.') + 1)]
    const k = order.indexOf(layer)
    if (layer.endsWith('norm'))
      return kind === 'weight' ? wave(p.shape, 1.3 + k, k, 0.3).add(1) : wave(p.shape, 0.9 + k, k, 0.2)
    return kind === 'weight' ? wave(p.shape, 0.7 + 0.13 * k, k, 0.2) : wave(p.shape, 1.1 + k, k, 0.1)
  })

const real = wave([2, 16, 12, 3], 0.37, 0.2)
const made = wave([2, 16, 12, 3], 0.23, 1.4, 0.8)

const golden = [
  {
    norm: 'group',
    logits: [-0.6369030108937975, -0.1209997873386311, -0.9393266759311769, -0.4544230571945257],
    hinge: [1.0901665086021497, 0.3575801156352335],
    vanilla: [0.770485468191008, 0.8905087382940103],
    r1: 372.0819899731278,
    ofR1: [5345.958330132333, -184.02555064544904],
    ofHinge: [7.89836932546006, 0.42207813539747324],
  },
  {
    norm: 'none',
    logits: [-0.005588017888216234, 0.020855907345209302, -0.00516822457607671, 0.0214079796339042],
    hinge: [0.9865430007204754, 0.0190370874303442],
    vanilla: [0.6864590749594698, 0.7027167876584536],
    r1: 0.23317300833539106,
    ofR1: [0.7167424381832344, -0.007702106722525935],
    ofHinge: [0.4322210000580285, 0.004932373928983717],
  },
] as const

/** The norm of a gradient, and its first element. */
const told = async (g: Tensor): Promise<readonly [number, number]> => {
  const all = await values(g, device)
  return [Math.hypot(...all), all[0] ?? NaN]
}

const expectNear = (found: readonly number[], expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length)
  found.forEach((x, i) => {
    const y = expected[i] ?? NaN
    expect(Math.abs(x - y), `${x} for ${y}`).toBeLessThanOrEqual(1e-11 * Math.max(1, Math.abs(y)))
  })
}

describe.each(golden)('patchDiscriminator with norm $norm', ({ norm, ...expected }) => {
  const net = patchDiscriminator({ ...small, norm })
  const params = filled(net.init(key(0)))
  const judge = (x: Tensor): Tensor => net.apply(params, x)

  it('gives the logits of PyTorch', async () => {
    expect(judge(real).shape).toEqual([2, 2, 1, 1])
    expectNear(await values(judge(real), device), expected.logits)
  })

  it.each(['hinge', 'vanilla'] as const)('both sides lose what they lose in PyTorch: %s', async (kind) => {
    const { discriminator, generator } = adversarialLosses[kind]
    const found = [discriminator(judge(real), judge(made)), generator(judge(made))]
    expectNear(await Promise.all(found.map(async (x) => device.item(x))), expected[kind])
  })

  it('has the gradients of PyTorch, and so has its penalty', async () => {
    const loss = (p: PatchDiscriminatorParams): Tensor =>
      adversarialLosses.hinge.discriminator(net.apply(p, real), net.apply(p, made))
    expectNear(await told(grad(loss)(params).first.weight), expected.ofHinge)
    const penalty = (p: PatchDiscriminatorParams): Tensor => r1Penalty(grad, (x) => net.apply(p, x), real)
    expectNear([await device.item(penalty(params))], [expected.r1])
    const block = grad(penalty)(params).blocks[0]
    if (block === undefined) throw new Error('there is no block')
    expectNear(await told(block.conv.weight), expected.ofR1)
  })

  it('the gradients of both losses and of the penalty agree with finite differences', async () => {
    const tiny = patchDiscriminator({ channels: 1, width: 2, layers: 1, groups: 2, norm })
    const own = filled(tiny.init(key(0)))
    const [x, y] = [wave([1, 6, 6, 1], 0.7, 0.1), wave([1, 6, 6, 1], 0.4, 0.9)]
    const { discriminator, generator } = adversarialLosses.vanilla
    await checkGrad(
      device,
      (p: PatchDiscriminatorParams, a: Tensor, b: Tensor) => discriminator(tiny.apply(p, a), tiny.apply(p, b)),
      [own, x, y],
      { step: 1e-4 },
    )
    await checkGrad(device, (p: PatchDiscriminatorParams, b: Tensor) => generator(tiny.apply(p, b)), [own, y], {
      step: 1e-4,
    })
    const penalty = (p: PatchDiscriminatorParams, a: Tensor): Tensor => r1Penalty(grad, (b) => tiny.apply(p, b), a)
    await checkGrad(device, penalty, [own, x], { step: 1e-4 })
  })
})

describe('patchDiscriminator', () => {
  it('has the 2,765,633 parameters of pix2pix’s by default, and biases where no norm takes them out', () => {
    expect(countElements(patchDiscriminator().init(key(0)))).toBe(2_765_633)
    expect(countElements(patchDiscriminator({ norm: 'none' }).init(key(0)))).toBe(2_764_737)
    const paths = (norm: 'group' | 'none'): readonly string[] =>
      leavesWithPaths(patchDiscriminator({ ...small, norm }).init(key(0))).map(([path]) => path)
    expect(paths('group')).not.toContain('blocks.0.conv.bias')
    expect(paths('none')).toContain('blocks.0.conv.bias')
  })

  it('its channels double up to eight times the first, however many layers there are', () => {
    const { blocks } = patchDiscriminator({ width: 2, layers: 5, norm: 'none' }).init(key(0))
    expect(blocks.map(({ conv }) => conv.weight.shape)).toEqual([
      [4, 4, 2, 4],
      [4, 4, 4, 8],
      [4, 4, 8, 16],
      [4, 4, 16, 16],
      [4, 4, 16, 16],
    ])
  })

  it('a logit sees 70×70 pixels by default: a change beyond them leaves it as it is', async () => {
    const net = patchDiscriminator({ channels: 1, width: 1, norm: 'none' })
    const params = filled(net.init(key(0)))
    const seen = grad((x: Tensor) => net.apply(params, x).slice([], [6, 7], [6, 7]).sum())(
      zeros([1, 128, 128, 1], 'f64'),
    )
    const rows = await values(seen.abs().sum([0, 2, 3]), device)
    expect(rows.filter((s) => s > 0)).toHaveLength(70)
  })

  it('begins with weights of deviation 0.02 around 0, biases of 0, and different layers with different numbers', async () => {
    const { first, blocks } = patchDiscriminator({ width: 32 }).init(key(3))
    const weights = await values(blocks[0]?.conv.weight ?? zeros([1]), device)
    const mean = weights.reduce((a, b) => a + b) / weights.length
    const deviation = Math.sqrt(weights.reduce((a, w) => a + (w - mean) ** 2, 0) / weights.length)
    expect(Math.abs(mean)).toBeLessThan(5e-4)
    expect(deviation).toBeCloseTo(0.02, 3)
    expect(await values(first.bias ?? zeros([1]), device)).toEqual(Array.from({ length: 32 }, () => 0))
    expect(await values(first.weight.slice([], [], [], [0, 8]), device)).not.toEqual(weights.slice(0, 384))
  })

  it('refuses what is no picture of its channels, what is too small, and options that are none', () => {
    const net = patchDiscriminator()
    const params = net.init(key(0))
    expect(() => net.apply(params, zeros([1, 64, 64, 1]))).toThrow(
      'patchDiscriminator: takes pictures [N, H, W, 3], got [1,64,64,1]',
    )
    expect(() => net.apply(params, zeros([1, 23, 64, 3]))).toThrow('give at least 24×24, or fewer layers')
    expect(net.apply(params, zeros([1, 24, 25, 3])).shape).toEqual([1, 1, 1, 1])
    expect(() => patchDiscriminator({ layers: 0 })).toThrow('patchDiscriminator: layers is 0')
    expect(() => patchDiscriminator({ width: 48 })).not.toThrow()
    expect(() => patchDiscriminator({ width: 20 })).not.toThrow()
    expect(() => patchDiscriminator({ width: 20, groups: 32 })).toThrow('32 groups do not divide 40 channels')
    const batch = { norm: 'batch' } as object
    expect(() => patchDiscriminator(batch)).toThrow("patchDiscriminator: norm is 'batch'; it must be 'group' or 'none'")
  })

  it('judges on wasm as on cpu', async () => {
    const net = patchDiscriminator(small)
    const params = mapTree(filled(net.init(key(0))), (p) => p.cast('f32'))
    const x = real.cast('f32')
    const wasm = deviceOn(wasmBackend())
    const judge = wasm.compile((p: PatchDiscriminatorParams, x: Tensor) => net.apply(p, x))
    const found = await values(await judge(await wasm.realize(params), await wasm.realize(x)), wasm)
    found.forEach((y, i) => expect(y).toBeCloseTo(golden[0].logits[i] ?? NaN, 4))
    await wasm.close()
  })
})

describe('adversarial losses', () => {
  it('hinge lets go of real pictures above 1 and of made ones below −1, and never of the generator', async () => {
    const { discriminator, generator } = adversarialLosses.hinge
    const [r, m] = [tensor([3, 1.5, -1]), tensor([-2, -1.5, 0.5])]
    expect(await values(grad((x: Tensor) => discriminator(x, m))(r))).toEqual([-0, -0, Math.fround(-1 / 6)])
    expect(await values(grad((x: Tensor) => discriminator(r, x))(m))).toEqual([0, 0, Math.fround(1 / 6)])
    const pull = await values(grad(generator)(m))
    expect(pull.every((g) => g === Math.fround(-1 / 3))).toBe(true)
  })

  it('vanilla pulls at a generator that is far behind with full force, and stays finite', async () => {
    const { discriminator, generator } = adversarialLosses.vanilla
    const far = tensor([-1000])
    expect(await values(generator(far))).toEqual([1000])
    expect(await values(grad((x: Tensor) => generator(x))(far))).toEqual([-1])
    expect(await values(discriminator(tensor([1000]), far))).toEqual([0])
  })
})

describe('the penalty and the weight', () => {
  it('r1Penalty is the squared gradient of one judgement, the mean over several pictures, and the same for pictures of twice the size', async () => {
    const steep = (x: Tensor): Tensor => x.mul(tensor([1, 2, 2], { dtype: 'f64' })).sum(-1, true)
    const sizes = [
      [1, 1, 1, 3],
      [7, 1, 1, 3],
      [2, 8, 8, 3],
      [2, 16, 16, 3],
    ] as const
    for (const shape of sizes) expect(await device.item(r1Penalty(grad, steep, zeros(shape, 'f64')))).toBeCloseTo(9, 12)
  })

  it('the weight is the quotient of the norms where that is below 1, never more than the factor, and 0 without a reconstruction', async () => {
    const [three, four] = [tensor([3, 0]), tensor([0, 4])]
    const weight = async (a: unknown, b: unknown, options = {}): Promise<number> =>
      device.item(adaptiveWeight(a, b, options))
    expect(await weight(three, four)).toBeCloseTo(0.375, 4)
    expect(await weight({ a: three, b: [four] }, { a: tensor([10, 0]), b: [tensor([0, 0])] })).toBeCloseTo(0.25, 4)
    expect(await weight(four, three)).toBe(0.5)
    expect(await weight(four, zeros([2]), { most: 1e4, factor: 1 })).toBe(1e4)
    expect(await weight(four, zeros([2]), { most: 1e6, factor: 1 })).toBeCloseTo(4e4, 0)
    expect(await weight(zeros([2]), zeros([2]))).toBe(0)
  })

  it('no gradient flows through the weight', async () => {
    const through = grad((x: Tensor) => adaptiveWeight(x, x.mul(3)).mul(x.sum()))(tensor([1, 2]))
    const [a = NaN, b = NaN] = await values(through)
    expect(a).toBe(b) // the weight itself, as a constant
    expect(a).toBeCloseTo(1 / 6, 4)
  })
})
