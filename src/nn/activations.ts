/** Activations: functions of one tensor, to be called in a forward function or lifted into `sequential`. */
export { gelu, geluTanh, leakyRelu, relu, silu, softplus } from '../tensor/activations.ts'
export { logSoftmax, softmax } from '../tensor/softmax.ts'
