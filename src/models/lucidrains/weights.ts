/**
 * Weights of lucidrains' U-Net (denoising-diffusion-pytorch 2.3.1) for ours: his names and PyTorch's layouts become our paths and NHWC.
 *
 * Nothing but names and axes differs: the halves of scale and shift, the thirds of queries, keys and values, and the channels of the
 * pixel unshuffle are in the same order.
 */
import { E } from '../../prelude/fp.ts'
import type { Shape } from '../../graph/shape.ts'
import { tensor } from '../../tensor/create.ts'
import { misfitsOf, placesOf, type LayoutRule, type NameMap, type Rename } from '../../tensor/nameMap.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../../tensor/tree.ts'
import type { UnetParams } from './unet.ts'

/** A tensor of his: its shape as PyTorch has it, and its values in row-major order. */
export interface LucidrainsTensor {
  readonly shape: Shape
  readonly values: Float32Array
}

/** The weights are not those of this model; the message names every tensor that is missing, extra or of another shape. */
export interface WeightsError {
  readonly _tag: 'WeightsError'
  readonly message: string
}

/** Our names and his: places first, then what stands inside a block. */
const renames: readonly Rename[] = [
  { prefix: 'stem.', to: 'init_conv.' },
  { prefix: 'time.embedding.frequencies', to: 'time_mlp.0.weights' },
  { prefix: 'time.hidden.', to: 'time_mlp.1.' },
  { prefix: 'time.out.', to: 'time_mlp.3.' },
  { prefix: 'middle.attention.', to: 'mid_attn.' },
  { pattern: /^middle\.(block\d)\./, to: 'mid_$1.' },
  { prefix: 'last.', to: 'final_res_block.' },
  { prefix: 'head.', to: 'final_conv.' },
  { pattern: /^(down|up)\.(\d+)\.block1\./, to: '$1s.$2.0.' },
  { pattern: /^(down|up)\.(\d+)\.block2\./, to: '$1s.$2.1.' },
  { pattern: /^(down|up)\.(\d+)\.attention\./, to: '$1s.$2.2.' },
  { pattern: /^(down|up)\.(\d+)\.resize\.(?:project|conv)\./, to: '$1s.$2.3.1.' },
  { pattern: /^(down|up)\.(\d+)\.resize\./, to: '$1s.$2.3.' },
  { pattern: /\.time\./, to: '.mlp.1.' },
  { pattern: /\.conv\./, to: '.proj.' },
  { pattern: /\.skip\./, to: '.res_conv.' },
  { suffix: '.memory', to: '.mem_kv' },
  { pattern: /\.queryKeyValue\./, to: '.to_qkv.' },
  { pattern: /\.out\./, to: '.to_out.' },
  { suffix: '.gain', to: '.g' },
]

/** PyTorch's axes. A 1×1 convolution of his is a linear layer of ours, except where his is one too: of the time. */
const layouts: readonly LayoutRule[] = [
  { layout: 'C->1C11', suffix: '.gain' },
  { layout: 'PHMC->PHMC', suffix: '.memory' },
  { layout: 'C->C', prefix: 'time.embedding.' },
  { layout: 'HWIO->OIHW' },
  { layout: 'IO->OI', prefix: 'time.' },
  { layout: 'IO->OI', pattern: /\.time\.weight$/ },
  { layout: 'IO->OI11' },
]

/**
 * The names and axes of lucidrains' state dictionary for parameters of our U-Net, as a map for `loadParams` and `saveParams`.
 *
 * @param template parameters of the network: which of its attention layers are linear ones, whose projections lie in a sequence of his and whose
 *   memory has its last axes exchanged, shows in them
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { placesOf } from 'fathom/io'
 * import { lucidrainsNames, unet } from 'fathom/models'
 *
 * const params = unet({ width: 8, multipliers: [1] }).init(key(0))
 * const places = placesOf(params, lucidrainsNames(params))
 * places.find(({ path }) => path === 'stem.weight') // => { name: 'init_conv.weight', ours: [7, 7, 3, 8], shape: [8, 3, 7, 7], … }
 * ```
 */
export const lucidrainsNames = (template: unknown): Required<NameMap> => {
  const mark = 'outNorm.gain'
  const linear = leavesWithPaths(template).flatMap(([path]) =>
    path.endsWith(mark) ? [path.slice(0, -mark.length)] : [],
  )
  return {
    rename: [
      ...linear.flatMap((place) => [
        { prefix: `${place}out.`, to: `${place}to_out.0.` },
        { prefix: `${place}outNorm.`, to: `${place}to_out.1.` },
      ]),
      ...renames,
    ],
    layout: [...linear.map((place) => ({ layout: 'PHMC->PHCM', prefix: `${place}memory` })), ...layouts],
  }
}

/**
 * The parameters of our U-Net from the weights of his.
 *
 * @param template parameters of the same model, as `init` gives them; only their shapes are used
 * @param weights every tensor of his state dictionary, by name
 * @returns lazy tensors, to be realised on a device; or what does not fit
 * @example
 * ```ts
 * import { key } from 'fathom'
 * import { lucidrainsWeights, unet } from 'fathom/models'
 *
 * const template = unet({ width: 8, multipliers: [1] }).init(key(0))
 * const result = lucidrainsWeights(template, new Map([['init_conv.bias', { shape: [9], values: new Float32Array(9) }]]))
 * result // => left({ message: "…'init_conv.bias' is [9] where the model has [8]…", … })
 * ```
 */
export const lucidrainsWeights = (
  template: UnetParams,
  weights: ReadonlyMap<string, LucidrainsTensor>,
): E.Either<WeightsError, UnetParams> => {
  const places = placesOf(template, lucidrainsNames(template))
  const misfits = misfitsOf(places, new Map([...weights].map(([name, { shape }]) => [name, shape])))
  if (misfits.length > 0)
    return E.left({
      _tag: 'WeightsError',
      message: `the weights do not fit this U-Net: ${misfits.map(({ message }) => message).join('; ')}. Check width, multipliers, channels and attention.`,
    })
  const byPath = new Map(places.map((place) => [place.path, place]))
  const load = (ours: Tensor, path: string): Tensor => {
    const place = byPath.get(path)
    const his = place && weights.get(place.name)
    return place && his
      ? tensor(his.values, { shape: his.shape }).transpose(place.permutation).reshape(ours.shape)
      : ours
  }
  return E.right(mapTree(template, load))
}
