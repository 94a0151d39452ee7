/** Parameters in files on disk, in any of the formats of `weightsFormats.ts`. */
import { requireKnown } from '../prelude/options.ts'
import { nameMapOptions, type NameMap } from '../tensor/nameMap.ts'
import { E, pipe, TE } from '../prelude/fp.ts'
import type { Device } from '../tensor/device.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { ArrayRecord } from './arrayRecord.ts'
import type { FileSystemError } from './fileSystem.ts'
import { nodeFileSystem } from './fileSystem.node.ts'
import { recordsOf, tensorsOf, treeFrom, type ParamsError, type ReadParamsOptions } from './params.ts'
import { replaceFile } from './replaceFile.node.ts'
import { formatError, type FormatError, type UnreadableError } from './weightsFormat.ts'
import { formatOf, formatToWrite } from './weightsFormats.ts'

/** What can go wrong with a file of parameters; the message names the file. */
export type LoadParamsError = FileSystemError | UnreadableError | ParamsError

/** How parameters are written. */
export interface SaveParamsOptions extends NameMap {
  /** Texts that go with the file, where its format has a place for them; default in safetensors `{ format: 'fathom' }`. PyTorch's programs ask for `{ format: 'pt' }`. */
  readonly metadata?: Readonly<Record<string, string>>
}

const inFile =
  (path: string) =>
  <E extends { readonly _tag: string; readonly message: string }>(error: E): E =>
    error._tag === 'FileSystemError' ? error : { ...error, message: `${path}: ${error.message}` }

/** The arrays of a file, in the format of its bytes. */
const readRecords = (
  path: string,
): TE.TaskEither<FileSystemError | UnreadableError, ReadonlyMap<string, ArrayRecord>> =>
  pipe(
    nodeFileSystem.readFile(path),
    TE.chainEitherKW((bytes) =>
      pipe(
        formatOf(path, bytes),
        E.chainW((format) => format.read(bytes)),
      ),
    ),
  )

/**
 * Writes a tree of parameters as a file, in the format of its extension, or as safetensors where that is of none; a crash leaves the old file or
 * the new one. The same parameters give the same bytes. A whole number in the tree, as the steps of a state of `trainStep`,
 * is kept as one of I64. Strings, booleans, null and undefined in the tree are labels, which stay with the model: `loadParams` takes them from its template.
 *
 * @throws RangeError for a map that gives two tensors one name; TypeError for another number, or what else in the tree is no tensor
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { loadParams, saveParams, torchLayouts } from 'fathom/io'
 * import { linear } from 'fathom/nn'
 *
 * const layer = linear(2, 3)
 * const theirs = { rename: [{ suffix: 'weight', to: 'w' }], layout: torchLayouts }
 * await saveParams(device, 'layer.safetensors', layer.init(key(0)), theirs)() // => right(undefined)
 * await loadParams('layer.safetensors', layer.init(key(1)), theirs)() // => right({ bias: …, weight: … })
 * ```
 */
export const saveParams = (
  device: Device,
  path: string,
  tree: unknown,
  options: SaveParamsOptions = {},
): TE.TaskEither<FileSystemError | FormatError, void> => {
  requireKnown('saveParams', options, ['metadata', ...nameMapOptions])
  const { metadata, ...map } = options
  return async () => {
    const texts = metadata === undefined ? undefined : new Map(Object.entries(metadata))
    const other = [...(texts ?? [])].find(([, text]: readonly [string, unknown]) => typeof text !== 'string')
    if (other !== undefined)
      return E.left(
        inFile(path)(formatError(`the metadata '${other[0]}' is ${other[1]}, and not a text: write it as one`)),
      )
    const bytes = formatToWrite(path).write(await recordsOf(device, tree, map), texts)
    return E.isLeft(bytes) ? E.left(inFile(path)(bytes.left)) : replaceFile(path, bytes.right)()
  }
}

/**
 * Reads a file as parameters like `template`, in the format of its bytes, whatever its name.
 *
 * @param template parameters of the same shapes and dtypes, as `init` gives them; they need not be computed
 * @param options the names and axes of the file, if they are not ours; whether floats may be rounded
 * @returns Left with every tensor that is missing, superfluous, of another shape or of numbers that do not fit
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { loadParams, saveParams } from 'fathom/io'
 * import { linear } from 'fathom/nn'
 *
 * await saveParams(device, 'small.safetensors', linear(2, 3).init(key(0)))()
 * await loadParams('small.safetensors', linear(2, 4).init(key(0)))()
 * // => left({ message: "small.safetensors: the weights do not fit the model: 'bias' is [3] where the model has [4]; …", … })
 * ```
 */
export const loadParams = <T>(
  path: string,
  template: T,
  options: ReadParamsOptions = {},
): TE.TaskEither<LoadParamsError, T> => {
  requireKnown('loadParams', options, ['round', ...nameMapOptions])
  return pipe(
    readRecords(path),
    TE.chainEitherKW((records) => treeFrom(template, records, options)),
    TE.mapLeft(inFile(path)),
  )
}

/**
 * Reads all tensors of a file, by name, where nothing is known of it.
 *
 * @returns Left where no dtype holds a tensor's numbers
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { loadTensors, saveParams } from 'fathom/io'
 *
 * await saveParams(device, 'two.safetensors', { layers: [tensor([1]), tensor([2, 3])] })()
 * const read = await loadTensors('two.safetensors')()
 * if (read._tag === 'Left') throw new Error(read.left.message)
 * read.right.get('layers.1') // => [2, 3]
 * ```
 */
export const loadTensors = (path: string): TE.TaskEither<LoadParamsError, ReadonlyMap<string, Tensor>> =>
  pipe(readRecords(path), TE.chainEitherKW(tensorsOf), TE.mapLeft(inFile(path)))
