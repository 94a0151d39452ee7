/** 3×3 convolutions by Winograd's algorithms, against cpu's sums. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '../../../src/prelude/fp.ts'
import { at } from '../../../src/prelude/array.ts'
import { contiguous } from '../../../src/compiler/view.ts'
import type { ConvKernel } from '../../../src/compiler/kernel.ts'
import { sizeOf, type Shape } from '../../../src/graph/shape.ts'
import { generate } from '../../../src/backends/wasm/generate.ts'
import { winogradWith } from '../../../src/backends/wasm/conv/winograd.ts'
import { winograds } from '../../../src/compiler/contraction/winograd.ts'
import { convKernel, plain } from '../../support/convolutions.ts'
import { scaledAndShifted, twoViews } from '../../support/epilogues.ts'
import { machines } from '../../support/machines.ts'
import { runOnCpu, runPhases } from '../../support/phases.ts'
import { numbersFrom, viewOf, type Viewed } from '../../support/views.ts'

/** A kernel over buffers 0 and 1, into 2, with their contents. */
interface Case {
  readonly kernel: ConvKernel
  readonly buffers: readonly Float32Array[]
}

/** The axes of a view in another order. */
const permuted = ({ view: { offset, shape, strides }, length }: Viewed, order: readonly number[]): Viewed => ({
  view: { offset, shape: order.map((a) => at(shape, a)), strides: order.map((a) => at(strides, a)) },
  length,
})

/** A view of `shape` and a number of channels behind it, which are neighbours in memory. */
const withChannels = (shape: Shape, channels: number): fc.Arbitrary<Viewed> =>
  viewOf(shape).map(({ view, length }) => ({
    view: {
      offset: view.offset * channels,
      shape: [...shape, channels],
      strides: [...view.strides.map((s) => s * channels), 1],
    },
    length: length * channels,
  }))

const caseOf = (x: Viewed, w: Viewed, padLow: readonly [number, number], shape: Shape): Case => {
  const high = (i: 0 | 1): number => at(shape, i + 1) + at(w.view.shape, i) - 1 - padLow[i] - at(x.view.shape, i + 1)
  return {
    kernel: convKernel(x.view, w.view, { ...plain, padLow, padHigh: [high(0), high(1)] }, shape),
    buffers: [numbersFrom(1, x.length), numbersFrom(2, w.length), new Float32Array(sizeOf(shape))],
  }
}

const sizes = fc.record({
  n: fc.integer({ min: 1, max: 3 }),
  c: fc.constantFrom(8, 16, 24, 40),
  o: fc.constantFrom(8, 16, 24, 40),
  image: fc.tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 11 })),
  result: fc.tuple(fc.integer({ min: 1, max: 11 }), fc.integer({ min: 1, max: 11 })),
  padLow: fc.tuple(fc.integer({ min: -2, max: 4 }), fc.integer({ min: -2, max: 4 })),
  isTurned: fc.boolean(),
})

/** Forward, and with output channels apart as in the gradient of an input: any crops and margins, taps in any order. */
const images: fc.Arbitrary<Case> = sizes.chain(({ n, c, o, image, result, padLow, isTurned }) =>
  fc
    .tuple(withChannels([n, ...image], c), isTurned ? withChannels([3, 3, o], c) : withChannels([3, 3, c], o))
    .map(([x, w]) => caseOf(x, isTurned ? permuted(w, [0, 1, 3, 2]) : w, padLow, [n, ...result, o])),
)

/** The gradient of a filter: channels are the batch of the image, and the cotangent is the filter. */
const filters: fc.Arbitrary<Case> = sizes
  .filter(({ result: [height, width] }) => height !== 3 || width !== 3)
  .chain(({ n, c, o, image, result, padLow }) =>
    fc
      .tuple(withChannels([n, ...image], c), withChannels([...result, n], o))
      .map(([x, g]) => caseOf(permuted(x, [3, 1, 2, 0]), g, padLow, [c, 3, 3, o])),
  )

/**
 * The largest error, as a share of the magnitude of a whole sum of products of numbers between −1 and 1, a quarter of their count. Where margins
 * leave few pixels to be summed, products with the pixels beside them must cancel, so the errors are those of a whole sum.
 */
const worst = (found: Float32Array, { kernel, buffers }: Case): number => {
  const expected = runOnCpu(kernel, buffers)
  const terms = sizeOf(kernel.filter.view.shape.slice(0, 3))
  return found.reduce((most, y, i) => {
    const share = Math.abs(y - (expected[i] as number)) / (terms / 4)
    return Number.isNaN(share) ? Infinity : Math.max(most, share)
  }, 0)
}

const dense = (shape: Shape): Viewed => ({ view: contiguous(shape), length: sizeOf(shape) })

const algorithms = Object.values(winograds).flatMap((w) => machines.map((machine) => ({ m: w.outputs, machine })))

describe.each(algorithms)('F($m×$m, 3×3), $machine', ({ m, machine }) => {
  const expectRight = (c: Case): void => {
    const code = winogradWith(c.kernel, machine, m, true)
    if (code === undefined || E.isLeft(code)) throw new Error('no code')
    const { values, reached } = runPhases(code.right, c.buffers, 2)
    expect(worst(values, c)).toBeLessThan(m === 2 ? 2e-6 : 1e-5)
    expect(reached).toBe(false)
    expect(runPhases(code.right, c.buffers, 2, 'backwards').values).toEqual(values)
  }

  it('is the convolution, whatever its margins and crops, and however images and filters lie in memory', () => {
    fc.assert(fc.property(images, expectRight), { numRuns: 40 })
  })

  it('is the same by blocks of tiles, which it is made of where there are many', () => {
    const [x, w] = [dense([13, 31, 33, 32]), dense([3, 3, 32, 32])]
    const c = caseOf(x, w, [1, 1], [13, 31, 33, 32])
    const code = winogradWith(c.kernel, machine, m, true)
    if (code === undefined || E.isLeft(code)) throw new Error('no code')
    expect(code.right.phases.map((p) => p.calls.length)).toEqual([0, 0, 3])
    expectRight(c)
  })

  it('is the gradient of a filter', () => {
    fc.assert(fc.property(filters, expectRight), { numRuns: 40 })
  })

  it('ends with an epilogue over the pixels that there are', () => {
    fc.assert(
      fc.property(
        fc.oneof(images, filters).chain((c) => fc.tuple(fc.constant(c), twoViews(c.kernel.shape))),
        ([c, [scale, shift]]) => {
          const operands = [numbersFrom(3, scale.length), numbersFrom(4, shift.length)]
          const epilogue = scaledAndShifted(2, 3, scale.view, shift.view)
          expectRight({ kernel: { ...c.kernel, epilogue }, buffers: [...c.buffers, ...operands] })
        },
      ),
      { numRuns: 25 },
    )
  })
})

/** A 3×3 convolution that keeps the size of the image. */
const same = (n: number, size: number, channels: number): ConvKernel =>
  caseOf(dense([n, size, size, channels]), dense([3, 3, channels, channels]), [1, 1], [n, size, size, channels]).kernel

const phasesOf = (kernel: ConvKernel, winograd: { readonly winograd?: 2 | 4 }): readonly string[] =>
  generate(kernel, { fma: false, wide: false, ...winograd }).phases.map((p) => p.key)

describe('the choice', () => {
  it('is the machine’s: without it sums are computed as they stand', () => {
    const kernel = same(8, 16, 64)
    expect(phasesOf(kernel, {}).filter((k) => k.startsWith('winograd'))).toEqual([])
    for (const outputs of [2, 4] as const)
      expect(phasesOf(kernel, { winograd: outputs })).toEqual(
        expect.arrayContaining([
          `winograd gathering {channels:64,fma:false,outputs:${outputs},transform:input}`,
          `winograd scattering {channels:64,fma:false,outputs:${outputs},transform:output}`,
        ]),
      )
  })

  it('is not made where transforms take longer than they save: few channels, or few pixels under many filters', () => {
    for (const kernel of [same(8, 16, 8), same(1, 4, 512)])
      expect(phasesOf(kernel, { winograd: 4 }).filter((k) => k.startsWith('winograd'))).toEqual([])
  })

  it('is not made for other convolutions', () => {
    const kernel = same(8, 16, 64)
    const others: readonly ConvKernel[] = [
      { ...kernel, attrs: { ...kernel.attrs, stride: [2, 2] }, shape: [8, 8, 8, 64] },
      { ...kernel, attrs: { ...kernel.attrs, filterDilation: [1, 2] } },
      { ...kernel, attrs: { ...kernel.attrs, inputDilation: [2, 1] } },
      same(8, 16, 60),
      {
        ...kernel,
        filter: { ...kernel.filter, view: contiguous([3, 3, 32, 64]) },
        attrs: { ...kernel.attrs, groups: 2 },
      },
    ]
    for (const other of others) expect(winogradWith(other, { fma: false, wide: false }, 4, true)).toBeUndefined()
  })
})
