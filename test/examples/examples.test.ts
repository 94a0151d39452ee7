/** The examples run, with fewer steps than they take by default, and learn. */
import { describe, expect, it } from 'vitest'
import { ddpmPoints } from '../../examples/ddpm-points.ts'
import { linearRegression } from '../../examples/linear-regression.ts'
import { mlpClassifier } from '../../examples/mlp-classifier.ts'

const meanOfLast = (count: number, losses: readonly number[]): number =>
  losses.slice(-count).reduce((a, b) => a + b, 0) / count

describe('examples', { timeout: 60_000 }, () => {
  it('linear regression finds the line up to the noise in the data', async () => {
    const { losses, w, b } = await linearRegression({ steps: 100 })
    expect(losses.at(-1)).toBeLessThan(0.012) // the noise has variance 0.01
    expect(w[0]).toBeCloseTo(3, 1)
    expect(w[1]).toBeCloseTo(-2, 1)
    expect(b).toBeCloseTo(0.5, 1)
  })

  it('the perceptron separates the two moons, which no straight line does', async () => {
    const { losses, accuracy } = await mlpClassifier({ steps: 80 })
    expect(losses.at(-1)).toBeLessThan(0.1)
    expect(accuracy).toBeGreaterThan(0.96)
  })

  it('diffusion moves points of noise close to the wave', async () => {
    const { losses, samples, data, noise } = await ddpmPoints({ steps: 200 })
    expect(meanOfLast(20, losses)).toBeLessThan(0.33) // 0.38 at the first step; 0.25 cannot be undercut by much: noise along the wave is unpredictable
    expect(samples).toBeLessThan(noise / 4)
    expect(samples).toBeGreaterThan(data / 2) // not better than data: the measure would be broken
  })
})
