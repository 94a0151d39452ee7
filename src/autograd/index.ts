/** Autodiff: derivatives of functions over pytrees, and the check that holds them to finite differences. */
export type { ArgumentNumber, GradientOf, GradOptions } from './argument.ts'
export { checkGrad, type CheckOptions } from './check.ts'
export { grad, hvp, jvp, valueAndGrad, vjp, type Jvp, type Vjp } from './grad.ts'
export { hessian, jacobian, type JacobianOf } from './jacobian.ts'
