/** Which axis of each leaf is mapped: trees of axes over arguments and results, held against them. */
import { at } from '../../prelude/array.ts'
import { ShapeError, typeError } from '../../prelude/errors.ts'
import { whatIs } from '../../prelude/mistaken.ts'
import { isRecord } from '../../prelude/record.ts'
import { joinPath } from '../../prelude/treePath.ts'
import { showShape, type Shape } from '../../graph/shape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Treedef } from '../../tensor/treedef.ts'

/** The axis that is mapped, negative ones count from the end; null where all slices share the whole. */
export type MappedAxis = number | null

/** An axis for all leaves of a tree, or a tree of axes like it, of which each branch may again be one axis. */
export type AxesOf<T> =
  | MappedAxis
  | (T extends Tensor | string | number | boolean | null | undefined
      ? never
      : T extends object
        ? { readonly [K in keyof T]: AxesOf<T[K]> }
        : never)

/** What is named in errors: `argument 0, w` of `in`, or of `out`. */
export interface Naming {
  readonly option: 'in' | 'out'
  readonly words: (path: string) => string
}

const forList = (items: readonly Treedef[], axes: unknown, path: string, naming: Naming): readonly MappedAxis[] => {
  const { option, words } = naming
  if (!Array.isArray(axes)) throw mistaken(axes, path, naming, 'a list')
  if (axes.length !== items.length)
    throw new ShapeError(
      `vmap: '${option}' has ${axes.length} entries for the ${items.length} of ${words(path)}; give one for each, null for what is not mapped`,
    )
  return items.flatMap((item, i) => axesFor(item, axes[i], joinPath(path, i), naming))
}

const forRecord = (
  { keys, items }: Extract<Treedef, { readonly kind: 'record' }>,
  axes: unknown,
  path: string,
  naming: Naming,
): readonly MappedAxis[] => {
  const { option, words } = naming
  if (!isRecord(axes) || Array.isArray(axes)) throw mistaken(axes, path, naming, 'a record')
  const unknown = Object.keys(axes).find((key) => !keys.includes(key))
  if (unknown !== undefined)
    throw new ShapeError(
      `vmap: '${option}' names '${joinPath(path, unknown)}', and ${words(path)} has only ${keys.join(', ')}`,
    )
  return items.flatMap((item, i) => {
    const key = at(keys, i)
    return axesFor(item, axes[key], joinPath(path, key), naming)
  })
}

const mistaken = (axes: unknown, path: string, { option, words }: Naming, kind: string): TypeError =>
  typeError(
    `vmap: '${option}' has ${whatIs(axes)} for ${words(path)}, which is ${kind}; give the number of an axis, or null for what is not mapped`,
  )

/** The axis of each leaf of a tree, in path order; one axis stands for all leaves below it. */
export const axesFor = (treedef: Treedef, axes: unknown, path: string, naming: Naming): readonly MappedAxis[] => {
  switch (treedef.kind) {
    case 'static':
    case 'number':
      return []
    case 'leaf':
      if (axes !== null && typeof axes !== 'number') throw mistaken(axes, path, naming, 'a tensor')
      return [axes]
    case 'list':
      return axes === null || typeof axes === 'number'
        ? treedef.items.flatMap((item, i) => axesFor(item, axes, joinPath(path, i), naming))
        : forList(treedef.items, axes, path, naming)
    case 'record':
      return axes === null || typeof axes === 'number'
        ? treedef.items.flatMap((item, i) => axesFor(item, axes, joinPath(path, at(treedef.keys, i)), naming))
        : forRecord(treedef, axes, path, naming)
  }
}

/** The axis counted from the front. @param words what has the shape */
export const frontAxis = (axis: number, shape: Shape, words: string): number => {
  if (shape.length === 0)
    throw new ShapeError(`vmap: ${words} is a scalar, which has no axis to map over; give null for it`)
  if (!Number.isInteger(axis) || axis < -shape.length || axis >= shape.length)
    throw new ShapeError(`vmap: axis ${axis} does not exist in ${words}, ${showShape(shape)}`)
  return axis < 0 ? axis + shape.length : axis
}
