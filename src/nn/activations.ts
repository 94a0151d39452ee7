/** Activations: functions of one tensor, to be called in a forward function or lifted into `sequential`. */
export { gelu, geluTanh, leakyRelu, relu, silu, softplus } from '../tensor/activations.ts'
export { celu, elu, mish, selu } from '../tensor/exponentialUnits.ts'
export { logSigmoid } from '../tensor/logarithms.ts'
export { glu, swiglu } from '../tensor/gatedUnits.ts'
export { hardsigmoid, hardswish, relu6, softsign } from '../tensor/hardActivations.ts'
export { logSoftmax, softmax, softmin } from '../tensor/softmax.ts'
