/**
 * Optimizers: gradient transforms, learning-rate schedules, the moving average of the weights, and the loss scale of mixed precision.
 *
 * @module fathom/optim
 */
export * from './accumulate.ts'
export * from './adafactor.ts'
export * from './adagrad.ts'
export * from './adam.ts'
export type { AdamOptions } from './adamSettings.ts'
export * from './adamVariants.ts'
export { applyIfFinite, type IfFiniteState } from './applyIfFinite.ts'
export { chain } from './chain.ts'
export { clipByValue } from './clipByValue.ts'
export type { DecoupledOptions } from './decoupled.ts'
export { descent } from './descent.ts'
export * from './ema.ts'
export * from './emaDecay.ts'
export * from './globalNorm.ts'
export * from './lamb.ts'
export * from './laterSchedules.ts'
export * from './lion.ts'
export * from './lossScale.ts'
export * from './muon.ts'
export * from './partition.ts'
export * from './reduceOnPlateau.ts'
export * from './rmsProp.ts'
export * from './schedules.ts'
export * from './separately.ts'
export * from './sgd.ts'
export {
  applyUpdates,
  followedBy,
  stateless,
  type UpdateOptions,
  type Stateless,
  type Transform,
  type Tree,
} from './transform.ts'
export * from './weightDecay.ts'
