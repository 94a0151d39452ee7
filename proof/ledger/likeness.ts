/** Equations of the chapter on data (7) that concern few photographs: how alike pictures are, and copies. */
import fc from 'fast-check'
import { copyOf } from '../../src/data/likeness/copies.ts'
import { likeness } from '../../src/data/likeness/likeness.ts'
import { pictureIndex } from '../../src/data/likeness/pictureIndex.ts'
import { seas } from '../../src/data/seas/index.ts'
import { agree, at, dot, forAll, holds, real, sum, together, upTo, type Equation } from './equation.ts'

/** The side of the pictures on which likeness is checked, as it compares them: 64. */
const side = 64

/** The 7×7 means of 8×8 pixels of each channel, from 4 pixels and a shift within; from right to left where mirrored. */
const means = (pixels: Uint8Array, down: number, right: number, mirrored: boolean): readonly number[] =>
  upTo(7 * 7 * 3).map((n) => {
    const [y, x, c] = [Math.floor(n / 21), Math.floor(n / 3) % 7, n % 3]
    const column = mirrored ? 6 - x : x
    const block = upTo(64).map((k) => {
      const row = 4 + down + 8 * y + Math.floor(k / 8)
      return at(pixels, (row * side + 4 + right + 8 * column + (k % 8)) * 3 + c)
    })
    return sum(block) / 64
  })

const correlation = (a: readonly number[], b: readonly number[]): number => {
  const [ca, cb] = [a, b].map((xs) => xs.map((x) => x - sum(xs) / xs.length))
  return dot(ca ?? [], cb ?? []) / Math.sqrt(dot(ca ?? [], ca ?? []) * dot(cb ?? [], cb ?? []))
}

/** The largest correlation of the middle of one picture, as it is and mirrored, with any window of the other. */
const largest = (a: Uint8Array, b: Uint8Array): number => {
  const shifts = upTo(9).map((i) => i - 4)
  const windows = (of: Uint8Array) => shifts.flatMap((down) => shifts.map((right) => means(of, down, right, false)))
  const oneWay = (middleOf: Uint8Array, windowsOf: Uint8Array): readonly number[] => {
    const middles = [false, true].map((mirrored) => means(middleOf, 0, 0, mirrored))
    return windows(windowsOf).flatMap((window) => middles.map((middle) => correlation(middle, window)))
  }
  return Math.max(...oneWay(a, b), ...oneWay(b, a))
}

/** The entries on few photographs. */
export const likenessEquations: readonly Equation[] = [
  {
    number: '7.4',
    statement: 'd(a, b) = min √(2 − 2ρ)',
    source: 'definition',
    by: '`likeness` of seas, and of one and itself in other light, against correlations of means of blocks over all shifts and both mirror images',
    check: () =>
      forAll(
        fc.tuple(fc.nat(40), fc.nat(40), real(0.8, 1)),
        ([i, j, gain]) => {
          const { image } = seas({ seed: 6, size: side })
          const [a, b] = [image(i), image(j).map((byte) => gain * byte)]
          const d = likeness(a, b, { height: side, width: side, channels: 3 })
          return agree(2e-3, [d ** 2], [2 - 2 * largest(a, b)])
        },
        3,
      ),
  },
  {
    number: '7.5',
    statement: 'a copy: d₁ < d₂/3',
    source: 'Bonnaire et al. 2025',
    by: '`copyOf` of mixtures of two seas in a set of twelve, against the two least of all distances; both answers come',
    check: async () => {
      const { image } = seas({ seed: 6, size: 16 })
      const shape = { height: 16, width: 16, channels: 3 }
      const index = pictureIndex({ ...shape, count: 12, pixels: image })
      const answers = new Set<boolean>()
      const outcome = await forAll(fc.tuple(fc.nat(11), fc.nat(11), real(0, 0.5)), ([i, j, part]) => {
        const other = image(j)
        const mixed = image(i).map((byte, n) => (1 - part) * byte + part * at(other, n))
        const [first = NaN, second = NaN] = upTo(12)
          .map((n) => likeness(mixed, image(n), shape))
          .toSorted((a, b) => a - b)
        const { copy } = copyOf(index, mixed)
        answers.add(copy)
        return holds(copy === first < second / 3, 'copyOf says what the distances say')
      })
      return together([outcome, holds(answers.size === 2, 'some are copies and some are not')])
    },
  },
]
