/**
 * Mixed precision (Micikevicius et al. 2018): which values of a part of a program are halves, as data, and the casts that make them so.
 *
 * Every tensor that a program sees keeps its dtype. Where a policy asks for halves, a contraction casts its operands and gives f32, and an
 * activation is rounded as it will be stored; norms, softmax and losses stand between such casts and are computed in f32, for nothing changes
 * there. The casts are nodes of the graph like all others: autograd goes through them, and no backend needs to know of a policy.
 */
import { typeError } from '../prelude/errors.ts'
import { abandon, isPromise } from '../prelude/promise.ts'
import type { DType } from '../graph/dtype.ts'
import { makeNode } from '../graph/node.ts'
import type { Node } from '../graph/ops.ts'

/** The dtype of f32 values where they need not be exact. */
export interface Precision {
  /** Operands of contractions, which are summed in f32 whatever they are: inputs, copies of weights, and in the backward pass cotangents. */
  readonly operands: 'f16' | 'f32'
  /** What layers and modules give on to others, and what is kept of it for the backward pass; the same of its cotangents. */
  readonly activations: 'f16' | 'f32'
}

/**
 * The policies by name: `f32` leaves a program as it is, `mixed` makes halves of operands and activations.
 *
 * @example
 * ```ts
 * import { precisions } from 'fathom'
 *
 * precisions.mixed // => { operands: 'f16', activations: 'f16' }
 * ```
 */
export const precisions = {
  f32: { operands: 'f32', activations: 'f32' },
  mixed: { operands: 'f16', activations: 'f16' },
} as const satisfies { readonly [name: string]: Precision }

/** The policy of the function that is being called: set for the time of one synchronous call, as the layer's name is (graph/scope.ts). */
const current: { precision: Precision } = { precision: precisions.f32 }

/**
 * `fn` by a policy: what it makes while it is called has the policy's casts. Around a loss it is the whole of mixed precision, save the loss
 * scale: `grad(withPrecision(precisions.mixed, loss))`. Gradients come in f32. A part of a program may have a policy of its own, the innermost
 * counts; f16, f64 and integers stay what they are.
 *
 * @throws TypeError for a function that returns a promise: only what is made before its first `await` would have the casts
 * @example
 * ```ts
 * import { grad, precisions, print, tensor, withPrecision, type Tensor } from 'fathom'
 *
 * const product = (w: Tensor, x: Tensor): Tensor => x.matmul(w).sum()
 * const mixed = withPrecision(precisions.mixed, product)
 * const [w, x] = [tensor([[1.0001], [3]]), tensor([[1, 2]])]
 * product(w, x) // => 7.0001
 * mixed(w, x) // => 7
 * grad(mixed)(w, x) // => [[1], [2]]
 * print(mixed(w, x)) // =>
 * // %0 = buffer (data) : f32[2,1]
 * // %1 = buffer (data) : f32[1,2]
 * // %2 = cast %1 : f16[1,2]
 * // %3 = cast %0 : f16[2,1]
 * // %4 = dotGeneral %2 %3 (contract:[[1],[0]],batch:[[],[]],dtype:f32) : f32[1,1]
 * // %5 = reduceSum %4 (axes [0,1]) : f32[]
 * // return %5
 * ```
 */
export const withPrecision =
  <A extends readonly unknown[], R>(precision: Precision, fn: (...args: A) => R) =>
  (...args: A): R => {
    const outer = current.precision
    current.precision = precision
    try {
      const result = fn(...args)
      if (isPromise(result)) {
        abandon(result)
        throw typeError(
          'withPrecision: the function returned a Promise: the policy holds while it is called, and must return tensors without await',
        )
      }
      return result
    } finally {
      current.precision = outer
    }
  }

/** The policy of the function that is being called now; f32 where there is none. */
export const currentPrecision = (): Precision => current.precision

/** The operands of a contraction as the policy has them, and the dtype of its result: halves are summed to f32, which nothing has rounded yet. */
export const operandsOf = (x: Node, y: Node): { readonly x: Node; readonly y: Node; readonly dtype: DType } => {
  const { operands: dtype } = current.precision
  if (dtype === 'f32' || x.dtype !== 'f32' || y.dtype !== 'f32') return { x, y, dtype: x.dtype }
  return { x: makeNode('cast', { dtype }, [x]), y: makeNode('cast', { dtype }, [y]), dtype: 'f32' }
}
