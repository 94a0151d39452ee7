/** Scores of textures: the pyramid holds its picture, and each level sees its own octave. */
import { describe, expect, it } from 'vitest'
import { blurredPictures } from '../../../src/evaluation/anchors.ts'
import { assignments } from '../../../src/evaluation/permutations.ts'
import { levelsOf, planeOfPicture, pyramid } from '../../../src/evaluation/scores/laplacian.ts'
import { sceneFactors, estimatesOf } from '../../../src/evaluation/scores/sceneFactors.ts'
import { slicedWasserstein } from '../../../src/evaluation/scores/slicedWasserstein.ts'
import { at, range } from '../../../src/prelude/array.ts'
import { hostKey } from '../../../src/prelude/threefry.ts'
import { withContrast } from '../faults.ts'
import { greys, seaPictures } from '../pictures.ts'

describe('the Laplacian pyramid', () => {
  it('of one colour has nothing in its fine levels, and the colour in the last', () => {
    const levels = pyramid(
      planeOfPicture({ height: 32, width: 24 }, at(greys([255], 32).pictures, 0).subarray(0, 32 * 24 * 3)),
      3,
    )
    const most = levels.map(({ values }) => Math.max(...values.map(Math.abs)))
    expect(most[0]).toBeLessThan(1e-6)
    expect(most[1]).toBeLessThan(1e-6)
    expect(most[2]).toBeCloseTo(1, 6)
    expect(levels.map(({ height, width }) => [height, width])).toEqual([
      [32, 24],
      [16, 12],
      [8, 6],
    ])
  })

  it('puts a checkerboard of single pixels into the finest level alone', () => {
    const board = Uint8Array.from(range(32 * 32 * 3), (i) => ((Math.floor(i / 3) + Math.floor(i / 96)) % 2) * 255)
    const [fine, coarse] = pyramid(planeOfPicture({ height: 32, width: 32 }, board), 2)
    expect(Math.max(...(fine?.values ?? []))).toBeGreaterThan(0.95)
    expect(Math.max(...(coarse?.values ?? []))).toBeLessThan(0.05)
  })

  it('ends at 16 pixels, as in the paper, but has two levels at least', () => {
    expect([8, 16, 32, 63, 64, 128].map((side) => levelsOf({ height: side, width: side }))).toEqual([2, 2, 2, 2, 3, 4])
  })
})

describe('the sliced Wasserstein distance', () => {
  const [a, b] = [seaPictures(0, 24, 32), seaPictures(100, 24, 32)]
  const permuted = assignments(hostKey(1), [24, 24], 99)

  it('of a set and itself is 0 but for the places of the patches, and p says nothing', () => {
    const [fine] = slicedWasserstein(a, a, hostKey(2), permuted)
    expect(fine?.value).toBeLessThan(0.1)
    expect(fine?.p).toBeGreaterThan(0.05)
  })

  it('finds blur in the finest level, and not in the coarsest', () => {
    const [fine, coarse] = slicedWasserstein(a, blurredPictures(b, 1), hostKey(2), permuted)
    expect(fine?.p).toBe(0.01)
    expect(coarse?.p).toBeGreaterThan(0.05)
  })

  it('finds light that is wrong by a constant in the level that holds it: half of two deviations', () => {
    // Greys of 100 and 200 in equal number: deviation 50, so the sets are two deviations apart.
    const [, last] = slicedWasserstein(greys([100, 100]), greys([200, 200]), hostKey(2), [])
    // A direction on the sphere of 147 dimensions has |Σ| of √(2/π) on average.
    expect(last?.value).toBeGreaterThan(1)
    expect(last?.value).toBeLessThan(2.2)
  })
})

describe('the factors of scenes', () => {
  it('find less contrast, and say by how much', () => {
    const [real, pale] = [seaPictures(0, 40, 32), withContrast(seaPictures(100, 40, 32), 0.6)]
    const found = sceneFactors(estimatesOf(real), estimatesOf(pale), assignments(hostKey(1), [40, 40], 199))
    const contrast = found.find(({ factor }) => factor === 'contrast')
    expect(contrast?.p).toBeLessThan(0.01)
    expect(contrast?.shift).toBeLessThan(-2)
  })

  it('are left out of pictures too small to have a horizon', () => {
    expect(estimatesOf(greys([1, 2], 4))).toEqual([])
  })
})
