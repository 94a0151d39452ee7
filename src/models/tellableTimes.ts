/** The times that a network is told, in a dtype that can tell them apart. */
import type { Tensor } from '../tensor/tensor.ts'
import type { DenoiserInput } from './family.ts'

/** Times [N] as f64 for images of f64, and as f32 for all others: f16 lacks the steps from 2048 on. */
export const tellableTimes = ({ x, t }: DenoiserInput): Tensor => t.cast(x.dtype === 'f64' ? 'f64' : 'f32')
