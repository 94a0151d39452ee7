/** Stages over rows: what becomes one kernel, what stays apart, and that rows wait for nobody. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gradientOf } from '../../proof/fuzz/checks.ts'
import { inputsOf, outputsOf, programs } from '../../proof/fuzz/program.ts'
import { valueAndGrad } from '../../src/autograd/index.ts'
import { wasmBackend } from '../../src/backends/wasm/whole.ts'
import { addresses } from '../../src/compiler/addresses.ts'
import { compile } from '../../src/compiler/compile.ts'
import { operandsOf, resultsOf, stepsOf } from '../../src/compiler/kernel.ts'
import { usualLimits, type RowLimits } from '../../src/compiler/limits.ts'
import type { Plan } from '../../src/compiler/plan.ts'
import { readsOwnRow } from '../../src/compiler/rows.ts'
import { contiguous, type View } from '../../src/compiler/view.ts'
import { groupNorm, layerNorm } from '../../src/nn/index.ts'
import { silu } from '../../src/tensor/activations.ts'
import { tensor, zeros } from '../../src/tensor/create.ts'
import { deviceOn, type Device } from '../../src/tensor/device.ts'
import { key } from '../../src/tensor/random.ts'
import { logSoftmax, softmax } from '../../src/tensor/softmax.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { cpuDevice, stepByStep } from '../support/device.ts'
import { unorderedBackend } from '../support/unordered.ts'

const device = cpuDevice()

const planOf = (f: (...xs: readonly Tensor[]) => unknown, ...xs: readonly Tensor[]): Plan =>
  device.compile(f).plan(...xs)

const shown = (plan: Plan): readonly string[] => plan.kernels.map((k) => `${k.kind}: ${k.computes}`)

const rowsIn = ({ kernels }: Plan): readonly number[] => kernels.flatMap((k) => (k.kind === 'rows' ? [k.rows] : []))

const x = (...shape: readonly number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(i) * 3)).reshape(shape)
}

describe('over rows one kernel computes', () => {
  it.each([
    [[64, 10], 1],
    [[3, 7], 1],
    [[17], 0],
    [[8, 4, 16, 16], 3],
    [[8, 12, 5], 1],
  ] as const)('a softmax of %j along axis %i', (shape, axis) => {
    expect(planOf((y = x(1)) => softmax(y, axis), zeros(shape)).kernels).toHaveLength(1)
    expect(planOf((y = x(1)) => logSoftmax(y, axis), zeros(shape)).kernels).toHaveLength(1)
  })

  it('the derivative of a softmax, behind the softmax that it is of', () => {
    const f = (y: Tensor, g: Tensor): Tensor => valueAndGrad((z: Tensor) => softmax(z).mul(g).sum())(y)[1]
    const plan = planOf((y = x(1), g = x(1)) => f(y, g), zeros([64, 10]), zeros([64, 10]))
    expect(plan.kernels).toHaveLength(1)
  })

  const image = [16, 8, 8, 32] as const
  const norms = [
    ['layer norm', layerNorm(32), [64, 32]],
    ['group norm', groupNorm(8, 32), image],
  ] as const
  it.each(norms)(
    'a %s with its scale, shift and activation; with the derivative there are two more at most',
    (_, norm, shape) => {
      const params = norm.init(key(0))
      const forward = (y: Tensor): Tensor => silu(norm.apply(params, y))
      expect(planOf((y = x(1)) => forward(y), zeros(shape)).kernels.length).toBeLessThanOrEqual(2)
      const loss = (p: typeof params, y: Tensor, g: Tensor): Tensor => silu(norm.apply(p, y)).mul(g).sum()
      const both = device.compile((p: typeof params, y: Tensor, g: Tensor) => [
        silu(norm.apply(p, y)),
        valueAndGrad((at: { readonly p: typeof params; readonly y: Tensor }) => loss(at.p, at.y, g))({ p, y })[1],
      ])
      expect(both.plan(params, zeros(shape), zeros(shape)).kernels.length).toBeLessThanOrEqual(5)
    },
  )

  it('what is read again of an earlier stage, from the row itself', () => {
    const centred = (y: Tensor): Tensor => y.sub(y.mean(1, true))
    expect(shown(planOf((y = x(1)) => centred(y).square().mean(1), zeros([32, 50])))).toEqual([
      'rows: reduceSum → div neg → add mul reduceSum → div',
    ])
  })
})

describe('these stay apart', () => {
  it('a reduction over rows, for they would wait for each other', () => {
    const plan = planOf((y = x(1)) => y.sub(y.max(0, true)), zeros([64, 200]))
    expect(rowsIn(plan)).toEqual([])
  })

  it('a kernel that reads another row than its own', () => {
    const plan = planOf((y = x(1)) => y.sub(y.sum(1, true).reverse(0)), zeros([64, 200]))
    expect(rowsIn(plan)).toEqual([])
  })

  const bounded = (rows: Partial<RowLimits>): readonly number[] => {
    const { program } = planOf((y = x(1)) => softmax(y), zeros([64, 10]))
    return rowsIn(compile(program, { limits: { ...usualLimits, rows: { ...usualLimits.rows, ...rows } } }))
  }

  it('rows that are longer than a backend takes, or stages of which it takes fewer', () => {
    expect([bounded({}), bounded({ longest: 9 }), bounded({ longest: 10, stages: 5 })]).toEqual([[64], [], [64]])
    expect(bounded({ few: 65, small: 639 })).toEqual([])
    expect(bounded({ few: 65, small: 640 })).toEqual([64])
  })

  it('elementwise kernels alone, for the passes before have joined what may be joined', () => {
    const f = (y: Tensor): readonly Tensor[] => [y.exp(), y.exp().reverse(0).mul(y)]
    expect(rowsIn(planOf((y = x(1)) => f(y), zeros([40])))).toEqual([])
  })

  it('kernels whose rows together would have more memories than a backend binds', () => {
    const many = Array.from({ length: 4 }, () => zeros([64, 10]))
    const f = (y = x(1), ...others: readonly Tensor[]): Tensor =>
      others.reduce((sum, other) => sum.add(other).mul(sum.sum(1, true)), y)
    const { program } = planOf(f, zeros([64, 10]), ...many)
    const all = compile(program, { limits: { ...usualLimits, memories: 5 } })
    for (const kernel of all.kernels) {
      const touched = [...operandsOf(kernel), ...resultsOf(kernel)].map(({ buffer }) => all.buffers[buffer]?.placement)
      expect(new Set(touched.map((p) => (p?.kind === 'argument' ? p.index : p?.kind))).size).toBeLessThanOrEqual(5)
    }
  })
})

describe('rows and members of groups may run in any order', () => {
  const read = async (
    on: Device,
    f: (...xs: readonly Tensor[]) => readonly Tensor[],
    given: readonly Tensor[],
  ): Promise<unknown> => Promise.all((await on.compile(f)(...given)).map((y) => on.read(y)))

  it.each([
    [
      'values',
      (program: Parameters<typeof outputsOf>[0]) =>
        (...xs: readonly Tensor[]) =>
          outputsOf(program, xs),
    ],
    ['gradients', (program: Parameters<typeof outputsOf>[0]) => gradientOf((...xs) => outputsOf(program, xs))],
  ] as const)('of random programs: %s have the bits of one step after the other', async (_, of) => {
    const [unordered, plain] = [deviceOn(unorderedBackend()), cpuDevice({ passes: stepByStep })]
    await fc.assert(
      fc.asyncProperty(programs(5, 40), async (program) => {
        const f = of(program)
        expect(await read(unordered, f, inputsOf(program))).toEqual(await read(plain, f, inputsOf(program)))
      }),
      { seed: 31, numRuns: 100 },
    )
  })

  const normed = (y = x(1)): readonly Tensor[] => [
    softmax(y),
    y.sub(y.mean(-1, true)).div(y.sub(y.mean(-1, true)).square().mean(-1, true).add(1e-5).sqrt()),
    y.exp().add(y.sum(-1, true)).cast('f16').mul(2),
    y.cast('i32').max(-1, true).add(y.cast('i32')).sum(-1),
  ]

  it.each([[[64, 10]], [[3, 7]], [[9, 5, 33]], [[131, 3]], [[1, 100]]])(
    'of norms and softmaxes of %j',
    async (shape) => {
      const plain = await read(cpuDevice({ passes: stepByStep }), normed, [x(...shape)])
      expect(await read(deviceOn(unorderedBackend()), normed, [x(...shape)])).toEqual(plain)
    },
  )

  const digestsOn = async (on: Device, given: Tensor): Promise<readonly string[]> =>
    Promise.all(
      (await on.compile(normed)(given)).map(async (y) => {
        const { buffer, byteOffset, byteLength } = await on.read(y)
        return createHash('sha256')
          .update(new Uint8Array(buffer, byteOffset, byteLength))
          .digest('hex')
      }),
    )

  it.each([
    [[64, 10]],
    [[3, 7]],
    [[9, 5, 33]],
    [[1031, 3]],
    [[64, 1024]],
    [[1024, 100]],
    [[4096, 33]],
    [[16, 512, 8]],
    [[2, 4099]],
    [[1, 100]],
  ])('of norms and softmaxes of %j on wasm, in units of some rows', async (shape) => {
    const apart = deviceOn(wasmBackend(), { passes: stepByStep })
    expect(await digestsOn(deviceOn(wasmBackend()), x(...shape))).toEqual(await digestsOn(apart, x(...shape)))
  })
})

it('a result of rows lies where a donated argument did, which each row reads before it writes', () => {
  const f = (y: Tensor): Tensor => y.div(y.sum(1, true))
  const plan = device.compile(f, { donate: [0] }).plan(zeros([64, 10]))
  expect(plan.kernels.map((k) => stepsOf(k).length)).toEqual([2])
  expect([...plan.overwrites]).toEqual([[0, 0]])
  const turned = device.compile((y: Tensor) => y.div(y.sum(1, true).reverse(0)), { donate: [0] })
  expect([...turned.plan(zeros([64, 10])).overwrites]).toEqual([[0, 0]]) // two kernels: all is read before
})

describe('of a donated argument', () => {
  const overwritesOf = (f: (y: Tensor) => unknown): readonly (readonly [number, number])[] => {
    const plan = device.compile(f, { donate: [0] }).plan(zeros([64, 10]))
    expect(plan.kernels.map((k) => k.kind)).toEqual(['rows'])
    return [...plan.overwrites]
  }

  it('the place is taken by the stage that reads it last', () => {
    expect(overwritesOf((y) => [y.exp().mul(2), y.sub(y.exp().mul(2).sum(1, true))])).toEqual([[1, 0]])
  })

  it('no place is taken while other rows have yet to read it', () => {
    expect(overwritesOf((y) => y.mul(y.reverse(0).sum(1, true)))).toEqual([])
  })
})

describe('a row reads its own part', () => {
  const views = fc
    .array(fc.record({ length: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: -6, max: 24 }) }), {
      minLength: 1,
      maxLength: 3,
    })
    .chain((axes) =>
      fc.record({
        axes: fc.constant(axes),
        offset: fc.integer({ min: 0, max: 30 }),
        rows: fc.constantFrom(1, 2, 3, 4, 6, 8, 12, 16),
        each: fc.integer({ min: 1, max: 24 }),
      }),
    )

  it('as all its addresses say, whatever the view', () => {
    let found = 0
    fc.assert(
      fc.property(views, ({ axes, offset, rows, each }) => {
        const view = { offset, shape: axes.map((a) => a.length), strides: axes.map((a) => a.stride) }
        const all = [...addresses(view)]
        const length = rows * each
        fc.pre(all.length % rows === 0 && all.every((a) => a >= 0 && a < length))
        if (!readsOwnRow({ buffer: 0, view, dtype: 'f32' }, length, rows)) return
        found += rows > 1 ? 1 : 0
        const perRow = all.length / rows
        all.forEach((address, i) => {
          expect(Math.floor(address / each)).toBe(Math.floor(i / perRow))
        })
      }),
      { seed: 5, numRuns: 20_000 },
    )
    expect(found).toBeGreaterThan(60)
  })

  it('of a whole buffer, of a statistic for each row, and of rows in windows', () => {
    const reads = (view: View, length: number, rows: number): boolean =>
      readsOwnRow({ buffer: 0, view, dtype: 'f32' }, length, rows)
    expect(reads(contiguous([6, 4]), 24, 6)).toBe(true)
    expect(reads({ offset: 0, shape: [6, 4], strides: [1, 0] }, 6, 6)).toBe(true)
    expect(reads({ offset: 1, shape: [6, 3], strides: [4, 1] }, 24, 6)).toBe(true)
    expect(reads({ offset: 3, shape: [6, 4], strides: [4, -1] }, 24, 6)).toBe(true) // reversed within a row
    expect(reads({ offset: 20, shape: [6, 4], strides: [-4, 1] }, 24, 6)).toBe(false) // rows reversed
    expect(reads({ offset: 1, shape: [6, 4], strides: [4, -1] }, 24, 6)).toBe(false) // from before the row
    expect(reads({ offset: 0, shape: [6, 4], strides: [4, 2] }, 24, 6)).toBe(false) // beyond its end
    expect(reads({ offset: 0, shape: [6, 4], strides: [1, 6] }, 24, 6)).toBe(false) // columns
  })
})
