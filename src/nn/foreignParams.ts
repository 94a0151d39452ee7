/** Parameters that are not a module's own: another model's, or a tree that lost a branch on its way through a file. */
import { ShapeError, typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { isRecord } from '../prelude/record.ts'
import { key } from '../tensor/random.ts'
import { leavesWithPaths } from '../tensor/tree.ts'

/** Anything that makes parameters. */
interface Makes {
  readonly init: (seed: ReturnType<typeof key>) => unknown
}

const noSuch = (path: string): ShapeError =>
  new ShapeError(`the parameters have no '${path}': were they made by another model?`)

/** Refuses parameters that are no tree, as a Promise of them. */
export const requireTree = (params: unknown): void => {
  if (params === undefined || Array.isArray(params)) return
  if (!isRecord(params) || ('then' in params && typeof params['then'] === 'function'))
    throw typeError(`the parameters of a model are a tree of tensors, got ${whatIs(params)}`)
}

/** The parameters of a child that has none in the tree: right for a child that needs none, else an error. */
export const ownParams = (child: Makes, params: unknown, name: string): unknown => {
  if (params !== undefined) return params
  const fresh = child.init(key(0))
  if (leavesWithPaths(fresh).length > 0) throw noSuch(name)
  return fresh
}

/** Why a module failed, if what it would make is missing in what it was given. */
export const missingParams = (module: Makes, params: unknown): ShapeError | undefined => {
  const given = new Set(leavesWithPaths(params).map(([path]) => path))
  const missing = leavesWithPaths(module.init(key(0))).find(([path]) => !given.has(path))
  return missing === undefined ? undefined : noSuch(missing[0] === '' ? 'tensor' : missing[0])
}
