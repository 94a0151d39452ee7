/**
 * A model as diffusers keeps it: a folder with `config.json`, and with its tensors in one file of safetensors, or in several with an index. Pickles are
 * refused: reading one runs what it holds.
 */
import { requireKnown } from '../../prelude/options.ts'
import { join } from 'node:path'
import { show, type Fault } from '../../prelude/decode.ts'
import { E, pipe, TE } from '../../prelude/fp.ts'
import { isRecord } from '../../prelude/record.ts'
import type { ArrayRecord } from '../arrayRecord.ts'
import { makeDurableDirectory } from '../durableDirectory.node.ts'
import type { FileSystemError } from '../fileSystem.ts'
import { nodeFileSystem } from '../fileSystem.node.ts'
import { replaceFile } from '../replaceFile.node.ts'
import { writeSafetensors, type SafetensorsError } from '../safetensors.ts'
import { readSafetensorsFile } from '../safetensors.node.ts'

/** A folder that is none of diffusers', or lacks something; the message names it. */
export interface DiffusersError {
  readonly _tag: 'DiffusersError'
  readonly message: string
}

/** What can go wrong with a folder of diffusers. */
export type DiffusersFolderError = DiffusersError | FileSystemError | SafetensorsError

/** An error of a folder. */
export const diffusersError = (message: string): DiffusersError => ({ _tag: 'DiffusersError', message })

/** A fault of a configuration, as an error of its file. */
export const configError = (path: string, json: unknown, { expected, inside, hint = '' }: Fault): DiffusersError => {
  const { path: at = '', got = show(json) } = inside ?? {}
  return diffusersError(
    expected === undefined
      ? `${path}: ${at} is not a setting${hint}`
      : `${path}: ${at === '' ? 'it' : at} must be ${expected}, got ${got}${hint}`,
  )
}

/** A record of settings, as JSON has it. */
export type JsonRecord = Readonly<Record<string, unknown>>

/** A model in a folder. */
export interface ModelFolder {
  /** `config.json`; `_class_name` says what it is. */
  readonly config: JsonRecord
  readonly tensors: ReadonlyMap<string, ArrayRecord>
  /** The file that holds them, or the index of the files. */
  readonly weights: string
}

const base = 'diffusion_pytorch_model'
const single = `${base}.safetensors`
const indexed = `${single}.index.json`

/** Reads a file of JSON that holds a record. */
export const readJsonRecord = (path: string): TE.TaskEither<DiffusersFolderError, JsonRecord> =>
  pipe(
    nodeFileSystem.readFile(path),
    TE.chainEitherKW((bytes) =>
      pipe(
        E.tryCatch(
          (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
          () => diffusersError(`${path} is not JSON`),
        ),
        E.filterOrElse(isRecord, () => diffusersError(`${path} holds no record of settings`)),
      ),
    ),
  )

/** The one line of Python that makes safetensors of a pickle. */
const conversion = (name: string): string =>
  `python3 -c "import torch; from safetensors.torch import save_file; save_file({k: v.contiguous() for k, v in torch.load('${name}', map_location='cpu', weights_only=True).items()}, '${single}')"`

/** The name of what holds the weights, of the names in a folder: f32 before variants such as fp16. */
const weightsAmong = (folder: string, found: readonly string[]): E.Either<DiffusersError, string> => {
  const usual = [single, indexed].find((name) => found.includes(name))
  const variants = /^diffusion_pytorch_model(?:\.\w+\.safetensors|\.safetensors\.index\.\w+\.json)$/
  const chosen = usual ?? found.toSorted().find((name) => variants.test(name))
  if (chosen !== undefined) return E.right(chosen)
  const pickle = found.toSorted().find((name) => /\.(?:bin|ckpt|pt|pth)$/.test(name))
  return E.left(
    diffusersError(
      pickle === undefined
        ? `${folder} holds no weights: there is no ${single} in it, and no ${indexed}`
        : `${join(folder, pickle)} is a pickle, which runs programs when it is read; convert it in that folder with ${conversion(pickle)}`,
    ),
  )
}

/** The files of an index, in the order in which they are first named. */
const filesOf = (path: string, json: JsonRecord): E.Either<DiffusersError, readonly string[]> => {
  const map = json['weight_map']
  if (!isRecord(map) || Object.keys(map).length === 0)
    return E.left(diffusersError(`${path} names no tensors: it has no weight_map`))
  const files = [...new Set(Object.values(map))]
  const names = files.filter((name): name is string => typeof name === 'string' && /^[\w.-]+\.safetensors$/.test(name))
  return names.length === files.length
    ? E.right(names)
    : E.left(diffusersError(`${path} names files that cannot lie beside it`))
}

/** The tensors of several files as those of one, all that the index names among them. */
const joined = (
  path: string,
  json: JsonRecord,
  shards: readonly ReadonlyMap<string, ArrayRecord>[],
): E.Either<DiffusersError, ReadonlyMap<string, ArrayRecord>> => {
  const all = new Map(shards.flatMap((shard) => [...shard]))
  if (all.size < shards.reduce((sum, shard) => sum + shard.size, 0))
    return E.left(diffusersError(`${path}: one tensor is in two of its files`))
  const missing = Object.keys(isRecord(json['weight_map']) ? json['weight_map'] : {}).find((name) => !all.has(name))
  return missing === undefined
    ? E.right(all)
    : E.left(diffusersError(`${path} names '${missing}', which none of its files holds`))
}

const readIndexed = (
  folder: string,
  name: string,
): TE.TaskEither<DiffusersFolderError, ReadonlyMap<string, ArrayRecord>> => {
  const path = join(folder, name)
  return pipe(
    readJsonRecord(path),
    TE.bindTo('json'),
    TE.bindW('files', ({ json }) => TE.fromEither(filesOf(path, json))),
    TE.bindW('shards', ({ files }) =>
      pipe(
        files,
        TE.traverseSeqArray((file) => readSafetensorsFile(join(folder, file))),
      ),
    ),
    TE.chainEitherKW(({ json, shards }) =>
      joined(
        path,
        json,
        shards.map(({ tensors }) => tensors),
      ),
    ),
  )
}

/** A folder without a configuration is none of diffusers', or holds models in folders of their own. */
const requireConfig = (folder: string, found: readonly string[]): E.Either<DiffusersError, void> =>
  found.includes('config.json')
    ? E.right(undefined)
    : E.left(
        diffusersError(
          `${folder} holds no config.json, by which diffusers says what network the tensors are of${found.includes('unet') ? `; is the network in ${join(folder, 'unet')}?` : ''}`,
        ),
      )

/**
 * Reads a model from a folder of diffusers.
 *
 * @returns Left where there is no such folder, where it holds a pickle only (with the line of Python that converts it), or where a file is broken
 * @example
 * ```ts
 * import { readModelFolder, writeModelFolder } from 'fathom/io'
 *
 * const bias = { dtype: 'f32', shape: [2], bytes: new Uint8Array(8) } as const
 * await writeModelFolder('model', { config: { _class_name: 'UNet2DModel' }, tensors: new Map([['conv_in.bias', bias]]) })()
 * const read = await readModelFolder('model')()
 * if (read._tag === 'Left') throw new Error(read.left.message)
 * read.right.config['_class_name'] // => 'UNet2DModel'
 * read.right.tensors.get('conv_in.bias') // => { dtype: 'f32', shape: [2], … }
 * await readModelFolder('nowhere')() // => left({ code: 'ENOENT', … })
 * ```
 */
export const readModelFolder = (folder: string): TE.TaskEither<DiffusersFolderError, ModelFolder> =>
  pipe(
    nodeFileSystem.list(folder),
    TE.bindTo('found'),
    TE.chainFirstEitherKW(({ found }) => requireConfig(folder, found)),
    TE.bindW('config', () => readJsonRecord(join(folder, 'config.json'))),
    TE.bindW('name', ({ found }) => TE.fromEither(weightsAmong(folder, found))),
    TE.bindW('tensors', ({ name }) =>
      name.endsWith('.json')
        ? readIndexed(folder, name)
        : pipe(
            readSafetensorsFile(join(folder, name)),
            TE.map(({ tensors }) => tensors),
          ),
    ),
    TE.map(({ config, name, tensors }) => ({ config, tensors, weights: join(folder, name) })),
  )

/** A model to be written. */
export interface ModelToWrite extends Pick<ModelFolder, 'config' | 'tensors'> {
  /** Bytes of tensors in one file at most, but for a tensor that is larger; default 10¹⁰, as in diffusers. */
  readonly maxBytes?: number
}

/** JSON as Python's `json.dumps(…, indent=2, sort_keys=True)` has it. */
export const jsonBytes = (record: JsonRecord): Uint8Array => {
  const sorted = Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return new TextEncoder().encode(`${JSON.stringify(sorted, undefined, 2)}\n`)
}

type Entry = readonly [name: string, record: ArrayRecord]

/** Tensors in files of so many bytes, in their order. */
const shardsOf = (tensors: ReadonlyMap<string, ArrayRecord>, maxBytes: number): readonly (readonly Entry[])[] => {
  const shards: Entry[][] = []
  let room = 0
  for (const entry of tensors) {
    const { length } = entry[1].bytes
    const last = shards.at(-1)
    if (last === undefined || length > room) {
      shards.push([entry])
      room = maxBytes - length
    } else {
      last.push(entry)
      room -= length
    }
  }
  return shards
}

const numbered = (i: number, count: number): string => {
  const digits = (n: number): string => String(n).padStart(5, '0')
  return count === 1 ? single : `${base}-${digits(i + 1)}-of-${digits(count)}.safetensors`
}

/** The files of a model, by name. */
const filesToWrite = ({
  config,
  tensors,
  maxBytes = 1e10,
}: ModelToWrite): readonly (readonly [string, Uint8Array])[] => {
  const shards = shardsOf(tensors, maxBytes)
  const nameOf = (i: number): string => numbered(i, shards.length)
  const index = {
    metadata: { total_size: [...tensors.values()].reduce((sum, { bytes }) => sum + bytes.length, 0) },
    weight_map: Object.fromEntries(shards.flatMap((shard, i) => shard.map(([name]) => [name, nameOf(i)] as const))),
  }
  return [
    ['config.json', jsonBytes(config)],
    ...shards.map((shard, i) => [nameOf(i), writeSafetensors(shard, new Map([['format', 'pt']]))] as const),
    ...(shards.length === 1 ? [] : [[indexed, jsonBytes(index)] as const]),
  ]
}

/**
 * Writes a model into a folder as diffusers' `save_pretrained` does; the folder is made. Each file is there whole, or not at all.
 *
 * @example
 * ```ts
 * import { writeModelFolder } from 'fathom/io'
 *
 * const tensors = new Map([['conv_in.bias', { dtype: 'f32', shape: [2], bytes: new Uint8Array(8) } as const]])
 * await writeModelFolder('model', { config: { _class_name: 'UNet2DModel' }, tensors })() // => right(undefined)
 * ```
 */
export const writeModelFolder = (folder: string, model: ModelToWrite): TE.TaskEither<FileSystemError, void> => {
  requireKnown('writeModelFolder', model, ['config', 'tensors', 'maxBytes'])
  return pipe(
    makeDurableDirectory(folder),
    TE.chain(() =>
      pipe(
        filesToWrite(model),
        TE.traverseSeqArray(([name, bytes]) => replaceFile(join(folder, name), bytes)),
      ),
    ),
    TE.map(() => undefined),
  )
}
