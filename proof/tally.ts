/** What a suite of the proof reports: how many checks held, and how near the worst of them came to its bound. */

/** One line of the report. A suite throws when a check fails, so a tally speaks of checks that held. */
export interface Tally {
  /** The suite: 'gradient', 'adjoint', … */
  readonly suite: string
  /** What was checked: a primitive, a function, a layer. */
  readonly subject: string
  /** The seed of the random cases, with which they can be made again. */
  readonly seed: number
  readonly checks: number
  /** The largest error ÷ its tolerance; at most 1. 0 where equality is asked for. */
  readonly worst: number
}

/** The sum of tallies: all checks, and the worst of the worst. */
export const total = (
  tallies: readonly Tally[],
): { readonly checks: number; readonly worst: number; readonly of: string } =>
  tallies.reduce(
    (sum, t) => ({
      checks: sum.checks + t.checks,
      worst: Math.max(sum.worst, t.worst),
      of: t.worst > sum.worst ? t.subject : sum.of,
    }),
    { checks: 0, worst: 0, of: '' },
  )
