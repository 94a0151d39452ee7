/** The vector-quantized autoencoder (van den Oord et al. 2017), diffusers' `VQModel`: a latent is the nearest of a table of codes. */
import { requireKnown } from '../../prelude/options.ts'
import { at } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { faultIn, number, oneOf, optional, record, whole, type Fault, type Fields } from '../../prelude/decode.ts'
import { E, pipe } from '../../prelude/fp.ts'
import { showShape } from '../../graph/shape.ts'
import { mse } from '../../nn/losses.ts'
import type { Module } from '../../nn/module.ts'
import { uniform } from '../../nn/init.ts'
import { argmax, gather } from '../../tensor/combine.ts'
import { expectTensor } from '../../tensor/expect.ts'
import { foldIn } from '../../tensor/random.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Autoencoder } from './autoencoder.ts'
import type { AutoencoderFamily } from './family.ts'
import { channelCount } from './fields.ts'
import { only, overDefaults } from '../diffusersSettings.ts'
import {
  diffusersScalingFields,
  diffusersTrunkDefaults,
  diffusersTrunkFields,
  scalingOf,
  trunkOf,
  type DiffusersScaling,
  type DiffusersTrunk,
} from './foreignConfig.ts'
import {
  factorOfTrunk,
  faultOfTrunk,
  trunkDecoder,
  trunkEncoder,
  type DecoderParams,
  type EncoderParams,
} from './trunk.ts'
import { fitting, trunkFamily, trunkFamilyDefaults, trunkFamilyFields, type TrunkFamilyConfig } from './trunkFamily.ts'

/** The settings of {@link vqModel}. */
export interface VqConfig extends TrunkFamilyConfig {
  readonly kind?: 'vq'
  /** Rows of the table of codes. */
  readonly codes: number
  /** Channels of a code, default `latentChannels`; with other channels the 1×1 convolutions around it are needed. */
  readonly codeWidth?: number
  /** β of the loss, default 0.25. */
  readonly commitment?: number
  /** On which term β stands, default paper; see `codebookLoss`. */
  readonly lossForm?: 'paper' | 'legacy'
}

/** The parameters of a decoder of quantized latents. */
export interface VqDecoderParams extends DecoderParams {
  /** [codes, codeWidth] */
  readonly codebook: Tensor
}

/** An autoencoder of quantized latents, which surely has a loss of its codes. */
export interface VqAutoencoder extends Autoencoder<EncoderParams, VqDecoderParams> {
  /** What moves codes to latents, and latents to codes. */
  readonly codebookLoss: (decoder: VqDecoderParams, latents: Tensor) => Tensor
}

const requireWidth = (what: string, codebook: Tensor, z: Tensor): void => {
  expectTensor(what, codebook)
  if (codebook.rank !== 2 || at(z.shape, z.rank - 1) !== at(codebook.shape, 1))
    throw new ShapeError(
      `${what}: codes ${showShape(codebook.shape)} and latents ${showShape(z.shape)} must have the same number of channels`,
    )
}

/**
 * The number of the nearest code to each latent, by Euclidean distance: `[codes, D], [N, H, W, D] → [N, H, W]`, i32.
 *
 * @throws ShapeError for latents with other channels than the codes
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { nearestCodes } from 'fathom/models'
 *
 * nearestCodes(tensor([[0, 0], [1, 1], [5, 5]]), tensor([[0.9, 1], [4, 4]])) // => [1, 2]
 * ```
 */
export const nearestCodes = (codebook: Tensor, z: Tensor): Tensor => {
  requireWidth('nearestCodes', codebook, z)
  // ‖z − e‖² = ‖z‖² − 2·z·e + ‖e‖², of which the first term is the same for all codes
  const near = z.matmul(codebook.transpose()).sub(codebook.square().sum(1).mul(0.5))
  return argmax(near, -1)
}

/**
 * Each latent as the nearest code, through which gradients go to the latents as if nothing had been done (straight through, van den Oord et al. 2017,
 * section 3.2), and none to the codes.
 *
 * @throws ShapeError for latents with other channels than the codes
 * @example
 * ```ts
 * import { grad, tensor, type Tensor } from 'fathom'
 * import { quantize } from 'fathom/models'
 *
 * const codebook = tensor([[0, 0], [1, 1]])
 * quantize(codebook, tensor([[0.9, 0.8]])) // => [[1, 1]]
 * grad((z: Tensor) => quantize(codebook, z).square().sum())(tensor([[0.9, 0.8]])) // => [[2, 2]]
 * ```
 */
export const quantize = (codebook: Tensor, z: Tensor): Tensor =>
  z.add(gather(codebook, nearestCodes(codebook, z)).sub(z).stopGradient())

/**
 * What moves codes to latents, and latents to codes, ‖sg(z) − e‖² + β·‖z − sg(e)‖² as means over elements (van den Oord et al. 2017, eq. 3). In the
 * legacy form, which diffusers' `VQModel` uses, β stands on the first term.
 *
 * @param options commitment: β, default 0.25; form: default paper
 * @throws ShapeError for latents with other channels than the codes
 * @example
 * ```ts
 * import { tensor } from 'fathom'
 * import { codebookLoss } from 'fathom/models'
 *
 * const [codebook, z] = [tensor([[0, 0], [1, 1]]), tensor([[1, 3]])]
 * codebookLoss(codebook, z) // => 2.5
 * codebookLoss(codebook, z, { commitment: 1 }) // => 4
 * ```
 */
export const codebookLoss = (
  codebook: Tensor,
  z: Tensor,
  options: { readonly commitment?: number; readonly form?: 'paper' | 'legacy' } = {},
): Tensor => {
  requireKnown('codebookLoss', options, ['commitment', 'form'])
  const { commitment = 0.25, form = 'paper' } = options
  const codes = gather(codebook, nearestCodes(codebook, z))
  const codesMove = mse(codes, z.stopGradient())
  const latentsMove = mse(z, codes.stopGradient())
  return form === 'paper' ? codesMove.add(latentsMove.mul(commitment)) : codesMove.mul(commitment).add(latentsMove)
}

/** What is wrong with the width of the codes. */
const faultOfCodes = (config: VqConfig): string | undefined => {
  const { latentChannels, codeWidth = latentChannels, quantConv = false, postQuantConv = false } = config
  return codeWidth === latentChannels || (quantConv && postQuantConv)
    ? undefined
    : `such that codeWidth ${codeWidth} is latentChannels ${latentChannels}, or quantConv and postQuantConv are true`
}

const decoderOf = (config: VqConfig, width: number): Module<VqDecoderParams> => {
  const plain = trunkDecoder(config, width)
  const codes = uniform([config.codes, width], 1 / config.codes)
  return {
    init: (key) => ({ ...plain.init(key), codebook: codes(foldIn(key, 'codebook')) }),
    apply: ({ codebook, ...params }, z, mode) => plain.apply(params, quantize(codebook, z), mode),
  }
}

/**
 * A vector-quantized autoencoder: pictures to latents [N, H / f, W / f, codeWidth], which the decoder replaces by their nearest codes first. Its
 * `codebookLoss` is part of what it is trained with.
 *
 * @throws RangeError for settings that do not fit together; ShapeError for pictures and latents of other sizes
 * @example
 * ```ts
 * import { key, zeros } from 'fathom'
 * import { vqModel } from 'fathom/models'
 *
 * const model = vqModel({ channels: 3, latentChannels: 3, widths: [8, 16], layers: 1, groups: 4, codes: 32 })
 * const params = { encoder: model.encoder.init(key(0)), decoder: model.decoder.init(key(1)) }
 * params.decoder.codebook.shape // => [32, 3]
 * const { mean } = model.encoder.apply(params.encoder, zeros([1, 8, 8, 3]))
 * model.decoder.apply(params.decoder, mean).shape // => [1, 8, 8, 3]
 * ```
 */
export const vqModel = (config: VqConfig): VqAutoencoder => {
  requireKnown('vqModel', config, ['kind', ...Object.keys(fields)])
  const { latentChannels, codeWidth = latentChannels, commitment = 0.25, lossForm = 'paper' } = config
  const fault = faultOfTrunk(config) ?? faultOfCodes(config)
  if (fault !== undefined) throw new RangeError(`vqModel: its widths and lists must be ${fault}`)
  const latents = trunkEncoder(config, latentChannels, codeWidth)
  return {
    encoder: { init: latents.init, apply: (params, x, mode) => ({ mean: latents.apply(params, x, mode) }) },
    decoder: decoderOf(config, codeWidth),
    factor: factorOfTrunk(config),
    latentChannels: codeWidth,
    codebookLoss: ({ codebook }, z) => codebookLoss(codebook, z, { commitment, form: lossForm }),
  }
}

const fields: Fields<Omit<VqConfig, 'kind'>> = {
  ...trunkFamilyFields,
  codes: whole(2, 1_048_576),
  codeWidth: optional(channelCount),
  commitment: optional(number('a finite number ≥ 0', (x) => x >= 0 && Number.isFinite(x))),
  lossForm: optional(oneOf('paper', 'legacy')),
}

const fittingCodes = (config: VqConfig): E.Either<Fault, VqConfig> => {
  const fault = faultOfCodes(config)
  return fault === undefined ? fitting(config) : E.left(faultIn('codeWidth', config.codeWidth, { expected: fault }))
}

/** diffusers' settings, by their names; `vq_embed_dim` absent is `latent_channels`. */
interface DiffusersVq extends DiffusersTrunk, DiffusersScaling {
  readonly num_vq_embeddings: number
  readonly vq_embed_dim?: number
  readonly norm_type: 'group'
  readonly lookup_from_codebook: false
}

const readDiffusers = overDefaults<DiffusersVq>(
  {
    ...diffusersTrunkFields,
    ...diffusersScalingFields,
    num_vq_embeddings: fields.codes,
    vq_embed_dim: optional(channelCount),
    norm_type: only('group', 'group: the spatial norms of MoVQ are not built here'),
    lookup_from_codebook: only(false, 'false: the decoder takes latents here, and looks them up itself'),
  },
  {
    ...diffusersTrunkDefaults,
    latent_channels: 3,
    scaling_factor: 0.18215,
    num_vq_embeddings: 256,
    norm_type: 'group',
    lookup_from_codebook: false,
  },
)

/**
 * The family of {@link vqModel}.
 *
 * @example
 * ```ts
 * import { vqFamily } from 'fathom/models'
 *
 * vqFamily.decodeDiffusersConfig({ num_vq_embeddings: 16 }) // => right({ config: { codes: 16, latentChannels: 3, lossForm: 'legacy', … }, ignored: [] })
 * vqFamily.decodeDiffusersConfig({ norm_type: 'spatial' }) // => left({ inside: { path: 'norm_type', … }, … })
 * ```
 */
export const vqFamily: AutoencoderFamily<VqConfig, EncoderParams, VqDecoderParams> = {
  ...trunkFamily,
  name: 'vq',
  title: 'vector-quantized autoencoder',
  defaults: { ...trunkFamilyDefaults, codes: 512 },
  decode: (input) => pipe(record(fields)(input), E.chain(fittingCodes)),
  build: vqModel,
  latentChannels: ({ latentChannels, codeWidth = latentChannels }) => codeWidth,
  diffusersClass: 'VQModel',
  decodeDiffusersConfig: (json) =>
    pipe(
      readDiffusers(json),
      E.chain(({ settings, ignored }) =>
        pipe(
          fittingCodes({
            ...trunkOf(settings),
            quantConv: true,
            postQuantConv: true,
            codes: settings.num_vq_embeddings,
            codeWidth: settings.vq_embed_dim ?? settings.latent_channels,
            lossForm: 'legacy',
            scaling: scalingOf(settings),
          }),
          E.map((config) => ({ config, ignored })),
        ),
      ),
    ),
}
