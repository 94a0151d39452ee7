/**
 * Diffusion: schedules, noise levels, the forward process, the loss and samplers. The network is a function `(x_t, t) →
 * prediction`.
 *
 * @module fathom/diffusion
 */
export * from './samplers/adams.ts'
export * from './samplers/churn.ts'
export * from './samplers/consistency.ts'
export * from './samplers/ddim.ts'
export * from './samplers/ddpm.ts'
export * from './samplers/dpmSingle.ts'
export * from './samplers/dpmSolver.ts'
export * from './samplers/flowEuler.ts'
export * from './samplers/heun.ts'
export * from './samplers/inversion.ts'
export * from './samplers/pndm.ts'
export {
  ddimBetween,
  ddpmBetween,
  type DdimBetweenOptions,
  type DdpmBetweenOptions,
  type Ends,
} from './samplers/posterior.ts'
export * from './samplers/registry.ts'
export * from './assignment.ts'
export * from './samplers/repaint.ts'
export * from './cfgPlusPlus.ts'
export * from './classifierGuidance.ts'
export * from './continuous/continuousLevels.ts'
export * from './continuous/continuousLoss.ts'
export * from './continuous/learnedLogSnr.ts'
export {
  cosineLogSnr,
  edmLogSnr,
  interpolatedLogSnr,
  linearLogSnr,
  logSnrOf,
  shiftedLogSnr,
  type CosineLogSnrOptions,
  type EdmLogSnrOptions,
  type LogSnr,
} from './continuous/logSnr.ts'
export * from './edm.ts'
export * from './samplers/secondOrder.ts'
export * from './samplers/uniPc.ts'
export type { ClockOptions } from './samplers/stages.ts'
export type { MultistepState } from './samplers/multistep.ts'
export type { OrderOptions } from './samplers/orders.ts'
export * from './forward.ts'
export * from './guidance.ts'
export * from './interpolate.ts'
export * from './learnedVariance.ts'
export * from './levels.ts'
export * from './likelihood.ts'
export * from './loss.ts'
export type { Point } from './point.ts'
export * from './prediction.ts'
export * from './sample.ts'
export * from './sampler.ts'
export * from './schedule.ts'
export * from './scheduleClock.ts'
export * from './schedules/betaSchedules.ts'
export * from './schedules/curveSchedules.ts'
export * from './schedules/flowSchedule.ts'
export * from './schedules/fromBetas.ts'
export * from './schedules/rescaling.ts'
export * from './sigmas.ts'
export * from './selfConditioning.ts'
export * from './spacing.ts'
export * from './table.ts'
export * from './threshold.ts'
export * from './times.ts'
export * from './trainingNoise.ts'
export * from './variationalBound.ts'
export * from './weightedObjective.ts'
export { scheduleLevels, type ScheduleLevelsOptions } from './scheduleLevels.ts'
