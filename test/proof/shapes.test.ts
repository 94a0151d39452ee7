/** Every operation with no axes, with an axis of 0, with an axis of 1 and with odd lengths. */
import { describe } from 'vitest'
import { prove } from './prove.ts'

describe('shapes', () => {
  prove('shapes', 'values and gradients hold for scalars, empty axes, axes of one and odd lengths', { least: 8500 })
})
