/** The activations that the configuration of a model can name. */
import { gelu, relu, silu, softplus } from '../nn/activations.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** x·tanh(softplus(x)), Misra 2019. */
const mish = (x: Tensor): Tensor => x.mul(softplus(x).tanh())

/** By name. */
export const activations = { silu, relu, gelu, mish }

/** The name of an activation. */
export type ActivationName = keyof typeof activations
