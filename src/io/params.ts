/**
 * Trees of parameters as the named arrays of a file, and back.
 *
 * A tensor's name is its path in the tree, `down.0.block1.conv.weight`, unless a map of names says otherwise; the same map serves both ways.
 */
import { requireKnown } from '../prelude/options.ts'
import type { TypedArray } from '../graph/dtype.ts'
import { encodeHalf } from '../graph/half.ts'
import { misfitsOf, nameMapOptions, placesOf, type Misfit, type NameMap, type Place } from '../tensor/nameMap.ts'
import { inversePermutation } from '../prelude/array.ts'
import { E, pipe } from '../prelude/fp.ts'
import { typeError } from '../prelude/errors.ts'
import { whatIs } from '../prelude/mistaken.ts'
import { printable } from '../prelude/printable.ts'
import { scalar, tensor } from '../tensor/create.ts'
import type { Device } from '../tensor/device.ts'
import { Tensor } from '../tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../tensor/tree.ts'
import { flatten, pathsOf, unflatten, type Leaf } from '../tensor/treedef.ts'
import type { ArrayRecord } from './arrayRecord.ts'
import { naturalDType, numbersOf, permutedBytes } from './recordNumbers.ts'
import { dtypeNames } from './safetensorsHeader.ts'

/** Arrays that are not the parameters asked for: every one that does not fit, and a message that names them all. */
export interface ParamsError {
  readonly _tag: 'ParamsError'
  readonly misfits: readonly Misfit[]
  readonly message: string
}

/** How arrays become parameters. */
export interface ReadParamsOptions extends NameMap {
  /** Whether floats that the model's dtype cannot hold exactly are rounded to the nearest; default false: they are an error. */
  readonly round?: boolean
}

const paramsError = (misfits: readonly Misfit[]): ParamsError => ({
  _tag: 'ParamsError',
  misfits,
  message: `the weights do not fit the model: ${misfits.map(({ message }) => message).join('; ')}`,
})

const dtypeMisfit = (name: string, words: string): Misfit => ({
  kind: 'dtype',
  name,
  message: `'${printable(name.length > 120 ? `${name.slice(0, 117)}…` : name)}' ${words}`,
})

const bytesOf = (values: TypedArray | BigInt64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

/** A number that a file holds beside tensors: a count, such as the steps that are done. */
const isCount = (x: unknown, path: string): x is number => path !== '' && Number.isSafeInteger(x) && !Object.is(x, -0)

/** The tree with a scalar in the place of each of its counts, as a file holds them; and these, by path. f64 holds all of them. */
const withCounts = (tree: unknown) => {
  const isLeaf = (x: unknown, path: string): x is Leaf => x instanceof Tensor || isCount(x, path)
  const { treedef, leaves } = flatten(tree, isLeaf)
  const paths = pathsOf(treedef)
  const counts = new Map(leaves.flatMap((x, i) => (typeof x === 'number' ? [[paths[i] ?? '', x] as const] : [])))
  const scalars = leaves.map((x) => (typeof x === 'number' ? scalar(x, 'f64') : x))
  return { scalars: unflatten(treedef, scalars), counts }
}

/** A count as PyTorch writes one: I64, of no axes. */
const countRecord = (count: number): ArrayRecord => ({
  dtype: 'I64',
  shape: [],
  bytes: bytesOf(BigInt64Array.of(BigInt(count))),
})

const recordOf = async (device: Device, x: Tensor, { name, shape, permutation }: Place) => {
  const values = await device.read(x)
  const stored = x.dtype === 'f16' ? Uint16Array.from(values, encodeHalf) : values // read as f32, which holds every f16
  const ones = permutation.slice(x.rank).map(() => 1)
  const record: ArrayRecord = { dtype: x.dtype, shape: [...x.shape, ...ones], bytes: bytesOf(stored) }
  const bytes = permutedBytes(record, inversePermutation(permutation))
  if (E.isLeft(bytes)) throw new TypeError(`recordsOf: '${name}' ${bytes.left}`)
  return [name, { dtype: x.dtype, shape, bytes: bytes.right }] as const
}

/** What belongs to a model and not to its file: reading takes it from the template. */
const isLabel = (x: unknown): boolean =>
  x === undefined || x === null || typeof x === 'string' || typeof x === 'boolean'

/** Refuses a tree with values that a file of tensors cannot hold, so that none is lost without a word. */
const requireNoOtherValues = (tree: unknown): void => {
  flatten(tree, (x, path): x is Tensor => {
    if (x instanceof Tensor || isLabel(x) || isCount(x, path)) return x instanceof Tensor
    const where = path === '' ? 'the tree' : `'${printable(path)}' in the tree`
    const remedy = typeof x === 'number' ? `scalar(${x})` : 'tensor(…)'
    throw typeError(
      `recordsOf: ${where} is ${whatIs(x)}, and a file of parameters holds tensors alone: make one of it, ${remedy}, or take it out of the tree`,
    )
  })
}

/**
 * The tensors of a tree as arrays of a file, read from the device: f16 as F16, with its bits. Whole numbers in it, such as a count of steps, are
 * arrays of I64 without axes. Strings, booleans, null and undefined are labels, which stay with the model: reading takes them from its template.
 *
 * @throws RangeError for a map that gives two tensors one name; TypeError for another number, or what else in the tree is no tensor
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { recordsOf, torchLayouts } from 'fathom/io'
 *
 * const params = { weight: tensor([[1, 2, 3], [4, 5, 6]], { dtype: 'u8' }) }
 * const records = await recordsOf(device, params, { layout: torchLayouts })
 * records // => [['weight', { dtype: 'u8', shape: [3, 2], bytes: [1, 4, 2, 5, 3, 6] }]]
 * ```
 */
export const recordsOf = async (
  device: Device,
  tree: unknown,
  map: NameMap = {},
): Promise<readonly (readonly [name: string, record: ArrayRecord])[]> => {
  requireKnown('recordsOf', map, nameMapOptions)
  requireNoOtherValues(tree)
  const { scalars, counts } = withCounts(tree)
  const leaves = new Map(leavesWithPaths(scalars))
  return Promise.all(
    placesOf(scalars, map).flatMap((place): readonly Promise<readonly [string, ArrayRecord]>[] => {
      const [leaf, count] = [leaves.get(place.path), counts.get(place.path)]
      if (count !== undefined) return [Promise.resolve([place.name, countRecord(count)] as const)]
      return leaf === undefined ? [] : [recordOf(device, leaf, place)]
    }),
  )
}

/** The elements of an array as the parameter at its place has them. */
const valuesOf = (record: ArrayRecord, { dtype, permutation }: Place, round: boolean): E.Either<string, TypedArray> =>
  pipe(
    permutedBytes(record, permutation),
    E.chain((bytes) => numbersOf({ ...record, bytes }, dtype, round)),
  )

/** The parameter, or the count, of these elements. */
const leafOf = (values: TypedArray, { dtype, ours }: Place, isCount: boolean): Leaf =>
  isCount ? (values[0] ?? NaN) : tensor(values, { shape: ours, dtype, copy: false })

/**
 * The tree with its tensors and whole numbers taken from the arrays of a file, which must hold exactly them.
 *
 * An array of the parameter's dtype keeps its bits. One of another becomes the same numbers in the parameter's dtype: F16, BF16 and the
 * 8-bit floats always fit f32; where a number does not fit, that is an error, or is rounded with `round`.
 *
 * @param template parameters of the same shapes and dtypes, as `init` gives them; they need not be computed
 * @returns Left with all that does not fit
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { treeFrom } from 'fathom/io'
 *
 * const template = { gain: tensor([0, 0]) }
 * const record = { dtype: 'BF16', shape: [2], bytes: Uint8Array.of(0x80, 0x3f, 0x00, 0xc0) } as const
 * treeFrom(template, new Map([['gain', record]])) // => right({ gain: [1, -2] })
 * treeFrom(template, new Map([['scale.g', record]]), { rename: [{ prefix: 'gain', to: 'scale.g' }] }) // => right({ gain: [1, -2] })
 * treeFrom(template, new Map()) // => left({ message: "the weights do not fit the model: 'gain' [2] is missing", … })
 * ```
 */
export const treeFrom = <T>(
  template: T,
  records: ReadonlyMap<string, ArrayRecord>,
  options: ReadParamsOptions = {},
): E.Either<ParamsError, T> => {
  requireKnown('treeFrom', options, ['round', ...nameMapOptions])
  const { round = false, ...map } = options
  const { scalars, counts } = withCounts(template)
  const places = placesOf(scalars, map)
  const misfits = misfitsOf(places, new Map([...records].map(([name, { shape }]) => [name, shape])))
  if (misfits.length > 0) return E.left(paramsError(misfits))
  const made = new Map<string, Leaf>()
  const unfit: Misfit[] = []
  for (const place of places) {
    const record = records.get(place.name)
    if (record === undefined) continue
    const values = valuesOf(record, place, counts.has(place.path) ? false : round)
    if (E.isLeft(values)) unfit.push(dtypeMisfit(place.name, values.left))
    else made.set(place.path, leafOf(values.right, place, counts.has(place.path)))
  }
  return unfit.length > 0
    ? E.left(paramsError(unfit))
    : E.right(mapTree(scalars, (leaf, path) => made.get(path) ?? leaf))
}

/**
 * Arrays as tensors, where there is no template: BF16 and the 8-bit floats become f32, whole numbers of 8, 16 and 64 bits i32 or u32 where
 * they fit, all others keep their dtype and bits.
 *
 * @returns Left with all that no tensor can hold: C64, floats of less than 8 bits, numbers of more than 32 bits
 * @example
 * ```ts
 * import { tensorsOf } from 'fathom/io'
 *
 * const steps = { dtype: 'I64', shape: [], bytes: Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0) } as const
 * const far = { ...steps, bytes: Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0) }
 * const read = tensorsOf(new Map([['steps', steps]]))
 * if (read._tag === 'Left') throw new Error(read.left.message)
 * read.right.get('steps') // => 7
 * tensorsOf(new Map([['far', far]])) // => left({ message: "…'far' is I64 and holds 4294967296, which i32 cannot hold exactly", … })
 * ```
 */
export const tensorsOf = (
  records: ReadonlyMap<string, ArrayRecord>,
): E.Either<ParamsError, ReadonlyMap<string, Tensor>> => {
  const made = new Map<string, Tensor>()
  const unfit: Misfit[] = []
  for (const [name, record] of records) {
    const dtype = naturalDType(record.dtype)
    const values =
      dtype === undefined
        ? E.left(`is ${dtypeNames[record.dtype]}, which no dtype of fathom holds`)
        : numbersOf(record, dtype)
    if (E.isLeft(values)) unfit.push(dtypeMisfit(name, values.left))
    else made.set(name, tensor(values.right, { shape: record.shape, dtype: dtype ?? 'f32', copy: false }))
  }
  return unfit.length > 0 ? E.left(paramsError(unfit)) : E.right(made)
}
