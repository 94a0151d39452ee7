import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '../../../src/prelude/fp.ts'
import { at } from '../../../src/prelude/array.ts'
import { dilated } from '../../../src/graph/infer.ts'
import type { ConvAttrs } from '../../../src/graph/ops.ts'
import { sizeOf, type Shape } from '../../../src/graph/shape.ts'
import { contiguous } from '../../../src/compiler/view.ts'
import type { ConvKernel } from '../../../src/compiler/kernel.ts'
import { conv } from '../../../src/backends/wasm/conv/conv.ts'
import type { Generated, Machine } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { convKernel, plain } from '../../support/convolutions.ts'
import { scaledAndShifted, twoViews } from '../../support/epilogues.ts'
import { machines } from '../../support/machines.ts'
import { runOnCpu, runPhases, worstShare } from '../../support/phases.ts'
import { numbersFrom, viewOf, type Viewed } from '../../support/views.ts'

/** A kernel over buffers 0 and 1, into 2, with their contents. */
interface Case {
  readonly kernel: ConvKernel
  readonly buffers: readonly Float32Array[]
}

const same: ConvAttrs = { ...plain, padLow: [1, 1], padHigh: [1, 1] }

const outputShape = (x: Shape, w: Shape, a: ConvAttrs): Shape => {
  const length = (i: 0 | 1): number => {
    const padded = dilated(at(x, i + 1), a.inputDilation[i]) + a.padLow[i] + a.padHigh[i]
    const reach = dilated(at(w, i), a.filterDilation[i])
    return padded < reach ? 0 : Math.floor((padded - reach) / a.stride[i]) + 1
  }
  return [at(x, 0), length(0), length(1), at(w, 3)]
}

const convolution = (x: Viewed, w: Viewed, attrs: ConvAttrs): Case => {
  const shape = outputShape(x.view.shape, w.view.shape, attrs)
  return {
    kernel: convKernel(x.view, w.view, attrs, shape),
    buffers: [numbersFrom(1, x.length), numbersFrom(2, w.length), new Float32Array(sizeOf(shape))],
  }
}

const dense = (shape: Shape): Viewed => ({ view: contiguous(shape), length: sizeOf(shape) })

const pair = (min: number, max: number): fc.Arbitrary<readonly [number, number]> =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }))

const channels = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 6, max: 40 }) },
)

const anyConvolution: fc.Arbitrary<Case> = fc
  .record({
    attrs: fc.record({
      stride: pair(1, 3),
      padLow: pair(-2, 3),
      padHigh: pair(-2, 3),
      inputDilation: pair(1, 3),
      filterDilation: pair(1, 2),
      groups: fc.integer({ min: 1, max: 3 }),
      dtype: fc.constant('f32' as const),
    }),
    size: pair(0, 9),
    taps: pair(1, 3),
    n: fc.integer({ min: 0, max: 3 }),
    c: channels,
    o: channels,
  })
  .chain(({ attrs, size, taps, n, c, o }) =>
    fc
      .tuple(viewOf([n, ...size, c * attrs.groups]), viewOf([...taps, c, o * attrs.groups]))
      .map(([x, w]) => convolution(x, w, attrs)),
  )

const codeFor = ({ kernel }: Case, machine: Machine): Generated => {
  const code = conv(kernel, machine)
  if (E.isLeft(code)) throw new Error(code.left.kind)
  return code.right
}

/** n products summed in any order are off by at most n·2⁻²⁴ of their magnitudes (Higham 2002, eq. 4.4); 2e-6 is ample for few. */
const boundOf = ({ kernel }: Case): number => {
  const [height = 1, width = 1, channels = 1] = kernel.filter.view.shape
  return Math.max(2e-6, height * width * channels * 2 ** -24)
}

const expectRight = (c: Case, machine: Machine): void => {
  const code = codeFor(c, machine)
  const { values, reached } = runPhases(code, c.buffers, 2)
  const magnitudes = runOnCpu(
    c.kernel,
    c.buffers.map((b) => b.map(Math.abs)),
  )
  expect(worstShare(values, runOnCpu(c.kernel, c.buffers), magnitudes)).toBeLessThan(boundOf(c))
  expect(reached).toBe(false)
  expect(runPhases(code, c.buffers, 2, 'backwards').values).toEqual(values)
}

/** A filter for each of at least four channels: a few taps; or, as the gradient of such a filter has them, many, over the images of a batch. */
const anyDepthwise: fc.Arbitrary<Case> = fc
  .record({
    attrs: fc.record({
      stride: pair(1, 3),
      padLow: pair(-2, 3),
      padHigh: pair(-2, 3),
      inputDilation: pair(1, 2),
      filterDilation: pair(1, 2),
      dtype: fc.constant('f32' as const),
    }),
    size: pair(1, 9),
    taps: pair(1, 8),
    n: fc.integer({ min: 1, max: 3 }),
    images: fc.constantFrom(1, 1, 2, 3, 4, 8),
    groups: fc.integer({ min: 4, max: 21 }),
  })
  .map(({ attrs, size, taps, n, images, groups }) =>
    convolution(
      dense([images > 1 ? 1 : n, ...size, images * groups]),
      dense([...taps, images, groups]),
      images > 1 ? { ...attrs, groups, inputDilation: [1, 1] } : { ...attrs, groups },
    ),
  )

describe.each(machines)('a depthwise convolution, fma $fma, wide $wide', (machine) => {
  it('is what cpu computes, forwards and as the gradient of a filter', () => {
    const kinds = new Set<unknown>()
    fc.assert(
      fc.property(anyDepthwise, (c) => {
        kinds.add(codeFor(c, machine).choices?.['depthwise'])
        expectRight(c, machine)
      }),
      { numRuns: 150, seed: 1 },
    )
    expect([...kinds]).toEqual(expect.arrayContaining(['rows of pixels', 'rows of a filter', undefined]))
  })

  it('reads a filter that is turned, and ends with an epilogue', () => {
    const [x, w] = [dense([2, 5, 6, 12]), contiguous([3, 3, 1, 12])]
    const turned = { length: 108, view: { ...w, offset: 96, strides: [-36, -12, 12, 1] } }
    const c = convolution(x, turned, { ...same, groups: 12 })
    const [scale, shift] = [contiguous(c.kernel.shape), contiguous(c.kernel.shape)]
    const operands = [numbersFrom(3, sizeOf(scale.shape)), numbersFrom(4, sizeOf(shift.shape))]
    const kernel = { ...c.kernel, epilogue: scaledAndShifted(2, 3, scale, shift) }
    expect(codeFor({ ...c, kernel }, machine).choices?.['depthwise']).toBe('rows of pixels')
    expectRight({ kernel, buffers: [...c.buffers, ...operands] }, machine)
  })

  it('sums a filter’s gradient in parts whose number follows from the shapes', () => {
    const c = convolution(dense([1, 34, 34, 64]), dense([34, 34, 8, 8]), { ...same, groups: 8 })
    expect(codeFor(c, machine).choices).toEqual({ depthwise: 'rows of a filter', parts: 9 })
    expectRight(c, machine)
  })
})

describe.each(machines)('a convolution, fma $fma, wide $wide', (machine) => {
  it('is what cpu computes: any strides, dilations, margins, crops, groups and views, in any order of units', () => {
    fc.assert(
      fc.property(anyConvolution, (c) => {
        expectRight(c, machine)
      }),
      { numRuns: 100 },
    )
  })

  it('ends with an epilogue over its pixels, group by group and phase by phase of a dilated image', () => {
    fc.assert(
      fc.property(
        anyConvolution
          .filter(({ kernel }) => !kernel.shape.includes(0))
          .chain((c) => fc.tuple(fc.constant(c), twoViews(c.kernel.shape))),
        ([c, [scale, shift]]) => {
          const operands = [numbersFrom(3, scale.length), numbersFrom(4, shift.length)]
          const epilogue = scaledAndShifted(2, 3, scale.view, shift.view)
          expectRight({ kernel: { ...c.kernel, epilogue }, buffers: [...c.buffers, ...operands] }, machine)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('has rows of pixels that no tile divides, and more channels than a block is long', () => {
    expectRight(convolution(dense([2, 7, 5, 130]), dense([3, 3, 130, 24]), same), machine)
  })

  it('sums a filter’s gradient over all pixels of a batch', () => {
    const [x, g] = [contiguous([5, 9, 9, 12]), contiguous([5, 9, 9, 20])]
    const turned = (v: typeof x, order: readonly number[]): Viewed => ({
      view: { offset: 0, shape: order.map((a) => at(v.shape, a)), strides: order.map((a) => at(v.strides, a)) },
      length: sizeOf(v.shape),
    })
    expectRight(convolution(turned(x, [3, 1, 2, 0]), turned(g, [1, 2, 0, 3]), same), machine)
  })
})

it('reads an image that needs no margins where it lies', () => {
  const c = convolution(dense([1, 6, 6, 8]), dense([1, 1, 8, 8]), { ...same, padLow: [-1, 0], padHigh: [0, 0] })
  expect(codeFor(c, { fma: false, wide: false }).phases.map((p) => p.key.split(' ')[0])).toEqual(['pack', 'gemm'])
})

it('multiplies no zeros between the pixels of a dilated image', () => {
  const c = convolution(dense([1, 4, 4, 8]), dense([3, 3, 8, 8]), { ...same, inputDilation: [2, 2], padHigh: [2, 2] })
  const phases = codeFor(c, { fma: false, wide: false }).phases
  expect(phases.filter((p) => p.key.startsWith('gemm'))).toHaveLength(4)
})

it('says why a convolution of other numbers has no code', () => {
  const { kernel } = convolution(dense([1, 2, 2, 1]), dense([1, 1, 1, 1]), same)
  expect(conv({ ...kernel, dtype: 'f16' }, { fma: false, wide: false })).toEqual(
    E.left({ kind: 'contraction', from: 'f32', to: 'f16' }),
  )
})
