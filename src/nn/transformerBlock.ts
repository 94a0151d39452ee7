/** The block of a transformer, norms first (Xiong et al. 2020): what GPT-2 and ViT are made of. */
import { expectSizes } from './expectSizes.ts'
import { requireKnown } from '../prelude/options.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { AttentionParams } from './attention.ts'
import { gelu } from './activations.ts'
import { dropout as dropoutLayer } from './dropout.ts'
import { layerNorm, type LayerNormParams } from './layerNorm.ts'
import { linear, type LinearParams } from './linear.ts'
import { compose, lift, sequential, type Module, type NoParams } from './module.ts'
import {
  multiHeadAttention,
  selfAttentionOptions,
  type MaskedInput,
  type MultiHeadOptions,
} from './multiHeadAttention.ts'
import { requireSequence } from './requireSequence.ts'

/** What a block is like: as {@link multiHeadAttention}, and its perceptron. */
export interface TransformerBlockOptions extends Omit<MultiHeadOptions, 'contextWidth'> {
  /** Width of the perceptron between its two layers; default four times that of the block. */
  readonly hiddenWidth?: number
  /** What stands between its layers; default {@link gelu}. */
  readonly activation?: (x: Tensor) => Tensor
  /** Added to the variance in the norms; default 1e-5. */
  readonly epsilon?: number
}

/** The parameters of {@link transformerBlock}. */
export interface TransformerBlockParams {
  readonly norm1: LayerNormParams
  readonly attention: AttentionParams
  readonly norm2: LayerNormParams
  readonly mlp: { readonly expand: LinearParams; readonly act: NoParams; readonly contract: LinearParams }
  readonly dropout1: NoParams
  readonly dropout2: NoParams
}

/**
 * h = x + attention(norm(x)), y = h + mlp(norm(h)): `[N, T, width] → [N, T, width]`, or `{ x, mask, keyMask }` as attention takes it. Dropout is on the
 * weights of attention and on both sums' new parts, as in GPT-2. A causal block continues a sequence with a cache: {@link cacheOf}.
 *
 * @throws as {@link multiHeadAttention}
 * @example
 * ```ts
 * import { countElements, key, zeros } from 'fathom'
 * import { transformerBlock } from 'fathom/nn'
 *
 * const block = transformerBlock(16, { heads: 4, causal: true })
 * const params = block.init(key(0))
 * block.apply(params, zeros([2, 5, 16])).shape // => [2, 5, 16]
 * countElements(params) // => 3280
 * ```
 */
export const transformerBlock = (
  width: number,
  options: TransformerBlockOptions = {},
): Module<TransformerBlockParams, Tensor | MaskedInput> => {
  requireKnown('transformerBlock', options, ['hiddenWidth', 'activation', 'epsilon', ...selfAttentionOptions])
  const { hiddenWidth = 4 * width, activation = gelu, epsilon = 1e-5, ...heads } = options
  expectSizes('transformerBlock', { width, hiddenWidth })
  return compose(
    {
      norm1: layerNorm(width, { epsilon }),
      attention: multiHeadAttention(width, heads),
      norm2: layerNorm(width, { epsilon }),
      mlp: sequential({
        expand: linear(width, hiddenWidth),
        act: lift(activation),
        contract: linear(hiddenWidth, width),
      }),
      dropout1: dropoutLayer(heads.dropout ?? 0),
      dropout2: dropoutLayer(heads.dropout ?? 0),
    },
    ({ norm1, attention, norm2, mlp, dropout1, dropout2 }, input: Tensor | MaskedInput) => {
      const { x, ...masks } = input instanceof Tensor ? { x: input } : input
      requireSequence('transformerBlock', x, width)
      const h = x.add(dropout1(attention({ x: norm1(x), ...masks })))
      return h.add(dropout2(mlp(norm2(h))))
    },
  )
}
