/**
 * How parameters begin: an initializer is a function from a key to a tensor. `zeros` of fathom is a tensor; `zeros` of this entry makes one for a
 * parameter, when a model asks for it.
 *
 * @module fathom/nn/init
 */
export { kaimingUniform, normal, ones, uniform, zeros, type Initializer } from '../init.ts'
export { initWith, type ChooseInitializer } from './initWith.ts'
export { identity, kaimingNormal, orthogonal, truncatedNormal, xavierNormal, xavierUniform } from './scaled.ts'
