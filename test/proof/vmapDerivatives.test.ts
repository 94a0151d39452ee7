/** vmap with derivatives in every order: each transform of the mapped operation is the same transform of the stack of slices. */
import { describe } from 'vitest'
import { prove } from './prove.ts'

describe('vmap with derivatives', () => {
  prove('vmapDerivatives', 'every order of vmap, grad and jvp, of calls and of checkpoints', { least: 1000 })
})
