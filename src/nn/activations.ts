/** Activations: functions of one tensor, to be called in a forward function or lifted into `sequential`. */
export { gelu, geluTanh, leakyRelu, logSoftmax, relu, silu, softmax, softplus } from '../tensor/functions.ts'
