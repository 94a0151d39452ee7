/**
 * Weights of lucidrains' U-Net (denoising-diffusion-pytorch 2.3.1) for ours: his names and PyTorch's layouts become our paths and NHWC.
 *
 * Nothing but names and axes differs: the halves of scale and shift, the thirds of queries, keys and values, and the channels of the
 * pixel unshuffle are in the same order.
 */
import { E } from '../prelude/fp.ts'
import { showShape, type Shape } from '../graph/shape.ts'
import { tensor } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { leavesWithPaths, mapTree } from '../tensor/tree.ts'
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

/** Our names and his, applied in order: places first, then what stands inside a block. `linear` attention has its projection in a sequence. */
const renames = (linear: boolean): readonly (readonly [ours: RegExp, his: string])[] => [
  [/^stem\./, 'init_conv.'],
  [/^time\.hidden\./, 'time_mlp.1.'],
  [/^time\.out\./, 'time_mlp.3.'],
  [/^middle\.attention\./, 'mid_attn.'],
  [/^middle\.(block\d)\./, 'mid_$1.'],
  [/^last\./, 'final_res_block.'],
  [/^head\./, 'final_conv.'],
  [/^(down|up)\.(\d+)\.block1\./, '$1s.$2.0.'],
  [/^(down|up)\.(\d+)\.block2\./, '$1s.$2.1.'],
  [/^(down|up)\.(\d+)\.attention\./, '$1s.$2.2.'],
  [/^(down|up)\.(\d+)\.resize\.(?:project|conv)\./, '$1s.$2.3.1.'],
  [/^(down|up)\.(\d+)\.resize\./, '$1s.$2.3.'],
  [/\.time\./, '.mlp.1.'],
  [/\.conv\./, '.proj.'],
  [/\.skip\./, '.res_conv.'],
  [/\.memory$/, '.mem_kv'],
  [/\.queryKeyValue\./, '.to_qkv.'],
  [/\.outNorm\./, '.to_out.1.'],
  [/\.out\./, linear ? '.to_out.0.' : '.to_out.'],
  [/\.gain$/, '.g'],
]

/** How a tensor of his becomes ours: `tensor.transpose(permutation).reshape(ours)`. */
interface Source {
  readonly name: string
  readonly shape: Shape
  readonly permutation: readonly number[]
}

const [identity1, identity4] = [[0], [0, 1, 2, 3]]

/** Where the parameter at `path` comes from; `linear` says whether its attention is the linear one. */
const sourceOf = (path: string, { shape }: Tensor, linear: boolean): Source => {
  const name = renames(linear).reduce((text, [ours, his]) => text.replace(ours, his), path)
  const [a = 1, b = 1, c = 1, d = 1] = shape
  if (path.endsWith('.gain')) return { name, shape: [1, a, 1, 1], permutation: identity4 }
  if (path.endsWith('.memory'))
    return linear ? { name, shape: [a, b, d, c], permutation: [0, 1, 3, 2] } : { name, shape, permutation: identity4 }
  if (shape.length === 4) return { name, shape: [d, c, a, b], permutation: [2, 3, 1, 0] } // OIHW → HWIO
  if (shape.length === 1) return { name, shape, permutation: identity1 }
  return /mlp\.\d\.weight$/.test(name)
    ? { name, shape: [b, a], permutation: [1, 0] }
    : { name, shape: [b, a, 1, 1], permutation: [1, 0, 2, 3] }
}

/** Each path of the parameters with the tensor that it comes from. */
const sources = (params: UnetParams): ReadonlyMap<string, Source> => {
  const leaves = leavesWithPaths(params)
  const linearPlaces = new Set(
    leaves.flatMap(([path]) => (path.endsWith('.outNorm.gain') ? [path.slice(0, -'outNorm.gain'.length)] : [])),
  )
  const isLinear = (path: string): boolean =>
    linearPlaces.has(path.slice(0, path.indexOf('attention.') + 'attention.'.length))
  return new Map(leaves.map(([path, x]) => [path, sourceOf(path, x, isLinear(path))]))
}

const problemOf = ({ name, shape }: Source, weights: ReadonlyMap<string, LucidrainsTensor>): readonly string[] => {
  const given = weights.get(name)
  if (given === undefined) return [`'${name}' ${showShape(shape)} is missing`]
  return showShape(given.shape) === showShape(shape)
    ? []
    : [`'${name}' is ${showShape(given.shape)} where the model has ${showShape(shape)}`]
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
  const wanted = sources(template)
  const names = new Set([...wanted.values()].map(({ name }) => name))
  const extra = [...weights.keys()].filter((name) => !names.has(name)).map((name) => `'${name}' is not in the model`)
  const problems = [...[...wanted.values()].flatMap((source) => problemOf(source, weights)), ...extra]
  if (problems.length > 0)
    return E.left({
      _tag: 'WeightsError',
      message: `the weights do not fit this U-Net: ${problems.join('; ')}. Check width, multipliers, channels and attention.`,
    })
  const load = (ours: Tensor, path: string): Tensor => {
    const source = wanted.get(path)
    const his = source && weights.get(source.name)
    return source && his
      ? tensor(his.values, { shape: his.shape }).transpose(source.permutation).reshape(ours.shape)
      : ours
  }
  return E.right(mapTree(template, load))
}
