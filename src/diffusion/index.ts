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
export * from './forward.ts'
export * from './guidance.ts'
export * from './interpolate.ts'
export * from './levels.ts'
export * from './loss.ts'
export * from './prediction.ts'
export * from './sample.ts'
export * from './sampler.ts'
export * from './schedule.ts'
export * from './table.ts'
