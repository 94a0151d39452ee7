/** Every derivative against finite differences, once and twice, and the Hessian by two different orders of the transforms. */
import { describe } from 'vitest'
import { specification, wasm } from '../../proof/devices.ts'
import { prove } from './prove.ts'

describe('gradients', () => {
  prove('gradient', 'the gradient agrees with finite differences in every element', { least: 3600 })
})

describe('gradients, one primitive at a time', () => {
  prove('gradient', 'the gradient agrees with finite differences in every element', {
    least: 400,
    seed: 2,
    scale: 0.1,
    on: specification,
  })
})

describe('gradients, on wasm', () => {
  prove('gradient', 'the gradient agrees with finite differences in every element', {
    least: 400,
    seed: 3,
    scale: 0.1,
    on: wasm,
  })
})

describe('gradients of gradients', () => {
  prove('secondOrder', 'the gradient of the gradient agrees with finite differences', { least: 1500 })
})

describe('gradients of gradients, one primitive at a time', () => {
  prove('secondOrder', 'the gradient of the gradient agrees with finite differences', {
    least: 200,
    seed: 2,
    scale: 0.1,
    on: specification,
  })
})

describe('gradients of gradients, on wasm', () => {
  prove('secondOrder', 'the gradient of the gradient agrees with finite differences', {
    least: 200,
    seed: 3,
    scale: 0.1,
    on: wasm,
  })
})

describe('Hessians', () => {
  prove('forwardOverReverse', 'forward over reverse is reverse over reverse, and symmetric', { least: 800 })
})
