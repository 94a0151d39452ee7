/** One step of several optimizers, or of one on several parts: each part of the parameters has an optimizer and a state. */
import { typeError } from '../prelude/errors.ts'
import { leavesWithPaths, mapTree } from '../tensor/tree.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Transform, UpdateOptions } from './transform.ts'

/** Parts of a tree by name; what is no tree of parameters is refused with words. */
export type Parts = ReadonlyMap<string, unknown>

/** How a tree is taken apart, and the path in the tree of a leaf of a part. */
export interface Parting {
  readonly operation: string
  /** The parts of `tree`, by what the parameters in their places are. @param what the tree is, in errors */
  readonly partsOf: (tree: unknown, what: string, params: unknown) => Parts
  readonly pathIn: (part: string, path: string) => string
}

const stateOf = <S>({ operation }: Parting, state: Readonly<Record<string, S>>, part: string): S => {
  const found = state[part]
  if (found !== undefined) return found
  throw typeError(`${operation}: the optimizer's state has no branch '${part}': begin with init(params) of this model`)
}

const updateAt = ({ operation }: Parting, updates: ReadonlyMap<string, Tensor>, path: string): Tensor => {
  const found = updates.get(path)
  if (found !== undefined) return found
  throw typeError(
    `${operation}: the optimizer of '${path}' gave no update for it: it must give one for each leaf of its part`,
  )
}

/** Each part's optimizer as one transform. @param optimizerOf of the part of that name */
export const inParts = <S>(
  parting: Parting,
  optimizerOf: (part: string) => Transform<S>,
): Transform<Readonly<Record<string, S>>> => ({
  init: (params) =>
    Object.fromEntries(
      [...parting.partsOf(params, 'the parameters', params)].map(([part, own]) => [part, optimizerOf(part).init(own)]),
    ),
  update: <P>(gradients: P, state: Readonly<Record<string, S>>, params: P, given?: UpdateOptions) => {
    const own = parting.partsOf(params, 'the parameters', params)
    const updated = [...parting.partsOf(gradients, 'the gradients', params)].map(
      ([part, of]) =>
        [part, optimizerOf(part).update(of, stateOf(parting, state, part), own.get(part), given)] as const,
    )
    const all = new Map<string, Tensor>(
      updated.flatMap(([part, [updates]]) =>
        leavesWithPaths(updates).map(([path, u]) => [parting.pathIn(part, path), u] as const),
      ),
    )
    return [
      mapTree<P>(gradients, (_, path) => updateAt(parting, all, path)),
      Object.fromEntries(updated.map(([part, [, next]]) => [part, next])),
    ]
  },
})
