/** The block of U-ViT: a transformer's, which first joins what a block of the first half gave (Bao et al. 2023, figure 2). */
import { gelu } from '../../nn/activations.ts'
import { attention, type AttentionParams } from '../../nn/attention.ts'
import { dropout as dropoutLayer } from '../../nn/dropout.ts'
import { layerNorm, type LayerNormParams } from '../../nn/layerNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module, type NoParams } from '../../nn/module.ts'
import { concatenate } from '../../tensor/combine.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mlp, type MlpParams } from '../mlp.ts'
import { beginning, small } from '../transformers/beginning.ts'
import { hiddenOf, type TransformerSettings } from '../transformers/settings.ts'

/** Tokens [N, T, width], and those of a block of the first half. */
export interface Skipping {
  readonly x: Tensor
  readonly skip: Tensor | undefined
}

/** The parameters of a block of `uvit`; `skip` [2·width, width] is there in the second half. */
export interface UvitBlockParams {
  readonly skip: LinearParams | undefined
  readonly norm1: LayerNormParams
  readonly attention: AttentionParams
  readonly norm2: LayerNormParams
  readonly mlp: MlpParams
  readonly dropout1: NoParams
  readonly dropout2: NoParams
}

/**
 * With a skip s, z = W·(x, s) + b, else z = x; then, as ViT's (Dosovitskiy et al. 2021, eqs. 2 and 3):
 *
 *     h = z + attention(norm₁(z))
 *     y = h + mlp(norm₂(h))
 *
 * Queries, keys and values have no biases.
 */
export const uvitBlock = (settings: TransformerSettings, hasSkip: boolean): Module<UvitBlockParams, Skipping> => {
  const { width, heads, dropout = 0 } = settings
  return compose(
    {
      skip: hasSkip ? beginning(small, linear(2 * width, width)) : undefined,
      norm1: layerNorm(width),
      attention: beginning(small, attention(width, { heads, bias: false })),
      norm2: layerNorm(width),
      mlp: beginning(small, mlp([width, hiddenOf(settings), width], { activation: gelu })),
      dropout1: dropoutLayer(dropout),
      dropout2: dropoutLayer(dropout),
    },
    ({ skip: join, norm1, attention, norm2, mlp, dropout1, dropout2 }, { x, skip }: Skipping) => {
      const z = join === undefined || skip === undefined ? x : join(concatenate([x, skip], -1))
      const h = z.add(dropout1(attention(norm1(z))))
      return h.add(dropout2(mlp(norm2(h))))
    },
  )
}
