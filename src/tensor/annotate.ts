/**
 * Annotations of the graph, honoured by autograd: named calls, checkpoints and functions with their own derivative.
 *
 * Each wraps a function into a `call` node that carries its own definition. What the function uses from outside becomes a further
 * input of the call, so that gradients flow to it.
 */
import { requireFunction } from '../prelude/options.ts'
import { at } from '../prelude/array.ts'
import { TraceError } from '../prelude/errors.ts'
import { makeNode } from '../graph/node.ts'
import type { Definition, Node } from '../graph/ops.ts'
import { close } from '../graph/substitute.ts'
import { Tensor } from './tensor.ts'
import { leaves, refill } from './tree.ts'

type Rule = NonNullable<Definition['vjp']>

const annotated =
  <A extends readonly unknown[], R>(
    fn: (...args: A) => R,
    annotation: Pick<Definition, 'name' | 'checkpoint'>,
    rule?: (args: A, result: R) => Rule,
  ) =>
  (...args: A): R => {
    const inputs = leaves(args)
    const parameters = inputs.map((x, index) => makeNode('parameter', { index, shape: x.shape, dtype: x.dtype }, []))
    const result = fn(
      ...refill(
        args,
        parameters.map((p) => new Tensor(p)),
      ),
    )
    const closure = close(
      parameters,
      leaves(result).map((x) => x.node),
    )
    if (rule !== undefined && closure.captured.length > 0)
      throw new TraceError(
        `${annotation.name}: a function with its own vjp must take everything it uses as an argument; ${closure.captured.length} tensors came from outside`,
      )
    const definition = {
      ...annotation,
      ...(rule === undefined ? {} : { vjp: rule(args, result) }),
      parameters: closure.parameters,
      outputs: closure.outputs,
    }
    const operands: readonly Node[] = [...inputs.map((x) => x.node), ...closure.captured]
    // What comes out as it went in, or twice, keeps one name: its cotangents are then summed in one place, as without the call.
    const made = new Map<Node, Tensor>(
      rule === undefined ? closure.parameters.map((p, i) => [p, new Tensor(at(operands, i))]) : [],
    )
    const resultOf = (node: Node, output: number): Tensor => {
      const known = made.get(node) ?? new Tensor(makeNode('call', { definition, output }, operands))
      made.set(node, known)
      return known
    }
    return refill(result, closure.outputs.map(resultOf))
  }

/**
 * `fn` as one named node of the graph; a backend may run it as one kernel, and prints show its name.
 *
 * @example
 * ```ts
 * import { call, print, tensor, type Tensor } from 'fathom'
 *
 * const norm = call('norm', (x: Tensor) => x.square().sum().sqrt())
 * norm(tensor([3, 4])) // => 5
 * print(norm(tensor([3, 4]))) // =>
 * // %0 = buffer (data) : f32[2]
 * // %1 = call %0 (norm) : f32[]
 * // return %1
 * ```
 */
export const call = <A extends readonly unknown[], R>(name: string, fn: (...args: A) => R): ((...args: A) => R) => {
  requireFunction('call', fn, "call('name', (x) => …)")
  return annotated(fn, { name, checkpoint: false })
}

/**
 * `fn` whose intermediate values are not kept for the backward pass but computed again there (Chen et al. 2016, "Training deep nets
 * with sublinear memory cost"). Values and gradients are unchanged.
 *
 * @example
 * ```ts
 * import { checkpoint, grad, tensor, type Tensor } from 'fathom'
 *
 * const layer = (x: Tensor): Tensor => x.sin().exp().sin()
 * const gradient = grad((x: Tensor) => checkpoint(layer)(x).sum())
 * gradient(tensor([0, 1])) // => [0.540, -0.853]
 * grad((x: Tensor) => layer(x).sum())(tensor([0, 1])) // => [0.540, -0.853]
 * ```
 */
export const checkpoint = <A extends readonly unknown[], R>(fn: (...args: A) => R): ((...args: A) => R) => {
  requireFunction('checkpoint', fn, 'checkpoint((x) => …)')
  return annotated(fn, { name: 'checkpoint', checkpoint: true })
}

/**
 * `fn` with its own derivative: `vjp(args, cotangent)` returns the cotangents of the arguments, in the same structure. It must be
 * linear in the cotangent, and is itself made of tensor functions, so that it can be differentiated again. Prints show `name`.
 *
 * @example
 * ```ts
 * import { customVjp, grad, tensor, type Tensor } from 'fathom'
 *
 * const straightThrough = customVjp((x: Tensor) => x.floor(), (_, g: Tensor): [Tensor] => [g])
 * straightThrough(tensor([1.7])) // => [1]
 * grad((x: Tensor) => straightThrough(x).sum())(tensor([1.7])) // => [1]
 * ```
 */
export const customVjp = <A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  vjp: (args: A, cotangent: R) => A,
  name = 'customVjp',
): ((...args: A) => R) => {
  requireFunction('customVjp', fn, 'customVjp((x) => …, ([x], g) => [g])')
  requireFunction('customVjp', vjp, 'customVjp((x) => …, ([x], g) => [g])')
  return annotated(fn, { name, checkpoint: false }, (args, result) => (inputs, cotangents) => {
    const found = vjp(
      refill(
        args,
        inputs.map((n) => new Tensor(n)),
      ),
      refill(
        result,
        cotangents.map((n) => new Tensor(n)),
      ),
    )
    return leaves(found).map((x) => x.node)
  })
}
