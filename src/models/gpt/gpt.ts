/** The transformer that goes on with a text: Radford et al. 2019 ("GPT-2"), with the layers and parameters of its files. */
import { geluTanh } from '../../nn/activations.ts'
import { normal } from '../../nn/init.ts'
import { layerNorm } from '../../nn/layerNorm.ts'
import { learnedPositions } from '../../nn/learnedPositions.ts'
import { linear } from '../../nn/linear.ts'
import { compose, parameter, type Module, type ParamsOf } from '../../nn/module.ts'
import { transformerBlock } from '../../nn/transformerBlock.ts'
import { range } from '../../prelude/array.ts'
import { ShapeError } from '../../prelude/errors.ts'
import { requireKnown, requireWhole } from '../../prelude/options.ts'
import { showShape } from '../../graph/shape.ts'
import { gather } from '../../tensor/combine.ts'
import { requireLabels } from '../../tensor/labels.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { gptInit } from '../transformers/small.ts'

/** A language model. */
export interface GptOptions {
  /** Different tokens. */
  readonly vocabulary: number
  /** The most tokens that it sees at once; default 1024. */
  readonly context?: number
  /** Length of a token's vector; default 768. */
  readonly width?: number
  /** Blocks; default 12. */
  readonly depth?: number
  /** Heads of attention, which share the width; default 12. */
  readonly heads?: number
  /** A learned vector for each place, as in GPT-2, or keys and queries that are turned by their places (Su et al. 2021); default `learned`. */
  readonly positions?: 'learned' | 'rotary'
  /** Whether the last layer is the table of the first, transposed (Press & Wolf 2017); default true. */
  readonly tied?: boolean
  /** Rate of dropout in each block; default 0. */
  readonly dropout?: number
}

const optionNames: readonly (keyof GptOptions)[] = [
  'vocabulary',
  'context',
  'width',
  'depth',
  'heads',
  'positions',
  'tied',
  'dropout',
]

/** The settings with their defaults, those of the smallest GPT-2. */
const withDefaults = (options: GptOptions): Required<GptOptions> => {
  const usual = {
    context: 1024,
    width: 768,
    depth: 12,
    heads: 12,
    positions: 'learned',
    tied: true,
    dropout: 0,
  } as const
  return { ...usual, ...options }
}

const build = ({ vocabulary, context, width, depth, heads, positions, tied, dropout }: Required<GptOptions>) => {
  const rotary = positions === 'rotary' ? ({ positions } as const) : {}
  return compose(
    {
      tokens: parameter(normal([vocabulary, width], 0.02)),
      places: positions === 'learned' ? learnedPositions(context, width) : undefined,
      blocks: range(depth).map(() =>
        transformerBlock(width, { heads, dropout, causal: true, activation: geluTanh, ...rotary }),
      ),
      norm: layerNorm(width),
      out: tied ? undefined : linear(width, vocabulary, { bias: false }),
    },
    ({ tokens, places, blocks, norm, out }, ids: Tensor) => {
      const table = tokens()
      const embedded = gather(table, ids)
      const y = norm(blocks.reduce((x, block) => block(x), places === undefined ? embedded : places(embedded)))
      return out === undefined ? y.matmul(table.transpose()) : out(y)
    },
  )
}

/** The parameters of {@link gpt}. */
export type GptParams = ParamsOf<ReturnType<typeof build>>

/** A language model, and what it reads: how many different tokens, and how many at once. */
export type Gpt = Module<GptParams> & { readonly vocabulary: number; readonly context: number }

const requireOptions = (options: Required<GptOptions>): void => {
  const { vocabulary, context, width, depth, heads, positions } = options
  for (const [name, value] of Object.entries({ vocabulary, context, width, depth, heads }))
    requireWhole('gpt', name, value, 1)
  if (!['learned', 'rotary'].includes(positions))
    throw new RangeError(`gpt: positions are '${positions}'; they must be learned or rotary`)
}

/**
 * A language model: tokens i32 `[N, T]`, T up to the context, to the logits of what follows each, `[N, T, vocabulary]`. With a cache (`cacheOf`) it
 * goes on where it was; {@link generateOn} does.
 *
 * @throws RangeError for heads that do not share the width, and tokens outside the vocabulary; ShapeError for what is no sequence, or is too long
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { gpt, gptSizes } from 'fathom/models'
 *
 * const small = gpt({ vocabulary: 96, context: 64, width: 32, depth: 2, heads: 4 })
 * small.apply(small.init(key(0)), zeros([2, 64], 'i32')).shape // => [2, 64, 96]
 * countElements(gpt({ vocabulary: 50257, ...gptSizes.small }).init(key(0))) // => 124439808
 * ```
 */
export const gpt = (options: GptOptions): Gpt => {
  requireKnown('gpt', options, optionNames)
  const all = withDefaults(options)
  requireOptions(all)
  const { vocabulary, context, depth } = all
  const module = gptInit(depth, build(all))
  return {
    ...module,
    vocabulary,
    context,
    apply: (params, ids, mode) => {
      if (ids.rank !== 2 || (ids.shape[1] ?? 0) > context)
        throw new ShapeError(`gpt: takes tokens [N, T], T up to ${context}, got ${showShape(ids.shape)}`)
      requireLabels('gpt', 'token', ids, vocabulary)
      return module.apply(params, ids, mode)
    },
  }
}

/** The names of the sizes of GPT-2. */
export type GptSize = 'small' | 'medium' | 'large' | 'xl'

/**
 * The sizes of Radford et al. 2019, table 2: of 50,257 tokens and a context of 1024 they have 124, 355, 774 and 1558 million parameters.
 *
 * @example
 * ```ts
 * import { gptSizes } from 'fathom/models'
 *
 * gptSizes.small // => { width: 768, depth: 12, heads: 12 }
 * ```
 */
export const gptSizes: {
  readonly [K in GptSize]: { readonly width: number; readonly depth: number; readonly heads: number }
} = {
  small: { width: 768, depth: 12, heads: 12 },
  medium: { width: 1024, depth: 24, heads: 16 },
  large: { width: 1280, depth: 36, heads: 20 },
  xl: { width: 1600, depth: 48, heads: 25 },
}
