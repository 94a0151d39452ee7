/** The activations that the configuration of a model can name. */
import { gelu, mish, relu, silu } from '../nn/activations.ts'

/** By name. */
export const activations = { silu, relu, gelu, mish }

/** The name of an activation. */
export type ActivationName = keyof typeof activations
