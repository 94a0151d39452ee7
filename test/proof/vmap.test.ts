/** vmap of every primitive, function, layer and model: what it makes of a stack is the stack of what the operation makes of each. */
import { describe } from 'vitest'
import { prove } from './prove.ts'

describe('vmap', () => {
  prove('vmap', 'vmap is the stack of what each slice gives, with any input shared and any axis mapped', {
    least: 3000,
  })
})
