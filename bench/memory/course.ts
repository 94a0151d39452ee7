/** What was seen of a network while it learned its pictures by heart. */

/** One look. */
export interface Moment {
  readonly step: number
  /** The share of copies among what it draws. */
  readonly copies: number
  /** The loss of the averaged weights on held-out pictures. */
  readonly heldOut: number
}

/** All looks at a network that was trained on `count` pictures. */
export interface Course {
  readonly count: number
  readonly moments: readonly Moment[]
  /** The step at which the trainer said that the best is past; undefined where it did not. */
  readonly passed: number | undefined
  /** The share of pictures of its own kind, never trained on, that are called copies. */
  readonly falseAlarms: number
}

/** The step at which a share of copies was first reached, between two looks in proportion; undefined where it was not. */
export const crossing = (moments: readonly Moment[], share: number): number | undefined => {
  const above = moments.findIndex(({ copies }) => copies >= share)
  const [before, after] = [moments[above - 1], moments[above]]
  if (after === undefined) return undefined
  if (before === undefined) return after.step
  return before.step + ((share - before.copies) / (after.copies - before.copies)) * (after.step - before.step)
}

/** How the logarithm of the steps to a share of copies grows with that of the pictures' number: least squares. */
export const slopeOf = (courses: readonly Course[], share: number): number => {
  const points = courses.flatMap(({ count, moments }) => {
    const step = crossing(moments, share)
    return step === undefined ? [] : [[Math.log(count), Math.log(step)] as const]
  })
  const mean = (of: (point: readonly [number, number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [x, y] = [mean(([n]) => n), mean(([, t]) => t)]
  return mean(([n, t]) => (n - x) * (t - y)) / mean(([n]) => (n - x) ** 2)
}
