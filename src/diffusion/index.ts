/**
 * Diffusion: schedules, the forward process, objectives and samplers. The network is a function `(x_t, t) →
 * prediction`.
 *
 * @module fathom/diffusion
 */
export * from './ddim.ts'
export * from './ddpm.ts'
export * from './forward.ts'
export * from './objective.ts'
export * from './parameterization.ts'
export * from './sample.ts'
export * from './sampler.ts'
export * from './schedule.ts'
export * from './table.ts'
