/**
 * vmap: a function of one example as a function of a batch of them.
 *
 * The function is called once, with placeholders of the shape of a slice; the graph that it returns is rebuilt by the batching rules (rules.ts), which
 * give every mapped value one more axis. Source: Bradbury et al. 2018, JAX (`jax.vmap`).
 */
import { requireFunction, requireKnown } from '../../prelude/options.ts'
import { at, without } from '../../prelude/array.ts'
import { ShapeError, TraceError, typeError } from '../../prelude/errors.ts'
import { whatIs } from '../../prelude/mistaken.ts'
import { abandon, isPromise } from '../../prelude/promise.ts'
import { makeNode } from '../../graph/node.ts'
import type { Node } from '../../graph/ops.ts'
import { showShape } from '../../graph/shape.ts'
import { moveAxis } from '../../tensor/movement.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { inWords } from '../../tensor/trace.ts'
import { flatten, pathsOf } from '../../tensor/treedef.ts'
import { refill } from '../../tensor/tree.ts'
import { axesFor, frontAxis, type AxesOf, type Naming } from './axes.ts'
import { batch } from './batch.ts'
import type { Batched } from './batching.ts'
import { repeated } from './batching.ts'

/** Which axes {@link vmap} maps over. */
export interface VmapOptions<A extends readonly unknown[], R> {
  /** One axis for all arguments, or for each argument an axis, a tree of axes like it, or null where all slices share it; 0 unless it is given. */
  readonly in?: number | { readonly [I in keyof A]: AxesOf<A[I]> }
  /** Where results have the batch axis, one for all or a tree like the result; null for what does not depend on anything mapped. 0 unless it is given. */
  readonly out?: AxesOf<R>
}

/** A leaf of the arguments. */
interface Given {
  readonly words: string
  readonly whole: Tensor
  /** From the front; null where it is not mapped. */
  readonly axis: number | null
}

const ofArguments: Naming = { option: 'in', words: (path) => (path === '' ? 'the arguments' : inWords(path)) }

const ofResult: Naming = {
  option: 'out',
  words: (path) => (path === '' ? 'the result' : `leaf '${path}' of the result`),
}

const givenLeaves = (args: readonly unknown[], axes: unknown): readonly Given[] => {
  const { treedef, leaves } = flatten(args)
  const paths = pathsOf(treedef)
  return axesFor(treedef, axes, '', ofArguments).map((axis, i) => {
    const [whole, words] = [at(leaves, i), inWords(at(paths, i))]
    return { words, whole, axis: axis === null ? null : frontAxis(axis, whole.shape, words) }
  })
}

/** The one length of all mapped axes. */
const batchSize = (given: readonly Given[]): number => {
  const mapped = given.flatMap(({ words, whole, axis }) =>
    axis === null ? [] : [{ words, axis, length: at(whole.shape, axis), shape: whole.shape }],
  )
  const [first] = mapped
  if (first === undefined)
    throw new ShapeError(
      given.length === 0
        ? 'vmap: there is no tensor among the arguments to map over'
        : "vmap: nothing is mapped: 'in' is null for every argument; give an axis for at least one",
    )
  const other = mapped.find(({ length }) => length !== first.length)
  if (other !== undefined)
    throw new ShapeError(
      `vmap: ${first.words} ${showShape(first.shape)} has ${first.length} slices along axis ${first.axis}, and ${other.words} ${showShape(other.shape)} has ${other.length} along axis ${other.axis}; ` +
        'give arguments of one length, or null for what all slices share',
    )
  return first.length
}

/** Refuses a promise: nothing that it brings can be part of the graph. */
const refusePromise = (result: unknown): void => {
  if (!isPromise(result)) return
  abandon(result)
  throw new TraceError(
    'vmap: the function returned a Promise. It is called once, to see what it computes, and must return tensors at once: nothing in it can be awaited or read; compile(vmap(f)), not vmap(compile(f))',
  )
}

const noTensors = (result: unknown): TypeError =>
  typeError(
    `vmap: the function must return tensors, it returned ${whatIs(result)}${result === undefined ? '; is a return missing?' : ''}`,
  )

const placed = ({ node, isMapped }: Batched, axis: number | null, size: number, words: string): Tensor => {
  if (axis === null) {
    if (isMapped) throw new ShapeError(`vmap: 'out' is null for ${words}, which differs from slice to slice`)
    return new Tensor(node)
  }
  const whole = new Tensor(isMapped ? node : repeated(node, size))
  return moveAxis(whole, 0, frontAxis(axis, whole.shape, words))
}

/**
 * `f`, a function of one example, as a function of a batch: `vmap(f)(xs)` is the stack of `f(x)` over all slices x of xs, computed at once. What all
 * slices share is not copied, and what a matrix does to each of them is one product. Arguments and results are trees; what in them is no tensor stays
 * as it is. It goes together with everything in any order: per-example gradients are `vmap(grad(loss), { in: [null, 0, 0] })`.
 *
 * @param options which axis of each argument is mapped (0; null for what all slices share), and where results have it (0)
 * @throws ShapeError where mapped axes differ in length or do not exist, or nothing is mapped; TraceError for a function that returns a promise
 * @example
 * ```ts
 * import { grad, tensor, vmap, type Tensor } from 'fathom'
 *
 * const dot = (x: Tensor, y: Tensor): Tensor => x.mul(y).sum()
 * const xs = tensor([[1, 2], [3, 4], [5, 6]])
 * vmap(dot)(xs, xs) // => [5, 25, 61]
 * vmap(dot, { in: [0, null] })(xs, tensor([10, 1])) // => [12, 34, 56]
 * vmap(dot, { in: 1 })(xs, xs) // => [35, 56]
 * vmap((x: Tensor) => x.mul(2), { out: 1 })(xs) // => [[2, 6, 10], [4, 8, 12]]
 * const loss = (w: Tensor, x: Tensor): Tensor => dot(w, x).square()
 * vmap(grad(loss), { in: [null, 0] })(tensor([1, 1]), xs) // => [[6, 12], [42, 56], [110, 132]]
 * vmap(dot)(xs, tensor([1, 2]))
 * // throws ShapeError: vmap: argument 0 [3,2] has 3 slices along axis 0, and argument 1 [2] has 2 along axis 0; …
 * ```
 */
export const vmap = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions<A, R> = {},
): ((...args: A) => R) => {
  requireFunction('vmap', f, 'vmap((x) => …)')
  requireKnown('vmap', options, ['in', 'out'])
  return (...args) => {
    const given = givenLeaves(args, options.in === undefined ? 0 : options.in)
    const size = batchSize(given)
    const wholes = new Map<Node, Node>()
    const slices = given.map(({ whole, axis }) => {
      if (axis === null) return whole
      const shape = without(whole.shape, [axis])
      const slice = makeNode('parameter', { index: -1, shape, dtype: whole.dtype }, [])
      wholes.set(slice, moveAxis(whole, axis, 0).node)
      return new Tensor(slice)
    })
    const result = f(...refill(args, slices))
    refusePromise(result)
    const { treedef, leaves } = flatten(result)
    if (leaves.length === 0) throw noTensors(result)
    const axes = axesFor(treedef, options.out === undefined ? 0 : options.out, '', ofResult)
    const paths = pathsOf(treedef)
    const batched = batch(
      leaves.map((y) => y.node),
      wholes,
      size,
    )
    return refill(
      result,
      batched.map((y, i) => placed(y, at(axes, i), size, ofResult.words(at(paths, i)))),
    )
  }
}
