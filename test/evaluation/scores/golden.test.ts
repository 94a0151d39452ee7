/** Scores of two small samples against numpy, which computes each straight from its formula (test/golden/evaluation/make.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { rowsOf } from '../../../src/evaluation/rows.ts'
import { fisherP } from '../../../src/evaluation/scores/fisher.ts'
import { manifold } from '../../../src/evaluation/scores/manifold.ts'
import { kernelDistance } from '../../../src/evaluation/scores/mmd.ts'
import { neighboursOf } from '../../../src/evaluation/scores/neighbours.ts'
import { oneNearest } from '../../../src/evaluation/scores/oneNearest.ts'

type Numbers = Readonly<Record<string, number>>

const golden = JSON.parse(readFileSync(new URL('../../golden/evaluation/scores.json', import.meta.url), 'utf8')) as {
  readonly x: readonly (readonly number[])[]
  readonly y: readonly (readonly number[])[]
  readonly mmd: { readonly value: number; readonly interval: readonly [number, number] }
  readonly manifold: Numbers
  readonly oneNearest: Numbers
  readonly fisher: readonly (readonly [number, number, number, number, number])[]
}
const [x, y] = [rowsOf(golden.x), rowsOf(golden.y)]

const near = (expected: Numbers): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, expect.closeTo(value, 12) as unknown]))

describe('as numpy has them', () => {
  it('the kernel distance and its jackknife interval, of samples of different sizes', () => {
    const { value, interval } = kernelDistance(x, y, [])
    expect(value).toBeCloseTo(golden.mmd.value, 12)
    expect(interval[0]).toBeCloseTo(golden.mmd.interval[0], 12)
    expect(interval[1]).toBeCloseTo(golden.mmd.interval[1], 12)
  })

  it('precision, recall, density and coverage', () => {
    expect(manifold(neighboursOf(x, y), [], 3)).toMatchObject(near(golden.manifold))
  })

  it('the accuracy of the nearest neighbour, of both kinds and of each', () => {
    expect(oneNearest(neighboursOf(x, y), [])).toMatchObject(near(golden.oneNearest))
  })

  it.each(golden.fisher)('Fisher’s p of %i of %i and %i of %i', (a, n, b, m, p) => {
    expect(fisherP({ found: a, all: n }, { found: b, all: m })).toBeCloseTo(p, 12)
  })
})
