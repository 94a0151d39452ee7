/** What the tests made of a mutant. */
import type { Mutant } from './mutant.ts'
import type { TestResult, TestRun } from './runTests.ts'

/** Caught by a test that failed, survived, or neither: the run itself broke. */
export type Verdict =
  | { readonly kind: 'caught'; readonly file: string; readonly title: string }
  | { readonly kind: 'survived' }
  | { readonly kind: 'error'; readonly message: string }

/** The test's title; a test that ended by its time limit says so. */
const titleOf = ({ title, message }: TestResult): string =>
  /timed out in \d+ ?ms/.test(message) ? `${title} (by its time limit)` : title

/** The first failure catches it. A run without a failed test is no proof of anything, if it did not end well. */
export const verdictOf = ({ results, problem }: TestRun): Verdict => {
  const failed = results.find((r) => !r.passed)
  if (failed !== undefined) return { kind: 'caught', file: failed.file, title: titleOf(failed) }
  if (problem !== undefined) return { kind: 'error', message: problem }
  return results.length === 0 ? { kind: 'error', message: 'no test ran' } : { kind: 'survived' }
}

/** A mutant and what became of it. */
export interface Outcome {
  readonly mutant: Mutant
  readonly verdict: Verdict
  /** The compiler's objection; absent where the bug is well typed, as nearly all are. */
  readonly typeError?: string
}
