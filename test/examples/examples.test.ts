/** The examples run, with fewer steps than they take by default, and learn. */
import { describe, expect, it } from 'vitest'
import { charGpt } from '../../examples/char-gpt.ts'
import { ddpmPoints } from '../../examples/ddpm-points.ts'
import { linearRegression } from '../../examples/linear-regression.ts'
import { mlpClassifier } from '../../examples/mlp-classifier.ts'
import { seaClassifier } from '../../examples/sea-classifier.ts'

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

  it('the GPT learns of text what follows what, through the trainer', async () => {
    const { heldOut, text } = await charGpt({ steps: 150 })
    expect(heldOut).toBeLessThan(3.1) // ln 96 = 4.56 is a guess, 3.4 what letters alone say
    expect(text).toHaveLength(201)
    expect(text.match(/[a-z ]/g)?.length).toBeGreaterThan(100)
  })

  it('the classifier of seas is right more often than what is usual, through the trainer', async () => {
    const { right, usual } = await seaClassifier({ steps: 80 })
    expect(right).toBeGreaterThan(usual + 0.03)
  })

  it('diffusion moves points of noise close to the wave', async () => {
    const { losses, samples, data, noise } = await ddpmPoints({ steps: 200 })
    expect(meanOfLast(20, losses)).toBeLessThan(0.33) // 0.38 at the first step; 0.25 cannot be undercut by much: noise along the wave is unpredictable
    expect(samples).toBeLessThan(noise / 4)
    expect(samples).toBeGreaterThan(data / 2) // not better than data: the measure would be broken
  })
})
