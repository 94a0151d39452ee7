/** Losses at the ends of their ranges, and what they refuse. Constants are PyTorch 1.13's in f64, unless a line says otherwise. */
import { describe, expect, it } from 'vitest'
import { losses as registry } from '../../proof/registry/layers/losses.ts'
import { grad } from '../../src/autograd/index.ts'
import {
  binaryCrossEntropy,
  charbonnier,
  crossEntropy,
  focalLoss,
  hinge,
  huber,
  klDiv,
  l1,
  mse,
  nllLoss,
  smoothL1,
  type ReductionOptions,
} from '../../src/nn/index.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import { tensor, zeros, zerosLike } from '../../src/tensor/create.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, values } from '../support/device.ts'

const none: ReductionOptions = { reduction: 'none' }
const f64 = (xs: readonly number[] | readonly (readonly number[])[]): Tensor => tensor(xs, { dtype: 'f64' })
const whole = (...labels: readonly number[]): Tensor => tensor(Int32Array.from(labels))
const devices: readonly (readonly [string, () => Device])[] = [
  ['cpu', () => cpuDevice()],
  ['cpu, primitive by primitive', () => cpuDevice({ fused: false })],
  ['wasm', () => deviceOn(wasmBackend())],
]

/** The losses, and the gradient of their sum with respect to the first argument. */
const lossAndGradient = async (
  device: Device,
  f: (x: Tensor) => Tensor,
  x: Tensor,
): Promise<readonly [number[], number[]]> => {
  const both = device.compile((z: Tensor) => [f(z), grad((w: Tensor) => f(w).sum())(z)] as const)
  const [loss, gradient] = await both(x)
  return [await values(loss, device), await values(gradient, device)]
}

const expectClose = (found: readonly number[], expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length)
  found.forEach((x, i) => {
    const y = expected[i] ?? NaN
    if (Number.isFinite(y)) expect(x).toBeCloseTo(y, 10)
    else expect(x).toBe(y)
  })
}

describe.each(devices)('losses at the ends on %s', (_, open) => {
  it('huber pulls with the force δ, however far away', async () => {
    const device = open()
    const x = f64([1e25, Infinity, -Infinity, 1, 0])
    const [loss, gradient] = await lossAndGradient(device, (z) => huber(z, zerosLike(z), none), x)
    expectClose(loss, [1e25, Infinity, Infinity, 0.5, 0])
    expectClose(gradient, [1, 1, -1, 1, 0])
    await device.close()
  })

  it('charbonnier is |d| far away, with the force ±1 at ±∞, and ε where nothing is wrong', async () => {
    const device = open()
    const x = f64([1e25, Infinity, -Infinity, -3, 0, 4e-170])
    const [loss, gradient] = await lossAndGradient(device, (z) => charbonnier(z, zerosLike(z), none), x)
    expectClose(loss, [1e25, Infinity, Infinity, Math.hypot(3, 1e-3), 1e-3, 1e-3])
    expectClose(gradient, [1, 1, -1, -3 / Math.hypot(3, 1e-3), 0, 0])
    await device.close()
  })

  it('a prediction or a target of NaN is a loss of NaN, whatever the loss', async () => {
    const device = open()
    const [one, nan] = [f64([1]), f64([NaN])]
    for (const loss of [mse, l1, huber, charbonnier, binaryCrossEntropy])
      for (const [x, y] of [
        [nan, one],
        [one, nan],
        [nan, zeros([1], 'f64')],
      ] as const)
        expect(await values(await device.compile((a: Tensor, b: Tensor) => loss(a, b))(x, y), device)).toEqual([NaN])
    const ofRow = device.compile((z: Tensor, label: Tensor) => crossEntropy(z, label))
    expect(await values(await ofRow(f64([[0, NaN]]), whole(0)), device)).toEqual([NaN])
    await device.close()
  })

  it('mse and l1 have the derivatives 2d and the sign of d at ±∞', async () => {
    const device = open()
    const x = f64([Infinity, -Infinity])
    const [squares, ofSquares] = await lossAndGradient(device, (z) => mse(z, zerosLike(z), none), x)
    expectClose(squares, [Infinity, Infinity])
    expectClose(ofSquares, [Infinity, -Infinity])
    const [distances, ofDistances] = await lossAndGradient(
      device,
      (z) => l1(z, zerosLike(z), none),
      f64([Infinity, -Infinity]),
    )
    expectClose(distances, [Infinity, Infinity])
    expectClose(ofDistances, [1, -1])
    await device.close()
  })

  it('binaryCrossEntropy of infinite logits: none on the right side, ∞ on the wrong one, with derivative σ(z) − y', async () => {
    const device = open()
    const logits = f64([Infinity, Infinity, Infinity, -Infinity, -Infinity, -Infinity, 1e30, 1e30, -1e30, -1e30])
    const y = f64([0, 1, 0.5, 0, 1, 0.5, 0, 1, 0, 1])
    const both = device.compile((z: Tensor, t: Tensor) => {
      const f = (w: Tensor): Tensor => binaryCrossEntropy(w, t, none)
      return [f(z), grad((w: Tensor) => f(w).sum())(z)] as const
    })
    const [loss, gradient] = await both(logits, y)
    // PyTorch says NaN where the limit is 0 or ∞ (0 · ∞); these are the limits.
    expectClose(await values(loss, device), [Infinity, 0, Infinity, 0, Infinity, Infinity, 1e30, 0, 0, 1e30])
    expectClose(await values(gradient, device), [1, 0, 0.5, 0, -1, -0.5, 1, 0, 0, -1])
    await device.close()
  })

  it('crossEntropy of a label that does not exist is NaN, and so is its gradient, where only the device knows the label', async () => {
    const device = open()
    const both = device.compile((z: Tensor, label: Tensor) => {
      const f = (w: Tensor): Tensor => crossEntropy(w, label, none)
      return [f(z), grad((w: Tensor) => f(w).sum())(z)] as const
    })
    const logits = f64([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
    const [loss, gradient] = await both(logits, whole(2, 1, -1))
    expectClose(await values(loss, device), [NaN, Math.LN2, NaN])
    expectClose(await values(gradient, device), [NaN, NaN, 0.5, -0.5, NaN, NaN])
    const [ofUnsigned] = await both(logits, tensor(Uint32Array.of(2 ** 32 - 1, 0, 1)))
    expectClose(await values(ofUnsigned, device), [NaN, Math.LN2, Math.LN2])
    await device.close()
  })

  it('crossEntropy with probabilities is −Σ p·log q, and a class that is impossible in both costs nothing', async () => {
    const device = open()
    const logits = f64([
      [1, 2, 3],
      [-Infinity, 0, 1],
    ])
    const p = f64([
      [0.2, 0.3, 0.5],
      [0, 0.5, 0.5],
    ])
    const both = device.compile((z: Tensor, t: Tensor) => {
      const f = (w: Tensor): Tensor => crossEntropy(w, t, none)
      return [f(z), grad((w: Tensor) => f(w).sum())(z)] as const
    })
    const [loss, gradient] = await both(logits, p)
    expectClose(await values(loss, device), [1.1076059644443805, 0.5 * (1.3132616875182228 + 0.31326168751822286)]) // PyTorch: NaN for the second, 0 · ∞
    expectClose(
      await values(gradient, device),
      [-0.10996942682961958, -0.05527152894520235, 0.16524095577482178, 0, -0.2310585786300049, 0.2310585786300049],
    )
    await device.close()
  })
})

type LossFunction = (prediction: Tensor, target: Tensor) => Tensor

/** Every loss that there is: one that the registry has and this list lacks does not compile. */
const functions: { readonly [K in keyof typeof registry]: LossFunction } = {
  mse,
  l1,
  huber,
  charbonnier,
  crossEntropy,
  binaryCrossEntropy,
  focalLoss,
  hinge,
  klDiv,
  nllLoss,
  smoothL1,
}

describe('what losses refuse', () => {
  const shapes = [
    [[4, 1], [4]],
    [[4], [4, 1]],
    [[1, 4], [4]],
    [[2, 3], [3]],
    [
      [2, 3],
      [2, 4],
    ],
    [[3], []],
    [
      [2, 4, 4, 3],
      [2, 4, 4, 1],
    ],
    [
      [2, 4, 4, 3],
      [1, 4, 4, 3],
    ],
  ] as const

  it.each(Object.keys(registry) as (keyof typeof registry)[])(
    '%s: every pair of shapes that would broadcast, naming both',
    (name) => {
      const takesLabels = name === 'crossEntropy' || name === 'nllLoss'
      const dtype = takesLabels ? 'i32' : 'f32'
      for (const [prediction, target] of shapes) {
        if (takesLabels && target.length === prediction.length - 1 && target.every((n, i) => n === prediction[i]))
          continue
        const run = (): Tensor => functions[name](zeros(prediction), zeros(target, dtype))
        expect(run).toThrow(expect.objectContaining({ name: 'ShapeError' }))
        expect(run).toThrow(`[${prediction.join()}]`)
        expect(run).toThrow(`[${target.join()}]`)
      }
    },
  )

  it('reductions and options that do not exist', () => {
    const misspelt =
      (options: object): (() => Tensor) =>
      () =>
        mse(zeros([1]), zeros([1]), options)
    expect(misspelt({ reduction: 'avg' })).toThrow("mse: the reduction is 'avg'; it must be mean, sum, none")
    expect(misspelt({ reduce: 'sum' })).toThrow("mse: there is no option 'reduce'; the options are reduction")
    expect(() => huber(zeros([1]), zeros([1]), { delta: 0 })).toThrow('huber: delta is 0')
    expect(() => huber(zeros([1]), zeros([1]), { delta: NaN })).toThrow('huber: delta is NaN')
    expect(() => charbonnier(zeros([1]), zeros([1]), { epsilon: -1 })).toThrow('charbonnier: epsilon is -1')
    expect(() => charbonnier(zeros([1]), zeros([1]), { epsilon: NaN })).toThrow('charbonnier: epsilon is NaN')
    expect(() => charbonnier(zeros([1]), zeros([1]), { epsilon: Infinity })).toThrow('charbonnier: epsilon is Infinity')
  })

  it('labels outside the classes and targets outside [0, 1], where the host knows them, also reshaped or cast', () => {
    const logits = zeros([1, 3])
    expect(() => crossEntropy(logits, whole(3))).toThrow(
      'crossEntropy: the label 3 is outside 0 … 2; they are counted from 0',
    )
    expect(() => crossEntropy(logits, whole(-1))).toThrow('the label -1 is outside 0 … 2')
    expect(() =>
      crossEntropy(
        logits,
        tensor([[7]])
          .reshape([1])
          .cast('i32'),
      ),
    ).toThrow('the label 7 is outside')
    expect(() => crossEntropy(logits, tensor(Uint8Array.of(200)))).toThrow('the label 200 is outside')
    expect(() => binaryCrossEntropy(zeros([2]), tensor([0, 2]))).toThrow('the target 2 is outside [0, 1]')
  })

  it('labels that are no classes: floats, and one-hot rows of integers, with what to write instead', () => {
    expect(() => crossEntropy(zeros([1, 3]), tensor([0.5]))).toThrow(
      "give integer labels of shape [1] (labels.cast('i32'))",
    )
    expect(() => crossEntropy(zeros([1, 3]), tensor([[0, 1, 0]], { dtype: 'i32' }))).toThrow("labels.cast('f32')")
    expect(() => crossEntropy(zeros([1, 3]), tensor([1], { dtype: 'bool' }))).toThrow('labels are integers')
  })

  it('bytes as labels reach beyond 255 classes', async () => {
    const logits = tensor(Array.from({ length: 300 }, (_, i) => (i === 5 ? 40 : 0))).reshape([1, 300])
    expect(await values(crossEntropy(logits, tensor(Uint8Array.of(5))))).toEqual([expect.closeTo(0, 5)])
  })
})
