/**
 * Parameters under the names and the axes of another library: a map that is data, and is used in both directions.
 *
 * A path of ours becomes a foreign name by renames, and a tensor of ours a foreign one by a layout. Nothing has to be inverted to read: the
 * parameters that are wanted are known, each says under which name and with which axes it lies in the file, and there it is looked up.
 */
import { requireKnown } from '../prelude/options.ts'
import type { DType } from '../graph/dtype.ts'
import { showShape, type Shape } from '../graph/shape.ts'
import { at, equalNumbers, range } from '../prelude/array.ts'
import { nearest } from '../prelude/nearest.ts'
import { printable } from '../prelude/printable.ts'
import { leavesWithPaths } from './tree.ts'

/** A step on the way from a path of ours to a foreign name: what stands at its beginning, at its end, or where a pattern fits, is replaced by `to`. */
export type Rename =
  | { readonly prefix: string; readonly to: string }
  | { readonly suffix: string; readonly to: string }
  | { readonly pattern: RegExp; readonly to: string }

/** Which axes of ours are which of theirs, for the paths of ours that fit all conditions given, and only for tensors of the layout's rank. */
export interface LayoutRule {
  /** A letter for each axis of ours, and how theirs stand; 1 is an axis of length 1 that ours lacks: `HWIO->OIHW`, `IO->OI11`, `C->1C11`. */
  readonly layout: string
  readonly prefix?: string
  readonly suffix?: string
  readonly pattern?: RegExp
}

/** From our names and axes to those of others. */
export interface NameMap {
  /** Applied in order, each to what the one before made. */
  readonly rename?: readonly Rename[]
  /** The first that fits a tensor decides; where none fits, the axes are the same. */
  readonly layout?: readonly LayoutRule[]
}

/** The names of {@link NameMap}. */
export const nameMapOptions = ['rename', 'layout'] as const

/**
 * PyTorch's axes: filters of a convolution are OIHW there and HWIO here, the matrix of a linear layer OI there and IO here. The table of an
 * embedding lies the same in both; where there is one, a rule before these says so, like `{ layout: 'RC->RC', prefix: 'words.' }`.
 */
export const torchLayouts: readonly LayoutRule[] = [
  { layout: 'HWIO->OIHW', suffix: 'weight' },
  { layout: 'IO->OI', suffix: 'weight' },
]

/** Where a parameter lies among foreign tensors: it is `theirs.transpose(permutation).reshape(its own shape)`. */
export interface Place {
  /** Our path. */
  readonly path: string
  /** Our dtype. */
  readonly dtype: DType
  /** Our shape. */
  readonly ours: Shape
  /** The foreign name. */
  readonly name: string
  /** The foreign tensor's shape. */
  readonly shape: Shape
  readonly permutation: readonly number[]
}

const renamed = (text: string, rule: Rename): string => {
  if ('prefix' in rule) return text.startsWith(rule.prefix) ? rule.to + text.slice(rule.prefix.length) : text
  if ('suffix' in rule)
    return text.endsWith(rule.suffix) ? text.slice(0, text.length - rule.suffix.length) + rule.to : text
  return text.replace(rule.pattern, rule.to)
}

/** The two sides of a layout. @throws RangeError where it is none */
const sidesOf = (layout: string): readonly [ours: string, theirs: string] => {
  const [, ours, theirs] = /^([A-Za-z]*)->([A-Za-z1]*)$/.exec(layout) ?? []
  const sorted = (letters: string): string => [...letters].toSorted().join('')
  if (
    ours === undefined ||
    theirs === undefined ||
    new Set(ours).size !== ours.length ||
    sorted(ours) !== sorted(theirs.replaceAll('1', ''))
  )
    throw new RangeError(
      `the layout '${layout}' cannot be read: write a letter for each axis of ours, ->, and the same letters as theirs stand, with 1 for an axis of length 1, as in HWIO->OIHW or IO->OI11`,
    )
  return [ours, theirs]
}

const holds = ({ prefix = '', suffix = '', pattern }: LayoutRule, path: string): boolean =>
  path.startsWith(prefix) && path.endsWith(suffix) && (pattern === undefined || path.search(pattern) !== -1)

/** The foreign shape, and the order in which its axes are ours, those of length 1 last. */
const foreignAxes = (
  path: string,
  shape: Shape,
  rules: readonly LayoutRule[],
): Pick<Place, 'shape' | 'permutation'> => {
  for (const rule of rules) {
    const [ours, theirs] = sidesOf(rule.layout)
    if (ours.length !== shape.length || !holds(rule, path)) continue
    const axes = [...theirs]
    const ones = range(axes.length).filter((i) => axes[i] === '1')
    return {
      shape: axes.map((axis) => (axis === '1' ? 1 : at(shape, ours.indexOf(axis)))),
      permutation: [...[...ours].map((axis) => axes.indexOf(axis)), ...ones],
    }
  }
  return { shape, permutation: range(shape.length) }
}

const quoted = (name: string): string => `'${printable(name.length > 120 ? `${name.slice(0, 117)}…` : name)}'`

/**
 * Where each parameter lies among foreign tensors, in path order.
 *
 * @throws RangeError for two parameters under one name, and for a layout that cannot be read
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { placesOf, torchLayouts } from 'fathom/io'
 * import { linear } from 'fathom/nn'
 *
 * const rename = [{ suffix: 'weight', to: 'kernel' }]
 * const [bias, weight] = placesOf(linear(2, 3).init(key(0)), { rename, layout: torchLayouts })
 * weight?.name // => 'kernel'
 * weight?.shape // => [3, 2]
 * placesOf(linear(2, 3).init(key(0)), { rename: [{ pattern: /.+/, to: 'w' }] }) // throws RangeError: 'bias' and 'weight' would both be 'w': …
 * ```
 */
export const placesOf = (template: unknown, map: NameMap = {}): readonly Place[] => {
  requireKnown('placesOf', map, nameMapOptions)
  const { rename = [], layout = [] } = map
  const places = leavesWithPaths(template).map(([path, { shape, dtype }]) => ({
    path,
    dtype,
    ours: shape,
    name: rename.reduce(renamed, path),
    ...foreignAxes(path, shape, layout),
  }))
  const byName = new Map<string, string>()
  for (const { path, name } of places) {
    const other = byName.get(name)
    if (other !== undefined)
      throw new RangeError(
        `${quoted(other)} and ${quoted(path)} would both be ${quoted(name)}: give renames that tell them apart`,
      )
    byName.set(name, path)
  }
  return places
}

/** A foreign tensor that does not fit the parameters; `message` says how, and names it. */
export interface Misfit {
  readonly kind: 'missing' | 'superfluous' | 'misshapen' | 'dtype'
  /** The foreign name. */
  readonly name: string
  readonly message: string
}

/** Pairs of names that are compared for a hint at most: enough for a model of some dozen tensors, and a moment. */
const mostComparisons = 4096

const ascending = (shape: Shape): Shape => shape.toSorted((a, b) => a - b)

const misshapen = ({ name, shape }: Place, found: Shape): Misfit => {
  const turned = equalNumbers(ascending(found), ascending(shape))
    ? ': are its axes in another order? a layout says so'
    : ''
  return {
    kind: 'misshapen',
    name,
    message: `${quoted(name)} is ${showShape(found)} where the model has ${showShape(shape)}${turned}`,
  }
}

/**
 * All that keeps foreign tensors from being these parameters: what is missing, with the nearest name of what is there and is not wanted;
 * what has another shape; what is superfluous.
 *
 * @param found the shape of each foreign tensor
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { misfitsOf, placesOf } from 'fathom/io'
 * import { linear } from 'fathom/nn'
 *
 * const places = placesOf(linear(2, 3).init(key(0)))
 * misfitsOf(places, new Map([['bias', [3]], ['wieght', [2, 3]]])).map(({ message }) => message)
 * // => ["'weight' [2,3] is missing; did you mean 'wieght'?", "'wieght' is not in the model"]
 * ```
 */
export const misfitsOf = (places: readonly Place[], found: ReadonlyMap<string, Shape>): readonly Misfit[] => {
  const wanted = new Set(places.map(({ name }) => name))
  const extra = [...found].filter(([name]) => !wanted.has(name))
  const lacking = places.filter(({ name }) => !found.has(name))
  const candidates = lacking.length * extra.length <= mostComparisons ? extra.map(([name]) => name) : []
  const missing = lacking.map(({ name, shape }): Misfit => {
    const near = nearest(name, candidates)
    const hint = near === undefined ? '' : `; did you mean ${quoted(near)}?`
    return { kind: 'missing', name, message: `${quoted(name)} ${showShape(shape)} is missing${hint}` }
  })
  const others = places.flatMap((place) => {
    const shape = found.get(place.name)
    return shape === undefined || equalNumbers(shape, place.shape) ? [] : [misshapen(place, shape)]
  })
  const superfluous = extra.map(([name]): Misfit => ({
    kind: 'superfluous',
    name,
    message: `${quoted(name)} is not in the model`,
  }))
  return [...missing, ...others, ...superfluous]
}
