/**
 * Errors that are bugs of the program and are thrown. Their stack traces begin with the user's line (stack.ts).
 *
 * What can go wrong outside the program (files, devices, configuration) is a tagged record in a TaskEither or an
 * Either instead.
 */
import { beginAtUser } from './stack.ts'

/**
 * Shapes that do not fit: says the operation, what it got and what it expected.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 *
 * tensor([1, 2]).add(tensor([1, 2, 3]))
 * // throws ShapeError: add: [2] and [3] do not broadcast: axis -1 has 2 against 3, and neither is 1
 * ```
 */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'

  constructor(message: string) {
    super(message)
    beginAtUser(this)
  }
}

/**
 * A dtype that an operation does not take, or two that should be equal.
 *
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 *
 * tensor([1, 2]).add(tensor([1, 2], { dtype: 'i32' }))
 * // throws DTypeError: add: dtypes f32 and i32 differ; cast one of them
 * ```
 */
export class DTypeError extends Error {
  override readonly name = 'DTypeError'

  constructor(message: string) {
    super(message)
    beginAtUser(this)
  }
}

/**
 * A value that was donated to a compiled function was used again.
 *
 * @example
 * ```ts
 * import { ones, type Tensor } from 'fathom'
 *
 * const step = device.compile((w: Tensor) => w.mul(0.5), { donate: [0] })
 * const before = await device.realize(ones([2]))
 * await step(before) // => [0.5, 0.5]
 * await step(before) // throws UseAfterDonate: the tensor '0' was donated as 'argument 0' to a compiled function; …
 * ```
 */
export class UseAfterDonate extends Error {
  override readonly name = 'UseAfterDonate'

  constructor(message: string) {
    super(message)
    beginAtUser(this)
  }
}

/**
 * A value was used again after its memory was given back, by `device.release` or at the end of a scope.
 *
 * @example
 * ```ts
 * import { ones } from 'fathom'
 *
 * const x = await device.realize(ones([2]))
 * device.release(x)
 * await device.read(x) // throws UseAfterRelease: the tensor was released; …
 * ```
 */
export class UseAfterRelease extends Error {
  override readonly name = 'UseAfterRelease'
}

/**
 * A device has less memory left than is asked for.
 *
 * @example
 * ```ts
 * import { scalar, zeros } from 'fathom'
 *
 * await device.read(zeros([100_000, 100_000]).add(scalar(1))) // throws OutOfMemory: …
 * ```
 */
export class OutOfMemory extends RangeError {
  override readonly name: string = 'OutOfMemory'
  /** What the device said, without what a program could do about it. */
  readonly reason: string

  constructor(message: string, reason = message) {
    super(message)
    this.reason = reason
  }
}

/**
 * A device was lost, with all that lay in its memory: its driver was reset, or the system took it away. What was read before is there; the rest
 * must be computed again, on a device that is opened again.
 *
 * @example
 * ```ts
 * import { DeviceLost, tensor } from 'fathom'
 *
 * const read = device.read(tensor([1, 2])).catch((e) => {
 *   if (e instanceof DeviceLost) return 'open it again'
 *   throw e
 * })
 * await read // => [1, 2]
 * ```
 */
export class DeviceLost extends Error {
  override readonly name = 'DeviceLost'
  /** What the device said of its loss. */
  readonly reason: string

  constructor(message: string, reason = message) {
    super(message)
    this.reason = reason
  }
}

/**
 * A function was differentiated or compiled in a way that its graph does not allow.
 *
 * @example
 * ```ts
 * import { tensor, type Tensor } from 'fathom'
 *
 * const weights = tensor([1, 2])
 * await device.compile((x: Tensor) => x.mul(weights))(tensor([3, 4]))
 * // throws TraceError: compile: the function uses a tensor of data, f32[2], made at …, that is not one of its arguments; …
 * ```
 */
export class TraceError extends Error {
  override readonly name = 'TraceError'

  constructor(message: string) {
    super(message)
    beginAtUser(this)
  }
}

/**
 * A value that is no number became one of a computation's values: on a device that was opened with `check`, the first of them, with what
 * made it and where. What is not finite on purpose and reaches no result is no error.
 *
 * @example
 * ```ts
 * import { open, tensor } from 'fathom'
 *
 * const opened = await open('cpu', { check: 'finite' })()
 * if (opened._tag === 'Left') throw new Error(opened.left.message)
 * await opened.right.read(tensor([1, 0]).log().mul(2))
 * // throws NonFiniteError: log makes -Infinity in f32[2], 1 of 2 elements, first at [1], from f32[2] in 0 … 1; made at …
 * await opened.right.close() // while it is open, every node notes where it is made
 * ```
 */
export class NonFiniteError extends Error {
  override readonly name = 'NonFiniteError'

  constructor(message: string) {
    super(message)
    beginAtUser(this)
  }
}

/** A value of the wrong type, as JavaScript's own error: TypeScript tells most of these before the program runs. */
export const typeError = (message: string): TypeError => beginAtUser(new TypeError(message))
