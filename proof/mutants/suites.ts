/** The suites of an operation, by its name: the titles of test/proof say which operation a test is about. */

/** Tests, and the regular expression over full titles that picks some of them. */
export interface Tests {
  readonly tests: readonly string[]
  readonly pattern?: string
}

const about = (name: string): string => ` (primitives|functions|layers) ${name}: `

/** Gradients and adjoints. */
export const gradients = (name: string): Tests => ({
  tests: ['test/proof/adjoints.test.ts', 'test/proof/gradients.test.ts'],
  pattern: about(name),
})

/** Values in every dtype and configuration. */
export const values = (name: string): Tests => ({ tests: ['test/proof/values.test.ts'], pattern: about(name) })

/** Values at NaN, infinities, equal elements, large offsets and the ends of integers. */
export const ends = (name: string): Tests => ({ tests: ['test/proof/ends.test.ts'], pattern: about(name) })

/** Documented errors. */
export const errors = (name: string): Tests => ({ tests: ['test/proof/errors.test.ts'], pattern: about(name) })

/** A test file, whole or in part. */
export const inFile = (file: string, pattern?: string): Tests => ({
  tests: [`test/${file}.test.ts`],
  ...(pattern === undefined ? {} : { pattern }),
})
