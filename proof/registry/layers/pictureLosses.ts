/** Losses of pictures, and what an adversary pays. */
import fc from 'fast-check'
import { grad } from '../../../src/autograd/grad.ts'
import type { DType } from '../../../src/graph/dtype.ts'
import { adaptiveWeight } from '../../../src/models/adversary/adaptiveWeight.ts'
import { r1Penalty } from '../../../src/models/adversary/r1Penalty.ts'
import { equivarianceLoss } from '../../../src/models/reconstruction/equivarianceLoss.ts'
import { pyramidLoss } from '../../../src/models/reconstruction/pyramidLoss.ts'
import { featureLoss } from '../../../src/nn/featureLoss.ts'
import { mse } from '../../../src/nn/losses.ts'
import { zeros } from '../../../src/tensor/create.ts'
import { upsampleNearest } from '../../../src/tensor/resampling.ts'
import type { Tensor } from '../../../src/tensor/tensor.ts'
import { arrays, elementAt, stored, type NdArray } from '../../array.ts'
import { badRange, badShape, entry, one, wide, type Case, type Entry, type Expected } from '../entry.ts'
import { sum } from '../primitives/reduction.ts'
import { size, sizeableArrays } from './module.ts'
import { mapped, normalized, zipped } from './plain.ts'

const scalarOf = (x: number): Expected => ({ shape: [], data: [x] })

const mean = (xs: readonly number[]): number => sum(xs) / xs.length

const norm = (xs: readonly number[]): number => Math.hypot(...xs)

/** What is true of all of them: floats of four axes, sums over many elements, a result without axes. */
const pictures = {
  dtypes: wide,
  slack: 16,
  elements: 80,
  ends: 'a loss is made of functions, each of which is tried',
  lacks: ['scalar', 'empty', 'odd'],
} as const

/** Two layers whose vectors are never near 0. */
const layersOf = (x: Tensor): readonly Tensor[] => [x, x.square().add(1)]

/** The mean over the pixels of ‖a/‖a‖ − b/‖b‖‖². */
const apart = (a: NdArray, b: NdArray): number =>
  sum(zipped(normalized(a), normalized(b), (p, q) => (p - q) ** 2).data) / (a.data.length / (a.shape.at(-1) ?? 0))

const features: Entry = entry({
  ...pictures,
  cases: (dtype) =>
    fc.tuple(size(2), size(3), size(3)).chain(([n, side, channels]) => {
      const shape = [n, side, 2, channels]
      return fc.tuple(sizeableArrays(shape, dtype), sizeableArrays(shape, dtype)).map((inputs): Case => ({
        inputs,
        build: (x, y) => featureLoss(layersOf, one(x), one(y)),
        oracle: (x, y) => {
          const second = (z: NdArray): NdArray => mapped(z, (v) => v * v + 1)
          if (x === undefined || y === undefined) throw new Error('featureLoss takes two inputs')
          return scalarOf((apart(x, y) + apart(second(x), second(y))) / 2)
        },
      }))
    }),
  differentiableIn: [0, 1],
  step: 4e-4,
  errors: [
    badShape(
      /^featureLoss: prediction \[1,2,2,3\] against target \[1,2,2,1\]/,
      ['f32[1,2,2,3]', 'f32[1,2,2,1]'],
      (x, y) => featureLoss(layersOf, one(x), one(y)),
    ),
    badShape(/^featureLoss: the features have no layers; give back at least one/, ['f32[2,3]'], (x) =>
      featureLoss(() => [], one(x), one(x)),
    ),
    badShape(/^featureLoss: layer 1 of the features has no axis of channels/, ['f32[2,3]'], (x) =>
      featureLoss((y) => [y, y.sum()], one(x), one(x)),
    ),
  ],
})

/** A square of pixels from its mean and its three details, those of the columns, rows and diagonals. */
const square = (half: number, [c, r, d]: readonly [number, number, number]): readonly number[] => [
  half + c + r + d,
  half - c + r - d,
  half + c - r - d,
  half - c - r + d,
]

/** The details of a square, or of 2×2 squares and of their means: so far from 0 that no small change reaches it. */
const detailsOf = (squares: number): fc.Arbitrary<readonly (readonly [number, number, number])[]> => {
  const detail = fc
    .tuple(fc.integer({ min: 100, max: 1000 }), fc.boolean())
    .map(([k, negative]) => ((negative ? -1 : 1) * k) / 1000)
  return fc.array(fc.tuple(detail, detail, detail), { minLength: squares, maxLength: squares })
}

/** Pixels of 4×4 from the details of four squares, and of their means. */
const two = (details: readonly (readonly [number, number, number])[]): readonly number[] => {
  const squares = square(0.3, details[4] ?? [0, 0, 0]).map((half, i) => square(half, details[i] ?? [0, 0, 0]))
  return Array.from({ length: 16 }, (_, p) => {
    const [row, column] = [Math.floor(p / 4), p % 4]
    return squares[2 * Math.floor(row / 2) + Math.floor(column / 2)]?.[2 * (row % 2) + (column % 2)] ?? NaN
  })
}

const absolute = (details: readonly (readonly [number, number, number])[]): number => mean(details.flat().map(Math.abs))

const pyramidCase = (dtype: DType): fc.Arbitrary<Case> =>
  fc.constantFrom(1, 2).chain((levels) => {
    const shape = levels === 1 ? [1, 2, 2, 1] : [1, 4, 4, 1]
    return fc.tuple(detailsOf(levels === 1 ? 1 : 5), arrays(shape, dtype)).map(([details, target]): Case => {
      const apart = levels === 1 ? square(0.3, details[0] ?? [0, 0, 0]) : two(details)
      const prediction = { ...target, data: target.data.map((t, i) => stored(dtype, t + (apart[i] ?? NaN))) }
      const expected =
        levels === 1 ? absolute(details) : mean([absolute(details.slice(0, 4)), absolute(details.slice(4))])
      return {
        inputs: [prediction, target],
        build: (x, y) => pyramidLoss(one(x), one(y), { levels }),
        oracle: () => scalarOf(expected),
      }
    })
  })

const pyramid: Entry = entry({
  ...pictures,
  cases: pyramidCase,
  differentiableIn: [0, 1],
  slack: 64, // what is far apart was stored, and cancels again
  errors: [
    badShape(
      /^pyramidLoss: takes pictures .* divisible by 8 \(3 halvings\), got \[1,8,12,3\]; crop them/,
      ['f32[1,8,12,3]'],
      (x) => pyramidLoss(one(x), one(x)),
    ),
    badShape(/^pyramidLoss: takes pictures .* got \[8,8,3\]/, ['f32[8,8,3]'], (x) => pyramidLoss(one(x), one(x))),
    badShape(
      /^pyramidLoss: prediction \[1,8,8,3\] against target \[1,8,8,1\]/,
      ['f32[1,8,8,3]', 'f32[1,8,8,1]'],
      (x, y) => pyramidLoss(one(x), one(y)),
    ),
    badRange(/^pyramidLoss: levels is 0; it must be a whole number above 0$/, ['f32[1,8,8,3]'], (x) =>
      pyramidLoss(one(x), one(x), { levels: 0 }),
    ),
  ],
})

const still = zeros([1], 'i32')

const equivariance: Entry = entry({
  ...pictures,
  cases: (dtype) =>
    fc.tuple(size(3), size(2)).chain(([n, channels]) =>
      fc
        .tuple(
          sizeableArrays([n, 2, 2, channels], dtype),
          sizeableArrays([n, 4, 4, channels], dtype),
          arrays([n], 'i32', fc.integer({ min: 0, max: 3 })),
        )
        .map((inputs): Case => ({
          inputs,
          build: (z, x, k) =>
            equivarianceLoss((y) => upsampleNearest(y.square()), one(z), one(x), one(k), {
              shrink: [1, 2],
              distance: mse,
            }),
        })),
    ),
  differentiableIn: 'floats',
  errors: [
    badShape(
      /^equivarianceLoss: latents \[1,6,6,4\] .*: 4 does not divide the latents' height and width/,
      ['f32[1,6,6,4]'],
      (x) => equivarianceLoss((y) => y, one(x), one(x), still),
    ),
    badShape(/^equivarianceLoss: .*: both are \[N, H, W, C\]$/, ['f32[8,8,4]'], (x) =>
      equivarianceLoss((y) => y, one(x), one(x), still),
    ),
    badShape(/^equivarianceLoss: .*: there is to be one of each/, ['f32[1,8,8,4]', 'f32[2,8,8,4]'], (x, y) =>
      equivarianceLoss((z) => z, one(x), one(y), still),
    ),
    badShape(
      /^equivarianceLoss: .*: the turns are i32\[1\]; draw randint\(key, \[2\], 0, 4\)$/,
      ['f32[2,8,8,4]'],
      (x) => equivarianceLoss((y) => y, one(x), one(x), still),
    ),
    badRange(/^equivarianceLoss: shrink is \[2, 0.5\]; give whole numbers/, ['f32[1,8,8,4]'], (x) =>
      equivarianceLoss((y) => y, one(x), one(x), still, { shrink: [2, 0.5] }),
    ),
  ],
})

const steepness: Entry = entry({
  ...pictures,
  cases: (dtype) =>
    fc.tuple(size(2), size(3), size(2)).chain(([n, side, channels]) =>
      fc
        .tuple(sizeableArrays([n, side, 2, channels], dtype), sizeableArrays([channels], dtype))
        .map((inputs): Case => ({
          inputs,
          build: (x, w) => r1Penalty(grad, (y) => y.square().mul(one(w)).sum(-1, true), one(x)),
          oracle: (x, w) => {
            if (x === undefined || w === undefined) throw new Error('r1Penalty is tried with two inputs')
            const slopes = x.data.map((v, i) => 2 * v * elementAt(w, [i % channels]))
            return scalarOf(sum(slopes.map((s) => s * s)) / (n * side * 2))
          },
        })),
    ),
  differentiableIn: [0, 1],
  errors: [
    badShape(
      /^r1Penalty: the discriminator gives no judgement of pictures \[1,8,8,3\]; give larger ones$/,
      ['f32[1,8,8,3]'],
      (x) => r1Penalty(grad, (y) => y.slice([0, 0]), one(x)),
    ),
  ],
})

const weight: Entry = entry({
  ...pictures,
  cases: (dtype) =>
    fc
      .tuple(
        sizeableArrays([2, 3], dtype),
        sizeableArrays([4], dtype),
        sizeableArrays([2, 3], dtype),
        sizeableArrays([4], dtype),
      )
      .map((inputs): Case => ({
        inputs,
        build: (a, b, c, d) => adaptiveWeight({ w: one(a), b: one(b) }, { w: one(c), b: one(d) }),
        oracle: (a, b, c, d) => {
          const length = (...xs: readonly (NdArray | undefined)[]): number => norm(xs.flatMap((x) => x?.data ?? []))
          return scalarOf(0.5 * Math.min(1, length(a, b) / (length(c, d) + 1e-4)))
        },
      })),
  lacks: ['scalar', 'empty', 'one'],
  errors: [
    badRange(
      /^adaptiveWeight: factor -1 and most 1 must not be below 0, and epsilon 0.0001 must be above$/,
      ['f32[3]'],
      (x) => adaptiveWeight(one(x), one(x), { factor: -1 }),
    ),
    badRange(/^adaptiveWeight: .* epsilon 0 must be above$/, ['f32[3]'], (x) =>
      adaptiveWeight(one(x), one(x), { epsilon: 0 }),
    ),
    badRange(/^adaptiveWeight: the gradient of the adversary has no tensors/, ['f32[3]'], (x) =>
      adaptiveWeight(one(x), {}),
    ),
  ],
})

/** A row for each. */
export const pictureLosses = {
  adaptiveWeight: weight,
  equivarianceLoss: equivariance,
  featureLoss: features,
  pyramidLoss: pyramid,
  r1Penalty: steepness,
} as const satisfies Readonly<Record<string, Entry>>
