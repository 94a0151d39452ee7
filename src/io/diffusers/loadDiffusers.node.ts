/** A U-Net of diffusers from its folder, as a network with its parameters. */
import { join } from 'node:path'
import type { Mode, Module } from '../../nn/module.ts'
import {
  decodeDiffusersUnet2d,
  unet2d,
  unet2dNames,
  type DenoiserInput,
  type Unet2dOptions,
  type Unet2dParams,
} from '../../models/index.ts'
import { show } from '../../prelude/decode.ts'
import { E, pipe, TE } from '../../prelude/fp.ts'
import { oneHot } from '../../tensor/create.ts'
import { key } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { exists } from '../exists.node.ts'
import { treeFrom, type ParamsError } from '../params.ts'
import {
  configError,
  diffusersError,
  readModelFolder,
  type DiffusersFolderError,
  type ModelFolder,
} from './modelFolder.node.ts'

/** The classes that are read: the second is told tokens. */
const classes: readonly string[] = ['UNet2DModel', 'UNet2DConditionModel']

/** What a U-Net of diffusers takes. */
export interface DiffusersInput extends Pick<DenoiserInput, 'x' | 't' | 'tokens'> {
  /** Classes [N], i32 or u32, of a network that was trained on them; f32 for one that is told a number of each image (`class_embed_type` timestep). */
  readonly labels?: Tensor | undefined
}

/** A U-Net that was read. */
export interface LoadedDiffusers {
  readonly model: Module<Unet2dParams, DiffusersInput>
  readonly params: Unet2dParams
  /** Its settings, by fathom's names. */
  readonly config: Unet2dOptions
  /** Settings of its config.json that mean nothing here. */
  readonly ignored: readonly string[]
}

/** What can go wrong. */
export type LoadDiffusersError = DiffusersFolderError | ParamsError

/** Parameters of a network from tensors of diffusers; floats are rounded to f32. */
const paramsIn = (config: Unet2dOptions, { tensors, weights }: ModelFolder): E.Either<ParamsError, Unet2dParams> => {
  const template = unet2d(config).init(key(0))
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]))
  return pipe(
    treeFrom(template, tensors, { ...unet2dNames(template, shapes), round: true }),
    E.mapLeft((error) => ({ ...error, message: `${weights}: ${error.message}` })),
  )
}

/** The network of some options, told labels as diffusers tells them. */
const labelled = (config: Unet2dOptions): Module<Unet2dParams, DiffusersInput> => {
  const { init, apply } = unet2d(config)
  const { conditions = 0, conditioning = 'linear' } = config
  const told = (labels: Tensor): Tensor => {
    if (conditioning === 'linear') return oneHot(labels, conditions)
    return conditioning === 'time' ? labels.cast('f32').reshape([labels.size, 1]) : labels
  }
  return {
    init,
    apply: (params, { x, t, tokens, labels }, mode?: Mode) =>
      apply(params, { x, t, tokens, ...(labels !== undefined && { condition: told(labels).cast(x.dtype) }) }, mode),
  }
}

/** The folder of the network itself, in that of a pipeline. */
const networkIn = async (folder: string): Promise<string> =>
  (await exists(join(folder, 'model_index.json'))) ? join(folder, 'unet') : folder

/**
 * Reads a `UNet2DModel` that diffusers has saved, or a `UNet2DConditionModel` without more than tokens: the folder of the network, or of a pipeline with one. Images are [N, H, W, channels] here.
 *
 * @returns Left where the folder holds no such network, says something that is not built here, or its weights do not fit
 * @example
 * ```ts
 * import { key, tensor, zeros } from 'fathom'
 * import { loadDiffusers, recordsOf, writeModelFolder } from 'fathom/io'
 * import { encodeDiffusersUnet2d, unet2d, unet2dNames } from 'fathom/models'
 *
 * const options = { widths: [8, 8], layers: 1, groups: 4, conditions: 5 } as const
 * const config = encodeDiffusersUnet2d(options, [8, 8])
 * if (config._tag === 'Left') throw new Error(config.left.expected)
 * const own = unet2d(options).init(key(0))
 * await writeModelFolder('unet', { config: config.right, tensors: new Map(await recordsOf(device, own, unet2dNames(own))) })()
 *
 * const loaded = await loadDiffusers('unet')()
 * if (loaded._tag === 'Left') throw new Error(loaded.left.message)
 * const { model, params } = loaded.right
 * const input = { x: zeros([2, 8, 8, 3]), t: tensor([10, 20]), labels: tensor(Int32Array.of(0, 4)) }
 * model.apply(params, input).shape // => [2, 8, 8, 3]
 * await loadDiffusers('nowhere')() // => left({ code: 'ENOENT', … })
 * ```
 */
export const loadDiffusers = (folder: string): TE.TaskEither<LoadDiffusersError, LoadedDiffusers> =>
  pipe(
    TE.fromTask<string, LoadDiffusersError>(() => networkIn(folder)),
    TE.chainW((network) =>
      pipe(
        readModelFolder(network),
        TE.bindTo('read'),
        TE.bindW('decoded', ({ read: { config } }) =>
          TE.fromEither(
            classes.includes(String(config['_class_name']))
              ? pipe(
                  decodeDiffusersUnet2d(config),
                  E.mapLeft((fault) => configError(join(network, 'config.json'), config, fault)),
                )
              : E.left(
                  diffusersError(
                    `${join(network, 'config.json')} is of a ${show(config['_class_name'])}, and not of a ${classes.join(' or a ')}`,
                  ),
                ),
          ),
        ),
        TE.chainEitherKW(({ read, decoded: { settings, channels, outChannels, ignored } }) => {
          const config = { ...settings, channels, outChannels }
          return pipe(
            paramsIn(config, read),
            E.map((params) => ({ model: labelled(config), params, config, ignored })),
          )
        }),
      ),
    ),
  )
