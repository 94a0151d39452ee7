/** The block of a diffusion transformer: attention and a perceptron, whose norms and sizes time and conditions say (adaLN-Zero). */
import { geluTanh } from '../../nn/activations.ts'
import { attention, type AttentionParams } from '../../nn/attention.ts'
import { dropout as dropoutLayer } from '../../nn/dropout.ts'
import { zeros } from '../../nn/init.ts'
import { normalizeLayer } from '../../nn/layerNorm.ts'
import { linear, type LinearParams } from '../../nn/linear.ts'
import { compose, type Module, type NoParams } from '../../nn/module.ts'
import { at } from '../../prelude/array.ts'
import { splitInto } from '../../tensor/combine.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { mlp, type MlpParams } from '../mlp.ts'
import { beginning, glorot } from '../transformers/beginning.ts'
import { hiddenOf, type TransformerSettings } from '../transformers/settings.ts'

/** ε of the norms, as DiT has it. */
const epsilon = 1e-6

/** Tokens [N, T, width], and what they are told, [N, width]: silu of the vector of time and conditions. */
export interface Told {
  readonly x: Tensor
  readonly told: Tensor
}

/** norm(x)·(1 + scale) + shift */
export const modulate = (x: Tensor, shift: Tensor, scale: Tensor): Tensor =>
  normalizeLayer(x, epsilon).mul(scale.add(1)).add(shift)

/** A linear layer of zeros, which says nothing at the start: [N, width] → [N, count·width]. */
export const modulation = (width: number, count: number): Module<LinearParams> =>
  beginning(zeros, linear(width, count * width))

/** Its parts, `count` of [N, 1, width]. */
export const partsOf = (modulation: Tensor, count: number): readonly Tensor[] =>
  splitInto(modulation.expandDims(1), count, -1)

/** The parameters of a block of `dit`. */
export interface DitBlockParams {
  readonly modulation: LinearParams
  readonly attention: AttentionParams
  readonly mlp: MlpParams
  readonly dropout1: NoParams
  readonly dropout2: NoParams
}

/**
 * Peebles & Xie 2023, section 3.2, with (β, γ, α) for attention and (β′, γ′, α′) for the perceptron, all of them W·silu(c) + b:
 *
 *     h = x + α·attention(norm(x)·(1 + γ) + β)
 *     y = h + α′·mlp(norm(h)·(1 + γ′) + β′)
 *
 * W and b begin with zeros, so that the block begins as the identity.
 */
export const ditBlock = (settings: TransformerSettings): Module<DitBlockParams, Told> => {
  const { width, heads, dropout = 0 } = settings
  return compose(
    {
      modulation: modulation(width, 6),
      attention: beginning(glorot, attention(width, { heads })),
      mlp: beginning(glorot, mlp([width, hiddenOf(settings), width], { activation: geluTanh })),
      dropout1: dropoutLayer(dropout),
      dropout2: dropoutLayer(dropout),
    },
    ({ modulation, attention, mlp, dropout1, dropout2 }, { x, told }: Told) => {
      const parts = partsOf(modulation(told), 6)
      const part = (i: number): Tensor => at(parts, i)
      const h = x.add(dropout1(attention(modulate(x, part(0), part(1)))).mul(part(2)))
      return h.add(dropout2(mlp(modulate(h, part(3), part(4)))).mul(part(5)))
    },
  )
}
