/**
 * Errors that are bugs of the program and are thrown.
 *
 * What can go wrong outside the program (files, devices, configuration) is a tagged record in a TaskEither or an
 * Either instead.
 */

/** Shapes that do not fit: says the operation, what it got and what it expected. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

/** A dtype that an operation does not take, or two that should be equal. */
export class DTypeError extends Error {
  override readonly name = 'DTypeError'
}

/** A value that was donated to a compiled function was used again. */
export class UseAfterDonate extends Error {
  override readonly name = 'UseAfterDonate'
}

/** A function was differentiated or compiled in a way that its graph does not allow. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
}
