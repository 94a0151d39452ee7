/** When a share of copies was reached, and how that grows. */
import { describe, expect, it } from 'vitest'
import { crossing, slopeOf, type Course, type Moment } from '../../../bench/memory/course.ts'

const moments = (...shares: readonly number[]): readonly Moment[] =>
  shares.map((copies, i) => ({ step: 100 * (i + 1), copies, heldOut: 1 }))

describe('the step at which a share of copies is reached', () => {
  it('lies between two looks in proportion', () => {
    expect(crossing(moments(0, 0.05, 0.25), 0.1)).toBe(225)
    expect(crossing(moments(0, 0.1, 0.25), 0.1)).toBe(200)
  })

  it('is the first look where that shows it, and none where no look does', () => {
    expect(crossing(moments(0.4), 0.1)).toBe(100)
    expect(crossing(moments(0, 0.05), 0.1)).toBeUndefined()
    expect(crossing([], 0.1)).toBeUndefined()
  })
})

describe('the slope of the logarithms', () => {
  const course = (count: number, at: number): Course => ({
    count,
    moments: [
      { step: at - 50, copies: 0, heldOut: 1 },
      { step: at + 50, copies: 0.2, heldOut: 1 },
    ],
    passed: undefined,
    falseAlarms: 0,
  })

  it('is 1 where steps grow in proportion, 2 with the square; runs that did not reach the share do not count', () => {
    const counts = [10, 20, 40]
    expect(
      slopeOf(
        counts.map((n) => course(n, 100 * n)),
        0.1,
      ),
    ).toBeCloseTo(1, 12)
    expect(
      slopeOf(
        counts.map((n) => course(n, n * n)),
        0.1,
      ),
    ).toBeCloseTo(2, 12)
    const never: Course = { ...course(80, 1), moments: moments(0, 0) }
    expect(slopeOf([...counts.map((n) => course(n, 100 * n)), never], 0.1)).toBeCloseTo(1, 12)
  })
})
