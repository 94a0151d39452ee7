/** The vision transformer: Dosovitskiy et al. 2021, "An Image is Worth 16x16 Words". A picture is a sequence of patches. */
import { zeros } from '../../nn/init.ts'
import { layerNorm } from '../../nn/layerNorm.ts'
import { linear } from '../../nn/linear.ts'
import { compose, parameter, type Module, type ParamsOf } from '../../nn/module.ts'
import { transformerBlock } from '../../nn/transformerBlock.ts'
import { at, range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { showShape } from '../../graph/shape.ts'
import { concatenate } from '../../tensor/combine.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { patchify } from '../transformers/patches.ts'
import { gptInit } from '../transformers/small.ts'

/** A vision transformer. */
export interface VitOptions {
  /** Height and width of the pictures: learned positions are of one grid of patches. */
  readonly size: readonly [height: number, width: number]
  /** Pixels of a patch's side, a divisor of both; default 16. */
  readonly patch?: number
  /** Length of a token; default 768. */
  readonly width?: number
  /** Blocks; default 12. */
  readonly depth?: number
  /** Heads of attention, which share the width; default 12. */
  readonly heads?: number
  /** What the last layer sees: a token of its own beside the patches, as the paper has it, or the mean of the patches; default `token`. */
  readonly pooling?: 'token' | 'mean'
  /** Rate of dropout in each block; default 0. */
  readonly dropout?: number
  /** Channels of the pictures; default 3. */
  readonly channels?: number
  /** Default 1000. */
  readonly classes?: number
}

const optionNames: readonly (keyof VitOptions)[] = [
  'size',
  'patch',
  'width',
  'depth',
  'heads',
  'pooling',
  'dropout',
  'channels',
  'classes',
]

/** The settings with their defaults, those of ViT-B/16. */
const withDefaults = (options: VitOptions): Required<VitOptions> => {
  const usual = {
    patch: 16,
    width: 768,
    depth: 12,
    heads: 12,
    pooling: 'token',
    dropout: 0,
    channels: 3,
    classes: 1000,
  } as const
  return { ...usual, ...options }
}

const build = ({ size, patch, width, depth, heads, pooling, dropout, channels, classes }: Required<VitOptions>) => {
  const patches = (size[0] / patch) * (size[1] / patch)
  const hasToken = pooling === 'token'
  return compose(
    {
      patches: linear(patch * patch * channels, width),
      token: hasToken ? parameter(zeros([1, 1, width])) : undefined,
      positions: parameter(zeros([patches + Number(hasToken), width])),
      blocks: range(depth).map(() => transformerBlock(width, { heads, dropout, epsilon: 1e-6 })),
      norm: layerNorm(width, { epsilon: 1e-6 }),
      out: linear(width, classes),
    },
    ({ patches: embed, token, positions, blocks, norm, out }, x: Tensor) => {
      const seen = embed(patchify(x, patch))
      const first = token?.().broadcastTo([at(x.shape, 0), 1, width])
      const tokens = first === undefined ? seen : concatenate([first, seen], 1)
      const y = norm(blocks.reduce((z, block) => block(z), tokens.add(positions())))
      return out(hasToken ? y.slice([], [0, 1]).reshape([at(x.shape, 0), width]) : y.mean(1))
    },
  )
}

/** The parameters of {@link vit}. */
export type VitParams = ParamsOf<ReturnType<typeof build>>

const requireOptions = ({ size, patch, pooling, ...counts }: Required<VitOptions>): void => {
  const { width, depth, heads, channels, classes } = counts
  for (const [name, value] of Object.entries({ patch, width, depth, heads, channels, classes }))
    requireWhole('vit', name, value, 1)
  const [height, across] = size
  if (!(height > 0 && across > 0 && height % patch === 0 && across % patch === 0))
    throw new RangeError(
      `vit: patches of ${patch}×${patch} do not tile pictures of ${height}×${across}: choose a divisor of both sides`,
    )
  if (!['token', 'mean'].includes(pooling))
    throw new RangeError(`vit: pooling is '${pooling}'; it must be token or mean`)
}

/**
 * A vision transformer: `[N, H, W, channels] → [N, classes]` logits.
 *
 * @throws RangeError for patches that do not tile the pictures, and heads that do not share the width; ShapeError for other pictures
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { vit, vitSizes } from 'fathom/models'
 *
 * const small = vit({ size: [32, 32], patch: 4, width: 32, depth: 2, heads: 4, classes: 10 })
 * const params = small.init(key(0))
 * small.apply(params, zeros([2, 32, 32, 3])).shape // => [2, 10]
 * countElements(params) // => 29482
 * countElements(vit({ size: [224, 224], patch: 16, ...vitSizes.B }).init(key(0))) // => 86567656
 * ```
 */
export const vit = (options: VitOptions): Module<VitParams> => {
  requireKnown('vit', options, optionNames)
  const all = withDefaults(options)
  requireOptions(all)
  const module = gptInit(all.depth, build(all))
  const shape = [...all.size, all.channels]
  return {
    ...module,
    apply: (params, x, mode) => {
      if (x.rank !== 4 || shape.some((n, i) => x.shape[i + 1] !== n))
        throw new ShapeError(`vit: takes pictures [N, ${shape.join(', ')}], got ${showShape(x.shape)}`)
      return module.apply(params, x, mode)
    },
  }
}

/** The names of the sizes of the papers. */
export type VitSize = 'Ti' | 'S' | 'B' | 'L' | 'H'

/**
 * The sizes of Dosovitskiy et al. 2021, table 1, and the two smaller ones of Touvron et al. 2021 (DeiT), table 1.
 *
 * @example
 * ```ts
 * import { vitSizes } from 'fathom/models'
 *
 * vitSizes.B // => { width: 768, depth: 12, heads: 12 }
 * ```
 */
export const vitSizes: {
  readonly [K in VitSize]: { readonly width: number; readonly depth: number; readonly heads: number }
} = {
  Ti: { width: 192, depth: 12, heads: 3 },
  S: { width: 384, depth: 12, heads: 6 },
  B: { width: 768, depth: 12, heads: 12 },
  L: { width: 1024, depth: 24, heads: 16 },
  H: { width: 1280, depth: 32, heads: 16 },
}
