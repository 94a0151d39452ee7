/** Lines of the documentation that look like equations and are none, each with the reason. */

/** A piece of a line, long enough to be found once on its page. */
export interface Exemption {
  readonly page: string
  readonly text: string
  readonly reason: string
}

/** All exemptions; one that is not found on its page fails the test. */
export const exemptions: readonly Exemption[] = [
  {
    page: 'docs/08-proving-gradients.md',
    text: 'for f(x) = exp(sin 3x) at ten points',
    reason: 'names the function of the picture',
  },
]
