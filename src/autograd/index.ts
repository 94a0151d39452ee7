/** Autodiff: derivatives of functions over pytrees, and the check that holds them to finite differences; and vmap, the other transform of functions. */
export type { ArgumentNumber, GradientOf, GradOptions } from './argument.ts'
export { checkGrad, type CheckOptions } from './check.ts'
export { grad, hvp, jvp, valueAndGrad, vjp, type Jvp, type Vjp } from './grad.ts'
export { hessian, jacfwd, jacobian, jacrev, type JacobianOf } from './jacobian.ts'
export { vmap, type VmapOptions } from './vmap/vmap.ts'
