/**
 * Diffusion: schedules, noise levels, the forward process, the loss and samplers. The network is a function `(x_t, t) →
 * prediction`.
 *
 * @module fathom/diffusion
 */
export * from './samplers/ddim.ts'
export * from './samplers/ddpm.ts'
export * from './samplers/dpmSolver.ts'
export * from './samplers/flowEuler.ts'
export * from './samplers/heun.ts'
export * from './samplers/registry.ts'
export * from './edm.ts'
export * from './forward.ts'
export * from './guidance.ts'
export * from './interpolate.ts'
export * from './levels.ts'
export * from './loss.ts'
export * from './prediction.ts'
export * from './sample.ts'
export * from './sampler.ts'
export * from './schedule.ts'
export * from './schedules/betaSchedules.ts'
export * from './schedules/curveSchedules.ts'
export * from './schedules/flowSchedule.ts'
export * from './schedules/rescaling.ts'
export * from './table.ts'
export * from './times.ts'
export * from './trainingNoise.ts'
