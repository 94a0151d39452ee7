/** Checks of what the type system cannot see at run time: that a value is a tensor, what a loss gave back, that images are images. */
import { ShapeError, typeError } from '../prelude/errors.ts'
import { notATensor, whatIs } from '../prelude/mistaken.ts'
import { abandon, isPromise } from '../prelude/promise.ts'
import type { Node } from '../graph/ops.ts'
import { showShape } from '../graph/shape.ts'
import { Tensor } from './tensor.ts'

/** Refuses what is no tensor. @param what the operation, or whose value it is */
export const expectTensor: (what: string, x: unknown) => asserts x is Tensor = (what, x) => {
  if (!(x instanceof Tensor)) throw notATensor(what, x)
}

/** Refuses what is no list of tensors. */
export const expectTensors = (operation: string, xs: readonly Tensor[]): void => {
  if (!Array.isArray(xs)) throw notATensor(operation, xs, 'a list of tensors')
  for (const x of xs) expectTensor(operation, x)
}

/** The tensor that an operation was given. */
export const givenTensor = (operation: string, x: Tensor): Tensor => {
  expectTensor(operation, x)
  return x
}

/**
 * Refuses what is no tensor, where `fathom/nn` has a layer of the operation's name: who gives a size wants the layer.
 *
 * @param call how the operation is called: `conv2d(x, filter)`
 */
export const expectTensorNotSize: (operation: string, x: unknown, call: string) => asserts x is Tensor = (
  operation,
  x,
  call,
) => {
  if (typeof x === 'number')
    throw typeError(
      `${operation}: got ${x} where a tensor is expected: ${call} of fathom computes, and ${operation} of fathom/nn makes a layer of sizes`,
    )
  expectTensor(operation, x)
}

/** The node of a tensor that an operation was given. */
export const nodeOf = (operation: string, x: Tensor): Node => {
  expectTensor(operation, x)
  return x.node
}

/** Refuses what a function of a scalar loss must not return: a promise, a number, nothing. @param what `grad` */
export const expectLoss: (what: string, y: unknown) => asserts y is Tensor = (what, y) => {
  if (y instanceof Tensor) return
  if (isPromise(y)) {
    abandon(y)
    throw typeError(
      `${what}: the function returned a Promise: it runs once, to be traced, and must return tensors without await; read values outside of it`,
    )
  }
  throw typeError(`${what}: the function must return a scalar tensor, it returned ${whatIs(y)}; ${lossRemedy(y)}`)
}

const lossRemedy = (y: unknown): string =>
  y === undefined ? 'is a return missing?' : 'a number does not say how it was computed from the parameters'

/** Refuses what is no batch of images [N, H, W, C]. @param remedy what to do, where there is more to say */
export const expectImages = (operation: string, x: Tensor, remedy?: string): void => {
  expectTensor(operation, x)
  if (x.rank !== 4)
    throw new ShapeError(
      `${operation}: takes images [N, H, W, C], got ${showShape(x.shape)}${remedy === undefined ? '' : `; ${remedy}`}`,
    )
}
