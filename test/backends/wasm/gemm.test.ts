import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { E } from '../../../src/prelude/fp.ts'
import { range } from '../../../src/prelude/array.ts'
import { sizeOf } from '../../../src/graph/shape.ts'
import { contiguous, type View } from '../../../src/compiler/view.ts'
import type { GemmKernel } from '../../../src/compiler/kernel.ts'
import { gemm } from '../../../src/backends/wasm/gemm/gemm.ts'
import type { Generated, Machine } from '../../../src/backends/wasm/emit/kernelCode.ts'
import { scaledAndShifted, twoViews } from '../../support/epilogues.ts'
import { machines } from '../../support/machines.ts'
import { runOnCpu, runPhases, worstShare } from '../../support/phases.ts'
import { numbersFrom, viewOf } from '../../support/views.ts'

/** A kernel over buffers 0 and 1, into 2, with their contents. */
interface Case {
  readonly kernel: GemmKernel
  readonly buffers: readonly Float32Array[]
}

const record = { output: 2, dtype: 'f32', computes: 'dotGeneral', reason: 'output', flops: 0, kind: 'gemm' } as const

const product = (
  x: View,
  y: View,
  axes: GemmKernel['axes'],
  size: number,
  lengths: readonly [number, number],
): Case => ({
  kernel: { ...record, x: { buffer: 0, view: x, dtype: 'f32' }, y: { buffer: 1, view: y, dtype: 'f32' }, axes },
  buffers: [numbersFrom(1, lengths[0]), numbersFrom(2, lengths[1]), new Float32Array(size)],
})

/** x[m, k] · y[k, n]. */
const plain = (m: number, k: number, n: number): Case =>
  product(
    contiguous([m, k]),
    contiguous([k, n]),
    { batch: [[], []], contract: [[1], [0]], rows: [0], columns: [1] },
    m * n,
    [m * k, k * n],
  )

type Letter = 'b' | 'm' | 'n' | 'k'
type Axis = readonly [letter: Letter, length: number, place: number]

const axesOf = (letter: Letter, longest: number): fc.Arbitrary<readonly Axis[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 30, arbitrary: fc.integer({ min: 1, max: longest }) },
        { weight: 1, arbitrary: fc.constant(0) },
      ),
      {
        maxLength: 2,
      },
    )
    .map((lengths) => lengths.map((length, place) => [letter, length, place] as const))

const shuffled = (axes: readonly Axis[]): fc.Arbitrary<readonly Axis[]> =>
  fc.shuffledSubarray([...axes], { minLength: axes.length })

/** A test multiplies no more than this at once. */
const mostProducts = 300_000

const contraction = (longest: number): fc.Arbitrary<Case> =>
  fc
    .tuple(axesOf('b', 3), axesOf('m', longest), axesOf('n', longest), axesOf('k', longest))
    .filter((axes) => sizeOf(axes.flat().map(([, length]) => length)) <= mostProducts)
    .chain(([b, m, n, k]) =>
      fc.tuple(fc.constant([b, m, n] as const), shuffled([...b, ...m, ...k]), shuffled([...b, ...n, ...k])),
    )
    .chain(([kept, xAxes, yAxes]) =>
      fc.tuple(viewOf(xAxes.map(([, length]) => length)), viewOf(yAxes.map(([, length]) => length))).map(([x, y]) => {
        const find = (axes: readonly Axis[], letter: Letter): readonly number[] =>
          range(2)
            .map((place) => axes.findIndex(([l, , p]) => l === letter && p === place))
            .filter((a) => a >= 0)
        const axes = {
          batch: [find(xAxes, 'b'), find(yAxes, 'b')],
          contract: [find(xAxes, 'k'), find(yAxes, 'k')],
          rows: find(xAxes, 'm'),
          columns: find(yAxes, 'n'),
        } as const
        const size = sizeOf(kept.flat().map(([, length]) => length))
        return product(x.view, y.view, axes, size, [x.length, y.length])
      }),
    )

const codeFor = ({ kernel }: Case, machine: Machine): Generated => {
  const code = gemm(kernel, machine)
  if (E.isLeft(code)) throw new Error(code.left.kind)
  return code.right
}

/** The kernel computes what cpu does, wherever its units run, and writes nothing else. */
const expectRight = (c: Case, machine: Machine): void => {
  const code = codeFor(c, machine)
  const { values, reached } = runPhases(code, c.buffers, 2)
  const magnitudes = runOnCpu(
    c.kernel,
    c.buffers.map((b) => b.map(Math.abs)),
  )
  expect(worstShare(values, runOnCpu(c.kernel, c.buffers), magnitudes)).toBeLessThan(2e-6)
  expect(reached).toBe(false)
  expect(runPhases(code, c.buffers, 2, 'backwards').values).toEqual(values)
}

describe.each(machines)('a product of matrices, fma $fma, wide $wide', (machine) => {
  it('is the sum of products for operands of any axes, in any order of units', () => {
    fc.assert(
      fc.property(contraction(9), (c) => {
        expectRight(c, machine)
      }),
      { numRuns: 100 },
    )
    fc.assert(
      fc.property(contraction(40), (c) => {
        expectRight(c, machine)
      }),
      { numRuns: 10 },
    )
  })

  it.each([
    [5, 700, 33],
    [100, 321, 20],
    [1, 1000, 1],
    [97, 64, 16],
    [13, 4100, 20],
    [13, 5, 300],
  ])('goes through a long contracted axis in blocks, and over edges of tiles: %i×%i×%i', (m, k, n) => {
    expectRight(plain(m, k, n), machine)
  })

  it('ends with an epilogue over its rows, whose operands may be repeated along any axis', () => {
    const sizes = fc.tuple(...[3, 20, 40, 9].map((max) => fc.integer({ min: 1, max })))
    fc.assert(
      fc.property(
        sizes.chain((s) => fc.tuple(fc.constant(s), twoViews(s.slice(0, 3)), fc.boolean())),
        ([[b = 1, m = 1, n = 1, k = 1], [scale, shift], turned]) => {
          const x = turned ? { offset: 0, shape: [b, m, k], strides: [m * k, 1, m] } : contiguous([b, m, k])
          const axes = { batch: [[0], [0]], contract: [[2], [1]], rows: [1], columns: [2] } as const
          const c = product(x, contiguous([b, k, n]), axes, b * m * n, [b * m * k, b * k * n])
          const operands = [numbersFrom(3, scale.length), numbersFrom(4, shift.length)]
          const epilogue = scaledAndShifted(2, 3, scale.view, shift.view)
          expectRight({ kernel: { ...c.kernel, epilogue }, buffers: [...c.buffers, ...operands] }, machine)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is 0 where nothing is contracted, and nothing where it has no elements', () => {
    expect(runPhases(codeFor(plain(3, 0, 2), machine), plain(3, 0, 2).buffers, 2).values).toEqual(new Float32Array(6))
    expect(codeFor(plain(3, 4, 0), machine).phases).toEqual([])
  })
})

it('says why a product of other numbers has no code', () => {
  const { kernel } = plain(2, 2, 2)
  expect(gemm({ ...kernel, dtype: 'f64', x: { ...kernel.x, dtype: 'f64' } }, { fma: false, wide: false })).toEqual(
    E.left({ kind: 'contraction', from: 'f64', to: 'f64' }),
  )
})
